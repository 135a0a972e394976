"""The box's timetable: what is done unasked, and how often. No logic: each line is one call of a use case.

Pauses are running time. A box without a clock of its own starts in 1970 and jumps by decades when the line comes up, or
years back when a battery is changed: a timetable of wall times would then make up for millions of missed calls, or wait
years for the next one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final

import structlog

from shared.clock import Clock

RESTART_FIRST_MS: Final = 500
RESTART_LONGEST_MS: Final = 60_000
"""Pauses before a part that failed is started again: short once, longer while it fails each time."""

Job = Callable[[], Awaitable[None]]

_log = structlog.get_logger()


async def every(pause_s: float, name: str, job: Job) -> None:
    """Call the job for ever, each call `pause_s` after the end of the one before. What it raises ends only the call."""
    while True:
        await asyncio.sleep(pause_s)
        try:
            await job()
        except Exception:  # noqa: BLE001 - the next call may succeed; a job must not end its timetable
            _log.exception("a job failed", job=name)


async def keep_running(name: str, start: Callable[[], Coroutine[None, None, None]], clock: Clock) -> None:
    """Run a part of the box for as long as the box runs: one that fails is started again, and the log says so."""
    pause_ms = RESTART_FIRST_MS
    while True:
        began_ms = clock.monotonic_ms()
        try:
            await start()
        except Exception:  # noqa: BLE001 - whatever it was, an office without this part is worse off
            _log.exception("a part of the box failed; it is started again", part=name, pause_ms=pause_ms)
        if clock.monotonic_ms() - began_ms > RESTART_LONGEST_MS:
            pause_ms = RESTART_FIRST_MS
        await asyncio.sleep(pause_ms / 1000)
        pause_ms = min(2 * pause_ms, RESTART_LONGEST_MS)


async def end(task: asyncio.Task[None]) -> None:
    """Cancel a part that runs, and wait for its end."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def timetable(
    *,
    ask_in_doubt: Job,
    doubt_every_s: float,
    look_at_printer: Job,
    device_check_every_s: float,
    journal_people: Job,
) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
    """Return what is to run as tasks for as long as the box does, by name."""
    return {
        "ask about payments in doubt": lambda: every(doubt_every_s, "ask about payments in doubt", ask_in_doubt),
        "look at the printer": lambda: every(device_check_every_s, "look at the printer", look_at_printer),
        "journal people": lambda: every(device_check_every_s, "journal people", journal_people),
    }
