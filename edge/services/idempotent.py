"""The same request of a program, twice, is answered once: by its key, whose body must be the same too."""

import asyncio
from collections.abc import Awaitable, Callable

from edge.store.people import People
from shared.errors import DaftarError


class Idempotent:
    """Keeps the answer of each key, durable before the caller hears it."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._running: dict[tuple[str, str], asyncio.Lock] = {}

    async def run(self, key: str, request_sha256: bytes, caller: str, run: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return the kept answer of (caller, key), or run and keep it.

        Raises OperatorError `api.idempotency_conflict` when the key came with another body before.
        """
        lock = self._running.setdefault((caller, key), asyncio.Lock())
        async with lock:
            kept = self._people.begin_request(caller, key, request_sha256)
            if kept is not None:
                return kept
            try:
                answer = await run()
            except DaftarError:
                self._people.abandon_request(caller, key)
                raise
            self._people.finish_request(caller, key, answer)
        self._running.pop((caller, key), None)
        return answer
