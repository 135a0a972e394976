"""What the journal says, as frozen structs: what a decision inside the write transaction reads, and what pages show.

No SQL and no I/O here. Amounts are whole rials, instants are RFC 3339 UTC texts as entries carry them, hashes are hex.
"""

from typing import Literal

import msgspec

from shared.events import BillKind, Method, Purpose
from shared.payment import PaymentState
from shared.sealed import Sealed
from sync.enrolment import CentralTrust

Confirmation = Literal["none", "queued", "confirmed", "refused"]
"""Of a bill or order: nothing to confirm, waiting for its provider, taken, not taken (a refund case is open)."""

InquiryOutcome = Literal["owed", "nothing_owed", "wrong_parameter", "refused"]

PrintState = Literal["waiting", "printing", "printed", "uncertain", "failed"]
"""Of a print job. `uncertain`: the paper may have come out; only a person can say, and a second one is a copy."""


class CentralLink(msgspec.Struct, frozen=True, kw_only=True):
    """What the enrolment told this box of central: where it is, whom to believe, which feeds to read."""

    url: str
    trust: CentralTrust
    feeds: tuple[str, ...]


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who this box is. Made once, with the file. Without `central` it works alone and takes no inquiries."""

    office: str
    box: str
    journal_id: str
    public_key: str
    """The Ed25519 public key the journal was opened with, 64 hex digits; `edge.journal.verify.key_chain` follows it."""
    central: CentralLink | None = None


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    """One of several obligations of a charge. It stands as its payment does; its provider's word is its own."""

    obligation: str
    amount_rial: int
    bill_id: str | None = None
    bill_payment_id: str | None = None
    doubled: bool = False
    """Another payment holds the same obligation: it was paid twice."""
    confirmation: Confirmation = "none"
    refusal_reason: str | None = None
    case_id: str | None = None
    provider_reference: str | None = None
    printed: int = 0
    """Receipts of its own that the printer said it printed."""


class ListedPayment(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """What a list says of a payment: a page of them reads nothing else. Pages keep under it what they made of it."""

    payment_id: str
    purpose: Purpose
    amount_rial: int
    state: PaymentState
    bill_id: str | None = None
    inquiry_id: str | None = None
    service: str = ""
    """The code of the catalogue's service it is for; empty for a bill that was scanned or typed."""
    requested_at: str
    requested_index: int
    confirmation: Confirmation = "none"
    """Of a charge with items: queued while any of them waits, else refused where one was, confirmed when all are."""
    printed: int = 0
    """Receipts the printer said it printed."""
    unacknowledged: bool = False
    """Approved, and the terminal was not told to keep it yet: it does not stand."""


class PaymentView(ListedPayment, frozen=True, kw_only=True, cache_hash=True):
    """A payment as the journal and the feed have it now. Pages keep under it what they made of it."""

    obligation: str
    method: Method
    terminal: str
    reference: str
    operator: str
    bill_payment_id: str | None = None
    payable: str = ""
    """The key of what is paid, in the answer to `inquiry_id`."""
    group_id: str = ""
    """Bills that were put together at the counter, in one charge or each in its own."""
    outcome_index: int | None = None
    """Index of the entry that gave the present outcome; None while requested, sent or in doubt."""
    outcome_leaf: str | None = None
    outcome_at: str | None = None
    terminal_time: str | None = None
    """Date and time that the terminal gave the outcome, as it wrote them."""
    stan: str | None = None
    rrn: str | None = None
    pan: str | None = None
    terminal_number: str | None = None
    merchant_number: str | None = None
    receipt_number: str | None = None
    """By which its terminal can be told to undo it before settlement."""
    response_code: str | None = None
    not_sent_reason: str | None = None
    in_doubt_reason: str | None = None
    refusal_reason: str | None = None
    case_id: str | None = None
    provider_reference: str | None = None
    asked_count: int = 0
    """Status queries made of the terminal."""
    last_answer: str | None = None
    """What the newest of them said: approved, not_found, unclear, no_answer, mismatch."""
    last_answer_code: str | None = None
    last_asked_at: str | None = None
    not_charged_by: Literal["terminal", "acquirer"] | None = None
    """By whose word a payment that was in doubt counts as not charged."""
    stated_by: str | None = None
    """The person who decided a doubt, by the slip `stated_slip` and for `stated_reason`."""
    stated_slip: str | None = None
    stated_reason: str | None = None
    counting_not_found: int = 0
    """Those of them that were answered not-found and count."""
    late: bool = False
    """Approved by evidence that came after the payment was thought uncharged."""
    doubled: bool = False
    """Late, and another payment holds the same obligation, or one of them: the customer was charged twice."""
    baseline_stan: str | None = None
    """The newest trace its terminal knew before the amount left, where it is asked for its last transaction."""
    confirming: bool = False
    """Whether the terminal takes the sale back unless it is told to keep it."""
    pays_bill: bool = False
    """Whether the terminal paid the bill by its ids: approved is confirmed then."""
    ruled_out_index: int | None = None
    """Index of the newest entry by which a charge that was spoken of is none: what was said before it is settled."""
    items: tuple[ItemView, ...] = ()
    """What a charge of several obligations pays; `obligation` is then the group's own, which nobody else can hold."""
    cosigned: bool = False
    """Central has cosigned a checkpoint that covers the outcome."""

    @property
    def obligations(self) -> tuple[str, ...]:
        """Return all that it pays."""
        return tuple(item.obligation for item in self.items) or (self.obligation,)

    @property
    def is_taken(self) -> bool:
        """Return whether a provider took what it pays, or any item of it."""
        return "confirmed" in (self.confirmation, *(item.confirmation for item in self.items))


class InquiryView(msgspec.Struct, frozen=True, kw_only=True):
    """An inquiry as the journal and the feed have it now. Personal data is sealed."""

    inquiry_id: str
    ticket: int
    service: str
    kind: BillKind
    parameter: Sealed
    parameter_tail: str
    operator: str
    requested_at: str
    requested_index: int
    outcome: InquiryOutcome | None = None
    amount_rial: int = 0
    bill_id: str | None = None
    bill_payment_id: str | None = None
    due: str | None = None
    customer: Sealed | None = None
    provider: str | None = None
    reason: str | None = None
    answered_at: str | None = None
    printed: int = 0
    """Tickets the printer said it printed."""
    payment_id: str | None = None
    """The payment that holds the obligation of the answer's bill."""


class NoticeView(msgspec.Struct, frozen=True, kw_only=True):
    """A notice of the network feed."""

    notice_id: str
    title: str
    text: str
    received_at: str


class ProfileBundleView(msgspec.Struct, frozen=True, kw_only=True):
    """Device profiles that central published; named by its place in its feed."""

    feed: str
    feed_index: int
    bundle_id: str
    withdrawn: bool
    """It says that the feed gives none any more."""
    note: str
    published_at: str
    received_at: str


class RefusedBundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that does not join with the program's own profiles."""

    bundle_id: str
    why: str


class ProfilesView(msgspec.Struct, frozen=True, kw_only=True):
    """Central's bundles of device profiles at this box."""

    wanted: str
    """As the settings say: `newest`, `none`, or one bundle's name."""
    in_use: tuple[ProfileBundleView, ...] = ()
    waiting: tuple[ProfileBundleView, ...] = ()
    """What the next start takes up, where that is something else."""
    none_next: bool = False
    """The next start works with the program's own profiles alone."""
    refused: RefusedBundle | None = None


class AlarmView(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person must look at; named by the index of its entry."""

    index: int
    kind: str
    payment_id: str | None = None
    detail: str
    raised_at: str


class DataKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A month's public key for personal data. `month` is Jalali, `1404-09`."""

    key_id: str
    month: str
    public_key: str
    """X25519, 64 hex digits."""


class PrintJob(msgspec.Struct, frozen=True, kw_only=True):
    """A paper to be printed, kept until the printer said its end came out. What stands on it is made when it prints."""

    job_id: str
    document: str
    about: str
    """The payment or inquiry the paper is about."""
    copy: bool = False
    state: PrintState = "waiting"
    attempts: int = 0
    last_status: str | None = None


class BoxStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the box stands, in one consistent reading."""

    office: str
    box: str
    journal_id: str
    size: int
    cosigned_size: int
    unsent_count: int
    """Entries central has not cosigned yet."""
    unconfirmed_count: int
    """Bill payments charged and waiting for the provider's word."""
    unconfirmed_rial: int
    in_doubt_count: int
    alarms: list[AlarmView]
    last_exchange_at: str | None = None
    last_exchange_error: str | None = None
    quarantined: bool = False
    closed_at: str | None = None
    """When the journal was closed: the box only hands it over and shows it."""
