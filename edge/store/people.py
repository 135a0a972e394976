"""Who may use the box: operators' verifiers, sessions, programs' tokens, wrong attempts, and what a key was answered.

None of it is in the journal. It is written by a connection of its own, in short transactions beside the journal's.
Tokens are known here only by their SHA-256. Times are running times of one boot in milliseconds: the wall clock of a
box may be anything.
"""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from edge.journal.people import (
    MANAGER,
    NOWHERE,
    OPERATOR,
    ROLES,
    LastSignIn,
    OpenSession,
    OperatorView,
    Place,
    SignInView,
)
from edge.store import people_rows
from edge.store.database import open_for_writing, transaction
from edge.store.people_rows import SessionView
from shared.errors import DeviceError, OperatorError
from shared.events import Body

__all__ = ["MANAGER", "OPERATOR", "PROGRAM", "ROLES", "ApiCaller", "Attempts", "OperatorView", "People", "SessionView"]

ATTEMPTS_KEPT_MS: Final = 3_600_000
"""How long wrong attempts are remembered after the last one. Anybody can make up names: they must not fill the disk."""
SIGN_INS_KEPT: Final = 20
"""Of each person, right ones; and of wrong ones as many as a person may be told of."""
FAILURES_KEPT: Final = 99
_SIGN_INS: Final = "SELECT at, address, browser, was_right FROM sign_in"
_SINCE: Final = (
    "was_right = 0 AND number > coalesce((SELECT max(number) FROM sign_in WHERE username = ?1 AND was_right = 1), 0)"
)
PROGRAM: Final = "api:"
"""What the names of programs begin with in entries."""


class ApiCaller(msgspec.Struct, frozen=True, kw_only=True):
    """A program that showed a token."""

    name: str
    scopes: frozenset[str]
    person: str | None = None
    """The user name of the person in whose name it asks, if it was made for one."""

    @property
    def operator(self) -> str:
        """Return the name its entries carry: `api:` and its own, and after a `/` its person's."""
        return f"{PROGRAM}{self.name}" + (f"/{self.person}" if self.person else "")


class Attempts(msgspec.Struct, frozen=True, kw_only=True):
    """Wrong attempts in a row of one subject (a name, an address), and when the last one was."""

    failed_count: int
    boot: str
    failed_monotonic_ms: int


class People:
    """Safe to share between threads; each write is durable when it returns.

    All calls raise DeviceError `store.not_kept` when the medium refuses.
    """

    def __init__(self, path: Path) -> None:
        self._connection = open_for_writing(path)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    def _do(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, _in_words():
            return list(self._connection.execute(sql, values))

    def _row(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        return next(iter(self._do(sql, *values)), None)

    # --- operators ---

    def save_operator(
        self,
        username: str,
        *,
        name: str,
        verifier: str,
        role: str,
        must_change: bool = False,
        noted: Collection[Body] = (),
    ) -> None:
        """Add an operator, or change one. A change ends the operator's sessions. `noted` is for the box to journal."""
        with self._lock, _in_words(), transaction(self._connection, "IMMEDIATE"):
            self._connection.execute(
                "INSERT INTO operator (username, name, verifier, role, must_change) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (username) DO UPDATE SET name = excluded.name, verifier = excluded.verifier, "
                "role = excluded.role, must_change = excluded.must_change",
                (username, name, verifier, role, must_change),
            )
            people_rows.end_sessions_of(self._connection, username)
            self._note(noted)

    def _note(self, noted: Collection[Body]) -> None:
        for body in noted:
            people_rows.note_change(self._connection, body)

    def set_disabled(self, username: str, *, disabled: bool, noted: Collection[Body] = ()) -> None:
        """Deny or allow an operator; a denial ends the sessions at once."""
        with self._lock, _in_words(), transaction(self._connection, "IMMEDIATE"):
            self._connection.execute("UPDATE operator SET disabled = ? WHERE username = ?", (int(disabled), username))
            if disabled:
                people_rows.end_sessions_of(self._connection, username)
            self._note(noted)

    def has_changes(self) -> bool:
        """Return whether the command line changed something that is not journaled yet."""
        return bool(self._do("SELECT 1 FROM person_change LIMIT 1"))

    def operator(self, username: str) -> OperatorView | None:
        """Return an operator."""
        row = self._row(f"{people_rows.PERSON} WHERE username = ?", username)
        return None if row is None else people_rows.person_of(row)

    def operators(self) -> list[OperatorView]:
        """Return all operators by name."""
        return [people_rows.person_of(row) for row in self._do(f"{people_rows.PERSON} ORDER BY username")]

    def verifier(self, username: str) -> str | None:
        """Return the password verifier of an operator who may sign in."""
        row = self._row("SELECT verifier FROM operator WHERE username = ? AND disabled = 0", username)
        return None if row is None else str(row[0])

    def change_verifier(self, username: str, verifier: str) -> None:
        """Store a verifier of the same password made with newer parameters; sessions go on."""
        self._do("UPDATE operator SET verifier = ? WHERE username = ?", verifier, username)

    # --- sessions ---

    def open_session(
        self, token_sha256: bytes, username: str, *, boot: str, monotonic_ms: int, at: str = "", place: Place = NOWHERE
    ) -> None:
        """Store a sign-in."""
        self._do(
            "INSERT INTO session (token_sha256, username, boot, opened_monotonic_ms, opened_at, address, browser) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            token_sha256,
            username,
            boot,
            monotonic_ms,
            at,
            place.address,
            place.browser,
        )

    def session(self, token_sha256: bytes) -> SessionView | None:
        """Return a sign-in of an operator who is not disabled."""
        with self._lock, _in_words():
            return people_rows.session(self._connection, token_sha256)

    def sessions_of(self, username: str, *, boot: str, opened_after_ms: int) -> list[OpenSession]:
        """Return a person's sign-ins of this boot that go on, newest first."""
        rows = self._do(
            "SELECT token_sha256, opened_at, address, browser FROM session "
            "WHERE username = ? AND boot = ? AND opened_monotonic_ms >= ? ORDER BY opened_monotonic_ms DESC",
            username,
            boot,
            opened_after_ms,
        )
        return [
            OpenSession(key=token.hex(), opened_at=at, place=Place(address=address, browser=browser))
            for token, at, address, browser in rows
        ]

    def session_tokens(self) -> frozenset[bytes]:
        """Return the hashes of the tokens of all sign-ins."""
        return frozenset(row[0] for row in self._do("SELECT token_sha256 FROM session"))

    def end_session(self, token_sha256: bytes) -> None:
        """Forget a sign-in; one that is not there is fine."""
        self._do("DELETE FROM session WHERE token_sha256 = ?", token_sha256)

    def end_sessions(self, *, boot: str, opened_before_ms: int) -> None:
        """Forget the sign-ins of other boots and those of this one opened before."""
        self._do("DELETE FROM session WHERE boot <> ? OR opened_monotonic_ms < ?", boot, opened_before_ms)

    # --- who came, and who tried ---

    def note_sign_in(self, username: str, *, at: str, place: Place, right: bool) -> None:
        """Keep that a password was given for a name. One that nobody has is not kept: anybody can make up names."""
        with self._lock, _in_words(), transaction(self._connection, "IMMEDIATE"):
            self._connection.execute(
                "INSERT INTO sign_in (username, at, address, browser, was_right) "
                "SELECT username, ?, ?, ?, ? FROM operator WHERE username = ?",
                (at, place.address, place.browser, right, username),
            )
            self._connection.execute(
                "DELETE FROM sign_in WHERE username = ? AND was_right = ? AND number <= (SELECT number FROM sign_in "
                "WHERE username = ? AND was_right = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
                (username, right, username, right, SIGN_INS_KEPT if right else FAILURES_KEPT),
            )

    def last_sign_in(self, username: str) -> LastSignIn:
        """Return when and where a person was in last, and who tried since."""
        last = next(iter(self._sign_ins(username, "was_right = 1", 1)), None)
        failed = self._sign_ins(username, _SINCE, FAILURES_KEPT)
        return LastSignIn(last=last, failed_count=len(failed), failed=next(iter(failed), None))

    def sign_ins(self, username: str, limit: int) -> list[SignInView]:
        """Return passwords given for a name, right and wrong, newest first."""
        return self._sign_ins(username, "true", limit)

    def _sign_ins(self, username: str, which: str, limit: int) -> list[SignInView]:
        sql = f"{_SIGN_INS} WHERE username = ?1 AND {which} ORDER BY number DESC LIMIT ?2"
        return [
            SignInView(at=at, place=Place(address=address, browser=browser), right=bool(right))
            for at, address, browser, right in self._do(sql, username, limit)
        ]

    # --- programs ---

    def save_api_token(
        self, token_sha256: bytes, *, name: str, scopes: Collection[str], person: str | None = None
    ) -> None:
        """Store a program's token in place of the one that had its name; `person` is in whose name it asks."""
        with self._lock, _in_words(), transaction(self._connection, "IMMEDIATE"):
            self._connection.execute("DELETE FROM api_token WHERE name = ?", (name,))
            self._connection.execute(
                "INSERT INTO api_token (token_sha256, name, scopes, person) VALUES (?, ?, ?, ?)",
                (token_sha256, name, " ".join(sorted(scopes)), person),
            )

    def api_caller(self, token_sha256: bytes) -> ApiCaller | None:
        """Return whose token this is; that of a person who is denied is nobody's."""
        row = self._row(
            "SELECT api_token.name, scopes, person FROM api_token LEFT JOIN operator ON username = person "
            "WHERE token_sha256 = ? AND (person IS NULL OR disabled = 0)",
            token_sha256,
        )
        return None if row is None else _caller(row)

    def api_callers(self) -> list[ApiCaller]:
        """Return all programs by name."""
        return [_caller(row) for row in self._do("SELECT name, scopes, person FROM api_token ORDER BY name")]

    def revoke_api_token(self, name: str) -> None:
        """Forget a program's token."""
        self._do("DELETE FROM api_token WHERE name = ?", name)

    # --- attempts ---

    def attempts(self, subject: str) -> Attempts | None:
        """Return the wrong attempts of a subject since it last succeeded."""
        row = self._row("SELECT failed_count, boot, failed_monotonic_ms FROM attempt WHERE subject = ?", subject)
        return None if row is None else Attempts(failed_count=row[0], boot=row[1], failed_monotonic_ms=row[2])

    def count_failure(self, subject: str, *, boot: str, monotonic_ms: int) -> int:
        """Count one more wrong attempt; return how many there are now. Those long over are forgotten."""
        self._do(
            "DELETE FROM attempt WHERE boot <> ? OR failed_monotonic_ms < ?", boot, monotonic_ms - ATTEMPTS_KEPT_MS
        )
        row = self._row(
            "INSERT INTO attempt (subject, failed_count, boot, failed_monotonic_ms) VALUES (?, 1, ?, ?) "
            "ON CONFLICT (subject) DO UPDATE SET failed_count = failed_count + 1, boot = excluded.boot, "
            "failed_monotonic_ms = excluded.failed_monotonic_ms RETURNING failed_count",
            subject,
            boot,
            monotonic_ms,
        )
        return int(row[0]) if row else 0

    def clear_failures(self, subject: str) -> None:
        """Forget a subject's wrong attempts."""
        self._do("DELETE FROM attempt WHERE subject = ?", subject)

    # --- idempotency keys ---

    def begin_request(self, caller: str, key: str, request_sha256: bytes) -> bytes | None:
        """Take a key for a request; return the answer it had before, None when it must be worked now.

        A key whose work was cut off before its answer was stored is to be worked again: what the work journals is
        guarded by its own rules. Raises OperatorError `api.idempotency_conflict` when the key was used for another
        request.
        """
        with self._lock, _in_words(), transaction(self._connection, "IMMEDIATE"):
            row = next(
                self._connection.execute(
                    "SELECT request_sha256, response FROM idempotency WHERE caller = ? AND idempotency_key = ?",
                    (caller, key),
                ),
                None,
            )
            if row is None:
                self._connection.execute(
                    "INSERT INTO idempotency (caller, idempotency_key, request_sha256) VALUES (?, ?, ?)",
                    (caller, key, request_sha256),
                )
                return None
            if row[0] != request_sha256:
                raise OperatorError("api.idempotency_conflict", key=key)
            response: bytes | None = row[1]
            return response

    def finish_request(self, caller: str, key: str, response: bytes) -> None:
        """Store the answer that the key gets from now on."""
        self._do("UPDATE idempotency SET response = ? WHERE caller = ? AND idempotency_key = ?", response, caller, key)

    def abandon_request(self, caller: str, key: str) -> None:
        """Give back a key whose work was refused, so that it may be used for a corrected request."""
        self._do("DELETE FROM idempotency WHERE caller = ? AND idempotency_key = ? AND response IS NULL", caller, key)


@contextmanager
def _in_words() -> Iterator[None]:
    """Say what the medium refuses as DeviceError `store.not_kept`: nothing was written then."""
    try:
        yield
    except (apsw.FullError, apsw.IOError, apsw.BusyError, apsw.ReadOnlyError, apsw.CantOpenError) as error:
        raise DeviceError("store.not_kept", why=type(error).__name__) from error


def _caller(row: tuple[Any, ...]) -> ApiCaller:
    name, scopes, person = row
    return ApiCaller(name=name, scopes=frozenset(scopes.split()), person=person)
