"""Recognises: people in frames, and the same person across visible and infrared."""
