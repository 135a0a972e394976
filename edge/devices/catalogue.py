"""The profiles a box works with: those that come with the program, and those of a folder that settings name."""

from pathlib import Path

import firmware_profiles
from firmware_profiles.registry import ProfileRegistry, from_documents

BUNDLED = Path(firmware_profiles.__file__).parent


def _documents(folder: Path) -> dict[str, bytes]:
    return {path.as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.toml"))}


def load_catalogue(extra: Path | None = None) -> ProfileRegistry:
    """Return all profiles. `extra` is a folder laid out as the bundled one (`terminals/<maker>/<model>.toml`, …).

    Raises DeviceError `profile.*` (see the registry), OSError when a file cannot be read.
    """
    documents = _documents(BUNDLED)
    if extra is not None:
        documents |= _documents(extra)
    return from_documents(documents)
