"""Opening the box's one SQLite file, and refusing to work on it with settings that lose money.

With WAL and `synchronous=FULL` a commit that returned survives a power cut; with anything less, acknowledged entries
vanish while the chain stays valid. So the settings are read back after they are made, and a box that did not get them
does not start. SQLite here is the one inside apsw: no other library ever opens the file while it is open here.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, Self

import apsw

from shared.errors import DaftarError, DeviceError, IntegrityError, OperatorError

BUSY_TIMEOUT_MS: Final = 10_000
"""How long a write waits for another connection's short one (sessions, attempt counters)."""

DAMAGED: Final = (apsw.CorruptError, apsw.NotADBError)
"""Errors that say that the file is not what was written into it."""
AT_FAULT: Final = (
    *DAMAGED,
    apsw.IOError,
    apsw.FullError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.NoMemError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.InternalError,
)
"""Errors that say nothing about a decision and everything about the medium, the file or the machine."""

_STATEMENTS_KEPT: Final = 256
"""Prepared statements of a connection: a writer has some 120, and preparing one takes longer than running it."""
_RELEASED: Final = -1

_SETTINGS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # Without it, INSERT OR REPLACE deletes a row without firing the trigger that forbids deleting.
    "PRAGMA recursive_triggers = ON",
    # A forgotten private key is overwritten, as far as the file system and the flash allow.
    "PRAGMA secure_delete = ON",
    "PRAGMA trusted_schema = OFF",
)
_REQUIRED: Final[dict[str, object]] = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "recursive_triggers": 1,
}


def said(error: Exception) -> DaftarError:
    """Return in words what reading the file raised: `store.unreadable` where the medium fails, else `store.corrupt`.

    Our statements do not depend on what is in the file: one that its schema refuses says that the schema is damaged,
    and so does a row whose members are not what their table promises.
    """
    if isinstance(error, apsw.Error) and not isinstance(error, (*DAMAGED, apsw.SQLError, apsw.MismatchError)):
        found: DaftarError = DeviceError("store.unreadable", why=str(error))
    else:
        found = IntegrityError("store.corrupt", why=f"{type(error).__name__}: {error}")
    found.__cause__ = error
    return found


def check_pragmas(connection: apsw.Connection) -> None:
    """Check that commits on this connection are durable. Raises IntegrityError `store.unsafe_setting`."""
    for name, wanted in _REQUIRED.items():
        found = connection.pragma(name)
        if found != wanted:
            raise IntegrityError("store.unsafe_setting", setting=name, found=found, wanted=wanted)


def open_for_writing(path: Path) -> apsw.Connection:
    """Open the file for reading and writing. It must exist: a new box is made on purpose, never by a wrong path.

    Raises OperatorError `store.missing`; IntegrityError `store.unsafe_setting`, `store.not_a_store` or `store.corrupt`;
    DeviceError `store.unreadable`.
    """
    connection = _open(path, apsw.SQLITE_OPEN_READWRITE)
    try:
        for setting in _SETTINGS:
            connection.execute(setting)
        check_pragmas(connection)
    except BaseException as error:
        with contextlib.suppress(apsw.Error):
            connection.close()
        if isinstance(error, apsw.NotADBError):
            raise IntegrityError("store.not_a_store", path=str(path)) from error
        if isinstance(error, apsw.Error):
            raise said(error) from error
        raise
    return connection


def open_read_only(path: Path) -> apsw.Connection:
    """Open the file for reading only. Raises OperatorError `store.missing`, DeviceError `store.unreadable`."""
    return _open(path, apsw.SQLITE_OPEN_READONLY)


def open_at_rest(path: Path) -> apsw.Connection:
    """Open a file that nobody else has open, reading its very bytes: no WAL beside it is read or made."""
    return _open(f"{path.absolute().as_uri()}?immutable=1", apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)


def _open(path: Path | str, flags: int) -> apsw.Connection:
    try:
        connection = apsw.Connection(str(path), flags=flags, statementcachesize=_STATEMENTS_KEPT)
    except apsw.CantOpenError as error:
        raise OperatorError("store.missing", path=str(path)) from error
    except (apsw.IOError, apsw.CorruptError, apsw.NotADBError) as error:
        raise said(error) from error
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    # Otherwise a statement that a partial index may serve is prepared anew for each value that is bound to it.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    return connection


@contextmanager
def transaction(connection: apsw.Connection, mode: Literal["DEFERRED", "IMMEDIATE"]) -> Iterator[None]:
    """Hold a transaction: committed at the end, undone when anything is raised.

    `DEFERRED` gives a reader one moment. A writer takes `IMMEDIATE`: one that began by reading would be refused where
    another commit came between.
    """
    connection.execute(f"BEGIN {mode}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def sync_file(path: Path) -> None:
    """Make a file's bytes durable."""
    _sync(path, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class StoreLock:
    """One box at a time on one file. The kernel drops the lock with the process, however it ended."""

    def __init__(self, path: Path) -> None:
        """Take the lock beside `path`. Raises OperatorError `store.in_use`."""
        self._descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise OperatorError("store.in_use", path=str(path)) from error

    def release(self) -> None:
        """Give the lock back. Safe to call twice."""
        descriptor, self._descriptor = self._descriptor, _RELEASED
        if descriptor != _RELEASED:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
