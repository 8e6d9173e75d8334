"""Keeping what cameras send, as they send it: segments, clips, and a picture of any moment."""
