"""Links over TCP: the box connects to the device, or the device connects to the box.

A peer that vanished without a word is found while nothing is said, by the kernel's keepalive, and when something is
sent that nobody acknowledges.
"""

import asyncio
import contextlib
import socket
from typing import Final

from edge.devices.transport import UNSENT_BYTES_MAX, LinkOwner

KEEPALIVE_IDLE_S: Final = 15
KEEPALIVE_EVERY_S: Final = 5
KEEPALIVE_PROBES: Final = 3
UNACKNOWLEDGED_MS: Final = 30_000
"""Bytes that the peer's kernel has not taken after this long will not be taken."""


class TcpLink(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, owner: LinkOwner) -> None:
        self._owner: LinkOwner | None = owner
        self._transport: asyncio.Transport | None = None

    @property
    def is_open(self) -> bool:
        """Return whether its owner still has it."""
        return self._owner is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket; small frames leave at once."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a TCP link needs a stream transport")
        self._transport = transport
        _watch_over(transport.get_extra_info("socket"))
        if self._owner is not None:
            self._owner.link_made(self)

    def data_received(self, data: bytes) -> None:
        """Hand bytes on."""
        if self._owner is not None:
            self._owner.link_data(data)

    def eof_received(self) -> bool:
        """Let the socket close: a device that will say nothing more is gone."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's own signature
        """Tell the owner, once."""
        owner, self._owner, self._transport = self._owner, None, None
        if owner is not None:
            owner.link_lost()

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
        self._owner = None
        if self._transport is not None:
            self._transport.abort()


def _watch_over(link: socket.socket | None) -> None:
    if link is None:
        return
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_EVERY_S)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)


class TcpWay:
    """To a device that listens."""

    retry_longest_ms: int | None = None

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def open(self, owner: LinkOwner) -> None:
        """Connect. Raises OSError or ValueError."""
        await asyncio.get_running_loop().create_connection(lambda: TcpLink(owner), self._host, self._port)

    async def close(self) -> None:
        """Do nothing: a connection is all there is."""


class ListenWay:
    """To a device that connects to the box. The newest connection is the device: an older one is dead, or a stranger's.

    It listens from the first `open` on, so that a device which comes between two links is not refused.
    """

    retry_longest_ms: int | None = 500

    def __init__(self, host: str, port: int, *, peer: str | None = None) -> None:
        self._host = host
        self._port = port
        self._peer = peer
        self._server: asyncio.Server | None = None
        self._waiting: asyncio.Transport | None = None
        self._came = asyncio.Event()
        self._link: TcpLink | None = None
        self._owner: LinkOwner | None = None

    @property
    def bound_port(self) -> int:
        """Return the port it listens on, 0 while it does not."""
        port: int = self._server.sockets[0].getsockname()[1] if self._server is not None else 0
        return port

    async def listen(self) -> None:
        """Listen, if it does not yet. Raises OSError when the port cannot be had."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(lambda: _Arrival(self), self._host, self._port)

    async def open(self, owner: LinkOwner) -> None:
        """Take the connection that waits, or wait for one. Raises OSError when the port cannot be had."""
        await self.listen()
        while self._waiting is None or self._waiting.is_closing():
            self._came.clear()
            await self._came.wait()
        transport, self._waiting = self._waiting, None
        self._owner, self._link = owner, TcpLink(owner)
        transport.set_protocol(self._link)
        self._link.connection_made(transport)
        transport.resume_reading()

    async def close(self) -> None:
        """Listen no more."""
        server, self._server = self._server, None
        if self._waiting is not None:
            self._waiting.abort()
            self._waiting = None
        if server is not None:
            server.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await server.wait_closed()

    def arrived(self, transport: asyncio.Transport) -> None:
        """Keep a new connection until it is wanted; who came before it is given up."""
        peer = transport.get_extra_info("peername")
        if self._peer is not None and peer[0] != self._peer:
            transport.abort()
            return
        transport.pause_reading()
        if self._waiting is not None:
            self._waiting.abort()
        self._waiting = transport
        self._came.set()
        link, self._link = self._link, None
        if link is not None and self._owner is not None and link.is_open:
            link.close()
            self._owner.link_lost()


class _Arrival(asyncio.Protocol):
    """A connection that nobody has taken yet."""

    def __init__(self, way: ListenWay) -> None:
        self._way = way

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand it to who listens."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a TCP link needs a stream transport")
        self._way.arrived(transport)
