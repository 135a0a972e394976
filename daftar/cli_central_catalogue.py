"""`daftar central catalogue`: sign a catalogue of services for offices, list them, withdraw them."""

import functools
from pathlib import Path

import click

from central.fleet.catalogues import (
    Change,
    catalogue_of,
    changes,
    in_force,
    publish,
    published_catalogues,
    withdrawal_of,
)
from central.fleet.feed import append
from daftar.cli_central_quarantine import data_option, database_url_option, open_central

_office = click.option("--office", default=None, help="Code of the office the catalogue is for.")
_all = click.option("--all", "for_all", is_flag=True, help="For every office that has none of its own.")
_note = click.option("--note", default="", help="Why, for whoever looks at the box.")


@click.group()
def catalogue() -> None:
    """Services and tariffs that offices sell by."""


def _one_of(office: str | None, *, for_all: bool) -> None:
    if (office is None) is not for_all:
        raise click.UsageError("Give --office CODE or --all.")


@catalogue.command(name="publish")
@data_option
@database_url_option
@_office
@_all
@_note
@click.option("--dry-run", is_flag=True, help="Show what would change, and sign nothing.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def publish_file(
    data: Path, database_url: str | None, office: str | None, file: Path, *, for_all: bool, note: str, dry_run: bool
) -> None:
    """Sign the services in FILE for an office, or for all; boxes sell by it as soon as it reaches them.

    FILE is TOML as in shared/services. It replaces what stood, whole. What it changes is printed: a line for each
    service that is added, removed or changed, with its fee before and after in rial.
    """
    _one_of(office, for_all=for_all)
    with open_central(data, database_url) as opened, opened.engine.begin() as connection:
        body = catalogue_of(file.read_bytes(), note=note, by="command line", entropy=opened.entropy)
        for change in changes(in_force(connection, office).services, body.services):
            click.echo(_line(change))
        if dry_run:
            click.echo("Nothing is signed.")
            return
        append_feed = functools.partial(append, clock=opened.clock, signer=opened.keys.feed)
        publish(connection, office, body, append_feed)
    click.echo(f"{body.catalogue_id} of {len(body.services)} services is signed for {office or 'all offices'}")


def _line(change: Change) -> str:
    fees = [str(fee) for fee in (change.fee_before_rial, change.fee_rial) if fee is not None]
    fee = " → ".join(dict.fromkeys(fees))
    return f"{change.kind:<8} {change.code}  {fee}  {', '.join(change.members)}".rstrip()


@catalogue.command(name="withdraw")
@data_option
@database_url_option
@_office
@_all
@_note
def withdraw(data: Path, database_url: str | None, office: str | None, *, for_all: bool, note: str) -> None:
    """Publish no catalogue any more for an office, or for all.

    An office goes back to the network's catalogue, the network to the one that comes with the program.
    """
    _one_of(office, for_all=for_all)
    with open_central(data, database_url) as opened, opened.engine.begin() as connection:
        withdrawal = withdrawal_of(note=note, by="command line", entropy=opened.entropy)
        append_feed = functools.partial(append, clock=opened.clock, signer=opened.keys.feed)
        publish(connection, office, withdrawal, append_feed)
        left = in_force(connection, office).catalogue_id
    click.echo(f"{office or 'The network'} sells by {left} now")


@catalogue.command(name="list")
@data_option
@database_url_option
def list_catalogues(data: Path, database_url: str | None) -> None:
    """Print all catalogues, newest first: when, for whom, its name, how many services (0: withdrawn), why."""
    with open_central(data, database_url) as opened, opened.engine.connect() as connection:
        found = published_catalogues(connection)
    for one in found:
        said = one.body
        click.echo(f"{one.published_at}  {one.feed}  {said.catalogue_id}  {len(said.services)}  {said.note}".rstrip())
    if not found:
        click.echo("No catalogue is published: offices sell by the one that comes with the program.")
