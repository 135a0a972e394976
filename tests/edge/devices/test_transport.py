import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from edge.devices.transport import UNSENT_BYTES_MAX, KeptLink, RequestedLink
from edge.devices.transport_tcp import TcpWay


class Owner:
    """Writes down what its link tells it."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[bytes | str] = asyncio.Queue()

    def link_opened(self) -> None:
        self.told.put_nowait("opened")

    def link_data(self, data: bytes) -> None:
        self.told.put_nowait(data)

    def link_lost(self) -> None:
        self.told.put_nowait("lost")

    def link_refused(self) -> None:
        self.told.put_nowait("refused")

    async def next(self) -> bytes | str:
        async with asyncio.timeout(30):
            return await self.told.get()


class Device:
    """A server that greets at once and can hang up."""

    def __init__(self) -> None:
        self.writers: list[asyncio.StreamWriter] = []
        self.port = 0
        self.server: asyncio.Server | None = None

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _serve(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        self.writers.append(writer)

    def hang_up(self) -> None:
        for writer in self.writers:
            writer.close()
        self.writers.clear()

    async def stop(self) -> None:
        self.hang_up()
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()


@pytest.fixture
async def device() -> AsyncIterator[Device]:
    device = Device()
    await device.start()
    yield device
    await device.stop()


def kept(device: Device, owner: Owner) -> KeptLink:
    return KeptLink(
        TcpWay("127.0.0.1", device.port),
        listener=owner,
        connect_timeout_ms=1_000,
        reconnect_first_ms=10,
        reconnect_longest_ms=40,
    )


@asynccontextmanager
async def kept_to(device: Device, owner: Owner) -> AsyncIterator[KeptLink]:
    """A link that is kept by a task, as a device's owner does it."""
    link = kept(device, owner)
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await link.close()


async def test_what_a_device_says_at_once_is_not_lost(device: Device) -> None:
    owner = Owner()
    async with kept_to(device, owner) as link:
        assert await link.need(30_000)
        assert [await owner.next(), await owner.next()] == ["opened", b"hello"]
    assert await owner.next() == "lost"


async def test_a_lost_link_is_made_again(device: Device) -> None:
    owner = Owner()
    async with kept_to(device, owner):
        for _ in range(3):
            assert [await owner.next(), await owner.next()] == ["opened", b"hello"]
            device.hang_up()
            assert await owner.next() == "lost"


async def test_a_device_that_is_off_is_tried_until_it_is_on(device: Device) -> None:
    owner = Owner()
    await device.stop()
    async with kept_to(device, owner) as link:
        assert not await link.need(30_000)
        assert await owner.next() == "refused"
        assert await owner.next() == "refused"
        await device.start()
        while await owner.next() != "opened":
            pass
        assert await link.need(30_000)
    assert not await link.need(50)


async def test_a_dropped_link_is_replaced_and_told_once(device: Device) -> None:
    owner = Owner()
    async with kept_to(device, owner) as link:
        await link.need(30_000)
        link.drop()
        told = [await owner.next() for _ in range(4)]
        assert told in (["opened", "lost", "opened", b"hello"], ["opened", b"hello", "lost", "opened"])


async def test_a_device_that_takes_nothing_is_given_up(device: Device) -> None:
    owner = Owner()
    async with kept_to(device, owner) as link:
        assert not link.send(b"x")
        await link.need(30_000)
        block = bytes(UNSENT_BYTES_MAX // 2)
        sent = 0
        while link.send(block):
            sent += 1
            assert sent < 1_000
        told: list[bytes | str] = []
        while "lost" not in told:
            told.append(await owner.next())


async def test_who_keeps_a_link_anew_takes_over_what_is_there(device: Device) -> None:
    owner = Owner()
    link = kept(device, owner)
    for _ in range(2):
        task = asyncio.create_task(link.run())
        assert await link.need(30_000)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert [await owner.next(), await owner.next(), owner.told.empty()] == ["opened", b"hello", True]
    await link.close()


def requested(port: int, owner: Owner) -> RequestedLink:
    return RequestedLink(TcpWay("127.0.0.1", port), listener=owner, connect_timeout_ms=10_000, retry_ms=10)


async def test_a_requested_link_is_made_when_needed_and_not_kept(device: Device) -> None:
    owner = Owner()
    link = requested(device.port, owner)
    assert (link.is_up, link.is_there) == (False, False)
    for _ in range(2):
        assert await link.need(10_000)
        assert await link.need(10_000)
        assert [await owner.next(), await owner.next()] == ["opened", b"hello"]
        link.drop()
        assert await owner.next() == "lost"
        assert (link.is_up, link.is_there, link.send(b"x")) == (False, True, False)
    await link.close()
    assert not await link.need(30_000)


async def test_a_requested_link_to_nobody_is_refused_and_tried_again_when_needed(device: Device) -> None:
    owner = Owner()
    link = requested(device.port, owner)
    await device.stop()
    assert not await link.need(50)
    assert (await owner.next(), link.is_there) == ("refused", False)
    needed = asyncio.create_task(link.need(30_000))
    await device.start()
    assert await needed
    await link.close()


async def test_a_device_that_ends_a_requested_link_is_heard(device: Device) -> None:
    owner = Owner()
    link = requested(device.port, owner)
    assert await link.need(10_000)
    assert [await owner.next(), await owner.next()] == ["opened", b"hello"]
    device.hang_up()
    assert (await owner.next(), link.is_up) == ("lost", False)
    await link.close()
