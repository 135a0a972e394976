"""A disk that can be cut, filled, broken and lied by: a SQLite VFS under the product's own way of opening its file.

The real bytes lie in a scratch folder, so locks and the WAL's shared memory are the real ones. Beside them every I/O
that changes or syncs a file is noted, in order. A `Medium` walks those notes and says, for a cut after any of them,
what a disk may still hold: all that was synced, and of the rest what chance leaves, sector by sector.

The disk is made the default VFS while it is in use: `edge.store.database` opens its path as it always does.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, NamedTuple

import apsw

from daftar.lab.chance import Chance

SECTOR_BYTES: Final = 512
"""What a disk writes whole or not at all."""

Kind = Literal["write", "truncate", "delete", "sync", "rename", "sync_names"]
"""`rename` has the new name as its data; `sync_names` makes renamings and deletions durable."""
Survival = Literal["sectors", "prefix", "none", "all"]
"""Of what was not synced: each sector by a coin, all up to some moment (torn there), nothing, or everything."""

SURVIVALS: Final[tuple[Survival, ...]] = ("sectors", "sectors", "prefix", "prefix", "none", "all")

_RECORDED: Final = apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL
_VFS_NAME: Final = "daftar-lab"


class Operation(NamedTuple):
    """One I/O that changed or synced a file. `name` is the file's last part; `size` is of a truncation."""

    kind: Kind
    name: str
    offset: int = 0
    data: bytes = b""
    size: int = 0


class Faults:
    """What is wrong with the disk, from now on. Counts are of I/Os that change or sync, the first being 1."""

    def __init__(self) -> None:
        self.cut_at: int | None = None
        """The power fails after this many."""
        self.fail_from: int | None = None
        """EIO at this one and at those after it, `fail_count` in all."""
        self.fail_count = 1
        self.full_from: int | None = None
        """ENOSPC: from this one on nothing grows."""
        self.room_bytes: int | None = None
        """ENOSPC: nothing grows once files have grown by so much."""
        self.fail_read_from: int | None = None
        """EIO at this read and at those after it, `fail_read_count` in all; the first read of the disk is 1."""
        self.fail_read_count = 1
        self.gone = False
        """The medium is pulled out: nothing opens, reads, writes or syncs."""
        self.flip_read_at: int | None = None
        """One bit of what this read returns is wrong; the first read of the disk is 1."""

    @property
    def full(self) -> bool:
        """Whether growing may be refused."""
        return self.full_from is not None or self.room_bytes is not None


class Disk:
    """One folder's disk."""

    def __init__(self, folder: Path, chance: Chance) -> None:
        self.folder = folder
        self.faults = Faults()
        self.chance = chance
        self.operations: list[Operation] = []
        self.read_count = 0
        self.powered = True
        self._grown_bytes = 0

    @property
    def count(self) -> int:
        """How many I/Os have changed or synced something."""
        return len(self.operations)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Have SQLite use this disk for what it opens in the folder. Everything must be closed at the end."""
        vfs = _Vfs(self)
        # SQLite's own generator (it salts a WAL) begins anew, from this disk's chance.
        apsw.randomness(0)
        try:
            yield
        finally:
            vfs.unregister()
            apsw.set_default_vfs("unix")
            apsw.randomness(0)

    def begin(self, operation: Operation, grows_bytes: int = 0) -> None:
        """Say that an I/O is about to happen. Raises what the faults say."""
        faults, number = self.faults, len(self.operations) + 1
        if faults.cut_at is not None and number > faults.cut_at:
            self._cut()
        self._check_power()
        if faults.gone:
            raise apsw.IOError("simulated: no medium")
        first = faults.fail_from
        if first is not None and first <= number < first + faults.fail_count:
            # It counts although it did nothing: else the same one would fail for ever.
            self.operations.append(Operation("write", operation.name))
            raise apsw.IOError("simulated: the medium failed")
        if grows_bytes > 0 and self._is_full(number, grows_bytes):
            raise apsw.FullError("simulated: no room")
        self._grown_bytes += max(0, grows_bytes)

    def _cut(self) -> None:
        """Let the power be gone."""
        self.powered = False

    def read(self, data: bytes) -> bytes:
        """Count a read; return what it reads as."""
        self._check_power()
        self.read_count += 1
        first = self.faults.fail_read_from
        failing = first is not None and first <= self.read_count < first + self.faults.fail_read_count
        if failing or self.faults.gone:
            raise apsw.IOError("simulated: the medium cannot be read")
        if self.read_count != self.faults.flip_read_at or not data:
            return data
        flipped = bytearray(data)
        flipped[self.chance.below(len(data))] ^= 1 << self.chance.below(8)
        return bytes(flipped)

    def _check_power(self) -> None:
        if not self.powered:
            raise apsw.IOError("simulated: no power")

    def _is_full(self, number: int, grows_bytes: int) -> bool:
        if self.faults.full_from is not None and number >= self.faults.full_from:
            return True
        return self.faults.room_bytes is not None and self._grown_bytes + grows_bytes > self.faults.room_bytes


class _Vfs(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        super().__init__(_VFS_NAME, "unix", makedefault=True)
        self._disk = disk

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None or not flags[0] & _RECORDED or Path(path).parent != self._disk.folder:
            # Temporary files do not outlive the process, with or without power.
            return apsw.VFSFile("unix", name, flags)
        if self._disk.faults.gone:
            raise apsw.CantOpenError("simulated: no medium")
        return self._opened(Path(path).name, name, flags)

    def _opened(self, name: str, filename: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return _ReadFile(self._disk, name, filename, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001 - SQLite's
        operation = Operation("delete", Path(filename).name, size=int(syncdir))
        if os.path.exists(filename):  # noqa: PTH110 - it is SQLite's text
            self._disk.begin(operation)
            self._disk.operations.append(operation)
        super().xDelete(filename, syncdir)

    def xRandomness(self, numbytes: int) -> bytes:  # noqa: N802 - SQLite's
        return self._disk.chance.token_bytes(numbytes)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str, filename: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("unix", filename, flags)
        self._disk = disk
        self._name = name
        self._read_only = bool(flags[0] & apsw.SQLITE_OPEN_READONLY)

    def xLock(self, level: int) -> None:  # noqa: N802 - SQLite's
        try:
            super().xLock(level)
        except apsw.IOError as error:
            # The last reader to close tries to lock its read-only file for the clean-up, which the system refuses.
            # SQLite itself goes on without; an error raised here would be shown to the caller, a busy file is not.
            raise (apsw.BusyError("read-only") if self._read_only else error) from error

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's
        written = bytes(data)
        operation = Operation("write", self._name, offset, written)
        try:
            self._disk.begin(operation, offset + len(written) - self.xFileSize() if self._disk.faults.full else 0)
        except apsw.FullError:
            # A real one writes what fits.
            part = written[: len(written) // 2]
            self._disk.operations.append(Operation("write", self._name, offset, part))
            super().xWrite(part, offset)
            raise
        self._disk.operations.append(operation)
        super().xWrite(written, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's
        operation = Operation("truncate", self._name, size=newsize)
        self._disk.begin(operation)
        self._disk.operations.append(operation)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's
        operation = Operation("sync", self._name)
        self._disk.begin(operation)
        self._disk.operations.append(operation)
        super().xSync(flags)


class _ReadFile(_File):
    """A file whose reads are watched as well."""

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - SQLite's
        return self._disk.read(super().xRead(amount, offset))


class Medium:
    """What stands on the medium for certain, and what is still on its way there."""

    def __init__(self, base: Mapping[str, bytes], *, lies: float = 0.0, seed: object = 0) -> None:
        """Begin with files that are durable. A sync is a lie with probability `lies`, by `seed` and its place."""
        self._files: dict[str, bytearray] = {name: bytearray(data) for name, data in base.items()}
        self._pending: list[Operation] = []
        self._lies = lies
        self._seed = seed
        self._count = 0
        self.lied = False
        """Whether a sync so far was a lie."""

    def step(self, operation: Operation) -> None:
        """Let one more I/O happen."""
        self._count += 1
        if operation.kind == "sync_names":
            self._settle(None)
            return
        if operation.kind != "sync":
            self._pending.append(operation)
            if operation.kind == "delete" and operation.size:
                self._settle(operation.name)
            return
        if self._lies and Chance("lie", self._seed, self._count).coin(self._lies):
            self.lied = True
        else:
            self._settle(operation.name)

    def image(self, chance: Chance, survival: Survival) -> dict[str, bytes]:
        """Return what the files are when the power is cut now."""
        files = {name: bytearray(data) for name, data in self._files.items()}
        if survival == "all":
            for operation in self._pending:
                _apply(files, operation)
        elif survival == "prefix" and self._pending:
            torn = chance.below(len(self._pending))
            for operation in self._pending[:torn]:
                _apply(files, operation)
            _apply_torn(files, self._pending[torn], chance)
        elif survival == "sectors":
            for operation in self._pending:
                _apply_torn(files, operation, chance)
        return {name: bytes(data) for name, data in files.items()}

    def _settle(self, name: str | None) -> None:
        """Make durable what was done to a file, or (None) which names there are."""
        left: list[Operation] = []
        for operation in self._pending:
            if operation.kind in ("rename", "delete") if name is None else operation.name == name:
                _apply(self._files, operation)
                if operation.kind == "delete":
                    # What was still on its way into it is on no medium any more.
                    left = [one for one in left if one.name != operation.name]
            else:
                left.append(operation)
        self._pending = left


def _apply(files: dict[str, bytearray], operation: Operation) -> None:
    if operation.kind == "delete":
        files.pop(operation.name, None)
        return
    if operation.kind == "rename":
        if operation.name in files:
            files[operation.data.decode()] = files.pop(operation.name)
        return
    file = files.setdefault(operation.name, bytearray())
    if operation.kind == "truncate":
        del file[operation.size :]
        return
    if len(file) < operation.offset:
        file.extend(bytes(operation.offset - len(file)))
    file[operation.offset : operation.offset + len(operation.data)] = operation.data


def _apply_torn(files: dict[str, bytearray], operation: Operation, chance: Chance) -> None:
    """Let each sector of a write reach the medium by a coin of its own; other changes do whole or not at all."""
    if operation.kind != "write":
        if chance.token_bytes(1)[0] & 1:
            _apply(files, operation)
        return
    offset, end = operation.offset, operation.offset + len(operation.data)
    coins = chance.token_bytes((end - offset) // SECTOR_BYTES + 2)
    for coin in coins:
        if offset >= end:
            return
        stop = min(end, (offset // SECTOR_BYTES + 1) * SECTOR_BYTES)
        if coin & 1:
            start = offset - operation.offset
            _apply(files, Operation("write", operation.name, offset, operation.data[start : stop - operation.offset]))
        offset = stop
