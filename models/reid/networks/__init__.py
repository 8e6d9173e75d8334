"""Networks that turn crops of people into vectors; `presets` builds them by name."""
