"""A transaction that is tried once more when PostgreSQL gave it up so that another one could go on.

Deadlock and failed serialization say nothing of what was to be written: the same, done again from its first read on,
goes well. Whoever runs here has no effect but on the database.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

_T = TypeVar("_T")
_GIVEN_UP: Final = frozenset({"40001", "40P01"})
"""SQLSTATEs: serialization_failure, deadlock_detected."""

_log = structlog.get_logger()


def in_transaction(engine: Engine, work: Callable[[Connection], _T]) -> _T:
    """Return what `work` does in a transaction of its own, committed; done anew, once, where it was given up."""
    try:
        with engine.begin() as connection:
            return work(connection)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _GIVEN_UP:
            raise
        _log.warning("transaction is done anew", why=type(error.orig).__name__)
    with engine.begin() as connection:
        return work(connection)
