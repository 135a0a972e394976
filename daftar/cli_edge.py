"""`daftar edge`: commands of the office's box."""

import gc
import socket
from pathlib import Path

import click
import uvicorn

from daftar.cli_edge_diagnose import diagnose
from daftar.cli_edge_journal import close_journal, export, rotate_key, stick
from daftar.cli_edge_people import operator
from daftar.cli_edge_profiles import profiles
from daftar.cli_edge_train import train
from daftar.cli_init import init
from daftar.log_lines import log_in_lines
from edge.journal.signer import FileSigner
from edge.journal.views import CentralLink, Identity
from edge.services.people.sign_in import new_token, normal_username, token_sha256
from edge.settings import KEY_NAME, SOFTWARE, STORE_NAME, load_settings
from edge.store.creation import create_box
from edge.store.people import People
from edge.store.rebuild import rebuild_projections
from edge.store.verify_file import verify_file
from edge.uplink.enrolment import enrol as ask_central
from shared.calendar import check_zone
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.error_texts import describe
from shared.errors import DaftarError

SCOPES = (
    "payments:read",
    "payments:write",
    "payments:decide",
    "refunds:write",
    "refunds:decide",
    "inquiries:write",
    "atms:read",
    "atms:write",
    "services:read",
    "services:write",
    "services:decide",
    "status:read",
)
SHUTDOWN_TIMEOUT_S = 2
"""How long open streams may hold a stop; the box's own parts then close in order."""
OBJECTS_BETWEEN_SEARCHES = 20_000
"""A page makes some thousand objects that are gone with it, and the interpreter stops it after each 700."""

_data = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The box's folder: box.key, box.sqlite and box.toml.",
)


class _Edge(click.Group):
    """Says an error of ours in a sentence instead of a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except DaftarError as error:
            said = describe(error, "en")
            raise click.ClickException(" ".join(part for part in (said.what, said.money, said.do) if part)) from error


@click.group(cls=_Edge)
def edge() -> None:
    """The office's box: pages, devices, journal."""


for command in (init, export, stick, rotate_key, close_journal, profiles, diagnose, train, operator):
    edge.add_command(command)


@edge.command()
@_data
@click.option("--central", required=True, help="Central's address, https://…; the box keeps it.")
@click.option("--code", required=True, help="The single-use code that central's `office add` printed.")
def enrol(data: Path, central: str, code: str) -> None:
    """Bind this box to its office.

    Makes the box's key and the first entry of its journal in the folder. Safe to run again when the reply was lost.
    """
    entropy = SystemEntropy()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    key_path = data / KEY_NAME
    signer = FileSigner.load(key_path) if key_path.exists() else FileSigner.create(key_path, entropy)
    enrolment = ask_central(central, code, signer=signer, software=SOFTWARE, entropy=entropy)
    create_box(
        data / STORE_NAME,
        Identity(
            office=enrolment.office,
            box=enrolment.box,
            journal_id=enrolment.journal,
            public_key=signer.public_key.hex(),
            central=CentralLink(url=central, trust=enrolment.trust, feeds=enrolment.feeds),
        ),
        signer=signer,
        clock=SystemClock(),
        entropy=entropy,
        software=SOFTWARE,
        token=enrolment.token,
        predecessor=enrolment.predecessor,
        predecessor_cosigned_size=enrolment.predecessor_cosigned_size,
        feed_size=enrolment.feed_size,
    )
    click.echo(f"Office {enrolment.office}, box {enrolment.box}, journal {enrolment.journal}")


@edge.command()
@_data
def serve(data: Path) -> None:
    """Serve the office until told to stop.

    Pages and API, terminal and printer, exchange with central, as box.toml in the folder says. SIGTERM or Ctrl-C stops
    it; it may be killed at any moment.
    """
    from edge.app import create_app  # noqa: PLC0415 - no other command needs the pages, which take long to load

    log_in_lines()
    check_zone()
    settings = load_settings(data)
    try:
        # Before the journal is opened: a box that cannot listen must not journal a start each time it is tried.
        listener = socket.create_server((settings.host, settings.port))
    except OSError as error:
        raise click.ClickException(f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}.") from error
    with listener:
        config = uvicorn.Config(
            create_app(data, SystemClock(), SystemEntropy()),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
        )
        _look_for_garbage_seldom()
        uvicorn.Server(config).run(sockets=[listener])


def _look_for_garbage_seldom() -> None:
    """Leave what the program is made of out of the search for cycles, and make it seldom: pages leave almost none."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_SEARCHES)


@edge.group()
def token() -> None:
    """Programs that use the box's API."""


@token.command(name="add")
@_data
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    required=True,
    help="What it may do; may be repeated.",
)
@click.option(
    "--for",
    "username",
    help="In whose name it asks. Without one, no manager can agree to what it asks for: that takes two people.",
)
def add_token(data: Path, name: str, scopes: tuple[str, ...], username: str | None) -> None:
    """Give a program a token, shown once.

    An earlier token of the same NAME ends. Works while the box serves.
    """
    if "/" in name:
        raise click.ClickException("A program's name has no / in it: entries have the person's name behind one.")
    made = new_token(SystemEntropy())
    people = People(data / STORE_NAME)
    try:
        person = None if username is None else normal_username(username)
        if person is not None and people.operator(person) is None:
            raise click.ClickException(f"There is no operator {person}.")
        people.save_api_token(token_sha256(made), name=name, scopes=scopes, person=person)
    finally:
        people.close()
    click.echo(made)


@token.command(name="revoke")
@_data
@click.argument("name")
def revoke_token(data: Path, name: str) -> None:
    """End a program's token at once. Works while the box serves."""
    people = People(data / STORE_NAME)
    try:
        if name not in {caller.name for caller in people.api_callers()}:
            raise click.ClickException(f"There is no program {name}.")
        people.revoke_api_token(name)
    finally:
        people.close()
    click.echo(f"The token of {name} is no longer good")


@edge.command()
@_data
def verify(data: Path) -> None:
    """Check the whole journal on this box.

    Signatures, chain and tree, and that every table made from the journal comes out the same when it is made anew.
    Works while the box serves; changes nothing.
    """
    size = verify_file(data / STORE_NAME)
    click.echo(f"{size} entries hold: signatures, chain and tree.")
    differences = rebuild_projections(data / STORE_NAME)
    for difference in differences:
        click.echo(str(difference), err=True)
    if differences:
        raise click.ClickException(f"{len(differences)} rows differ from what the journal says.")
    click.echo("Projections rebuilt from the journal are identical.")
