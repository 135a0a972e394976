"""The virtual Telium terminal by itself, spoken to in bytes written out by hand."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from edge.devices.virtual.telium_e_bytes import TeliumReader, TeliumSale, frame
from edge.devices.virtual.telium_e_terminal import VirtualTeliumETerminal
from shared.clock import SystemClock
from shared.entropy import SystemEntropy

DOCUMENTED = bytes.fromhex("02303130303030353531303131303937382020202020202020202041303130423031300306")
SALE = frame("0100125000010364" + "1002003004" + "A010B010")
ENQ, ACK, NAK, EOT = b"\x05", b"\x06", b"\x15", b"\x04"


class Line:
    """One end of the line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def hear(self, size: int = 1) -> bytes:
        async with asyncio.timeout(30):
            return await self._reader.readexactly(size)

    async def tell(self) -> None:
        self.writer.write(ENQ)
        assert await self.hear() == ACK
        self.writer.write(SALE)
        assert await self.hear() == ACK
        self.writer.write(EOT)


@pytest.fixture
def terminal() -> VirtualTeliumETerminal:
    return VirtualTeliumETerminal(clock=SystemClock(), entropy=SystemEntropy())


@pytest.fixture
async def port(terminal: VirtualTeliumETerminal) -> AsyncIterator[int]:
    yield await terminal.start()
    await terminal.stop()


@pytest.fixture
async def line(port: int) -> AsyncIterator[Line]:
    line = Line(*await asyncio.open_connection("127.0.0.1", port))
    yield line
    line.writer.close()
    await line.writer.wait_closed()


def test_it_reads_the_documented_request_in_any_split() -> None:
    wanted = TeliumSale(
        till="01", amount_rial=5_510, wants_report=True, currency="978", private=" " * 10, at_once=False
    )
    for at in range(len(DOCUMENTED) + 1):
        reader = TeliumReader()
        assert reader.feed(ENQ + DOCUMENTED[:at]) + reader.feed(DOCUMENTED[at:] + EOT) == ["enq", wanted, "eot"]
    assert TeliumReader().feed(DOCUMENTED[:-1] + b"\x00") == ["bad"]
    assert TeliumReader().feed(frame("0100")) == ["bad"]


async def test_it_answers_once_and_repeats_the_private_field(terminal: VirtualTeliumETerminal, line: Line) -> None:
    await line.tell()
    terminal.press("approve")
    assert await line.hear() == ENQ
    line.writer.write(ACK)
    answer = await line.hear(28)
    assert answer == frame("01" + "0" + "00125000" + "1" + "364" + "1002003004")
    line.writer.write(NAK)
    assert await line.hear(28) == answer
    line.writer.write(ACK)
    assert await line.hear() == EOT
    assert [one.amount_rial for one in terminal.charges] == [125_000]


async def test_while_it_is_at_work_it_takes_no_notice(terminal: VirtualTeliumETerminal, line: Line) -> None:
    await line.tell()
    line.writer.write(ENQ + SALE)
    terminal.press("decline")
    assert await line.hear() == ENQ
    assert terminal.requests == 1


async def test_who_never_asked_for_the_line_is_not_heard(terminal: VirtualTeliumETerminal, line: Line) -> None:
    line.writer.write(SALE + ENQ)
    assert await line.hear() == ACK
    assert not terminal.screen.waiting


async def test_a_broken_request_is_refused(terminal: VirtualTeliumETerminal, line: Line) -> None:
    line.writer.write(ENQ)
    assert await line.hear() == ACK
    line.writer.write(SALE[:-1] + b"\x00")
    assert await line.hear() == NAK
    assert terminal.requests == 0
