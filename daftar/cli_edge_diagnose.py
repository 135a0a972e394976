"""`daftar edge diagnose`: what support needs to know of a box, as one archive."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from daftar.cli_edge_journal import data_option
from edge.devices.catalogue import load_catalogue
from edge.devices.scan import FoundDevice, heard, plugged_in
from edge.journal.export import write_durably
from edge.journal.stick import find_stick, write_file
from edge.journal.zipped import zipped
from edge.services.health.diagnose import diagnosis, file_name
from edge.settings import SOFTWARE
from shared.clock import SystemClock
from shared.errors import DaftarError

LISTEN_S: Final = 3


@click.command()
@data_option
@click.option("--stick", "to_stick", is_flag=True, help="Write it onto the USB stick that is plugged in.")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path), required=False)
def diagnose(data: Path, out: Path | None, *, to_stick: bool) -> None:
    """Write what support needs to know of this box into the archive OUT, or onto a stick.

    Settings, devices that are connected, profiles, journal's sizes and starts, alarms, disk and clock; no keys, tokens,
    passwords, people or cards. Works while the box serves, when it is stopped, and when it does not start.
    """
    if to_stick == (out is not None):
        raise click.UsageError("give OUT, or --stick")
    clock = SystemClock()
    pieces = _pieces(data, clock)
    if out is None:
        written = write_file(find_stick(), file_name(clock.now()), pieces)
        click.echo(f"{written.path}  {written.size_bytes} bytes  SHA-256 {written.sha256}")
        click.echo("The stick may be taken out once the system has unmounted it.")
    else:
        write_durably(out, pieces)
        click.echo(out)


def _pieces(data: Path, clock: SystemClock) -> Iterator[bytes]:
    return zipped(diagnosis(data, clock, software=SOFTWARE, found=asyncio.run(_connected())))


async def _connected() -> list[FoundDevice]:
    """Return what is connected; nothing, where the profiles themselves cannot be read."""
    try:
        registry = load_catalogue()
    except DaftarError:
        return []
    calling, _ = await heard(registry, LISTEN_S)
    return [*plugged_in(registry), *calling]
