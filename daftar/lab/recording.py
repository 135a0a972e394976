"""Running a workload once on a noted disk, so that the power can be cut after any of its I/Os afterwards."""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from daftar.lab.box import FILE, SIGNER, LabBox, create, repeatable
from daftar.lab.chance import Chance
from daftar.lab.disk import Disk, Operation
from daftar.lab.truth import Truth
from daftar.lab.witness import Witness
from daftar.lab.workload import Habits, Workload
from edge.store.database import open_read_only
from shared.journal.entry import leaf_hash

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of Linux, only used where it is there
SHORT, LONG = 5, 16
"""Decisions of a workload, at least and at most."""
_WAL_PAGES: Final = (24, 64, 1000)


class Recording(msgspec.Struct, frozen=True):
    """One workload that ran to its end."""

    seed: object
    base: Mapping[str, bytes]
    """The file as it was durable before."""
    operations: list[Operation]
    truth: Truth
    leaves: list[bytes]
    """Of all entries the journal came to have."""
    wal_pages: int
    first_witness: Witness


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder for disks: in memory where there is such a place, for nothing here waits for a real disk."""
    with tempfile.TemporaryDirectory(prefix="daftar-lab-", dir=_MEMORY if _MEMORY.is_dir() else None) as name:
        yield Path(name)


@cache
def new_box() -> bytes:
    """Return the bytes of a box's file that has just been made."""
    with scratch() as folder:
        create(folder / FILE)
        return (folder / FILE).read_bytes()


def shape(seed: object) -> tuple[int, int]:
    """Return the pages of WAL and the decisions that a seed draws."""
    chance = Chance("shape", seed)
    return chance.pick(_WAL_PAGES), SHORT + chance.below(LONG - SHORT + 1)


def record(seed: object, *, habits: Habits | None = None, decisions: int | None = None) -> Recording:
    """Run the workload of a seed on an honest disk whose power holds."""
    wal_pages, drawn = shape(seed)
    truth, witness = Truth(), Witness(SIGNER.public_key)
    with scratch() as folder, repeatable(wal_pages), asyncio.Runner() as runner:
        base = {FILE: new_box()}
        (folder / FILE).write_bytes(base[FILE])
        disk = Disk(folder, Chance("disk", seed))
        with disk.in_use(), ExitStack() as stack:

            def boots() -> Iterator[LabBox]:
                boot = 0
                while True:
                    stack.close()
                    boot += 1
                    yield stack.enter_context(LabBox(folder / FILE, f"{seed}/{boot}", runner.run))

            boxes = boots()
            first = witness.copy()
            workload = Workload(seed, boxes, witness, truth, lambda: disk.count)
            workload.habits = habits or Habits()
            workload.run(drawn if decisions is None else decisions)
        leaves = leaves_of(folder / FILE)
    return Recording(seed, base, disk.operations, truth, leaves, wal_pages, first)


def leaves_of(path: Path) -> list[bytes]:
    """Return the leaves of all entries of a file."""
    connection = open_read_only(path)
    try:
        return [leaf_hash(data) for (data,) in connection.execute("SELECT data FROM entry ORDER BY entry_index")]
    finally:
        connection.close()
