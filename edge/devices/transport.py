"""Byte links to devices: the one file that opens sockets to them. No protocol lives here.

A link calls its listener from the event loop; nothing here waits without a limit. An end of file counts as a lost link.
"""

import asyncio
import contextlib
import socket
from typing import Final, Protocol

UNSENT_BYTES_MAX: Final = 1_048_576
"""A device that takes nothing while this much waits for it is not there."""


class LinkListener(Protocol):
    """Who a link belongs to. Called from the event loop, in the order things happened."""

    def link_opened(self) -> None:
        """Take notice that bytes can go; before any byte that came."""

    def link_data(self, data: bytes) -> None:
        """Take bytes as they came."""

    def link_lost(self) -> None:
        """Take notice that nothing will come or go any more. Once for each `link_opened`."""

    def link_refused(self) -> None:
        """Take notice that an attempt to connect failed."""


class TcpLink(asyncio.Protocol):
    """A TCP socket. After `close` its listener hears nothing more."""

    def __init__(self, listener: LinkListener) -> None:
        self._listener: LinkListener | None = listener
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket; small frames leave at once, and a peer that vanished is noticed while idle."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a TCP link needs a stream transport")
        self._transport = transport
        link: socket.socket | None = transport.get_extra_info("socket")
        if link is not None:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._listener is not None:
            self._listener.link_opened()

    def data_received(self, data: bytes) -> None:
        """Hand bytes on."""
        if self._listener is not None:
            self._listener.link_data(data)

    def eof_received(self) -> bool:
        """Let the socket close: a device that will say nothing more is gone."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's own signature
        """Tell the listener, once."""
        listener, self._listener, self._transport = self._listener, None, None
        if listener is not None:
            listener.link_lost()

    def send(self, data: bytes) -> bool:
        """Hand bytes to the socket. Returns False when it is gone, or takes nothing (it is then given up)."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() + len(data) > UNSENT_BYTES_MAX:
            transport.abort()
            return False
        transport.write(data)
        return True

    def close(self) -> None:
        """End the link now; what was not sent is dropped."""
        self._listener = None
        if self._transport is not None:
            self._transport.abort()


class KeptLink:
    """A TCP link that is made again whenever it is lost, with growing pauses between attempts that fail."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        listener: LinkListener,
        connect_timeout_ms: int,
        reconnect_first_ms: int,
        reconnect_longest_ms: int,
    ) -> None:
        self._host = host
        self._port = port
        self._listener = listener
        self._connect_timeout_ms = connect_timeout_ms
        self._first_ms = reconnect_first_ms
        self._longest_ms = reconnect_longest_ms
        self._link: TcpLink | None = None
        self._next: TcpLink | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._wanted = asyncio.Event()
        self._tried = asyncio.Event()
        self._down = asyncio.Event()

    @property
    def is_up(self) -> bool:
        """Return whether there is a link now, as far as the socket knows."""
        return self._link is not None

    @property
    def is_there(self) -> bool:
        """Return whether the device can be reached, as far as is known: whether there is a link."""
        return self.is_up

    def start(self) -> None:
        """Begin keeping the link; more calls change nothing."""
        if self._task is None and not self._closed:
            self._task = asyncio.create_task(self._keep())

    async def need(self, timeout_ms: int) -> bool:
        """Return whether there is a link, after one more attempt at once if there was none."""
        if self._link is None and not self._closed:
            self.start()
            self._tried.clear()
            self._wanted.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_ms / 1000):
                    await self._tried.wait()
        return self._link is not None

    def send(self, data: bytes) -> bool:
        """Hand bytes to the link. Returns False when there is none that takes them."""
        return self._link is not None and self._link.send(data)

    def drop(self) -> None:
        """Give up the present link; another is made. The listener hears `link_lost`."""
        if self._link is not None:
            self._link.close()
            self.link_lost()

    async def close(self) -> None:
        """End the link and make no other."""
        self._closed = True
        self._tried.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.drop()

    # --- what the socket says ----------------------------------------------------------------------------------------

    def link_opened(self) -> None:
        """Pass on (called by the socket): before anything the device says, so that nothing it says at once is lost."""
        self._link, self._next = self._next, None
        self._down.clear()
        self._listener.link_opened()

    def link_data(self, data: bytes) -> None:
        """Pass on (called by the socket)."""
        self._listener.link_data(data)

    def link_lost(self) -> None:
        """Pass on (called by the socket)."""
        self._link = None
        self._down.set()
        self._listener.link_lost()

    def link_refused(self) -> None:
        """Pass on."""
        self._tried.set()
        self._listener.link_refused()

    # --- making links ------------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        pause_ms = self._first_ms
        while True:
            self._wanted.clear()
            if await self._connect():
                pause_ms = self._first_ms
                await self._down.wait()
                await self._pause(self._first_ms)
            else:
                self.link_refused()
                await self._pause(pause_ms)
                pause_ms = min(2 * pause_ms, self._longest_ms)

    async def _connect(self) -> bool:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_timeout_ms / 1000):
                await loop.create_connection(self._made, self._host, self._port)
        except (OSError, ValueError):
            # A name that cannot be one is a ValueError: it must not end the attempts, a person may be mending it.
            return False
        self._tried.set()
        return True

    def _made(self) -> TcpLink:
        self._next = TcpLink(self)
        return self._next

    async def _pause(self, pause_ms: int) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_ms / 1000):
                await self._wanted.wait()


class RequestedLink:
    """A TCP link that is made when it is needed, for devices that want a connection of its own for each request."""

    def __init__(self, host: str, port: int, *, listener: LinkListener, connect_timeout_ms: int, retry_ms: int) -> None:
        self._host = host
        self._port = port
        self._listener = listener
        self._connect_timeout_ms = connect_timeout_ms
        self._retry_ms = retry_ms
        self._link: TcpLink | None = None
        self._next: TcpLink | None = None
        self._closed = asyncio.Event()
        self._reached = False

    @property
    def is_up(self) -> bool:
        """Return whether there is a link now, as far as the socket knows."""
        return self._link is not None

    @property
    def is_there(self) -> bool:
        """Return whether the newest attempt to reach the device succeeded."""
        return self._reached

    def start(self) -> None:
        """Do nothing: a link is made when it is needed."""

    async def need(self, timeout_ms: int) -> bool:
        """Return whether there is a link, after attempts for that long if there was none.

        A device that has just ended a connection may refuse the next one for a moment.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_ms / 1000):
                while not (self._link is not None or self._closed.is_set() or await self._connect()):
                    await self._pause()
        if self._closed.is_set():
            self.drop()
        if self._link is None:
            self._reached = False
            self._listener.link_refused()
        return self._link is not None

    def send(self, data: bytes) -> bool:
        """Hand bytes to the link. Returns False when there is none that takes them."""
        return self._link is not None and self._link.send(data)

    def drop(self) -> None:
        """End the present link, if there is one. The listener hears `link_lost`."""
        if self._link is not None:
            self._link.close()
            self.link_lost()

    async def close(self) -> None:
        """End the link and make no other."""
        self._closed.set()
        self.drop()

    # --- what the socket says ----------------------------------------------------------------------------------------

    def link_opened(self) -> None:
        """Pass on (called by the socket), unless nobody wants a link any more."""
        self._link, self._next = self._next, None
        self._reached = True
        self._listener.link_opened()

    def link_data(self, data: bytes) -> None:
        """Pass on (called by the socket)."""
        self._listener.link_data(data)

    def link_lost(self) -> None:
        """Pass on (called by the socket)."""
        self._link = None
        self._listener.link_lost()

    def link_refused(self) -> None:
        """Pass on."""
        self._listener.link_refused()

    def _made(self) -> TcpLink:
        self._next = TcpLink(self)
        return self._next

    async def _connect(self) -> bool:
        try:
            async with asyncio.timeout(self._connect_timeout_ms / 1000):
                await asyncio.get_running_loop().create_connection(self._made, self._host, self._port)
        except (OSError, ValueError):
            # A name that cannot be one is a ValueError.
            return False
        return True

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._retry_ms / 1000):
                await self._closed.wait()
