"""A durable, signed append against the bare bound: the same bytes in one INSERT and one fsync of the same disk."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import apsw

from daftar.bench.figures import Result, figures, timed
from daftar.bench.scratch_box import BODY, ScratchBox
from edge.journal.writer import JournalWriter
from edge.store.journal_store import SqliteJournalStore
from shared.journal.entry import JOURNAL_PAYLOAD, pre_authentication

LIMIT: Final = 1.5
"""Most times the bound that the median may take, after the time of one signature."""
_BARE: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "CREATE TABLE entry (entry_index INTEGER PRIMARY KEY, data BLOB, signature BLOB) STRICT",
)


class _Store(SqliteJournalStore):
    """The product's store; when a commit was durable is noted."""

    durable_ns = 0

    def commit(self) -> None:
        super().commit()
        self.durable_ns = time.perf_counter_ns()


class _Writer(JournalWriter):
    """The product's writer; how long its thread worked for each commit is noted: all of it until it was durable."""

    _store: _Store

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.took_ns: list[int] = []

    def _commit_group(self, group: list[Any]) -> None:
        begun = time.perf_counter_ns()
        super()._commit_group(group)
        self.took_ns.append(self._store.durable_ns - begun)


class _Box(ScratchBox):
    store_type = _Store
    writer_type = _Writer
    writer: _Writer


def bench_journal(folder: Path, rounds: int) -> Result:
    """Append `rounds` entries one by one, each durable before the next; compare with bare inserts in turn.

    Ours is the time of the thread that does the append, as the bound's is. Another thread that waits for it, beside,
    is `caller`. Both disks' logs have begun anew before: a file that grows takes longer to sync than one written over.
    """
    with _Box(folder) as box:

        def ours() -> None:
            box.writer.commit_blocking(lambda _: [BODY])

        ours()
        data, signature = box.queries.entries(box.queries.size() - 1, 1)[0]
        message = pre_authentication(JOURNAL_PAYLOAD, data)
        bare = apsw.Connection(str(folder / "bare.sqlite"))
        for statement in _BARE:
            bare.execute(statement)

        def bound() -> None:
            bare.execute("INSERT INTO entry (data, signature) VALUES (?, ?)", (data, signature))

        def sign() -> None:
            box.signer.sign(message)

        _commit_until_log_begins_anew(ours, folder / "box.sqlite-wal")
        _commit_until_log_begins_anew(bound, folder / "bare.sqlite-wal")
        box.writer.took_ns.clear()
        turns = [(timed(ours), timed(bound), timed(sign)) for _ in range(rounds)]
        bare.close()
    caller, least, signing = (figures(times) for times in zip(*turns, strict=True))
    mine = figures(box.writer.took_ns)
    ratio, caller_ratio = ((one.median_us - signing.median_us) / least.median_us for one in (mine, caller))
    return Result(
        bench="journal",
        ratio=round(ratio, 2),
        limit=LIMIT,
        holds=ratio <= LIMIT,
        ours=mine,
        bound=least,
        caller=caller,
        note=f"one signature takes {signing.median_us} us; this disk's bare commit {least.median_us} us; a caller on "
        f"another thread waits {caller.median_us} us, {caller_ratio:.2f} times",
    )


def _commit_until_log_begins_anew(commit: Callable[[], None], log: Path) -> None:
    size = -1
    while (found := log.stat().st_size) > size:
        size = found
        commit()
