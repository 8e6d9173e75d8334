"""What can be asked, one file per noun."""

from pipeline.api.routes import (
    alerts,
    audit,
    cameras,
    deliveries,
    events,
    identities,
    live,
    people,
    plan,
    recordings,
    rules,
    search,
    sessions,
    sightings,
    site,
    topology,
    users,
    verdicts,
)

ALL = (
    sessions.routes,
    users.routes,
    cameras.routes,
    live.routes,
    events.routes,
    sightings.routes,
    identities.routes,
    people.routes,
    alerts.routes,
    rules.routes,
    deliveries.routes,
    plan.routes,
    recordings.routes,
    search.routes,
    verdicts.routes,
    topology.routes,
    audit.routes,
    site.routes,
)
"""All routes, in the order in which OpenAPI lists them."""
