"""Finds people in frames."""
