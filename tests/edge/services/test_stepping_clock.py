"""Wall clocks that lie: money and order come out the same, entries say what the time was worth."""

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.devices.virtual.terminal import VirtualTerminal
from edge.journal.box_clock import BoxClock
from edge.journal.verify import verify_journal
from edge.services.people.sign_in import ATTEMPTS_MAX, SignIn
from edge.store.people import People
from edge.store.rebuild import rebuild_projections
from shared.clock import ClockQuality, SystemClock, parse_instant
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from shared.journal.entry import decode_entry
from shared.payment import PaymentState
from tests.edge.passwords import QUICK_HASHER, quick_verifier_of
from tests.edge.services.office import POWER, WATER, Office
from tests.edge.store.boxes import JOURNAL, Box

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
YEAR = timedelta(days=366)
CLOCKS: dict[str, list[datetime]] = {
    "1970": [EPOCH],
    "backwards": [NOW - timedelta(hours=count) for count in range(24)],
    "a year on and back": [NOW, NOW + YEAR],
    "anything": [NOW, EPOCH, NOW + 100 * YEAR, NOW - YEAR, NOW + timedelta(seconds=1)],
}


class LyingClock:
    """Running time is the machine's; the wall time is another one each time it is read."""

    def __init__(self, times: list[datetime], quality: ClockQuality) -> None:
        self._times: Iterator[datetime] = itertools.cycle(times)
        self._quality: ClockQuality = quality
        self._real = SystemClock()

    def now(self) -> datetime:
        return next(self._times)

    def monotonic_ms(self) -> int:
        return self._real.monotonic_ms()

    def quality(self) -> ClockQuality:
        return self._quality


QUICK = {"answer_timeout_ms": 400, "longest_ms": 400, "query_timeout_ms": 1_000}
Day = tuple[object, ...]


async def a_day(folder: Path, terminal: VirtualTerminal) -> Day:
    """Take a payment, leave one in doubt over a restart, ask about it; return what money and order came to."""
    folder.mkdir()
    charged_before = len(terminal.charges)
    async with Office(folder, terminal, **QUICK) as office:
        terminal.set_auto("approve")
        assert await office.ends(await office.pay(WATER)) is PaymentState.APPROVED
        with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
            await office.pay(WATER)
        terminal.set_fault("die_after_charging")
        doubtful = await office.pay(POWER)
        assert await office.ends(doubtful) is PaymentState.IN_DOUBT
        terminal.set_fault("none")
        await terminal.restart()
    async with Office(folder, terminal, **QUICK) as office:
        assert (await office.resolve.ask(doubtful, operator="sara")).state is PaymentState.APPROVED
        status, payments = office.box.queries.status(), office.box.queries.payments(None, 10)
        entries = [decode_entry(data) for data, _ in office.box.queries.entries(0, 100)]
        assert verify_journal(office.box.queries, JOURNAL, office.box.signer.public_key) == len(entries)
        day = (
            [(one.obligation, str(one.state), one.amount_rial) for one in payments],
            (status.in_doubt_count, status.unconfirmed_count, status.unconfirmed_rial),
            [entry.type for entry in entries],
            len(terminal.charges) - charged_before,
            office.box.queries.open_day().totals,
        )
    assert rebuild_projections(folder / "box.sqlite") == []
    return day


@pytest.mark.parametrize("name", CLOCKS)
async def test_money_and_order_are_those_of_a_clock_that_is_right(
    name: str, tmp_path: Path, terminal: VirtualTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = await a_day(tmp_path / "right", terminal)
    lying = LyingClock(CLOCKS[name], "none")
    monkeypatch.setattr("tests.edge.services.office.SystemClock", lambda: lying)
    assert await a_day(tmp_path / "lying", terminal) == right
    with Box(tmp_path / "lying") as box:
        entries = [decode_entry(data) for data, _ in box.queries.entries(1, 100)]
    assert {entry.clock for entry in entries} == {"none"}
    assert {parse_instant(entry.at) for entry in entries} <= set(CLOCKS[name])


@pytest.mark.parametrize("name", CLOCKS)
async def test_sessions_and_attempts_count_running_time(name: str, tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        people = People(box.path)
        people.save_operator("sara", name="sara", verifier=quick_verifier_of("password 1"), role="operator")
        sign_in = SignIn(people, LyingClock(CLOCKS[name], "none"), SystemEntropy(), "boot-1", hasher=QUICK_HASHER)
        token = await sign_in.sign_in("sara", "password 1")
        for _ in range(3 * len(CLOCKS[name])):
            assert sign_in.operator_of(token) is not None
        for _ in range(ATTEMPTS_MAX):
            with pytest.raises(OperatorError, match=r"auth\.wrong"):
                await sign_in.sign_in("sara", "wrong")
        with pytest.raises(OperatorError, match=r"auth\.too_many"):
            await sign_in.sign_in("sara", "password 1")
        people.close()


async def test_after_a_word_of_central_entries_carry_its_time(
    tmp_path: Path, terminal: VirtualTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = BoxClock(LyingClock([EPOCH, NOW + YEAR], "none"))
    monkeypatch.setattr("tests.edge.services.office.SystemClock", lambda: clock)
    clock.learn_central(NOW, fresh=True)
    await a_day(tmp_path / "lying", terminal)
    with Box(tmp_path / "lying") as box:
        entries = [decode_entry(data) for data, _ in box.queries.entries(1, 100)]
    assert {entry.clock for entry in entries} == {"central"}
    times = [parse_instant(entry.at) for entry in entries]
    assert times == sorted(times)
    assert timedelta(0) <= times[-1] - NOW < timedelta(minutes=10)


WALL_TIME_IS_READ: dict[str, str] = {
    "edge/journal/making.py": "what an entry carries",
    "edge/journal/writer.py": "since when a page says that the medium fails",
    "edge/journal/box_clock.py": "the clock itself",
    "edge/services/journal/verify_whole.py": "when a page says that the journal passed",
    "edge/services/journal/keep_head.py": "when a page says that the head was copied",
    "edge/devices/terminals/wire.py": "when a page says that a terminal was last seen",
    "edge/store/store_view.py": "which month's key seals personal data",
    "edge/uplink/client.py": "when a page says that central last answered",
    "edge/web/rendering.py": "the clock of the page, and how long ago something was",
    "edge/web/history_filters.py": "which days «today» and «this month» are in a search",
    "edge/web/history_workbook.py": "when a workbook says that it was made",
    "edge/devices/terminals/asan_pardakht_session.py": "the time that a sale's request names, as its protocol wants",
    "edge/box_devices.py": "what a test page prints",
    "edge/services/people/sign_in.py": "when a person is told that they were in last, and that somebody tried",
    "edge/services/devices/find_devices.py": "when a page says that devices were looked for",
    "edge/services/health/diagnose.py": "when an archive for support was made",
    "edge/services/health/support.py": "when an archive for support was made",
    "edge/services/sales/service_view.py": "whether an offer is over; the provider has the last word",
    "edge/services/devices/try_devices.py": "when a page says that a device was tried",
    "sync/edge_session.py": "what a request says of when it was made",
}
"""Everywhere that a box reads the wall clock, and what for: none decides anything about money, order, or who may.

Virtual devices, which are no part of a box at work, read it for what they print.
"""


def test_the_wall_clock_is_read_nowhere_else() -> None:
    root = Path(__file__).parents[3]
    found = {
        str(path.relative_to(root))
        for folder in ("edge", "sync")
        for path in (root / folder).rglob("*.py")
        if "virtual" not in path.parts and re.search(r"(clock|machine)\.now\(\)", path.read_text("utf-8"))
    }
    assert found <= set(WALL_TIME_IS_READ), "a new reader of the wall clock: what does it decide?"
