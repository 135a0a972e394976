"""`daftar edge profiles`: which device profiles of central's a box works with, and going back to others."""

from pathlib import Path

import click

from edge.journal.views import ProfileBundleView
from edge.services.devices.device_profiles import NEWEST, NONE, chosen, profiles_in_use
from edge.settings import STORE_NAME, load_settings, stay_with_profiles
from edge.store.queries import Queries

_data = click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="The box's folder: box.key, box.sqlite and box.toml.",
)


@click.group()
def profiles() -> None:
    """Device profiles that central published."""


def _bundles(data: Path) -> list[ProfileBundleView]:
    queries = Queries(data / STORE_NAME)
    try:
        return queries.profile_bundles()
    finally:
        queries.close()


@profiles.command(name="list")
@_data
def list_bundles(data: Path) -> None:
    """Print the bundles that came, the newest of each feed first; those that the next start takes up have a star."""
    settings = load_settings(data)
    queries = Queries(data / STORE_NAME)
    try:
        bundles = queries.profile_bundles()
        next_run = profiles_in_use(queries, settings)
    finally:
        queries.close()
    click.echo(f"wanted: {settings.profile_bundle}")
    for one in bundles:
        mark = "*" if one in next_run.bundles else "-" if one.withdrawn else " "
        click.echo(f"{mark} {one.bundle_id}  {one.feed}  {one.published_at}  {one.note}".rstrip())
    if next_run.refused is not None:
        click.echo(f"refused: {next_run.refused.bundle_id} ({next_run.refused.why})")


@profiles.command(name="use")
@_data
@click.argument("which")
def use(data: Path, which: str) -> None:
    """Have the box work with the bundle WHICH from its next start on, with the newest, or with none.

    WHICH is a bundle's name, `newest` or `none`. It stands in box.toml, and stays until it is said otherwise.
    """
    chosen(_bundles(data), which)
    stay_with_profiles(data, which)
    what = {NEWEST: "the newest bundle", NONE: "the profiles of its release alone"}.get(which, which)
    click.echo(f"From its next start on the box works with {what}")
