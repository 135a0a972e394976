"""What a benchmark prints: figures of both sides, their ratio, and whether the stated limit holds."""

import math
import statistics
import time
from collections.abc import Callable, Sequence

import msgspec


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Times of one side in microseconds."""

    median_us: float
    p99_us: float
    count: int


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison. `ratio` is ours to the bound as the benchmark's own text defines it; `limit` is its most."""

    bench: str
    ratio: float
    limit: float
    holds: bool
    ours: Figures
    bound: Figures
    caller: Figures | None = None
    """What whoever asked waits, on another thread than the one that is measured; None where they are the same."""
    note: str = ""


def figures(times_ns: Sequence[int]) -> Figures:
    """Return median and 99th percentile of measured times."""
    ordered = sorted(times_ns)
    return Figures(
        median_us=round(statistics.median(ordered) / 1000, 1),
        p99_us=round(ordered[math.ceil(len(ordered) * 0.99) - 1] / 1000, 1),
        count=len(ordered),
    )


def timed(work: Callable[[], object]) -> int:
    """Return how long a call took, in nanoseconds."""
    begun = time.perf_counter_ns()
    work()
    return time.perf_counter_ns() - begun


def in_turn(ours: Callable[[], object], bound: Callable[[], object], rounds: int) -> tuple[list[int], list[int]]:
    """Time both sides in turn, so that a machine that slows down slows both."""
    pairs = [(timed(ours), timed(bound)) for _ in range(rounds)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
