"""The printer on its TCP port: how it is, and whether a job really came out.

A port 9100 buffers: bytes taken are not paper. So a job is *printed* only when the printer answered the marker queued
behind it; *not printed* only when not one byte of it left; and *uncertain* in all other cases, for which a reprint
carries the mark of a copy. Each step has a deadline of the profile and a connection lives for one call, since a printer
takes one client and remembers dead ones. Device trouble is a result here, never an exception.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Literal

import msgspec

from edge.devices.printers.status import (
    AUTOMATIC_STATUS_BYTES,
    CAN_PRINT,
    NO_AUTOMATIC_STATUS,
    QUESTIONS,
    STATUS_REQUEST,
    PrinterStatus,
    begins_automatic_status,
    is_end_of_job_byte,
    is_status_byte,
    meaning,
)
from firmware_profiles.printer_profile import PrinterProfile

_CLOSE_TIMEOUT_S: Final = 0.5
"""How long a closing connection may take before it is dropped."""


class PrintResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a job ended. `detail` is for the log: which step, which system error."""

    kind: Literal["printed", "not_printed", "uncertain"]
    status: PrinterStatus
    detail: str = ""


class PrinterDriver:
    """One printer. Calls wait for one another: the printer takes one connection at a time."""

    def __init__(self, *, host: str, profile: PrinterProfile, port: int | None = None) -> None:
        self.host = host
        self.port = profile.tcp_port if port is None else port
        self.profile = profile
        self._times = profile.times
        self._turn = asyncio.Lock()

    async def status(self) -> PrinterStatus:
        """Return how the printer is now: within connect and status deadlines, plus a running job's."""
        async with self._turn:
            try:
                async with self._connection() as link:
                    return await self._ask_status(link)
            except (OSError, TimeoutError):
                return PrinterStatus.OFFLINE

    async def print(self, data: bytes) -> PrintResult:
        """Send one job made by `render` and return how it ended, by the profile's deadlines at the latest."""
        async with self._turn:
            job = _Job()
            try:
                async with self._connection() as link:
                    return await self._print(link, data, job)
            except (OSError, TimeoutError) as error:
                kind: Literal["not_printed", "uncertain"] = "uncertain" if job.begun else "not_printed"
                return PrintResult(kind=kind, status=PrinterStatus.OFFLINE, detail=f"{job.step}: {error!r}")

    async def _print(self, link: "_Link", data: bytes, job: "_Job") -> PrintResult:
        job.step = "status"
        status = await self._ask_status(link) if self.profile.answers.real_time_status else PrinterStatus.UNKNOWN
        if status not in CAN_PRINT and self.profile.answers.real_time_status:
            # A printer that should answer and does not is not given money's paper: nothing sent is safe to repeat.
            return PrintResult(kind="not_printed", status=status, detail="refused before sending")
        job.step, job.begun = "send", True
        async with asyncio.timeout(self._times.send_timeout_ms / 1000):
            await link.send(NO_AUTOMATIC_STATUS + data)
        if not self.profile.answers.end_of_job:
            return PrintResult(kind="uncertain", status=status, detail="the model does not tell the end of a job")
        job.step = "end_of_job"
        try:
            async with asyncio.timeout(self._times.end_of_job_timeout_ms / 1000):
                await link.answer(is_end_of_job_byte)
        except TimeoutError:
            # Nothing came out, or not all of it; ask why while the connection still stands.
            return PrintResult(kind="uncertain", status=await self._ask_status(link), detail="no end of job")
        return PrintResult(kind="printed", status=status)

    async def _ask_status(self, link: "_Link") -> PrinterStatus:
        """Ask the four questions in turn; a silent printer is `unknown`, a lost connection raises OSError."""
        answers: dict[int, int] = {}
        try:
            async with asyncio.timeout(self._times.status_timeout_ms / 1000):
                for question in QUESTIONS:
                    await link.send(STATUS_REQUEST + bytes((question,)))
                    answers[question] = await link.answer(is_status_byte)
        except TimeoutError:
            return PrinterStatus.UNKNOWN
        return meaning(answers)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator["_Link"]:
        async with asyncio.timeout(self._times.connect_timeout_ms / 1000):
            reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            yield _Link(reader, writer)
        finally:
            writer.close()
            try:
                async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                    await writer.wait_closed()
            except (OSError, TimeoutError):
                writer.transport.abort()


class _Job:
    """How far a job got, for the error path."""

    def __init__(self) -> None:
        self.begun = False
        self.step = "connect"


class _Link:
    """One open connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, wanted: Callable[[int], bool]) -> int:
        """Return the next byte that is such an answer; others are stale or noise. Raises ConnectionError at the end."""
        passing = 0
        while True:
            byte = await self._reader.read(1)
            if not byte:
                raise ConnectionResetError("the printer closed the connection")
            if passing:
                passing -= 1
            elif begins_automatic_status(byte[0]):
                passing = AUTOMATIC_STATUS_BYTES - 1
            elif wanted(byte[0]):
                return byte[0]
