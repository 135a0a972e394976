"""The journal in SQLite: entries, the tree over them and the projections, all in one transaction.

The store holds the file's lock from `open` to `close`. Its one write connection belongs to the journal writer's thread.
"""

import contextlib
from pathlib import Path
from typing import Final, Self

import apsw

from edge.journal.ports import Head, Recorded
from edge.store import projections
from edge.store.database import StoreLock, open_for_writing
from edge.store.store_view import SqliteStoreView
from edge.store.upgrade import upgrade
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import BugError, IntegrityError
from shared.journal.tree import grown

_AT_FAULT: Final = (
    apsw.IOError,
    apsw.FullError,
    apsw.CorruptError,
    apsw.NotADBError,
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


class SqliteJournalStore:
    """`edge.journal.ports.JournalStore` in one SQLite file."""

    def __init__(self, connection: apsw.Connection, lock: StoreLock | None, clock: Clock, entropy: Entropy) -> None:
        self._connection = connection
        self._lock = lock
        self._view = SqliteStoreView(connection, clock, entropy)
        self._journal_id = self._view.identity().journal_id
        self._head = self._head_on_file()
        self._head_before_part = self._head

    @classmethod
    def open(cls, path: Path, clock: Clock, entropy: Entropy) -> Self:
        """Lock, upgrade and open a box's file.

        Raises OperatorError `store.missing` or `store.in_use`; IntegrityError `store.not_a_store`,
        `store.unsafe_setting`, `store.no_identity`, or what `edge.store.upgrade` raises.
        """
        lock = StoreLock(path)
        try:
            upgrade(path)
            return cls(open_for_writing(path), lock, clock, entropy)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """Close the file and give back its lock. The writer must have been closed before."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def journal_id(self) -> str:
        """The journal's name."""
        return self._journal_id

    def head(self) -> Head:
        """Return where the journal ends, parts of the open transaction included."""
        return self._head

    def begin(self) -> SqliteStoreView:
        """Begin a transaction. Raises IntegrityError `journal.head_moved` when another wrote to the file."""
        self._connection.execute("BEGIN IMMEDIATE")
        on_file = self._head_on_file()
        if on_file != self._head:
            raise IntegrityError("journal.head_moved", known=self._head.size, found=on_file.size)
        return self._view

    def begin_part(self) -> None:
        """Begin a part of the transaction."""
        self._connection.execute("SAVEPOINT part")
        self._head_before_part = self._head

    def keep_part(self) -> None:
        """Keep the part."""
        self._connection.execute("RELEASE part")

    def undo_part(self) -> None:
        """Undo the part."""
        self._connection.execute("ROLLBACK TO part")
        self._connection.execute("RELEASE part")
        self._head = self._head_before_part

    def append(self, data: bytes, signature: bytes, recorded: Recorded) -> None:
        """Store an entry, the tree nodes it completes, and project it.

        Raises what the projections raise; IntegrityError `journal.refused` when the tables' own guards say no to the
        entry, BugError `journal.not_projected` when they say no to what it means.
        """
        try:
            self._connection.execute(
                "INSERT INTO entry (entry_index, data, signature) VALUES (?, ?, ?)", (recorded.index, data, signature)
            )
            self._connection.executemany(
                "INSERT INTO tree_node (level, position, hash) VALUES (?, ?, ?)",
                grown(recorded.index, recorded.leaf, self._view.node),
            )
        except apsw.ConstraintError as error:
            raise IntegrityError("journal.refused", index=recorded.index, why=str(error)) from error
        try:
            projections.apply(self._connection, recorded)
        except apsw.ConstraintError as error:
            raise BugError("journal.not_projected", type=recorded.entry.type, why=str(error)) from error
        self._head = Head(recorded.index + 1, recorded.leaf)

    def commit(self) -> None:
        """Make the transaction durable."""
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo the transaction, if one is open."""
        with contextlib.suppress(apsw.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def is_busy(self, error: Exception) -> bool:
        """Return whether another connection kept the file for the whole of BUSY_TIMEOUT_MS."""
        return isinstance(error, apsw.BusyError)

    def is_storage_failure(self, error: Exception) -> bool:
        """Return whether the medium or the file is at fault."""
        return isinstance(error, _AT_FAULT)

    def _head_on_file(self) -> Head:
        """Return where the journal ends by the file. Raises IntegrityError `journal.head_moved` if it disagrees."""
        size, leaf = self._view.size(), self._view.head_leaf()
        if size and (leaf is None or self._view.node(0, size - 1) != leaf):
            raise IntegrityError("journal.head_moved", known=size, found=size)
        return Head(size, leaf)
