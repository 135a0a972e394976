"""Central's address: asked of the system by one question at a time, in a thread of its own.

With a dead line the system lets such a question hang for half a minute, longer than anybody here waits for it. Asked
from the threads that all of the box shares, as clients do by themselves, a question every few seconds takes them all:
for want of a line nobody could sign in, and no paper would be made.
"""

import asyncio
import contextlib
import ipaddress
import socket
import threading
from urllib.parse import urlsplit


class CentralAddress:
    """Whether central's name has an address just now. Belongs to one event loop."""

    def __init__(self, central_url: str) -> None:
        parts = urlsplit(central_url)
        self._host = parts.hostname or ""
        self._port = parts.port
        self._asking: asyncio.Future[bool] | None = None

    async def is_known(self, timeout_ms: int) -> bool:
        """Return whether the system knows an address, False when it does not say in time; a number is one itself."""
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(self._host)
            return True
        if self._asking is None:
            asking = asyncio.get_running_loop().create_future()
            # A machine that has no thread to give must not leave a question that nobody answers.
            threading.Thread(target=self._ask, args=(asking,), name="central's address", daemon=True).start()
            self._asking = asking
        done, _ = await asyncio.wait({self._asking}, timeout=timeout_ms / 1000)
        return any(answered.result() for answered in done)

    def _ask(self, answered: asyncio.Future[bool]) -> None:
        try:
            found = bool(socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            found = False
        # The box may have stopped meanwhile, and its loop with it.
        with contextlib.suppress(RuntimeError):
            answered.get_loop().call_soon_threadsafe(self._heard, answered, found)

    def _heard(self, answered: asyncio.Future[bool], found: bool) -> None:  # noqa: FBT001 - a callback's
        self._asking = None
        answered.set_result(found)
