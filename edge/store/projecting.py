"""What projections are made of: a function for each body type, over the connection of the entry's own transaction."""

from collections.abc import Callable
from typing import Any

import apsw

from edge.journal.ports import Recorded

Project = Callable[[apsw.Connection, Recorded, Any], None]
"""Changes the projections by one fact; the last argument is its body."""


def insert(connection: apsw.Connection, table: str, **values: Any) -> None:
    """Insert a row. Table and columns are names of the caller's own code, never of a fact."""
    columns = ", ".join(values)
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(values.values()))  # noqa: S608
