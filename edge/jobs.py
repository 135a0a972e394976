"""The box's timetable: what is done unasked, and how often. No logic: each line is one call of a use case."""

from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

_TEHRAN = ZoneInfo("Asia/Tehran")

Job = Callable[[], Awaitable[None]]


def timetable(
    *, ask_in_doubt: Job, doubt_every_s: int, look_at_printer: Job, device_check_every_s: int
) -> AsyncIOScheduler:
    """Return the scheduler, not started. A job that is still running when its time comes again is not started twice."""
    scheduler = AsyncIOScheduler(timezone=_TEHRAN, job_defaults={"coalesce": True, "max_instances": 1})
    scheduler.add_job(
        ask_in_doubt, IntervalTrigger(seconds=doubt_every_s, timezone=_TEHRAN), id="ask about payments in doubt"
    )
    scheduler.add_job(
        look_at_printer, IntervalTrigger(seconds=device_check_every_s, timezone=_TEHRAN), id="look at the printer"
    )
    return scheduler
