"""Thinks and talks: tracking, linking, the watcher and the command line."""
