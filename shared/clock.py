"""Time as an argument. The one place in the project that reads a clock.

Time is a claim: order in a journal is (journal, index), and no decision about money reads the wall clock.
"""

import ctypes
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

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


_TIME_ERROR: Final = 5
"""What adjtimex(2) returns while the clock is not synchronised (STA_UNSYNC)."""
_TIMEX_SIZE_BYTES: Final = 512
"""More than `struct timex` has anywhere; its first member `modes` is 0 here: only ask."""


def _find_adjtimex() -> Callable[[object], int] | None:
    try:
        found: Callable[[object], int] = ctypes.CDLL(None).adjtimex
    except (AttributeError, OSError):
        return None
    return found


_adjtimex: Final = _find_adjtimex()
_timex: Final = ctypes.create_string_buffer(_TIMEX_SIZE_BYTES)
"""Every call asks the same and looks only at what it returns: threads may share it."""


def kernel_clock_is_synchronised() -> bool:
    """Return whether a time service keeps the kernel's clock; False where the kernel cannot be asked."""
    if _adjtimex is None:
        return False
    return 0 <= _adjtimex(_timex) < _TIME_ERROR


class SystemClock:
    """The machine's own clocks."""

    def __init__(self, is_synchronised: Callable[[], bool] = kernel_clock_is_synchronised) -> None:
        self._is_synchronised = is_synchronised

    def now(self) -> datetime:
        """Return the machine's wall time in UTC."""
        return datetime.now(UTC)

    def monotonic_ms(self) -> int:
        """Return the machine's monotonic clock in milliseconds."""
        return time.monotonic_ns() // 1_000_000

    def quality(self) -> ClockQuality:
        """Return `ntp` while the kernel says that its clock is kept by a time service, else `none`."""
        return "ntp" if self._is_synchronised() else "none"


def instant_text(at: datetime) -> str:
    """Return the one spelling of an instant that entries use: RFC 3339, UTC, milliseconds, `Z`."""
    return at.astimezone(UTC).isoformat("T", "milliseconds")[:-6] + "Z"


def parse_instant(text: str) -> datetime:
    """Return the instant an entry carries. Raises ValueError on anything without a zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"an instant needs a zone: {text!r}")
    return at.astimezone(UTC)
