"""The virtual Sadad terminal by itself, spoken to with the documented bytes."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.devices.virtual.sadad_bytes import (
    SadadQuestion,
    SadadReader,
    SadadSale,
    SaleFigures,
    packet,
    sale_answer,
    told,
)
from edge.devices.virtual.sadad_terminal import VirtualSadadTerminal
from shared.clock import SystemClock
from shared.entropy import SystemEntropy

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
ROWS = [row for row in json.loads(GOLDEN.read_bytes()) if row["family"] == "sadad"]
VECTORS = {row["name"]: bytes.fromhex(row["hex"]) for row in ROWS}
INM, ACK, ACK_2, EOT = (VECTORS[name] for name in ("INM v000", "ACK v000", "ACK v002", "EOT v000 (cancel)"))
SALE = VECTORS["sale 1000 OrderId 321654"]


def test_documented_requests_are_read_for_what_they_are() -> None:
    bill = next(name for name in VECTORS if name.startswith("bill request"))
    wanted = {
        "INM v000": "greeting",
        "ACK v000": "taken",
        "EOT v000 (cancel)": "end",
        "NACK v000": "refused",
        "sale 1000": SadadSale(amount_rial=1_000, reference=None),
        "sale 1000 SaleId 987654": SadadSale(amount_rial=1_000, reference=None),
        "sale 1000 OrderId 321654": SadadSale(amount_rial=1_000, reference="321654"),
        bill: SadadSale(amount_rial=1_898_000, reference=None, bill="6039628301226,189840835"),
        "device info request": SadadQuestion(function="0005", argument=""),
        "card info request": SadadQuestion(function="0003", argument=""),
        "last 5 ok report request": SadadQuestion(function="0001", argument="051"),
        "last 5 failed report request (doc LRC is wrong)": SadadQuestion(function="0001", argument="050"),
        "search by OrderId 321654 request": SadadQuestion(function="0015", argument="06321654"),
        "search by OrderId v2 request": SadadQuestion(function="0017", argument="06321654"),
    }
    for name, request in wanted.items():
        assert SadadReader().feed(VECTORS[name]) == [request]
        reader = SadadReader()
        read = [found for at in range(len(VECTORS[name])) for found in reader.feed(VECTORS[name][at : at + 1])]
        assert read == [request]
    assert SadadReader().feed(b"??" + SALE[:-1] + b"?" + INM) == ["bad", "greeting"]


def test_its_answers_are_the_documented_bytes() -> None:
    approved = SaleFigures(
        code="00",
        amount="1000",
        card="6219863510313865",
        trace="000996",
        moment=(1397, 10, 9, 15, 39, 8),
        rrn="320062616116",
        approval="0014  ",
        terminal="C0000301",
        merchant="000000000000152",
    )
    assert sale_answer(approved) == VECTORS["sale response 00 amount 1000"]
    record = "04000000001000000996" + "20181230153908" + "621986**3864" + "320062616116" + "00" + "06321654"
    assert told("0016", record) == VECTORS["search by OrderId response"]
    assert (packet(0x06), packet(0x06, version="002"), packet(0x04)) == (ACK, ACK_2, EOT)


class Pc:
    """A plain connection to a terminal."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def say(self, data: bytes) -> None:
        self._writer.write(data)

    async def hear(self, size: int) -> bytes:
        async with asyncio.timeout(60):
            return await self._reader.readexactly(size)

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


@pytest.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[VirtualSadadTerminal]:
    terminal = VirtualSadadTerminal(clock=SystemClock(), entropy=SystemEntropy(), memory=tmp_path / "terminal.json")
    yield terminal
    await terminal.stop()


@pytest.fixture
async def pc(terminal: VirtualSadadTerminal) -> AsyncIterator[Pc]:
    port = await terminal.start()
    terminal.set_auto("approve")
    pc = Pc(*await asyncio.open_connection("127.0.0.1", port))
    yield pc
    await pc.close()


async def test_a_greeted_sale_is_acknowledged_and_answered(terminal: VirtualSadadTerminal, pc: Pc) -> None:
    pc.say(INM)
    assert await pc.hear(10) == ACK
    pc.say(SALE)
    assert await pc.hear(10) == ACK
    answer = await pc.hear(284)
    (charge,) = terminal.charges
    assert (charge.amount_rial, charge.reference) == (1_000, "321654")
    assert charge.rrn.encode("utf-16-le") in answer
    pc.say(ACK)


async def test_who_does_not_greet_is_not_heard(terminal: VirtualSadadTerminal, pc: Pc) -> None:
    pc.say(SALE + INM)
    assert await pc.hear(10) == ACK
    assert terminal.charges == ()


async def test_what_is_asked_for_twice_is_charged_twice(terminal: VirtualSadadTerminal, pc: Pc) -> None:
    pc.say(INM + SALE + SALE)
    await pc.hear(10 + 10 + 284 + 10 + 284)
    assert len(terminal.charges) == 2


async def test_an_answer_is_repeated_until_it_is_acknowledged_but_not_for_ever(
    terminal: VirtualSadadTerminal, pc: Pc
) -> None:
    terminal.send_again_ms = 10
    pc.say(INM + SALE)
    heard = await pc.hear(20 + 3 * 284)
    answers = {heard[20 + at * 284 : 20 + (at + 1) * 284] for at in range(3)}
    assert len(answers) == 1
    pc.say(VECTORS["device info request"])
    assert await pc.hear(10) == ACK_2
    assert len(terminal.charges) == 1


async def test_the_pc_takes_a_sale_back(terminal: VirtualSadadTerminal, pc: Pc) -> None:
    terminal.set_auto(None)
    pc.say(INM + SALE)
    await pc.hear(20)
    pc.say(EOT)
    assert await pc.hear(10) == EOT
    assert terminal.charges == ()
