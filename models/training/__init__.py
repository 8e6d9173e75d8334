"""Trains the embedder; serving never imports this."""
