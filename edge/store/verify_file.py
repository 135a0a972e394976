"""Checking a box's whole journal on all the cores there are: parts of it side by side, each by a process of its own.

A part begins with the tree as it is stored; the part before it checks that this is what its entries give. So the parts
together prove what one check from the first entry to the last does.
"""

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Final, NamedTuple

from edge.journal.verify import verify_journal
from edge.journal.views import Identity
from edge.store.queries import Queries

PARTS_OF_EACH: Final = 4
"""Parts for each process: the last to finish does not keep the others waiting long."""
PART_MIN: Final = 2_000
"""Entries that are worth a process."""


class _Part(NamedTuple):
    path: Path
    journal_id: str
    opening_key: bytes
    first: int
    until: int


def verify_file(path: Path, *, processes: int | None = None) -> int:
    """Check the whole journal of a box's file as `verify_journal` does; return its size.

    `processes` is by default the number of cores. The file may be in use. Raises what `verify_journal` raises, of the
    first part that does not hold.
    """
    queries = Queries(path)
    try:
        identity: Identity = queries.identity()
        size = queries.size()
    finally:
        # Closed before processes are made: a connection to SQLite must not be carried into another process.
        queries.close()
    processes = processes or os.cpu_count() or 1
    width = max(PART_MIN, -(-size // (processes * PARTS_OF_EACH)))
    key = bytes.fromhex(identity.public_key)
    parts = [_Part(path, identity.journal_id, key, first, min(first + width, size)) for first in range(0, size, width)]
    if processes == 1 or len(parts) == 1:
        for part in parts:
            _verify_part(part)
        return size
    with ProcessPoolExecutor(min(processes, len(parts)), mp_context=_context()) as pool:
        for _ in pool.map(_verify_part, parts):
            pass
    return size


def _verify_part(part: _Part) -> None:
    queries = Queries(part.path)
    try:
        verify_journal(queries, part.journal_id, part.opening_key, first=part.first, until=part.until)
    finally:
        queries.close()


def _context() -> BaseContext:
    """Return how processes are made: quickly where this one has a single thread, else from nothing."""
    return multiprocessing.get_context("fork" if threading.active_count() == 1 else "spawn")
