"""The watcher: frames in, remembered sightings out."""
