"""The same request of a program, twice, is answered once: by its key, whose body must be the same too.

What a request makes gets its name from the request, not from chance. So a box that went down after the work was
journaled and before the answer was kept makes nothing a second time: the work finds its own name and returns it.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from typing import Final
from weakref import WeakValueDictionary

import structlog

from edge.store.people import People
from shared.entropy import random_name
from shared.errors import DaftarError, DeviceError

log = structlog.get_logger()

_PURPOSE: Final = b"daftar name of a request v1"

Work = Callable[[str], Awaitable[bytes]]
"""Does what is asked and returns the answer. It is given the name, without a prefix, of what it makes."""


class _Derived:
    """Bytes that follow from a request."""

    def __init__(self, *parts: bytes) -> None:
        self._seed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)

    def token_bytes(self, size_bytes: int) -> bytes:
        return hashlib.shake_256(self._seed).digest(size_bytes)


class Idempotent:
    """Keeps the answer of each key, durable before the caller hears it."""

    def __init__(self, people: People, journal_id: str) -> None:
        self._people = people
        self._journal_id = journal_id
        # A lock lives as long as somebody waits for it: keys are made up by whoever calls.
        self._running: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def run(self, key: str, request_sha256: bytes, caller: str, work: Work) -> bytes:
        """Return the kept answer of (caller, key), or work and keep it.

        Raises OperatorError `api.idempotency_conflict` when the key came with another body before.
        """
        lock = self._running.setdefault((caller, key), asyncio.Lock())
        async with lock:
            kept = self._people.begin_request(caller, key, request_sha256)
            if kept is not None:
                return kept
            try:
                answer = await work(self._name(key, request_sha256, caller))
            except DaftarError:
                with contextlib.suppress(DeviceError):
                    self._people.abandon_request(caller, key)
                raise
            try:
                self._people.finish_request(caller, key, answer)
            except DeviceError:
                # The work stands and has its name: a repeat finds it.
                log.exception("answer of a key not kept", caller=caller)
        return answer

    def _name(self, key: str, request_sha256: bytes, caller: str) -> str:
        # With the journal's name: another box of the office may one day be sent the same key.
        seed = _Derived(_PURPOSE, self._journal_id.encode(), caller.encode(), key.encode(), request_sha256)
        return random_name(seed, "")
