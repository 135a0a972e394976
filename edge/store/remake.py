"""Making the projections anew in the copy that an upgrade works on.

A release may understand what the one before carried unread: an entry of the feed that came before its upgrade. Nothing
of it was projected then, and the rows would never be what the journal says.
"""

from pathlib import Path
from typing import Final

import apsw

from edge.journal.ports import Recorded
from edge.store import projections
from edge.store.database import transaction
from edge.store.schema.tables import PROJECTED, PROJECTIONS
from shared.errors import DaftarError, DeviceError, IntegrityError
from shared.events import JOURNAL_BODIES, decode_body
from shared.journal.entry import decode_entry, leaf_hash

_ENTRIES: Final = "SELECT entry_index, data FROM entry WHERE entry_index >= ? ORDER BY entry_index LIMIT 500"
_UNSAFE: Final = (
    # A copy that is cut off is thrown away, and it is made durable when it is whole: nothing needs to be undone in it,
    # and a log of all that is written would take its size again.
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    # Rows come back in another order than they refer to each other in; the whole is checked afterwards.
    "PRAGMA foreign_keys = OFF",
)


def remake_projections(copy: Path) -> None:
    """Forget what a copy's projections say, and project each of its entries again, in order.

    Raises IntegrityError `store.migration_failed`, DeviceError `store.unreadable` for a medium without room or ill.
    """
    connection = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        for setting in _UNSAFE:
            connection.execute(setting)
        with transaction(connection, "IMMEDIATE"):
            _forget(connection)
            _project(connection)
        connection.execute("PRAGMA journal_mode = WAL")
    except (apsw.FullError, apsw.IOError) as error:
        raise DeviceError("store.unreadable", why=str(error)) from error
    except (apsw.Error, DaftarError, TypeError, ValueError) as error:
        raise IntegrityError("store.migration_failed", why=f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


def _forget(connection: apsw.Connection) -> None:
    for table in PROJECTIONS:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own tables
    connection.execute("INSERT INTO finding (finding) VALUES ('delete-all')")
    for statement in PROJECTED:
        if statement.startswith("INSERT"):
            connection.execute(statement)


def _project(connection: apsw.Connection) -> None:
    first = 0
    while rows := connection.execute(_ENTRIES, (first,)).fetchall():
        index: int
        data: bytes
        for index, data in rows:  # type: ignore[assignment]
            entry = decode_entry(data)
            body = decode_body(entry.type, bytes(entry.body), JOURNAL_BODIES)
            if body is not None:
                projections.apply(connection, Recorded(index=index, leaf=leaf_hash(data), entry=entry, body=body))
            first = index + 1
