"""The office's clock: running time goes on evenly, wall time may be anything."""

from datetime import UTC, datetime, timedelta
from typing import Final

from daftar.lab.simulation.virtual_loop import VirtualLoop
from shared.clock import ClockQuality

MORNING: Final = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
LATE: Final = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
"""Half an hour before a new month begins: the data key changes while people are at the counter."""


class OfficeClock:
    """Time as the box is told it: running time goes on evenly, wall time may jump."""

    def __init__(self, loop: VirtualLoop, opening: datetime) -> None:
        self._opening = opening
        self._loop = loop
        self.ahead = timedelta()
        self.trusted: ClockQuality = "ntp"

    def now(self) -> datetime:
        """Return the wall time."""
        return self._opening + timedelta(milliseconds=self.monotonic_ms()) + self.ahead

    def monotonic_ms(self) -> int:
        """Return running time."""
        return round(self._loop.time() * 1000) + 1_000_000

    def quality(self) -> ClockQuality:
        """Return how far the wall time can be believed."""
        return self.trusted
