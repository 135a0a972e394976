"""Watch how full the medium is: warn early, refuse new work before nothing fits any more, keep space to finish.

At 95 % no payment and no inquiry begins; what is under way, papers, questions about doubts and the day's close go on.
When a write fails for want of room the reserve is given back for exactly these; it is made anew when space returns.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from edge.journal.health_view import DiskLevel, DiskView
from edge.journal.writer import JournalWriter
from edge.store.reserve import Reserve, Usage, is_no_room, usage_of
from shared.errors import OperatorError
from shared.events import AlarmRaised

LEVELS: Final[tuple[tuple[DiskLevel, int], ...]] = (("full", 95), ("nearly_full", 90), ("filling", 80))
"""From how many percent on each level holds, the worst first."""
CALM_PERCENT: Final = 2
"""A level is left only this far below where it begins: a medium at its edge must not alarm again and again."""
ROOM_BYTES: Final = 1024 * 1024
"""With less than this free the reserve is given back: a sign-in has to fit too, and a start's index file."""
_FREE_FOR_RESERVE: Final = 3
"""So many times the reserve must be free before it is made anew."""
_RANK: Final[dict[DiskLevel, int]] = {"ok": 0, "filling": 1, "nearly_full": 2, "full": 3}

_log = structlog.get_logger()


class WatchDisk:
    """Owner of the reserve. `usage` is how the medium is asked; it raises OSError."""

    def __init__(self, folder: Path, reserve: Reserve, usage: Callable[[Path], Usage] = usage_of) -> None:
        self._folder = folder
        self._reserve = reserve
        self._usage = usage
        self._view = DiskView(reserve_kept=reserve.is_there())
        self._alarmed: DiskLevel = "ok"
        self._given_back = False

    def view(self) -> DiskView:
        """Return how the medium was when it was last looked at."""
        return self._view

    def check_room(self) -> None:
        """Raise OperatorError `disk.full` when nothing new may begin."""
        if not self._view.takes_new:
            raise OperatorError("disk.full", percent=self._view.percent)

    def prepare(self) -> None:
        """Before the file is opened: make the reserve, or give it back where the file could not be opened otherwise."""
        self._look()

    def failed(self, error: Exception) -> None:
        """Hear of a write that failed; where room was wanting, give the reserve back. Called on the writer's thread."""
        used = self._ask()
        if is_no_room(error) or (used is not None and used.free_bytes < ROOM_BYTES):
            self._give_back()
            self._see(self._ask())

    async def look(self, writer: JournalWriter) -> None:
        """Ask the medium; take the reserve again when there is room; journal each level that was reached once."""
        await asyncio.to_thread(self._look)
        if writer.failure is not None and self._view.level != "full":
            writer.try_again()
        level = self._view.level
        if _RANK[level] > _RANK[self._alarmed]:
            await writer.commit(lambda _: [_alarm(level, self._view.percent)])
        self._alarmed = level

    def _look(self) -> None:
        used = self._ask()
        if used is not None and used.free_bytes < ROOM_BYTES and self._reserve.is_there():
            self._give_back()
            used = self._ask()
        self._see(used)
        enough = used is not None and used.free_bytes >= _FREE_FOR_RESERVE * self._reserve.size_bytes
        if not self._reserve.is_there() and enough and self._view.level != "full" and self._reserve.make():
            if self._given_back:
                _log.warning("space returned; the reserve is kept again")
            self._given_back = False
            self._see(self._ask())

    def _ask(self) -> Usage | None:
        try:
            return self._usage(self._folder)
        except OSError:
            return None

    def _see(self, used: Usage | None) -> None:
        percent = self._view.percent if used is None else used.percent
        level = _level(percent, self._view.level)
        kept = self._reserve.is_there()
        # Where the reserve had to be given back, what is left of it is for finishing.
        self._view = DiskView(
            level=level, percent=percent, reserve_kept=kept, takes_new=level != "full" and not self._given_back
        )

    def _give_back(self) -> None:
        if self._reserve.give_back():
            self._given_back = True
            _log.warning("no room: the reserve is given back")


def _level(percent: int, before: DiskLevel) -> DiskLevel:
    """Return the level of a filling, given the level before."""
    for level, begins in LEVELS:
        calm = CALM_PERCENT if _RANK[before] >= _RANK[level] else 0
        if percent >= begins - calm:
            return level
    return "ok"


def _alarm(level: DiskLevel, percent: int) -> AlarmRaised:
    detail = f"{percent} %"
    if level == "full":
        return AlarmRaised(kind="disk_full", detail=detail)
    if level == "nearly_full":
        return AlarmRaised(kind="disk_nearly_full", detail=detail)
    return AlarmRaised(kind="disk_filling", detail=detail)
