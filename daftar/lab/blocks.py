"""Cutting the power under a real ext4, block by block.

The box works on a file system whose disk notes each write and each flush. Afterwards the disk is put together as a cut
after any of them could leave it: all that was flushed, and of the rest each block by a coin. That disk is mounted, so
that the kernel's own ext4 recovers it, and its files go to the judge of all other cuts.

It needs root, loop devices, FUSE, and nbdkit with its Python plugin and nbdfuse (Debian: nbdkit, nbdkit-plugin-python,
libnbd-bin, fuse3).
"""

import asyncio
import contextlib
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from daftar.lab.block_log import plugin_path
from daftar.lab.box import FILE, SIGNER, LabBox, repeatable
from daftar.lab.chance import Chance
from daftar.lab.disk import Operation
from daftar.lab.judging import Bench, Cut, judge_honest, remembered_signatures
from daftar.lab.recording import Recording, leaves_of, new_box, scratch
from daftar.lab.truth import Truth
from daftar.lab.witness import Witness
from daftar.lab.workload import Workload
from shared.clock import SystemClock

BLOCK_BYTES: Final = 4096
"""What survives whole or not at all: ext4's own superblock does not bear to be torn within one."""
DISK_BYTES: Final = 24 * 1024 * 1024
HEAD: Final = struct.Struct("<BQQI")
DECISIONS: Final = 16
_WRITE: Final = 1
_WAIT_MS: Final = 20_000
_WAL_PAGES: Final = 24
_TOOLS: Final = ("nbdkit", "nbdfuse", "fusermount3", "mkfs.ext4", "mount", "umount")


class NoRig(Exception):  # noqa: N818 - it is about the machine, and says so
    """This machine cannot do it. The text says what is missing."""


class Note(NamedTuple):
    """One write or flush of the disk. `at_ns` is the machine's running time."""

    is_write: bool
    at_ns: int
    offset: int
    data: bytes


class BlockTally(msgspec.Struct):
    """What was done and found."""

    runs: int = 0
    notes: int = 0
    flushes: int = 0
    crash_points: int = 0
    acknowledged: int = 0
    """Entries that were acknowledged, over all runs."""
    violations: list[tuple[int, int, str]] = msgspec.field(default_factory=list)
    """Seed, place and what."""

    def as_json(self) -> bytes:
        """Return the figures in one line."""
        members = {name: getattr(self, name) for name in ("runs", "notes", "flushes", "crash_points", "acknowledged")}
        return msgspec.json.encode({**members, "violations": len(self.violations)})


def check_machine() -> None:
    """Raise NoRig where this machine cannot do it."""
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    missing += [] if os.geteuid() == 0 else ["root"]
    missing += [device for device in ("/dev/fuse", "/dev/loop-control") if not Path(device).exists()]
    if missing:
        raise NoRig(f"This needs what is not here: {', '.join(missing)}. See docs/proof.md for what it is made of.")


def blocks(points: int, seed: int, progress: Callable[[BlockTally], None] = lambda _: None) -> BlockTally:
    """Judge so many crash points, a hundred of each workload. Raises NoRig."""
    check_machine()
    tally = BlockTally()
    with scratch() as place, asyncio.Runner() as runner, remembered_signatures():
        while tally.crash_points < points:
            _run(place / str(seed), runner, seed, min(_POINTS_A_RUN, points - tally.crash_points), tally)
            progress(tally)
            seed += 1
    return tally


_POINTS_A_RUN: Final = 100


def _run(place: Path, runner: asyncio.Runner, seed: int, points: int, tally: BlockTally) -> None:
    place.mkdir()
    base, notes, recording = _record(place, runner, seed)
    chance = Chance("blocks", seed)
    first = next(at for at, note in enumerate(notes) if note.at_ns >= recording.operations[0].offset)
    places = sorted({first + chance.below(len(notes) - first) + 1 for _ in range(points)})
    bench = Bench(place / "bench", runner)
    bench.folder.mkdir()
    tally.runs += 1
    tally.notes += len(notes) - first
    tally.flushes += sum(not note.is_write for note in notes[first:])
    tally.acknowledged += sum(1 for _ in recording.truth.until(1 << 63, "acknowledged"))
    for at, disk in _images(base, notes, places, seed):
        # Until the next note came, all that happened had happened: that much must be there.
        until_ns = notes[at].at_ns - 1 if at < len(notes) else 1 << 62
        found = _judged(place, disk, bench, recording, until_ns)
        tally.crash_points += 1
        tally.violations += [(seed, at, what) for what in found]
    shutil.rmtree(place)


def _judged(place: Path, disk: bytes, bench: Bench, recording: Recording, until_ns: int) -> Sequence[str]:
    image = place / "cut.img"
    image.write_bytes(disk)
    try:
        with _mounted(image, place / "cut"):
            files = _files(place / "cut")
    except subprocess.CalledProcessError as error:
        return (f"the file system cannot be mounted: {error.stderr!r}",)
    if FILE not in files:
        return ("the file is gone",)
    return judge_honest(bench, Cut(recording, until_ns, files)).violations


def _record(place: Path, runner: asyncio.Runner, seed: int) -> tuple[bytes, list[Note], Recording]:
    """Run a workload on the noted disk; return the disk as it was made, the notes, and what happened."""
    image, log = place / "disk.img", place / "notes"
    image.touch()
    os.truncate(image, DISK_BYTES)
    _command("mkfs.ext4", "-q", "-F", str(image))
    base = image.read_bytes()
    truth, witness = Truth(), Witness(SIGNER.public_key)
    first = witness.copy()
    with _noted(place, image, log) as folder, repeatable(_WAL_PAGES), ExitStack() as stack:
        path = folder / FILE
        path.write_bytes(new_box())
        _command("sync")
        began_ns = time.monotonic_ns()

        def boots() -> Iterator[LabBox]:
            boot = 0
            while True:
                stack.close()
                boot += 1
                yield stack.enter_context(LabBox(path, f"{seed}/{boot}", runner.run))

        Workload(seed, boots(), witness, truth, time.monotonic_ns).run(DECISIONS)
        stack.close()
        leaves = leaves_of(path)
    began = [Operation("sync", FILE, began_ns)]
    return base, list(_notes(log)), Recording(seed, {}, began, truth, leaves, _WAL_PAGES, first)


def _notes(log: Path) -> Iterator[Note]:
    data, at = log.read_bytes(), 0
    while at < len(data):
        kind, at_ns, offset, length = HEAD.unpack_from(data, at)
        at += HEAD.size
        yield Note(kind == _WRITE, at_ns, offset, data[at : at + length])
        at += length


def _images(base: bytes, notes: Sequence[Note], places: Sequence[int], seed: int) -> Iterator[tuple[int, bytes]]:
    """Yield for each place what the disk holds when the power is cut after so many notes."""
    durable, pending, wanted = bytearray(base), list[Note](), set(places)
    for at, note in enumerate(notes, 1):
        if note.is_write:
            pending.append(note)
        else:
            for one in pending:
                durable[one.offset : one.offset + len(one.data)] = one.data
            pending.clear()
        if at in wanted:
            chance = Chance("survives", seed, at)
            image = bytearray(durable)
            for one in pending:
                coins = chance.token_bytes(len(one.data) // BLOCK_BYTES + 1)
                for block, start in enumerate(range(0, len(one.data), BLOCK_BYTES)):
                    if coins[block] & 1:
                        piece = one.data[start : start + BLOCK_BYTES]
                        image[one.offset + start : one.offset + start + len(piece)] = piece
            yield at, bytes(image)


def _files(folder: Path) -> Mapping[str, bytes]:
    return {
        one.name: one.read_bytes()
        for one in folder.iterdir()
        if one.is_file() and not one.name.endswith(("-shm", ".lock"))
    }


def _command(*arguments: str) -> None:
    subprocess.run(arguments, check=True, capture_output=True)  # noqa: S603 - our own words


@contextmanager
def _mounted(image: Path, folder: Path) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    _command("mount", "-o", "loop", str(image), str(folder))
    try:
        yield
    finally:
        _command("umount", str(folder))


@contextmanager
def _noted(place: Path, image: Path, log: Path) -> Iterator[Path]:
    """Give a folder on a file system whose disk is noted."""
    socket, fuse, folder = place / "nbd.sock", place / "fuse", place / "mnt"
    fuse.mkdir()
    with ExitStack() as stack:
        server = subprocess.Popen(  # noqa: S603 - our own words
            ["nbdkit", "-f", "-U", str(socket), "python", str(plugin_path()), f"file={image}", f"log={log}"]  # noqa: S607
        )
        stack.callback(server.wait)
        stack.callback(server.terminate)
        _until(socket.exists)
        shown = subprocess.Popen(["nbdfuse", str(fuse), "--unix", str(socket)])  # noqa: S603, S607 - as above
        stack.callback(shown.wait)
        stack.callback(lambda: _command("fusermount3", "-u", str(fuse)))
        _until((fuse / "nbd").exists)
        with _mounted(fuse / "nbd", folder):
            yield folder


def _until(holds: Callable[[], bool]) -> None:
    """Wait for a process to be ready. Raises TimeoutError."""
    clock = SystemClock()
    due_ms = clock.monotonic_ms() + _WAIT_MS
    with contextlib.suppress(OSError):
        while not holds():
            if clock.monotonic_ms() > due_ms:
                raise TimeoutError
            _command("sleep", "0.02")
