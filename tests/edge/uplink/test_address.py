"""A resolver whose line is dead: each question hangs for longer than anybody waits."""

import asyncio
import socket
import threading
from typing import Any

import pytest

from edge.uplink import line_watch
from edge.uplink.address import CentralAddress
from edge.uplink.line_watch import LineWatch
from tests.edge.uplink.servers import Day, make_app, serving
from tests.edge.uplink.test_client import Office
from tests.sync.models import new_pair

NAME = "central.example"


class Resolver:
    """The system's questions for central's name hang until the line is well; it is this machine then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self.well = threading.Event()
        self._ask = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in (NAME, NAME.encode()):
            return self._ask(host, *args, **kwargs)
        self.asked += 1
        assert self.well.wait(60)
        return self._ask("127.0.0.1", *args, **kwargs)


async def test_a_name_that_nobody_answers_is_asked_once_and_takes_no_thread_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolver = Resolver(monkeypatch)
    monkeypatch.setattr(line_watch, "PROBE_TIMEOUT_MS", 200)
    box, central = new_pair()
    box.write(3)
    day = Day(central.receive)
    with serving(make_app(day)) as address:
        url = address.replace("127.0.0.1", NAME)
        office = Office(url, box, central, day, connect_timeout_ms=300)
        watching = asyncio.create_task(LineWatch(url, CentralAddress(url), every_ms=1).reachable_again(seen_down=True))
        for _ in range(3):
            assert (await office.uplink.exchange_once()).code == "exchange.unreachable"
        async with asyncio.timeout(30):
            await asyncio.gather(*(asyncio.to_thread(int) for _ in range(100)))
        assert resolver.asked == 2, "one question of each"
        resolver.well.set()
        async with asyncio.timeout(60):
            while (await office.uplink.exchange_once()).kind != "ok":
                continue
            assert await watching is True
        assert box.cosigned_size == 3
        await office.uplink.close()


async def test_a_name_without_an_address_is_no_line_and_a_number_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert not await CentralAddress(f"https://{NAME}").is_known(30_000)
    assert await CentralAddress("http://127.0.0.1:8000").is_known(30_000)
    assert await CentralAddress("http://[::1]:8000").is_known(30_000)
