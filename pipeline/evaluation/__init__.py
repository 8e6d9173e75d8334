"""How well sightings tell who was where, against truth: definitions in docs/linking-measures.md."""
