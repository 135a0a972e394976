"""A manager's work on the people of the office, and a person's own password. Each change is an entry of the journal.

What is not in the journal, a password's verifier and sessions, is written in the entry's own transaction: either both
are there or neither. Whoever changes something gives their own password with it: an open page is not enough.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Final

import msgspec

from edge.journal.ports import StoreView
from edge.journal.writer import JournalWriter
from edge.services.people.password_rule import check_password, folded_password
from edge.services.people.sign_in import USERNAME_LETTERS_MAX, SignIn, normal_username, token_sha256
from edge.store.people import MANAGER, OPERATOR, OperatorView, People
from shared.acts import EVERYTHING, is_act
from shared.errors import OperatorError
from shared.events import (
    JOURNAL_BODIES,
    Body,
    PasswordSet,
    PersonAdded,
    PersonAllowed,
    PersonChanged,
    PersonDenied,
    PersonPermitted,
    Role,
    SessionsEnded,
    decode_body,
)

_RESERVED: Final = ":/"
"""Letters that tell programs and persons apart in entries."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is to be permitted: of the acts that the manager was shown, those that were ticked."""

    shown: frozenset[str]
    ticked: frozenset[str]
    new_services: bool
    """Whether services to come are permitted without asking again."""


def checked_username(username: str) -> str:
    """Return the normal spelling of a new user name. Raises OperatorError `people.username_missing`, `…_shape`."""
    normal = normal_username(username)
    if not normal:
        raise OperatorError("people.username_missing", field="username")
    is_word = normal.isprintable() and not any(letter.isspace() or letter in _RESERVED for letter in normal)
    if len(normal) > USERNAME_LETTERS_MAX or not is_word:
        raise OperatorError("people.username_shape", field="username", letters=USERNAME_LETTERS_MAX)
    return normal


def _role(role: str) -> Role:
    return MANAGER if role == MANAGER else OPERATOR


class ManagePeople:
    """Changes people. `office` is the office's code, which no password may be."""

    def __init__(self, writer: JournalWriter, people: People, sign_in: SignIn, office: str) -> None:
        self._writer = writer
        self._people = people
        self._sign_in = sign_in
        self._office = office

    async def add(self, username: str, *, name: str, role: str, password: str, operator: str) -> str:
        """Add a person with a first password, to be changed at the first sign-in; return the user name.

        Raises OperatorError `people.username_missing`, `people.username_shape`, `people.username_taken`,
        `people.name_missing`, `auth.password_short`, `auth.password_easy`.
        """
        wanted = checked_username(username)
        person = OperatorView(username=wanted, name=_name(name), role=_role(role), must_change=True)
        verifier = await self._verifier(password, wanted)

        def decide(view: StoreView) -> Sequence[Body]:
            if view.person(wanted) is not None:
                raise OperatorError("people.username_taken", field="username", username=wanted)
            view.keep_person(person, verifier=verifier)
            return [PersonAdded(person=wanted, name=person.name, role=_role(person.role), operator=operator)]

        await self._writer.commit(decide)
        return wanted

    async def change(self, username: str, *, name: str, role: str, operator: str) -> None:
        """Change what a person is called, or their role. Raises as `deny`, and OperatorError `people.name_missing`."""
        called, works = _name(name), _role(role)

        def change(view: StoreView, person: OperatorView) -> Sequence[Body]:
            if (person.name, person.role) == (called, works):
                return []
            if works != MANAGER:
                _check_others(view, username)
            view.keep_person(msgspec.structs.replace(person, name=called, role=works))
            return [PersonChanged(person=username, name=called, role=works, operator=operator)]

        await self._of(username, change)

    async def deny(self, username: str, *, operator: str) -> None:
        """Let a person in no more; their sessions end with it.

        Raises OperatorError `people.unknown`, `people.last_manager`.
        """

        def change(view: StoreView, person: OperatorView) -> Sequence[Body]:
            if person.disabled:
                return []
            _check_others(view, username)
            view.keep_person(msgspec.structs.replace(person, disabled=True))
            view.end_sessions_of(username)
            return [PersonDenied(person=username, operator=operator)]

        await self._of(username, change)

    async def allow(self, username: str, *, operator: str) -> None:
        """Let a person in again. Raises OperatorError `people.unknown`."""

        def change(view: StoreView, person: OperatorView) -> Sequence[Body]:
            if not person.disabled:
                return []
            view.keep_person(msgspec.structs.replace(person, disabled=False))
            return [PersonAllowed(person=username, operator=operator)]

        await self._of(username, change)

    async def reset_password(self, username: str, password: str, *, operator: str) -> None:
        """Give a person another password, which they change when they sign in; their sessions end.

        Raises OperatorError `people.unknown`, `auth.password_short`, `auth.password_easy`.
        """
        verifier = await self._verifier(password, username)

        def change(view: StoreView, person: OperatorView) -> Sequence[Body]:
            view.keep_person(msgspec.structs.replace(person, must_change=True), verifier=verifier)
            view.end_sessions_of(username)
            return [PasswordSet(person=username, operator=operator)]

        await self._of(username, change)

    async def permit(self, username: str, wish: Wish, *, operator: str) -> None:
        """Set what a person may do; what the manager was not shown stays as it was.

        Raises OperatorError `people.unknown`.
        """
        shown = frozenset(act for act in wish.shown if is_act(act))

        def change(view: StoreView, _: OperatorView) -> Sequence[Body]:
            before = view.permitted(username)
            allowed, denied = before or (frozenset({EVERYTHING}), frozenset())
            unseen = allowed - shown - {EVERYTHING}
            refused = (denied - shown) | (shown - wish.ticked)
            everything = frozenset({EVERYTHING} if wish.new_services else wish.ticked & shown)
            after = (everything | (frozenset() if wish.new_services else unseen), refused)
            if before == after:
                return []
            return [
                PersonPermitted(
                    person=username, allowed=tuple(sorted(after[0])), denied=tuple(sorted(after[1])), operator=operator
                )
            ]

        await self._of(username, change)

    async def end_sessions(self, username: str, *, operator: str) -> None:
        """Sign a person out everywhere. Raises OperatorError `people.unknown`."""

        def change(view: StoreView, _: OperatorView) -> Sequence[Body]:
            view.end_sessions_of(username)
            return [SessionsEnded(person=username, operator=operator)]

        await self._of(username, change)

    async def change_password(self, session_token: str, old: str, new: str, again: str) -> None:
        """Give oneself another password; one's other sessions end.

        Raises OperatorError `auth.sign_in_needed`, `auth.password_wrong`, `auth.too_many`, `auth.password_short`,
        `auth.password_easy`, `auth.password_same`, `auth.password_differs`; `field` is `old`, `new` or `again`.
        """
        person = self._sign_in.operator_of(session_token)
        if person is None:
            raise OperatorError("auth.sign_in_needed")
        if new != again:
            raise OperatorError("auth.password_differs", field="again")
        check_password(new, username=person.username, office=self._office, field="new")
        await self._sign_in.check(person.username, old, field="old")
        if folded_password(old) == folded_password(new):
            raise OperatorError("auth.password_same", field="new")
        verifier = await self._verifier(new, person.username)

        def change(view: StoreView, known: OperatorView) -> Sequence[Body]:
            view.keep_person(msgspec.structs.replace(known, must_change=False), verifier=verifier)
            view.end_sessions_of(known.username, but=token_sha256(session_token))
            return [PasswordSet(person=known.username, operator=known.username)]

        await self._of(person.username, change)

    async def journal_command_line(self) -> None:
        """Journal what the command line changed beside a box that serves, or while it was off."""
        if self._people.has_changes():
            await self._writer.commit(_noted)

    async def _verifier(self, password: str, username: str) -> str:
        return await self._sign_in.verifier(password, username=username, office=self._office)

    async def _of(self, username: str, change: Callable[[StoreView, OperatorView], Sequence[Body]]) -> None:
        """Commit a change of a person who is known."""

        def decide(view: StoreView) -> Sequence[Body]:
            person = view.person(username)
            if person is None:
                raise OperatorError("people.unknown", field="username", username=username)
            return change(view, person)

        await self._writer.commit(decide)


def _name(name: str) -> str:
    """Return a name without spaces around it. Raises OperatorError `people.name_missing`."""
    if not (kept := " ".join(name.split())[:USERNAME_LETTERS_MAX]):
        raise OperatorError("people.name_missing", field="name")
    return kept


def _check_others(view: StoreView, username: str) -> None:
    """Let pass when somebody else is a manager. Raises OperatorError `people.last_manager`."""
    managers: Collection[str] = view.managers()
    if managers == {username}:
        raise OperatorError("people.last_manager", username=username)


def _noted(view: StoreView) -> Sequence[Body]:
    bodies = (decode_body(kind, raw, JOURNAL_BODIES) for kind, raw in view.take_person_changes())
    return [body for body in bodies if body is not None]
