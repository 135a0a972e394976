"""Writing many rows with COPY, which takes a fifth of the time of INSERT."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table


def copy_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows, their values in the order of `columns`, in the caller's transaction."""
    driver: Any = connection.connection.driver_connection
    names = ", ".join(f'"{table.c[column].name}"' for column in columns)
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)
