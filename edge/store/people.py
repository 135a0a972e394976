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

from edge.store.database import open_for_writing, transaction
from shared.errors import DeviceError, OperatorError

ATTEMPTS_KEPT_MS: Final = 3_600_000
"""How long wrong attempts are remembered after the last one. Anybody can make up names: they must not fill the disk."""


OPERATOR: Final = "operator"
MANAGER: Final = "manager"
ROLES: Final = (OPERATOR, MANAGER)
"""Who works here. A manager, the office's supervisor, also decides doubts and agrees to giving money back."""
PROGRAM: Final = "api:"
"""What the names of programs begin with in entries."""


class OperatorView(msgspec.Struct, frozen=True, kw_only=True):
    """A person who works at the counter."""

    username: str
    name: str
    role: str
    disabled: bool = False


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in. `opened_monotonic_ms` is comparable only within `boot`."""

    operator: OperatorView
    boot: str
    opened_monotonic_ms: int


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

    def save_operator(self, username: str, *, name: str, verifier: str, role: str) -> None:
        """Add an operator, or change one. A change ends the operator's sessions."""
        with self._lock, _in_words(), transaction(self._connection, "IMMEDIATE"):
            self._connection.execute(
                "INSERT INTO operator (username, name, verifier, role) VALUES (?, ?, ?, ?) ON CONFLICT (username) "
                "DO UPDATE SET name = excluded.name, verifier = excluded.verifier, role = excluded.role",
                (username, name, verifier, role),
            )
            self._connection.execute("DELETE FROM session WHERE username = ?", (username,))

    def set_disabled(self, username: str, *, disabled: bool) -> None:
        """Deny or allow an operator; a denial ends the sessions at once."""
        with self._lock, _in_words(), transaction(self._connection, "IMMEDIATE"):
            self._connection.execute("UPDATE operator SET disabled = ? WHERE username = ?", (int(disabled), username))
            if disabled:
                self._connection.execute("DELETE FROM session WHERE username = ?", (username,))

    def operator(self, username: str) -> OperatorView | None:
        """Return an operator."""
        row = self._row("SELECT username, name, role, disabled FROM operator WHERE username = ?", username)
        return None if row is None else _operator(row)

    def operators(self) -> list[OperatorView]:
        """Return all operators by name."""
        return [
            _operator(row) for row in self._do("SELECT username, name, role, disabled FROM operator ORDER BY username")
        ]

    def verifier(self, username: str) -> str | None:
        """Return the password verifier of an operator who may sign in."""
        row = self._row("SELECT verifier FROM operator WHERE username = ? AND disabled = 0", username)
        return None if row is None else str(row[0])

    def change_verifier(self, username: str, verifier: str) -> None:
        """Store a verifier of the same password made with newer parameters; sessions go on."""
        self._do("UPDATE operator SET verifier = ? WHERE username = ?", verifier, username)

    # --- sessions ---

    def open_session(self, token_sha256: bytes, username: str, *, boot: str, monotonic_ms: int) -> None:
        """Store a sign-in."""
        self._do(
            "INSERT INTO session (token_sha256, username, boot, opened_monotonic_ms) VALUES (?, ?, ?, ?)",
            token_sha256,
            username,
            boot,
            monotonic_ms,
        )

    def session(self, token_sha256: bytes) -> SessionView | None:
        """Return a sign-in of an operator who is not disabled."""
        row = self._row(
            "SELECT username, name, role, disabled, boot, opened_monotonic_ms FROM session JOIN operator "
            "USING (username) WHERE token_sha256 = ? AND disabled = 0",
            token_sha256,
        )
        return (
            None if row is None else SessionView(operator=_operator(row[:4]), boot=row[4], opened_monotonic_ms=row[5])
        )

    def end_session(self, token_sha256: bytes) -> None:
        """Forget a sign-in; one that is not there is fine."""
        self._do("DELETE FROM session WHERE token_sha256 = ?", token_sha256)

    def end_sessions(self, *, boot: str, opened_before_ms: int) -> None:
        """Forget the sign-ins of other boots and those of this one opened before."""
        self._do("DELETE FROM session WHERE boot <> ? OR opened_monotonic_ms < ?", boot, opened_before_ms)

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


def _operator(row: tuple[Any, ...]) -> OperatorView:
    username, name, role, disabled = row
    return OperatorView(username=username, name=name, role=role, disabled=bool(disabled))


def _caller(row: tuple[Any, ...]) -> ApiCaller:
    name, scopes, person = row
    return ApiCaller(name=name, scopes=frozenset(scopes.split()), person=person)
