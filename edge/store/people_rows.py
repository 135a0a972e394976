"""Rows of people: what is written of them beside a fact of the journal, in its transaction, and what facts allow."""

from typing import Any, Final

import apsw
import msgspec

from edge.journal.people import MANAGER, OperatorView
from edge.journal.ports import Recorded
from edge.store.projecting import Project
from shared.events import Body, PersonPermitted

_ACTS: Final = msgspec.json.Decoder(tuple[str, ...])


def permitted(connection: apsw.Connection, person: str) -> tuple[frozenset[str], frozenset[str]] | None:
    """Return what was last allowed to a person and denied to them, None where nobody ever set it."""
    row = next(connection.execute("SELECT allowed, denied FROM person_permission WHERE person = ?", (person,)), None)
    return None if row is None else (frozenset(_ACTS.decode(row[0])), frozenset(_ACTS.decode(row[1])))


def person(connection: apsw.Connection, username: str) -> OperatorView | None:
    """Return a person."""
    row = next(connection.execute(f"{PERSON} WHERE username = ?", (username,)), None)
    return None if row is None else person_of(row)


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in. `opened_monotonic_ms` is comparable only within `boot`."""

    operator: OperatorView
    boot: str
    opened_monotonic_ms: int


def session(connection: apsw.Connection, token_sha256: bytes) -> SessionView | None:
    """Return a sign-in of a person who is not denied."""
    row = next(connection.execute(_SESSION, (token_sha256,)), None)
    return None if row is None else SessionView(operator=person_of(row[:5]), boot=row[5], opened_monotonic_ms=row[6])


def managers(connection: apsw.Connection) -> frozenset[str]:
    """Return the user names of the managers who may sign in."""
    rows = connection.execute("SELECT username FROM operator WHERE role = ? AND disabled = 0", (MANAGER,))
    return frozenset(row[0] for row in rows)


def keep_person(connection: apsw.Connection, view: OperatorView, verifier: str | None) -> None:
    """Keep a person as a fact says them; without a verifier the one that is known stays, and there has to be one."""
    connection.execute(
        "INSERT INTO operator (username, name, role, disabled, must_change, verifier) VALUES (?, ?, ?, ?, ?, "
        "coalesce(?, (SELECT verifier FROM operator WHERE username = ?))) ON CONFLICT (username) DO UPDATE SET "
        "name = excluded.name, role = excluded.role, disabled = excluded.disabled, "
        "must_change = excluded.must_change, verifier = excluded.verifier",
        (view.username, view.name, view.role, view.disabled, view.must_change, verifier, view.username),
    )


def end_sessions_of(connection: apsw.Connection, username: str, *, but: bytes = b"") -> None:
    """End the sign-ins of a person, all but one of a token's hash."""
    connection.execute("DELETE FROM session WHERE username = ? AND token_sha256 <> ?", (username, but))


def note_change(connection: apsw.Connection, body: Body) -> None:
    """Note a change that the command line made, for the box to journal."""
    connection.execute(
        "INSERT INTO person_change (kind, body) VALUES (?, ?)", (body.type, msgspec.json.encode(body).decode())
    )


def take_changes(connection: apsw.Connection) -> list[tuple[str, bytes]]:
    """Return (type, body) of what the command line changed, oldest first, and forget it."""
    rows = [(kind, body.encode()) for kind, body in connection.execute(f"{_CHANGES} ORDER BY number")]
    if rows:
        connection.execute("DELETE FROM person_change")
    return rows


_CHANGES: Final = "SELECT kind, body FROM person_change"
_SESSION: Final = (
    "SELECT username, name, role, disabled, must_change, boot, opened_monotonic_ms FROM session JOIN operator "
    "USING (username) WHERE token_sha256 = ? AND disabled = 0"
)
PERSON: Final = "SELECT username, name, role, disabled, must_change FROM operator"


def person_of(row: tuple[Any, ...]) -> OperatorView:
    """Return a row of PERSON as a struct."""
    username, name, role, disabled, must_change = row
    return OperatorView(username=username, name=name, role=role, disabled=bool(disabled), must_change=bool(must_change))


def _permitted(connection: apsw.Connection, _: Recorded, body: PersonPermitted) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO person_permission VALUES (?, ?, ?)",
        (body.person, msgspec.json.encode(body.allowed).decode(), msgspec.json.encode(body.denied).decode()),
    )


PEOPLE_PROJECTORS: Final[dict[type[Body], Project]] = {PersonPermitted: _permitted}
