"""The pages, one file each."""

from pipeline.web.pages import door, shell

ALL = (shell.routes, door.routes)
"""Routes of all pages."""
