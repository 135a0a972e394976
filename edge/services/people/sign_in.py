"""Operators sign in, online or not; programs show tokens. Verifiers and sessions live outside the journal.

All times are running times of this boot: the wall clock of a box may be anything. A restart ends every session.
"""

import asyncio
import base64
import hashlib
from typing import Final, Protocol

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from edge.journal.people import NOWHERE, LastSignIn, OpenSession, Place, SignInView
from edge.services.people.password_rule import check_password, folded_password
from edge.services.people.presence import Presence
from edge.store.people import MANAGER, ApiCaller, OperatorView, People, SessionView
from shared.clock import Clock, instant_text
from shared.entropy import Entropy
from shared.errors import OperatorError
from shared.text import search_key

ATTEMPTS_MAX: Final = 5
"""Wrong passwords in a row for one name before it must wait, wherever they are asked for."""
WAIT_MS: Final = 60_000
SESSION_MS: Final = 12 * 3_600_000
USERNAME_LETTERS_MAX: Final = 64
"""No name is longer; what is typed beyond is not looked at, nor kept as a wrong attempt."""
SIGN_INS_SHOWN: Final = 10
_TOKEN_SIZE_BYTES: Final = 32
_HASHES_AT_ONCE: Final = 2
"""Each takes 64 MiB: more at once would push a small box out of memory."""


class Sessions(Protocol):
    """Where sign-ins stand."""

    def session(self, token_sha256: bytes) -> SessionView | None:
        """Return a sign-in of a person who is not denied."""


class Visitor(msgspec.Struct, frozen=True):
    """Who a session belongs to, and whether it is locked; `left_ms` until it locks, None: it never does by itself."""

    operator: OperatorView
    locked: bool
    left_ms: int | None


def token_sha256(token: str) -> bytes:
    """Return what is stored of a token: who reads the store cannot use it."""
    return hashlib.sha256(token.encode()).digest()


def new_token(entropy: Entropy) -> str:
    """Return a token for a cookie or a program."""
    return base64.urlsafe_b64encode(entropy.token_bytes(_TOKEN_SIZE_BYTES)).rstrip(b"=").decode()


def new_verifier(password: str, *, username: str = "", office: str = "", hasher: PasswordHasher | None = None) -> str:
    """Return the Argon2id verifier of a password that may be set. Raises what `check_password` raises."""
    check_password(password, username=username, office=office)
    return (hasher or PasswordHasher()).hash(folded_password(password))


def _verifier_of_nobody(hasher: PasswordHasher, entropy: Entropy) -> str:
    """Return a verifier of no password: checking one against it takes as long as against a real one, making it none."""
    sizes = (hasher.salt_len, hasher.hash_len)
    salt, digest = (base64.b64encode(entropy.token_bytes(size)).rstrip(b"=").decode() for size in sizes)
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"


def normal_username(username: str) -> str:
    """Return the one spelling of a user name, as both keyboards type it."""
    return search_key(username)


class SignIn:
    """Checks passwords, a bounded number at once, and keeps sessions."""

    def __init__(
        self,
        people: People,
        clock: Clock,
        entropy: Entropy,
        boot: str,
        *,
        sessions: Sessions | None = None,
        lock_after_ms: int | None = None,
        hasher: PasswordHasher | None = None,
    ) -> None:
        """`sessions` is where they are looked up: among people, unless it is given. `hasher` is one of another cost."""
        self._people = people
        self._sessions: Sessions = people if sessions is None else sessions
        self._clock = clock
        self._entropy = entropy
        self._boot = boot
        self._presence = Presence(clock, lock_after_ms)
        self._hashing = asyncio.Semaphore(_HASHES_AT_ONCE)
        self._hasher = hasher or PasswordHasher()
        # Verified when a name is unknown, so that the time an answer takes does not tell which names exist.
        self._nobody = _verifier_of_nobody(self._hasher, entropy)

    async def sign_in(self, username: str, password: str, place: Place = NOWHERE) -> str:
        """Return a session token. Raises OperatorError `auth.wrong`, `auth.too_many` (wait a minute)."""
        name = await self._right_person(username, password, place)
        token = new_token(self._entropy)
        now_ms = self._clock.monotonic_ms()
        at = instant_text(self._clock.now())
        self._people.end_sessions(boot=self._boot, opened_before_ms=now_ms - SESSION_MS)
        greeting = self._people.last_sign_in(name)
        self._people.open_session(token_sha256(token), name, boot=self._boot, monotonic_ms=now_ms, at=at, place=place)
        self._people.note_sign_in(name, at=at, place=place, right=True)
        self._presence.keep_only(self._people.session_tokens())
        self._presence.opened(token_sha256(token), greeting)
        return token

    def greeting(self, session_token: str) -> LastSignIn | None:
        """Return when a person was in last and who tried since, once after a sign-in."""
        return self._presence.greeting(token_sha256(session_token))

    def sign_ins(self, username: str) -> list[SignInView]:
        """Return the newest passwords given for a name, right and wrong, newest first."""
        return self._people.sign_ins(username, SIGN_INS_SHOWN)

    def sessions_of(self, username: str) -> list[OpenSession]:
        """Return where a person is signed in now, newest first."""
        since_ms = self._clock.monotonic_ms() - SESSION_MS
        return self._people.sessions_of(username, boot=self._boot, opened_after_ms=since_ms)

    def visitor(self, session_token: str, *, active: bool) -> Visitor | None:
        """Return whose session this is, None as `operator_of`. `active`: the person did something just now."""
        session = token_sha256(session_token)
        operator = self._operator_of(session)
        if operator is None:
            return None
        if active:
            self._presence.seen(session)
        return Visitor(operator, self._presence.is_locked(session), self._presence.left_ms(session))

    def lock(self, session_token: str) -> None:
        """Lock a session until its person gives the password."""
        self._presence.lock(token_sha256(session_token))

    async def unlock(self, session_token: str, password: str) -> None:
        """Open a locked session. Raises OperatorError `auth.sign_in_needed`, `auth.password_wrong`, `auth.too_many`."""
        operator = self.operator_of(session_token)
        if operator is None:
            raise OperatorError("auth.sign_in_needed")
        await self.check(operator.username, password)
        self._presence.unlock(token_sha256(session_token))

    async def check(self, username: str, password: str, *, field: str = "password") -> None:
        """Let pass who knows the password of a name. Raises OperatorError `auth.password_wrong`, `auth.too_many`."""
        try:
            await self._right_person(username, password)
        except OperatorError as error:
            if error.code != "auth.wrong":
                raise
            raise OperatorError("auth.password_wrong", field=field) from error

    async def verifier(self, password: str, *, username: str, office: str) -> str:
        """Return the verifier of a password that a person is to have. Raises what `check_password` raises."""
        check_password(password, username=username, office=office)
        async with self._hashing:
            return await asyncio.to_thread(
                new_verifier, password, username=username, office=office, hasher=self._hasher
            )

    async def manager(self, username: str, password: str) -> OperatorView:
        """Return the manager who gives a password anew, for what a session alone must not do.

        Raises OperatorError `auth.wrong`, `auth.too_many`, `auth.manager_needed`.
        """
        person = self._people.operator(await self._right_person(username, password))
        if person is None or person.disabled:
            raise OperatorError("auth.wrong", field="password")
        if person.role != MANAGER:
            raise OperatorError("auth.manager_needed")
        return person

    async def _right_person(self, username: str, password: str, place: Place = NOWHERE) -> str:
        """Return the normal user name of whoever knows the password. Raises OperatorError as `sign_in`."""
        name = normal_username(username[:USERNAME_LETTERS_MAX])
        async with self._hashing:
            # Asked when its turn has come: of many guesses sent at once, those behind the last allowed one must wait.
            self._check_waiting(name)
            verifier = self._people.verifier(name)
            right = await asyncio.to_thread(self._verify, verifier or self._nobody, folded_password(password))
            if verifier is None or not right:
                self._people.count_failure(name, boot=self._boot, monotonic_ms=self._clock.monotonic_ms())
                self._people.note_sign_in(name, at=instant_text(self._clock.now()), place=place, right=False)
                raise OperatorError("auth.wrong", field="password")
        self._people.clear_failures(name)
        if self._hasher.check_needs_rehash(verifier):
            async with self._hashing:
                self._people.change_verifier(
                    name, await asyncio.to_thread(self._hasher.hash, folded_password(password))
                )
        return name

    def _verify(self, verifier: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(verifier, password)
        except (VerificationError, InvalidHashError):
            return False

    def _check_waiting(self, name: str) -> None:
        attempts = self._people.attempts(name)
        if attempts is None or attempts.failed_count < ATTEMPTS_MAX or attempts.boot != self._boot:
            return
        if self._clock.monotonic_ms() - attempts.failed_monotonic_ms < WAIT_MS:
            raise OperatorError("auth.too_many", field="password", seconds=WAIT_MS // 1000)

    def operator_of(self, session_token: str) -> OperatorView | None:
        """Return whose session this is; None when it is unknown, over, or of an earlier boot."""
        return self._operator_of(token_sha256(session_token))

    def _operator_of(self, session_sha256: bytes) -> OperatorView | None:
        session = self._sessions.session(session_sha256)
        if session is None or session.boot != self._boot:
            return None
        if self._clock.monotonic_ms() - session.opened_monotonic_ms > SESSION_MS:
            return None
        return session.operator

    async def sign_out(self, session_token: str) -> None:
        """End a session; one that is not there is fine."""
        self._people.end_session(token_sha256(session_token))

    def operator_of_api_token(self, token: str) -> ApiCaller | None:
        """Return whose token this is."""
        return self._people.api_caller(token_sha256(token))
