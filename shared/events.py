"""What an entry can say: one frozen struct for each entry type, of the journal and of the feed.

A body is the `body` member of an entry. Types are past-tense facts named `thing.happened`. Amounts are whole rials.
Bodies are decoded leniently (an unknown member is carried, never refused) because a box and a central of different
releases meet; a body's meaning never changes once released: a new meaning is a new type.
"""

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from shared.card import MaskedPan
from shared.sealed import Sealed

RIAL_MAX = 2**53 - 1
Rial = Annotated[int, msgspec.Meta(ge=0, le=RIAL_MAX)]
"""An amount that every reader of JSON and every database column can hold; decoding refuses others."""
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A number of things, or a place among them."""

Method = Literal["pcpos", "ipg", "credit", "none"]
Purpose = Literal["bill", "inquiry_fee"]
BillKind = Literal["water", "electricity", "gas", "landline", "mobile"]

DATA_KEY_PURPOSE = "data_key.wrapped"
"""`purpose` under which a data key's 32 private bytes are sealed to central; `wrapped` is that `Sealed.ciphertext`."""
INQUIRY_PARAMETER_PURPOSE = "inquiry.parameter"
"""`purpose` of `InquiryRequested.parameter`: the digits as UTF-8."""
INQUIRY_CUSTOMER_PURPOSE = "inquiry.customer"
"""`purpose` of `InquiryAnswered.customer`: a JSON object of texts, for example `{"name": …, "address": …}`."""


class Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """A fact. `type` is the entry type that carries it."""

    type: ClassVar[str]


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Where the gross goes, in rial: `gross == company + provider + office + vat`, checked where it is made."""

    gross_rial: Rial
    company_rial: Rial
    provider_rial: Rial = 0
    office_rial: Rial = 0
    vat_rial: Rial = 0


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal said about a payment. Raw codes are kept; a card number exists only masked."""

    source: Literal["answer", "late_answer", "status_query"]
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


# --- journal: life of the box ---------------------------------------------------------------------------------------


class JournalOpened(Body, frozen=True, kw_only=True):
    """First entry of a journal."""

    type = "journal.opened"
    office: str
    box: str
    public_key: str
    """The box's Ed25519 public key, 64 hex digits."""
    signer: Literal["file"]
    software: str
    predecessor: str | None = None
    """The journal this one takes over from, when a box was replaced or restored."""
    predecessor_cosigned_size: Count | None = None
    """How much of it central had cosigned; what came after may be lost."""


class BootStarted(Body, frozen=True, kw_only=True):
    """The box's program started."""

    type = "boot.started"
    found_size: Count
    """Entries that stood in the journal when the program looked."""
    cosigned_size: Count
    """The size central had cosigned by then."""
    software: str


class DataKeyMade(Body, frozen=True, kw_only=True):
    """A month's key for personal data was made; its private half is wrapped to central (HPKE, RFC 9180)."""

    type = "data_key.made"
    key_id: str
    month: str
    """The Jalali month, `1405-09`."""
    public_key: str
    """X25519, 64 hex digits."""
    wrapped: str
    """The private half sealed to central, base64."""


class FeedReceived(Body, frozen=True, kw_only=True):
    """Entries `first`..`last` of a feed were verified and stored; their effects are projected at this index."""

    type = "feed.received"
    feed: str
    first: Count
    last: Count
    head: str
    """Leaf hash of entry `last`, hex: commits to the whole feed up to it."""


class AlarmRaised(Body, frozen=True, kw_only=True):
    """Something a person must look at."""

    type = "alarm.raised"
    kind: str
    """What is wrong, for example `answer_mismatch`."""
    payment_id: str | None = None
    detail: str = ""


# --- journal: payments ----------------------------------------------------------------------------------------------


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
    """Sent, outcome not known. `reason`: no_answer, link_lost, restart, mismatch, unclear_code, bad_answer, fault."""

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
    """Asked by reference, at least twice past the longest time, the terminal does not know the payment."""

    type = "payment.not_charged"
    payment_id: str
    asked_count: Count


class PaymentOverridden(Body, frozen=True, kw_only=True):
    """A supervisor decided, with a reason and the slip's number. A signed statement, not evidence."""

    type = "payment.overridden"
    payment_id: str
    charged: bool
    operator: str
    reason: str
    slip_number: str


class ReceiptPrinted(Body, frozen=True, kw_only=True):
    """The printer said the job ended. `copy` is true when the paper says «رونوشت»."""

    type = "receipt.printed"
    job_id: str
    document: str
    about: str
    """The payment or inquiry the paper is about."""
    copy: bool


# --- journal: inquiries ---------------------------------------------------------------------------------------------


class InquiryRequested(Body, frozen=True, kw_only=True):
    """A customer asks a provider through us; it waits in the journal until central has asked."""

    type = "inquiry.requested"
    inquiry_id: str
    ticket: Count
    service: str
    kind: BillKind
    parameter: Sealed
    """The subscriber's number, sealed to the office's monthly data key."""
    parameter_tail: str
    """Its last three digits: enough for the operator to tell two waiting customers apart."""
    operator: str


# --- feed: central's answers ----------------------------------------------------------------------------------------


class FeedOpened(Body, frozen=True, kw_only=True):
    """First entry of a feed."""

    type = "feed.opened"
    public_key: str


class InquiryAnswered(Body, frozen=True, kw_only=True):
    """A provider answered. Personal data is sealed to the office's data key named by the inquiry."""

    type = "inquiry.answered"
    inquiry_id: str
    outcome: Literal["owed", "nothing_owed", "wrong_parameter", "refused"]
    amount_rial: Rial = 0
    bill_id: str | None = None
    bill_payment_id: str | None = None
    due: str | None = None
    customer: Sealed | None = None
    provider: str = ""
    track_id: str = ""
    answered_at: str = ""
    reason: str = ""


class PaymentConfirmed(Body, frozen=True, kw_only=True):
    """The provider accepted the payment of its bill."""

    type = "payment.confirmed"
    payment_id: str
    provider: str
    track_id: str
    provider_reference: str
    confirmed_at: str


class PaymentRefused(Body, frozen=True, kw_only=True):
    """The provider will not take the payment (`reason`: already_paid, expired, refused). A refund case is open."""

    type = "payment.refused"
    payment_id: str
    provider: str
    track_id: str
    reason: str
    case_id: str


class NoticePublished(Body, frozen=True, kw_only=True):
    """A notice to every office, on the network feed."""

    type = "notice.published"
    notice_id: str
    title: str
    text: str


JOURNAL_BODIES: dict[str, type[Body]] = {
    body.type: body
    for body in (
        JournalOpened,
        BootStarted,
        DataKeyMade,
        FeedReceived,
        AlarmRaised,
        PaymentRequested,
        PaymentNotSent,
        PaymentSent,
        PaymentApproved,
        PaymentDeclined,
        PaymentCancelled,
        PaymentInDoubt,
        StatusQueried,
        PaymentNotCharged,
        PaymentOverridden,
        ReceiptPrinted,
        InquiryRequested,
    )
}
FEED_BODIES: dict[str, type[Body]] = {
    body.type: body for body in (FeedOpened, InquiryAnswered, PaymentConfirmed, PaymentRefused, NoticePublished)
}


def decode_body(kind: str, raw: bytes, known: dict[str, type[Body]]) -> Body | None:
    """Return the body of a known type, or None for a type of another release (carried, not understood).

    Raises msgspec.ValidationError, and nothing else, when a known type's body does not have its members.
    """
    body_type: Any = known.get(kind)
    if body_type is None:
        return None
    try:
        body: Body = msgspec.json.decode(raw, type=body_type)
    except msgspec.ValidationError:
        raise
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise msgspec.ValidationError(str(error)) from error
    return body
