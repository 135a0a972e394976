"""How often somebody may ask a public page: so many in a minute under one name, counted in memory by each process."""

import threading
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address
from typing import Final

from shared.clock import Clock
from shared.errors import OperatorError

WINDOW_MS: Final = 60_000
NAMES_MAX: Final = 10_000
"""Names that are remembered; beyond that the one that was silent longest is forgotten."""
_NETWORK_BITS: Final = 64


class RateLimit:
    """Counts questions by name over fixed minutes."""

    def __init__(self, clock: Clock, *, most: int) -> None:
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def check(self, name: str) -> None:
        """Count a question. Raises OperatorError `web.too_often` with the seconds to wait."""
        now = self._clock.monotonic_ms()
        with self._lock:
            since, count = self._seen.pop(name, (now, 0))
            if now - since >= WINDOW_MS:
                since, count = now, 0
            self._seen[name] = (since, count + 1)
            if len(self._seen) > NAMES_MAX:
                self._seen.popitem(last=False)
        if count >= self._most:
            raise OperatorError("web.too_often", seconds=(WINDOW_MS - (now - since)) // 1000 + 1)


def network_of(address: str) -> str:
    """Return whom an address stands for: itself, or of IPv6 its network, for one house has 2^64 addresses."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv6Address):
        return str(known.ipv4_mapped or int(known) >> _NETWORK_BITS)
    return address
