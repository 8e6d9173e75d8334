"""The pages, one file each."""

from pipeline.web.pages import alerts, door, live, people, person, shell

ALL = (shell.routes, door.routes, live.routes, alerts.routes, people.routes, person.routes)
"""Routes of all pages."""
