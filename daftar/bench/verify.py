"""Full verification of a box's journal against its bare work: hashing the same bytes, checking the same signatures."""

import multiprocessing
import multiprocessing.synchronize
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from daftar.bench.figures import Figures, Result
from daftar.bench.scratch_box import ScratchBox, fill
from edge.store.queries import Queries
from edge.store.verify_file import verify_file
from shared.journal.entry import JOURNAL_PAYLOAD, leaf_hash, pre_authentication

LIMIT: Final = 0.8
"""Least share of the bare rate that verification must reach."""
TURNS: Final = 3
_READ: Final = 1_000


def bench_verify(folder: Path, entries: int, turns: int = TURNS) -> Result:
    """Verify a journal of that many entries from its first, on all cores: from its file, processes and all.

    The bare side has its entries in memory before the clock starts, and shares them among as many processes.
    """
    with ScratchBox(folder) as box:
        fill(box, entries)
        size = box.queries.size()
        path, key = box.path, box.signer.public_key
    cores = os.cpu_count() or 1
    pairs = [(_bare(path, key, size, cores), _took(lambda: verify_file(path))) for _ in range(turns)]
    # The best turn of each: what is measured is the work, not what else the machine was asked to do meanwhile.
    least, ours = min(bare.seconds for bare, _ in pairs), min(mine.seconds for _, mine in pairs)
    ratio = least / ours
    worked = min(bare.worked_s for bare, _ in pairs) / min(mine.worked_s for _, mine in pairs)
    return Result(
        bench="verify",
        ratio=round(ratio, 2),
        limit=LIMIT,
        holds=ratio >= LIMIT,
        ours=Figures(median_us=round(ours / size * 1e6, 1), p99_us=0, count=size),
        bound=Figures(median_us=round(least / size * 1e6, 1), p99_us=0, count=size),
        note=f"{size / ours:.0f} entries a second on {cores} cores; the bare rate is {size / least:.0f}; "
        f"by the processors' own time, which other programs do not lengthen, {worked:.2f}",
    )


class _Took(NamedTuple):
    """How long something took by the clock on the wall, and how long processors worked for it."""

    seconds: float
    worked_s: float


def _took(work: Callable[[], object]) -> _Took:
    """Measure a call, the processes that it begins and ends included."""
    before, begun = os.times(), time.perf_counter()
    work()
    seconds, after = time.perf_counter() - begun, os.times()
    return _Took(seconds, sum(after[:4]) - sum(before[:4]))


def _bare(path: Path, key: bytes, size: int, cores: int) -> _Took:
    """Return how long as many processes as cores take to hash and check all entries, each its share."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(cores)
    took: multiprocessing.SimpleQueue[_Took] = context.SimpleQueue()
    width = -(-size // cores)
    workers = [
        context.Process(target=_hash_and_check, args=(path, key, range(first, min(first + width, size)), ready, took))
        for first in range(0, size, width)
    ]
    for worker in workers:
        worker.start()
    shares = [took.get() for _ in workers]
    for worker in workers:
        worker.join()
    return _Took(max(share.seconds for share in shares), sum(share.worked_s for share in shares))


def _hash_and_check(
    path: Path,
    public_key: bytes,
    share: range,
    ready: multiprocessing.synchronize.Barrier,
    took: "multiprocessing.SimpleQueue[_Took]",
) -> None:
    queries = Queries(path)
    stored = [
        pair
        for first in range(share.start, share.stop, _READ)
        for pair in queries.entries(first, min(_READ, share.stop - first))
    ]
    queries.close()
    key = Ed25519PublicKey.from_public_bytes(public_key)

    def work() -> None:
        for data, signature in stored:
            leaf_hash(data)
            key.verify(signature, pre_authentication(JOURNAL_PAYLOAD, data))

    ready.wait()
    took.put(_took(work))
