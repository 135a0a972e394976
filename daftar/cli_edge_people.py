"""`daftar edge operator`: people who sign in at the counter, from the box's command line.

A box that serves owns its journal: what is changed here is noted beside it, and the box journals it within seconds, or
at its next start.
"""

import sys
from contextlib import closing
from pathlib import Path
from typing import Final

import click

from edge.services.people.manage_people import checked_username
from edge.services.people.sign_in import new_verifier, normal_username
from edge.settings import STORE_NAME
from edge.store.people import MANAGER, OPERATOR, ROLES, OperatorView, People
from edge.store.queries import Queries
from shared.acts import COMMAND_LINE
from shared.errors import OperatorError
from shared.events import Body, PasswordSet, PersonAdded, PersonAllowed, PersonChanged, PersonDenied, Role

_data = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The box's folder: box.key, box.sqlite and box.toml.",
)
_BY: Final = {"operator": COMMAND_LINE}


@click.group()
def operator() -> None:
    """People who sign in at the counter."""


@operator.command(name="add")
@_data
@click.argument("username")
@click.option("--name", default=None, help="The name people call them by. Not given: as before, or the user name.")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default=None,
    help="A manager also decides doubts and agrees to giving money back. Not given: as before, or operator.",
)
@click.option("--temporary", is_flag=True, help="The person has to choose another password when they sign in.")
def add_operator(data: Path, username: str, name: str | None, role: str | None, *, temporary: bool) -> None:
    """Add an operator, or change a password.

    The password is asked for, or is the first line of standard input. A change ends the operator's sessions.
    Works while the box serves, which journals it.
    """
    password = click.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    normal = checked_username(username)
    verifier = new_verifier(password, username=normal, office=_office(data))
    with closing(People(data / STORE_NAME)) as people:
        known = people.operator(normal)
        works: Role = MANAGER if (role or (known.role if known else OPERATOR)) == MANAGER else OPERATOR
        if works != MANAGER:
            _check_others(people, normal)
        called = name or (known.name if known else username)
        people.save_operator(
            normal,
            name=called,
            verifier=verifier,
            role=works,
            must_change=temporary,
            noted=_noted(known, normal, called, works),
        )
    click.echo(f"{works.capitalize()} {normal}")


def _office(data: Path) -> str:
    with closing(Queries(data / STORE_NAME)) as queries:
        return queries.identity().office


def _noted(known: OperatorView | None, username: str, name: str, role: Role) -> list[Body]:
    """Return what the box is to journal of a person who was saved."""
    if known is None:
        return [PersonAdded(person=username, name=name, role=role, **_BY)]
    changed = (known.name, known.role) != (name, role)
    return [
        *([PersonChanged(person=username, name=name, role=role, **_BY)] if changed else []),
        PasswordSet(person=username, **_BY),
    ]


def _check_others(people: People, username: str) -> None:
    """Let pass when somebody else is a manager. Raises OperatorError `people.last_manager`."""
    managers = {person.username for person in people.operators() if person.role == MANAGER and not person.disabled}
    if managers == {username}:
        raise OperatorError("people.last_manager", username=username)


def _set_disabled(data: Path, username: str, *, disabled: bool) -> None:
    normal = normal_username(username)
    with closing(People(data / STORE_NAME)) as people:
        person = people.operator(normal)
        if person is None:
            raise click.ClickException(f"There is no operator {normal}.")
        if disabled:
            _check_others(people, normal)
        fact = (PersonDenied if disabled else PersonAllowed)(person=normal, **_BY)
        people.set_disabled(normal, disabled=disabled, noted=[] if person.disabled == disabled else [fact])
    click.echo(f"Operator {normal} {'may no longer' if disabled else 'may'} sign in")


@operator.command(name="deny")
@_data
@click.argument("username")
def deny_operator(data: Path, username: str) -> None:
    """Let an operator in no more; sessions end at once. Works while the box serves, which journals it."""
    _set_disabled(data, username, disabled=True)


@operator.command(name="allow")
@_data
@click.argument("username")
def allow_operator(data: Path, username: str) -> None:
    """Let an operator in again who was denied. Works while the box serves, which journals it."""
    _set_disabled(data, username, disabled=False)
