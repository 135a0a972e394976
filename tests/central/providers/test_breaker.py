from datetime import UTC, datetime

import pytest

from central.providers.breaker import CircuitBreaker
from central.providers.desk import is_failure
from central.providers.envelope import Envelope, Error, not_done
from shared.clock import ClockQuality


class HandClock:
    def __init__(self) -> None:
        self.ms = 0

    def now(self) -> datetime:
        return datetime.fromtimestamp(1_800_000_000 + self.ms / 1000, UTC)

    def monotonic_ms(self) -> int:
        return self.ms

    def quality(self) -> ClockQuality:
        return "ntp"


def opened(clock: HandClock) -> CircuitBreaker:
    breaker = CircuitBreaker(clock, failures_max=3, open_for_ms=1_000)
    for _ in range(3):
        assert breaker.allow()
        breaker.fail()
    return breaker


def test_it_opens_after_failures_in_a_row_only() -> None:
    breaker = CircuitBreaker(HandClock(), failures_max=3)
    for _ in range(5):
        breaker.fail()
        breaker.fail()
        breaker.succeed()
    assert breaker.allow()
    assert breaker.view().state == "closed"


def test_open_lets_nobody_pass_until_it_has_waited_then_one() -> None:
    clock = HandClock()
    breaker = opened(clock)
    assert breaker.view().state == "open"
    clock.ms = 999
    assert not breaker.allow()
    clock.ms = 1_000
    assert breaker.view().state == "half_open"
    assert breaker.allow()
    assert not breaker.allow()
    breaker.succeed()
    assert breaker.view().state == "closed"
    assert breaker.allow()


def test_a_try_that_fails_opens_it_again_for_as_long() -> None:
    clock = HandClock()
    breaker = opened(clock)
    clock.ms = 1_500
    assert breaker.allow()
    breaker.fail()
    clock.ms = 2_499
    assert not breaker.allow()
    clock.ms = 2_500
    assert breaker.allow()


def test_a_try_in_which_nothing_was_asked_leaves_the_next_one_to_another() -> None:
    clock = HandClock()
    breaker = opened(clock)
    clock.ms = 1_000
    assert breaker.allow()
    breaker.forget()
    assert breaker.allow()


@pytest.mark.parametrize(
    ("code", "fails"),
    [("QUOTA_EXCEEDED_FOR_PLATE", False), ("", False), ("SERVICE_CALL_ERROR", False), ("UNAUTHORIZED", True)],
)
def test_a_well_formed_refusal_is_an_answer_whatever_its_code(code: str, *, fails: bool) -> None:
    reply = not_done(Envelope(track_id="t", status="FAILED", error=Error(code=code)))
    assert is_failure(reply) is fails
