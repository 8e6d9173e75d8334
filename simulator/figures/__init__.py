"""People: bodies, the way they walk, what they wear."""
