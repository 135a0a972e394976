"""Power cuts on a real file system: the blocks it wrote are noted, and put together again as a cut would leave them."""

from pathlib import Path


def plugin_path() -> Path:
    """Return the file that nbdkit runs."""
    return Path(__file__).with_name("plugin.py")
