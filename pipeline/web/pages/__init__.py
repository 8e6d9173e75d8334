"""The pages, one file each."""

from pipeline.web.pages import (
    alerts,
    cameras,
    door,
    live,
    people,
    person,
    replay,
    search,
    shell,
    system,
)

ALL = (
    shell.routes,
    door.routes,
    live.routes,
    alerts.routes,
    people.routes,
    person.routes,
    search.routes,
    replay.routes,
    cameras.routes,
    system.routes,
)
"""Routes of all pages."""
