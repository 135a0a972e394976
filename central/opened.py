"""Central opened: its keys and its database, without pages and jobs. What a command on the machine needs."""

import functools
from typing import Self

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from central.fleet import feed
from central.fleet.keys import CentralKeys, open_keys
from central.providers.desk import AppendFeed
from central.settings import Settings
from central.store.connected import open_database
from shared.clock import Clock
from shared.entropy import Entropy


class Central:
    """Keys and database, opened; what commands and the application share. Use as a context manager."""

    def __init__(self, settings: Settings, clock: Clock, entropy: Entropy, *, share: bool = False) -> None:
        """Open (and at first make) everything. `share`: use a database server another process runs on this folder.

        Raises DeviceError `central.data_in_use`, `central.database_not_started`; IntegrityError `central.bad_key_file`.
        """
        self.settings = settings
        self.clock = clock
        self.entropy = entropy
        settings.data.mkdir(parents=True, exist_ok=True)
        self.keys: CentralKeys = open_keys(settings.keys_folder, entropy)
        self._database = open_database(url=settings.database_url, folder=settings.postgres_folder, share=share)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def engine(self) -> Engine:
        """Return the engine of the migrated database."""
        return self._database.engine

    def close(self) -> None:
        """Close the database, and stop its server when it is ours. Idempotent."""
        self._database.close()

    def is_well(self) -> bool:
        """Return whether the database answers."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            return False
        return True


def append_feed_of(central: Central) -> AppendFeed:
    """Return what appends to a feed in a transaction of the caller's."""
    return functools.partial(feed.append, clock=central.clock, signer=central.keys.feed)
