"""Space kept back on the box's medium: given back when it is full, so that what is under way can be finished."""

import contextlib
import errno
import os
from pathlib import Path
from typing import Final

import apsw
import msgspec

from edge.store.database import sync_folder

RESERVE_NAME: Final = "box.reserve"
RESERVE_BYTES: Final = 8 * 1024 * 1024
"""Enough for some dozens of payments with their papers and an exchange: each changes a few hundred KB at most."""
_PERCENT: Final = 100


class Usage(msgspec.Struct, frozen=True):
    """How full a medium is. `free_bytes` is what this program may still take."""

    used_bytes: int
    free_bytes: int

    @property
    def percent(self) -> int:
        """Return how much of what there is for us is used, rounded down, as `df` counts it."""
        whole = self.used_bytes + self.free_bytes
        return _PERCENT if whole <= 0 else self.used_bytes * _PERCENT // whole


def usage_of(folder: Path) -> Usage:
    """Return how full the medium of a folder is. Raises OSError."""
    found = os.statvfs(folder)
    return Usage((found.f_blocks - found.f_bfree) * found.f_frsize, found.f_bavail * found.f_frsize)


def is_no_room(error: Exception) -> bool:
    """Return whether an error of the medium says that it is full."""
    return isinstance(error, apsw.FullError) or (isinstance(error, OSError) and error.errno == errno.ENOSPC)


class Reserve:
    """The file that keeps the space."""

    def __init__(self, folder: Path, size_bytes: int = RESERVE_BYTES) -> None:
        self._path = folder / RESERVE_NAME
        self._size_bytes = size_bytes

    @property
    def size_bytes(self) -> int:
        """Return how much it keeps."""
        return self._size_bytes

    def is_there(self) -> bool:
        """Return whether the space is kept."""
        try:
            return self._path.stat().st_size == self._size_bytes
        except OSError:
            return False

    def make(self) -> bool:
        """Take the space, durable when this returns; return whether it is kept. Raises nothing for a full medium."""
        if self.is_there():
            return True
        unfinished = self._path.with_name(RESERVE_NAME + ".making")
        try:
            with unfinished.open("wb") as stream:
                os.posix_fallocate(stream.fileno(), 0, self._size_bytes)
                os.fsync(stream.fileno())
            unfinished.replace(self._path)
            sync_folder(self._path.parent)
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            return False
        return True

    def give_back(self) -> bool:
        """Let the space go; return whether there was any. Raises nothing."""
        there = self._path.exists()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
            sync_folder(self._path.parent)
        return there
