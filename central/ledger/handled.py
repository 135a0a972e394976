"""What the books do with each kind of entry: every body of `shared.events` has its place here, or a reason for none.

PAYMENT_FACTS   (central.ledger.posting) move a payment, and with it transfers, cases, questions to providers
LIFE_FACTS      stand in a payment's life and move nothing
OFFICE_FACTS    what a box says of itself: kept for its office's page
OTHER_FACTS     have a table of their own
NO_POSTING      are in the journal's mirror and nowhere else, for this reason
FEED_FACTS      central says them itself, and books them when it does
"""

from typing import Final

from shared.events import (
    ATM_FACTS,
    PEOPLE_FACTS,
    AcquirerAnswered,
    AlarmRaised,
    AtmTicketAnswered,
    Body,
    BootStarted,
    ChargeRuledOut,
    DataKeyMade,
    DayClosed,
    ExposurePolicySet,
    FeedOpened,
    FeedReceived,
    ImageAsked,
    InquiryAnswered,
    InquiryRequested,
    JournalClosed,
    JournalOpened,
    JournalVerified,
    KeyRotated,
    NoticePublished,
    PaymentConfirmed,
    PaymentRefused,
    ReceiptPrinted,
    ServiceRequested,
    ServiceRetried,
    StatusQueried,
)

LIFE_FACTS: Final[tuple[type[Body], ...]] = (StatusQueried, ChargeRuledOut, ReceiptPrinted, AlarmRaised)
"""Said of a payment without moving it. A receipt may be of an inquiry, and an alarm of no payment: then of nobody's."""

OFFICE_FACTS: Final = frozenset(
    {
        BootStarted.type,
        DayClosed.type,
        JournalVerified.type,
        JournalClosed.type,
        KeyRotated.type,
        AlarmRaised.type,
        "journal.exported",
        "service.released",
        "service.shown",
        *(body.type for body in PEOPLE_FACTS),
    }
)
"""Entry types."""

SERVICE_FACTS: Final[tuple[type[Body], ...]] = (ServiceRequested, ServiceRetried, ImageAsked)
"""Ask something of a provider (central.ledger.services)."""

OTHER_FACTS: Final[tuple[type[Body], ...]] = (DataKeyMade, FeedReceived, InquiryRequested, *SERVICE_FACTS, *ATM_FACTS)

NO_POSTING: Final[dict[str, str]] = {
    JournalOpened.type: "office, box, key and predecessor are bound by the enrolment; the entry only repeats them",
}

FEED_FACTS: Final[dict[str, str]] = {
    FeedOpened.type: "names a key; about no money",
    InquiryAnswered.type: "written with the provider's answer (central.providers.answers)",
    PaymentConfirmed.type: "written with the transfers of the provider's answer (central.providers.answers)",
    PaymentRefused.type: "written with the transfers and the refund's case (central.providers.answers)",
    NoticePublished.type: "words for people; about no money",
    "obligations.held": "tells other boxes of payments that are booked (central.ledger.elsewhere)",
    AcquirerAnswered.type: "moves nothing: the office's own entry does (central.reconciliation.answering)",
    ExposurePolicySet.type: "allows or forbids; moves no money",
    "catalogue.published": "services and tariffs as data; moves no money",
    "service.answered": "written with the transfers and cases of the fee (central.providers.serving)",
    "service.image_answered": "a picture; about no money (central.providers.serving)",
    AtmTicketAnswered.type: "the bank's word about a machine; about no money (central.ledger.atms)",
    "profile_bundle.published": "devices as data; about no money",
}
