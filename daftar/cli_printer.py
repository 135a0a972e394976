"""`daftar printer`: a receipt printer in a technician's hands, before a box works with it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NoReturn, TypeVar

import click

from daftar.cli_edge_journal import data_option
from daftar.device_argument import DeviceArgument, printer_settings
from daftar.provisioning_report import provisioning_facts
from edge.devices.catalogue import load_catalogue
from edge.devices.printers.character_device import usb_printers
from edge.devices.printers.driver import PrinterDriver, PrintResult
from edge.devices.printers.links import TcpPlace
from edge.devices.printers.places import place_of
from edge.devices.printers.render import render
from edge.devices.printers.status import CAN_PRINT, PrinterStatus
from firmware_profiles.matching import DeviceClues
from firmware_profiles.registry import ProfileRegistry
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.error_texts import ERROR_TEXTS
from shared.errors import DaftarError, DeviceError
from shared.paper_facts import PrinterTestFacts, ProvisioningReportFacts
from shared.paper_filling import compose

Found = TypeVar("Found")
RAW_PORT: Final = 9_100
GENERIC: Final = "generic/escpos_80mm"
"""Whose times are waited when a printer is asked what it is."""

_where = click.argument("printer", type=DeviceArgument())


@click.group("printer")
def printer() -> None:
    """Ask, test and try a receipt printer, PRINTER being MAKER/MODEL@HOST[:PORT] or MAKER/MODEL@ADDRESS.

    ADDRESS: tcp://HOST:PORT, serial:///dev/…, usb://VENDOR:PRODUCT, usb:///dev/usb/lp0, file:///PATH, cups://QUEUE.
    A box that uses the printer must be stopped first: most take one connection.
    """


def _work(given: dict[str, str], work: Callable[[PrinterDriver], Awaitable[Found]]) -> Found:
    """Drive the printer that was typed. Raises ClickException in words."""

    async def run() -> Found:
        settings = printer_settings(given)
        profile = load_catalogue().printer(settings.profile)
        return await work(PrinterDriver(place=place_of(settings.place, profile), profile=profile))

    try:
        return asyncio.run(run())
    except DaftarError as error:
        raise _in_words(error) from error
    except ValueError as error:
        raise click.ClickException(f"{error}.") from error


def _in_words(error: DaftarError) -> click.ClickException:
    return click.ClickException(f"{ERROR_TEXTS[error.code].en.format_map(error.data)} ({error.code})")


@printer.command("find")
@click.argument("hosts", nargs=-1)
def find(hosts: tuple[str, ...]) -> None:
    """List USB printers, and ask those at HOSTS (HOST or HOST:PORT) what they are; says which model each is."""
    catalogue = load_catalogue()
    for one in usb_printers():
        serial = f":{one.serial}" if one.serial else ""
        clues = DeviceClues(usb_vendor=one.vendor, usb_product=one.product, texts=(one.words,))
        click.echo(f"usb://{one.vendor}:{one.product}{serial}  {_model(catalogue, clues)}")
    for host in hosts:
        name, _, port = host.partition(":")
        place = TcpPlace(name, int(port) if port.isdecimal() else RAW_PORT)
        said = asyncio.run(PrinterDriver(place=place, profile=catalogue.printer(GENERIC)).model_name())
        clues = DeviceClues(texts=() if said is None else (said,))
        click.echo(f"tcp://{place}  {'does not say what it is' if said is None else _model(catalogue, clues)}")


def _model(catalogue: ProfileRegistry, clues: DeviceClues) -> str:
    try:
        return catalogue.match_printer(clues).name
    except DeviceError as error:
        return ERROR_TEXTS[error.code].en.format_map(error.data)


@printer.command("status")
@_where
def status(printer: dict[str, str]) -> None:
    """Say how it is. Exit code 1: it cannot print.

    One of ok, paper_near_end, paper_end, cover_open, cutter, offline, unknown.
    """

    async def work(driver: PrinterDriver) -> tuple[PrinterStatus, str | None]:
        return await driver.status(), driver.last_error

    found, why = _work(printer, work)
    click.echo(found.value if why is None else f"{found.value}: {why}")
    raise SystemExit(0 if found in CAN_PRINT else 1)


@printer.command("test")
@_where
@click.option("--office-name", default="دفتر پیشخوان", show_default=True, help="Stands at the head of the page.")
@click.option("--office-code", default="0", show_default=True, help="Stands below it.")
def test(printer: dict[str, str], office_name: str, office_code: str) -> None:
    """Print the test page: letters, digits, widths, a QR code. Exit code 1: it is not known to be out."""

    async def work(driver: PrinterDriver) -> PrintResult:
        paper = driver.profile.paper
        facts = PrinterTestFacts(
            office_name=office_name,
            office_code=office_code,
            printer_title=driver.profile.identity.title_fa,
            printer_address=str(driver.place),
            paper_width_mm=paper.width_mm,
            printable_dots=paper.printable_dots,
            printed_at=SystemClock().now(),
            url=f"https://example.invalid/{driver.profile.name}",
        )
        return await driver.print(render(compose(facts), driver.profile))

    _say(_work(printer, work))


def _say(result: PrintResult) -> NoReturn:
    """Say how a print ended, and end."""
    click.echo(f"{result.kind}: {result.status.value}{' · ' if result.detail else ''}{result.detail}")
    raise SystemExit(0 if result.kind == "printed" else 1)


@printer.command("report")
@data_option
@click.option("--technician", required=True, help="Who set the box up; stands above the first signature.")
def report(data: Path, technician: str) -> None:
    """Try each device of a box that does not serve, and print the provisioning report on its printer.

    Says what was found of each. No payment is made. Exit code 1: something is not good, or no paper is known to be out.
    """

    async def work() -> tuple[ProvisioningReportFacts, PrintResult]:
        facts, driver = await provisioning_facts(data, technician, SystemClock(), SystemEntropy())
        return facts, await driver.print(render(compose(facts), driver.profile))

    try:
        facts, result = asyncio.run(work())
    except DaftarError as error:
        raise _in_words(error) from error
    for device in facts.devices:
        click.echo(f"{device.kind} {device.name} ({device.profile} at {device.address}): {device.state}")
    for check in facts.checks:
        click.echo(f"{check.check}: {check.state}")
    if facts.bad_count and result.kind == "printed":
        click.echo(f"printed: {facts.bad_count} not good")
        raise SystemExit(1)
    _say(result)


@printer.command("drawer")
@_where
def drawer(printer: dict[str, str]) -> None:
    """Open the cash drawer that hangs on it. Exit code 1: the model has none, or the pulse was not taken."""
    taken = _work(printer, lambda driver: driver.open_drawer())
    click.echo("taken" if taken else "not taken")
    raise SystemExit(0 if taken else 1)
