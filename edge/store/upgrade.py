"""Bringing a file to this release's schema: on a copy, so that a failure or a cut at any moment leaves the old one.

    live file --(empty its WAL, fsync)--> copy --(migrate)--> copy --(verify, fsync)--> renamed over the live file

Until the rename nothing that matters was touched; the rename is atomic; the folder's fsync makes it durable, and
without it the old file is still whole. That the WAL is gone has to be durable before: found again after a cut, beside
the new file, it would be read into that. Nobody may have the file open: the caller holds the store's lock.
"""

import shutil
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

import apsw
from sqlite_utils import Database, Migrations

from edge.store.database import open_at_rest, open_for_writing, open_read_only, said, sync_file, sync_folder
from edge.store.remake import remake_projections
from edge.store.schema.migrations import MIGRATIONS
from edge.store.schema.tables import GUARDS, PAGE_SIZE_BYTES
from shared.errors import DeviceError, IntegrityError

_APPLIED: Final = "SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id"


class Step(StrEnum):
    """What has just been done."""

    EMPTIED_WAL = "emptied_wal"
    COPIED = "copied"
    MIGRATED = "migrated"
    VERIFIED = "verified"
    SYNCED = "synced"
    RENAMED = "renamed"


def _go_on(_: Step) -> None:
    """Do nothing after a step."""


def make_schema(path: Path, migrations: Migrations = MIGRATIONS) -> None:
    """Make or migrate the tables of a file that nobody has open.

    Raises IntegrityError `store.migration_failed`, DeviceError `store.unreadable` for a medium without room or ill.
    """
    try:
        database = Database(path)
        try:
            database.execute(f"PRAGMA page_size = {PAGE_SIZE_BYTES}")  # Of a file that has no tables yet.
            migrations.apply(database)
        finally:
            database.close()
    except Exception as error:
        # SQLite's own number says whether waiting, or room, mends it.
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (apsw.SQLITE_FULL, apsw.SQLITE_IOERR):
            raise DeviceError("store.unreadable", why=str(error)) from error
        raise IntegrityError("store.migration_failed", why=f"{type(error).__name__}: {error}") from error


def upgrade(path: Path, migrations: Migrations = MIGRATIONS, after: Callable[[Step], None] = _go_on) -> bool:
    """Bring the file to the schema of `migrations`; return whether there was anything to do.

    `after` is told of each step (a test cuts there). Raises IntegrityError `store.newer_schema` for a file of a newer
    release, `store.migration_failed` or `store.migration_lost`; DeviceError or OSError where there is no room for a
    copy, or the medium is ill. The file is as it was then, and what was made of the copy is gone: it may be what fills
    the medium.
    """
    known = _known(migrations)
    applied = _applied(path, migrations)
    if applied == known:
        return False
    if applied != known[: len(applied)]:
        raise IntegrityError("store.newer_schema", found=applied[-1], known=known[-1])
    _empty_wal(path)
    after(Step.EMPTIED_WAL)
    copy = path.with_name(path.name + ".migrating")
    remove_unfinished(copy)
    try:
        shutil.copy(path, copy)  # with its mode: only the owner may read it
        after(Step.COPIED)
        make_schema(copy, migrations)
        remake_projections(copy)
        after(Step.MIGRATED)
        _verify(path, copy)
        after(Step.VERIFIED)
        sync_file(copy)
        after(Step.SYNCED)
    except (IntegrityError, DeviceError, OSError):
        remove_unfinished(copy)
        raise
    copy.replace(path)
    after(Step.RENAMED)
    sync_folder(path.parent)
    return True


def is_current(connection: apsw.Connection) -> bool:
    """Return whether an open file has this release's schema. Raises as `upgrade` does of a file that is no store."""
    return _applied_on(connection, MIGRATIONS) == _known(MIGRATIONS)


@cache
def _known(migrations: Migrations) -> list[str]:
    """Return the names of all steps there are."""
    nothing = Database(memory=True)
    try:
        return [migration.name for migration in migrations.pending(nothing)]
    finally:
        nothing.close()


def _applied(path: Path, migrations: Migrations) -> list[str]:
    """Return the names of the steps the file has had.

    Raises IntegrityError `store.not_a_store` or `store.corrupt`, DeviceError `store.unreadable`.
    """
    connection = open_read_only(path)
    try:
        return _applied_on(connection, migrations)
    finally:
        connection.close()


def _applied_on(connection: apsw.Connection, migrations: Migrations) -> list[str]:
    try:
        return [str(name) for (name,) in connection.execute(_APPLIED, (migrations.name,))]
    except (apsw.SQLError, apsw.NotADBError) as error:
        raise IntegrityError("store.not_a_store", path=connection.filename) from error
    except (apsw.Error, UnicodeDecodeError) as error:
        raise said(error) from error


def _empty_wal(path: Path) -> None:
    """Bring everything into the one file, so that copying it copies all. Raises IntegrityError `store.busy`."""
    connection = open_for_writing(path)
    try:
        busy, _, _ = next(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)"))
    finally:
        connection.close()
    wal = path.with_name(path.name + "-wal")
    if busy or (wal.exists() and wal.stat().st_size):
        raise IntegrityError("store.busy", path=str(path))
    if wal.exists():
        sync_file(wal)
    sync_folder(path.parent)


def _verify(old: Path, new: Path) -> None:
    """Check that the copy is sound and lost no fact. Raises IntegrityError `store.migration_lost`."""
    before, after = open_at_rest(old), open_at_rest(new)
    try:
        if after.pragma("integrity_check") != "ok":
            raise IntegrityError("store.migration_lost", what="integrity_check")
        if next(after.execute("PRAGMA foreign_key_check"), None) is not None:
            raise IntegrityError("store.migration_lost", what="foreign_key_check")
        guards = {name for (name,) in after.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")}
        for guard in GUARDS:
            if guard.split()[2] not in guards:
                raise IntegrityError("store.migration_lost", what=guard.split()[2])
        for facts in (
            "SELECT entry_index, nodes, signature, data FROM entry ORDER BY entry_index",
            "SELECT feed, entry_index, data, signature FROM feed_entry ORDER BY feed, entry_index",
        ):
            rows = after.execute(facts)
            if any(row != next(rows, None) for row in before.execute(facts)) or next(rows, None) is not None:
                raise IntegrityError("store.migration_lost", what=facts.split(" FROM ")[1].split()[0])
    finally:
        before.close()
        after.close()


def remove_unfinished(copy: Path) -> None:
    """Remove an unfinished copy and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)
