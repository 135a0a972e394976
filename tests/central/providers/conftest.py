"""A sandbox provider for the session, and a fresh world for each test."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from sqlalchemy import Engine

from central.fleet.keys import open_keys
from central.providers.sandbox import create_sandbox_app
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from tests.central.providers.worlds import World


@pytest.fixture(scope="session")
def provider_url() -> Iterator[str]:
    """A sandbox provider in a thread of its own, on a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(create_sandbox_app(SystemClock()), log_level="critical", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=60)
        listener.close()


@pytest.fixture
def world(engine: Engine, provider_url: str, tmp_path: Path) -> Iterator[World]:
    httpx.post(f"{provider_url}/control/good-day", trust_env=False).raise_for_status()
    made = World(engine, provider_url, open_keys(tmp_path, SystemEntropy()))
    # Every test has the same office and payment names, so the provider must not remember the last one's.
    made.control.post("/control/forget").raise_for_status()
    yield made
    made.close()
