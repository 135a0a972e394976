"""Catalogue services as frozen structs: what a customer asked for, how it stands, and what may be seen of the answer.

Instants are RFC 3339 UTC texts as entries carry them. Personal data is sealed in `ServiceRequestView` and open in
`ServiceView`, which is made for one page and kept nowhere.
"""

from typing import Literal

import msgspec

from edge.journal.views import PaymentView
from shared.answer_document import AnswerDocument
from shared.catalogue import Service
from shared.events import Gate
from shared.payment import PaymentState
from shared.sealed import Sealed
from shared.service_state import ServiceFacts, ServiceOutcome, ServiceState, service_state


class CataloguePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue that central published, by its place in its feed."""

    feed: str
    feed_index: int
    catalogue_id: str
    withdrawn: bool
    """It says that the feed publishes none any more."""
    received_index: int


class ServiceRequestView(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a service as the journal and the feed have it now. Personal data is sealed."""

    inquiry_id: str
    ticket: int
    service: str
    catalogue_id: str
    fields: Sealed
    applicant_tail: str
    search_key: str
    fee_rial: int
    gate: Gate
    print_first: bool
    rules_accepted: bool
    operator: str
    requested_at: str
    requested_index: int
    retried: int = 0
    released_by: str | None = None
    released_reason: str | None = None
    shown_at: str | None = None
    outcome: ServiceOutcome | None = None
    """Of the newest answer; None again once it was asked anew."""
    provider: str | None = None
    track_id: str | None = None
    reason: str | None = None
    case_id: str | None = None
    answered_at: str | None = None
    """When the provider made the answer."""
    answer_feed: str | None = None
    answer_index: int | None = None
    """Where the sealed answer stands."""
    printed: int = 0
    """Tickets the printer said it printed."""
    fee_payment_id: str | None = None
    """The payment that holds the fee, or the newest attempt."""
    fee_state: PaymentState | None = None
    fee_kept: bool = True
    fee_back: bool = False
    """Whether two people agreed that finance gives it back."""
    fee_printed: bool = False
    """Whether the service's receipt came out."""

    def facts(self, *, readable: bool = True) -> ServiceFacts:
        """Return what the state is decided by. `readable`: whether the answer is what an answer has to be."""
        return ServiceFacts(
            fee_rial=self.fee_rial,
            gate=self.gate,
            print_first=self.print_first,
            fee_state=self.fee_state,
            fee_kept=self.fee_kept,
            fee_back=self.fee_back,
            outcome=self.outcome,
            case_id=self.case_id,
            readable=readable,
            printed=self.fee_printed,
            released=self.released_by is not None,
            shown=self.shown_at is not None,
        )

    @property
    def state(self) -> ServiceState:
        """Where it stands, as far as can be told without opening the answer."""
        return service_state(self.facts())

    @property
    def is_asked(self) -> bool:
        """Whether central is asking the provider now."""
        return self.outcome is None and (self.gate == "answer_first" or self.state is ServiceState.WAITING)


class ServiceImageView(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of one item of an answer; `there` is False where the provider has none."""

    item: str
    number: int
    label: str
    there: bool
    feed: str
    feed_index: int


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes of a picture."""

    media_type: Literal["image/jpeg", "image/png"]
    data: bytes


DocumentState = Literal["none", "shut", "open", "forgotten", "unreadable"]
"""Of an answer's document: there is none, it may not be seen yet, it is open, its key was forgotten (it can be read at
central only), it is not what an answer has to be."""


class ServiceView(msgspec.Struct, frozen=True, kw_only=True):
    """A request as a page shows it, opened as far as its gate allows."""

    inquiry_id: str
    ticket: int
    service: Service
    """As it stands in the catalogue it was asked by."""
    fields: dict[str, str] | None
    """In their one form; None once the month's key is forgotten."""
    applicant: str
    """Whom it is about, in its one form; its last characters where the fields are forgotten."""
    requested_at: str
    requested_index: int
    operator: str
    state: ServiceState
    fee_rial: int
    fee: PaymentView | None = None
    """The payment that holds the fee, or the newest attempt."""
    fee_back: bool = False
    """Whether two people agreed that finance gives the fee back."""
    outcome: ServiceOutcome | None = None
    """None while there is no answer, or none that may be seen."""
    reason: str = ""
    provider: str = ""
    track_id: str = ""
    case_id: str | None = None
    answered_at: str | None = None
    document: AnswerDocument | None = None
    document_state: DocumentState = "none"
    missing: frozenset[Literal["fee", "answer", "print"]] = frozenset()
    """What still has to come before the answer can be seen."""
    may_retry: bool = False
    may_release: bool = False
    retried: int = 0
    payments: dict[str, PaymentView] = {}
    """By the key of what is payable: the payment that holds it, or the newest attempt."""
    payable: frozenset[str] = frozenset()
    """Keys that can be paid now: good ids, in time, and nobody has paid a part or the whole of the same debt."""
    expired: frozenset[str] = frozenset()
    """Keys of offers that the provider does not take any more."""
    fulfilments: dict[str, dict[str, str]] = {}
    """By the key of what was ordered: what is handed over, for example a PIN."""
    images: dict[str, tuple[ServiceImageView, ...]] = {}
    """By the key of their item: the pictures that came."""
    images_asked: frozenset[str] = frozenset()
    """Keys of items whose pictures were asked for."""
    printed: int = 0
    """Tickets the printer said it printed."""
    released_by: str | None = None
    paid_unseen: tuple[PaymentView, ...] = ()
    """Payments about the same applicant, by another answer, that this answer may not know of."""

    @property
    def needs_review(self) -> bool:
        """Whether it was paid without a result."""
        return self.state is ServiceState.NEEDS_REVIEW
