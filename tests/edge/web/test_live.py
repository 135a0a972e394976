import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import httpx
import pytest
import uvicorn
from litestar import Litestar

from edge.web.live import change_stream
from edge.web.rendering import Web
from tests.edge.web.conftest import Browser
from tests.edge.web.fake_counter import FakeClock, FakeCounter, FakeEntropy

DEADLINE_S = 60


async def until(condition) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - servers and sockets set no event for us
            await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(app: Litestar) -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        async with asyncio.timeout(DEADLINE_S):
            await task


async def next_change(lines: AsyncIterator[str]) -> dict[str, str | None]:
    async with asyncio.timeout(DEADLINE_S):
        async for line in lines:
            if line.startswith("data:") and line != "data: {}":
                found: dict[str, str | None] = json.loads(line.removeprefix("data:"))
                return found
    raise AssertionError("the stream ended")


@pytest.mark.parametrize("reader", ["page", "program"])
async def test_a_change_reaches_an_open_page_and_a_program(app: Litestar, counter: FakeCounter, reader: str):
    async with serving(app) as address, httpx.AsyncClient(base_url=address) as client:
        if reader == "page":
            await Browser(client).sign_in()
            request = client.build_request("GET", "/events")
        else:
            request = client.build_request("GET", "/api/v1/events", headers={"authorization": "Bearer status-read"})
        answer = await client.send(request, stream=True)
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        await until(lambda: counter.listener_count == 1)
        counter.publish("payment", "p7")
        counter.publish("line")
        assert await next_change(lines) == {"kind": "payment", "id": "p7"}
        assert await next_change(lines) == {"kind": "line", "id": None}
        await answer.aclose()
        await until(lambda: counter.listener_count == 0)


async def test_a_quiet_stream_says_that_it_lives_and_loses_nothing(counter: FakeCounter):
    web = Web(counter, FakeClock(), FakeEntropy(), "1")
    messages = cast("AsyncIterator[bytes]", change_stream(web, ping_s=0.01).iterator)
    async with asyncio.timeout(DEADLINE_S):
        first = [await anext(messages) for _ in range(3)]
        counter.publish("inquiry", "q1")
        while b"event: change" not in (message := await anext(messages)):
            assert b"event: ping" in message
    assert all(b"event: ping" in one for one in first)
    assert b'"q1"' in message
