"""What the API takes and gives about bills and payments."""

import msgspec

from edge.web.elsewhere_view import elsewhere_status_key
from edge.web.payment_view import status_key_now
from edge.web.ports.counter import Confirmation, Counter, ElsewherePayment, PaymentView, Reading, RefundMeans
from shared.display import StatusKey
from shared.ids import bill_obligation
from shared.payment import PaymentState


class BillIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bill: both ids, or the 26 digits of its barcode. Persian digits and spaces are taken."""

    bill_id: str = ""
    payment_id: str = ""
    barcode: str = ""


class PayIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bill to be paid at the terminal now."""

    bill_id: str
    payment_id: str
    inquiry_id: str | None = None
    """The inquiry whose answer named this bill."""
    terminal: str | None = None
    """Name of the terminal; without one the box takes the caller's last one, or the one that is free soonest."""


class ItemOut(msgspec.Struct, frozen=True, kw_only=True):
    """One of several bills that a single charge pays. It stands as its payment does."""

    bill_id: str | None
    bill_payment_id: str | None
    amount_rial: int
    confirmation: Confirmation
    """Its own provider's word."""
    refusal_reason: str | None
    case_id: str | None
    provider_reference: str | None
    doubled: bool


class PaymentOut(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as the journal and the provider's word have it now."""

    payment_id: str
    state: PaymentState
    status: StatusKey
    """The row of the status table that pages show; `in_doubt` means: ask, never charge again."""
    amount_rial: int
    confirmation: Confirmation
    requested_at: str
    bill_id: str | None
    bill_payment_id: str | None
    inquiry_id: str | None
    terminal: str
    """Our name of the terminal it was given to."""
    queue_place: int | None
    """How many payments are ahead of it at that terminal: 0 at its turn, null when it waits no more."""
    stan: str | None
    rrn: str | None
    pan: str | None
    terminal_number: str | None
    response_code: str | None
    in_doubt_reason: str | None
    refusal_reason: str | None
    case_id: str | None
    provider_reference: str | None
    journal_index: int
    """Index of the entry that says the present outcome, or of the request while there is none."""
    journal_leaf: str | None
    cosigned: bool
    """Central has cosigned the journal up to that entry."""
    asked_count: int
    """Questions the terminal was asked about it."""
    last_answer: str | None
    """What it said to the newest: approved, not_found, unclear, no_answer, mismatch."""
    not_charged_by: str | None
    """By whose word a payment that was in doubt counts as not charged: terminal, acquirer."""
    stated_by: str | None
    """The manager by whose word a doubt was decided."""
    late: bool
    """Proved charged after it had counted as not charged."""
    doubled: bool
    """Late, and its bill was paid another time as well."""
    words_taken: tuple[bool, ...]
    """What a manager may state of it now: charged (true), not charged (false); empty when nobody doubts."""
    refund_means: tuple[RefundMeans, ...]
    """How it could be given back now, the best way first; empty when it cannot."""
    service: str
    """The code of the catalogue's service it is for; empty for a bill that was scanned or typed."""
    payable: str
    """The key of what it pays, in the answer to `inquiry_id`."""
    group_id: str
    """The group of bills that it was made with; empty for none."""
    items: tuple[ItemOut, ...]
    """The bills of a charge of several; `bill_id` is null then."""


class PaymentsOut(msgspec.Struct, frozen=True, kw_only=True):
    """Payments, newest first."""

    payments: list[PaymentOut]
    before: int | None
    """Give this as `before` for the next ones; null at the end."""


class ElsewhereOut(msgspec.Struct, frozen=True, kw_only=True):
    """A payment of another box of the office, by central's word: it is no payment of this box, and is only told of."""

    payment_id: str
    journal: str
    state: PaymentState
    """By central's books, or by the acquirer's records since."""
    status: StatusKey
    """`in_doubt` where nobody knows whether the card was charged: central asks the acquirer, nobody charges again."""
    amount_rial: int
    terminal: str
    requested_at: str
    stan: str | None
    rrn: str | None
    heard_at: str | None
    """When central last heard of that box."""


class BillOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a bill's ids say, checked without any line."""

    bill_id: str
    payment_id: str
    barcode: str
    company: str
    """water, electricity, gas, landline, mobile, municipality, other, tax, traffic_fine."""
    amount_rial: int
    year_digit: int
    period: str
    earlier: PaymentOut | None
    """The payment because of which this bill cannot be paid again here."""
    elsewhere: ElsewhereOut | None
    """The payment of another box of the office because of which it cannot be paid here."""
    disputed: PaymentOut | None
    """One that counts as not charged, and a charge of it was spoken of: until that is settled the bill is not paid."""


def payment_out(payment: PaymentView, counter: Counter) -> PaymentOut:
    """Return a payment as the API gives it."""
    return PaymentOut(
        payment_id=payment.payment_id,
        state=payment.state,
        status=status_key_now(counter, payment),
        amount_rial=payment.amount_rial,
        confirmation=payment.confirmation,
        requested_at=payment.requested_at,
        bill_id=payment.bill_id,
        bill_payment_id=payment.bill_payment_id,
        inquiry_id=payment.inquiry_id,
        terminal=payment.terminal,
        queue_place=counter.queue_place(payment.payment_id),
        stan=payment.stan,
        rrn=payment.rrn,
        pan=payment.pan,
        terminal_number=payment.terminal_number,
        response_code=payment.response_code,
        in_doubt_reason=payment.in_doubt_reason,
        refusal_reason=payment.refusal_reason,
        case_id=payment.case_id,
        provider_reference=payment.provider_reference,
        journal_index=payment.requested_index if payment.outcome_index is None else payment.outcome_index,
        journal_leaf=payment.outcome_leaf,
        cosigned=payment.cosigned,
        asked_count=payment.asked_count,
        last_answer=payment.last_answer,
        not_charged_by=payment.not_charged_by,
        stated_by=payment.stated_by,
        late=payment.late,
        doubled=payment.doubled,
        words_taken=counter.words_taken(payment),
        refund_means=counter.refund_means(payment),
        service=payment.service,
        payable=payment.payable,
        group_id=payment.group_id,
        items=tuple(
            ItemOut(
                bill_id=item.bill_id,
                bill_payment_id=item.bill_payment_id,
                amount_rial=item.amount_rial,
                confirmation=item.confirmation,
                refusal_reason=item.refusal_reason,
                case_id=item.case_id,
                provider_reference=item.provider_reference,
                doubled=item.doubled,
            )
            for item in payment.items
        ),
    )


def bill_out(reading: Reading, counter: Counter) -> BillOut:
    """Return a bill as the API gives it."""
    bill = reading.bill
    disputed = counter.disputed(bill_obligation(bill.bill_id, bill.payment_id))
    return BillOut(
        bill_id=bill.bill_id,
        payment_id=bill.payment_id,
        barcode=bill.barcode,
        company=bill.kind.word,
        amount_rial=reading.amount_rial,
        year_digit=bill.year_digit,
        period=bill.period,
        earlier=payment_out(reading.earlier, counter) if reading.earlier else None,
        elsewhere=elsewhere_out(reading.elsewhere) if reading.elsewhere else None,
        disputed=payment_out(disputed, counter) if disputed else None,
    )


def elsewhere_out(held: ElsewherePayment) -> ElsewhereOut:
    """Return a payment of another box as the API gives it."""
    return ElsewhereOut(
        payment_id=held.payment_id,
        journal=held.journal,
        state=held.state,
        status=elsewhere_status_key(held),
        amount_rial=held.amount_rial,
        terminal=held.terminal,
        requested_at=held.requested_at,
        stan=held.stan,
        rrn=held.rrn,
        heard_at=held.heard_at,
    )
