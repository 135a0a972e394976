"""What an entry can say: one frozen struct for each entry type, of the journal and of the feed.

A body is the `body` member of an entry. Types are past-tense facts named `thing.happened`. Amounts are whole rials.
Bodies are decoded leniently (an unknown member is carried, never refused) because a box and a central of different
releases meet; a body's meaning never changes once released: a new meaning is a new type.
"""

from typing import Any

import msgspec

from shared.events.atms import (
    ATM_FACTS,
    AtmCashCounted,
    AtmCashLoaded,
    AtmCashReported,
    AtmCassette,
    AtmFaultClosed,
    AtmFaultNoted,
    AtmFaultOpened,
    AtmRegistered,
    AtmRemoved,
    AtmState,
    AtmStateReported,
    AtmTicketAnswered,
    CassetteCount,
    CassetteNotes,
    FaultKind,
    FaultOutcome,
    TicketAnswer,
)
from shared.events.body import (
    RIAL_MAX,
    BillKind,
    Body,
    Count,
    Method,
    Purpose,
    Rial,
)
from shared.events.box import (
    DATA_KEY_PURPOSE,
    AlarmRaised,
    BootStarted,
    DataKeyMade,
    DayClosed,
    DayTotal,
    FeedReceived,
    JournalClosed,
    JournalExported,
    JournalOpened,
    JournalVerified,
    KeyRotated,
    ReceiptPrinted,
    TerminalBatch,
)
from shared.events.feed import (
    AcquirerAnswered,
    CataloguePublished,
    ExposurePolicySet,
    FeedOpened,
    ImageAnswered,
    InquiryAnswered,
    NoticePublished,
    PaymentConfirmed,
    PaymentRefused,
    ProfileBundlePublished,
    ProfileDocument,
    ServiceAnswered,
)
from shared.events.inquiries import (
    INQUIRY_CUSTOMER_PURPOSE,
    INQUIRY_PARAMETER_PURPOSE,
    InquiryRequested,
)
from shared.events.payments import (
    ChargeRuledOut,
    Evidence,
    PaymentAcknowledged,
    PaymentApproved,
    PaymentCancelled,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentItem,
    PaymentNotCharged,
    PaymentNotSent,
    PaymentOverridden,
    PaymentRequested,
    PaymentReversed,
    PaymentSent,
    RefundAgreed,
    RefundDropped,
    RefundProposed,
    ReversalDecided,
    ReversalInDoubt,
    ReversalRefused,
    ReversalRequested,
    Split,
    StatusQueried,
)
from shared.events.services import (
    FULFILMENT_PURPOSE,
    SERVICE_ANSWER_PURPOSE,
    SERVICE_FIELDS_PURPOSE,
    SERVICE_IMAGE_PURPOSE,
    Gate,
    ImageAsked,
    ServiceReleased,
    ServiceRequested,
    ServiceRetried,
    ServiceShown,
)

__all__ = [
    "ATM_FACTS",
    "DATA_KEY_PURPOSE",
    "FEED_BODIES",
    "FULFILMENT_PURPOSE",
    "INQUIRY_CUSTOMER_PURPOSE",
    "INQUIRY_PARAMETER_PURPOSE",
    "JOURNAL_BODIES",
    "RIAL_MAX",
    "SERVICE_ANSWER_PURPOSE",
    "SERVICE_FIELDS_PURPOSE",
    "SERVICE_IMAGE_PURPOSE",
    "AcquirerAnswered",
    "AlarmRaised",
    "AtmCashCounted",
    "AtmCashLoaded",
    "AtmCashReported",
    "AtmCassette",
    "AtmFaultClosed",
    "AtmFaultNoted",
    "AtmFaultOpened",
    "AtmRegistered",
    "AtmRemoved",
    "AtmState",
    "AtmStateReported",
    "AtmTicketAnswered",
    "BillKind",
    "Body",
    "BootStarted",
    "CassetteCount",
    "CassetteNotes",
    "CataloguePublished",
    "ChargeRuledOut",
    "Count",
    "DataKeyMade",
    "DayClosed",
    "DayTotal",
    "Evidence",
    "ExposurePolicySet",
    "FaultKind",
    "FaultOutcome",
    "FeedOpened",
    "FeedReceived",
    "Gate",
    "ImageAnswered",
    "ImageAsked",
    "InquiryAnswered",
    "InquiryRequested",
    "JournalClosed",
    "JournalExported",
    "JournalOpened",
    "JournalVerified",
    "KeyRotated",
    "Method",
    "NoticePublished",
    "PaymentAcknowledged",
    "PaymentApproved",
    "PaymentCancelled",
    "PaymentConfirmed",
    "PaymentDeclined",
    "PaymentInDoubt",
    "PaymentItem",
    "PaymentNotCharged",
    "PaymentNotSent",
    "PaymentOverridden",
    "PaymentRefused",
    "PaymentRequested",
    "PaymentReversed",
    "PaymentSent",
    "ProfileBundlePublished",
    "ProfileDocument",
    "Purpose",
    "ReceiptPrinted",
    "RefundAgreed",
    "RefundDropped",
    "RefundProposed",
    "ReversalDecided",
    "ReversalInDoubt",
    "ReversalRefused",
    "ReversalRequested",
    "Rial",
    "ServiceAnswered",
    "ServiceReleased",
    "ServiceRequested",
    "ServiceRetried",
    "ServiceShown",
    "Split",
    "StatusQueried",
    "TerminalBatch",
    "TicketAnswer",
    "decode_body",
]

JOURNAL_BODIES: dict[str, type[Body]] = {
    body.type: body
    for body in (
        JournalOpened,
        BootStarted,
        KeyRotated,
        JournalClosed,
        JournalVerified,
        JournalExported,
        DataKeyMade,
        FeedReceived,
        AlarmRaised,
        DayClosed,
        ReceiptPrinted,
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
        ChargeRuledOut,
        PaymentAcknowledged,
        RefundProposed,
        RefundAgreed,
        RefundDropped,
        ReversalRequested,
        PaymentReversed,
        ReversalInDoubt,
        ReversalRefused,
        ReversalDecided,
        InquiryRequested,
        ServiceRequested,
        ServiceRetried,
        ServiceReleased,
        ServiceShown,
        ImageAsked,
        *ATM_FACTS,
    )
}
FEED_BODIES: dict[str, type[Body]] = {
    body.type: body
    for body in (
        FeedOpened,
        InquiryAnswered,
        PaymentConfirmed,
        PaymentRefused,
        NoticePublished,
        AcquirerAnswered,
        ExposurePolicySet,
        ProfileBundlePublished,
        CataloguePublished,
        ServiceAnswered,
        ImageAnswered,
        AtmTicketAnswered,
    )
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
