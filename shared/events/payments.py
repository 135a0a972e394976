"""Facts of payments, from the intent to the money's way back."""

from typing import Literal

import msgspec

from shared.card import MaskedPan
from shared.events.body import Body, Count, Method, Purpose, Rial


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Where the gross goes, in rial: `gross == company + provider + office + vat`, checked where it is made."""

    gross_rial: Rial
    company_rial: Rial
    provider_rial: Rial = 0
    office_rial: Rial = 0
    vat_rial: Rial = 0


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal said about a payment. Raw codes are kept; a card number exists only masked."""

    source: Literal["answer", "late_answer", "status_query", "last_transaction", "reversal", "acquirer"]
    response_code: str
    amount_rial: Rial | None = None
    reference: str | None = None
    stan: str | None = None
    rrn: str | None = None
    terminal_number: str | None = None
    merchant_number: str | None = None
    pan: MaskedPan | None = None
    terminal_time: str | None = None
    """The terminal's own date and time, as it wrote them (its calendar, its clock)."""
    receipt_number: str | None = None
    """The number of the terminal's receipt, where it can be told to undo the sale by it."""


class PaymentItem(msgspec.Struct, frozen=True, kw_only=True):
    """One of several obligations that a single charge pays. Their amounts sum to the charge's."""

    obligation: str
    amount_rial: Rial
    bill_id: str | None = None
    bill_payment_id: str | None = None


class PaymentRequested(Body, frozen=True, kw_only=True):
    """An intent: the operator pressed pay. Nothing has left the box."""

    type = "payment.requested"
    payment_id: str
    obligation: str
    purpose: Purpose
    amount_rial: Rial
    split: Split
    method: Method
    terminal: str
    """Our own name of the terminal the amount will go to."""
    reference: str
    """The terminal can be asked by this; 18 random digits."""
    operator: str
    bill_id: str | None = None
    bill_payment_id: str | None = None
    inquiry_id: str | None = None
    service: str = ""
    """The code of the catalogue's service it is for; empty for a bill that was scanned or typed."""
    payable: str = ""
    """The key of what is paid, in the answer to `inquiry_id`."""
    group_id: str = ""
    """Bills that were put together at the counter: one charge for all of them, or one for each under the same name."""
    items: tuple[PaymentItem, ...] = ()
    """What a charge of several obligations pays; `obligation` is then the group's own, and no bill is named above."""
    covers: tuple[str, ...] = ()
    """The obligations of which the whole of an answer is made: who brings the bill of one is not charged again."""


class PaymentNotSent(Body, frozen=True, kw_only=True):
    """No byte of the amount left the box. Money did not move."""

    type = "payment.not_sent"
    payment_id: str
    reason: str


class PaymentSent(Body, frozen=True, kw_only=True):
    """The amount is about to leave for the terminal. Durable before the first byte does."""

    type = "payment.sent"
    payment_id: str
    terminal_number: str | None = None
    """The terminal's own number, when known; an answer from another number is not believed."""
    baseline_stan: str | None = None
    """The newest trace the terminal knew before the amount left, where it can only be asked for its last transaction:
    one that is not newer is another payment's."""
    confirming: bool = False
    """Whether the terminal takes a sale back that it is not told to keep: its approval stands once acknowledged."""
    pays_bill: bool = False
    """Whether the terminal was told to pay the bill itself, by its two ids: its centre settles it with the biller, so
    that its approval is the bill's confirmation and no provider is asked."""


class PaymentApproved(Body, frozen=True, kw_only=True):
    """The terminal said yes, and amount, reference and terminal number agree with what was asked."""

    type = "payment.approved"
    payment_id: str
    evidence: Evidence


class PaymentDeclined(Body, frozen=True, kw_only=True):
    """The terminal said no."""

    type = "payment.declined"
    payment_id: str
    evidence: Evidence


class PaymentCancelled(Body, frozen=True, kw_only=True):
    """The customer or the operator cancelled at the terminal."""

    type = "payment.cancelled"
    payment_id: str
    evidence: Evidence


class PaymentInDoubt(Body, frozen=True, kw_only=True):
    """Sent, outcome not known; or approved by a confirming terminal that did not say that it keeps the sale.

    `reason`: no_answer, link_lost, restart, mismatch, unclear_code, bad_answer, fault, storage, not_acknowledged.
    """

    type = "payment.in_doubt"
    payment_id: str
    reason: str
    evidence: Evidence | None = None


class StatusQueried(Body, frozen=True, kw_only=True):
    """The terminal was asked about a payment in doubt. `outcome`: approved, not_found, unclear, no_answer, mismatch."""

    type = "payment.status_queried"
    payment_id: str
    outcome: str
    response_code: str | None = None
    counts: bool = False
    """Whether a not-found of this time counts: asked past the profile's own longest time."""
    operator: str | None = None


class PaymentNotCharged(Body, frozen=True, kw_only=True):
    """Certainly not charged, by its `source`.

    The terminal, asked by reference at least twice past the longest time, does not know the payment; or the acquirer's
    complete settlement does not have it.
    """

    type = "payment.not_charged"
    payment_id: str
    asked_count: Count
    source: Literal["terminal", "acquirer"] = "terminal"


class PaymentOverridden(Body, frozen=True, kw_only=True):
    """A supervisor decided, with a reason and the slip's number. A signed statement, not evidence.

    About a payment in doubt; or, `charged`, about one that counted as not charged and of which a charge was spoken.
    """

    type = "payment.overridden"
    payment_id: str
    charged: bool
    operator: str
    reason: str
    slip_number: str


class ChargeRuledOut(Body, frozen=True, kw_only=True):
    """A charge was spoken of, of a payment that counts as not charged; it is ruled out, and the bill is free again.

    `source`: a manager's word, with reason and slip, or the acquirer's records, told after that charge was spoken of.
    """

    type = "payment.charge_ruled_out"
    payment_id: str
    source: Literal["manager", "acquirer"]
    operator: str = ""
    reason: str = ""
    slip_number: str = ""


class PaymentAcknowledged(Body, frozen=True, kw_only=True):
    """The terminal has our word that the approval is journaled; without it, it reverses the sale by itself."""

    type = "payment.acknowledged"
    payment_id: str


class RefundProposed(Body, frozen=True, kw_only=True):
    """Somebody asks for a charged payment to be given back; a second person has to agree. Nothing moved.

    `means`: reversal (the terminal undoes its newest sale), void (it undoes one before settlement), central (finance
    refunds to the card).
    """

    type = "refund.proposed"
    refund_id: str
    payment_id: str
    means: Literal["reversal", "void", "central"]
    amount_rial: Rial
    operator: str
    reason: str


class RefundAgreed(Body, frozen=True, kw_only=True):
    """A second person agrees. With `central`, finance's case; else the terminal is asked next."""

    type = "refund.agreed"
    refund_id: str
    payment_id: str
    operator: str


class RefundDropped(Body, frozen=True, kw_only=True):
    """The proposal is off. Nothing moved."""

    type = "refund.dropped"
    refund_id: str
    payment_id: str
    operator: str
    reason: str


class ReversalRequested(Body, frozen=True, kw_only=True):
    """The terminal is about to be told to undo a sale. Durable before the first byte leaves."""

    type = "payment.reversal_requested"
    payment_id: str
    refund_id: str
    means: Literal["reversal", "void"]


class PaymentReversed(Body, frozen=True, kw_only=True):
    """The sale was undone: the money goes back to the card."""

    type = "payment.reversed"
    payment_id: str
    evidence: Evidence


class ReversalInDoubt(Body, frozen=True, kw_only=True):
    """Told to undo a sale, the terminal gave no clear answer. The payment counts as charged until it is known."""

    type = "payment.reversal_in_doubt"
    payment_id: str
    reason: str
    evidence: Evidence | None = None


class ReversalRefused(Body, frozen=True, kw_only=True):
    """The sale stands: the terminal would not undo it, or nothing of the order had left."""

    type = "payment.reversal_refused"
    payment_id: str
    reason: str
    evidence: Evidence | None = None


class ReversalDecided(Body, frozen=True, kw_only=True):
    """Two people decided what became of an undoing in doubt, by a slip or statement: a word, not evidence."""

    type = "payment.reversal_decided"
    payment_id: str
    undone: bool
    """Whether the money went back to the card; else the sale stands."""
    operator: str
    """Who states it."""
    agreed_by: str
    """The manager, another person, who agrees."""
    reason: str
    slip_number: str
