"""The virtual Asan Pardakht terminal by itself, spoken to with the documented bytes."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.devices.virtual.asan_pardakht_bytes import AsanInquiry, AsanPurchase, AsanReader, answer_line
from edge.devices.virtual.asan_pardakht_terminal import VirtualAsanPardakhtTerminal
from shared.clock import SystemClock
from shared.entropy import SystemEntropy

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
ROWS = [row for row in json.loads(GOLDEN.read_bytes()) if row["family"] == "asanpardakht"]
VECTORS = {row["name"]: bytes.fromhex(row["hex"]) for row in ROWS}
BUY, INQUIRY = VECTORS["buy 10000"], VECTORS["inquiry"]
NUMBERS = ("000000000012345", "12345678", "603799******1234")


def test_documented_requests_are_read_for_what_they_are() -> None:
    purchase, inquiry = AsanPurchase(amount_rial=10_000, message_id="1"), AsanInquiry(message_id="1")
    assert AsanReader().feed(BUY + INQUIRY) == [purchase, inquiry]
    reader = AsanReader()
    assert [found for at in range(len(BUY)) for found in reader.feed(BUY[at : at + 1])] == [purchase]
    assert AsanReader().feed(b"noise\r\n" + BUY.replace(b"*44", b"*45") + INQUIRY) == [inquiry]


def test_its_answers_are_the_documented_bytes() -> None:
    approved = ("0", "10000", "123456789012", "000123", "20240101123045", *NUMBERS, "1")
    assert answer_line("POSBUY", *approved) == VECTORS["buy approved"]
    assert answer_line("POSINQ", *approved) == VECTORS["inquiry answer"]
    refused = ("51", "10000", "", "000124", "20240101123145", *NUMBERS, "2")
    assert answer_line("POSBUY", *refused) == VECTORS["buy 51"]


@pytest.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[VirtualAsanPardakhtTerminal]:
    terminal = VirtualAsanPardakhtTerminal(
        clock=SystemClock(), entropy=SystemEntropy(), memory=tmp_path / "terminal.json"
    )
    yield terminal
    await terminal.stop()


async def ask(port: int, data: bytes) -> list[str]:
    """Say something on a connection of its own; return the fields of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    async with asyncio.timeout(60):
        line = await reader.readuntil(b"\r\n")
    writer.close()
    await writer.wait_closed()
    return line.decode().split(",")


async def test_it_tells_its_last_purchase_only_and_survives_power_cuts(terminal: VirtualAsanPardakhtTerminal) -> None:
    port = await terminal.start()
    assert (await ask(port, INQUIRY))[:2] == ["$POSINQ", "25"]
    terminal.set_auto("approve")
    bought = await ask(port, BUY)
    assert (bought[:3], bought[9]) == (["$POSBUY", "0", "10000"], "1")
    await terminal.restart()
    told = await ask(port, VECTORS["inquiry"])
    assert told[1:10] == bought[1:10]
    terminal.set_auto("decline")
    refused = await ask(port, BUY)
    assert refused[1] == "51"
    assert (await ask(port, INQUIRY))[1] == "51"
    terminal.remembers_refused = False
    assert (await ask(port, INQUIRY))[1:10] == bought[1:10]
    assert len(terminal.charges) == 1
