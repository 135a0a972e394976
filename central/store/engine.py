"""The SQLAlchemy engine: psycopg 3, UTC, deadlines on statements and locks, READ COMMITTED with explicit row locks."""

from typing import Final

from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from shared.errors import OperatorError

STATEMENT_TIMEOUT_MS: Final = 60_000
LOCK_TIMEOUT_MS: Final = 20_000
IDLE_IN_TRANSACTION_TIMEOUT_MS: Final = 60_000
POOL_SIZE: Final = 10
POOL_OVERFLOW: Final = 20


def open_engine(url: str) -> Engine:
    """Return an engine for a `postgresql://` URL. Opens no connection yet.

    Raises OperatorError `central.database_url` for what is no such URL, or names another database system: there is
    one dialect.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        # Not with the text itself: a password may stand in it.
        raise OperatorError("central.database_url", why="it is not a URL") from error
    if parsed.get_backend_name() != "postgresql":
        raise OperatorError("central.database_url", why=f"it names {parsed.get_backend_name()}")
    options = " ".join(
        f"-c {name}={value}"
        for name, value in (
            ("TimeZone", "UTC"),
            ("statement_timeout", STATEMENT_TIMEOUT_MS),
            ("lock_timeout", LOCK_TIMEOUT_MS),
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT_MS),
        )
    )
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_pre_ping=True,
        # What a statement was given is people's payments: it stands in no log and in no alarm.
        hide_parameters=True,
        connect_args={"options": options, "application_name": "daftar-central"},
    )
