"""`daftar central profiles`: sign device profiles for boxes, list them, withdraw them."""

import asyncio
import functools
from pathlib import Path

import click

from central.fleet.feed import append
from central.fleet.profile_bundles import bundle_of, publish, published_bundles, withdrawal_of
from daftar.cli_central_quarantine import data_option, database_url_option, open_central
from edge.devices.catalogue import load_catalogue
from edge.devices.conformance import check_terminals

_office = click.option("--office", default=None, help="Code of the office the profiles are for.")
_all = click.option("--all", "for_all", is_flag=True, help="For every office.")
_note = click.option("--note", default="", help="Why, for whoever looks at the box.")


@click.group()
def profiles() -> None:
    """Device profiles for boxes."""


def _documents(folder: Path) -> dict[str, str]:
    paths = sorted(folder.rglob("*.toml"))
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def _one_of(office: str | None, *, for_all: bool) -> None:
    if (office is None) is not for_all:
        raise click.UsageError("Give --office CODE or --all.")


@profiles.command(name="publish")
@data_option
@database_url_option
@_office
@_all
@_note
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def publish_folder(
    data: Path, database_url: str | None, office: str | None, folder: Path, *, for_all: bool, note: str
) -> None:
    """Sign the profiles in FOLDER for an office, or for all; boxes take them up at their next start.

    FOLDER lies as profiles do: terminals/MAKER/MODEL.toml, printers/MAKER/MODEL.toml, protocols/NAME.toml. Before
    anything is signed they are joined with this release's own, and each terminal among them passes the checks of
    `daftar profile check`. The newest bundle stands, whole; try it at one office first.
    """
    _one_of(office, for_all=for_all)
    documents = _documents(folder)
    catalogue = load_catalogue(newer=documents)
    named = [one for one in catalogue.terminals if f"terminals/{one.name}.toml" in documents]
    bad = [found.profile for found in asyncio.run(check_terminals(named)) if not found.good]
    if bad:
        raise click.ClickException(f"These do not pass `daftar profile check`: {', '.join(bad)}. Nothing is signed.")
    with open_central(data, database_url) as opened, opened.engine.begin() as connection:
        bundle = bundle_of(documents, note=note, by="command line", entropy=opened.entropy)
        append_feed = functools.partial(append, clock=opened.clock, signer=opened.keys.feed)
        publish(connection, office, bundle, append_feed)
    click.echo(f"Bundle {bundle.bundle_id} of {len(documents)} profiles is signed for {office or 'all offices'}")


@profiles.command(name="withdraw")
@data_option
@database_url_option
@_office
@_all
@_note
def withdraw(data: Path, database_url: str | None, office: str | None, *, for_all: bool, note: str) -> None:
    """Give an office, or all, no profiles any more: boxes go back to those of their release at their next start."""
    _one_of(office, for_all=for_all)
    with open_central(data, database_url) as opened, opened.engine.begin() as connection:
        withdrawal = withdrawal_of(note=note, by="command line", entropy=opened.entropy)
        append_feed = functools.partial(append, clock=opened.clock, signer=opened.keys.feed)
        publish(connection, office, withdrawal, append_feed)
    click.echo(f"{office or 'The network'} gets no profiles from central any more")


@profiles.command(name="list")
@data_option
@database_url_option
def list_bundles(data: Path, database_url: str | None) -> None:
    """Print all bundles, newest first: when, for whom, its name, how many profiles (0: withdrawn), why."""
    with open_central(data, database_url) as opened, opened.engine.connect() as connection:
        found = published_bundles(connection)
    for one in found:
        said = one.bundle
        click.echo(f"{one.published_at}  {one.feed}  {said.bundle_id}  {len(said.documents)}  {said.note}".rstrip())
