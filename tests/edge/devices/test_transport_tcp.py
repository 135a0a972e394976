import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from edge.devices.transport import Link
from edge.devices.transport_tcp import KEEPALIVE_IDLE_S, ListenWay, TcpLink, TcpWay


class Owner:
    """Writes down what its link tells it."""

    def __init__(self) -> None:
        self.link: Link | None = None
        self.told: asyncio.Queue[bytes | str] = asyncio.Queue()

    def link_made(self, link: Link) -> None:
        self.link = link
        self.told.put_nowait("made")

    def link_data(self, data: bytes) -> None:
        self.told.put_nowait(data)

    def link_lost(self) -> None:
        self.told.put_nowait("lost")

    async def next(self) -> bytes | str:
        async with asyncio.timeout(30):
            return await self.told.get()


@pytest.fixture
async def way() -> AsyncIterator[ListenWay]:
    way = ListenWay("127.0.0.1", 0)
    await way.listen()
    yield way
    await way.close()


async def test_the_kernel_watches_over_an_idle_link_and_over_what_nobody_acknowledges() -> None:
    """A device whose plug was pulled says nothing: no end of file ever comes."""
    device = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    owner = Owner()
    await TcpWay("127.0.0.1", device.sockets[0].getsockname()[1]).open(owner)
    assert isinstance(owner.link, TcpLink)
    assert owner.link._transport is not None
    link = owner.link._transport.get_extra_info("socket")
    assert link.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == KEEPALIVE_IDLE_S
    assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
    owner.link.close()
    device.close()
    await device.wait_closed()


async def test_a_device_that_connects_is_heard_from_its_first_byte(way: ListenWay) -> None:
    owner = Owner()
    _, writer = await asyncio.open_connection("127.0.0.1", way.bound_port)
    writer.write(b"hello")
    await writer.drain()
    await way.open(owner)
    assert [await owner.next(), await owner.next()] == ["made", b"hello"]
    writer.close()
    assert await owner.next() == "lost"
    await writer.wait_closed()


async def test_what_is_sent_reaches_the_device(way: ListenWay) -> None:
    owner = Owner()
    opening = asyncio.create_task(way.open(owner))
    reader, writer = await asyncio.open_connection("127.0.0.1", way.bound_port)
    await opening
    assert owner.link is not None
    assert owner.link.send(b"ready?")
    assert await reader.readexactly(6) == b"ready?"
    owner.link.close()
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()


async def test_a_device_that_comes_again_replaces_the_link_it_left_half_open(way: ListenWay) -> None:
    owner = Owner()
    _, before = await asyncio.open_connection("127.0.0.1", way.bound_port)
    await way.open(owner)
    assert await owner.next() == "made"
    _, again = await asyncio.open_connection("127.0.0.1", way.bound_port)
    again.write(b"I am back")
    assert await owner.next() == "lost"
    await way.open(owner)
    assert [await owner.next(), await owner.next()] == ["made", b"I am back"]
    before.close()
    again.close()
    assert await owner.next() == "lost"


async def test_a_stranger_is_not_taken_for_the_device() -> None:
    way = ListenWay("127.0.0.1", 0, peer="192.0.2.1")
    await way.listen()
    opening = asyncio.create_task(way.open(Owner()))
    reader, writer = await asyncio.open_connection("127.0.0.1", way.bound_port)
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    assert not opening.done()
    opening.cancel()
    writer.close()
    await way.close()


async def test_a_port_that_is_taken_is_an_error_the_keeper_tries_again_after(way: ListenWay) -> None:
    with pytest.raises(OSError, match="in use"):
        await ListenWay("127.0.0.1", way.bound_port).open(Owner())
