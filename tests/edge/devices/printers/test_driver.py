import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from PIL import Image, ImageChops

from edge.devices.printers.driver import PrinterDriver
from edge.devices.printers.escpos_encoder import END_OF_JOB
from edge.devices.printers.links import TcpPlace
from edge.devices.printers.render import picture, render
from edge.devices.printers.status import NO_AUTOMATIC_STATUS, PrinterStatus
from edge.devices.virtual.printer import PrinterFault, VirtualPrinter
from firmware_profiles.printer_profile import PrinterProfile, PrinterTimes
from tests.golden.receipts.papers import PAPERS, profile

TIMES = PrinterTimes(
    connect_timeout_ms=20_000, status_timeout_ms=20_000, send_timeout_ms=20_000, end_of_job_timeout_ms=20_000
)
"""Longer than a busy machine needs: what ends a wait is the answer."""


def waiting(**times_ms: int) -> PrinterProfile:
    """The model, which waits less long for what the test knows will not come."""
    times = msgspec.structs.replace(TIMES, **times_ms)
    return msgspec.structs.replace(profile("daftar/virtual_80mm"), times=times)


PROFILE = waiting()
SOON = waiting(status_timeout_ms=300)
JOB = render(PAPERS["bill_queued"], PROFILE)
LONGEST_S = 120.0
"""Far more than all deadlines of a job together; a call that takes longer hangs."""


@pytest.fixture
async def printer() -> AsyncIterator[VirtualPrinter]:
    printer = VirtualPrinter()
    await printer.start()
    yield printer
    await printer.close()


def driver_of(printer: VirtualPrinter, profile: PrinterProfile = PROFILE) -> PrinterDriver:
    return PrinterDriver(place=TcpPlace("127.0.0.1", printer.port), profile=profile)


async def test_a_job_comes_out_as_it_was_rendered(printer: VirtualPrinter) -> None:
    result = await driver_of(printer).print(JOB)
    assert (result.kind, result.status) == ("printed", PrinterStatus.OK)
    (piece,) = printer.pieces
    assert printer.reports == []
    sent = picture(PAPERS["bill_queued"], PROFILE)
    paper = Image.open(BytesIO(piece.png))
    assert paper.size == (sent.width, sent.height + PROFILE.cut.feed_dots)
    assert ImageChops.difference(paper.crop((0, 0, *sent.size)).convert("L"), sent.convert("L")).getbbox() is None


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (None, "ok"),
        ("near_end", "paper_near_end"),
        ("no_paper", "paper_end"),
        ("cover_open", "cover_open"),
        ("cutter", "cutter"),
        ("silent", "unknown"),
        ("off", "offline"),
    ],
)
async def test_status_names_what_is_wrong(printer: VirtualPrinter, fault: PrinterFault | None, status: str) -> None:
    printer.set_fault(fault)
    async with asyncio.timeout(LONGEST_S):
        assert await driver_of(printer, SOON if fault == "silent" else PROFILE).status() == status


@pytest.mark.parametrize("fault", ["no_paper", "cover_open", "cutter", "silent", "off"])
async def test_trouble_found_before_sending_prints_nothing_then_or_later(
    printer: VirtualPrinter, fault: PrinterFault
) -> None:
    driver = driver_of(printer)
    printer.set_fault(fault)
    async with asyncio.timeout(LONGEST_S):
        result = await driver_of(printer, SOON if fault == "silent" else PROFILE).print(JOB)
    assert result.kind == "not_printed"
    printer.set_fault(None)
    assert await driver.status() == PrinterStatus.OK
    assert printer.pieces == ()
    assert (await driver.print(JOB)).kind == "printed"
    assert len(printer.pieces) == 1


async def test_what_a_printer_says_unasked_is_not_the_end_of_the_job() -> None:
    printer = VirtualPrinter(speaks_unasked=True)
    await printer.start()
    assert await driver_of(printer).status() == PrinterStatus.OK
    # It dies in the middle, after it spoke on connecting: those bytes must not pass for the marker's answer.
    printer.set_fault("die_mid_job")
    assert (await driver_of(printer).print(JOB)).kind == "uncertain"
    printer.set_fault(None)
    printer.tear()
    papers = len(printer.pieces)
    assert (await driver_of(printer).print(JOB)).kind == "printed"
    assert len(printer.pieces) == papers + 1
    assert printer.reports == []
    await printer.close()


async def test_little_paper_still_prints(printer: VirtualPrinter) -> None:
    printer.set_fault("near_end")
    result = await driver_of(printer).print(JOB)
    assert (result.kind, result.status) == ("printed", PrinterStatus.PAPER_NEAR_END)


async def test_power_lost_in_the_middle_is_uncertain(printer: VirtualPrinter) -> None:
    driver = driver_of(printer)
    printer.set_fault("die_mid_job")
    async with asyncio.timeout(LONGEST_S):
        result = await driver.print(JOB)
    assert (result.kind, result.status) == ("uncertain", PrinterStatus.OFFLINE)
    assert printer.pieces == ()
    assert printer.uncut_dots > 0
    assert await driver.status() == PrinterStatus.OFFLINE


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted(script: Script, model: PrinterProfile = PROFILE) -> AsyncIterator[PrinterDriver]:
    """A printer that follows a script on each connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield PrinterDriver(place=TcpPlace("127.0.0.1", server.sockets[0].getsockname()[1]), profile=model)


async def answer_status(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: bytes) -> None:
    for question, byte in enumerate(answers, start=1):
        assert await reader.readexactly(3) == bytes((0x10, 0x04, question))
        writer.write(bytes((byte,)))


async def test_paper_that_ends_during_the_job_is_uncertain_and_said(printer: VirtualPrinter) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_status(reader, writer, b"\x12\x12\x12\x12")
        await reader.readexactly(len(NO_AUTOMATIC_STATUS + JOB))
        await answer_status(reader, writer, b"\x1a\x32\x12\x72")
        await reader.read()

    async with asyncio.timeout(LONGEST_S), scripted(script, waiting(end_of_job_timeout_ms=300)) as driver:
        result = await driver.print(JOB)
    assert (result.kind, result.status) == ("uncertain", PrinterStatus.PAPER_END)


@pytest.mark.parametrize(
    ("marker", "kind", "status"),
    [
        (b"\x00", "printed", "ok"),
        (b"\x03", "printed", "paper_near_end"),
        (b"\x0c", "uncertain", "paper_end"),
        (b"\x0f", "uncertain", "paper_end"),
    ],
)
async def test_the_end_of_a_job_tells_of_the_paper_too(marker: bytes, kind: str, status: str) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_status(reader, writer, b"\x12\x12\x12\x12")
        await reader.readexactly(len(NO_AUTOMATIC_STATUS + JOB))
        writer.write(marker)
        await reader.read()

    async with asyncio.timeout(LONGEST_S), scripted(script) as driver:
        result = await driver.print(JOB)
    assert (result.kind, result.status) == (kind, status)


async def test_the_late_end_of_the_job_before_is_not_the_end_of_this_one() -> None:
    # A job; one to which nothing is said; when that is through at last, so is the marker before the third.
    said = iter((b"\0", b"", b"\0\0", b""))

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_status(reader, writer, b"\x12\x12\x12\x12")
        asked = await reader.readexactly(len(END_OF_JOB))
        if asked == END_OF_JOB:
            writer.write(next(said))
            asked = b""
        await reader.readexactly(len(NO_AUTOMATIC_STATUS + JOB) - len(asked))
        writer.write(next(said))
        await answer_status(reader, writer, b"\x12\x12\x12\x12")
        await reader.read()

    model = waiting(end_of_job_timeout_ms=400, status_timeout_ms=400)
    async with asyncio.timeout(LONGEST_S), scripted(script, model) as driver:
        results = [await driver.print(JOB) for _ in range(3)]
    assert [result.kind for result in results] == ["printed", "uncertain", "uncertain"]
    assert {result.detail for result in results[1:]} == {"no end of job"}


async def test_a_printer_still_at_the_job_before_gets_no_other_and_is_asked_once(printer: VirtualPrinter) -> None:
    driver = driver_of(printer, waiting(end_of_job_timeout_ms=300, status_timeout_ms=300))
    printer.set_fault("marker_lost")
    assert [(await driver.print(JOB)).kind for _ in range(2)] == ["uncertain"] * 2, "who never tells is not waited for"
    printer.set_fault(None)
    assert (await driver.print(JOB)).kind == "printed"
    printer.set_fault("marker_lost")
    assert (await driver.print(JOB)).kind == "uncertain"
    still = await driver.print(JOB)
    assert (still.kind, still.detail, len(printer.pieces)) == ("not_printed", "the job before is not through", 4)
    printer.set_fault(None)
    assert [(await driver.print(JOB)).kind for _ in range(2)] == ["printed", "printed"]
    assert (len(printer.pieces), printer.reports) == (6, [])


async def test_a_printer_that_stops_reading_ends_by_the_deadline() -> None:
    released = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_status(reader, writer, b"\x12\x12\x12\x12")
        await released.wait()

    async with asyncio.timeout(LONGEST_S), scripted(script, waiting(send_timeout_ms=500)) as driver:
        result = await driver.print(JOB * 900)
        released.set()
    assert result.kind == "uncertain"
    assert result.detail.startswith("send")


async def test_noise_is_not_taken_for_an_answer() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for question in (1, 2, 3, 4):
            assert await reader.readexactly(3) == bytes((0x10, 0x04, question))
            writer.write(b"\x11\x00\x13\xff\x12")
        await reader.readexactly(len(JOB))
        writer.write(b"\x12\x13\xff")  # nothing of this ends a job
        await reader.read()

    listening = waiting(status_timeout_ms=2_000, end_of_job_timeout_ms=300)
    async with asyncio.timeout(LONGEST_S), scripted(script, listening) as driver:
        result = await driver.print(JOB)
    assert (result.kind, result.status) == ("uncertain", PrinterStatus.UNKNOWN)


async def test_a_connection_closed_at_once_sends_nothing() -> None:
    async def script(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with asyncio.timeout(LONGEST_S), scripted(script) as driver:
        result = await driver.print(JOB)
        assert (result.kind, result.status) == ("not_printed", PrinterStatus.OFFLINE)
        assert await driver.status() == PrinterStatus.OFFLINE


async def test_a_model_that_cannot_tell_leaves_it_uncertain(printer: VirtualPrinter) -> None:
    answers = msgspec.structs.replace(PROFILE.answers, end_of_job=False, real_time_status=False)
    mute = msgspec.structs.replace(PROFILE, answers=answers)
    result = await driver_of(printer, mute).print(render(PAPERS["ticket"], mute))
    assert (result.kind, result.status) == ("uncertain", PrinterStatus.UNKNOWN)


async def test_two_jobs_at_once_come_out_one_after_the_other(printer: VirtualPrinter) -> None:
    driver = driver_of(printer)
    ticket = render(PAPERS["ticket"], PROFILE)
    results = await asyncio.gather(driver.print(JOB), driver.print(ticket), driver.status())
    assert [results[0].kind, results[1].kind, results[2]] == ["printed", "printed", "ok"]
    heights = [Image.open(BytesIO(piece.png)).height for piece in printer.pieces]
    assert heights == [
        picture(PAPERS[name], PROFILE).height + PROFILE.cut.feed_dots for name in ("ticket", "bill_queued")
    ]


async def test_asking_again_and_again_leaves_no_connection_open(printer: VirtualPrinter) -> None:
    driver = driver_of(printer)
    await driver.status()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(200):
        assert await driver.status() == PrinterStatus.OK
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2


async def test_a_cancelled_print_closes_its_connection(printer: VirtualPrinter) -> None:
    driver = driver_of(printer)
    printer.set_fault("silent")
    task = asyncio.create_task(driver.print(JOB))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    printer.set_fault(None)
    assert (await driver.print(JOB)).kind == "printed"


async def test_a_host_that_cannot_be_one_is_offline_and_nothing_was_sent() -> None:
    driver = PrinterDriver(place=TcpPlace("x" * 300, 9_100), profile=PROFILE)
    async with asyncio.timeout(LONGEST_S):
        result = await driver.print(JOB)
    assert (result.kind, result.status) == ("not_printed", PrinterStatus.OFFLINE)
