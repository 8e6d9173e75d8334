"""Parts that networks are put together from."""
