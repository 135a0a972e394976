from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import SystemClock, instant_text, kernel_clock_is_synchronised, parse_instant

zones = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=zones))  # noqa: DTZ001 - bounds
def test_an_instant_has_one_spelling_and_reads_back_to_the_millisecond(at):
    text = instant_text(at)
    assert len(text) == len("2026-11-22T06:00:30.125Z")
    assert text.endswith("Z")
    assert parse_instant(text) == at - timedelta(microseconds=at.microsecond % 1000)
    assert instant_text(parse_instant(text)) == text


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        parse_instant("2026-11-22T06:00:30")


def test_the_system_s_clock_is_in_utc_and_never_goes_back():
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    seen = [clock.monotonic_ms() for _ in range(1000)]
    assert seen == sorted(seen)


def test_the_quality_of_the_clock_is_the_kernel_s_word_of_this_moment():
    words = iter([True, False])
    clock = SystemClock(lambda: next(words))
    assert [clock.quality(), clock.quality()] == ["ntp", "none"]


def test_the_kernel_can_be_asked_and_is_only_asked():
    before = SystemClock().now()
    assert kernel_clock_is_synchronised() in (True, False)
    assert abs(SystemClock().now() - before) < timedelta(seconds=5)
