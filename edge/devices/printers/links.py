"""Ways to a printer: a place is opened for one call, and what was opened ends with it.

A link says nothing of printers. Trouble is an OSError; the caller sets the deadlines, and every wait here ends when it
is cancelled.
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

import msgspec

_CLOSE_TIMEOUT_S: Final = 0.5
"""How long a closing connection may take before it is dropped."""


class Link(Protocol):
    """Bytes to a printer, and its answers where there are any."""

    async def send(self, data: bytes) -> None:
        """Hand bytes over. Raises OSError."""

    async def finish(self) -> None:
        """Wait until what was handed over has left this machine. Raises OSError."""

    async def read(self) -> bytes:
        """Return bytes that came, at least one. Raises OSError, at the end of a link too."""


class Place(Protocol):
    """Where a printer is."""

    @property
    def answers(self) -> bool:
        """Whether a printer can be heard on this way."""

    def takes_s(self, size_bytes: int) -> float:
        """Return how long so many bytes are under way when nothing goes wrong: what a slow line needs."""

    def __str__(self) -> str:
        """Return the place as the test page and the log name it."""

    def open(self, timeout_ms: int) -> AbstractAsyncContextManager[Link]:
        """Open it within a time; leaving the block closes it. Raises OSError or TimeoutError."""


class TcpPlace(msgspec.Struct, frozen=True):
    """A printer's port in the network, 9100 on most."""

    host: str
    port: int

    @property
    def answers(self) -> bool:
        """Return true: the port speaks both ways."""
        return True

    def takes_s(self, size_bytes: int) -> float:  # noqa: ARG002 - every place is asked
        """Return nothing: a network is faster than any printer."""
        return 0

    def __str__(self) -> str:
        """Return `host:port`."""
        return f"{self.host}:{self.port}"

    @asynccontextmanager
    async def open(self, timeout_ms: int) -> AsyncIterator[Link]:
        """Connect; a printer takes one client and remembers dead ones, so the connection is closed in any case."""
        async with asyncio.timeout(timeout_ms / 1000):
            try:
                reader, writer = await asyncio.open_connection(self.host, self.port)
            except ValueError as error:
                raise OSError(f"{self.host!r} cannot be a host: {error}") from error
        # What was sent is then the system's, and closing does not take it back.
        writer.transport.set_write_buffer_limits(0)
        try:
            yield _Stream(reader, writer)
        finally:
            writer.close()
            try:
                async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                    await writer.wait_closed()
            except (OSError, TimeoutError):
                writer.transport.abort()


class _Stream:
    """One open connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def finish(self) -> None:
        """Return: what was drained is the system's, which goes on sending it."""

    async def read(self) -> bytes:
        data = await self._reader.read(64)
        if not data:
            raise ConnectionResetError("the printer closed the connection")
        return data


class _WholeJob:
    """A job that is handed over in one piece, to a place that says nothing."""

    def __init__(self, hand_over: Callable[[bytes], Awaitable[None]], silence: str) -> None:
        self._hand_over = hand_over
        self._silence = silence
        self._data = bytearray()

    async def send(self, data: bytes) -> None:
        self._data += data

    async def finish(self) -> None:
        data, self._data = bytes(self._data), bytearray()
        await self._hand_over(data)

    async def read(self) -> bytes:
        raise OSError(self._silence)


class FilePlace(msgspec.Struct, frozen=True):
    """A file that takes the jobs one behind the other, for another program to print or for a look at the bytes."""

    path: str

    @property
    def answers(self) -> bool:
        """Return false: a file says nothing."""
        return False

    def takes_s(self, size_bytes: int) -> float:  # noqa: ARG002 - every place is asked
        """Return nothing: it is written at once."""
        return 0

    def __str__(self) -> str:
        """Return the path."""
        return self.path

    @asynccontextmanager
    async def open(self, timeout_ms: int) -> AsyncIterator[Link]:
        """Open it for appending; it is made if its folder is there."""
        async with asyncio.timeout(timeout_ms / 1000):
            await asyncio.to_thread(_refuse_what_is_no_file, self.path)
        yield _WholeJob(self._append, f"{self.path} is a file: it says nothing")

    async def _append(self, data: bytes) -> None:
        """Append a job, on a thread: a disk may be slow."""
        await asyncio.to_thread(_append, self.path, data)


def _refuse_what_is_no_file(path: str) -> None:
    """Raise OSError when a job could not be appended there; opening a device or a pipe here might never return."""
    try:
        kind = Path(path).stat().st_mode
    except FileNotFoundError:
        if not Path(path).parent.is_dir():
            raise
        return
    if not stat.S_ISREG(kind):
        raise OSError(f"{path} is not a file")


def _append(path: str, data: bytes) -> None:
    with Path(path).open("ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


class QueuePlace(msgspec.Struct, frozen=True):
    """A raw queue of the print system (CUPS), through its `lp` and `lpstat`."""

    queue: str

    @property
    def answers(self) -> bool:
        """Return false: a queue takes the job and tells nothing of the paper."""
        return False

    def takes_s(self, size_bytes: int) -> float:  # noqa: ARG002 - every place is asked
        """Return nothing: the queue takes it at once."""
        return 0

    def __str__(self) -> str:
        """Return the queue's name."""
        return self.queue

    @asynccontextmanager
    async def open(self, timeout_ms: int) -> AsyncIterator[Link]:
        """See that the queue is there."""
        async with asyncio.timeout(timeout_ms / 1000):
            await _run("lpstat", "-p", self.queue)
        yield _WholeJob(self._give, f"queue {self.queue} says nothing of the printer")

    async def _give(self, data: bytes) -> None:
        await _run("lp", "-d", self.queue, "-o", "raw", "-s", given=data)


async def _run(*command: str, given: bytes = b"") -> None:
    """Run a command of the print system; whoever waits no longer ends it. Raises OSError when it fails."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, said = await process.communicate(given)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise OSError(f"{command[0]}: {said.decode(errors='replace').strip() or process.returncode}")
