"""A disk that notes every write and every flush, in order: a plugin of nbdkit, run by its own Python.

It imports nothing of Daftar. Each note is a head of 21 bytes (kind, monotonic nanoseconds, offset, length) and the data
of a write. Kind 1 is a write, 2 a flush.
"""

import os
import struct
import time
from typing import Any

import nbdkit  # type: ignore[import-not-found]  # nbdkit gives it to its plugins

API_VERSION = 2
HEAD = "<BQQI"

_paths: dict[str, str] = {}
_files: dict[str, int] = {}


def config(key: str, value: str) -> None:
    """Take `file` (the disk's bytes) and `log` (where the notes go)."""
    _paths[key] = value


def config_complete() -> None:
    """Open both."""
    _files["file"] = os.open(_paths["file"], os.O_RDWR)
    _files["log"] = os.open(_paths["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def thread_model() -> Any:
    """Return that one request is served at a time."""
    return nbdkit.THREAD_MODEL_SERIALIZE_ALL_REQUESTS


def open(_: bool) -> int:  # noqa: A001, FBT001 - nbdkit's names
    """Begin a connection."""
    return 1


def get_size(_: int) -> int:
    """Return the disk's size in bytes."""
    return os.fstat(_files["file"]).st_size


def can_write(_: int) -> bool:
    """Return that it can be written."""
    return True


def can_flush(_: int) -> bool:
    """Return that it can be flushed."""
    return True


def can_trim(_: int) -> bool:
    """Return that nothing is forgotten."""
    return False


def can_fua(_: int) -> Any:
    """Return that a write that must be durable is followed by a flush."""
    return nbdkit.FUA_EMULATE


def pread(_: int, buffer: Any, offset: int, __: int) -> None:
    """Read."""
    buffer[:] = os.pread(_files["file"], len(buffer), offset)


def pwrite(_: int, buffer: Any, offset: int, __: int) -> None:
    """Note a write and do it."""
    data = bytes(buffer)
    os.write(_files["log"], struct.pack(HEAD, 1, time.monotonic_ns(), offset, len(data)) + data)
    os.pwrite(_files["file"], data, offset)


def flush(_: int, __: int) -> None:
    """Note a flush."""
    os.write(_files["log"], struct.pack(HEAD, 2, time.monotonic_ns(), 0, 0))
