"""A database to work on: the one named by a URL, the embedded one, or the embedded one that another process runs."""

from pathlib import Path
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from central.store.embedded import EmbeddedPostgres, running_url
from central.store.engine import open_engine
from central.store.migrations import migrate
from shared.errors import DeviceError


class Database:
    """An engine on a migrated database, and the embedded server below it when it is ours to stop."""

    def __init__(self, engine: Engine, server: EmbeddedPostgres | None) -> None:
        self.engine = engine
        self._server = server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, then stop the server when it is ours. Idempotent."""
        self.engine.dispose()
        if self._server is not None:
            self._server.stop()


def open_database(*, url: str | None, folder: Path, share: bool = False) -> Database:
    """Open and migrate a database.

    `url` names a server; without it the embedded one of `folder` is started. `share` lets a short command use the
    server that another process runs there. Raises DeviceError `central.data_in_use`, `central.database_not_started`,
    `central.database_unreachable` (its server does not answer, or does not let us in), and what `open_engine` raises.
    """
    server = None
    if url is None:
        try:
            server = EmbeddedPostgres(folder)
            url = server.url()
        except DeviceError as error:
            url = running_url(folder) if share and error.code == "central.data_in_use" else None
            if url is None:
                raise
    database = Database(open_engine(url), server)
    try:
        migrate(database.engine)
    except OperationalError as error:
        database.close()
        # The driver's own sentence: it names host, user and database, and no password.
        why = str(error.orig).strip().splitlines()[0]
        raise DeviceError("central.database_unreachable", why=why) from error
    except BaseException:
        database.close()
        raise
    return database
