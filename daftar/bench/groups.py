"""Group commit: what eight writers reach together, against one alone, on a disk that syncs as slowly as an SD card."""

import statistics
import threading
import time
from pathlib import Path
from typing import Final

from daftar.bench.figures import Figures, Result, figures
from daftar.bench.scratch_box import BODY, ScratchBox
from daftar.bench.slow_disk import slow_syncs

LIMIT: Final = 5.0
"""Least rate of eight writers, in that of one."""
WRITERS: Final = 8
DELAY_MS: Final = 5.0
TURNS: Final = 9


def bench_groups(folder: Path, commits: int) -> Result:
    """Commit so often by one writer and by eight, in turn, on a disk that takes 5 ms more for each sync.

    The note states the same of this disk as it is: how much there is to gain depends on how slow a disk is.
    """
    with slow_syncs(DELAY_MS):
        (folder / "slow").mkdir()
        alone, together = _both(folder / "slow", commits)
    (folder / "own").mkdir()
    own_alone, own_together = _both(folder / "own", commits)
    ratio = _rate(together) / _rate(alone)
    own = [round(_rate(run)) for run in (own_together, own_alone)]
    slow = [round(_rate(run)) for run in (together, alone)]
    return Result(
        bench="groups",
        ratio=round(ratio, 2),
        limit=LIMIT,
        holds=ratio >= LIMIT,
        ours=_waits(together),
        bound=_waits(alone),
        note=f"entries a second of {WRITERS} writers and of one: {slow[0]} and {slow[1]} with {DELAY_MS:g} ms a sync; "
        f"on this disk as it is {own[0]} and {own[1]}, {own[0] / own[1]:.2f} times",
    )


class _Run:
    """What writers did in one turn: each commit's wait, and the time of all."""

    def __init__(self, waits_ns: list[int], whole_ns: int) -> None:
        self.waits_ns = waits_ns
        self.rate = len(waits_ns) / whole_ns * 1e9


def _rate(turns: list[_Run]) -> float:
    """Return the rate of the middle turn: a machine that does something else for a moment spoils one turn only."""
    return statistics.median(turn.rate for turn in turns)


def _waits(turns: list[_Run]) -> Figures:
    return figures([wait for turn in turns for wait in turn.waits_ns])


def _both(folder: Path, commits: int) -> tuple[list[_Run], list[_Run]]:
    with ScratchBox(folder) as box:
        _write(box, WRITERS, WRITERS * 10)
        each = max(WRITERS, commits // TURNS // WRITERS * WRITERS)
        pairs = [(_write(box, 1, each), _write(box, WRITERS, each)) for _ in range(TURNS)]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _write(box: ScratchBox, writers: int, commits: int) -> _Run:
    """Have so many threads commit one after the other, all beginning together."""
    together = threading.Barrier(writers + 1)
    waits: list[list[int]] = [[] for _ in range(writers)]

    def work(own: list[int]) -> None:
        together.wait()
        for _ in range(commits // writers):
            begun = time.perf_counter_ns()
            box.writer.commit_blocking(lambda _: [BODY])
            own.append(time.perf_counter_ns() - begun)

    threads = [threading.Thread(target=work, args=(own,)) for own in waits]
    for thread in threads:
        thread.start()
    together.wait()
    begun = time.perf_counter_ns()
    for thread in threads:
        thread.join()
    return _Run([wait for own in waits for wait in own], time.perf_counter_ns() - begun)
