"""All cameras: tracklets become identities, each with its reason."""
