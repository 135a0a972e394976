"""What the process that forks servers does once, so that no start has to: import the box, read the profiles.

Only that process imports this.
"""

import gc

from daftar.lab.killing.server import Server
from edge.devices.catalogue import load_catalogue

__all__ = ["Server"]

load_catalogue()
# What is there will stay: no collection in a server looks at it again.
gc.collect()
gc.freeze()
