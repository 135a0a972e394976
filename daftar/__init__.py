"""The command line, and the demo that joins a box, central and virtual devices. Nothing imports this package."""
