"""A disk whose syncs take as long as those of an SD card: the machine's own, with a pause at each sync.

It is made SQLite's default while it is in use, so that the product opens its file as it always does.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import apsw

_BASE: Final = "unix"
_NAME: Final = "daftar-slow"


@contextmanager
def slow_syncs(delay_ms: float) -> Iterator[None]:
    """Have every file that SQLite opens meanwhile sync so much later. All must be closed at the end."""
    vfs = _Vfs(delay_ms / 1000)
    try:
        yield
    finally:
        vfs.unregister()
        apsw.set_default_vfs(_BASE)


class _Vfs(apsw.VFS):
    def __init__(self, delay_s: float) -> None:
        super().__init__(_NAME, _BASE, makedefault=True)
        self._delay_s = delay_s

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's
        return _File(name, flags, self._delay_s)


class _File(apsw.VFSFile):
    def __init__(self, name: str | apsw.URIFilename | None, flags: list[int], delay_s: float) -> None:
        super().__init__(_BASE, name, flags)
        self._delay_s = delay_s
        self._nobody = threading.Event()
        self._read_only = bool(flags[0] & apsw.SQLITE_OPEN_READONLY)

    def xLock(self, level: int) -> None:  # noqa: N802 - SQLite's
        try:
            super().xLock(level)
        except apsw.IOError as error:
            # As in `daftar.lab.disk`: the last reader to close tries to lock its read-only file, which is refused.
            raise (apsw.BusyError("read-only") if self._read_only else error) from error

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's
        super().xSync(flags)
        # Waits without holding the interpreter, as a real sync does.
        self._nobody.wait(self._delay_s)
