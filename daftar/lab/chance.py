"""Chance and time that repeat: whatever a seed brought about, the same seed brings about again."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from shared.clock import ClockQuality

T = TypeVar("T")

_BLOCK_BYTES: Final = 1024
_DRAW_BYTES: Final = 8
_START: Final = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class Chance:
    """A stream of bytes that its names determine, and draws from it. Also a `shared.entropy.Entropy`."""

    def __init__(self, *names: object) -> None:
        self._name = "/".join(map(str, names)).encode()
        self._block = 0
        self._left = b""

    def token_bytes(self, size_bytes: int) -> bytes:
        """Return the stream's next bytes."""
        while len(self._left) < size_bytes:
            self._left += hashlib.shake_128(b"%s/%d" % (self._name, self._block)).digest(_BLOCK_BYTES)
            self._block += 1
        drawn, self._left = self._left[:size_bytes], self._left[size_bytes:]
        return drawn

    def below(self, end: int) -> int:
        """Return a number from 0 to `end` - 1."""
        return int.from_bytes(self.token_bytes(_DRAW_BYTES), "big") % end

    def coin(self, probability: float) -> bool:
        """Return true with this probability."""
        return self.below(1_000_000) < probability * 1_000_000

    def pick(self, things: Sequence[T]) -> T:
        """Return one of the things."""
        return things[self.below(len(things))]


class LabClock:
    """A clock that goes on a little each time it is looked at."""

    def __init__(self) -> None:
        self._at = _START
        self._ms = 1_000

    def now(self) -> datetime:
        """Return the wall time, a millisecond later than the last one."""
        self._at += timedelta(milliseconds=1)
        return self._at

    def monotonic_ms(self) -> int:
        """Return running time, a millisecond later than the last one."""
        self._ms += 1
        return self._ms

    def quality(self) -> ClockQuality:
        """Return that the wall time is believed."""
        return "ntp"
