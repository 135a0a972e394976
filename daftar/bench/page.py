"""The payment's page and the history's, over HTTP: against a bare page, and with a journal a thousand times as long.

The history is asked for as it is, and searched and narrowed: by words, numbers, days, what became of it.

Something is written before each page, and each time it is another payment's: what a box keeps of the last page is of
no more use here than at a counter where somebody works.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlencode

import apsw

from daftar.bench.bulk import ENTRIES_OF_PAYMENT, payment_id
from daftar.bench.figures import Figures, Result, figures
from daftar.bench.grown_box import grown_box
from daftar.bench.served import Browser, Serving, serve_box, serving
from edge.settings import STORE_NAME

LIMIT: Final = 4.0
"""Most times that a page of ours may take of what a bare one takes."""
GROWTH_LIMIT: Final = 1.3
"""Most times that it may take with the long journal of what it takes with the short one."""
FOUND_GROWTH_LIMIT: Final = 2.0
"""The same of what was searched: the index of a long journal lies in more parts, by the logarithm of its length."""
FOUND_LIMIT: Final = 10.0
"""Most times that a page may take that was searched or narrowed: somebody typed for longer than that."""
_FOUND: Final = frozenset({"searched", "named", "narrowed", "acts"})
WARM: Final = 30
"""Rounds that are not counted."""


def bench_page(folder: Path, entries: int, short: int, rounds: int, warm: int = WARM) -> Result:
    """Ask for pages of two boxes and for a bare one, in turn: whatever slows the machine slows all of them.

    No terminal is there, so that nothing but the page's own work is measured; the first `warm` rounds are not.
    """
    sizes = {"": entries, ", short": short}
    homes = {which: grown_box(folder, size) for which, size in sizes.items()}
    with ExitStack() as opened:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        bare = opened.enter_context(serving(["daftar.bench.bare_page", str(homes[""] / STORE_NAME), str(port)], port))
        servers = {which: opened.enter_context(serve_box(home)) for which, home in homes.items()}
        # All serve by now: a connection that is idle for seconds is closed by them.
        asked: dict[str, _Asked] = {}
        for which, server in servers.items():
            browser = opened.enter_context(Browser(server.port))
            browser.sign_in()
            write = opened.enter_context(_writing(homes[which] / STORE_NAME))
            for name, path in _paths(sizes[which]).items():
                asked[name + which] = _Asked(server, browser, path, write)
        browser = opened.enter_context(Browser(port))
        asked["bare"] = _Asked(bare, browser, asked["payment"].path, asked["payment"].write)
        return _result(_in_turn(asked, rounds, warm))


class _Asked(NamedTuple):
    """A page, and the program that serves it."""

    server: Serving
    browser: Browser
    path: Callable[[int], str]
    """Its address in a turn: another one in each."""
    write: Callable[[], object]
    """Writes something into the box's file."""


_NAMED: Final = urlencode({"q": "قبض تلفن"})
"""Words that every payment of the box is found by."""
_NARROWED: Final = urlencode(
    {"category": "bills", "state": "paid", "since": "1404/11/20", "until": "1406/02/03", "terminal": "t"}
)


def _paths(entries: int) -> dict[str, Callable[[int], str]]:
    """Return the pages of a box: a payment, the newest ones, and those before some payment."""
    count = entries // ENTRIES_OF_PAYMENT

    def payment(turn: int) -> str:
        return f"/payments/{payment_id(count // 2 - turn % (count // 2))}"

    def older(turn: int) -> str:
        return f"/history/payments?before={entries // 2 + turn % (entries // 4)}&row=21"

    def searched(turn: int) -> str:
        return f"/history/payments?q={count // 2 - turn % (count // 2):012}"

    def named(turn: int) -> str:
        return f"/history/payments?{_NAMED}&before={entries // 2 + turn % (entries // 4)}&row=21"

    def narrowed(turn: int) -> str:
        return f"/history/payments?{_NARROWED}&before={entries // 2 + turn % (entries // 4)}&row=21"

    return {
        "payment": payment,
        "history": lambda _: "/history/payments",
        "older": older,
        "searched": searched,
        "named": named,
        "narrowed": narrowed,
        "acts": lambda turn: f"/history/acts?before={entries // 2 + turn % (entries // 4)}&row=21",
    }


@contextmanager
def _writing(path: Path) -> Iterator[Callable[[], object]]:
    """Give what writes into a box's file, beside the box, what stands in it already."""
    connection = apsw.Connection(str(path))
    try:
        yield lambda: connection.execute("UPDATE exchange_state SET quarantined = quarantined")
    finally:
        connection.close()


def _in_turn(asked: dict[str, _Asked], rounds: int, warm: int) -> dict[str, Figures]:
    """Return how long processors worked for each page: its own time, on a busy machine too."""
    times: dict[str, list[int]] = {name: [] for name in asked}
    for turn in range(warm + rounds):
        for name, (server, browser, path, write) in asked.items():
            write()
            before = server.worked_ns()
            browser.get(path(turn))
            took = server.worked_ns() - before
            if turn >= warm:
                times[name].append(took)
    return {name: figures(found) for name, found in times.items()}


def _result(found: dict[str, Figures]) -> Result:
    bare = found["bare"].median_us
    ratios = {name: found[name].median_us / bare for name in found if name != "bare" and not name.endswith("short")}
    growths = {name: found[name].median_us / found[f"{name}, short"].median_us for name in ratios}
    growing = {name: FOUND_GROWTH_LIMIT if name in _FOUND else GROWTH_LIMIT for name in ratios}
    limits = {name: FOUND_LIMIT if name in _FOUND else LIMIT for name in ratios}
    slower = max(ratios, key=lambda name: ratios[name] / limits[name])
    pages = "; ".join(
        f"{name} {found[name].median_us} us, {ratios[name]:.2f} times a bare page, {growths[name]:.2f} times that of "
        f"the short journal"
        for name in ratios
    )
    return Result(
        bench="page",
        ratio=round(ratios[slower], 2),
        limit=limits[slower],
        holds=ratios[slower] <= limits[slower] and all(growths[name] <= growing[name] for name in ratios),
        ours=found[slower],
        bound=found["bare"],
        note=f"{pages}; growth may be {GROWTH_LIMIT}, of what is searched {FOUND_GROWTH_LIMIT}",
    )
