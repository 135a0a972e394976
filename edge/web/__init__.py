"""Pages for people and the JSON API for programs. Nothing is decided here: services decide, these show and ask."""
