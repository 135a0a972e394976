"""Bills at the counter: read, asked for, put together."""
