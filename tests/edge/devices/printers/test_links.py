"""Printing over every way there is, against real sockets, pseudo terminals, files and a print system's commands."""

import asyncio
import os
import stat
import threading
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from PIL import Image, ImageChops

from edge.devices.catalogue import load_catalogue
from edge.devices.printers import character_device
from edge.devices.printers.character_device import SerialPlace, UsbPlace, UsbPrinter, find_usb_printer, usb_printers
from edge.devices.printers.driver import PrinterDriver
from edge.devices.printers.links import FilePlace, QueuePlace, TcpPlace
from edge.devices.printers.places import place_of
from edge.devices.printers.render import picture, render
from edge.devices.printers.status import PrinterStatus
from edge.devices.virtual.printer import PrinterFault, VirtualPrinter
from firmware_profiles.matching import DeviceClues
from firmware_profiles.printer_address import parse_printer_address
from firmware_profiles.printer_profile import PrinterAnswers, PrinterProfile, PrinterSerial, PrinterTimes
from tests.golden.receipts.papers import PAPERS, profile

TIMES = PrinterTimes(
    connect_timeout_ms=20_000, status_timeout_ms=20_000, send_timeout_ms=20_000, end_of_job_timeout_ms=20_000
)
PROFILE = msgspec.structs.replace(profile("generic/escpos_58mm"), times=TIMES)
LINE = PrinterSerial()
SENT = picture(PAPERS["ticket"], PROFILE)
JOB = render(PAPERS["ticket"], PROFILE)
LONGEST_S = 120.0


def with_answers(base: PrinterProfile = PROFILE, **answers: bool) -> PrinterProfile:
    return msgspec.structs.replace(base, answers=msgspec.structs.replace(base.answers, **answers))


@pytest.fixture
async def wired() -> AsyncIterator[tuple[VirtualPrinter, PrinterDriver]]:
    """A virtual printer at the other end of a serial line."""
    printer = VirtualPrinter(profile=PROFILE)
    yield printer, PrinterDriver(place=SerialPlace(printer.start_on_pty(), LINE), profile=PROFILE)
    await printer.close()


def torn(printer: VirtualPrinter) -> Image.Image:
    printer.tear()
    return Image.open(BytesIO(printer.pieces[0].png)).convert("L")


async def test_a_job_over_a_serial_line_is_the_picture(wired: tuple[VirtualPrinter, PrinterDriver]) -> None:
    printer, driver = wired
    async with asyncio.timeout(LONGEST_S):
        result = await driver.print(JOB)
    assert (result.kind, result.status, result.detail) == ("printed", PrinterStatus.OK, "")
    assert printer.reports == []
    paper = torn(printer)
    assert ImageChops.difference(paper.crop((0, 0, *SENT.size)), SENT.convert("L")).getbbox() is None
    assert paper.height == SENT.height + PROFILE.cut.feed_dots


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (None, "ok"),
        ("near_end", "paper_near_end"),
        ("no_paper", "paper_end"),
        ("cover_open", "cover_open"),
        ("cutter", "cutter"),
        ("silent", "unknown"),
        ("off", "unknown"),
    ],
)
@pytest.mark.parametrize("unasked", [False, True])
async def test_a_line_tells_what_is_wrong(fault: PrinterFault | None, status: str, *, unasked: bool) -> None:
    model = with_answers(real_time_status=not unasked, automatic_status=unasked)
    if status == "unknown":
        model = msgspec.structs.replace(model, times=msgspec.structs.replace(TIMES, status_timeout_ms=150))
    printer = VirtualPrinter(profile=model)
    driver = PrinterDriver(place=SerialPlace(printer.start_on_pty(), LINE), profile=model)
    printer.set_fault(fault)
    async with asyncio.timeout(LONGEST_S):
        assert await driver.status() == status
        result = await driver.print(JOB)
    assert result.kind == ("printed" if status in ("ok", "paper_near_end") else "not_printed")
    assert result.status == status
    await printer.close()


async def test_power_lost_on_a_line_is_uncertain_and_the_next_job_comes_out(
    wired: tuple[VirtualPrinter, PrinterDriver],
) -> None:
    printer, driver = wired
    times = msgspec.structs.replace(TIMES, status_timeout_ms=1_500, end_of_job_timeout_ms=300)
    hurried = PrinterDriver(place=driver.place, profile=msgspec.structs.replace(PROFILE, times=times))
    printer.set_fault("die_mid_job")
    async with asyncio.timeout(LONGEST_S):
        assert (await hurried.print(JOB)).kind == "uncertain"
        printer.tear()
        printer.set_fault(None)
        assert (await driver.print(JOB)).kind == "printed"
    assert torn(printer).height == SENT.height + PROFILE.cut.feed_dots


class FastLine(SerialPlace, frozen=True):
    """A line that is given no time of its own."""

    def takes_s(self, size_bytes: int) -> float:  # noqa: ARG002 - every place is asked
        return 0


async def test_a_line_that_takes_nothing_ends_by_the_deadline() -> None:
    ours, theirs = os.openpty()
    times = msgspec.structs.replace(TIMES, send_timeout_ms=300)
    mute = with_answers(
        msgspec.structs.replace(PROFILE, times=times),
        real_time_status=False,
        end_of_job=False,
    )
    driver = PrinterDriver(place=FastLine(os.ttyname(theirs), LINE), profile=mute)
    async with asyncio.timeout(LONGEST_S):
        result = await driver.print(JOB * 20)
    assert (result.kind, result.status) == ("uncertain", PrinterStatus.OFFLINE)
    assert result.detail.startswith("send")
    os.close(ours)
    os.close(theirs)


async def test_a_line_that_is_pulled_out_is_offline_before_and_uncertain_after(tmp_path: Path) -> None:
    nowhere = PrinterDriver(place=SerialPlace(str(tmp_path / "ttyUSB0"), LINE), profile=PROFILE)
    assert await nowhere.status() == PrinterStatus.OFFLINE
    assert (await nowhere.print(JOB)).kind == "not_printed"

    ours, theirs = os.openpty()
    path = os.ttyname(theirs)
    mute = with_answers(real_time_status=False)
    running = asyncio.create_task(PrinterDriver(place=SerialPlace(path, LINE), profile=mute).print(JOB))
    loop, came = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(ours, came.set)
    async with asyncio.timeout(LONGEST_S):
        await came.wait()
        loop.remove_reader(ours)
        os.close(ours)
        os.close(theirs)
        result = await running
    assert (result.kind, result.status) == ("uncertain", PrinterStatus.OFFLINE)


async def test_a_model_that_needs_rest_gets_it() -> None:
    raster = msgspec.structs.replace(PROFILE.raster, band_dots=128, pause_ms=1)
    resting = msgspec.structs.replace(PROFILE, raster=raster)
    printer = VirtualPrinter(profile=resting)
    await printer.start()
    driver = PrinterDriver(place=TcpPlace("127.0.0.1", printer.port), profile=resting)
    async with asyncio.timeout(LONGEST_S):
        assert (await driver.print(JOB)).kind == "printed"
    assert torn(printer).height == SENT.height + PROFILE.cut.feed_dots
    assert printer.reports == []
    await printer.close()


def test_a_slow_line_is_given_the_time_that_a_job_needs() -> None:
    slow = SerialPlace("/dev/ttyS0", PrinterSerial(baud=9_600))
    assert slow.takes_s(60_000) > 60_000 * 10 / 9_600
    assert slow.takes_s(60_000) == 12 * SerialPlace("/dev/ttyS0", PrinterSerial(baud=115_200)).takes_s(60_000)
    assert TcpPlace("192.0.2.5", 9_100).takes_s(60_000) == 0


async def test_a_device_that_is_stuck_keeps_one_thread_and_no_more(
    wired: tuple[VirtualPrinter, PrinterDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, driver = wired
    times = msgspec.structs.replace(TIMES, connect_timeout_ms=20)
    hurried = PrinterDriver(place=driver.place, profile=msgspec.structs.replace(PROFILE, times=times))
    let_go, asked = threading.Event(), []
    really_open = character_device._open

    def stuck(path: str, prepare: Callable[[int], None]) -> int:
        asked.append(path)
        assert let_go.wait(60)
        return really_open(path, prepare)

    monkeypatch.setattr(character_device, "_open", stuck)
    for _ in range(50):
        assert await hurried.status() is PrinterStatus.OFFLINE
    assert len(asked) == 1
    let_go.set()
    async with asyncio.timeout(LONGEST_S):
        while await driver.status() is not PrinterStatus.OK:
            await asyncio.to_thread(int)


async def test_asking_a_line_again_and_again_leaves_nothing_open(wired: tuple[VirtualPrinter, PrinterDriver]) -> None:
    _, driver = wired
    await driver.status()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(50):
        assert await driver.status() == PrinterStatus.OK
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1


async def test_the_drawer_opens_where_there_is_one(wired: tuple[VirtualPrinter, PrinterDriver]) -> None:
    printer, driver = wired
    async with asyncio.timeout(LONGEST_S):
        assert await driver.open_drawer()
        assert await driver.status() == PrinterStatus.OK
    assert printer.drawer_openings == 1
    without = PrinterDriver(place=driver.place, profile=msgspec.structs.replace(PROFILE, drawer=None))
    assert not await without.open_drawer()


async def test_a_usb_printers_device_file_speaks_both_ways() -> None:
    printer = VirtualPrinter(profile=PROFILE)
    driver = PrinterDriver(place=UsbPlace(printer.start_on_pty()), profile=PROFILE)
    async with asyncio.timeout(LONGEST_S):
        assert await driver.status() == PrinterStatus.OK
        assert (await driver.print(JOB)).kind == "printed"
    await printer.close()


def plug_in(
    bus: Path, place: str, name: str, *, vendor: str, product: str, serial: str | None, words: str = ""
) -> None:
    """Show a USB printer as the system does: `lpN/device` points to the interface, its parent is the device."""
    interface = bus / "devices" / place / f"{place}:1.0"
    interface.mkdir(parents=True)
    (interface / "ieee1284_id").write_text(f"{words}\n")
    (interface.parent / "idVendor").write_text(f"{vendor}\n")
    (interface.parent / "idProduct").write_text(f"{product}\n")
    if serial is not None:
        (interface.parent / "serial").write_text(f"{serial}\n")
    (bus / "usbmisc" / name).mkdir(parents=True)
    (bus / "usbmisc" / name / "device").symlink_to(interface)


def test_a_usb_printer_is_found_wherever_it_is_plugged_in(tmp_path: Path) -> None:
    plug_in(tmp_path, "1-1", "lp0", vendor="0fe6", product="811e", serial=None)
    plug_in(tmp_path, "1-2", "lp1", vendor="04b8", product="0e15", serial="J5QF012345")
    plug_in(tmp_path, "1-3", "lp3", vendor="04b8", product="0e15", serial="J5QF067890")
    printers = tmp_path / "usbmisc"
    assert find_usb_printer("0FE6:811E", printers) == "/dev/usb/lp0"
    assert find_usb_printer("04b8:0e15:J5QF067890", printers) == "/dev/usb/lp3"
    with pytest.raises(OSError, match="2 USB printers"):
        find_usb_printer("04b8:0e15", printers)
    with pytest.raises(OSError, match="0 USB printers"):
        find_usb_printer("dead:beef", printers)


def test_usb_printers_are_listed_with_what_they_say_of_themselves(tmp_path: Path) -> None:
    words = "MFG:EPSON;CMD:ESC/POS;MDL:TM-T20II;CLS:PRINTER;"
    plug_in(tmp_path, "1-2", "lp1", vendor="04b8", product="0e15", serial="J5QF", words=words)
    assert usb_printers(tmp_path / "usbmisc") == [
        UsbPrinter(path="/dev/usb/lp1", vendor="04b8", product="0e15", serial="J5QF", words=words)
    ]
    assert usb_printers(tmp_path / "nothing") == []
    assert load_catalogue().match_printer(DeviceClues(texts=(words,))).name == "epson/tm_t20ii"


async def test_a_printer_says_what_model_it_is() -> None:
    model = msgspec.structs.replace(profile("bixolon/srp_350iii"), times=TIMES)
    printer = VirtualPrinter(profile=model)
    driver = PrinterDriver(place=SerialPlace(printer.start_on_pty(), LINE), profile=model)
    async with asyncio.timeout(LONGEST_S):
        said = await driver.model_name()
        assert said == "SRP-350III"
        assert load_catalogue().match_printer(DeviceClues(texts=(said,))).name == model.name
        printer.set_fault("silent")
        hurried = msgspec.structs.replace(model, times=msgspec.structs.replace(TIMES, status_timeout_ms=150))
        assert await PrinterDriver(place=driver.place, profile=hurried).model_name() is None
    await printer.close()


async def test_jobs_are_appended_to_a_file_and_nothing_is_claimed_of_paper(tmp_path: Path) -> None:
    path = tmp_path / "jobs.prn"
    driver = PrinterDriver(place=FilePlace(str(path)), profile=PROFILE)
    for _ in range(2):
        result = await driver.print(JOB)
        assert (result.kind, result.status) == ("uncertain", PrinterStatus.UNKNOWN)
    assert path.read_bytes() == JOB * 2
    os.mkfifo(tmp_path / "pipe")
    for wrong in (tmp_path / "no" / "folder.prn", tmp_path, tmp_path / "pipe"):
        refused = await PrinterDriver(place=FilePlace(str(wrong)), profile=PROFILE).print(JOB)
        assert (refused.kind, refused.status) == ("not_printed", PrinterStatus.OFFLINE)


def command(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


async def test_a_queue_of_the_print_system_takes_the_bytes_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    command(
        tmp_path, "lpstat", f'test "$*" = "-p counter" || {{ echo no such queue >&2; exit 1; }}; touch {tmp_path}/ok'
    )
    command(tmp_path, "lp", f'echo "$*" >{tmp_path}/said; cat >{tmp_path}/job')
    result = await PrinterDriver(place=QueuePlace("counter"), profile=PROFILE).print(JOB)
    assert (result.kind, result.status) == ("uncertain", PrinterStatus.UNKNOWN)
    assert (tmp_path / "job").read_bytes() == JOB
    assert (tmp_path / "said").read_text() == "-d counter -o raw -s\n"
    other = await PrinterDriver(place=QueuePlace("other"), profile=PROFILE).print(JOB)
    assert (other.kind, other.status) == ("not_printed", PrinterStatus.OFFLINE)
    assert "no such queue" in other.detail


async def test_a_print_system_that_hangs_is_left_by_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    command(tmp_path, "lpstat", "exit 0")
    command(tmp_path, "lp", "exec sleep 600")
    hurried = msgspec.structs.replace(PROFILE, times=msgspec.structs.replace(TIMES, send_timeout_ms=500))
    async with asyncio.timeout(LONGEST_S):
        result = await PrinterDriver(place=QueuePlace("counter"), profile=hurried).print(JOB)
    assert result.kind == "uncertain"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("tcp://192.0.2.5:9100", TcpPlace("192.0.2.5", 9_100)),
        (
            "serial:///dev/serial/by-id/usb-1?baud=19200&flow=rtscts",
            SerialPlace("/dev/serial/by-id/usb-1", PrinterSerial(baud=19_200, flow="rtscts")),
        ),
        ("usb://04b8:0e15:J5QF", UsbPlace("04b8:0e15:J5QF")),
        ("usb:///dev/usb/lp0", UsbPlace("/dev/usb/lp0")),
        ("file:///var/spool/jobs.prn", FilePlace("/var/spool/jobs.prn")),
        ("cups://counter", QueuePlace("counter")),
    ],
)
def test_settings_name_each_way(text: str, place: object) -> None:
    assert place_of(parse_printer_address(text), PROFILE) == place
    assert PrinterAnswers() == PROFILE.answers
