"""Sending a text message: the port, and one implementation for gateways that take JSON over HTTPS.

How a gateway calls its members is configuration, a TOML file:

    url = "https://sms.example"
    path = "/v1/messages"
    token_file = "/etc/daftar/sms"           # its first line; sent as `auth_header: auth_prefix + token`
    sender = "30001234"
    reference = "messageId"                  # member of the answer that names the message; may be left out
    [fields]                                 # our members → the gateway's
    to = "receptor"
    text = "message"
    name = "localId"                         # our name of the message, the same for the same event
    sender = "sender"

An answer of 200 to 299 is taken; 400 to 499 was refused and is not tried again, but 408 and 429, which were not taken
yet; all else may have been sent.
"""

from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import msgspec

from central.providers.connector import Trouble, Unreached
from central.providers.wire import Wire
from shared.clock import Clock
from shared.errors import OperatorError

DEADLINE_MS: Final = 10_000
REFERENCE_MAX: Final = 100
_NOT_TAKEN_YET: Final = frozenset({408, 429})
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_FIELDS: Final = {"to": "to", "text": "text", "name": "name", "sender": "sender"}


class Sent(msgspec.Struct, frozen=True):
    """The gateway took it."""

    reference: str = ""


class NotSent(msgspec.Struct, frozen=True):
    """It was certainly not sent. `again`: the same may be tried later."""

    why: str
    again: bool


class Uncertain(msgspec.Struct, frozen=True):
    """It may have been sent: it is never tried again."""

    why: str


class TextGateway(Protocol):
    """Whoever sends text messages."""

    def send(self, *, mobile: str, text: str, name: str) -> Sent | NotSent | Uncertain:
        """Send a message to a number of the form 09123456789, once."""

    def close(self) -> None:
        """Close connections."""


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a gateway's file says."""

    url: str
    path: str = "/messages"
    token_file: Path | None = None
    auth_header: str = "Authorization"
    auth_prefix: str = "Bearer "
    sender: str = ""
    reference: str = ""
    deadline_ms: int = DEADLINE_MS
    fields: dict[str, str] = {}


def read_gateway(path: Path) -> GatewaySettings:
    """Return a gateway's settings. Raises OperatorError `messages.bad_settings`."""
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=GatewaySettings)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OperatorError("messages.bad_settings", file=str(path), why=str(error)) from error
    address = urlsplit(found.url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise OperatorError("messages.bad_settings", file=str(path), why="url is no address")
    if address.scheme == "http" and address.hostname not in _LOCAL:
        raise OperatorError("messages.bad_settings", file=str(path), why="numbers of customers need https")
    if unknown := sorted(found.fields.keys() - _FIELDS.keys()):
        raise OperatorError("messages.bad_settings", file=str(path), why=f"fields: {', '.join(unknown)}")
    return found


class JsonTextGateway:
    """A `TextGateway` that takes JSON."""

    def __init__(self, settings: GatewaySettings, *, clock: Clock) -> None:
        """Connect. Raises OperatorError `messages.bad_settings` for a token that cannot be read."""
        self._settings = settings
        self._fields = _FIELDS | settings.fields
        self._wire = Wire(settings.url, clock=clock, headers=_headers(settings), deadline_ms=settings.deadline_ms)

    def close(self) -> None:
        """Close connections."""
        self._wire.close()

    def send(self, *, mobile: str, text: str, name: str) -> Sent | NotSent | Uncertain:
        """Send a message, once. Nothing is raised."""
        members = {"to": mobile, "text": text, "name": name}
        if self._settings.sender:
            members["sender"] = self._settings.sender
        body: dict[str, Any] = {self._fields[member]: value for member, value in members.items()}
        answer = self._wire.ask("POST", self._settings.path, body=body)
        if isinstance(answer, Unreached):
            return NotSent(answer.why, again=True)
        if isinstance(answer, Trouble):
            return Uncertain(answer.why)
        if answer.status_code in range(200, 300):
            return Sent(self._reference(answer.body))
        if answer.status_code in range(400, 500):
            return NotSent(f"HTTP {answer.status_code}", again=answer.status_code in _NOT_TAKEN_YET)
        return Uncertain(f"HTTP {answer.status_code}")

    def _reference(self, body: bytes) -> str:
        """Return the gateway's own name of the message, empty where there is none to be understood."""
        if not self._settings.reference:
            return ""
        try:
            found: object = msgspec.json.decode(body, type=dict[str, Any]).get(self._settings.reference)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return ""
        text = "" if found is None else str(found).replace("\x00", "")
        return text[:REFERENCE_MAX]


def _headers(settings: GatewaySettings) -> dict[str, str]:
    if settings.token_file is None:
        return {}
    try:
        lines = settings.token_file.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError("messages.bad_settings", file=str(settings.token_file), why=str(error)) from error
    token = lines[0].strip() if lines else ""
    return {settings.auth_header: settings.auth_prefix + token}
