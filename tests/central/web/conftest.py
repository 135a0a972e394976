"""A day at central, empty and filled, and signed-in visitors."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from central.fleet.keys import open_keys
from shared.entropy import SystemEntropy
from tests.central.databases import Database, Databases
from tests.central.ingest.offices import open_centre
from tests.central.web.a_day import PASSWORD, Day, FilledDay, SharedApp, fill, open_day


def token_of(html: str) -> str:
    """Return the form token of a page."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', html)
    assert found
    return found[1]


@pytest.fixture(scope="session")
def key_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("central-keys")


@pytest.fixture(scope="module")
def kept_database(databases: Databases) -> Iterator[Database]:
    """A migrated database that a module's tests share; they change nothing that another looks at."""
    taken = databases.take()
    yield taken
    databases.give_back(taken)


@pytest.fixture(scope="module")
def kept_engine(kept_database: Database) -> Engine:
    """An engine on a migrated database that a module's tests share."""
    return kept_database.engine


@pytest.fixture(scope="module")
def kept_day(databases: Databases, kept_database: Database, filled_day: FilledDay) -> Day:
    """A filled day that a module's tests only look at."""
    databases.put(filled_day.rows, kept_database)
    return filled_day.again(kept_database.engine, SharedApp())


@pytest.fixture
async def kept_mina(kept_day: Day) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in person of finance, at the kept day."""
    async with kept_day.client() as client:
        assert (await sign_in(client, "mina")).status_code == 303
        yield client


@pytest.fixture
async def kept_reza(kept_day: Day) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in auditor, at the kept day."""
    async with kept_day.client() as client:
        assert (await sign_in(client, "reza")).status_code == 303
        yield client


@pytest.fixture(scope="session")
def shared_app() -> SharedApp:
    return SharedApp()


@pytest.fixture
def empty_day(engine: Engine, key_folder: Path, shared_app: SharedApp) -> Day:
    return open_day(open_centre(engine, open_keys(key_folder, SystemEntropy())), shared_app)


@pytest.fixture(scope="session")
def filled_day(databases: Databases, key_folder: Path) -> FilledDay:
    """A filled day, of which each test gets a copy."""
    taken = databases.take()
    day = open_day(open_centre(taken.engine, open_keys(key_folder, SystemEntropy())), SharedApp())
    fill(day)
    rows = databases.rows_of(taken)
    databases.give_back(taken)
    return FilledDay(rows, day)


@pytest.fixture
def day(databases: Databases, database: Database, filled_day: FilledDay, shared_app: SharedApp) -> Day:
    databases.put(filled_day.rows, database)
    return filled_day.again(database.engine, shared_app)


@pytest.fixture
async def visitor(kept_day: Day) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who has not signed in."""
    async with kept_day.client() as client:
        yield client


async def sign_in(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> httpx.Response:
    page = await client.get("/sign-in")
    return await client.post("/sign-in", data={"csrf": token_of(page.text), "username": username, "password": password})


@pytest.fixture
async def mina(day: Day) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in person of finance."""
    async with day.client() as client:
        assert (await sign_in(client, "mina")).status_code == 303
        yield client


async def send(client: httpx.AsyncClient, path: str, fields: dict[str, str] | None = None) -> httpx.Response:
    """Post a form of our own page."""
    page = await client.get("/")
    return await client.post(path, data={"csrf": token_of(page.text), **(fields or {})})


async def upload(client: httpx.AsyncClient, data: bytes, name: str = "settlement.csv") -> httpx.Response:
    """Post a settlement file."""
    page = await client.get("/files")
    return await client.post("/files", data={"csrf": token_of(page.text)}, files={"file": (name, data, "text/csv")})
