"""Pages for people, one module a thing they do."""
