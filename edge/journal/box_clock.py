"""The wall clock of a box as its entries carry it: the machine's own, as far as anybody vouches for it.

A small computer without a battery starts in 1970, and a line that is away leaves no NTP. Three things are known beside
the machine's clock: central's signed time of an exchange in this run, counted on by running time (`central`); NTP's
word to the kernel (`ntp`); and the newest time that was vouched for before, below which now cannot be (`floor`).
Nothing of this decides anything about money or order: it is what papers and pages show, with its quality.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from edge.journal.ports import JournalReader
from edge.journal.views import Identity
from shared.clock import Clock, ClockQuality, parse_instant
from shared.errors import IntegrityError
from shared.journal.cosignature import check_cosignature
from shared.journal.entry import decode_entry
from shared.journal.note import parse_key, parse_note

TOLERANCE_S: Final = 120
"""How far the machine's clock may be from central's before central's is taken, whatever NTP says."""
LOOKED_AT: Final = 256
"""Newest entries that are looked at for a time somebody vouched for."""
_BELIEVED: Final = frozenset({"ntp", "central"})
_YEAR_MAX: Final = 2200

_Known = tuple[datetime, int]
"""A wall time, and the running time in milliseconds at which it was so."""


class BoxClock:
    """`shared.clock.Clock` over the machine's. Safe to share: what is known is replaced whole."""

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._floor: _Known | None = None
        self._central: _Known | None = None

    def now(self) -> datetime:
        """Return the best wall time there is, zone UTC."""
        return self._read()[0]

    def monotonic_ms(self) -> int:
        """Return running time in milliseconds."""
        return self._machine.monotonic_ms()

    def quality(self) -> ClockQuality:
        """Return how far `now` can be believed."""
        return self._read()[1]

    def differs_s(self) -> int | None:
        """Return by how many seconds the machine's clock is ahead of central's; None while central's is not known."""
        central = self._counted_on(self._central)
        return None if central is None else round((self._machine.now() - central).total_seconds())

    def learn_floor(self, at: datetime | None) -> None:
        """Take a time that was vouched for: it is not earlier now."""
        if at is None or at.year > _YEAR_MAX:
            return
        known = self._counted_on(self._floor)
        if known is None or at > known:
            self._floor = (at, self._machine.monotonic_ms())

    def learn_central(self, at: datetime, *, fresh: bool) -> None:
        """Take central's signed time. One that was signed for an earlier sending is only a floor."""
        if fresh and at.year <= _YEAR_MAX:
            self._central = (at, self._machine.monotonic_ms())
        self.learn_floor(at)

    def _counted_on(self, known: _Known | None) -> datetime | None:
        if known is None:
            return None
        at, was_ms = known
        return at + timedelta(milliseconds=self._machine.monotonic_ms() - was_ms)

    def _read(self) -> tuple[datetime, ClockQuality]:
        wall = self._machine.now()
        tolerance = timedelta(seconds=TOLERANCE_S)
        synchronised = self._machine.quality() == "ntp"
        central = self._counted_on(self._central)
        if central is not None and not (synchronised and abs(wall - central) <= tolerance):
            return central, "central"
        floor = self._counted_on(self._floor)
        if synchronised and (floor is None or wall >= floor - tolerance):
            return wall, "ntp"
        if floor is None:
            return wall, "none"
        return max(wall, floor), "floor"


def last_known_time(reader: JournalReader, identity: Identity, cosigned_note: str) -> datetime | None:
    """Return the newest time that NTP or central vouched for: of the newest entries, and of central's cosignature."""
    found = [
        *_times_of(reader.entries(max(0, reader.size() - LOOKED_AT), LOOKED_AT)),
        *_cosigned_at(identity, cosigned_note),
    ]
    return max(found, default=None)


def _times_of(entries: Sequence[tuple[bytes, bytes]]) -> list[datetime]:
    decoded = [decode_entry(data) for data, _ in entries]
    return [parse_instant(entry.at) for entry in decoded if entry.clock in _BELIEVED]


def _cosigned_at(identity: Identity, note: str) -> list[datetime]:
    if not note or identity.central is None:
        return []
    try:
        time_s = check_cosignature(parse_note(note), parse_key(identity.central.trust.witness))
        return [datetime.fromtimestamp(time_s, UTC)]
    except (IntegrityError, OverflowError, OSError, ValueError):
        return []
