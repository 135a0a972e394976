"""Bringing a database to this release's schema, at start. Of several nodes that start, one migrates, the others wait.

Migrations are files of `alembic/versions`, one linear chain, never edited once released.
"""

from importlib.resources import files
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, text

_LOCK_KEY: Final = 0x6461667461720001
"""The advisory lock of migrations: "daftar" and a number."""


def alembic_config() -> Config:
    """Return Alembic's configuration; there is no `alembic.ini`."""
    config = Config()
    config.set_main_option("script_location", str(files("central.store") / "alembic"))
    return config


def migrate(engine: Engine, revision: str = "head") -> None:
    """Upgrade the schema in one transaction: all steps or none."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        # A migration may take longer than a request is allowed to.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def revision_of(connection: Connection) -> str | None:
    """Return the revision the database is at, or None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()
