"""A box's cold start, with a long journal and with a short one; and its memory at rest."""

import statistics
from pathlib import Path
from typing import Final

from daftar.bench.figures import Result, figures
from daftar.bench.grown_box import grown_box
from daftar.bench.served import Browser, Serving, serve_box

LIMIT: Final = 1.5
"""Most times that the start with the long journal may take of that with the short one."""
RSS_LIMIT_MIB: Final = 150
_MIB: Final = 1024 * 1024
_PAGES: Final = ("/", "/history/payments", "/terminal")
_ASKED: Final = 20


def bench_start(folder: Path, entries: int, short: int, turns: int) -> Result:
    """Start both boxes in turn, each out of the machine's cache, until they answer; then look at their memory."""
    homes = [grown_box(folder, size) for size in (entries, short)]
    starts: list[list[int]] = [[], []]
    worked: list[list[float]] = [[], []]
    memory: list[list[int]] = [[], []]
    for _ in range(turns):
        for place, home in enumerate(homes):
            with serve_box(home) as box:
                starts[place].append(int(box.start_s * 1e9))
                worked[place].append(box.start_worked_s)
                memory[place].append(_at_rest(box))
    long, brief = figures(starts[0]), figures(starts[1])
    rss = [statistics.median(each) / _MIB for each in memory]
    ratio = long.median_us / brief.median_us
    by_work = statistics.median(worked[0]) / statistics.median(worked[1])
    return Result(
        bench="start",
        ratio=round(ratio, 2),
        limit=LIMIT,
        holds=ratio <= LIMIT and max(rss) < RSS_LIMIT_MIB,
        ours=long,
        bound=brief,
        note=f"by the processors' own time {by_work:.2f}; memory after {_ASKED * len(_PAGES)} pages {rss[0]:.0f} MiB, "
        f"{rss[1]:.0f} MiB with the short journal; it may be {RSS_LIMIT_MIB}",
    )


def _at_rest(box: Serving) -> int:
    """Return the memory of a box after an operator has looked at its pages."""
    browser = Browser(box.port)
    browser.sign_in()
    for _ in range(_ASKED):
        for path in _PAGES:
            browser.get(path)
    browser.close()
    return box.rss_bytes()
