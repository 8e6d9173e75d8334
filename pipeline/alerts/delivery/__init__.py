"""Telling somebody outside: at least once, with a key that lets the receiver count once."""
