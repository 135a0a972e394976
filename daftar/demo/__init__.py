"""The demo: central, a box, virtual devices and a sandbox provider as real processes on one machine."""
