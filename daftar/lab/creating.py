"""Cutting the power while a box's file is being made: afterwards it is whole, or it can be made again.

The schema is written by another SQLite library before ours opens the file; what it wrote is taken as durable, for
nothing bears the box's name yet. The renaming and the syncs of file and folder are noted as the product does them.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from daftar.lab.box import FILE, create, repeatable
from daftar.lab.chance import Chance
from daftar.lab.disk import SURVIVALS, Disk, Medium, Operation
from daftar.lab.judging import Bench, entries_of
from daftar.lab.patching import patched
from daftar.lab.recording import scratch
from edge.store import creation, database, upgrade


def creation_faults(seed: object, images: int = 1) -> Iterator[tuple[int, str]]:
    """Cut after every I/O of a creation, so many times each; yield the place and what was wrong."""
    with scratch() as folder, asyncio.Runner() as runner:
        bench = Bench(folder, runner)
        operations = _operations(folder, seed)
        medium = Medium({})
        for at in range(len(operations) + 1):
            for number in range(images):
                chance = Chance("creation", seed, at, number)
                bench.lay(medium.image(chance, chance.pick(SURVIVALS)))
                for fault in _faults(bench, finished=at == len(operations)):
                    yield at, fault
            if at < len(operations):
                medium.step(operations[at])


def creation_points(seed: object) -> int:
    """Return after how many I/Os a creation can be cut."""
    with scratch() as folder:
        return len(_operations(folder, seed)) + 1


def _operations(folder: Path, seed: object) -> list[Operation]:
    """Make a box; return what was done to the disk."""
    disk = Disk(folder, Chance("disk", seed))

    def make_schema(path: Path) -> None:
        upgrade.make_schema(path)
        disk.operations.append(Operation("write", path.name, 0, path.read_bytes()))
        disk.operations.append(Operation("sync", path.name))

    def sync_file(path: Path) -> None:
        database.sync_file(path)
        disk.operations.append(Operation("sync", path.name))

    def sync_folder(path: Path) -> None:
        # The product renamed just before it asks for this.
        disk.operations.append(Operation("rename", f"{FILE}.creating", data=FILE.encode()))
        database.sync_folder(path)
        disk.operations.append(Operation("sync_names", FILE))

    with (
        patched(creation, "make_schema", make_schema),
        patched(creation, "sync_file", sync_file),
        patched(creation, "sync_folder", sync_folder),
        repeatable(1000),
        disk.in_use(),
    ):
        create(folder / FILE)
    return disk.operations


def _faults(bench: Bench, *, finished: bool) -> Iterator[str]:
    """Start on what the cut left; where no box is, make it again."""
    try:
        if not bench.path.exists():
            if finished:
                yield "a box that was made is gone"
            create(bench.path)
        with repeatable(1000), bench.open("after") as box:
            if len(entries_of(box)) != 1:
                yield "the journal does not hold its first entry alone"
            box.recover()
    except Exception as error:  # noqa: BLE001 - whatever stops a box here, it is what we look for
        yield f"does not go on: {type(error).__name__} {error}"
