"""A durable, signed append against the bare bound: the same bytes in one INSERT and one fsync of the same disk."""

from pathlib import Path

import apsw

from daftar.bench.figures import Result, figures, in_turn, timed
from daftar.bench.scratch_box import BODY, ScratchBox
from shared.journal.entry import JOURNAL_PAYLOAD, pre_authentication

LIMIT = 1.5
"""Most times the bound that the median may take, after the time of one signature."""


def bench_journal(folder: Path, rounds: int) -> Result:
    """Append `rounds` entries one by one, each durable before the next; compare with bare inserts in turn."""
    with ScratchBox(folder) as box:
        data, signature = box.queries.entries(0, 1)[0]
        message = pre_authentication(JOURNAL_PAYLOAD, data + b"x" * 200)
        bare = apsw.Connection(str(folder / "bare.sqlite"))
        bare.execute("PRAGMA journal_mode = WAL")
        bare.execute("PRAGMA synchronous = FULL")
        bare.execute("CREATE TABLE entry (entry_index INTEGER PRIMARY KEY, data BLOB, signature BLOB) STRICT")

        def ours() -> None:
            box.writer.commit_blocking(lambda _: [BODY])

        def bound() -> None:
            bare.execute("INSERT INTO entry (data, signature) VALUES (?, ?)", (data + b"x" * 200, signature))

        for _ in range(min(50, rounds)):
            ours()
            bound()
        times, bound_times = in_turn(ours, bound, rounds)
        signing = figures([timed(lambda: box.signer.sign(message)) for _ in range(500)])
        bare.close()
    mine, least = figures(times), figures(bound_times)
    ratio = (mine.median_us - signing.median_us) / least.median_us
    return Result(
        bench="journal",
        ratio=round(ratio, 2),
        limit=LIMIT,
        holds=ratio <= LIMIT,
        ours=mine,
        bound=least,
        note=f"one signature takes {signing.median_us} us; this disk's bare commit {least.median_us} us",
    )
