"""Bills at a provider of the first public shape (`central.providers.envelope`): inquiry, confirmation, status.

GET  /billing/v2/clients/{client}/billingInquiry?trackId&type&parameter
POST /billing/v2/clients/{client}/billPaymentConfirm?trackId      {billId, payId, amount, rrn, stan, paidAt}
GET  /billing/v2/clients/{client}/trackStatus?trackId             the envelope of the call of that track id
"""

from typing import Any, Final, Literal

from central.providers.connector import (
    Answered,
    ConfirmOrder,
    ConfirmReply,
    InquiryReply,
    Refused,
    Taken,
    Trouble,
    Unreached,
)
from central.providers.envelope import Envelope, EnvelopeWire, code_of, not_done
from central.providers.values import rial, word
from shared.errors import OperatorError
from shared.events import BillKind
from shared.identifiers import parse_bill

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


class BillCalls:
    """The calls about bills, on a wire that somebody else closes."""

    def __init__(self, wire: EnvelopeWire, client: str) -> None:
        self._wire = wire
        self._base = f"/billing/v2/clients/{client}"

    def inquire(self, kind: BillKind, parameter: str, *, track_id: str) -> InquiryReply:
        """Ask what a subscriber owes."""
        query = {"type": _TYPES[kind], "parameter": parameter}
        return _inquiry_reply(self._wire.call("GET", f"{self._base}/billingInquiry", track_id, query=query))

    def inquiry_status(self, kind: BillKind, *, track_id: str) -> InquiryReply:
        """Ask what became of an inquiry."""
        del kind  # one provider answers for all kinds here
        return _inquiry_reply(self.status(track_id))

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
        path = f"{self._base}/billPaymentConfirm"
        return _confirm_reply(self._wire.call("POST", path, order.track_id, query={}, body=body))

    def confirm_status(self, *, track_id: str) -> ConfirmReply:
        """Ask what became of a confirmation."""
        return _confirm_reply(self.status(track_id))

    def status(self, track_id: str) -> Envelope | Unreached | Trouble:
        """Return the envelope of the call of a track id."""
        return self._wire.call("GET", f"{self._base}/trackStatus", track_id, query={})


def _inquiry_reply(envelope: Envelope | Unreached | Trouble) -> InquiryReply:
    if isinstance(envelope, Unreached | Trouble):
        return envelope
    told = str(envelope.members.get("message", "")) or envelope.error.message
    if (known := _RESULT_TEXTS.get(told.strip().lower())) is not None and envelope.status in ("DONE", "FAILED"):
        return Answered(outcome=known[0], reason=known[1])
    if envelope.status == "DONE":
        return _owed(envelope.members)
    return not_done(envelope)


def _owed(result: dict[str, Any]) -> Answered | Trouble:
    """Return the debt an answer names; one whose ids and amount do not agree is not shown to a customer."""
    try:
        amount_rial = rial(result["Amount"])
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
        due=word(result.get("Date")),
        customer=customer,
    )


def _confirm_reply(envelope: Envelope | Unreached | Trouble) -> ConfirmReply:
    if isinstance(envelope, Unreached | Trouble):
        return envelope
    if envelope.status == "DONE":
        reference = word(envelope.members.get("traceNumber"))
        return Trouble(why="no reference in the answer") if reference is None else Taken(provider_reference=reference)
    if envelope.status == "FAILED" and (reason := _REFUSALS.get(code_of(envelope))) is not None:
        return Refused(reason=reason)
    return not_done(envelope)
