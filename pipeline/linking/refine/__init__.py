"""Second thoughts about the last hours: all tracks against all, instead of one against the past."""
