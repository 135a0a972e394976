"""Who may do what: the one room of this rule. Guards of pages and API, and the services, ask here each time anew.

An act (`shared.acts`) is permitted to a person when it, or everything, was allowed to them and it was not denied: a
denial wins, whatever else allows. A person whose permissions nobody ever set may do everything, and so may a manager,
who sets them. A program does what its scopes allow, and in a person's name nothing that this person may not do.

What was decided stands in the journal (`person.permitted`); nothing is kept here, so that a denial acts with the next
question, on a page that is open already as well.
"""

from typing import Final, Protocol

import msgspec

from edge.services.people.two_people import person_behind
from edge.store.people import MANAGER, OperatorView
from shared.acts import EVERYTHING, service_act
from shared.errors import OperatorError


class Permitted(msgspec.Struct, frozen=True):
    """What one person may do, as a manager last set it."""

    allowed: frozenset[str]
    denied: frozenset[str] = frozenset()

    def may(self, act: str) -> bool:
        """Return whether they may do an act. A denial wins."""
        return act not in self.denied and (act in self.allowed or EVERYTHING in self.allowed)

    def may_sell(self, code: str) -> bool:
        """Return whether they may sell a service of the catalogue."""
        return self.may(service_act(code))


ALL_PERMITTED: Final = Permitted(frozenset({EVERYTHING}))


class PermissionRows(Protocol):
    """Where permissions stand: a projection of the journal."""

    def permitted(self, person: str) -> tuple[frozenset[str], frozenset[str]] | None:
        """Return what was last allowed to a person and denied to them, None where nobody ever set it."""


class PeopleRows(Protocol):
    """Where people stand."""

    def operator(self, username: str) -> OperatorView | None:
        """Return a person."""


class Permissions:
    """Answers who may do what. `operator` is a name as entries carry it: a person's, or a program's `api:NAME/PERSON`.

    The port of pages and services is `edge.web.ports.counter.Permissions`.
    """

    def __init__(self, rows: PermissionRows, people: PeopleRows) -> None:
        self._rows = rows
        self._people = people

    def of(self, operator: str) -> Permitted:
        """Return what somebody may do now."""
        person = person_behind(operator)
        row = None if person is None else self._rows.permitted(person)
        if person is None or row is None:
            return ALL_PERMITTED
        known = self._people.operator(person)
        if known is not None and known.role == MANAGER:
            return ALL_PERMITTED
        allowed, denied = row
        return Permitted(allowed, denied)

    def may(self, operator: str, act: str) -> bool:
        """Return whether somebody may do an act."""
        return self.of(operator).may(act)

    def check(self, operator: str, act: str) -> None:
        """Let pass who may do an act. Raises OperatorError `auth.not_permitted`."""
        if not self.may(operator, act):
            raise OperatorError("auth.not_permitted", act=act)

    def may_sell(self, operator: str, code: str) -> bool:
        """Return whether somebody may sell a service of the catalogue."""
        return self.may(operator, service_act(code))

    def check_sell(self, operator: str, code: str) -> None:
        """Let pass who may sell a service. Raises OperatorError `auth.not_permitted`."""
        self.check(operator, service_act(code))
