"""A provider of the second public shape: vehicle violations with a header for the whole and items for the parts.

    POST /inquiry/VehicleViolationDetail {nationalCode, phoneNumber, licencePlate, apiKey, token, traceId}
    → {status, message, result: {traceId, paperId, paymentId, inquirePrice, …, isCached, cachedAt, cacheExpiresAt,
       items: [{serialNo, date, type, address, violationType, finalPrice, paperId, paymentId, hasImage}]}}

`paperId` is the bill's id. The shape has no question about a question: asking again is asking anew, and it is a reading
and harms nothing. It tells how long its answer may be kept, and so long the same question is answered from here. The
advice of a payment and the pictures are not documented; they are asked for in the same form, under
`/inquiry/VehicleViolationPaid`, `…/VehicleViolationPaidStatus` and `…/VehicleViolationImage`.
"""

import hashlib
import threading
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from central.providers.connector import (
    Answered,
    ConfirmOrder,
    ConfirmReply,
    InquiryReply,
    NotDone,
    OrderApproval,
    Pending,
    Pictured,
    PictureReply,
    Refused,
    Served,
    ServiceQuestion,
    ServiceReply,
    Taken,
    Trouble,
    Unreached,
)
from central.providers.documents import WHOLE, Part, bill_payable, debts_of, document
from central.providers.pictures import PictureWire
from central.providers.values import moment, rial, word
from central.providers.wire import CALL_DEADLINE_MS, Received, Wire, decoded
from shared.clock import Clock, instant_text, parse_instant
from shared.events import BillKind

CALLS: Final = {"fines_total": "VehicleViolationDetail", "fines_detail": "VehicleViolationDetail"}
_FIELDS: Final = {"national_code": "nationalCode", "mobile": "phoneNumber", "plate": "licencePlate"}
_OK: Final = 200
_BAD_REQUEST: Final = (400, 422)
_NO_RECORD: Final = 404
_GONE: Final = 410
_CONFLICT: Final = 409
_UNHEARD: Final = 404
_NOT_OUR_KEY: Final = (401, 403)
_SERVER_ERROR: Final = 500
_REFUSALS: Final[dict[int, Any]] = {_CONFLICT: "already_paid", _GONE: "expired", _NO_RECORD: "refused"}
_KEPT_MAX: Final = 512


class _Response(msgspec.Struct):
    status: int
    message: str = ""
    result: dict[str, Any] | None = None


class _Store:
    """Answers that the provider allows to be kept, until it says so; in memory only, the oldest given up first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[bytes, tuple[datetime, dict[str, Any]]] = {}

    def find(self, key: bytes) -> dict[str, Any] | None:
        with self._lock:
            until, result = self._kept.get(key, (None, None))
            if until is not None and until <= self._clock.now():
                del self._kept[key]
                return None
            return result

    def keep(self, key: bytes, until: datetime, result: dict[str, Any]) -> None:
        with self._lock:
            while len(self._kept) >= _KEPT_MAX:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (until, result)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


class RahvarConnector:
    """The provider at `base_url`. Holds HTTP clients; `close` it."""

    def __init__(
        self,
        base_url: str,
        *,
        clock: Clock,
        name: str = "rahvar",
        api_key: str = "",
        token: str = "",
        paths: dict[str, str] | None = None,
        image_hosts: tuple[str, ...] = (),
        deadline_ms: int = CALL_DEADLINE_MS,
    ) -> None:
        self.name = name
        self._clock = clock
        self._keys = {"apiKey": api_key, "token": token}
        self._paths = paths or {}
        self._wire = Wire(base_url.rstrip("/"), clock=clock, deadline_ms=deadline_ms)
        self._pictures = PictureWire(base_url, hosts=image_hosts, clock=clock, deadline_ms=deadline_ms)
        self._store = _Store(clock)

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()
        self._pictures.close()

    def serve(self, question: ServiceQuestion) -> ServiceReply:
        """Ask for a vehicle's violations."""
        service = question.service
        call = CALLS.get(service.call)
        if call is None and service.call not in self._paths:
            return Served(outcome="refused", reason="not_offered")
        told = {_FIELDS.get(name, name): value for name, value in question.fields.items()}
        key = hashlib.sha256(msgspec.json.encode([service.call, told], order="sorted")).digest()
        result = self._store.find(key)
        if result is None:
            reply = self._ask(service.call, call or service.call, question.track_id, told)
            if not isinstance(reply, _Response):
                return reply
            if reply.status != _OK:
                return _not_served(reply)
            result = reply.result or {}
            until = moment(result.get("cacheExpiresAt"))
            if until is not None and "T" in until:
                cached_at = result.get("cachedAt") or instant_text(self._clock.now())
                self._store.keep(key, parse_instant(until), {**result, "isCached": True, "cachedAt": cached_at})
        return _served(question, result)

    def serve_status(self, question: ServiceQuestion) -> ServiceReply:
        """Say that it may be asked again: an inquiry changes nothing here."""
        del question
        return NotDone(why="asked anew")

    def confirm(self, order: ConfirmOrder) -> ConfirmReply:
        """Tell that a violation, or all of them, was paid. What was kept of answers is not true any more."""
        self._store.clear()
        body = {
            "paperId": order.bill_id,
            "paymentId": order.bill_payment_id,
            "price": order.amount_rial,
            "rrn": order.rrn,
            "stan": order.stan,
            "paidAt": order.paid_at_claim,
        }
        return _taken(self._ask("confirm", "VehicleViolationPaid", order.track_id, body))

    def confirm_status(self, *, track_id: str) -> ConfirmReply:
        """Ask what became of that."""
        reply = self._ask("confirm_status", "VehicleViolationPaidStatus", track_id, {})
        if isinstance(reply, _Response) and reply.status == _UNHEARD:
            return NotDone(why="not found", unheard=True)
        return _taken(reply)

    def pictures(self, item: str, *, track_id: str) -> PictureReply:
        """Ask for the pictures of a violation, by its serial number."""
        reply = self._ask("pictures", "VehicleViolationImage", track_id, {"serialNo": item})
        if not isinstance(reply, _Response):
            return reply
        if reply.status == _NO_RECORD:
            return Pictured(pictures=())
        if reply.status != _OK:
            return _not_understood(reply)
        result = reply.result or {}
        return self._pictures.fetch_named(result, vehicle="vehicleImageUrl", plate="plateImageUrl")

    def inquire(self, kind: BillKind, parameter: str, *, track_id: str) -> InquiryReply:
        """Refuse: this provider has no bills of this kind."""
        del kind, parameter, track_id
        return Answered(outcome="refused", reason="not_offered")

    def inquiry_status(self, kind: BillKind, *, track_id: str) -> InquiryReply:
        """Refuse likewise."""
        del kind, track_id
        return Answered(outcome="refused", reason="not_offered")

    def approve(self, order: OrderApproval) -> ConfirmReply:
        """Refuse: this provider keeps no orders."""
        del order
        return Refused(reason="refused")

    def approve_status(self, order: OrderApproval) -> ConfirmReply:
        """Refuse likewise."""
        del order
        return Refused(reason="refused")

    def _ask(self, call: str, name: str, track_id: str, told: dict[str, Any]) -> _Response | Unreached | Trouble:
        """Return the answer to a question that carries our own track id, or what is wrong with what came."""
        path = self._paths.get(call, f"/inquiry/{name}")
        received = self._wire.ask("POST", path, body={**told, **self._keys, "traceId": track_id})
        if not isinstance(received, Received):
            return received
        response = decoded(received, _Response)
        if isinstance(response, Trouble):
            return response
        if response.status == _OK and (response.result or {}).get("traceId") != track_id:
            return Trouble(why="another track id")
        return response


def _served(question: ServiceQuestion, result: dict[str, Any]) -> ServiceReply:
    items = result.get("items")
    if not isinstance(items, list):
        return Trouble(why="no items in the answer")
    try:
        total = rial(result.get("inquirePrice") or 0)
    except ValueError:
        return Trouble(why="no total in the answer")
    payable = bill_payable(WHOLE, result.get("paperId"), result.get("paymentId"), total)
    values = {
        "total": total,
        "bill_id": result.get("paperId"),
        "payment_id": result.get("paymentId"),
        "complaint": result.get("complaintStatus"),
        "plate": result.get("plateDictation"),
    }
    parts = [_part(item) for item in items if isinstance(item, dict)]
    made = document(question.service, values, parts, payable)
    answered_at = moment(result.get("cachedAt")) if result.get("isCached") is True else None
    outcome: Literal["done", "nothing"] = "done" if total or parts else "nothing"
    return Served(
        outcome=outcome,
        document=made,
        debts=debts_of(parts, made.payable) if question.service.pay != "nothing" else (),
        answered_at=answered_at,
    )


def _part(item: dict[str, Any]) -> Part:
    key = word(item.get("serialNo")) or ""
    return Part(
        key=key,
        values={
            "type": item.get("violationType"),
            "recorded_as": item.get("type"),
            "place": item.get("address"),
            "amount": item.get("finalPrice"),
            "date": item.get("date"),
            "serial": item.get("serialNo"),
            "bill_id": item.get("paperId"),
            "payment_id": item.get("paymentId"),
        },
        payable=bill_payable(key, item.get("paperId"), item.get("paymentId"), item.get("finalPrice")),
        image_count=-1 if item.get("hasImage") is True else 0,
    )


def _not_served(reply: _Response) -> ServiceReply:
    if reply.status in _BAD_REQUEST:
        return Served(outcome="wrong_parameter", reason="validation_error")
    if reply.status == _NO_RECORD:
        return Served(outcome="nothing", reason="no_record")
    return _not_understood(reply)


def _not_understood(reply: _Response) -> Trouble:
    """Return what a status nobody told us the meaning of is; what is said of keys or of the server is no answer."""
    no_answer = reply.status in _NOT_OUR_KEY or reply.status >= _SERVER_ERROR
    return Trouble(why=f"status {reply.status}", answered=not no_answer)


def _taken(reply: _Response | Unreached | Trouble) -> ConfirmReply:
    if not isinstance(reply, _Response):
        return reply
    if reply.status in _REFUSALS:
        return Refused(reason=_REFUSALS[reply.status])
    if reply.status != _OK:
        return _not_understood(reply)
    reference = word((reply.result or {}).get("traceNumber"))
    if (reply.result or {}).get("pending") is True:
        return Pending(why="pending")
    return Trouble(why="no reference in the answer") if reference is None else Taken(provider_reference=reference)
