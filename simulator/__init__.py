"""Renders walking people under several cameras, with ground truth. Not part of the product."""
