"""Reading over a connection: what SQLite says, or that the file is damaged. No SQL of its own."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, TypeVar

import apsw
import msgspec

from edge.store.database import said
from shared.errors import IntegrityError

T = TypeVar("T")


def marks(values: Collection[object]) -> str:
    """Return the SQL of as many values."""
    return ", ".join("?" * len(values))


class WholeCursor:
    """Finds all rows of a statement before it gives the first, and leaves no statement open, whatever is raised.

    One that is left open keeps its connection at the moment that it read, also after the transaction was undone: all
    that is asked from then on is answered as of that moment, and nothing is brought out of the WAL. What a page failed
    at stays in the exception, and that may live long.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._cursor = apsw.Cursor(connection)

    def execute(self, *statement: Any, **how: Any) -> Iterator[Any]:
        """Run a statement and return its rows."""
        try:
            return iter(self._cursor.execute(*statement, **how).fetchall())
        except BaseException:
            self.close(True)  # noqa: FBT003 - apsw's
            raise

    def close(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - as apsw's own are closed
        """Give the statement back, whatever of it was not read."""
        self._cursor.close(force)


class Reading:
    """Reads over a connection that the caller uses from one thread at a time."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def _all(self, sql: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a statement finds. Raises IntegrityError `store.corrupt`, DeviceError `store.unreadable`."""
        try:
            return list(self._connection.execute(sql, tuple(values)))
        except (apsw.Error, UnicodeDecodeError) as error:
            raise said(error) from error

    def _reading(self, read: Callable[..., T], *values: Any) -> T:
        """Return what a function finds on the connection. Raises as `_all`."""
        try:
            return read(self._connection, *values)
        except (apsw.Error, msgspec.MsgspecError, UnicodeDecodeError, TypeError, ValueError, StopIteration) as error:
            raise said(error) from error

    def _one(self, sql: str, values: Iterable[Any] = ()) -> tuple[Any, ...] | None:
        return next(iter(self._all(sql, values)), None)

    def _value(self, sql: str, values: Iterable[Any] = ()) -> Any:
        row = self._one(sql, values)
        return None if row is None else row[0]

    def _number(self, sql: str, values: Iterable[Any] = ()) -> int:
        """Return a whole number. Raises IntegrityError `store.corrupt` where there is none."""
        found = self._value(sql, values)
        if not isinstance(found, int):
            raise IntegrityError("store.corrupt", why=f"no number: {sql}")
        return found
