"""Turns crops of people into vectors that compare across modalities."""
