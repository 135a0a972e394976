"""Devices as data: one TOML file a model, and what reads and checks it. No I/O but its own files."""
