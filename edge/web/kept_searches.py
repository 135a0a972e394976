"""Searches that carry a customer's data, kept under a handle: an address carries the handle and never the data.

Kept in memory, for the session that searched, and forgotten a while after they were last used, when others take their
room, and with a restart of the box: addresses stay in browsers, in their histories and on printed pages for years.
"""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

import msgspec

from shared.clock import Clock
from shared.entropy import Entropy

HANDLE: Final = "find"
"""The name under which an address carries the handle."""
PRIVATE: Final = frozenset({"q", "applicant"})
"""Fields in which a plate, a national code or a name may stand."""
KEPT_FOR_MS: Final = 2 * 60 * 60 * 1000
KEPT_MAX: Final = 1_000
_SECRET_SIZE_BYTES: Final = 32
_HANDLE_DIGITS: Final = 24


class _Kept(msgspec.Struct):
    session: bytes
    values: dict[str, str]
    used_ms: int


class Searches:
    """What is kept. One for an application; only its event loop uses it."""

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._secret = entropy.token_bytes(_SECRET_SIZE_BYTES)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        """By handle, the one used longest ago first."""

    def keep(self, session: str, values: Mapping[str, str]) -> str:
        """Return the handle of what a session searches for; the same again has the same one."""
        self._forget_old()
        owner, wanted = _hash(session), dict(values)
        said = msgspec.json.encode(wanted, order="sorted")
        handle = hmac.digest(self._secret, owner + said, "sha256").hex()[:_HANDLE_DIGITS]
        self._kept[handle] = _Kept(owner, wanted, self._clock.monotonic_ms())
        self._kept.move_to_end(handle)
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return handle

    def find(self, session: str, handle: str) -> dict[str, str] | None:
        """Return what a session searched for, None where that is not kept any more or was another session's."""
        self._forget_old()
        kept = self._kept.get(handle)
        if kept is None or kept.session != _hash(session):
            return None
        kept.used_ms = self._clock.monotonic_ms()
        self._kept.move_to_end(handle)
        return dict(kept.values)

    def _forget_old(self) -> None:
        since_ms = self._clock.monotonic_ms() - KEPT_FOR_MS
        while self._kept and next(iter(self._kept.values())).used_ms < since_ms:
            self._kept.popitem(last=False)


def _hash(session: str) -> bytes:
    return hashlib.sha256(session.encode()).digest()
