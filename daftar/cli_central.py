"""`daftar central`: serve it, set it up, look at its keys."""

import socket
from pathlib import Path
from typing import Any, Final

import click
import uvicorn

from central.fleet.enrolment import add_office, issue_code
from central.fleet.policies import Kind, Limits, policy_of, standing_policies
from central.settings import Settings
from central.web.people import People
from daftar.cli_central_catalogue import catalogue
from daftar.cli_central_profiles import profiles
from daftar.cli_central_publishing import COMMAND_LINE, check_for_whom, signing
from daftar.cli_central_quarantine import (
    asked_password,
    data_option,
    database_url_option,
    open_central,
    quarantine,
)
from daftar.log_lines import log_in_lines
from shared.calendar import check_zone
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.error_texts import describe
from shared.errors import DaftarError
from shared.ids import OfficeId

DEFAULT_PORT: Final = 8720
DEFAULT_SANDBOX_PORT: Final = 8740
GRACEFUL_STOP_S: Final = 2
"""How long open streams may hold up a stop."""

_host = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")


class _Spoken(click.Group):
    """Shows an error that has a code as a person reads it, not as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DaftarError as error:
            told = describe(error, "en")
            raise click.ClickException(f"{told.what} {told.do} [{error.code}]") from error


@click.group(cls=_Spoken)
def central() -> None:
    """Central: ingest and witness, books, reconciliation."""


central.add_command(quarantine)
central.add_command(profiles)
central.add_command(catalogue)


@central.command()
@data_option
@database_url_option
@_host
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--provider-url", default=None, help="Address of one provider of everything, for example the sandbox.")
@click.option(
    "--providers",
    "providers_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="TOML file of providers by name; without it and --provider-url questions wait.",
)
@click.option(
    "--messages",
    "messages_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="TOML file of the gateway of text messages; without it none are sent.",
)
@click.option(
    "--jobs/--no-jobs",
    default=True,
    show_default=True,
    help="Whether this process works the timetable: asks providers.",
)
def serve(
    *,
    data: Path,
    database_url: str | None,
    host: str,
    port: int,
    provider_url: str | None,
    providers_file: Path | None,
    messages_file: Path | None,
    jobs: bool,
) -> None:
    """Serve boxes and finance until told to stop.

    Makes keys and database when they are missing, and brings the database to this release. SIGTERM or Ctrl-C stops it.
    """
    from central.app import create_app  # noqa: PLC0415 - no other command needs the pages, which take long to load

    settings = Settings(
        data=data,
        host=host,
        port=port,
        database_url=database_url,
        provider_url=provider_url,
        providers_file=providers_file,
        messages_file=messages_file,
        jobs=jobs,
    )
    log_in_lines()
    check_zone()
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise click.ClickException(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
    with listener:
        config = uvicorn.Config(
            create_app(settings, SystemClock(), SystemEntropy()),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=GRACEFUL_STOP_S,
        )
        click.echo(f"Central listens on http://{host}:{listener.getsockname()[1]}", err=True)
        uvicorn.Server(config).run(sockets=[listener])


@central.command()
@data_option
@database_url_option
def init(data: Path, database_url: str | None) -> None:
    """Make central's keys and database.

    May be run again: what is there stays, and the database is brought to this release. Prints the witness key.
    """
    with open_central(data, database_url) as opened:
        click.echo(f"Central is ready in {data}; its witness key is {opened.keys.witness.key.text()}")


@central.group()
def office() -> None:
    """Offices and the enrolment of their boxes."""


@office.command(name="add")
@data_option
@database_url_option
@click.argument("code")
@click.argument("name")
def add_one_office(data: Path, database_url: str | None, code: str, name: str) -> None:
    """Add the office CODE, called NAME.

    Prints an enrolment code for its box, good for one box and for a day.
    """
    with open_central(data, database_url) as opened:
        add_office(opened.engine, OfficeId(code), name, clock=opened.clock)
        made = issue_code(opened.engine, OfficeId(code), clock=opened.clock, entropy=opened.entropy)
    click.echo(f"Office {code} is added. Enrol its box within a day with the code {made}")


@office.command(name="code")
@data_option
@database_url_option
@click.option("--replace", "replaces", metavar="BOX", help="The box that is replaced: its next journal is opened.")
@click.argument("code")
def issue_one_code(data: Path, database_url: str | None, code: str, replaces: str | None) -> None:
    """Print an enrolment code for the office CODE."""
    with open_central(data, database_url) as opened:
        made = issue_code(opened.engine, OfficeId(code), clock=opened.clock, entropy=opened.entropy, replaces=replaces)
    what = "a box" if replaces is None else f"what replaces box {replaces}"
    click.echo(f"Enrol {what} of office {code} within a day with the code {made}")


@central.group()
def policy() -> None:
    """Limits on what offices may take without central."""


@policy.command(name="set")
@data_option
@database_url_option
@click.option("--office", default=None, help="Code of the office the policy is for.")
@click.option("--all", "for_all", is_flag=True, help="For every office that has no policy of its own.")
@click.option("--payment-max", type=click.IntRange(min=0), default=None, help="Largest single payment, in rial.")
@click.option("--total-max", type=click.IntRange(min=0), default=None, help="Sum that central has not seen, in rial.")
@click.option("--count-max", type=int, default=None, help="Number of payments that central has not seen.")
@click.option("--hours-max", type=int, default=None, help="Hours of running time since central last cosigned.")
@click.option("--unlimited", is_flag=True, help="Allow any amount, whatever the network's policy says.")
@click.option("--withdraw", is_flag=True, help="Say nothing any more: an office follows the network's policy again.")
def set_one_policy(data: Path, database_url: str | None, *, office: str | None, for_all: bool, **given: Any) -> None:
    """Sign a policy onto the feed of an office, or of all.

    A box obeys the newest it has received; an office's own goes before the network's. A limit not given is none.
    """
    check_for_whom(office, for_all=for_all)
    unlimited, withdraw = given.pop("unlimited"), given.pop("withdraw")
    if unlimited + withdraw + any(value is not None for value in given.values()) > 1:
        raise click.UsageError("Give limits, or --unlimited, or --withdraw.")
    kind: Kind = "unlimited" if unlimited else "withdrawn" if withdraw else "limits"
    limits = Limits(
        payment_max_rial=given["payment_max"],
        total_max_rial=given["total_max"],
        count_max=given["count_max"],
        running_hours_max=given["hours_max"],
    )
    with signing(data, database_url) as central:
        made = policy_of(kind, limits, by=COMMAND_LINE, entropy=central.entropy)
        central.publish(office, made)
    click.echo(f"Policy {made.policy_id} is signed for {office or 'all offices'}")


@policy.command(name="list")
@data_option
@database_url_option
def list_policies(data: Path, database_url: str | None) -> None:
    """Print the policies that stand.

    One line each: for whom, the limits (rial, rial, payments, hours; - is none), when it was signed, by whom.
    """
    with open_central(data, database_url) as opened, opened.engine.connect() as connection:
        standing = standing_policies(connection)
    for one in standing:
        said = one.policy
        limits = (said.payment_max_rial, said.total_max_rial, said.count_max, said.running_hours_max)
        words = "withdrawn" if said.withdrawn else " ".join("-" if limit is None else str(limit) for limit in limits)
        click.echo(f"{one.office_id or 'all'} {words} {one.set_at} {said.set_by}")
    if not standing:
        click.echo("No policy stands: offices may take any amount without central.")


@central.group()
def user() -> None:
    """People who sign in at central."""


@user.command(name="add")
@data_option
@database_url_option
@click.argument("username")
@click.option("--name", default=None, help="The name people call them by; the user name when not given.")
@click.option(
    "--role",
    type=click.Choice(["finance", "auditor"]),
    default="finance",
    show_default=True,
    help="finance works, auditor only looks; it stays when a password is changed.",
)
def add_one_user(data: Path, database_url: str | None, username: str, name: str | None, role: Any) -> None:
    """Add a person, or change a password.

    The password is asked for, or is the first line of standard input. A change ends the person's sessions.
    """
    password = asked_password()
    with open_central(data, database_url) as opened:
        people = People(opened.engine, opened.clock, opened.entropy)
        if people.add(username, name=name or username, password=password, role=role):
            click.echo(f"{username} may sign in as {role}")
            return
        people.set_password(username, password)
    click.echo(f"{username} has a new password and the role of before")


@central.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of what the sandbox remembers; not central's.",
)
@_host
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=DEFAULT_SANDBOX_PORT,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
def sandbox(data: Path, host: str, port: int) -> None:
    """Serve a provider of services to play with.

    It behaves like a real one, and misbehaves when told to. Never give it a real bill.
    """
    from central.providers.sandbox import serve_sandbox  # noqa: PLC0415 - only this command needs it

    data.mkdir(parents=True, exist_ok=True)
    serve_sandbox(SystemClock(), host=host, port=port, folder=data)


@central.group()
def keys() -> None:
    """Central's keys."""


@keys.command(name="show")
@data_option
@database_url_option
def show_keys(data: Path, database_url: str | None) -> None:
    """Print central's public keys.

    Auditors check exported journals with the witness key.
    """
    with open_central(data, database_url) as opened:
        trust = opened.keys.trust()
    for role in trust.__struct_fields__:
        click.echo(f"{role:<9} {getattr(trust, role)}")
