"""Full verification of a journal against its bare work: hashing the same bytes, checking the same signatures."""

import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from daftar.bench.figures import Figures, Result
from daftar.bench.scratch_box import ScratchBox
from edge.journal.verify import verify_journal
from shared.events import AlarmRaised
from shared.journal.entry import JOURNAL_PAYLOAD, leaf_hash, pre_authentication

LIMIT = 0.8
"""Least share of the bare rate that verification must reach."""
_BATCH = 500


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def bench_verify(folder: Path, entries: int) -> Result:
    """Verify a journal of that many entries from its first; compare with hash and signature of each, in memory."""
    with ScratchBox(folder) as box:
        body = AlarmRaised(kind="bench", payment_id="p" + "a" * 20, detail="x" * 120)
        while box.queries.size() < entries:
            box.writer.commit_blocking(lambda _: [body] * _BATCH)
        size = box.queries.size()
        stored = [pair for first in range(0, size, _BATCH) for pair in box.queries.entries(first, _BATCH)]

        key = Ed25519PublicKey.from_public_bytes(box.signer.public_key)

        def bare() -> None:
            for data, signature in stored:
                leaf_hash(data)
                key.verify(signature, pre_authentication(JOURNAL_PAYLOAD, data))

        least = _seconds(bare)
        mine = _seconds(lambda: verify_journal(box.queries, "bench", box.signer.public_key))
    ratio = least / mine
    return Result(
        bench="verify",
        ratio=round(ratio, 2),
        limit=LIMIT,
        holds=ratio >= LIMIT,
        ours=Figures(median_us=round(mine / size * 1e6, 1), p99_us=0, count=size),
        bound=Figures(median_us=round(least / size * 1e6, 1), p99_us=0, count=size),
        note=f"{size / mine:.0f} entries a second on one core; the bare rate is {size / least:.0f}",
    )
