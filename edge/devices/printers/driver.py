"""A printer at its place: how it is, and whether a job really came out.

Every way to a printer buffers: bytes taken are not paper. So a job is *printed* only when the printer answered the
marker queued behind it; *not printed* only when not one byte of it left; and *uncertain* in all other cases, for which
a reprint carries the mark of a copy. A marker that was never answered may be answered later, and all answers look
alike: the next job waits until nothing of the one before can be taken for its own. Each step has a deadline of the
profile and a link lives for one call. Device trouble is a result here, never an exception.
"""

import asyncio
from collections.abc import Callable
from typing import Literal

import msgspec

from edge.devices.printers.escpos_encoder import END_OF_JOB, drawer_pulse
from edge.devices.printers.links import Link, Place
from edge.devices.printers.status import (
    AUTOMATIC_STATUS,
    AUTOMATIC_STATUS_BYTES,
    CAN_PRINT,
    MODEL_REQUEST,
    NO_AUTOMATIC_STATUS,
    QUESTIONS,
    STATUS_REQUEST,
    WORDS_BEGIN,
    WORDS_MAX,
    PrinterStatus,
    automatic_meaning,
    begins_automatic_status,
    is_end_of_job_byte,
    is_status_byte,
    marker_meaning,
    marker_says_paper_end,
    meaning,
)
from firmware_profiles.printer_profile import PrinterProfile


class PrintResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a job ended. `detail` is for the log: which step, which system error."""

    kind: Literal["printed", "not_printed", "uncertain"]
    status: PrinterStatus
    detail: str = ""


class PrinterDriver:
    """One printer. Calls wait for one another: the printer takes one connection at a time."""

    def __init__(self, *, place: Place, profile: PrinterProfile, cut_off: bool = False) -> None:
        """`cut_off`: the program went down while a job was at the printer, which may be at it still."""
        self.place = place
        self.profile = profile
        self._times = profile.times
        self._answers = profile.answers
        self._turn = asyncio.Lock()
        self._marker_owed = cut_off
        """Whether a job's marker was not answered: the answer may still come."""
        self._ever_told = False
        """Whether a marker was ever answered. Who never does is not waited for: nothing late will come either."""
        self.last_error: str | None = None
        """What the system said when the printer could last not be reached; None once it was."""

    async def status(self) -> PrinterStatus:
        """Return how the printer is now: within connect and status deadlines, plus a running job's."""
        async with self._turn:
            try:
                async with self.place.open(self._times.connect_timeout_ms) as link:
                    status = await self._ask_status(_Ear(link))
            except (OSError, TimeoutError) as error:
                self.last_error = f"{self.place}: {error!r}"
                return PrinterStatus.OFFLINE
            self.last_error = None
            return status

    async def print(self, data: bytes) -> PrintResult:
        """Send one job made by `render` and return how it ended, by the profile's deadlines at the latest."""
        async with self._turn:
            job = _Job()
            try:
                async with self.place.open(self._times.connect_timeout_ms) as link:
                    return await self._print(_Ear(link), data, job)
            except (OSError, TimeoutError) as error:
                kind: Literal["not_printed", "uncertain"] = "uncertain" if job.begun else "not_printed"
                self.last_error = f"{self.place}: {error!r}"
                return PrintResult(kind=kind, status=PrinterStatus.OFFLINE, detail=f"{job.step}: {error!r}")

    async def model_name(self) -> str | None:
        """Return what the printer calls its model, None when it does not say: within connect and status deadlines."""
        if not self.place.answers:
            return None
        async with self._turn:
            try:
                async with self.place.open(self._times.connect_timeout_ms) as link:
                    async with asyncio.timeout(self._times.status_timeout_ms / 1000):
                        await link.send(MODEL_REQUEST)
                        return await _Ear(link).words()
            except (OSError, TimeoutError):
                return None

    async def open_drawer(self) -> bool:
        """Send the drawer's pulse and return whether it was taken; a model without a drawer's socket takes none."""
        pulse = drawer_pulse(self.profile)
        if not pulse:
            return False
        async with self._turn:
            try:
                async with self.place.open(self._times.connect_timeout_ms) as link:
                    async with asyncio.timeout(self._times.status_timeout_ms / 1000):
                        await link.send(pulse)
                        await link.finish()
                    return True
            except (OSError, TimeoutError):
                return False

    @property
    def _can_be_asked(self) -> bool:
        """Whether the model answers how it is, and the way to it lets the answer through."""
        return self.place.answers and (self._answers.real_time_status or self._answers.automatic_status)

    @property
    def _tells_end(self) -> bool:
        """Whether the end of a job is told, and the way to it lets that through."""
        return self._answers.end_of_job and self.place.answers

    @property
    def _speaks(self) -> bool:
        """Whether anything is ever heard from it."""
        return self._can_be_asked or self._tells_end

    async def _print(self, ear: "_Ear", data: bytes, job: "_Job") -> PrintResult:
        job.step = "status"
        status = await self._ask_status(ear)
        if status not in CAN_PRINT and self._can_be_asked:
            # A printer that should answer and does not is not given money's paper: nothing sent is safe to repeat.
            return PrintResult(kind="not_printed", status=status, detail="refused before sending")
        if self._marker_owed and not await self._hear_owed(ear):
            return PrintResult(kind="not_printed", status=status, detail="the job before is not through")
        job.step, job.begun = "send", True
        self._marker_owed = self._ever_told
        async with asyncio.timeout(self._times.send_timeout_ms / 1000 + self._under_way_s(data)):
            await self._send(ear.link, NO_AUTOMATIC_STATUS + data if self._speaks else data)
            await ear.link.finish()
        if not self._tells_end:
            return PrintResult(kind="uncertain", status=status, detail="the end of a job is not told here")
        job.step = "end_of_job"
        try:
            async with asyncio.timeout(self._times.end_of_job_timeout_ms / 1000):
                marker = await ear.answer(is_end_of_job_byte)
        except TimeoutError:
            # Nothing came out, or not all of it; ask why while the connection still stands.
            return PrintResult(kind="uncertain", status=await self._ask_status(ear), detail="no end of job")
        self._marker_owed, self._ever_told = False, True
        if marker_says_paper_end(marker):
            return PrintResult(kind="uncertain", status=PrinterStatus.PAPER_END, detail="the paper ended with the job")
        return PrintResult(kind="printed", status=marker_meaning(marker, status))

    async def _hear_owed(self, ear: "_Ear") -> bool:
        """Have a marker of our own answered, and whatever comes with it; return whether it was.

        A printer that does not answer it is asked once: the picture that was cut off may have taken it for its own.
        """
        self._marker_owed = False
        heard = False
        wait_ms = self._times.end_of_job_timeout_ms
        await ear.link.send(END_OF_JOB)
        await ear.link.finish()
        while True:
            try:
                async with asyncio.timeout(wait_ms / 1000):
                    await ear.answer(is_end_of_job_byte)
            except TimeoutError:
                return heard
            # The first answer may be the one that was owed; ours then follows on its heels.
            heard, wait_ms = True, self._times.status_timeout_ms

    def _under_way_s(self, data: bytes) -> float:
        """Return how long a job is under way when nothing goes wrong: the line's speed, and the rests of the model."""
        raster = self.profile.raster
        rests = len(data) // self._piece_bytes
        return self.place.takes_s(len(data)) + rests * raster.pause_ms / 1000

    @property
    def _piece_bytes(self) -> int:
        """As many bytes as a whole band has."""
        return self.profile.raster.band_dots * self.profile.paper.printable_dots // 8

    async def _send(self, link: Link, data: bytes) -> None:
        """Send in pieces as long as a whole band, with the rest that the model needs between them."""
        pause_ms = self.profile.raster.pause_ms
        size = self._piece_bytes if pause_ms else len(data)
        for start in range(0, len(data), size):
            if start:
                await asyncio.sleep(pause_ms / 1000)
            await link.send(data[start : start + size])

    async def _ask_status(self, ear: "_Ear") -> PrinterStatus:
        """Ask how it is; a silent printer is `unknown`, a lost connection raises OSError."""
        if not self._can_be_asked:
            return PrinterStatus.UNKNOWN
        try:
            async with asyncio.timeout(self._times.status_timeout_ms / 1000):
                if self._answers.real_time_status:
                    return await self._ask_now(ear)
                await ear.link.send(AUTOMATIC_STATUS)
                return automatic_meaning(await ear.unasked())
        except TimeoutError:
            return PrinterStatus.UNKNOWN

    @staticmethod
    async def _ask_now(ear: "_Ear") -> PrinterStatus:
        answers: dict[int, int] = {}
        for question in QUESTIONS:
            await ear.link.send(STATUS_REQUEST + bytes((question,)))
            answers[question] = await ear.answer(is_status_byte)
        return meaning(answers)


class _Job:
    """How far a job got, for the error path."""

    def __init__(self) -> None:
        self.begun = False
        self.step = "connect"


class _Ear:
    """Listens on a link: picks the awaited answer from what a printer also says unasked, late or by mistake."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._heard = bytearray()

    async def answer(self, wanted: Callable[[int], bool]) -> int:
        """Return the next byte that is such an answer; others are stale or noise. Raises OSError at the end."""
        passing = 0
        while True:
            byte = await self._next()
            if passing:
                passing -= 1
            elif begins_automatic_status(byte):
                passing = AUTOMATIC_STATUS_BYTES - 1
            elif wanted(byte):
                return byte

    async def unasked(self) -> bytes:
        """Return the next automatic status. Raises OSError at the end."""
        byte = await self._next()
        while not begins_automatic_status(byte):
            byte = await self._next()
        return bytes((byte, *[await self._next() for _ in range(AUTOMATIC_STATUS_BYTES - 1)]))

    async def words(self) -> str:
        """Return the next words said: between `_` and a zero, without what cannot be shown."""
        while await self._next() != WORDS_BEGIN:
            continue
        said = bytearray()
        while (byte := await self._next()) != 0 and len(said) < WORDS_MAX:
            said.append(byte)
        return "".join(letter for letter in said.decode("ascii", errors="replace") if letter.isprintable())

    async def _next(self) -> int:
        if not self._heard:
            self._heard += await self.link.read()
        return self._heard.pop(0)
