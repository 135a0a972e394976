"""`daftar edge init`: write a box's settings from the command line, checked as the box would check them."""

from pathlib import Path
from typing import Any

import click

from daftar.device_argument import DeviceArgument, printer_settings
from edge.devices.catalogue import load_catalogue
from edge.devices.ways import way_to
from edge.settings import FILE_NAME, Settings, TerminalSettings, load_settings, save_settings
from firmware_profiles.profile import TerminalProfile
from firmware_profiles.registry import ProfileRegistry


def _terminals(given: tuple[dict[str, str], ...], catalogue: ProfileRegistry) -> tuple[TerminalSettings, ...]:
    """Return the terminals; one without a name is called by its place, one without a port has its model's.

    Raises DeviceError `profile.unknown`, or `terminal.no_such_way` for a place where the model cannot be.
    """
    terminals = tuple(
        TerminalSettings(
            name=device.get("name", f"terminal-{place}"),
            profile=device["profile"],
            address=device.get("address", ""),
            host=device.get("host", ""),
            port=int(device.get("port", _usual_port(catalogue.terminal(device["profile"]))))
            if "host" in device
            else None,
        )
        for place, device in enumerate(given, start=1)
    )
    for terminal in terminals:
        way_to(terminal.place, catalogue.terminal(terminal.profile))
    return terminals


def _usual_port(profile: TerminalProfile) -> int:
    """Return the port of a model that listens; what it is for another is never looked at: it is refused."""
    return 1 if profile.tcp is None else profile.tcp.port


@click.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The box's folder: box.toml is written into it.",
)
@click.option("--office-name", required=True, help="Stands on every paper.")
@click.option("--verify-base", required=True, help="Central's address for the QR code of papers, https://….")
@click.option(
    "--terminal",
    "terminals",
    type=DeviceArgument(),
    multiple=True,
    required=True,
    help="A terminal, [NAME=]MAKER/MODEL@HOST[:PORT] or …@ADDRESS; the model's own port unless given. Repeatable.",
)
@click.option(
    "--printer",
    type=DeviceArgument(),
    required=True,
    help="The receipt printer, MAKER/MODEL@HOST[:PORT] or MAKER/MODEL@ADDRESS.",
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where pages and API listen; 0.0.0.0 for the office."
)
@click.option("--port", type=click.IntRange(1, 65_535), default=8710, show_default=True, help="Port of pages and API.")
@click.option(
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    default=("127.0.0.1", "localhost"),
    show_default=True,
    help="A name under which the pages may be asked for; may be repeated.",
)
def init(data: Path, printer: dict[str, str], terminals: tuple[dict[str, str], ...], **others: Any) -> None:
    """Write the settings of a box: box.toml.

    Refuses when there is one already; then edit it. Device models are checked against the profiles of this release.
    """
    if (data / FILE_NAME).exists():
        raise click.ClickException(f"{data / FILE_NAME} is there already; edit it.")
    catalogue = load_catalogue()
    try:
        settings = Settings(
            terminals=_terminals(terminals, catalogue),
            printer=printer_settings(printer),
            **others,
        )
    except ValueError as error:
        raise click.ClickException(f"{error}.") from error
    catalogue.printer(settings.printer.profile)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    save_settings(data, settings)
    try:
        load_settings(data)
    except Exception:
        # What the box would not read is not left behind.
        (data / FILE_NAME).unlink()
        raise
    click.echo(f"{data / FILE_NAME}: {', '.join(terminal.name for terminal in settings.terminals)}")
