"""`daftar central catalogue`: sign a catalogue of services for offices, list them, withdraw them."""

from pathlib import Path

import click

from central.fleet.catalogues import Change, catalogue_of, changes, in_force, withdrawal_of
from daftar.cli_central_publishing import COMMAND_LINE, check_for_whom, for_whom, list_all, signing
from daftar.cli_central_quarantine import data_option, database_url_option
from shared.events import CataloguePublished

_for_whom = for_whom("Code of the office the catalogue is for.", "For every office that has none of its own.")


@click.group()
def catalogue() -> None:
    """Services and tariffs that offices sell by."""


@catalogue.command(name="publish")
@_for_whom
@click.option("--dry-run", is_flag=True, help="Show what would change, and sign nothing.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def publish_file(
    data: Path, database_url: str | None, office: str | None, file: Path, *, for_all: bool, note: str, dry_run: bool
) -> None:
    """Sign the services in FILE for an office, or for all; boxes sell by it as soon as it reaches them.

    FILE is TOML as in shared/services. It replaces what stood, whole. What it changes is printed: a line for each
    service that is added, removed or changed, with its fee before and after in rial.
    """
    check_for_whom(office, for_all=for_all)
    with signing(data, database_url) as central:
        body = catalogue_of(file.read_bytes(), note=note, by=COMMAND_LINE, entropy=central.entropy)
        for change in changes(in_force(central.connection, office).services, body.services):
            click.echo(_line(change))
        if dry_run:
            click.echo("Nothing is signed.")
            return
        central.publish(office, body)
    click.echo(f"{body.catalogue_id} of {len(body.services)} services is signed for {office or 'all offices'}")


def _line(change: Change) -> str:
    fees = [str(fee) for fee in (change.fee_before_rial, change.fee_rial) if fee is not None]
    fee = " → ".join(dict.fromkeys(fees))
    return f"{change.kind:<8} {change.code}  {fee}  {', '.join(change.members)}".rstrip()


@catalogue.command(name="withdraw")
@_for_whom
def withdraw(data: Path, database_url: str | None, office: str | None, *, for_all: bool, note: str) -> None:
    """Publish no catalogue any more for an office, or for all.

    An office goes back to the network's catalogue, the network to the one that comes with the program.
    """
    check_for_whom(office, for_all=for_all)
    with signing(data, database_url) as central:
        central.publish(office, withdrawal_of(note=note, by=COMMAND_LINE, entropy=central.entropy))
        left = in_force(central.connection, office).catalogue_id
    click.echo(f"{office or 'The network'} sells by {left} now")


@catalogue.command(name="list")
@data_option
@database_url_option
def list_catalogues(data: Path, database_url: str | None) -> None:
    """Print all catalogues, newest first: when, for whom, its name, how many services (0: withdrawn), why."""
    nothing = "No catalogue is published: offices sell by the one that comes with the program."
    list_all(data, database_url, CataloguePublished, _published_line, none=nothing)


def _published_line(said: CataloguePublished) -> str:
    return f"{said.catalogue_id}  {len(said.services)}  {said.note}"
