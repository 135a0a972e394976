"""Links to devices that are kept, or made for a request. No protocol lives here, and no socket: a *way* opens links.

A link tells its owner from the event loop; nothing here waits without a limit. An end of file counts as a lost link.
"""

import asyncio
import contextlib
from typing import Final, Protocol

UNSENT_BYTES_MAX: Final = 1_048_576
"""A device that takes nothing while this much waits for it is not there."""


class Link(Protocol):
    """Bytes both ways with a device. After `close` its owner hears nothing more of it."""

    def send(self, data: bytes) -> bool:
        """Hand bytes over. Returns False when it is gone, or takes nothing (it is then given up)."""

    def close(self) -> None:
        """End the link now; what was not sent is dropped."""


class LinkOwner(Protocol):
    """Who a link is made for. Called from the event loop, in the order things happened."""

    def link_made(self, link: Link) -> None:
        """Take a link; before any byte that came on it."""

    def link_data(self, data: bytes) -> None:
        """Take bytes as they came."""

    def link_lost(self) -> None:
        """Take notice that nothing will come or go any more. Once for each `link_made`, unless it was closed here."""


class Way(Protocol):
    """A way to one device. One link at a time."""

    retry_longest_ms: int | None
    """The longest pause between attempts that makes sense, where trying costs nothing; None: as the model says."""

    async def open(self, owner: LinkOwner) -> None:
        """Make a link. Raises OSError or ValueError when it cannot be made; cancelled, it leaves nothing behind."""

    async def close(self) -> None:
        """Let go of all that outlives a link. Whoever has the link has closed it before."""


class LinkListener(Protocol):
    """Who a kept or requested link belongs to. Called from the event loop, in the order things happened."""

    def link_opened(self) -> None:
        """Take notice that bytes can go; before any byte that came."""

    def link_data(self, data: bytes) -> None:
        """Take bytes as they came."""

    def link_lost(self) -> None:
        """Take notice that nothing will come or go any more. Once for each `link_opened`."""

    def link_refused(self) -> None:
        """Take notice that an attempt to connect failed."""


class _Holder:
    """What kept and requested links share: the link that is there now."""

    def __init__(self, way: Way, *, listener: LinkListener, connect_timeout_ms: int) -> None:
        self._way = way
        self._listener = listener
        self._connect_timeout_ms = connect_timeout_ms
        self._link: Link | None = None

    @property
    def is_up(self) -> bool:
        """Return whether there is a link now, as far as is known."""
        return self._link is not None

    def send(self, data: bytes) -> bool:
        """Hand bytes to the link. Returns False when there is none that takes them."""
        return self._link is not None and self._link.send(data)

    def drop(self) -> None:
        """End the present link, if there is one. The listener hears `link_lost`."""
        if self._link is not None:
            self._link.close()
            self.link_lost()

    def link_made(self, link: Link) -> None:
        """Take the link (called by the way): before anything the device says, so that nothing is lost."""
        self._link = link
        self._listener.link_opened()

    def link_data(self, data: bytes) -> None:
        """Pass on (called by the link)."""
        self._listener.link_data(data)

    def link_lost(self) -> None:
        """Pass on (called by the link)."""
        self._link = None
        self._listener.link_lost()

    async def _open(self) -> bool:
        try:
            async with asyncio.timeout(self._connect_timeout_ms / 1000):
                await self._way.open(self)
        except (OSError, ValueError):
            # A name that cannot be one is a ValueError: it must not end the attempts, a person may be mending it.
            return False
        return True


class KeptLink(_Holder):
    """A link that is made again whenever it is lost, with growing pauses between attempts that fail.

    `run` does the keeping, as part of its owner's one task.
    """

    def __init__(
        self,
        way: Way,
        *,
        listener: LinkListener,
        connect_timeout_ms: int,
        reconnect_first_ms: int,
        reconnect_longest_ms: int,
    ) -> None:
        super().__init__(way, listener=listener, connect_timeout_ms=connect_timeout_ms)
        self._first_ms = reconnect_first_ms
        self._longest_ms = reconnect_longest_ms
        self._closed = False
        self._wanted = asyncio.Event()
        self._tried = asyncio.Event()
        self._down = asyncio.Event()

    @property
    def is_there(self) -> bool:
        """Return whether the device can be reached, as far as is known: whether there is a link."""
        return self.is_up

    async def need(self, timeout_ms: int) -> bool:
        """Return whether there is a link, after one more attempt at once if there was none."""
        if self._link is None and not self._closed:
            self._tried.clear()
            self._wanted.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_ms / 1000):
                    await self._tried.wait()
        return self._link is not None

    async def run(self) -> None:
        """Keep the link until cancelled; a link that is there already is taken over."""
        pause_ms = self._first_ms
        while True:
            self._wanted.clear()
            if self._link is not None or await self._open():
                self._tried.set()
                pause_ms = self._first_ms
                await self._down.wait()
                await self._pause(self._first_ms)
            else:
                self._tried.set()
                self._listener.link_refused()
                await self._pause(pause_ms)
                pause_ms = min(2 * pause_ms, self._longest_ms)

    async def close(self) -> None:
        """End the link and wake who waits for one; whoever runs it has ended that before."""
        self._closed = True
        self._tried.set()
        self.drop()
        await self._way.close()

    def link_made(self, link: Link) -> None:
        """Take the link (called by the way)."""
        self._down.clear()
        super().link_made(link)

    def link_lost(self) -> None:
        """Pass on (called by the link)."""
        self._down.set()
        super().link_lost()

    async def _pause(self, pause_ms: int) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_ms / 1000):
                await self._wanted.wait()


class RequestedLink(_Holder):
    """A link that is made when it is needed, for devices that want a connection of its own for each request."""

    def __init__(self, way: Way, *, listener: LinkListener, connect_timeout_ms: int, retry_ms: int) -> None:
        super().__init__(way, listener=listener, connect_timeout_ms=connect_timeout_ms)
        self._retry_ms = retry_ms
        self._closed = asyncio.Event()
        self._reached = False

    @property
    def is_there(self) -> bool:
        """Return whether the newest attempt to reach the device succeeded."""
        return self._reached

    async def need(self, timeout_ms: int) -> bool:
        """Return whether there is a link, after attempts for that long if there was none.

        A device that has just ended a connection may refuse the next one for a moment.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_ms / 1000):
                while not (self._link is not None or self._closed.is_set() or await self._open()):
                    await self._pause()
        if self._closed.is_set():
            self.drop()
        if self._link is None:
            self._reached = False
            self._listener.link_refused()
        return self._link is not None

    async def run(self) -> None:
        """Wait for the end: a link is made when it is needed."""
        await self._closed.wait()

    async def close(self) -> None:
        """End the link and make no other."""
        self._closed.set()
        self.drop()
        await self._way.close()

    def link_made(self, link: Link) -> None:
        """Take the link (called by the way)."""
        self._reached = True
        super().link_made(link)

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._retry_ms / 1000):
                await self._closed.wait()
