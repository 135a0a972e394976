"""Cutting the power while a box's file is brought to the next release's schema: nothing of the journal is ever missing.

The file lies as a cut has left it, part of it in its WAL. The copy is written and migrated by others than our SQLite:
what they wrote counts as not synced until the product syncs it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlite_utils import Database, Migrations

from daftar.lab.box import FILE, repeatable
from daftar.lab.chance import Chance
from daftar.lab.disk import SURVIVALS, Disk, Medium, Operation
from daftar.lab.patching import patched
from daftar.lab.recording import record, scratch
from edge.store import upgrade
from edge.store.database import open_for_writing
from edge.store.rebuild import rebuild_projections
from edge.store.schema.migrations import MIGRATIONS
from edge.store.upgrade import Step

_COPY: Final = f"{FILE}.migrating"
_WAL_PAGES: Final = 1000
_FACTS: Final = "SELECT * FROM entry ORDER BY entry_index"

Facts = list[tuple[object, ...]]


def next_release() -> Migrations:
    """Return this release's steps and one more, as the next one may have."""
    more = Migrations(MIGRATIONS.name)
    more._migrations = list(MIGRATIONS._migrations)  # noqa: SLF001 - there is no other way to take them over

    @more(name="9999_next")
    def next_step(file: Database) -> None:
        file.execute("ALTER TABLE notice ADD COLUMN colour TEXT")
        file.execute("CREATE INDEX payment_by_reference ON payment (reference)")

    return more


def upgrade_faults(seed: object, images: int = 1, *, last: int | None = None) -> Iterator[tuple[int, str]]:
    """Cut after every I/O of an upgrade, or its last ones, `images` times each; yield the place and what was wrong."""
    base = _left_by_a_cut(seed)
    with scratch() as folder, repeatable(_WAL_PAGES):
        operations, before = _operations(folder, base, seed)
    renamed_at = next(number for number, one in enumerate(operations, 1) if one.kind == "rename")
    medium = Medium(base)
    first = 0 if last is None else len(operations) + 1 - last
    for at in range(len(operations) + 1):
        for number in range(images if at >= first else 0):
            chance = Chance("upgrade", seed, at, number)
            image = medium.image(chance, chance.pick(SURVIVALS))
            with scratch() as folder, repeatable(_WAL_PAGES):
                _lay(folder, image)
                for fault in _faults(folder / FILE, before, certain=_certain(at, renamed_at, len(operations))):
                    yield at, fault
        if at < len(operations):
            medium.step(operations[at])


def upgrade_points(seed: object) -> int:
    """Return after how many I/Os an upgrade can be cut."""
    with scratch() as folder, repeatable(_WAL_PAGES):
        return len(_operations(folder, _left_by_a_cut(seed), seed)[0]) + 1


def _certain(at: int, renamed_at: int, last: int) -> bool | None:
    """Return whether the file must be the new one after so many I/Os; None: either is right."""
    if at < renamed_at:
        return False
    return True if at == last else None


def _left_by_a_cut(seed: object) -> dict[str, bytes]:
    """Return what a workload leaves when the power goes while nothing of it is in the file, all of it in the WAL."""
    recording = record(seed)
    medium = Medium(recording.base)
    best: dict[str, bytes] = {}
    for operation in recording.operations:
        medium.step(operation)
        if operation.kind == "sync" and operation.name == f"{FILE}-wal":
            image = medium.image(Chance("left", seed), "none")
            if len(image[operation.name]) >= len(best.get(operation.name, b"")):
                best = image
    return best


def _lay(folder: Path, image: dict[str, bytes]) -> None:
    for name, data in image.items():
        (folder / name).write_bytes(data)


def _operations(folder: Path, base: dict[str, bytes], seed: object) -> tuple[list[Operation], Facts]:
    """Bring a file to the next release; return what was done to the disk, and what stood in the journal before."""
    with scratch() as apart:
        _lay(apart, base)
        before = _facts(apart / FILE)
    _lay(folder, base)
    disk = Disk(folder, Chance("disk", seed))
    with _noted(disk), disk.in_use():
        upgrade.upgrade(folder / FILE, next_release(), lambda step: _note_copy(disk, step))
    return disk.operations, before


def _note_copy(disk: Disk, step: Step) -> None:
    """Note what others than our SQLite wrote."""
    if step in (Step.COPIED, Step.MIGRATED):
        disk.operations.append(Operation("truncate", _COPY))
        disk.operations.append(Operation("write", _COPY, 0, (disk.folder / _COPY).read_bytes()))
    elif step is Step.RENAMED:
        disk.operations.append(Operation("rename", _COPY, data=FILE.encode()))


@contextmanager
def _noted(disk: Disk) -> Iterator[None]:
    """Note each sync of file or folder that is really asked for: SQLite's own go another way."""

    def sync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        disk.operations.append(Operation("sync_names" if path.is_dir() else "sync", path.name))

    with patched(os, "fsync", sync):
        yield


def _faults(path: Path, before: Facts, *, certain: bool | None) -> Iterator[str]:
    """Look at what the cut left; bring it to the next release as the next start does."""
    try:
        is_new = not upgrade.upgrade(path, next_release())
        if certain is not None and is_new is not certain:
            yield "the file is the next release's too early" if is_new else "an upgrade that ended is gone"
        if _facts(path) != before:
            yield "the journal is another one"
        if not _is_whole(path):
            yield "the file is not what the next release makes of it"
        for difference in rebuild_projections(path):
            # The next release's own column is in no entry of this one.
            if difference.table != "notice":
                yield f"{difference.table} {difference.key} is not what the journal says"
    except Exception as error:  # noqa: BLE001 - whatever stops a box here, it is what we look for
        yield f"does not go on: {type(error).__name__} {error}"


def _is_whole(path: Path) -> bool:
    connection = open_for_writing(path)
    try:
        columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(notice)")]
        return "colour" in columns and bool(connection.pragma("integrity_check") == "ok")
    finally:
        connection.close()


def _facts(path: Path) -> Facts:
    connection = open_for_writing(path)
    try:
        return list(connection.execute(_FACTS))
    finally:
        connection.close()
