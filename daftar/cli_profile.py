"""`daftar profile`: models of devices: check one without the device, play with a virtual one, find what is there."""

import asyncio
from pathlib import Path
from typing import Final

import click

from daftar.play_device import Commands, play_printer, play_terminal
from edge.devices.catalogue import load_catalogue, load_with
from edge.devices.conformance import check_terminals
from edge.devices.discovery import Heard, hear_calls
from edge.devices.findings import Findings
from edge.devices.printers.conformance import check_printer
from edge.devices.serial_ports import SerialPort, serial_ports
from firmware_profiles.addresses import parse_address
from firmware_profiles.matching import DeviceClues
from firmware_profiles.printer_profile import PrinterProfile
from firmware_profiles.registry import ProfileRegistry
from shared.error_texts import ERROR_TEXTS
from shared.errors import DaftarError, DeviceError

LISTEN_S: Final = 3
PRINTERS_AT_A_TIME: Final = 3


@click.group("profile")
def profile() -> None:
    """Models of terminals and printers: check a profile, simulate a model, find what is connected."""


def _refuse(error: DaftarError) -> click.ClickException:
    words = ERROR_TEXTS[error.code].en.format_map(error.data)
    return click.ClickException(f"{words} ({error.code})")


# --- check -----------------------------------------------------------------------------------------------------------


@profile.command("check")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--all", "every", is_flag=True, help="Check every profile that comes with this release.")
def check(file: Path | None, *, every: bool) -> None:
    """Check a profile's FILE, or all: its form, its own name and marks, and a run against a virtual device.

    FILE lies as profiles do: terminals/MAKER/MODEL.toml or printers/MAKER/MODEL.toml. Says what held, what did not, and
    what only the real device can prove. Exit code 1: something did not hold.
    """
    if every == (file is not None):
        raise click.UsageError("give one FILE, or --all")
    try:
        registry, name = (load_catalogue(), None) if file is None else load_with(file)
    except DeviceError as error:
        raise _refuse(error) from error
    terminals = [one for one in registry.terminals if name in {None, one.name}]
    if file is not None and file.resolve().parent.parent.name == "printers":
        terminals = []
    good = True
    proofs: set[tuple[str, ...]] = set()
    for findings in asyncio.run(check_terminals(terminals)):
        good = _say(findings, _marks_say(registry, findings.profile)) and good
        proofs.add(findings.hardware_only)
    printers = [one for one in registry.printers if name in {None, one.name} and not (file is not None and terminals)]
    for findings in asyncio.run(_check_printers(printers)):
        good = _say(findings, "") and good
        proofs.add(findings.hardware_only)
    for hardware_only in proofs:
        click.echo("Only the device itself can prove:")
        for what in hardware_only:
            click.echo(f"  - {what}")
    if not good:
        raise SystemExit(1)


async def _check_printers(printers: list[PrinterProfile]) -> list[Findings]:
    """Check them a few at a time: much of their time is spent on silence, the rest on drawing."""
    turn = asyncio.Semaphore(PRINTERS_AT_A_TIME)

    async def check(printer: PrinterProfile) -> Findings:
        async with turn:
            return await check_printer(printer)

    return await asyncio.gather(*(check(printer) for printer in printers))


def _say(findings: Findings, marks: str) -> bool:
    """Print what was found. Returns whether all of it held."""
    held = sum(finding.held for finding in findings.findings)
    click.echo(f"{findings.profile}: {held} of {len(findings.findings)} held")
    for finding in findings.findings:
        click.echo(f"  {'+' if finding.held else 'NOT SO'} {finding.what}{': ' if finding.seen else ''}{finding.seen}")
    if marks:
        click.echo(f"  NOT SO {marks}")
    return findings.good and not marks


def _marks_say(registry: ProfileRegistry, name: str) -> str:
    """Return what is wrong with a model's marks, or nothing: each of them has to mean this model alone."""
    model = registry.terminal(name)
    clues = [DeviceClues(protocol=model.protocol, texts=(word,)) for word in model.marks.names] + [
        DeviceClues(usb_vendor=usb.vendor, usb_product=usb.product, texts=model.marks.names) for usb in model.marks.usb
    ]
    for one in clues:
        try:
            found = registry.match_terminal(one)
        except DeviceError as error:
            return f"its mark is not its own: {error}"
        if found.name != name:
            return f"its mark {one.text} means {found.name}"
    return ""


# --- simulate --------------------------------------------------------------------------------------------------------


@profile.command("simulate")
@click.argument("model")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where it listens.")
@click.option("--port", default=0, show_default=True, type=click.IntRange(0, 65_535), help="Its port; 0: any free one.")
@click.option("--pty", is_flag=True, help="Also on a serial line; its path is printed.")
@click.option("--call", help="Connect to a box that listens there, listen://HOST:PORT, and again whenever it hangs up.")
@click.option("--memory", type=click.Path(dir_okay=False, path_type=Path), help="File of a terminal's transactions.")
@click.option("--papers", type=click.Path(file_okay=False, path_type=Path), help="Folder for a printer's papers.")
@click.option(
    "--profiles",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of more profiles, as in box.toml's profiles_folder.",
)
def simulate(
    model: str,
    *,
    host: str,
    port: int,
    pty: bool,
    call: str | None,
    memory: Path | None,
    papers: Path | None,
    profiles: Path | None,
) -> None:
    """Play MODEL (maker/model): a virtual terminal or printer, driven by words typed at it; `help` lists them."""
    try:
        registry = load_catalogue(profiles)
        commands = Commands(say=click.echo)
        if any(one.name == model for one in registry.printers):
            work = play_printer(registry.printer(model), commands, host=host, port=port, pty=pty, papers=papers)
        else:
            box = None if call is None else parse_address(call)
            terminal = registry.terminal(model)
            work = play_terminal(terminal, commands, host=host, port=port, pty=pty, box=box, memory=memory)
        asyncio.run(work)
    except DeviceError as error:
        raise _refuse(error) from error
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("off")


# --- find ------------------------------------------------------------------------------------------------------------


@profile.command("find")
@click.option("--seconds", default=LISTEN_S, show_default=True, type=click.IntRange(1, 60), help="How long to listen.")
def find(seconds: int) -> None:
    """Find terminals: on serial and USB ports, and those that call out over the network; says which model each is."""
    registry = load_catalogue()
    for port in serial_ports():
        click.echo(f"serial://{port.path}  {_model(registry, _port_clues(port))}")
    ports = {port for one in registry.terminals if one.discovery is not None for port in one.discovery.ports}
    heard: Heard = asyncio.run(hear_calls(sorted(ports), seconds))
    for found in heard.calls:
        clues = DeviceClues(protocol=found.protocol, texts=(found.text,))
        click.echo(f"tcp://{found.host}:{found.port}  {found.text}  {_model(registry, clues)}")
    for closed in heard.refused:
        click.echo(
            f"UDP port {closed} cannot be listened on here (ports below 1024 need root): nothing was heard there"
        )


def _port_clues(port: SerialPort) -> DeviceClues:
    return DeviceClues(usb_vendor=port.usb_vendor, usb_product=port.usb_product, texts=(port.text,))


def _model(registry: ProfileRegistry, clues: DeviceClues) -> str:
    try:
        return registry.match_terminal(clues).name
    except DeviceError as error:
        return ERROR_TEXTS[error.code].en.format_map(error.data)
