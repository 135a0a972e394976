"""What projections are made of: a function for each body type, over the connection of the entry's own transaction."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import apsw

from edge.journal.ports import Recorded
from shared.clock import parse_instant

_YEARS: Final = (1970, 2200)
"""Years of instants that any clock may honestly have shown, and every calendar has."""

Project = Callable[[apsw.Connection, Recorded, Any], None]
"""Changes the projections by one fact; the last argument is its body."""


def insert(connection: apsw.Connection, table: str, **values: Any) -> None:
    """Insert a row. Table and columns are names of the caller's own code, never of a fact."""
    connection.execute(_insertion(table, *values), tuple(values.values()))


@cache
def _insertion(table: str, *columns: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608


def instant_or_none(text: str) -> str | None:
    """Return an instant another program wrote, None where it is none: no page may fail by what it reads here."""
    try:
        year = parse_instant(text).year
    except (ValueError, OverflowError):
        return None
    return text if _YEARS[0] <= year <= _YEARS[1] else None
