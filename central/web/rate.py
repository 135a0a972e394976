"""How often one address may ask a public page: so many in a minute, counted in memory by each process."""

import threading
from collections import OrderedDict
from typing import Final

from shared.clock import Clock
from shared.errors import OperatorError

WINDOW_MS: Final = 60_000
ADDRESSES_MAX: Final = 10_000
"""Addresses that are remembered; beyond that the one that was silent longest is forgotten."""


class RateLimit:
    """Counts questions by address over fixed minutes."""

    def __init__(self, clock: Clock, *, most: int) -> None:
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def check(self, address: str) -> None:
        """Count a question. Raises OperatorError `web.too_often` with the seconds to wait."""
        now = self._clock.monotonic_ms()
        with self._lock:
            since, count = self._seen.pop(address, (now, 0))
            if now - since >= WINDOW_MS:
                since, count = now, 0
            self._seen[address] = (since, count + 1)
            if len(self._seen) > ADDRESSES_MAX:
                self._seen.popitem(last=False)
        if count >= self._most:
            raise OperatorError("web.too_often", seconds=(WINDOW_MS - (now - since)) // 1000 + 1)
