"""What commands share that sign something onto an office's feed or the network's: for whom, why, and the list of it."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from sqlalchemy import Connection

from central.fleet.publishing import B, publish, published
from central.opened import append_feed_of
from daftar.cli_central_quarantine import data_option, database_url_option, open_central
from shared.entropy import Entropy
from shared.events import Body

COMMAND_LINE: Final = "command line"
"""Who published, where no person signed in."""
_Command = TypeVar("_Command", bound=Callable[..., Any])


def for_whom(office: str, everybody: str) -> Callable[[_Command], _Command]:
    """Give a command central's folder, the office it is for or all of them, and a note."""
    options = (
        data_option,
        database_url_option,
        click.option("--office", default=None, help=office),
        click.option("--all", "for_all", is_flag=True, help=everybody),
        click.option("--note", default="", help="Why, for whoever looks at the box."),
    )
    return lambda command: functools.reduce(lambda made, option: option(made), reversed(options), command)


def check_for_whom(office: str | None, *, for_all: bool) -> None:
    """Check that either an office is named or all are. Raises UsageError."""
    if (office is None) is not for_all:
        raise click.UsageError("Give --office CODE or --all.")


class Signing:
    """A transaction of central's in which something is published."""

    def __init__(self, connection: Connection, entropy: Entropy, sign: Callable[[str | None, Body], None]) -> None:
        self.connection = connection
        self.entropy = entropy
        self.publish = sign


@contextmanager
def signing(data: Path, database_url: str | None) -> Iterator[Signing]:
    """Open central and sign what is published in the block, all of it or nothing."""
    with open_central(data, database_url) as opened, opened.engine.begin() as connection:
        append = append_feed_of(opened)
        yield Signing(connection, opened.entropy, lambda office, body: publish(connection, office, body, append))


def list_all(data: Path, database_url: str | None, kind: type[B], line: Callable[[B], str], *, none: str = "") -> None:
    """Print all that was published of a kind, newest first: when, for whom, and what `line` says of it."""
    with open_central(data, database_url) as opened, opened.engine.connect() as connection:
        found = published(connection, kind)
    for one in found:
        click.echo(f"{one.published_at}  {one.feed}  {line(one.body)}".rstrip())
    if none and not found:
        click.echo(none)
