"""The virtual terminal by itself, spoken to with the documented bytes: a simulator that errs would prove nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from edge.devices.virtual.terminal import FAULTS, Screen, VirtualTerminal
from shared.clock import SystemClock
from shared.entropy import SystemEntropy

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
VECTORS = {
    row["name"]: bytes.fromhex(row["hex"]) for row in json.loads(GOLDEN.read_bytes()) if row["family"] == "behpardakht"
}
SALE = VECTORS["sale 10000 with tracking id BA=3000"]
QUERY = VECTORS["inquiry 16 by BA=3000"]


class Till:
    """A terminal switched on, a plain socket to it, and its screen."""

    def __init__(self, memory: Path | None) -> None:
        self._change = asyncio.Event()
        self.screens: list[Screen] = []
        self.terminal = VirtualTerminal(
            clock=SystemClock(), entropy=SystemEntropy(), memory=memory, on_change=self.changed
        )
        self.port = 0

    def changed(self, screen: Screen) -> None:
        self.screens.append(screen)
        self._change.set()

    async def until(self, condition: Callable[[Screen], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition(self.terminal.screen):
                self._change.clear()
                await self._change.wait()

    async def connect(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def hear(self, size_bytes: int) -> bytes:
        async with asyncio.timeout(30):
            return await self.reader.readexactly(size_bytes)

    async def ask(self, data: bytes, size_bytes: int) -> bytes:
        self.say(data)
        return await self.hear(size_bytes)


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[Till]:
    till = Till(tmp_path / "terminal.json")
    till.port = await till.terminal.start()
    await till.connect()
    yield till
    till.writer.close()
    await till.terminal.stop()


@pytest.mark.parametrize(
    ("key", "answer"), [("decline", "sale answer 51"), ("cancel", "sale answer 17")], ids=["decline", "cancel"]
)
async def test_refusals_are_the_documented_bytes(till: Till, key: str, answer: str) -> None:
    till.say(SALE)
    await till.until(lambda screen: screen.waiting)
    assert till.terminal.press("decline" if key == "decline" else "cancel")
    assert await till.hear(30) == VECTORS[answer]
    assert till.terminal.charges == ()


async def test_an_approval_has_the_documented_members_and_is_what_was_charged(till: Till) -> None:
    till.terminal.set_auto("approve")
    till.say(SALE)
    said = await till.hear(85)
    (charge,) = till.terminal.charges
    assert (charge.amount_rial, charge.reference) == (10_000, "3000")
    documented = VECTORS["sale 10000 BA=3000 approved"]
    assert said[:4] == b"0085"  # two more than the documented one: this STAN has six digits
    assert said[4 : documented.index(b"\xc1\x01")] == documented[4 : documented.index(b"\xc1\x01")]
    assert said[-20:-2] == documented[-20:-2]
    assert bytes.fromhex("c103" + charge.stan + "c206" + charge.rrn) in said
    assert b"\xc3\x0a" + charge.date.encode() + b"\xc4\x05" + charge.time.encode() in said


async def test_a_word_for_a_word(till: Till) -> None:
    assert await till.ask(b"Ready?", 2) == b"OK"
    till.say(SALE + b"CANCEL")
    assert await till.hear(30) == VECTORS["sale answer FU"]
    assert await till.ask(b"CANCEL" + b"Ready?", 2) == b"OK"


async def test_a_query_knows_successful_sales_only(till: Till) -> None:
    assert await till.ask(QUERY, 30) == VECTORS["inquiry 16 answer EA"]
    till.terminal.set_auto("decline")
    await till.ask(SALE, 30)
    assert await till.ask(QUERY, 30) == VECTORS["inquiry 16 answer EA"]
    till.terminal.set_auto("approve")
    sold = await till.ask(SALE, 85)
    found = await till.ask(QUERY, 85)
    assert found[:-2] == sold[:-2].replace(bytes.fromhex("a20101"), bytes.fromhex("a20116"))
    last = await till.ask(VECTORS["last transaction inquiry 17"], 85)
    assert last[:-2] == sold[:-2].replace(bytes.fromhex("a20101"), bytes.fromhex("a20117")).replace(b"200", b"201")


async def test_a_request_in_pieces_and_two_in_one(till: Till) -> None:
    for at in range(len(QUERY)):
        till.say(QUERY[at : at + 1])
        await till.writer.drain()
    assert await till.hear(30) == VECTORS["inquiry 16 answer EA"]
    assert await till.ask(b"Ready?" + QUERY + b"Ready?", 34) == b"OK" + VECTORS["inquiry 16 answer EA"] + b"OK"


async def test_nonsense_is_passed_over(till: Till) -> None:
    wrong = SALE[:-1] + b"\x00"
    assert await till.ask(b"\x00hello" + wrong + b"0003\xa2\x01" + b"Ready?", 2) == b"OK"
    assert till.terminal.screen.phase == "idle"


async def test_a_second_sale_meanwhile_is_told_that_one_is_running(till: Till) -> None:
    till.say(SALE)
    await till.until(lambda screen: screen.waiting)
    assert (await till.ask(SALE, 30))[4:8] == bytes.fromhex("c0023039")
    till.say(b"Ready?")
    till.terminal.press("decline")
    assert await till.hear(30) == VECTORS["sale answer 51"]


async def test_no_link_to_the_centre_charges_nothing(till: Till) -> None:
    till.terminal.set_fault("no_link_to_centre")
    till.terminal.set_auto("approve")
    assert (await till.ask(SALE, 30))[4:8] == b"\xc0\x02FA"
    assert till.terminal.charges == ()


async def test_gone_silent_it_charges_nothing_and_hears_questions(till: Till) -> None:
    till.terminal.set_fault("go_silent")
    till.terminal.set_auto("approve")
    assert await till.ask(SALE + QUERY, 30) == VECTORS["inquiry 16 answer EA"]
    assert till.terminal.charges == ()


async def test_late_it_charges_first_and_answers_after(till: Till) -> None:
    till.terminal.set_fault("answer_late", late_ms=100)
    till.terminal.set_auto("approve")
    till.say(SALE + b"CANCEL" + b"Ready?")
    await till.until(lambda screen: screen.phase == "processing")
    assert len(till.terminal.charges) == 1
    assert (await till.hear(85))[4:8] == b"\xc0\x0200"


async def test_dead_after_charging_it_knows_the_charge_when_it_is_back(till: Till) -> None:
    till.terminal.set_fault("die_after_charging")
    till.terminal.set_auto("approve")
    till.say(SALE)
    async with asyncio.timeout(30):
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await till.reader.readexactly(1)
    assert till.terminal.screen.phase == "off"
    with pytest.raises(OSError, match=r"refused|failed"):
        await till.connect()
    assert await till.terminal.restart() == till.port
    await till.connect()
    assert (await till.ask(QUERY, 85))[4:8] == b"\xc0\x0200"


async def test_its_memory_outlives_its_program(till: Till, tmp_path: Path) -> None:
    till.terminal.set_auto("approve")
    await till.ask(SALE, 85)
    again = VirtualTerminal(clock=SystemClock(), entropy=SystemEntropy(), memory=tmp_path / "terminal.json")
    assert again.charges == till.terminal.charges
    assert len(again.charges) == 1


async def test_stan_goes_up(till: Till) -> None:
    till.terminal.set_auto("approve")
    for _ in range(3):
        await till.ask(SALE, 85)
    first, second, third = (int(charge.stan) for charge in till.terminal.charges)
    assert (second, third) == (first + 1, first + 2)


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_reference", "wrong_terminal_number", "bad_crc"])
async def test_wrong_answers_differ_from_what_was_charged(till: Till, fault: str) -> None:
    till.terminal.set_fault(next(one for one in FAULTS if one == fault))
    till.terminal.set_auto("approve")
    till.say(SALE)
    async with asyncio.timeout(30):
        said = await till.reader.read(200)
    (charge,) = till.terminal.charges
    assert charge.amount_rial == 10_000
    found = await till.ask(QUERY, 85)
    members = found[4:-2].replace(bytes.fromhex("a20116"), bytes.fromhex("a20101"))
    assert (said[4:-2] == members) == (fault == "bad_crc")


async def test_nobody_comes_with_a_card(till: Till) -> None:
    till.terminal.card_wait_ms = 50
    assert await till.ask(SALE, 30) == VECTORS["sale answer FU"]
    assert not till.terminal.press("approve")


async def test_the_screen_speaks_persian(till: Till) -> None:
    seen = [till.terminal.screen.lines]
    till.say(SALE)
    await till.until(lambda screen: screen.waiting)
    seen.append(till.terminal.screen.lines)
    assert till.terminal.screen.amount_rial == 10_000
    till.terminal.press("approve")
    seen.append(till.terminal.screen.lines)
    assert seen == [("آماده",), ("خرید", "۱۰٬۰۰۰ ریال", "کارت بکشید"), ("پرداخت موفق", "آماده")]
