"""The journal in SQLite: entries, the tree over them and the projections, all in one transaction.

The store holds the file's lock from `open` to `close`. Its one write connection belongs to the journal writer's thread.
"""

import contextlib
from collections.abc import Collection
from pathlib import Path
from typing import Final, Self

import apsw

from edge.journal.ports import Head, Recorded
from edge.store import projections
from edge.store.database import AT_FAULT, DAMAGED, StoreLock, open_for_writing, said
from edge.store.store_view import SqliteStoreView
from edge.store.upgrade import is_current, upgrade
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import BugError, DaftarError, DeviceError, IntegrityError, OperatorError
from shared.events import JournalClosed
from shared.journal.tree import grown

_SAYS_DAMAGE: Final = frozenset({"store.corrupt", "store.unreadable"})
"""Codes of errors in words that are about the file, whoever met them."""
_UNSEEN: Final = -1
"""No version of the file was looked at."""
_MARKS: Final = 2**31
"""`user_version` holds 31 bits."""


class SqliteJournalStore:
    """`edge.journal.ports.JournalStore` in one SQLite file."""

    def __init__(self, connection: apsw.Connection, lock: StoreLock | None, clock: Clock, entropy: Entropy) -> None:
        self._path = Path(connection.filename)
        self._lock = lock
        self._clock, self._entropy = clock, entropy
        self._use(connection)
        self._journal_id = self._view.identity().journal_id
        self._durable = self._head

    def _use(self, connection: apsw.Connection) -> None:
        """Work on a connection; believe only what stands on its file."""
        self._connection = connection
        self._view = SqliteStoreView(connection, self._clock, self._entropy)
        self._head = self._head_on_file()
        self._head_before_part = self._head
        self._part_alone = False
        self._forget()
        self._changes_before = connection.total_changes()
        self._seen_version = _UNSEEN

    @classmethod
    def open(cls, path: Path, clock: Clock, entropy: Entropy) -> Self:
        """Lock, upgrade and open a box's file.

        Raises OperatorError `store.missing` or `store.in_use`; IntegrityError `store.not_a_store`,
        `store.unsafe_setting`, `store.no_identity`, or what `edge.store.upgrade` raises.
        """
        lock = StoreLock(path)
        try:
            return cls(_open_current(path), lock, clock, entropy)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """Close the file and give back its lock. The writer must have been closed before."""
        try:
            self._connection.close()
        finally:
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
        self._changes_before = self._connection.total_changes()
        version = self._connection.data_version()
        if version != self._seen_version:
            # Not our own commit: people and exchange write on connections of their own, to other tables.
            on_file = self._head_on_file()
            if on_file != self._head:
                raise IntegrityError("journal.head_moved", known=self._head.size, found=on_file.size)
            self._seen_version = version
        return self._view

    def begin_part(self, *, alone: bool) -> None:
        """Begin a part of the transaction. The only one needs no savepoint, for which SQLite copies what it changes."""
        self._part_alone = alone
        if not alone:
            self._connection.execute("SAVEPOINT part")
        self._head_before_part = self._head

    def keep_part(self) -> None:
        """Keep the part."""
        if not self._part_alone:
            self._connection.execute("RELEASE part")

    def undo_part(self) -> None:
        """Undo the part."""
        if self._part_alone:
            self._connection.execute("ROLLBACK")
            self._connection.execute("BEGIN")  # Nothing comes but the commit, of nothing: no lock for that.
            self._changes_before = self._connection.total_changes()
        else:
            self._connection.execute("ROLLBACK TO part")
            self._connection.execute("RELEASE part")
        if self._head != self._head_before_part:
            self._head = self._head_before_part
            self._forget()

    def _forget(self) -> None:
        """Know nothing of the file but its head: what each entry asks for is remembered while all of it stands."""
        self._is_open = False
        self._edge: dict[int, tuple[int, bytes]] = {}

    def _node(self, level: int, position: int) -> bytes:
        """Return the hash of a complete subtree: of its level's newest from memory, once this writer wrote it."""
        newest = self._edge.get(level)
        return newest[1] if newest is not None and newest[0] == position else self._view.node(level, position)

    def append(self, data: bytes, signature: bytes, recorded: Recorded) -> None:
        """Store an entry, the tree nodes it completes, and project it.

        Raises what the projections raise; OperatorError `journal.is_closed` behind the journal's last entry,
        IntegrityError `journal.refused` when the tables' own guards say no to the entry, BugError
        `journal.not_projected` when they say no to what it means.
        """
        if not self._is_open and self._view.closed_at() is not None:
            raise OperatorError("journal.is_closed")
        completed = grown(recorded.index, recorded.leaf, self._node)
        try:
            self._connection.execute(
                "INSERT INTO entry (entry_index, nodes, signature, data) VALUES (?, ?, ?, ?)",
                (recorded.index, b"".join([digest for _, _, digest in completed]), signature, data),
            )
        except apsw.ConstraintError as error:
            raise IntegrityError("journal.refused", index=recorded.index, why=str(error)) from error
        try:
            projections.apply(self._connection, recorded)
        except (apsw.ConstraintError, TypeError, ValueError) as error:
            raise BugError("journal.not_projected", type=recorded.entry.type, why=str(error)) from error
        self._head = Head(recorded.index + 1, recorded.leaf)
        self._is_open = not isinstance(recorded.body, JournalClosed)
        self._edge.update({level: (position, digest) for level, position, digest in completed})

    def commit(self) -> None:
        """Make the transaction durable."""
        self._connection.execute("COMMIT")
        self._durable = self._head
        self._seen_version = self._connection.data_version()

    def rollback(self) -> None:
        """Undo the transaction, if one is open."""
        with contextlib.suppress(apsw.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        self._head = self._durable
        self._forget()

    def mark(self) -> int | None:
        """Mark a transaction that wrote rows and no entry, so that it can be known again."""
        if self._head != self._durable or self._connection.total_changes() == self._changes_before:
            return None
        mark = (self.found_mark() + 1) % _MARKS
        self._connection.execute(f"PRAGMA user_version = {mark}")
        return mark

    def found_mark(self) -> int:
        """Return the newest mark on the file."""
        return int(self._connection.pragma("user_version"))

    def reopen(self, possible: Collection[Head]) -> None:
        """Open the file anew. Raises IntegrityError `journal.head_moved`, or what the medium raises."""
        with contextlib.suppress(apsw.Error):
            self._connection.close(True)  # noqa: FBT003 - apsw's: whatever is still open on it goes
        self._use(open_for_writing(self._path))
        if not self.holds(self._durable) or self._head not in (self._durable, *possible):
            raise IntegrityError("journal.head_moved", known=self._durable.size, found=self._head.size)
        # What the failed sync of a commit left may stand in memory only: bring it into the file, with syncs of its own.
        self._connection.execute("PRAGMA wal_checkpoint(FULL)")
        self._durable = self._head

    def holds(self, head: Head) -> bool:
        """Return whether the journal on the file contains a head."""
        if head.leaf is None or head.size > self._head.size:
            return head.size == 0
        return self._view.node(0, head.size - 1) == head.leaf

    def in_words(self, error: BaseException) -> DaftarError:
        """Return what `error` is in words."""
        if isinstance(error, IntegrityError):
            return error
        if isinstance(error, DAMAGED):
            return said(error)
        return DeviceError("journal.not_written", why=str(error))

    def is_busy(self, error: Exception) -> bool:
        """Return whether another connection kept the file for the whole of BUSY_TIMEOUT_MS."""
        return isinstance(error, apsw.BusyError)

    def is_storage_failure(self, error: Exception) -> bool:
        """Return whether the medium or the file is at fault."""
        return isinstance(error, AT_FAULT) or (isinstance(error, DaftarError) and error.code in _SAYS_DAMAGE)

    def _head_on_file(self) -> Head:
        """Return where the journal ends by the file."""
        return Head(*self._view.end())


def _open_current(path: Path) -> apsw.Connection:
    """Open a file for writing, in this release's schema."""
    connection = open_for_writing(path)
    try:
        if is_current(connection):
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    upgrade(path)
    return open_for_writing(path)
