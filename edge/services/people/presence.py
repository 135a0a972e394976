"""Whether somebody is at an open page: who does nothing for a while, or says so, finds it locked.

Kept in memory, by the hash of a session's token: a restart ends every session anyway. Idle time is running time; the
wall clock of a box may be anything. A locked session keeps its place and what was typed; only its own person's password
opens it, and nothing else is answered to it meanwhile.
"""

from typing import Final

import msgspec

from edge.journal.people import LastSignIn
from shared.clock import Clock

MINUTE_MS: Final = 60_000


class _Seat(msgspec.Struct):
    """One open session. `greeting` is what its person has not been told yet."""

    seen_ms: int
    locked: bool = False
    greeting: LastSignIn | None = None


class Presence:
    """Knows of each open session when its person last did something. `lock_after_ms` None: it locks only when told."""

    def __init__(self, clock: Clock, lock_after_ms: int | None) -> None:
        self._clock = clock
        self.lock_after_ms: Final = lock_after_ms
        self._seats: dict[bytes, _Seat] = {}

    def opened(self, session: bytes, greeting: LastSignIn) -> None:
        """Somebody signed in."""
        self._seats[session] = _Seat(self._clock.monotonic_ms(), greeting=greeting)

    def keep_only(self, sessions: frozenset[bytes]) -> None:
        """Forget the sessions that are over."""
        self._seats = {session: seat for session, seat in self._seats.items() if session in sessions}

    def is_locked(self, session: bytes) -> bool:
        """Return whether a session is locked now; one that nobody knows is."""
        left_ms = self.left_ms(session)
        return left_ms is not None and left_ms <= 0

    def left_ms(self, session: bytes) -> int | None:
        """Return how long until a session locks if nothing is done: 0 when it is locked, None when it never does."""
        seat = self._seats.get(session)
        if seat is None or seat.locked:
            return 0
        if self.lock_after_ms is None:
            return None
        return max(0, seat.seen_ms + self.lock_after_ms - self._clock.monotonic_ms())

    def seen(self, session: bytes) -> None:
        """The person did something. A locked session stays locked."""
        if not self.is_locked(session):
            self._seats[session].seen_ms = self._clock.monotonic_ms()

    def lock(self, session: bytes) -> None:
        """Lock a session at once."""
        if (seat := self._seats.get(session)) is not None:
            seat.locked = True

    def unlock(self, session: bytes) -> None:
        """Open a session: its person gave the password."""
        seat = self._seats.setdefault(session, _Seat(0))
        seat.locked = False
        seat.seen_ms = self._clock.monotonic_ms()

    def greeting(self, session: bytes) -> LastSignIn | None:
        """Return what a person is to be told after signing in; the second time nothing."""
        seat = self._seats.get(session)
        if seat is None:
            return None
        told, seat.greeting = seat.greeting, None
        return told
