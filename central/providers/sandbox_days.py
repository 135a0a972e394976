"""The sandbox's bad days: what a call meets instead of, before or after its answer."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec
from litestar import MediaType, Response
from litestar.types import Receive, Scope, Send

from central.providers.sandbox_state import BadDay, BadDayKind, Call, Envelope, Sandbox, done, failed

_BROKEN: Final[dict[BadDayKind, tuple[bytes, MediaType, int]]] = {
    "error_500": (b"internal error", MediaType.TEXT, 500),
    "html": (b"<html><body>Under maintenance</body></html>", MediaType.HTML, 200),
    "wrong_json": (b'{"ok": true}', MediaType.JSON, 200),
}
"""Answers of a provider that did nothing."""
_FAILURES: Final[dict[BadDayKind, str]] = {
    "busy": "SERVICE_CALL_ERROR",
    "refused": "SERVICE_DISABLED",
    "wrong_parameter": "VALIDATION_ERROR",
    "expired_offer": "ORDER_EXPIRED",
    "changed_amount": "AMOUNT_CHANGED",
}
"""Failures of a provider that did nothing."""
_WRONG_BY_RIAL: Final = 1000


async def envelope_of_a_day(
    sandbox: Sandbox, call: Call, track_id: str, work: Callable[[], Envelope]
) -> "Response[bytes] | CutShort":
    """Answer a call of the first shape as the day is."""
    day = sandbox.bad_day(call)
    if day is None:
        return shown(work())
    if day.kind == "slow":
        await asyncio.sleep(day.ms / 1000)
    return _instead(day, call, track_id) or _after(day, work())


def _instead(day: BadDay, call: Call, track_id: str) -> Response[bytes] | None:
    """Return what is answered without anything done."""
    if day.kind in _BROKEN:
        return broken(day)
    code = _FAILURES.get(day.kind)
    if day.kind == "paid_already":
        code = "BILL_ALREADY_PAID" if call == "confirm" else "ALREADY_PAID"
    return None if code is None else shown(failed(track_id, code, "try later"))


def _after(day: BadDay, envelope: Envelope) -> "Response[bytes] | CutShort":
    """Return what is answered of what was done."""
    if day.kind == "lost":
        return CutShort(msgspec.json.encode(envelope))
    if day.kind in ("pending", "unknown"):
        return shown(Envelope(track_id=envelope.track_id, status="PENDING" if day.kind == "pending" else "UNKNOWN"))
    if day.kind == "other_track":
        return shown(msgspec.structs.replace(envelope, track_id="another"))
    return shown(_wrong(envelope) if day.kind == "wrong_amount" else envelope)


def _wrong(envelope: Envelope) -> Envelope:
    """Return an answer whose amounts are not those of its ids."""
    return done(envelope.track_id, msgspec.to_builtins(_changed(envelope.result or {})))


def _changed(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        return {key: _changed(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_changed(inner) for inner in value]
    is_amount = name.lower() in ("amount", "price", "totalamount") and isinstance(value, int)
    return value + _WRONG_BY_RIAL if is_amount and isinstance(value, int) else value


def broken(day: BadDay) -> Response[bytes]:
    """Return what is no answer."""
    body, media_type, status_code = _BROKEN[day.kind]
    return Response(body, media_type=media_type, status_code=status_code)


def is_broken(day: BadDay) -> bool:
    """Return whether a day's answers are none."""
    return day.kind in _BROKEN


def shown(envelope: Envelope) -> Response[bytes]:
    """Return an envelope as it is sent."""
    return Response(
        msgspec.json.encode(envelope),
        media_type=MediaType.JSON,
        status_code=400 if envelope.status == "FAILED" else 200,
    )


class CutShort:
    """An ASGI answer that promises more than it sends: the asker sees its connection die in the middle."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the beginning."""
        promised = str(len(self._body) + 1000).encode()
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", promised)]},
        )
        await send({"type": "http.response.body", "body": self._body[:10], "more_body": True})
        raise ConnectionAbortedError("the answer is lost on purpose")
