"""A provider of bill services, of the shape of Finnotech's public interface: inquiry, confirmation, status by track id.

    GET  /billing/v2/clients/{client}/billingInquiry?trackId&type&parameter
    POST /billing/v2/clients/{client}/billPaymentConfirm?trackId      {billId, payId, amount, rrn, stan, paidAt}
    GET  /billing/v2/clients/{client}/trackStatus?trackId             the envelope of the call of that track id

Every answer is an envelope {trackId, status, result?, error?: {code, message}}; `status` is DONE, FAILED, PENDING or
UNKNOWN. An answer is believed when it is JSON of that shape with our own track id in it, whatever the HTTP status
says; anything else is trouble. A call has one deadline for all of it, and a limit on what it may send.
"""

import re
from typing import Any, Final, Literal

import httpx
import msgspec

from central.providers.connector import (
    Answered,
    ConfirmOrder,
    ConfirmReply,
    InquiryReply,
    NotDone,
    Pending,
    Refused,
    Taken,
    Trouble,
    Unreached,
)
from shared.clock import Clock
from shared.errors import OperatorError
from shared.events import BillKind
from shared.identifiers import parse_bill

CALL_DEADLINE_MS: Final = 10_000
CONNECT_TIMEOUT_MS: Final = 3_000
ANSWER_SIZE_MAX_BYTES: Final = 256 * 1024
CLIENT_NAME: Final = "daftar"

_TYPES: Final[dict[BillKind, str]] = {
    "water": "Water",
    "electricity": "Electricity",
    "gas": "Gas",
    "landline": "Tel",
    "mobile": "Mobile",
}
_RESULT_TEXTS: Final[dict[str, tuple[Literal["nothing_owed", "wrong_parameter", "refused"], str]]] = {
    "bill paid": ("nothing_owed", "paid"),
    "no bill": ("nothing_owed", "no_bill"),
    "wrong parameter": ("wrong_parameter", ""),
    "bill parameter is empty": ("wrong_parameter", ""),
    "bill wrong type": ("wrong_parameter", "wrong_type"),
    "bill type is empty": ("wrong_parameter", "wrong_type"),
    "service disable": ("refused", "service_disabled"),
    "service disable for user": ("refused", "service_disabled"),
    "bill inquiry service disabled": ("refused", "service_disabled"),
}
"""Texts that are results and not faults: a bill that was paid, a number nobody has."""
_REFUSALS: Final[dict[str, Literal["already_paid", "expired", "refused"]]] = {
    "BILL_ALREADY_PAID": "already_paid",
    "BILL_EXPIRED": "expired",
    "BILL_NOT_FOUND": "refused",
}
_RIALS: Final = re.compile(r"[0-9]{1,18}")
_WORD_SIZE_MAX: Final = 64
"""The longest reference, day or code that is kept, in characters."""
_MAY_BE_SENT_AGAIN: Final = frozenset({"SERVICE_CALL_ERROR"})
_UNHEARD: Final = "TRACK_ID_NOT_FOUND"


class _Error(msgspec.Struct):
    code: str = ""
    message: str = ""


class _Envelope(msgspec.Struct, rename="camel"):
    track_id: str
    status: Literal["DONE", "FAILED", "PENDING", "UNKNOWN"]
    result: dict[str, Any] = {}
    error: _Error = msgspec.field(default_factory=_Error)


class BillingConnector:
    """The provider at `base_url`. Holds one HTTP client; `close` it."""

    def __init__(
        self,
        base_url: str,
        *,
        clock: Clock,
        name: str = "billing",
        client_name: str = CLIENT_NAME,
        token: str = "",
        deadline_ms: int = CALL_DEADLINE_MS,
    ) -> None:
        self.name = name
        self._clock = clock
        self._deadline_ms = deadline_ms
        timeout = httpx.Timeout(deadline_ms / 1000, connect=min(CONNECT_TIMEOUT_MS, deadline_ms) / 1000)
        self._client = httpx.Client(
            base_url=f"{base_url.rstrip('/')}/billing/v2/clients/{client_name}",
            headers={"authorization": f"Bearer {token}"} if token else {},
            timeout=timeout,
            follow_redirects=False,
            # The provider's address is given; a proxy of the environment would be a second party.
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def inquire(self, kind: BillKind, parameter: str, *, track_id: str) -> InquiryReply:
        """Ask what a subscriber owes."""
        query = {"trackId": track_id, "type": _TYPES[kind], "parameter": parameter}
        return _inquiry_reply(self._call("GET", "/billingInquiry", track_id, query))

    def inquiry_status(self, kind: BillKind, *, track_id: str) -> InquiryReply:
        """Ask what became of an inquiry."""
        del kind  # one provider answers for all kinds here
        return _inquiry_reply(self._call("GET", "/trackStatus", track_id, {"trackId": track_id}))

    def confirm(self, order: ConfirmOrder) -> ConfirmReply:
        """Tell that a bill was paid."""
        body = {
            "billId": order.bill_id,
            "payId": order.bill_payment_id,
            "amount": order.amount_rial,
            "rrn": order.rrn,
            "stan": order.stan,
            "paidAt": order.paid_at_claim,
        }
        reply = self._call("POST", "/billPaymentConfirm", order.track_id, {"trackId": order.track_id}, body)
        return _confirm_reply(reply)

    def confirm_status(self, *, track_id: str) -> ConfirmReply:
        """Ask what became of a confirmation."""
        return _confirm_reply(self._call("GET", "/trackStatus", track_id, {"trackId": track_id}))

    def _call(
        self, method: str, path: str, track_id: str, query: dict[str, str], body: dict[str, Any] | None = None
    ) -> _Envelope | Unreached | Trouble:
        """Return the envelope, or what is wrong with what came."""
        try:
            status_code, received = self._fetch(method, path, query, body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return Unreached(why=type(error).__name__)
        except httpx.TimeoutException:
            return Trouble(why="no answer in time")
        except httpx.HTTPError as error:
            return Trouble(why=type(error).__name__)
        try:
            envelope = msgspec.json.decode(received, type=_Envelope)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Trouble(why=f"HTTP {status_code}, not an envelope")
        return envelope if envelope.track_id == track_id else Trouble(why="another track id")

    def _fetch(self, method: str, path: str, query: dict[str, str], body: dict[str, Any] | None) -> tuple[int, bytes]:
        """Return the HTTP status and body. Raises httpx.HTTPError, ReadTimeout when all of it takes too long."""
        ends_ms = self._clock.monotonic_ms() + self._deadline_ms
        received = bytearray()
        with self._client.stream(method, path, params=query, json=body) as response:
            for part in response.iter_bytes():
                received += part
                if len(received) > ANSWER_SIZE_MAX_BYTES:
                    raise httpx.DecodingError("answer too large")
                # Timeouts of the client are between two bytes; a provider that drips would hold us for ever.
                if self._clock.monotonic_ms() > ends_ms:
                    raise httpx.ReadTimeout("deadline")
            return response.status_code, bytes(received)


def _inquiry_reply(envelope: _Envelope | Unreached | Trouble) -> InquiryReply:
    if isinstance(envelope, Unreached | Trouble):
        return envelope
    told = str(envelope.result.get("message", "")) or envelope.error.message
    if (known := _RESULT_TEXTS.get(told.strip().lower())) is not None and envelope.status in ("DONE", "FAILED"):
        return Answered(outcome=known[0], reason=known[1])
    if envelope.status == "DONE":
        return _owed(envelope.result)
    return _not_done(envelope)


def _owed(result: dict[str, Any]) -> Answered | Trouble:
    """Return the debt an answer names; one whose ids and amount do not agree is not shown to a customer."""
    try:
        amount_rial = _rial(result["Amount"])
        if amount_rial == 0:
            return Answered(outcome="nothing_owed", reason="no_bill")
        bill = parse_bill(str(result["BillId"]), str(result["PayId"]))
    except (KeyError, TypeError, ValueError, OperatorError):
        return Trouble(why="no bill in the answer")
    if bill.amount_rial != amount_rial:
        return Trouble(why="amount and payment id disagree")
    info = result.get("Info")
    customer = {
        str(name): str(value) for name, value in (info.items() if isinstance(info, dict) else ()) if value is not None
    }
    return Answered(
        outcome="owed",
        amount_rial=amount_rial,
        bill_id=bill.bill_id,
        bill_payment_id=bill.payment_id,
        due=_word(result.get("Date")),
        customer=customer,
    )


def _confirm_reply(envelope: _Envelope | Unreached | Trouble) -> ConfirmReply:
    if isinstance(envelope, Unreached | Trouble):
        return envelope
    if envelope.status == "DONE":
        reference = _word(envelope.result.get("traceNumber"))
        return Trouble(why="no reference in the answer") if reference is None else Taken(provider_reference=reference)
    if envelope.status == "FAILED" and (reason := _REFUSALS.get(envelope.error.code)) is not None:
        return Refused(reason=reason)
    return _not_done(envelope)


def _not_done(envelope: _Envelope) -> Pending | NotDone | Trouble:
    """Return what PENDING, UNKNOWN and the faults mean for both questions."""
    if envelope.status in ("PENDING", "UNKNOWN"):
        return Pending(why=envelope.status)
    code = "".join(letter for letter in envelope.error.code[:_WORD_SIZE_MAX] if letter.isprintable())
    if code == _UNHEARD:
        return NotDone(why=code, unheard=True)
    if code in _MAY_BE_SENT_AGAIN:
        return NotDone(why=code)
    # A refusal nobody told us the meaning of is no reason to give a customer's money back.
    return Trouble(why=f"FAILED {code}")


def _rial(value: object) -> int:
    """Return whole rials from a JSON integer or a text of digits. Raises ValueError: a fraction is no amount."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _RIALS.fullmatch(value):
        return int(value)
    raise ValueError("no whole number of rials")


def _word(value: object) -> str | None:
    """Return a short printable text, or a JSON integer as text; None for what the books and a feed should not hold."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return text if 0 < len(text) <= _WORD_SIZE_MAX and text.isprintable() else None
