"""How the box itself is, and what support needs to know of it."""
