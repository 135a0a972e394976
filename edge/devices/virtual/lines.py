"""How a box reaches a virtual terminal, which listens on TCP, otherwise: over a cable, or called by the terminal."""

import asyncio
import contextlib
from typing import Final

from edge.devices.virtual.pty_line import PtyLine

CALL_AGAIN_MS: Final = 50
_READ_BYTES: Final = 4_096


class Cable:
    """A serial cable to a virtual terminal: the box opens `path`.

    `newline_after_message`: the terminal sends a line feed behind each message; here, behind all that it says at once.
    """

    def __init__(self, host: str, port: int, *, newline_after_message: bool = False) -> None:
        self._host = host
        self._port = port
        self._end = b"\n" if newline_after_message else b""
        self._said: asyncio.Queue[bytes] = asyncio.Queue()
        self._line = PtyLine(self._said.put_nowait)
        self._task: asyncio.Task[None] | None = None

    @property
    def path(self) -> str:
        """Return the device file; known after `plug_in`."""
        return self._line.path

    def plug_in(self) -> str:
        """Make the line and return its path. Raises OSError."""
        path = self._line.open()
        self._task = asyncio.create_task(self._carry())
        return path

    async def unplug(self) -> None:
        """Take the line away."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._line.close()

    async def _carry(self) -> None:
        """Carry what the box says to the terminal, and back; a terminal that is off hears nothing."""
        while True:
            data = await self._said.get()
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection(self._host, self._port)
                async with asyncio.TaskGroup() as group:
                    there = group.create_task(self._forward(data, writer))
                    group.create_task(self._back(reader, there))
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    async def _forward(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                writer.write(data)
                data = await self._said.get()

    async def _back(self, reader: asyncio.StreamReader, there: asyncio.Task[None]) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_READ_BYTES):
                self._line.write(data + self._end)
        there.cancel()


class Caller:
    """Makes a virtual terminal one that connects to the box, and again whenever the box hangs up."""

    def __init__(self, terminal: tuple[str, int], box: tuple[str, int]) -> None:
        self._ends = (terminal, box)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin calling."""
        self._task = asyncio.create_task(self._call())

    async def stop(self) -> None:
        """Call no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _call(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                async with contextlib.AsyncExitStack() as stack:
                    streams = [await asyncio.open_connection(*end) for end in self._ends]
                    for _, writer in streams:
                        stack.callback(writer.close)
                    (from_terminal, to_terminal), (from_box, to_box) = streams
                    pipes = [
                        asyncio.create_task(_pipe(from_terminal, to_box)),
                        asyncio.create_task(_pipe(from_box, to_terminal)),
                    ]
                    try:
                        await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        for pipe in pipes:
                            pipe.cancel()
                        await asyncio.gather(*pipes, return_exceptions=True)
            await asyncio.sleep(CALL_AGAIN_MS / 1000)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_READ_BYTES):
        writer.write(data)
