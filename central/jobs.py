"""Central's timetable. Jobs only wake work whose state is in the database: a missed or doubled call harms nothing."""

from collections.abc import Callable
from datetime import UTC
from typing import Final

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

PROVIDER_EVERY_S: Final = 1
REPOST_EVERY_S: Final = 300
ANSWER_EVERY_S: Final = 20
MESSAGE_EVERY_S: Final = 5

_log = structlog.get_logger()


class Timetable:
    """Runs jobs in threads, each never beside itself."""

    def __init__(self) -> None:
        self._scheduler = BackgroundScheduler(timezone=UTC)

    def every(self, seconds: int, name: str, work: Callable[[], object]) -> None:
        """Call `work` every so many seconds; a call that is late is made once."""

        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - the next call may succeed; a job must not end its timetable
                _log.error("job failed", job=name, exc_info=error)

        self._scheduler.add_job(
            run, IntervalTrigger(seconds=seconds, timezone=UTC), id=name, coalesce=True, max_instances=1
        )

    def start(self) -> None:
        """Start calling."""
        self._scheduler.start()

    def stop(self) -> None:
        """Call nothing more, and return when what runs has ended."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
