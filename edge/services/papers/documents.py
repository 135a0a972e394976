"""Papers of the counter: which there are, how one is put in the spool, and what stands on it.

What stands on a paper is made when it is printed, from the journal's own state at that moment: a receipt that waited
for paper while the provider confirmed says so.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from edge.journal.refunds import RefundView
from edge.journal.standing import ClosedDay
from edge.journal.views import InquiryView, ItemView, PaymentView, PrintJob
from edge.journal.writer import StoreView
from firmware_profiles.printer_profile import PrinterProfile
from shared.clock import parse_instant
from shared.entropy import Entropy, random_name
from shared.errors import BugError, OperatorError
from shared.events import Body, PaymentApproved
from shared.identifiers import BillType, parse_bill
from shared.paper_facts import BillReceiptFacts, DaySlipFacts, InquiryTicketFacts, PrinterTestFacts, RefundSlipFacts
from shared.paper_filling import compose
from shared.payment import PaymentState, needs_acknowledgement
from shared.receipt import Receipt, receipt_url

BILL_RECEIPT: Final = "bill_receipt"
GROUP_SLIP: Final = "group_slip"
INQUIRY_TICKET: Final = "inquiry_ticket"
DAY_SLIP: Final = "day_slip"
REFUND_SLIP: Final = "refund_slip"
SERVICE_TICKET: Final = "service_ticket"
SERVICE_RECEIPT: Final = "service_receipt"
FINE_RECEIPT: Final = "fine_receipt"
ORDER_RECEIPT: Final = "order_receipt"


class Letterhead(msgspec.Struct, frozen=True, kw_only=True):
    """What every paper of this office carries."""

    office_name: str
    office_code: str
    journal_id: str
    verify_base: str
    """Address of central's public pages; the QR code begins with it."""
    demo: bool
    """Virtual devices: every paper says that no real money moved."""


def spool(view: StoreView, entropy: Entropy, *, document: str, about: str, copy: bool) -> str:
    """Put a paper in the spool, in the transaction of what it is about; return its job id."""
    job_id = random_name(entropy, "j")
    view.spool_print(PrintJob(job_id=job_id, document=document, about=about, copy=copy))
    return job_id


def receipt_document(payment: PaymentView) -> str:
    """Return which paper is the receipt of a payment, by what it pays."""
    if payment.purpose == "inquiry_fee":
        return SERVICE_RECEIPT
    if payment.purpose == "order":
        return ORDER_RECEIPT
    if payment.service and all(_is_fine(one) for one in payment.items or (payment,)):
        return FINE_RECEIPT
    return GROUP_SLIP if payment.items else BILL_RECEIPT


def _is_fine(paid: PaymentView | ItemView) -> bool:
    try:
        return parse_bill(paid.bill_id or "", paid.bill_payment_id or "").kind is BillType.TRAFFIC_FINE
    except OperatorError:
        return False


def spool_receipt(view: StoreView, entropy: Entropy, payment_id: str) -> None:
    """Spool the receipt of a payment just known to be charged, unless one was spooled before.

    What the first paper is about may be proved again by better evidence; a second paper without a mark must not follow.
    """
    payment = view.payment(payment_id)
    document = BILL_RECEIPT if payment is None else receipt_document(payment)
    if not any(job.document == document for job in view.print_jobs_for(payment_id)):
        spool(view, entropy, document=document, about=payment_id, copy=False)


def spool_when_charged(view: StoreView, entropy: Entropy, payment: PaymentView, bodies: Sequence[Body]) -> None:
    """Spool the receipt of a payment that these entries approve, unless its terminal is to be told to keep it first."""
    for body in bodies:
        if isinstance(body, PaymentApproved) and not needs_acknowledgement(
            confirming=payment.confirming, source=body.evidence.source
        ):
            spool_receipt(view, entropy, payment.payment_id)


def receipt_of(payment: PaymentView, head: Letterhead, *, copy: bool, item: int | None = None) -> Receipt:
    """Return the receipt of a charged bill, or of one item of a charge. Raises BugError `print.nothing_to_print`."""
    if payment.outcome_index is None or payment.outcome_leaf is None or payment.outcome_at is None:
        raise BugError("print.nothing_to_print", about=payment.payment_id)
    paid = payment if item is None or item >= len(payment.items) else payment.items[item]
    if paid.bill_id is None or paid.bill_payment_id is None:
        raise BugError("print.nothing_to_print", about=payment.payment_id)
    bill = parse_bill(paid.bill_id, paid.bill_payment_id)
    stated = payment.state is PaymentState.OVERRIDDEN_CHARGED
    facts = BillReceiptFacts(
        office_name=head.office_name,
        office_code=head.office_code,
        bill_kind=bill.kind,
        bill_id=bill.bill_id,
        bill_payment_id=bill.payment_id,
        amount_rial=paid.amount_rial,
        paid_at=parse_instant(payment.outcome_at),
        journal_index=payment.outcome_index,
        leaf=payment.outcome_leaf,
        operator=payment.operator,
        pan=payment.pan,
        stan=payment.stan,
        rrn=payment.rrn,
        terminal_number=payment.terminal_number,
        confirmation=paid.confirmation,
        provider_reference=paid.provider_reference,
        case_id=paid.case_id,
        stated_by=payment.stated_by if stated else None,
        stated_slip=payment.stated_slip if stated else None,
        verify_url=receipt_url(head.verify_base, head.journal_id, payment.outcome_index, payment.outcome_leaf),
    )
    return compose(facts, copy=copy, training=head.demo)


def refund_slip_of(refund: RefundView, payment: PaymentView, head: Letterhead, *, copy: bool) -> Receipt:
    """Return the slip of a request to give a payment back."""
    facts = RefundSlipFacts(
        office_name=head.office_name,
        office_code=head.office_code,
        refund_id=refund.refund_id,
        means=refund.means,
        state=refund.state,
        amount_rial=refund.amount_rial,
        reason=refund.reason,
        asked_by=refund.operator,
        asked_at=parse_instant(refund.proposed_at),
        decided_by=refund.decided_by,
        stan=payment.stan,
        rrn=payment.rrn,
        terminal_number=payment.terminal_number,
        journal_index=refund.proposed_index,
        leaf=refund.proposed_leaf,
        verify_url=receipt_url(head.verify_base, head.journal_id, refund.proposed_index, refund.proposed_leaf),
    )
    return compose(facts, copy=copy, training=head.demo)


def ticket_of(inquiry: InquiryView, leaf: str, head: Letterhead, *, copy: bool) -> Receipt:
    """Return the ticket of an inquiry whose entry has this leaf hash (hex)."""
    facts = InquiryTicketFacts(
        office_name=head.office_name,
        office_code=head.office_code,
        ticket=inquiry.ticket,
        bill_kind=inquiry.kind,
        parameter_tail=inquiry.parameter_tail,
        requested_at=parse_instant(inquiry.requested_at),
        journal_index=inquiry.requested_index,
        operator=inquiry.operator,
        verify_url=receipt_url(head.verify_base, head.journal_id, inquiry.requested_index, leaf),
    )
    return compose(facts, copy=copy, training=head.demo)


def slip_of(day: ClosedDay, head: Letterhead, *, copy: bool) -> Receipt:
    """Return the slip of a closed day."""
    facts = DaySlipFacts(
        office_name=head.office_name,
        office_code=head.office_code,
        number=day.number,
        closed_at=parse_instant(day.closed_at),
        clock=day.clock,
        journal_index=day.index,
        leaf=day.leaf,
        body=day.body,
        verify_url=receipt_url(head.verify_base, head.journal_id, day.index, day.leaf),
    )
    return compose(facts, copy=copy, training=head.demo)


def page_to_test(profile: PrinterProfile, address: str, head: Letterhead, printed_at: datetime) -> Receipt:
    """Return the paper by which a technician sees that a printer prints as its model says."""
    return compose(
        PrinterTestFacts(
            office_name=head.office_name,
            office_code=head.office_code,
            printer_title=profile.identity.title_fa,
            printer_address=address,
            paper_width_mm=profile.paper.width_mm,
            printable_dots=profile.paper.printable_dots,
            printed_at=printed_at,
            url=head.verify_base,
        )
    )
