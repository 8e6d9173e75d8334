"""What can be asked, one file per noun."""

from pipeline.api.routes import (
    audit,
    cameras,
    events,
    identities,
    live,
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
    search.routes,
    verdicts.routes,
    topology.routes,
    audit.routes,
    site.routes,
)
"""All routes, in the order in which OpenAPI lists them."""
