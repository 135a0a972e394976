"""Finding, trying and knowing the devices of the office."""
