"""Disks that are changed while the program stays: each run of a box has its own, or none that is watched."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from daftar.lab.chance import Chance
from daftar.lab.disk import Disk, _File, _Vfs

_NAME: Final = "daftar-lab"
_NOWHERE: Final = Path("/nowhere")


class RunDisk(Disk):
    """The disk of one run. `on_cut` hears when its power fails, at the very I/O."""

    def __init__(self, folder: Path, chance: Chance) -> None:
        super().__init__(folder, chance)
        self.on_cut: Callable[[], None] = lambda: None

    def _cut(self) -> None:
        if self.powered:
            super()._cut()
            self.on_cut()

    def forget(self) -> None:
        """Let go of whose it was: SQLite holds a broken-off run's files as long as the run is held."""
        self.on_cut = lambda: None
        self.operations = []

    def heal(self) -> None:
        """Let it be well; a power cut that is due stays due."""
        self.faults.fail_from = self.faults.full_from = None


class MovableDisk:
    """The place where SQLite opens files, for a long time; one disk after another is put there."""

    def __init__(self) -> None:
        self._vfs: _MovableVfs | None = None

    @contextmanager
    def in_use(self) -> Iterator["MovableDisk"]:
        """Have SQLite ask here while a disk is here."""
        self._vfs = _MovableVfs(_nowhere())
        apsw.set_default_vfs("unix-excl")
        try:
            yield self
        finally:
            apsw.set_default_vfs("unix-excl")
            self._vfs.unregister()

    def move(self, disk: Disk | None) -> None:
        """Use this disk for what is opened from now on; what is open stays where it is. None: the machine's own."""
        if self._vfs is not None:
            self._vfs.put(disk or _nowhere())
        apsw.set_default_vfs("unix-excl" if disk is None else _NAME)


def _nowhere() -> Disk:
    return Disk(_NOWHERE, Chance("nowhere"))


class _MovableVfs(_Vfs):
    def put(self, disk: Disk) -> None:
        self._disk = disk

    def _opened(self, name: str, filename: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        # Reads do not fail here, and most of what SQLite does is to read.
        return _File(self._disk, name, filename, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001 - SQLite's
        if Path(filename).parent == self._disk.folder:
            super().xDelete(filename, syncdir)
        elif os.path.exists(filename):  # noqa: PTH110 - it is SQLite's text
            os.remove(filename)  # noqa: PTH107 - as above; a run that is over tidies up
