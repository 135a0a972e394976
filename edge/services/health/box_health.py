"""How the box itself is, in one place: clock, disk, journal, copy of the head. Owner of their threads and jobs."""

from collections.abc import Sequence
from typing import Final

import msgspec

from edge.journal.box_clock import BoxClock
from edge.journal.health_view import BootView, HealthView
from edge.journal.writer import JournalWriter, Recorded
from edge.services.health.watch_disk import WatchDisk
from edge.services.journal.keep_head import KeepHead
from edge.services.journal.verify_whole import VerifyWhole
from shared.clock import parse_instant
from shared.events import AlarmRaised, BootStarted

LOOK_EVERY_S: Final = 15.0
"""How often the medium is asked how full it is."""
CLOCK_DIFFERS_S: Final = 300
"""From how far off central's time the machine's clock is worth an alarm."""


class HealthParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the health of a box is made of, joined by `edge.app`."""

    clock: BoxClock
    disk: WatchDisk
    verify: VerifyWhole
    head: KeepHead
    writer: JournalWriter
    support_line: str


class BoxHealth:
    """Starts and stops what watches the box; says how it is."""

    def __init__(self, parts: HealthParts) -> None:
        self._parts = parts
        self._boot: BootView | None = None
        parts.writer.subscribe(self.heard)
        self._clock_alarmed = False

    def start(self) -> None:
        """Begin to watch."""
        self._parts.head.start()
        self._parts.verify.start()

    def stop(self) -> None:
        """End what watches."""
        self._parts.verify.stop()
        self._parts.head.stop()

    async def look(self) -> None:
        """Look at medium and clock. Raises what a commit raises; the next look tries again."""
        await self._parts.disk.look(self._parts.writer)
        differs_s = self._parts.clock.differs_s()
        if differs_s is not None and abs(differs_s) >= CLOCK_DIFFERS_S and not self._clock_alarmed:
            await self._parts.writer.commit(lambda _: [AlarmRaised(kind="clock_differs", detail=f"{differs_s} s")])
            self._clock_alarmed = True

    def heard_central(self, central_time: str, *, fresh: bool) -> None:
        """Take central's signed time; one that is no instant is passed over."""
        try:
            at = parse_instant(central_time)
        except (ValueError, OverflowError):
            return
        self._parts.clock.learn_central(at, fresh=fresh)

    def check_room(self) -> None:
        """See `WatchDisk.check_room`."""
        self._parts.disk.check_room()

    def view(self) -> HealthView:
        """Return how the box is now."""
        parts = self._parts
        return HealthView(
            trouble=parts.writer.trouble,
            support_line=parts.support_line,
            disk=parts.disk.view(),
            clock=parts.clock.quality(),
            clock_differs_s=parts.clock.differs_s(),
            boot=self._boot,
            verify=parts.verify.view(),
            head_copy=parts.head.view(),
        )

    def heard(self, records: Sequence[Recorded]) -> None:
        """Listen to the journal writer: a new head is to be copied, and this run's start is to be shown."""
        self._parts.head.wake()
        for record in records:
            if isinstance(record.body, BootStarted):
                self._boot = _boot_view(record, record.body)


def _boot_view(record: Recorded, body: BootStarted) -> BootView:
    return BootView(
        index=record.index,
        at=record.entry.at,
        found_size=body.found_size,
        cosigned_size=body.cosigned_size,
        software=body.software,
        signer=body.signer,
        clock=body.clock,
        in_doubt_count=len(body.in_doubt),
        beside_size=body.beside_size,
    )
