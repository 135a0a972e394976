"""The virtual confirming terminal by itself, spoken to with the documented bytes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from edge.devices.virtual.pna_bytes import PnaReader, PnaRequest, answer_frame
from edge.devices.virtual.pna_terminal import VirtualPnaTerminal
from shared.clock import SystemClock
from shared.entropy import SystemEntropy

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
VECTORS = {
    row["name"]: bytes.fromhex(row["hex"]) for row in json.loads(GOLDEN.read_bytes()) if row["family"] == "pna_pec"
}
SALE, LAST = VECTORS["sale 1000"], VECTORS["last transaction LT"]
YES = VECTORS["answer 00 minimal"]


class Till:
    """A terminal that is on, and plain connections to it."""

    def __init__(self, memory: Path) -> None:
        self._change = asyncio.Event()
        self.terminal = VirtualPnaTerminal(
            clock=SystemClock(), entropy=SystemEntropy(), memory=memory, on_change=lambda _: self._change.set()
        )
        self.port = 0

    async def ask(self, data: bytes) -> bytes:
        """Say something on a connection of its own; return the answer's frame."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        async with asyncio.timeout(60):
            size = await reader.readexactly(4)
            frame = size + await reader.readexactly(int(size))
        writer.close()
        await writer.wait_closed()
        return frame

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                self._change.clear()
                await self._change.wait()


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[Till]:
    till = Till(tmp_path / "terminal.json")
    till.port = await till.terminal.start()
    till.terminal.set_auto("approve")
    yield till
    await till.terminal.stop()


def test_documented_requests_are_read_for_what_they_are() -> None:
    read = {name: PnaReader().feed(data) for name, data in VECTORS.items() if data[4:6] == b"RQ"}
    assert read == {
        "sale 1000": [PnaRequest(kind="sale", amount_rial=1_000)],
        "sale 123456": [PnaRequest(kind="sale", amount_rial=123_456)],
        "sale 10000 TL + R0": [PnaRequest(kind="sale", amount_rial=10_000, slip="260227494")],
        "cancel TC": [PnaRequest(kind="cancel")],
        "confirm GA": [PnaRequest(kind="acknowledge")],
        "reverse GR": [PnaRequest(kind="reverse")],
        "last transaction LT": [PnaRequest(kind="last")],
    }


def test_a_tag_in_a_free_text_is_taken_for_a_tag_as_in_the_field() -> None:
    trap = b"RQ050PR006000000AM0041000CU003364R0007SALT 12PD0011"
    trap = b"RQ%03d" % (len(trap) - 5) + trap[5:]
    assert PnaReader().feed(b"%04d" % len(trap) + trap) == [PnaRequest(kind="last")]


def test_answers_have_the_documented_bytes() -> None:
    whole = answer_frame(
        "00",
        TR="561925",
        PN="621986******8003",
        TM="98194184",
        AM="1000",
        RN="800657696924",
        TI="2026/03/10 10:15:30",
        SR="31",
    )
    assert whole == VECTORS["answer 00 full"]
    assert answer_frame("51") == VECTORS["answer 51"]


@pytest.mark.parametrize("noise", [b"hello", b"9999", b"0004RQ00", SALE[:-1] + b"2", SALE.replace(b"364", b"840")])
def test_nonsense_is_passed_over_in_silence(noise: bytes) -> None:
    assert PnaReader().feed(noise) == []


async def test_it_charges_answers_and_keeps_what_was_acknowledged(till: Till) -> None:
    said = await till.ask(SALE)
    (charge,) = till.terminal.charges
    assert (charge.amount_rial, charge.acknowledged) == (1_000, False)
    assert b"TR006" + charge.stan.encode() in said
    assert await till.ask(VECTORS["confirm GA"]) == YES
    assert await till.ask(LAST) == said
    restarted = await till.terminal.restart()
    assert restarted == till.port
    assert till.terminal.charges[0].acknowledged


async def test_it_takes_back_what_nobody_acknowledged_and_remembers_that(till: Till) -> None:
    till.terminal.acknowledge_within_ms = 20
    said = await till.ask(SALE)
    await till.until(lambda: till.terminal.charges == ())
    (taken_back,) = till.terminal.transactions
    assert taken_back.reversed_by == "itself"
    assert await till.ask(LAST) == said.replace(b"RS00200", b"RS00299")
    assert b"RS00212" in await till.ask(VECTORS["confirm GA"])
    assert b"RS00212" in await till.ask(VECTORS["reverse GR"])


async def test_a_new_sale_ends_the_wait_for_the_one_before(till: Till) -> None:
    await till.ask(SALE)
    await till.ask(SALE)
    assert [one.reversed_by for one in till.terminal.transactions] == ["itself", ""]


async def test_the_newest_sale_is_undone_by_order(till: Till) -> None:
    await till.ask(SALE)
    assert b"RS00200" in await till.ask(VECTORS["reverse GR"])
    assert till.terminal.charges == ()
    assert till.terminal.transactions[0].reversed_by == "order"


async def test_without_a_transaction_it_says_that_it_has_none(till: Till) -> None:
    assert (await till.ask(LAST)).startswith(b"0031RS026RS00212TM008")


async def test_one_pc_at_a_time(till: Till) -> None:
    _, first = await asyncio.open_connection("127.0.0.1", till.port)
    await till.until(lambda: till.terminal.screen.connections == 1)
    second = asyncio.create_task(till.ask(LAST))
    first.write(SALE)
    await till.until(lambda: len(till.terminal.charges) == 1)
    assert not second.done()
    first.close()
    assert b"RS00200" in await second
