"""The uplink against a real HTTP server that answers 500, cuts its answer, speaks HTML, or is not there."""

import asyncio
import socket
from collections.abc import Callable, Iterator

import pytest

from edge.uplink.client import Uplink, UplinkSettings
from shared.entropy import SystemEntropy
from shared.errors import DeviceError
from sync.messages import WINDOW_ENTRIES_MAX
from tests.edge.uplink.servers import Day, MemoryExchangeStore, make_app, serving
from tests.sync.models import BoxModel, CentralModel, SteppingClock, new_pair, private_key, public_bytes

DEADLINE_S = 60


class KeySigner:
    public_key = public_bytes(private_key("box"))

    def sign(self, data: bytes) -> bytes:
        return private_key("box").sign(data)


class Office:
    """A box with its uplink, and the day its central has."""

    def __init__(
        self,
        url: str,
        box: BoxModel,
        central: CentralModel,
        day: Day,
        *,
        connect_timeout_ms: int = 5_000,
        answer_timeout_ms: int = 3_000,
    ) -> None:
        self.box, self.central, self.day = box, central, day
        self.store = MemoryExchangeStore(box)
        self.attempts: list[str | None] = []
        self.attempted = asyncio.Event()
        self.uplink = Uplink(
            UplinkSettings(central_url=url, answer_timeout_ms=answer_timeout_ms, connect_timeout_ms=connect_timeout_ms),
            journal_id=box.log.name,
            boot="boot-1",
            trust=box.trust,
            store=self.store,
            journal=box.log,
            signer=KeySigner(),
            clock=SteppingClock(),
            entropy=SystemEntropy(),
            on_attempt=self._attempt,
        )

    def _attempt(self, code: str | None) -> None:
        self.attempts.append(code)
        self.attempted.set()

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not true():
                self.attempted.clear()
                await self.attempted.wait()


@pytest.fixture
def world() -> Iterator[tuple[str, BoxModel, CentralModel, Day]]:
    box, central = new_pair()
    box.write(3)
    day = Day(central.receive)
    with serving(make_app(day)) as url:
        yield url, box, central, day


@pytest.fixture
def office(world: tuple[str, BoxModel, CentralModel, Day]) -> Office:
    return Office(*world)


@pytest.mark.parametrize(
    ("mood", "code"),
    [
        ("500 before", "exchange.refused"),
        ("500 after", "exchange.refused"),
        ("words of another code page", "exchange.refused"),
        ("html", "exchange.not_central"),
        ("garbage", "exchange.malformed"),
        ("cut", "exchange.cut"),
    ],
)
async def test_a_bad_answer_leaves_the_request_pending_and_the_same_bytes_go_again(
    office: Office, mood: str, code: str
) -> None:
    office.day.moods = [mood]
    failed = await office.uplink.exchange_once()
    assert (failed.kind, failed.code, office.store.last_error) == ("failed", code, code)
    assert office.box.pending == office.day.arrived[0]
    assert office.box.cosigned_size == 0
    office.box.write()  # what is new waits for the next request
    assert (await office.uplink.exchange_once()).kind == "ok"
    assert office.day.arrived[0] == office.day.arrived[1]
    assert (office.box.cosigned_size, office.store.last_error) == (3, None)
    assert (await office.uplink.exchange_once()).sent_count == 1
    assert office.central.alarms == []
    assert [entry.leaf for entry in office.central.main] == office.box.log.leaves
    await office.uplink.close()


async def test_a_line_does_not_look_well_when_what_it_brings_cannot_be_kept(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await office.uplink.exchange_once()).kind == "ok"

    async def refuse(_: object) -> None:
        raise DeviceError("journal.not_written")

    monkeypatch.setattr(office.store, "settle", refuse)
    with pytest.raises(DeviceError):
        await office.uplink.exchange_once()
    assert office.attempts[0] is None
    assert office.attempts[-1] is not None
    await office.uplink.close()


async def test_a_backlog_is_given_the_time_that_a_slow_line_takes_for_it(
    world: tuple[str, BoxModel, CentralModel, Day],
) -> None:
    office = Office(*world, answer_timeout_ms=100)
    office.box.write(WINDOW_ENTRIES_MAX)
    office.day.slow_ms = 400
    assert (await office.uplink.exchange_once()).sent_count == WINDOW_ENTRIES_MAX
    assert len(office.day.arrived[0]) > 10_000
    await office.uplink.close()


async def test_a_box_that_was_killed_with_a_request_in_flight_sends_it_again(
    world: tuple[str, BoxModel, CentralModel, Day],
) -> None:
    first = Office(*world)
    first.day.moods = ["cut"]
    await first.uplink.exchange_once()
    await first.uplink.close()
    restarted = Office(*world)
    assert (await restarted.uplink.exchange_once()).kind == "ok"
    assert restarted.day.arrived[0] == restarted.day.arrived[1]
    assert restarted.central.alarms == []
    await restarted.uplink.close()


async def test_what_was_journaled_after_a_kept_request_goes_right_after_its_answer(office: Office) -> None:
    assert (await office.uplink.exchange_once()).backlog is False
    office.day.moods = ["cut"]
    await office.uplink.exchange_once()  # nothing to send, and its answer is lost
    office.box.write()
    answered = await office.uplink.exchange_once()
    assert (answered.sent_count, answered.backlog) == (0, True)
    assert (await office.uplink.exchange_once()).sent_count == 1
    await office.uplink.close()


async def test_running_it_drains_a_backlog_through_every_trouble(office: Office) -> None:
    office.box.write(WINDOW_ENTRIES_MAX * 2)
    office.central.publish(5)
    office.day.moods = ["500 before", "good", "cut", "500 after", "html"]
    running = asyncio.create_task(office.uplink.run())
    try:
        await office.until(lambda: office.box.cosigned_size == office.box.log.size() and len(office.box.received) == 5)
    finally:
        running.cancel()
    await asyncio.wait({running})
    assert office.central.alarms == []
    assert office.attempts.count("exchange.refused") == 2


async def test_a_new_entry_is_sent_at_once_although_the_timetable_is_far(office: Office) -> None:
    running = asyncio.create_task(office.uplink.run())
    try:
        await office.until(lambda: office.box.cosigned_size == 3)
        office.box.write()
        await asyncio.to_thread(office.uplink.wake)  # the journal's writer is another thread
        await office.until(lambda: office.box.cosigned_size == 4)
    finally:
        running.cancel()
    await asyncio.wait({running})


async def test_a_line_that_comes_back_is_noticed_before_the_back_off_ends() -> None:
    box, central = new_pair()
    box.write(3)
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    day = Day(central.receive)
    office = Office(f"http://127.0.0.1:{port}", box, central, day)
    office.uplink._backoff.failures = 20  # a night without a line: the next wait is half a minute or more
    running = asyncio.create_task(office.uplink.run())
    try:
        await office.until(lambda: office.attempts == ["exchange.unreachable"])
        with serving(make_app(day), port):
            await office.until(lambda: box.cosigned_size == 3)
    finally:
        running.cancel()
    await asyncio.wait({running})


async def test_a_quarantine_is_journaled_once_and_told(office: Office) -> None:
    clone = office.box.image("B")
    clone.write(2)
    clone.receive(office.central.receive(clone.request()))
    assert (await office.uplink.exchange_once()).kind == "quarantined"
    assert (await office.uplink.exchange_once()).kind == "quarantined"
    alarms = [alarm.kind for settlement in office.store.settlements for alarm in settlement.alarms]
    assert alarms == ["quarantined"]
    assert office.store.load().quarantined
    await office.uplink.close()


async def test_a_broken_feed_raises_one_alarm_and_does_not_stop_the_journal(office: Office) -> None:
    office.central.publish(1)
    office.box.feed_head = "11" * 32
    for _ in range(2):
        assert (await office.uplink.exchange_once()).kind == "ok"
    alarms = [alarm.kind for settlement in office.store.settlements for alarm in settlement.alarms]
    assert alarms == ["feed_broken"]
    assert office.box.cosigned_size == 3
    await office.uplink.close()
