"""The envelope of the first public shape, and the keys that open it.

Every answer is {trackId, status, result?, error?: {code, message}}; `status` is DONE, FAILED, PENDING or UNKNOWN. It is
believed when it is JSON of that shape with our own track id in it, whatever the HTTP status says; anything else is
trouble. Who asks shows a bearer token: a given one, or one that the provider gives for the client's secret:

    POST /dev/v2/oauth2/token   Basic client:secret   {grant_type: client_credentials, nid, scopes}
    → {result: {value, lifeTime (ms)}, …}
"""

import base64
import threading
from typing import Any, Final, Literal

import msgspec

from central.providers.connector import NotDone, Pending, Trouble, Unreached
from central.providers.values import WORD_SIZE_MAX
from central.providers.wire import Received, Wire, decoded
from shared.clock import Clock

TOKEN_PATH: Final = "/dev/v2/oauth2/token"  # noqa: S105 - a path
_RENEW_BEFORE_MS: Final = 60_000
_UNAUTHORIZED: Final = 401
_MAY_BE_SENT_AGAIN: Final = frozenset({"SERVICE_CALL_ERROR"})
_UNHEARD: Final = "TRACK_ID_NOT_FOUND"
_NOT_OUR_KEY: Final = "UNAUTHORIZED"


class Error(msgspec.Struct):
    """Why something failed."""

    code: str = ""
    message: str = ""


class Envelope(msgspec.Struct, rename="camel"):
    """An answer."""

    track_id: str
    status: Literal["DONE", "FAILED", "PENDING", "UNKNOWN"]
    result: dict[str, Any] | list[Any] | None = None
    error: Error = msgspec.field(default_factory=Error)

    @property
    def members(self) -> dict[str, Any]:
        """Return what the result has by name."""
        return self.result if isinstance(self.result, dict) else {}


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. `token`: a given one; else `secret` gets one. With neither nothing is shown: for a sandbox."""

    client: str
    token: str = ""
    secret: str = ""
    national_id: str = ""
    scopes: str = ""


class _Token(msgspec.Struct, rename="camel"):
    value: str
    life_time: int = 0


class _TokenAnswer(msgspec.Struct):
    result: _Token


class Tokens:
    """The bearer token in force, got anew when it is about to end. Safe between threads."""

    def __init__(self, wire: Wire, credentials: Credentials, clock: Clock) -> None:
        self._wire, self._credentials, self._clock = wire, credentials, clock
        self._lock = threading.Lock()
        self._value = credentials.token
        self._ends_ms: int | None = None

    def headers(self) -> dict[str, str] | Unreached | Trouble:
        """Return what to show with a request, or why there is nothing to show."""
        if not self._credentials.secret:
            return {"authorization": f"Bearer {self._value}"} if self._value else {}
        with self._lock:
            if self._ends_ms is None or self._clock.monotonic_ms() >= self._ends_ms:
                trouble = self._get()
                if trouble is not None:
                    return trouble
            return {"authorization": f"Bearer {self._value}"}

    def forget(self) -> None:
        """Use the token no more: the provider does not take it."""
        with self._lock:
            self._ends_ms = None

    def _get(self) -> Unreached | Trouble | None:
        said = self._credentials
        basic = base64.b64encode(f"{said.client}:{said.secret}".encode()).decode()
        received = self._wire.ask(
            "POST",
            TOKEN_PATH,
            body={"grant_type": "client_credentials", "nid": said.national_id, "scopes": said.scopes},
            headers={"authorization": f"Basic {basic}"},
        )
        if isinstance(received, Unreached):
            return received
        if isinstance(received, Trouble):
            # Only the token was asked for: nothing of the question left.
            return Unreached(why=f"token: {received.why}")
        answer = decoded(received, _TokenAnswer)
        if isinstance(answer, Trouble):
            return Unreached(why=f"token: {answer.why}")
        self._value = answer.result.value
        self._ends_ms = self._clock.monotonic_ms() + max(answer.result.life_time - _RENEW_BEFORE_MS, 0)
        return None


class EnvelopeWire:
    """Calls that are answered with an envelope. Holds one HTTP client; `close` it."""

    def __init__(self, base_url: str, *, credentials: Credentials, clock: Clock, deadline_ms: int) -> None:
        self._wire = Wire(base_url.rstrip("/"), clock=clock, deadline_ms=deadline_ms)
        self._tokens = Tokens(self._wire, credentials, clock)

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def call(
        self, method: str, path: str, track_id: str, *, query: dict[str, str], body: dict[str, Any] | None = None
    ) -> Envelope | Unreached | Trouble:
        """Return the envelope, or what is wrong with what came."""
        headers = self._tokens.headers()
        if not isinstance(headers, dict):
            return headers
        received = self._wire.ask(method, path, query={"trackId": track_id, **query}, body=body, headers=headers)
        if not isinstance(received, Received):
            return received
        if received.status_code == _UNAUTHORIZED:
            self._tokens.forget()
        envelope = decoded(received, Envelope, named="envelope")
        if isinstance(envelope, Trouble) or envelope.track_id == track_id:
            return envelope
        return Trouble(why="another track id")


def not_done(envelope: Envelope) -> Pending | NotDone | Trouble:
    """Return what PENDING, UNKNOWN and the faults mean, whatever was asked."""
    if envelope.status in ("PENDING", "UNKNOWN"):
        return Pending(why=envelope.status)
    code = code_of(envelope)
    if code == _UNHEARD:
        return NotDone(why=code, unheard=True)
    if code in _MAY_BE_SENT_AGAIN:
        return NotDone(why=code)
    # A refusal nobody told us the meaning of is no reason to give a customer's money back, nor to take the provider for
    # broken; one of our own key is said to every question alike.
    return Trouble(why=f"FAILED {code}", answered=code != _NOT_OUR_KEY)


def code_of(envelope: Envelope) -> str:
    """Return the code of a failure, short and printable."""
    return "".join(letter for letter in envelope.error.code[:WORD_SIZE_MAX] if letter.isprintable())
