"""What people of finance do with a journal in quarantine from the command line: list, propose, agree, drop."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import select

from central.ingest import quarantine as journals_aside
from central.ledger.elsewhere import posting_for_all
from central.opened import Central, append_feed_of
from central.settings import Settings
from central.store.journals import journal
from central.web.people import People
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import OperatorError

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    envvar="DAFTAR_CENTRAL_DATA",
    show_envvar=True,
    help="Folder of central's keys and of its embedded PostgreSQL.",
)
database_url_option = click.option(
    "--database-url",
    default=None,
    envvar="DAFTAR_DATABASE_URL",
    show_envvar=True,
    help="A PostgreSQL server of your own (postgresql://…), instead of the embedded one.",
)
_person = click.option(
    "--person", "username", required=True, help="Who you are at central; your password is asked for."
)
ADDRESS = "command line"
"""Stands for a network address where attempts to sign in are counted."""


def open_central(data: Path, database_url: str | None) -> Central:
    """Open central for a short command, beside a central that serves from the same folder if there is one."""
    settings = Settings(data=data, database_url=database_url)
    return Central(settings, SystemClock(), SystemEntropy(), share=True)


def asked_password() -> str:
    """Return a password that is typed, or the first line of standard input."""
    return click.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


@contextmanager
def _signed_in(opened: Central, username: str) -> Iterator[str]:
    """Sign a person of finance in for one command, as the pages do; give the name that the books use."""
    people = People(opened.engine, opened.clock, opened.entropy)
    token = people.sign_in(username, asked_password(), address=ADDRESS)
    try:
        person = people.person_of(token)
        if person is None or not person.may_change:
            raise OperatorError("auth.only_looks")
        yield person.username
    finally:
        people.sign_out(token)


@click.group()
def quarantine() -> None:
    """Journals that central set aside: two people decide what becomes of them."""


@quarantine.command(name="list")
@data_option
@database_url_option
def list_quarantines(data: Path, database_url: str | None) -> None:
    """Print the journals in quarantine, who asks in their name, and what waits for a second person.

    An asker's line: its name, how often it asked, and whether its log goes on from what central holds.
    """
    with open_central(data, database_url) as opened, opened.engine.connect() as connection:
        table = journal.c
        waiting = connection.execute(
            select(table.journal_id, table.quarantined_at)
            .where(table.quarantined_at.is_not(None), table.retired_at.is_(None))
            .order_by(table.journal_id)
        ).all()
        for row in waiting:
            click.echo(f"{row.journal_id} since {row.quarantined_at}")
            for asker in journals_aside.askers(connection, row.journal_id):
                says = "goes on" if asker.goes_on else "contradicts"
                click.echo(f"  asker {asker.name} {asker.asked_count} times, {says}")
            for one in journals_aside.decisions(connection, row.journal_id):
                if one.state == "proposed":
                    click.echo(f"  decision {one.decision_id} {one.kind} by {one.proposed_by}: {one.reason}")
        if not waiting:
            click.echo("No journal is in quarantine.")


@quarantine.command(name="propose")
@data_option
@database_url_option
@_person
@click.option("--go-on", "asker", default=None, metavar="ASKER", help="This asker is the box, and goes on.")
@click.option("--retire", is_flag=True, help="The journal never goes on; the box's next one follows it.")
@click.option("--book-aside", is_flag=True, help="The other branch's payments are real: the books take them.")
@click.option("--reason", required=True, help="What happened, and what was done about it.")
@click.argument("journal_id", metavar="JOURNAL")
def propose_one(
    data: Path,
    database_url: str | None,
    *,
    username: str,
    asker: str | None,
    retire: bool,
    book_aside: bool,
    reason: str,
    journal_id: str,
) -> None:
    """Propose what becomes of JOURNAL. Prints the decision's number, for another person to agree to."""
    if (asker is None) is not retire:
        raise click.UsageError("Give --go-on ASKER or --retire.")
    with open_central(data, database_url) as opened, _signed_in(opened, username) as by:
        number = journals_aside.propose(
            opened.engine,
            journal_id,
            kind="retire" if retire else "go_on",
            asker=asker or "",
            book_aside=book_aside,
            reason=reason,
            by=by,
            clock=opened.clock,
        )
    click.echo(f"Decision {number} waits for a second person")


@quarantine.command(name="agree")
@data_option
@database_url_option
@_person
@click.argument("number", type=int)
def agree_one(data: Path, database_url: str | None, username: str, number: int) -> None:
    """Agree to decision NUMBER of another person, and do it. The box learns it at its next exchange."""
    with open_central(data, database_url) as opened, _signed_in(opened, username) as by:
        posting = posting_for_all(append_feed_of(opened))
        done = journals_aside.agree(opened.engine, number, posting, by=by, clock=opened.clock)
    click.echo(f"Decision {number} is done; {done.booked_count} entries of another branch booked")


@quarantine.command(name="drop")
@data_option
@database_url_option
@_person
@click.argument("number", type=int)
def drop_one(data: Path, database_url: str | None, username: str, number: int) -> None:
    """Drop decision NUMBER, which nobody agreed to yet."""
    with open_central(data, database_url) as opened, _signed_in(opened, username) as by:
        journals_aside.drop(opened.engine, number, by=by, clock=opened.clock)
    click.echo(f"Decision {number} is dropped")
