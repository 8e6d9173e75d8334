"""Remembers: sightings, identities, links with their reasons, gaps and evidence."""
