"""A terminal and a printer made of software, for training, demo and tests. They share no code with the drivers."""
