"""What is known of a printer's profile without the printer: its model driven against a virtual one.

Each trial has a virtual printer of the model and a driver of its own, and holds the driver's word against the truth:
the paper that came out, dot for dot. What only hardware can prove is said beside it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import Final, Self

import msgspec
from PIL import Image, ImageChops

from edge.devices.findings import Finding, Findings
from edge.devices.printers.character_device import SerialPlace
from edge.devices.printers.driver import PrinterDriver, PrintResult
from edge.devices.printers.escpos_encoder import encode
from edge.devices.printers.links import Place, TcpPlace
from edge.devices.printers.render import picture
from edge.devices.virtual.printer import PrinterFault, VirtualPrinter
from firmware_profiles.printer_profile import PrinterProfile, PrinterTimes
from shared.paper_facts import PrinterTestFacts
from shared.paper_filling import compose
from shared.receipt import Receipt

TRIAL_TIMEOUT_S: Final = 60
TIMES: Final = PrinterTimes(
    connect_timeout_ms=20_000, status_timeout_ms=20_000, send_timeout_ms=20_000, end_of_job_timeout_ms=20_000
)
"""Longer than any machine needs to answer itself: what ends a trial is the answer."""
SILENCE_MS: Final = 400
"""How long a silent printer is listened to."""
_LOOK_AGAIN_S: Final = 0.02

HARDWARE_ONLY: Final = (
    "that this model takes these commands, and that its head is as wide as the profile says",
    "that its memory takes bands of this height one behind the other, at the speed of the line",
    "that it cuts, and behind the last line: not through it",
    "that it answers how it is while its cover is open or its paper is out",
    "that it answers the marker when the paper is out, and not when the bytes are in",
)

STATES: Final[tuple[tuple[PrinterFault | None, str, str], ...]] = (
    (None, "all well", "ok"),
    ("near_end", "paper near its end", "paper_near_end"),
    ("no_paper", "no paper", "paper_end"),
    ("cover_open", "cover open", "cover_open"),
    ("cutter", "cutter jammed", "cutter"),
    ("silent", "says nothing", "unknown"),
)
"""A fault, what people call it, and the status it has to be told by."""


class NotSo(Exception):  # noqa: N818 - it is what was seen, not an error of the program
    """Something did not hold; the text says what was seen instead."""


def _hold(held: object, seen: object) -> None:
    if not held:
        raise NotSo(str(seen))


class Sample(msgspec.Struct, frozen=True):
    """The paper of all trials of a model, drawn and encoded once."""

    picture: Image.Image
    job: bytes

    @classmethod
    def of(cls, profile: PrinterProfile) -> Self:
        """Draw the test page for a model."""
        drawn = picture(trial_paper(profile), profile)
        return cls(drawn, encode(drawn, profile))


class Bench:
    """One virtual printer of a model and the driver that works it."""

    def __init__(self, profile: PrinterProfile, sample: Sample, *, on_a_line: bool = False) -> None:
        self.profile = msgspec.structs.replace(profile, times=TIMES)
        self.printer = VirtualPrinter(profile=self.profile)
        self._sample = sample
        self._on_a_line = on_a_line
        self._driver: PrinterDriver | None = None

    @property
    def driver(self) -> PrinterDriver:
        """Return the driver; there once the bench is open."""
        if self._driver is None:
            raise RuntimeError("the bench is not open")
        return self._driver

    async def __aenter__(self) -> Self:
        """Switch the printer on."""
        if self._on_a_line:
            place: Place = SerialPlace(self.printer.start_on_pty(), self.profile.serial)
        else:
            await self.printer.start()
            place = TcpPlace("127.0.0.1", self.printer.port)
        self._driver = PrinterDriver(place=place, profile=self.profile)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Switch it off."""
        await self.printer.close()

    def expect_silence(self, **times_ms: int) -> None:
        """Wait no longer than this for what will not come."""
        times = msgspec.structs.replace(self.profile.times, **times_ms)
        profile = msgspec.structs.replace(self.profile, times=times)
        self._driver = PrinterDriver(place=self.driver.place, profile=profile)

    @property
    def speaks(self) -> bool:
        """Return whether the model says how it is."""
        return self.profile.answers.real_time_status or self.profile.answers.automatic_status

    async def print(self) -> PrintResult:
        """Print the test page."""
        return await self.driver.print(self._sample.job)

    async def comes_out(self) -> None:
        """Wait for the paper and hold it against the picture."""
        sent = self._sample.picture
        height = sent.height + self.profile.cut.feed_dots
        while not self.printer.pieces and self.printer.uncut_dots < height:  # noqa: ASYNC110 - both kinds of end
            await asyncio.sleep(_LOOK_AGAIN_S)
        if not self.printer.pieces:
            self.printer.tear()
        found = Image.open(BytesIO(self.printer.pieces[0].png)).convert("L")
        _hold(found.size == (sent.width, height), f"a paper of {found.size}, not {(sent.width, height)}")
        same = ImageChops.difference(found.crop((0, 0, *sent.size)), sent.convert("L")).getbbox() is None
        _hold(same, "the picture on the paper is another one")
        _hold(not self.printer.reports, "; ".join(self.printer.reports))


def trial_paper(profile: PrinterProfile) -> Receipt:
    """Return the test page of a model."""
    return compose(
        PrinterTestFacts(
            office_name="دفتر نمونه",
            office_code="72101001",
            printer_title=profile.identity.title_fa,
            printer_address="virtual",
            paper_width_mm=profile.paper.width_mm,
            printable_dots=profile.paper.printable_dots,
            printed_at=datetime(2026, 1, 1, tzinfo=UTC),
            url="https://central.example/r/test",
        )
    )


async def _prints(bench: Bench) -> None:
    result = await bench.print()
    wanted = "printed" if bench.profile.answers.end_of_job else "uncertain"
    _hold(result.kind == wanted, f"{result.kind} ({result.detail})")
    await bench.comes_out()


def _tells(fault: PrinterFault | None, status: str) -> Callable[[Bench], Awaitable[None]]:
    async def trial(bench: Bench) -> None:
        bench.printer.set_fault(fault)
        if fault == "silent":
            bench.expect_silence(status_timeout_ms=SILENCE_MS)
        wanted = status if bench.speaks else "unknown"
        said = await bench.driver.status()
        _hold(said == wanted, f"told as {said}")
        if bench.speaks and status not in {"ok", "paper_near_end"}:
            result = await bench.print()
            _hold(result.kind == "not_printed", f"a job was {result.kind}")
            bench.printer.set_fault(None)
            _hold(not bench.printer.pieces and not bench.printer.uncut_dots, "a paper came out all the same")

    return trial


async def _dies(bench: Bench) -> None:
    bench.printer.set_fault("die_mid_job")
    result = await bench.print()
    _hold(result.kind == "uncertain", f"{result.kind} ({result.detail})")


async def _marker_lost(bench: Bench) -> None:
    bench.printer.set_fault("marker_lost")
    bench.expect_silence(end_of_job_timeout_ms=SILENCE_MS)
    result = await bench.print()
    _hold(result.kind == "uncertain", f"{result.kind} ({result.detail})")
    await bench.comes_out()


async def _no_answer(bench: Bench) -> None:
    bench.printer.set_fault("no_answer")
    bench.expect_silence(status_timeout_ms=SILENCE_MS, end_of_job_timeout_ms=SILENCE_MS)
    result = await bench.print()
    if bench.speaks:
        _hold(result.kind == "not_printed", f"a printer that should answer and does not: {result.kind}")
        _hold(not bench.printer.pieces and not bench.printer.uncut_dots, "a paper came out all the same")
    else:
        _hold(result.kind == "uncertain", result.kind)
        await bench.comes_out()


async def _off(bench: Bench) -> None:
    bench.printer.set_fault("off")
    said = await bench.driver.status()
    _hold(said == "offline", f"told as {said}")
    result = await bench.print()
    _hold(result.kind == "not_printed", result.kind)


async def _drawer(bench: Bench) -> None:
    _hold(await bench.driver.open_drawer(), "the pulse was not taken")
    while not bench.printer.drawer_openings:  # noqa: ASYNC110 - the trial's own deadline is over it
        await asyncio.sleep(_LOOK_AGAIN_S)
    _hold(not bench.printer.reports, "; ".join(bench.printer.reports))


Trial = tuple[str, Callable[[Bench], Awaitable[None]], bool]


def trials(profile: PrinterProfile) -> list[Trial]:
    """Return what is tried of a model: what, how, and whether over a serial line."""
    every: list[Trial] = [
        ("a paper comes out as it was drawn, over the network", _prints, False),
        ("a paper comes out as it was drawn, over a serial line", _prints, True),
        *((f"{name}: told as {status}", _tells(fault, status), False) for fault, name, status in STATES),
        ("power lost in the middle of a paper: uncertain", _dies, False),
        ("a paper that came out, and nothing said of it: uncertain", _marker_lost, False),
        ("prints and never answers: nothing is sent to a model that should", _no_answer, False),
        ("switched off: offline, and nothing is sent", _off, False),
    ]
    if profile.drawer is not None:
        every.append(("the drawer's pulse is understood", _drawer, True))
    return every


async def check_printer(profile: PrinterProfile) -> Findings:
    """Drive a model against a virtual printer of it, every trial at the same time."""
    sample = await asyncio.to_thread(Sample.of, profile)
    findings = await asyncio.gather(*(_try(profile, sample, trial) for trial in trials(profile)))
    return Findings(profile=profile.name, findings=tuple(findings), hardware_only=HARDWARE_ONLY)


async def _try(profile: PrinterProfile, sample: Sample, trial: Trial) -> Finding:
    what, run, on_a_line = trial
    try:
        async with asyncio.timeout(TRIAL_TIMEOUT_S), Bench(profile, sample, on_a_line=on_a_line) as bench:
            await run(bench)
    except NotSo as seen:
        return Finding(what=what, held=False, seen=str(seen))
    except Exception as error:  # noqa: BLE001 - a trial that fails in any way is a finding, the others go on
        return Finding(what=what, held=False, seen=repr(error))
    return Finding(what=what, held=True)
