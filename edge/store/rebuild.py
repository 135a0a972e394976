"""Rebuilding the projections from the facts alone, to prove that what the box shows is what its journal says."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import msgspec

from edge.journal.ports import Recorded
from edge.store import projections
from edge.store.database import open_read_only, said, transaction
from edge.store.finding_rows import vocabulary
from edge.store.schema.tables import FACTS, PROJECTED, PROJECTIONS
from shared.events import JOURNAL_BODIES, BootStarted, decode_body
from shared.journal.entry import decode_entry, leaf_hash
from shared.journal.tree import Frontier


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is not what the facts give. `stored` or `rebuilt` is None where the row is missing."""

    table: str
    key: str
    stored: dict[str, Any] | None
    rebuilt: dict[str, Any] | None


def rebuild_projections(path: Path, after_entry: Callable[[int], None] = lambda _: None) -> list[Difference]:
    """Rebuild tree and projections from the entries and feed entries of a file; return what differs from its own.

    The file is only read, at one moment of it; it may be in use. Memory does not grow with it. `after_entry` hears each
    index; what it raises ends the work. Raises what the projections raise when the journal itself does not make sense,
    IntegrityError `store.corrupt` or DeviceError `store.unreadable`.
    """
    source = open_read_only(path)
    # A nameless database: in a temporary file that is gone when it is closed, however large it grew.
    scratch = apsw.Connection("")
    try:
        return _rebuild(source, scratch, after_entry)
    except (apsw.Error, TypeError) as error:
        raise said(error) from error
    finally:
        scratch.close()
        source.close()


def _rebuild(source: apsw.Connection, scratch: apsw.Connection, after_entry: Callable[[int], None]) -> list[Difference]:
    with transaction(source, "DEFERRED"), transaction(scratch, "IMMEDIATE"):
        for statement in (*FACTS, *PROJECTED):
            scratch.execute(statement)
        scratch.executemany(
            "INSERT INTO feed_entry VALUES (?, ?, ?, ?)",
            source.execute("SELECT feed, entry_index, data, signature FROM feed_entry"),
        )
        found = _replay(source, scratch, after_entry)
        for table, key in PROJECTIONS.items():
            found += _compare(source, scratch, table, key)
        return [*found, *_compare_finding(source, scratch)]


def _replay(source: apsw.Connection, scratch: apsw.Connection, after_entry: Callable[[int], None]) -> list[Difference]:
    """Project every entry, in order, and grow the tree; return where its nodes are not those that are stored."""
    found: list[Difference] = []
    tree = Frontier()
    before = b""
    for index, stored, data in source.execute("SELECT entry_index, nodes, data FROM entry ORDER BY entry_index"):
        leaf = leaf_hash(data)
        nodes = b"".join(tree.append(leaf))
        if nodes != stored:
            row, rebuilt = ({"entry_index": index, "nodes": one} for one in (stored, nodes))
            found.append(Difference(table="entry", key=str(index), stored=row, rebuilt=rebuilt))
        entry = decode_entry(data)
        body = decode_body(entry.type, bytes(entry.body), JOURNAL_BODIES)
        if isinstance(body, BootStarted) and index:
            # The only entry of another run that a projection looks back at: how long that run had lasted.
            scratch.execute(
                "INSERT INTO entry (entry_index, nodes, signature, data) VALUES (?, zeroblob(32), zeroblob(64), ?)",
                (index - 1, before),
            )
        before = data
        if body is not None:
            projections.apply(scratch, Recorded(index=index, leaf=leaf, entry=entry, body=body))
        after_entry(index)
    return found


def _compare(
    source: apsw.Connection, scratch: apsw.Connection, table: str, key: tuple[str, ...]
) -> Iterator[Difference]:
    """Yield the rows of a table that are not the same in both: both are walked in the key's order, side by side."""
    left, right = _rows(source, table, key), _rows(scratch, table, key)
    stored, rebuilt = next(left, None), next(right, None)
    while stored is not None or rebuilt is not None:
        name = min(row[0] for row in (stored, rebuilt) if row is not None)
        here = stored[1] if stored is not None and stored[0] == name else None
        there = rebuilt[1] if rebuilt is not None and rebuilt[0] == name else None
        if here != there:
            yield Difference(table=table, key=" ".join(map(str, name)), stored=here, rebuilt=there)
        stored = stored if here is None else next(left, None)
        rebuilt = rebuilt if there is None else next(right, None)


def _compare_finding(source: apsw.Connection, scratch: apsw.Connection) -> Iterator[Difference]:
    """Yield the terms that only one of the two indexes of the history has of a document."""
    left, right = vocabulary(source), vocabulary(scratch)
    stored, rebuilt = next(left, None), next(right, None)
    while stored is not None or rebuilt is not None:
        first = min(one for one in (stored, rebuilt) if one is not None)
        row: dict[str, Any] = {"term": first[0], "document": first[1]}
        here = row if stored == first else None
        there = row if rebuilt == first else None
        if here != there:
            yield Difference(table="finding", key=" ".join(map(str, first)), stored=here, rebuilt=there)
        stored = stored if here is None else next(left, None)
        rebuilt = rebuilt if there is None else next(right, None)


def _rows(
    connection: apsw.Connection, table: str, key: tuple[str, ...]
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Yield a table's rows in the order of its key. Keys are texts or numbers: SQLite and Python order them alike."""
    cursor = connection.execute(f"SELECT * FROM {table} ORDER BY {', '.join(key)}")  # noqa: S608 - our own tables
    for row in cursor:
        members = {column[0]: value for column, value in zip(cursor.get_description(), row, strict=True)}
        yield tuple(members[name] for name in key), members
