"""What the API takes and gives about questions what a subscriber owes."""

import msgspec

from edge.web.ports.counter import InquiryOutcome, InquiryView
from shared.display import StatusKey, inquiry_status_key
from shared.events import BillKind


class InquireIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question: what does this subscriber owe?"""

    kind: BillKind
    parameter: str
    """Subscriber number, or telephone number with its code."""


class InquiryOut(msgspec.Struct, frozen=True, kw_only=True):
    """An inquiry and its answer, once there is one."""

    inquiry_id: str
    ticket: int
    kind: BillKind
    parameter_tail: str
    status: StatusKey
    requested_at: str
    outcome: InquiryOutcome | None
    amount_rial: int
    bill_id: str | None
    bill_payment_id: str | None
    due: str | None
    answered_at: str | None
    payment_id: str | None


def inquiry_out(inquiry: InquiryView) -> InquiryOut:
    """Return an inquiry as the API gives it."""
    return InquiryOut(
        inquiry_id=inquiry.inquiry_id,
        ticket=inquiry.ticket,
        kind=inquiry.kind,
        parameter_tail=inquiry.parameter_tail,
        status=inquiry_status_key(inquiry.outcome),
        requested_at=inquiry.requested_at,
        outcome=inquiry.outcome,
        amount_rial=inquiry.amount_rial,
        bill_id=inquiry.bill_id,
        bill_payment_id=inquiry.bill_payment_id,
        due=inquiry.due,
        answered_at=inquiry.answered_at,
        payment_id=inquiry.payment_id,
    )
