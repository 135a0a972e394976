"""Connections inside the process: bytes arrive later, in order; a line can be cut, held up or say a thing twice."""

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Final

from daftar.lab.simulation.lives import LIFE, Life

if TYPE_CHECKING:
    from daftar.lab.simulation.virtual_loop import VirtualLoop

DELAY_S: Final = 0.002
"""How long a piece of data is under way."""


class VirtualTransport(asyncio.Transport):
    """One end of a connection."""

    def __init__(self, network: "VirtualNetwork", port: int, context: Context, *, is_client: bool) -> None:
        super().__init__()
        self._network = network
        self._context = context
        self._closing = False
        self.port = port
        self.is_client = is_client
        self.protocol: Any = None
        self.peer: VirtualTransport | None = None
        self.newest = b""
        """The newest piece that was sent from this end."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return nothing: there is no socket."""
        return ("127.0.0.1", self.port) if name == "peername" else default

    def set_protocol(self, protocol: Any) -> None:
        """Take another protocol."""
        self.protocol = protocol

    def get_protocol(self) -> Any:
        """Return the protocol."""
        return self.protocol

    def is_closing(self) -> bool:
        """Return whether it is closed or about to be."""
        return self._closing

    def is_reading(self) -> bool:
        """Return whether data is handed on."""
        return not self._closing

    def pause_reading(self) -> None:
        """Do nothing: what is sent here is little."""

    def resume_reading(self) -> None:
        """Do nothing."""

    def get_write_buffer_size(self) -> int:
        """Return that nothing waits."""
        return 0

    def can_write_eof(self) -> bool:
        """Return that an end can be closed for good only."""
        return False

    def write(self, data: Any) -> None:
        """Send bytes to the other end."""
        if self._closing or self.peer is None or not data:
            return
        self.newest = bytes(data)
        self.peer.arrive(self.newest, self._network.delay_s(self))

    def arrive(self, data: bytes, delay_s: float) -> None:
        """Hand bytes to this end's protocol after a while."""
        self._network.loop.call_later(delay_s, self._receive, data, context=self._context)

    def _receive(self, data: bytes) -> None:
        if not self._closing:
            self.protocol.data_received(data)

    def close(self) -> None:
        """Close both ends."""
        self.abort()

    def abort(self) -> None:
        """Close both ends; each protocol is told."""
        if self._closing:
            return
        self._closing = True
        self._network.forget(self)
        self._network.loop.call_soon(self.protocol.connection_lost, None, context=self._context)
        if self.peer is not None:
            self._network.loop.call_later(DELAY_S, self.peer.abort, context=self.peer._context)  # noqa: SLF001 - a twin

    def begin(self, protocol: Any) -> None:
        """Give this end to a protocol."""
        self.protocol = protocol
        protocol.connection_made(self)

    def belongs_to(self, life: Life) -> bool:
        """Return whether this end is a life's."""
        return self._context.get(LIFE) is life


class _Socket:
    def __init__(self, port: int) -> None:
        self._port = port

    def getsockname(self) -> tuple[str, int]:
        return ("127.0.0.1", self._port)


class VirtualServer:
    """A listening port."""

    def __init__(self, network: "VirtualNetwork", factory: Callable[[], Any], port: int) -> None:
        self._network = network
        self.factory = factory
        self.context = copy_context()
        self.port = port
        self.sockets = (_Socket(port),)

    def close(self) -> None:
        """Stop listening; connections stay."""
        self._network.unlisten(self)

    async def wait_closed(self) -> None:
        """Return."""


class VirtualNetwork:
    """All ports and connections of one loop."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self.loop = loop
        self._servers: dict[int, VirtualServer] = {}
        self._next_port = 2_000
        self.ends: list[VirtualTransport] = []
        self.extra_delay_s: dict[int, float] = {}
        """By port: how much longer a piece is under way just now."""
        self.down: set[int] = set()
        """Ports that cannot be reached."""

    def delay_s(self, end: VirtualTransport) -> float:
        """Return how long a piece from this end is under way."""
        return DELAY_S + self.extra_delay_s.get(end.port, 0.0)

    def listen(self, factory: Callable[[], Any], _: str, port: int) -> VirtualServer:
        """Listen on a port, or on any (0)."""
        if not port:
            self._next_port += 1
            port = self._next_port
        server = VirtualServer(self, factory, port)
        self._servers[port] = server
        return server

    def unlisten(self, server: VirtualServer) -> None:
        """Stop listening."""
        if self._servers.get(server.port) is server:
            del self._servers[server.port]

    async def connect(self, factory: Callable[[], Any], _: str, port: int) -> tuple[asyncio.Transport, Any]:
        """Connect to a port. Raises ConnectionRefusedError where nobody listens."""
        await asyncio.sleep(DELAY_S)
        server = self._servers.get(port)
        if server is None or port in self.down:
            raise ConnectionRefusedError(port)
        client = VirtualTransport(self, port, copy_context(), is_client=True)
        served = VirtualTransport(self, port, server.context, is_client=False)
        client.peer, served.peer = served, client
        self.ends += [client, served]
        server.context.copy().run(served.begin, server.factory())
        protocol = factory()
        client.begin(protocol)
        return client, protocol

    def forget(self, end: VirtualTransport) -> None:
        """Drop an end that was closed."""
        self.ends = [one for one in self.ends if one is not end]

    def cut(self, life: Life) -> None:
        """Cut the connections of a life that ended: the other ends hear of it."""
        for end in [one for one in self.ends if one.belongs_to(life)]:
            end.abort()

    def cut_port(self, port: int) -> None:
        """Cut the connections to a port."""
        for end in [one for one in self.ends if one.port == port]:
            end.abort()

    def repeat(self, port: int) -> None:
        """Have what a port's server said last said once more."""
        for end in self.ends:
            if end.port == port and not end.is_client and end.newest and end.peer is not None:
                end.peer.arrive(end.newest, DELAY_S)
