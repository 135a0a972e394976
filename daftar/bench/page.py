"""The payment's page and the history's, over HTTP: against a bare page, and with a journal a thousand times as long."""

import socket
from pathlib import Path
from typing import Final, NamedTuple

from daftar.bench.bulk import ENTRIES_OF_PAYMENT, payment_id
from daftar.bench.figures import Figures, Result, figures
from daftar.bench.grown_box import grown_box
from daftar.bench.served import Browser, Serving, serve_box, serving
from edge.settings import STORE_NAME

LIMIT: Final = 4.0
"""Most times that a page of ours may take of what a bare one takes."""
GROWTH_LIMIT: Final = 1.3
"""Most times that it may take with the long journal of what it takes with the short one."""
_WARM: Final = 30


def bench_page(folder: Path, entries: int, short: int, rounds: int) -> Result:
    """Ask for pages of two boxes and for a bare one, in turn: whatever slows the machine slows all of them.

    No terminal is there, so that nothing but the page's own work is measured.
    """
    long_home, short_home = grown_box(folder, entries), grown_box(folder, short)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    bare_command = ["daftar.bench.bare_page", str(long_home / STORE_NAME), str(port)]
    with serve_box(long_home) as grown, serve_box(short_home) as young, serving(bare_command, port) as bare:
        browsers = [Browser(grown.port), Browser(young.port), Browser(port)]
        for browser in browsers[:2]:
            browser.sign_in()
        middle = [payment_id(size // ENTRIES_OF_PAYMENT // 2) for size in (entries, short)]
        asked = {
            "payment": _Asked(grown, browsers[0], f"/payments/{middle[0]}"),
            "history": _Asked(grown, browsers[0], "/history/payments"),
            "payment, short": _Asked(young, browsers[1], f"/payments/{middle[1]}"),
            "history, short": _Asked(young, browsers[1], "/history/payments"),
            "bare": _Asked(bare, browsers[2], f"/payments/{middle[0]}"),
        }
        times = _in_turn(asked, rounds)
        for browser in browsers:
            browser.close()
    return _result(times)


class _Asked(NamedTuple):
    """A page, and the program that serves it."""

    server: Serving
    browser: Browser
    path: str


def _in_turn(asked: dict[str, _Asked], rounds: int) -> dict[str, Figures]:
    """Return how long processors worked for each page: its own time, on a busy machine too."""
    times: dict[str, list[int]] = {name: [] for name in asked}
    for turn in range(_WARM + rounds):
        for name, (server, browser, path) in asked.items():
            before = server.worked_ns()
            browser.get(path)
            took = server.worked_ns() - before
            if turn >= _WARM:
                times[name].append(took)
    return {name: figures(found) for name, found in times.items()}


def _result(found: dict[str, Figures]) -> Result:
    bare = found["bare"].median_us
    ratios = {name: found[name].median_us / bare for name in ("payment", "history")}
    growths = {name: found[name].median_us / found[f"{name}, short"].median_us for name in ratios}
    slower = max(ratios, key=lambda name: ratios[name])
    pages = "; ".join(
        f"{name} {found[name].median_us} us, {ratios[name]:.2f} times a bare page, {growths[name]:.2f} times that of "
        f"the short journal"
        for name in ratios
    )
    return Result(
        bench="page",
        ratio=round(ratios[slower], 2),
        limit=LIMIT,
        holds=ratios[slower] <= LIMIT and max(growths.values()) <= GROWTH_LIMIT,
        ours=found[slower],
        bound=found["bare"],
        note=f"{pages}; growth may be {GROWTH_LIMIT}",
    )
