"""People in memory: what pages are shown and asked, set by a test. No rule of a use case is repeated."""

from collections.abc import Callable

import msgspec

from edge.journal.people import LastSignIn, OpenSession, OperatorView, Place, SignInView
from edge.services.people.permissions import ALL_PERMITTED, Permissions, Permitted
from edge.services.people.sign_in import Visitor
from shared.errors import OperatorError

AT = "2026-11-22T10:41:05.000Z"
HERE = Place(address="10.0.0.7", browser="Firefox, Windows")


class FakePermissionRows:
    def __init__(self) -> None:
        self.set: dict[str, Permitted] = {}

    def permitted(self, person: str) -> tuple[frozenset[str], frozenset[str]] | None:
        row = self.set.get(person)
        return None if row is None else (row.allowed, row.denied)


class FakePeople:
    """`sessions` are the counter's: which token is whose."""

    def __init__(self, sessions: dict[str, OperatorView], asked: list[tuple[str, str]], password: str) -> None:
        self._sessions = sessions
        self._asked = asked
        self._password = password
        self.known: dict[str, OperatorView] = {
            username: OperatorView(username=username, name=name, role=role)
            for username, name, role in (("mina", "مینا صدر", "manager"), ("sara", "سارا احمدی", "operator"))
        }
        self.rows = FakePermissionRows()
        self.permissions = Permissions(self.rows, self)
        self.locked: set[str] = set()
        self.active: list[str] = []
        self.left_ms: int | None = 600_000
        self.greetings: dict[str, LastSignIn] = {}
        self.refuses: OperatorError | None = None
        """Raised by every change."""

    def operator(self, username: str) -> OperatorView | None:
        signed_in = (person for person in self._sessions.values() if person.username == username)
        return next(signed_in, None) or self.known.get(username)

    def visitor(self, session_token: str, *, active: bool) -> Visitor | None:
        person = self._sessions.get(session_token)
        if person is None:
            return None
        if active:
            self.active.append(session_token)
        return Visitor(person, session_token in self.locked, self.left_ms)

    def greeting(self, session_token: str) -> LastSignIn | None:
        return self.greetings.pop(session_token, None)

    def lock(self, session_token: str) -> None:
        self.locked.add(session_token)

    async def unlock(self, session_token: str, password: str) -> None:
        self._check(password, "auth.password_wrong")
        self.locked.discard(session_token)

    def _check(self, password: str, code: str = "auth.wrong") -> None:
        if password != self._password:
            raise OperatorError(code, field="password")

    def _change(self, what: str, about: str, own_password: str) -> None:
        self._check(own_password)
        if self.refuses is not None:
            raise self.refuses
        self._asked.append((what, about))

    async def change_password(self, session_token: str, old: str, new: str, again: str) -> None:  # noqa: ARG002
        if old != self._password:
            raise OperatorError("auth.password_wrong", field="old")
        self._change("change_password", self._sessions[session_token].username, old)
        self._sessions[session_token] = msgspec.structs.replace(self._sessions[session_token], must_change=False)

    async def sign_out_everywhere(self, username: str) -> None:
        self._asked.append(("sign_out_everywhere", username))
        for token in [token for token, person in self._sessions.items() if person.username == username]:
            del self._sessions[token]

    def everybody(self) -> list[OperatorView]:
        return list(self.known.values())

    def person(self, username: str) -> OperatorView:
        if username not in self.known:
            raise OperatorError("people.unknown", username=username)
        return self.known[username]

    def permitted(self, username: str) -> Permitted:
        return self.rows.set.get(username, ALL_PERMITTED)

    def last_sign_in(self, username: str) -> LastSignIn:  # noqa: ARG002 - the port's
        return LastSignIn(last=SignInView(at=AT, place=HERE, right=True), failed_count=2)

    def sign_ins(self, username: str) -> list[SignInView]:  # noqa: ARG002 - the port's
        return [SignInView(at=AT, place=HERE, right=right) for right in (True, False)]

    def sessions_of(self, username: str) -> list[OpenSession]:  # noqa: ARG002 - the port's
        return [OpenSession(key="00", opened_at=AT, place=HERE)]

    async def add(
        self,
        username: str,
        *,
        name: str,
        role: str,
        password: str,  # noqa: ARG002 - the port's
        operator: str,  # noqa: ARG002 - the port's
        own_password: str,
    ) -> str:
        self._change("add", username, own_password)
        self.known[username] = OperatorView(username=username, name=name, role=role, must_change=True)
        return username

    def _replace(self, username: str, what: str, own_password: str, of: Callable[[OperatorView], OperatorView]) -> None:
        self._change(what, username, own_password)
        self.known[username] = of(self.person(username))

    async def change(self, username: str, *, name: str, role: str, operator: str, own_password: str) -> None:  # noqa: ARG002
        self._replace(
            username, "change", own_password, lambda person: msgspec.structs.replace(person, name=name, role=role)
        )

    async def set_disabled(self, username: str, *, disabled: bool, operator: str, own_password: str) -> None:  # noqa: ARG002
        self._replace(
            username,
            "deny" if disabled else "allow",
            own_password,
            lambda person: msgspec.structs.replace(person, disabled=disabled),
        )

    async def reset_password(self, username: str, password: str, *, operator: str, own_password: str) -> None:  # noqa: ARG002
        self._change("reset", username, own_password)

    async def permit(
        self,
        username: str,
        *,
        shown: frozenset[str],
        ticked: frozenset[str],
        new_services: bool,
        operator: str,  # noqa: ARG002 - the port's
        own_password: str,
    ) -> None:
        self._change("permit", username, own_password)
        self.rows.set[username] = Permitted(ticked | ({"*"} if new_services else set()), shown - ticked)

    async def end_sessions(self, username: str, *, operator: str, own_password: str) -> None:  # noqa: ARG002
        self._change("end_sessions", username, own_password)
