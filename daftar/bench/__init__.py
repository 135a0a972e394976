"""Benchmarks that compare in one run: ours against the bare bound of the same machine, printed as a ratio and JSON."""
