"""Sees: cameras and recorded footage in, timed frames out."""
