"""Simulating offices' days, one after another, each by its own seed."""

import gc
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging import CRITICAL
from pathlib import Path
from time import process_time
from typing import Any

import msgspec
import structlog

from daftar.lab.recording import scratch
from daftar.lab.simulation.box_run import simulated
from daftar.lab.simulation.closing import judge
from daftar.lab.simulation.misfortunes import misfortunes
from daftar.lab.simulation.movable_disk import MovableDisk
from daftar.lab.simulation.office import Office


class DayTally(msgspec.Struct):
    """What was simulated and found."""

    days: int = 0
    virtual_s: float = 0.0
    cpu_s: float = 0.0
    payments: int = 0
    payments_least: int = 1_000_000
    charges: int = 0
    papers: int = 0
    counts: Counter[str] = msgspec.field(default_factory=Counter)
    violations: list[tuple[int, str]] = msgspec.field(default_factory=list)
    digests: list[str] = msgspec.field(default_factory=list)

    def add(self, office: Office) -> None:
        """Count a day."""
        truth = office.truth
        payments = truth.counts["payment.requested"]
        self.days += 1
        self.virtual_s += office.loop.time()
        self.payments += payments
        self.payments_least = min(self.payments_least, payments)
        self.charges += len(truth.charges)
        self.papers += truth.papers
        self.counts += truth.counts
        self.violations += [(office.seed, what) for what in truth.violations]
        self.digests.append(truth.digest())

    def as_json(self) -> bytes:
        """Return the figures in one line. Times are in seconds; `cpu_s` is this process's own."""
        return msgspec.json.encode(
            {
                "days": self.days,
                "days_a_minute": round(60 * self.days / self.cpu_s, 1) if self.cpu_s else None,
                "cpu_s": round(self.cpu_s, 1),
                "virtual_s": round(self.virtual_s),
                "payments": self.payments,
                "payments_least": self.payments_least,
                "charges": self.charges,
                "papers": self.papers,
                "violations": len(self.violations),
                "counts": dict(sorted(self.counts.items())),
            }
        )


def simulate(
    days: int, seed: int, progress: Callable[[DayTally], None] = lambda _: None, *, stop_at_first: bool = False
) -> DayTally:
    """Live through so many days, the first of this seed."""
    tally = DayTally()
    with simulated(), scratch() as folder, MovableDisk().in_use() as disks, _quiet():
        began_s = process_time()
        for number in range(seed, seed + days):
            _day(number, folder / str(number), disks, tally)
            # A tenth faster than every few days: memory that was used just now is nearer than new memory.
            gc.collect()
            tally.cpu_s = process_time() - began_s
            progress(tally)
            if stop_at_first and tally.violations:
                break
    return tally


def _day(seed: int, place: Path, disks: MovableDisk, tally: DayTally) -> None:
    place.mkdir()
    office = Office(seed, place, disks)
    office.day(misfortunes, judge)
    tally.add(office)
    shutil.rmtree(place)


@contextmanager
def _quiet() -> Iterator[None]:
    """Collect what was ended between days only, and let it end in silence: it is meant to be broken off."""
    hook = sys.unraisablehook
    was_on, were_frozen = gc.isenabled(), gc.get_freeze_count() > 0
    gc.disable()
    gc.freeze()
    sys.unraisablehook = lambda _: None
    logging = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(CRITICAL), processors=[_dropped])
    try:
        yield
    finally:
        # Twice: what the first one closes lets go of more.
        gc.collect()
        gc.collect()
        structlog.configure(**logging)
        sys.unraisablehook = hook
        if was_on:
            gc.enable()
        if not were_frozen:
            gc.unfreeze()


def _dropped(*_: Any) -> Any:
    raise structlog.DropEvent
