from datetime import UTC, datetime, timedelta

import pytest

from edge.journal.box_clock import BoxClock, last_known_time
from shared.clock import ClockQuality
from shared.events import AlarmRaised
from tests.edge.store.boxes import Box

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Machine:
    """A machine's clocks, each set by hand."""

    def __init__(self, at: datetime, *, synchronised: bool = False) -> None:
        self.at = at
        self.ms = 1_000
        self.synchronised = synchronised

    def now(self) -> datetime:
        return self.at

    def monotonic_ms(self) -> int:
        return self.ms

    def quality(self) -> ClockQuality:
        return "ntp" if self.synchronised else "none"

    def run(self, by: timedelta) -> None:
        self.at += by
        self.ms += int(by.total_seconds() * 1000)


def test_a_machine_that_nobody_vouches_for_is_said_to_be_so():
    clock = BoxClock(Machine(EPOCH))
    assert (clock.now(), clock.quality()) == (EPOCH, "none")
    assert clock.differs_s() is None


def test_it_is_never_earlier_than_what_was_vouched_for_before():
    machine = Machine(EPOCH)
    clock = BoxClock(machine)
    clock.learn_floor(NOW)
    clock.learn_floor(NOW - HOUR)
    machine.run(HOUR)
    assert (clock.now(), clock.quality()) == (NOW + HOUR, "floor")
    machine.at = NOW + 9 * HOUR
    assert (clock.now(), clock.quality()) == (NOW + 9 * HOUR, "floor")


@pytest.mark.parametrize("wrong", [EPOCH, NOW - timedelta(days=366), NOW + timedelta(days=366)])
@pytest.mark.parametrize("synchronised", [True, False])
def test_central_s_word_is_counted_on_whatever_the_machine_says(wrong: datetime, synchronised: bool):  # noqa: FBT001
    machine = Machine(wrong, synchronised=synchronised)
    clock = BoxClock(machine)
    clock.learn_central(NOW, fresh=True)
    machine.run(HOUR)
    machine.at = wrong - HOUR
    assert (clock.now(), clock.quality()) == (NOW + HOUR, "central")
    differs_s = clock.differs_s()
    assert differs_s is not None
    assert abs(differs_s) > 300


def test_ntp_that_agrees_with_central_is_taken():
    machine = Machine(NOW, synchronised=True)
    clock = BoxClock(machine)
    assert clock.quality() == "ntp"
    clock.learn_central(NOW + timedelta(seconds=30), fresh=True)
    assert (clock.now(), clock.quality()) == (NOW, "ntp")


def test_an_answer_that_was_signed_for_an_earlier_sending_is_only_a_floor():
    clock = BoxClock(Machine(EPOCH))
    clock.learn_central(NOW, fresh=False)
    assert (clock.now(), clock.quality()) == (NOW, "floor")


def test_a_synchronised_clock_years_before_what_is_known_is_not_believed():
    clock = BoxClock(Machine(EPOCH, synchronised=True))
    clock.learn_floor(NOW)
    assert (clock.now(), clock.quality()) == (NOW, "floor")


def test_the_newest_vouched_time_is_found_in_the_journal(box: Box):
    box.write(AlarmRaised(kind="a"))
    box.clock.step(hours=2)
    box.write(AlarmRaised(kind="b"))
    newest = box.clock.now()
    box.clock.quality = lambda: "none"  # type: ignore[method-assign]
    box.clock.step(days=400)
    box.write(AlarmRaised(kind="c"))
    assert last_known_time(box.queries, box.identity, "") == newest
