import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.devices.virtual.printer import VirtualPrinter

BAND = b"\x1dv0\x00\x48\x00\x08\x00" + b"\xf0" * (72 * 8)
PIECE = b"\x1b@" + BAND + b"\x1bJ\x10\x1dV\x00"
MARKER = b"\x1dr\x01"
SOON_S = 2.0


class Changes:
    """Lets a test wait until the printer says it changed."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def __call__(self) -> None:
        self._changed.set()

    async def next(self) -> None:
        async with asyncio.timeout(SOON_S):
            await self._changed.wait()
        self._changed.clear()


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
async def printer(changes: Changes, tmp_path: Path) -> AsyncIterator[VirtualPrinter]:
    printer = VirtualPrinter(folder=tmp_path / "paper", pieces_max=3, on_change=changes)
    await printer.start()
    yield printer
    await printer.close()


class Client:
    """A plain connection to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, printer: VirtualPrinter) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", printer.port))

    async def ask(self, data: bytes, count: int = 1) -> bytes:
        self.writer.write(data)
        async with asyncio.timeout(SOON_S):
            return await self.reader.readexactly(count)

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


def numbers(printer: VirtualPrinter) -> list[int]:
    return [piece.number for piece in printer.pieces]


async def test_marker_is_answered_behind_the_paper(printer: VirtualPrinter) -> None:
    client = await Client.connect(printer)
    assert await client.ask(PIECE + MARKER) == b"\x00"
    assert numbers(printer) == [1]
    assert printer.paper(1) == printer.pieces[0].png
    assert printer.paper(2) is None
    await client.close()


async def test_without_paper_questions_are_answered_and_the_job_waits(
    printer: VirtualPrinter, changes: Changes
) -> None:
    client = await Client.connect(printer)
    printer.set_fault("no_paper")
    assert await client.ask(PIECE + MARKER + b"\x10\x04\x04") == b"\x72"
    assert numbers(printer) == []
    printer.set_fault(None)
    assert await client.ask(b"\x10\x04\x04", 2) == b"\x00\x12"
    assert numbers(printer) == [1]
    await client.close()


async def test_what_waits_is_printed_even_after_its_sender_left(printer: VirtualPrinter, changes: Changes) -> None:
    client = await Client.connect(printer)
    printer.set_fault("cover_open")
    assert await client.ask(PIECE + MARKER + b"\x10\x04\x02") == b"\x16"
    await client.close()
    printer.set_fault(None)
    assert numbers(printer) == [1]


async def test_off_refuses_and_forgets_and_comes_back_on_its_port(printer: VirtualPrinter) -> None:
    port = printer.port
    client = await Client.connect(printer)
    printer.set_fault("no_paper")
    await client.ask(PIECE + b"\x10\x04\x04")
    printer.set_fault("off")
    assert await client.reader.read() == b""
    with pytest.raises(OSError):
        await Client.connect(printer)
    await client.close()
    printer.set_fault(None)
    assert printer.port == port
    again = await Client.connect(printer)
    assert await again.ask(b"\x10\x04\x01") == b"\x12"
    assert numbers(printer) == []
    await again.close()


async def test_power_lost_in_a_job_leaves_half_a_paper_that_a_hand_tears_off(
    printer: VirtualPrinter, changes: Changes
) -> None:
    client = await Client.connect(printer)
    printer.set_fault("die_mid_job")
    client.writer.write(b"\x1b@" + BAND + BAND + b"\x1dV\x00" + MARKER)
    async with asyncio.timeout(SOON_S):
        assert await client.reader.read() == b""
    assert printer.fault == "off"
    assert printer.uncut_dots == 8
    printer.tear()
    assert printer.uncut_dots == 0
    assert numbers(printer) == [1]
    await client.close()


async def test_paper_hangs_until_it_is_torn_off(printer: VirtualPrinter) -> None:
    client = await Client.connect(printer)
    await client.ask(PIECE + PIECE + MARKER)
    hung = printer.hanging
    printer.tear()
    assert (hung, printer.hanging) == (2, None)
    assert numbers(printer) == [2, 1]
    await client.close()


async def test_papers_are_kept_newest_first_and_over_a_restart(printer: VirtualPrinter, tmp_path: Path) -> None:
    client = await Client.connect(printer)
    await client.ask(PIECE * 5 + MARKER)
    assert numbers(printer) == [5, 4, 3]
    assert sorted(file.name for file in (tmp_path / "paper").iterdir()) == [
        "paper-000003.png",
        "paper-000004.png",
        "paper-000005.png",
    ]
    await client.close()
    later = VirtualPrinter(folder=tmp_path / "paper", pieces_max=2)
    assert numbers(later) == [5, 4]
    assert later.pieces[0].png == printer.pieces[0].png
    await later.start()
    client = await Client.connect(later)
    await client.ask(PIECE + MARKER)
    assert numbers(later) == [6, 5]
    await client.close()
    await later.close()


async def test_unknown_commands_and_lost_dots_are_reported(printer: VirtualPrinter) -> None:
    client = await Client.connect(printer)
    wide = b"\x1dv0\x00\x49\x00\x01\x00" + b"\xff" * 73
    assert await client.ask(b"\x1bt\x10\x04\x09" + wide + b"\x1dr\x05" + MARKER) == b"\x00"
    assert printer.reports == [
        "DLE EOT 9 is not a question",
        "unknown command 1b 74",
        "dots past the end of the head are lost",
        "GS r 5 is not answered here",
    ]
    await client.close()


async def test_a_second_connection_waits_for_the_first_to_end(printer: VirtualPrinter) -> None:
    first = await Client.connect(printer)
    await first.ask(b"\x10\x04\x01")
    second = await Client.connect(printer)
    second.writer.write(b"\x10\x04\x01")
    assert await first.ask(b"\x10\x04\x01") == b"\x12"
    await first.close()
    assert await second.ask(b"") == b"\x12"
    await second.close()


async def test_whoever_watches_is_told(printer: VirtualPrinter, changes: Changes) -> None:
    client = await Client.connect(printer)
    client.writer.write(PIECE)
    await changes.next()
    assert numbers(printer) == [1]
    printer.set_fault("near_end")
    await changes.next()
    assert await client.ask(MARKER) == b"\x03"
    await client.close()
