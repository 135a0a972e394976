"""Time as an argument. The one place in the project that reads a clock.

Time is a claim: order in a journal is (journal, index), and no decision about money reads the wall clock.
"""

import time
from datetime import UTC, datetime
from typing import Literal, Protocol

ClockQuality = Literal["none", "floor", "ntp", "central"]
"""How far a wall time can be believed: not at all, not before the last known time, by NTP, by central's word."""


class Clock(Protocol):
    """What the rules may know of time."""

    def now(self) -> datetime:
        """Return the wall time, zone UTC."""

    def monotonic_ms(self) -> int:
        """Return milliseconds since some fixed point of this boot; never goes back."""

    def quality(self) -> ClockQuality:
        """Return how far `now` can be believed."""


class SystemClock:
    """The machine's own clocks."""

    def __init__(self, quality: ClockQuality = "none") -> None:
        self._quality: ClockQuality = quality

    def now(self) -> datetime:
        """Return the machine's wall time in UTC."""
        return datetime.now(UTC)

    def monotonic_ms(self) -> int:
        """Return the machine's monotonic clock in milliseconds."""
        return time.monotonic_ns() // 1_000_000

    def quality(self) -> ClockQuality:
        """Return the quality given at start."""
        return self._quality


def instant_text(at: datetime) -> str:
    """Return the one spelling of an instant that entries use: RFC 3339, UTC, milliseconds, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_instant(text: str) -> datetime:
    """Return the instant an entry carries. Raises ValueError on anything without a zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"an instant needs a zone: {text!r}")
    return at.astimezone(UTC)
