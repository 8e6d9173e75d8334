"""The pages, one file each."""

from pipeline.web.pages import door, live, people, person, shell

ALL = (shell.routes, door.routes, live.routes, people.routes, person.routes)
"""Routes of all pages."""
