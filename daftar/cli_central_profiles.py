"""`daftar central profiles`: sign device profiles for boxes, list them, withdraw them."""

import asyncio
from pathlib import Path

import click

from central.fleet.profile_bundles import bundle_of, withdrawal_of
from daftar.cli_central_publishing import COMMAND_LINE, check_for_whom, for_whom, list_all, signing
from daftar.cli_central_quarantine import data_option, database_url_option
from edge.devices.catalogue import load_catalogue
from edge.devices.conformance import check_terminals
from shared.events import ProfileBundlePublished

_for_whom = for_whom("Code of the office the profiles are for.", "For every office.")


@click.group()
def profiles() -> None:
    """Device profiles for boxes."""


def _documents(folder: Path) -> dict[str, str]:
    paths = sorted(folder.rglob("*.toml"))
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}


@profiles.command(name="publish")
@_for_whom
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def publish_folder(
    data: Path, database_url: str | None, office: str | None, folder: Path, *, for_all: bool, note: str
) -> None:
    """Sign the profiles in FOLDER for an office, or for all; boxes take them up at their next start.

    FOLDER lies as profiles do: terminals/MAKER/MODEL.toml, printers/MAKER/MODEL.toml, protocols/NAME.toml. Before
    anything is signed they are joined with this release's own, and each terminal among them passes the checks of
    `daftar profile check`. The newest bundle stands, whole; try it at one office first.
    """
    check_for_whom(office, for_all=for_all)
    documents = _documents(folder)
    catalogue = load_catalogue(newer=documents)
    named = [one for one in catalogue.terminals if f"terminals/{one.name}.toml" in documents]
    bad = [found.profile for found in asyncio.run(check_terminals(named)) if not found.good]
    if bad:
        raise click.ClickException(f"These do not pass `daftar profile check`: {', '.join(bad)}. Nothing is signed.")
    with signing(data, database_url) as central:
        bundle = bundle_of(documents, note=note, by=COMMAND_LINE, entropy=central.entropy)
        central.publish(office, bundle)
    click.echo(f"Bundle {bundle.bundle_id} of {len(documents)} profiles is signed for {office or 'all offices'}")


@profiles.command(name="withdraw")
@_for_whom
def withdraw(data: Path, database_url: str | None, office: str | None, *, for_all: bool, note: str) -> None:
    """Give an office, or all, no profiles any more: boxes go back to those of their release at their next start."""
    check_for_whom(office, for_all=for_all)
    with signing(data, database_url) as central:
        central.publish(office, withdrawal_of(note=note, by=COMMAND_LINE, entropy=central.entropy))
    click.echo(f"{office or 'The network'} gets no profiles from central any more")


@profiles.command(name="list")
@data_option
@database_url_option
def list_bundles(data: Path, database_url: str | None) -> None:
    """Print all bundles, newest first: when, for whom, its name, how many profiles (0: withdrawn), why."""
    list_all(data, database_url, ProfileBundlePublished, _published_line)


def _published_line(said: ProfileBundlePublished) -> str:
    return f"{said.bundle_id}  {len(said.documents)}  {said.note}"
