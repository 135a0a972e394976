"""An office to learn in: a box with its own journal and key, virtual devices, a centre that makes answers up."""
