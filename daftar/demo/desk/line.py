"""The office's internet line as something that can be unplugged: a TCP proxy between the box and central.

The box speaks to this proxy's port as if it were central. What the wire can do wrong is what real lines do:

    unplugged      open connections are reset at once, new ones are reset as they come; nothing passes
    slow           every piece waits and trickles, as a line shared by a whole bazaar does
    cut_answers    what the box says arrives at central, and the line dies as central begins to answer

The proxy knows nothing of HTTP and keeps nothing: what it drops is gone, as on a wire.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Final, Literal, get_args

import msgspec

LineMode = Literal["good", "slow", "cut_answers"]
LINE_MODES: Final[tuple[LineMode, ...]] = get_args(LineMode)

PIECE_BYTES: Final = 16 * 1024
SLOW_PIECE_BYTES: Final = 512
SLOW_BYTES_PER_SECOND: Final = 4096
SLOW_WAIT_MS: Final = 150
"""Waited before each piece on a slow line, on top of its time on the wire."""
ANSWER_BYTES_BEFORE_CUT: Final = 24
"""A cut answer begins (a status line's worth), so that the box sees an answer that stops, not one that never came."""
CONNECT_TIMEOUT_S: Final = 5
_RESET: Final = struct.pack("ii", 1, 0)


class LineState(msgspec.Struct, frozen=True, kw_only=True):
    """What the line is doing and has done. Counters run from the start of the process."""

    up: bool
    mode: LineMode
    open_connections: int
    sent_bytes: int
    """From the box to central."""
    received_bytes: int
    """From central to the box."""
    dropped_count: int
    """Connections that were open when the plug was pulled."""
    refused_count: int
    """Connections that came while the plug was out."""
    cut_count: int
    """Answers that were cut."""
    central_reached: bool
    """Whether central took the last connection the line made; true before the first."""


class _Call:
    """One connection through the line: both its ends."""

    def __init__(self, near: asyncio.StreamWriter) -> None:
        self.near = near
        self.far: asyncio.StreamWriter | None = None

    def reset(self) -> None:
        """Drop both ends the way a dying line does: no farewell, a reset."""
        for writer in (self.near, self.far):
            if writer is not None:
                _reset(writer)


class LineProxy:
    """Listens on `host:port` and carries what comes to `target_host:target_port`, when it feels like it."""

    def __init__(
        self, *, host: str, port: int, target_host: str, target_port: int, on_change: Callable[[], None] = lambda: None
    ) -> None:
        self._host = host
        self._port = port
        self._target = (target_host, target_port)
        self._on_change = on_change
        self._server: asyncio.Server | None = None
        self._calls: set[_Call] = set()
        self._up = True
        self._mode: LineMode = "good"
        self._sent_bytes = 0
        self._received_bytes = 0
        self._dropped_count = 0
        self._refused_count = 0
        self._cut_count = 0
        self._central_reached = True

    async def start(self) -> None:
        """Begin to listen. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._carry, self._host, self._port)

    async def close(self) -> None:
        """Stop listening and reset what is open; not counted as the visitor's doing."""
        if self._server is not None:
            self._server.close()
            for call in tuple(self._calls):
                call.reset()
            await self._server.wait_closed()
            self._server = None

    @property
    def port(self) -> int:
        """The port the box must be given; the real one when started with port 0."""
        if self._server is None:
            return self._port
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def state(self) -> LineState:
        """What the line is doing now."""
        return LineState(
            up=self._up,
            mode=self._mode,
            open_connections=len(self._calls),
            sent_bytes=self._sent_bytes,
            received_bytes=self._received_bytes,
            dropped_count=self._dropped_count,
            refused_count=self._refused_count,
            cut_count=self._cut_count,
            central_reached=self._central_reached,
        )

    def plug(self, *, up: bool) -> None:
        """Put the plug in or pull it out. Pulling it resets every open connection before this returns."""
        self._up = up
        if not up:
            for call in tuple(self._calls):
                self._dropped_count += 1
                call.reset()
        self._on_change()

    def set_mode(self, mode: LineMode) -> None:
        """Make the line behave as told from the next piece on."""
        self._mode = mode
        self._on_change()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either end or the line has had enough."""
        if not self._up:
            self._refused_count += 1
            _reset(writer)
            self._on_change()
            return
        call = _Call(writer)
        self._calls.add(call)
        self._on_change()
        try:
            await self._connect_and_pump(call, reader)
        finally:
            call.reset()
            self._calls.discard(call)
            self._on_change()

    async def _connect_and_pump(self, call: _Call, reader: asyncio.StreamReader) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                far_reader, call.far = await asyncio.open_connection(*self._target)
        except OSError:
            # TimeoutError is one of them. Central is not there: to the box that looks like any dead line.
            self._central_reached = False
            return
        self._central_reached = True
        if not self._up:
            # The plug was pulled while central was being called.
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pump_up(reader, call.far))
            group.create_task(self._pump_down(far_reader, call))

    async def _pump_up(self, reader: asyncio.StreamReader, far: asyncio.StreamWriter) -> None:
        while piece := await self._next_piece(reader):
            self._sent_bytes += len(piece)
            if not await _write(far, piece):
                return
            self._on_change()
        _end(far)

    async def _pump_down(self, reader: asyncio.StreamReader, call: _Call) -> None:
        while piece := await self._next_piece(reader):
            if self._mode == "cut_answers":
                self._cut_count += 1
                self._received_bytes += len(piece[:ANSWER_BYTES_BEFORE_CUT])
                await _write(call.near, piece[:ANSWER_BYTES_BEFORE_CUT])
                _end(call.near)
                call.reset()
                return
            self._received_bytes += len(piece)
            if not await _write(call.near, piece):
                return
            self._on_change()
        _end(call.near)

    async def _next_piece(self, reader: asyncio.StreamReader) -> bytes:
        """Return the next bytes, delayed as the line's mode asks; empty at the end or after a reset."""
        try:
            piece = await reader.read(SLOW_PIECE_BYTES if self._mode == "slow" else PIECE_BYTES)
        except OSError:
            return b""
        if self._mode == "slow" and piece:
            await asyncio.sleep(SLOW_WAIT_MS / 1000 + len(piece) / SLOW_BYTES_PER_SECOND)
        return piece


async def _write(writer: asyncio.StreamWriter, piece: bytes) -> bool:
    """Write and wait for room. Returns whether the other end is still there."""
    try:
        writer.write(piece)
        await writer.drain()
    except OSError:
        return False
    return True


def _end(writer: asyncio.StreamWriter) -> None:
    """Pass on an end of stream, where the other way may still be speaking."""
    if not writer.is_closing() and writer.can_write_eof():
        writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset instead of a farewell. A second call does nothing."""
    if writer.is_closing():
        return
    raw: socket.socket | None = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
