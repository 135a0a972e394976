"""The profiles a box works with: those that come with the program, and those of a folder that settings name."""

from collections.abc import Mapping
from pathlib import Path

import firmware_profiles
from firmware_profiles.registry import ProfileRegistry, from_documents

BUNDLED = Path(firmware_profiles.__file__).parent


def _documents(folder: Path) -> dict[str, bytes]:
    return {path.as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.toml"))}


def load_catalogue(extra: Path | None = None, newer: Mapping[str, str] | None = None) -> ProfileRegistry:
    """Return all profiles. `extra` is a folder laid out as the bundled one (`terminals/<maker>/<model>.toml`, …).

    `newer` are documents by their place there; each takes the place of the one that came with the program.
    Raises DeviceError `profile.*` (see the registry), OSError when a file cannot be read.
    """
    documents = _documents(BUNDLED)
    if newer is not None:
        documents |= {(BUNDLED / place).as_posix(): text.encode() for place, text in newer.items()}
    if extra is not None:
        documents |= _documents(extra)
    return from_documents(documents)


def load_with(file: Path) -> tuple[ProfileRegistry, str]:
    """Return the profiles with one file among them that need not be bundled, and the name it bears.

    Its place says its kind and name: `…/terminals/<maker>/<model>.toml` or `…/printers/<maker>/<model>.toml`.
    Raises DeviceError `profile.*`, OSError when it cannot be read.
    """
    file = file.resolve()
    documents = _documents(BUNDLED.resolve()) | {file.as_posix(): file.read_bytes()}
    return from_documents(documents), f"{file.parent.name}/{file.stem}"
