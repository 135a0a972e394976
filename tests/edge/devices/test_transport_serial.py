"""Serial links over real pseudo-terminals: what a cable does, its unplugging too."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.devices.transport import Link
from edge.devices.transport_serial import SerialWay
from firmware_profiles.links import SerialLine

LINE = SerialLine(baud=9_600)


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

    async def next_bytes(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            came = await self.next()
            assert isinstance(came, bytes)
            data += came
        return data


class Cable:
    """A device at the other end of a cable, under a path that stays the same."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.master = self.slave = -1
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def plug_in(self) -> None:
        # The device keeps its own end open, as a chip on USB does whether or not a program listens.
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.path.symlink_to(os.ttyname(self.slave))
        asyncio.get_running_loop().add_reader(self.master, self._hear)

    def _hear(self) -> None:
        self.heard.put_nowait(os.read(self.master, 4_096))

    def say(self, data: bytes) -> None:
        os.write(self.master, data)

    def unplug(self) -> None:
        if self.master >= 0:
            asyncio.get_running_loop().remove_reader(self.master)
            os.close(self.master)
            os.close(self.slave)
            self.path.unlink()
            self.master = -1

    async def next(self) -> bytes:
        async with asyncio.timeout(30):
            return await self.heard.get()


@pytest.fixture
async def cable(tmp_path: Path) -> AsyncIterator[Cable]:
    cable = Cable(tmp_path / "usb-terminal")
    cable.plug_in()
    yield cable
    cable.unplug()


async def opened(way: SerialWay, owner: Owner) -> Link:
    await way.open(owner)
    assert await owner.next() == "made"
    assert owner.link is not None
    return owner.link


async def test_bytes_go_both_ways(cable: Cable) -> None:
    owner, way = Owner(), SerialWay(str(cable.path), LINE)
    link = await opened(way, owner)
    for number in range(20):
        assert link.send(b"ask%02d" % number)
        assert await cable.next() == b"ask%02d" % number
        cable.say(b"answer%02d" % number)
        assert await owner.next_bytes(8) == b"answer%02d" % number
    link.close()
    await way.close()
    assert not link.send(b"x")


async def test_an_unplugged_cable_is_a_lost_link_and_the_same_path_comes_back(cable: Cable) -> None:
    owner, way = Owner(), SerialWay(str(cable.path), LINE)
    for _ in range(3):
        link = await opened(way, owner)
        cable.unplug()
        assert await owner.next() == "lost"
        assert not link.send(b"x")
        with pytest.raises(OSError, match="No such file"):
            await way.open(owner)
        cable.plug_in()
    await way.close()


async def test_one_program_has_the_port(cable: Cable) -> None:
    owner, way = Owner(), SerialWay(str(cable.path), LINE)
    link = await opened(way, owner)
    with pytest.raises(OSError, match="lock"):
        await SerialWay(str(cable.path), LINE).open(Owner())
    link.close()
    await way.close()
    again = SerialWay(str(cable.path), LINE)
    (await opened(again, Owner())).close()
    await again.close()


async def test_what_was_said_before_anybody_listened_is_no_answer(cable: Cable) -> None:
    cable.say(b"an answer of yesterday")
    owner, way = Owner(), SerialWay(str(cable.path), LINE)
    link = await opened(way, owner)
    cable.say(b"now")
    assert await owner.next_bytes(3) == b"now"
    link.close()
    await way.close()


async def test_a_device_that_takes_nothing_is_given_up(cable: Cable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.devices.transport_serial.WRITE_TIMEOUT_S", 0.1)
    asyncio.get_running_loop().remove_reader(cable.master)
    owner, way = Owner(), SerialWay(str(cable.path), LINE)
    link = await opened(way, owner)
    assert link.send(bytes(500_000))
    assert await owner.next() == "lost"
    await way.close()


async def test_an_attempt_that_is_given_up_lets_go_of_the_port(cable: Cable) -> None:
    way = SerialWay(str(cable.path), LINE)
    attempt = asyncio.create_task(way.open(Owner()))
    await asyncio.sleep(0)
    attempt.cancel()
    await asyncio.gather(attempt, return_exceptions=True)
    owner = Owner()
    link = await opened(way, owner)
    link.close()
    await way.close()
