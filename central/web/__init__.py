"""Central's pages: what finance sees of offices, money, providers and settlements, and the customer's receipt page."""
