"""People of central: Argon2id verifiers, sessions, and limits on guessing. All state is in the database.

A session is a random token in a cookie; the table keeps its hash. Guessing is limited by name and by address, counted
over all nodes; a name that is locked says so whether it exists or not.
"""

import base64
import hashlib
import threading
import unicodedata
from datetime import timedelta
from typing import Final, Literal

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from central.store.people import person, person_session, sign_in_failure
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import OperatorError
from shared.text import fold_digits, search_key

Role = Literal["finance", "auditor"]

PASSWORD_LETTERS_MIN: Final = 8
USERNAME_LETTERS_MAX: Final = 100
"""What is typed beyond that names nobody, and is kept nowhere."""
SESSION: Final = timedelta(hours=12)
WINDOW: Final = timedelta(minutes=15)
"""Failures older than this are forgotten."""
NAME_FAILURES_MAX: Final = 5
ADDRESS_FAILURES_MAX: Final = 40
"""An office of people behind one address may mistype now and then."""
_TOKEN_SIZE_BYTES: Final = 32
_HASHES_AT_ONCE: Final = 2
"""Each takes 64 MiB."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who signed in."""

    username: str
    name: str
    role: Role

    @property
    def may_change(self) -> bool:
        """Return whether this person may upload, run and decide, not only look."""
        return self.role == "finance"


def folded_password(password: str) -> bytes:
    """Return the bytes of a password that are hashed: Arabic and Persian keyboards give the same ones."""
    return unicodedata.normalize("NFKC", fold_digits(password)).replace("ي", "ی").replace("ك", "ک").encode()


def normal_username(username: str) -> str:
    """Return the one spelling of a user name."""
    return search_key(username)


def nobodys_verifier(hasher: PasswordHasher) -> str:
    """Return a verifier that takes as long to check as the hasher's own, and that no password is known to fit."""
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, digest = (base64.b64encode(bytes(size)).rstrip(b"=").decode() for size in (hasher.salt_len, hasher.hash_len))
    return f"$argon2id$v=19${cost}${salt}${digest}"


def _token_sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


class People:
    """Checks passwords and keeps sessions. Methods block; call them from a thread."""

    def __init__(self, engine: Engine, clock: Clock, entropy: Entropy, hasher: PasswordHasher | None = None) -> None:
        self._engine = engine
        self._clock = clock
        self._entropy = entropy
        self._hasher = hasher or PasswordHasher()
        self._hashing = threading.Semaphore(_HASHES_AT_ONCE)
        # Verified when a name is unknown, so that the time an answer takes does not tell which names exist.
        self._nobody = nobodys_verifier(self._hasher)

    def add(self, username: str, *, name: str, password: str, role: Role = "finance") -> bool:
        """Add a person; return False when the name is there already, which stays as it is.

        Raises OperatorError `people.username_missing`, `auth.password_short`.
        """
        wanted = normal_username(username)
        if not wanted:
            raise OperatorError("people.username_missing", field="username")
        values = {
            "username": wanted,
            "name": name.strip() or wanted,
            "role": role,
            "verifier": self._new_verifier(password),
            "added_at": self._clock.now(),
        }
        with self._engine.begin() as connection:
            # What came back says whether it was added; drivers do not agree on what an upsert counts.
            added = connection.execute(
                upsert(person)
                .values(values)
                .on_conflict_do_nothing(index_elements=[person.c.username])
                .returning(person.c.username)
            )
            return added.first() is not None

    def set_password(self, username: str, password: str) -> None:
        """Give a person a new password and end their sessions. Raises OperatorError `people.unknown` and as `add`."""
        verifier = self._new_verifier(password)
        wanted = normal_username(username)
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(person).where(person.c.username == wanted).values(verifier=verifier, disabled_at=None)
            )
            if changed.rowcount == 0:
                raise OperatorError("people.unknown", field="username", username=wanted)
            connection.execute(delete(person_session).where(person_session.c.username == wanted))

    def disable(self, username: str) -> None:
        """Refuse a person from now on, at every node. Raises OperatorError `people.unknown`."""
        wanted = normal_username(username)
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(person).where(person.c.username == wanted).values(disabled_at=self._clock.now())
            )
            if changed.rowcount == 0:
                raise OperatorError("people.unknown", field="username", username=wanted)
            connection.execute(delete(person_session).where(person_session.c.username == wanted))

    def sign_in(self, username: str, password: str, *, address: str) -> str:
        """Return a session token. Raises OperatorError `auth.wrong`, `auth.too_many`."""
        wanted = normal_username(username)[:USERNAME_LETTERS_MAX]
        self._count_attempt(wanted, address)
        with self._engine.connect() as connection:
            verifier = connection.execute(
                select(person.c.verifier).where(person.c.username == wanted, person.c.disabled_at.is_(None))
            ).scalar_one_or_none()
        if not self._verify(verifier or self._nobody, password) or verifier is None:
            raise OperatorError("auth.wrong", field="password")
        return self._open_session(wanted)

    def person_of(self, token: str) -> Person | None:
        """Return whose session a token is of, or None when it is unknown, over, or its person is refused."""
        query = (
            select(person.c.username, person.c.name, person.c.role)
            .join(person_session, person_session.c.username == person.c.username)
            .where(
                person_session.c.token_sha256 == _token_sha256(token),
                person_session.c.expires_at > self._clock.now(),
                person.c.disabled_at.is_(None),
            )
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else Person(**row)

    def sign_out(self, token: str) -> None:
        """End a session; one that is not there is fine."""
        with self._engine.begin() as connection:
            connection.execute(delete(person_session).where(person_session.c.token_sha256 == _token_sha256(token)))

    def _open_session(self, username: str) -> str:
        token = base64.urlsafe_b64encode(self._entropy.token_bytes(_TOKEN_SIZE_BYTES)).rstrip(b"=").decode()
        now = self._clock.now()
        with self._engine.begin() as connection:
            connection.execute(delete(person_session).where(person_session.c.expires_at <= now))
            connection.execute(
                delete(sign_in_failure).where(
                    (sign_in_failure.c.username == username) | (sign_in_failure.c.failed_at <= now - WINDOW)
                )
            )
            connection.execute(
                insert(person_session).values(
                    token_sha256=_token_sha256(token), username=username, opened_at=now, expires_at=now + SESSION
                )
            )
        return token

    def _count_attempt(self, username: str, address: str) -> None:
        """Count an attempt as failed until it went well: however many are made at once, no more than allowed are tried.

        Raises OperatorError `auth.too_many`; such an attempt is not counted.
        """
        table = sign_in_failure
        with self._engine.begin() as connection:
            own = connection.execute(
                insert(table)
                .values(username=username, address=address, failed_at=self._clock.now())
                .returning(table.c.ordinal)
            ).scalar_one()
        query = select(
            func.count().filter(table.c.username == username).label("by_name"),
            func.count().filter(table.c.address == address).label("by_address"),
        ).where(
            table.c.failed_at > self._clock.now() - WINDOW,
            (table.c.username == username) | (table.c.address == address),
        )
        with self._engine.begin() as connection:
            failures = connection.execute(query).one()
            is_too_many = failures.by_name > NAME_FAILURES_MAX or failures.by_address > ADDRESS_FAILURES_MAX
            if is_too_many:
                connection.execute(delete(table).where(table.c.ordinal == own))
        if is_too_many:
            raise OperatorError("auth.too_many", field="password", seconds=int(WINDOW.total_seconds()))

    def _new_verifier(self, password: str) -> str:
        if len(password) < PASSWORD_LETTERS_MIN:
            raise OperatorError("auth.password_short", field="password", letters=PASSWORD_LETTERS_MIN)
        with self._hashing:
            return self._hasher.hash(folded_password(password))

    def _verify(self, verifier: str, password: str) -> bool:
        try:
            with self._hashing:
                return self._hasher.verify(verifier, folded_password(password))
        except (VerificationError, InvalidHashError):
            return False
