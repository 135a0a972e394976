"""Rebuilding the projections from the facts alone, to prove that what the box shows is what its journal says."""

from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from edge.journal.ports import Recorded
from edge.store import projections
from edge.store.database import open_read_only, transaction
from edge.store.schema.tables import FACTS, PROJECTED, PROJECTIONS
from shared.events import JOURNAL_BODIES, BootStarted, decode_body
from shared.journal.entry import decode_entry, leaf_hash
from shared.journal.tree import completed_by, grown

_TREE: Final = "tree_node"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is not what the facts give. `stored` or `rebuilt` is None where the row is missing."""

    table: str
    key: str
    stored: dict[str, Any] | None
    rebuilt: dict[str, Any] | None


def rebuild_projections(path: Path) -> list[Difference]:
    """Rebuild tree and projections from the entries and feed entries of a file; return what differs from its own.

    The file is only read, at one moment of it; it may be in use. Raises what the projections raise when the journal
    itself does not make sense.
    """
    source = open_read_only(path)
    # A nameless database: in a temporary file that is gone when it is closed, however large it grew.
    scratch = apsw.Connection("")
    try:
        with transaction(source, "DEFERRED"), transaction(scratch, "IMMEDIATE"):
            for statement in (*FACTS, *PROJECTED):
                scratch.execute(statement)
            scratch.executemany(
                "INSERT INTO feed_entry VALUES (?, ?, ?, ?)",
                source.execute("SELECT feed, entry_index, data, signature FROM feed_entry"),
            )
            _replay(source, scratch)
            found = _compare(source, scratch, _TREE, ("entry_index", "level"))
            for table, key in PROJECTIONS.items():
                found += _compare(source, scratch, table, key)
            return found
    finally:
        scratch.close()
        source.close()


def _replay(source: apsw.Connection, scratch: apsw.Connection) -> None:
    """Grow the tree and project every entry, in order."""

    def node(level: int, position: int) -> bytes:
        row = next(
            scratch.execute(
                "SELECT hash FROM tree_node WHERE entry_index = ? AND level = ?", (completed_by(level, position), level)
            )
        )
        digest: bytes = row[0]
        return digest

    before = b""
    for index, data in source.execute("SELECT entry_index, data FROM entry ORDER BY entry_index"):
        leaf = leaf_hash(data)
        scratch.executemany(
            "INSERT INTO tree_node (entry_index, level, hash) VALUES (?, ?, ?)",
            [(index, level, digest) for level, _, digest in grown(index, leaf, node)],
        )
        entry = decode_entry(data)
        body = decode_body(entry.type, bytes(entry.body), JOURNAL_BODIES)
        if isinstance(body, BootStarted) and index:
            # The only entry of another run that a projection looks back at: how long that run had lasted.
            scratch.execute(
                "INSERT INTO entry (entry_index, data, signature) VALUES (?, ?, zeroblob(64))", (index - 1, before)
            )
        before = data
        if body is not None:
            projections.apply(scratch, Recorded(index=index, leaf=leaf, entry=entry, body=body))


def _compare(source: apsw.Connection, scratch: apsw.Connection, table: str, key: tuple[str, ...]) -> list[Difference]:
    """Return the rows of a table that are not the same in both."""
    stored, rebuilt = _rows(source, table, key), _rows(scratch, table, key)
    return [
        Difference(
            table=table,
            key=" ".join(map(str, name)),
            stored=stored.get(name),
            rebuilt=rebuilt.get(name),
        )
        for name in sorted(stored.keys() | rebuilt.keys())
        if stored.get(name) != rebuilt.get(name)
    ]


def _rows(connection: apsw.Connection, table: str, key: tuple[str, ...]) -> dict[tuple[Any, ...], dict[str, Any]]:
    cursor = connection.execute(f"SELECT * FROM {table} ORDER BY {', '.join(key)}")  # noqa: S608 - our own tables
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in cursor:
        members = {column[0]: value for column, value in zip(cursor.get_description(), row, strict=True)}
        found[tuple(members[name] for name in key)] = members
    return found
