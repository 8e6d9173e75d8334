"""Places: ground, walls and things, and the ways people take through them."""
