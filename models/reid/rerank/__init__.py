"""Re-ranking: a gallery's own neighbourhoods improve the order in which it answers a query.

Only the gallery is looked at, never other queries, so the order is the same for one query as for a
thousand, and production may use it. Re-ranked scores order one query's answers and nothing else:
distances are compressed by it, so they are never compared with a threshold nor calibrated.
"""
