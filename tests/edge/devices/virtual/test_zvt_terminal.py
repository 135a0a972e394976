"""The virtual ZVT terminal by itself, spoken to in bytes written out by hand."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from edge.devices.virtual.zvt_bytes import ZvtCommand, ZvtReader, checksum, framed
from edge.devices.virtual.zvt_terminal import VirtualZvtTerminal
from shared.clock import SystemClock
from shared.entropy import SystemEntropy

REGISTER = "060006000000180364"
SALE = "06010a04000000125000490364"
YES = "800000"


class Till:
    """One connection, message by message."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    def say(self, *messages: str) -> None:
        self.writer.write(b"".join(bytes.fromhex(one) for one in messages))

    async def hear(self) -> str:
        async with asyncio.timeout(30):
            head = await self._reader.readexactly(3)
            return (head + await self._reader.readexactly(head[2])).hex()

    async def register(self) -> None:
        self.say(REGISTER)
        assert await self.hear() == YES
        assert (await self.hear()).startswith("060f")
        self.say(YES)


@pytest.fixture
def terminal() -> VirtualZvtTerminal:
    return VirtualZvtTerminal(clock=SystemClock(), entropy=SystemEntropy())


@pytest.fixture
async def port(terminal: VirtualZvtTerminal) -> AsyncIterator[int]:
    yield await terminal.start()
    await terminal.stop()


@pytest.fixture
async def till(port: int) -> AsyncIterator[Till]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    till = Till(reader, writer)
    await till.register()
    yield till
    writer.close()
    await writer.wait_closed()


def test_its_checksum_is_the_documented_one() -> None:
    assert checksum(b"123456789") == b"\x89\x21"


@pytest.mark.parametrize("bare", ["060006123456ba0978", "06010a04000000011000490978", "050103123456"])
def test_it_reads_what_tills_say_in_any_split_on_both_links(bare: str) -> None:
    data = bytes.fromhex(bare)
    wanted = ZvtCommand(bare[:4], data[3:])
    for whole in (data, framed(data)):
        for at in range(len(whole) + 1):
            reader = ZvtReader()
            assert reader.feed(whole[:at]) + reader.feed(whole[at:]) == [wanted]
            assert reader.is_line == (whole[:1] == b"\x10")
    assert ZvtReader().feed(framed(data)[:-1] + b"\x00") == ["bad"]


async def test_a_till_that_did_not_register_is_refused(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    stranger = Till(reader, writer)
    stranger.say(SALE)
    assert await stranger.hear() == "846b00"
    writer.close()
    await writer.wait_closed()


async def test_a_report_that_is_answered_with_yes_is_kept(terminal: VirtualZvtTerminal, till: Till) -> None:
    terminal.set_auto("approve")
    till.say(SALE)
    assert [await till.hear(), await till.hear()] == [YES, "04ff010a"]
    assert len(terminal.charges) == 1
    till.say(YES)
    assert (await till.hear()).startswith("040f")
    till.say(YES)
    assert await till.hear() == "060f00"
    assert terminal.charges[0].acknowledged
    till.say(YES, "050103000000")
    assert [await till.hear(), (await till.hear())[-2:]] == [YES, "00"]


async def test_a_report_that_is_answered_with_no_is_taken_back(terminal: VirtualZvtTerminal, till: Till) -> None:
    terminal.set_auto("approve")
    till.say(SALE, YES)
    await till.hear()
    await till.hear()
    report = await till.hear()
    till.say("846600")
    undone = await till.hear()
    assert undone.startswith("040f")
    assert "37" + terminal.transactions[0].stan in undone
    assert report != undone
    till.say(YES)
    assert await till.hear() == "061e0166"
    assert terminal.charges == ()


async def test_a_till_that_is_not_ready_is_asked_again(terminal: VirtualZvtTerminal, till: Till) -> None:
    terminal.ask_again_ms = 1
    terminal.set_auto("approve")
    till.say(SALE, YES)
    await till.hear()
    await till.hear()
    report = await till.hear()
    for _ in range(3):
        till.say("849c00")
        assert await till.hear() == report
    till.say(YES)
    assert await till.hear() == "060f00"
    assert len(terminal.charges) == 1


async def test_a_till_that_says_nothing_or_goes_away_is_no_yes(terminal: VirtualZvtTerminal, till: Till) -> None:
    terminal.keep_within_ms = 1
    terminal.set_auto("approve")
    till.say(SALE, YES)
    said = [await till.hear() for _ in range(4)]
    assert said[-1].startswith("040f")
    assert terminal.transactions[0].reversed_by == "itself"


async def test_an_order_is_undone_once_by_its_receipt(terminal: VirtualZvtTerminal, till: Till) -> None:
    assert terminal.sell_by_hand(500)
    undo = f"06300600000087{terminal.transactions[0].receipt}"
    till.say(undo)
    assert [await till.hear(), (await till.hear())[:4]] == [YES, "040f"]
    till.say(YES)
    assert await till.hear() == "060f00"
    till.say(YES, undo)
    assert [await till.hear(), await till.hear()] == [YES, "061e01b4"]
    till.say(YES, "063006000000870000")
    assert [await till.hear(), await till.hear()] == [YES, "061e01b5"]
