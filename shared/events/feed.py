"""Facts that central tells: answers to one office, notices to all."""

from typing import Annotated, Literal

import msgspec

from shared.catalogue import Service
from shared.events.body import Body, Count, Rial
from shared.payment import PaymentState
from shared.sealed import Sealed

ProfilePath = Annotated[
    str, msgspec.Meta(pattern=r"^((terminals|printers)/[a-z0-9_]+|protocols)/[a-z0-9_]+\.toml\Z", max_length=120)
]
RunningHours = Annotated[int, msgspec.Meta(ge=1, le=24 * 366)]
"""Hours that a box has run, by its journal; time switched off does not count."""


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
    item: Count | None = None
    """Which of the payment's items, from 0; null where it has none."""
    fulfilment: Sealed | None = None
    """What the customer bought, where it is something to hand over: sealed to the data key of its request."""


class PaymentRefused(Body, frozen=True, kw_only=True):
    """The provider will not take the payment (`reason`: already_paid, expired, refused). A refund case is open."""

    type = "payment.refused"
    payment_id: str
    provider: str
    track_id: str
    reason: str
    case_id: str
    item: Count | None = None
    """Which of the payment's items, from 0; null where it has none."""


class CataloguePublished(Body, frozen=True, kw_only=True):
    """The services an office, or on the network feed every office, may sell. The newest of a feed stands, whole.

    An office's own goes before the network's, and that before the one which came with the program.
    """

    type = "catalogue.published"
    catalogue_id: str
    services: tuple[Service, ...] = ()
    note: str = ""
    published_by: str = ""
    withdrawn: bool = False
    """This feed publishes no catalogue any more; services are empty then."""


class ServiceAnswered(Body, frozen=True, kw_only=True):
    """A provider answered a request for a service, or refused it for good."""

    type = "service.answered"
    inquiry_id: str
    outcome: Literal["done", "nothing", "wrong_parameter", "refused"]
    """`done`: the document says what; `nothing`: nothing is there, which is an answer; the others are none."""
    document: Sealed | None = None
    """Sealed to the data key that the request names."""
    provider: str = ""
    track_id: str = ""
    answered_at: str = ""
    """When the provider made the answer, by its own word where it gives one (it may be from its store)."""
    reason: str = ""
    case_id: str | None = None
    """The refund case of the fee, where one was taken and there will be no result."""


class ImageAnswered(Body, frozen=True, kw_only=True):
    """A picture of one item of an answer; without one, there is none to be had."""

    type = "service.image_answered"
    inquiry_id: str
    item: str
    number: Count
    label: str = ""
    image: Sealed | None = None


class NoticePublished(Body, frozen=True, kw_only=True):
    """A notice to every office, on the network feed."""

    type = "notice.published"
    notice_id: str
    title: str
    text: str


class ProfileDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device profile: its place (`terminals/<maker>/<model>.toml`, …) and what stands in it."""

    path: ProfilePath
    text: str


class ProfileBundlePublished(Body, frozen=True, kw_only=True):
    """Device profiles for an office, or on the network feed for all. The newest of a feed stands, whole.

    They go before those of the same name that came with the program; an office's own before the network's.
    """

    type = "profile_bundle.published"
    bundle_id: str
    documents: tuple[ProfileDocument, ...] = ()
    note: str = ""
    """Why, for whoever looks at the box."""
    published_by: str = ""
    withdrawn: bool = False
    """This feed gives no profiles any more; documents are empty then."""


class AcquirerAnswered(Body, frozen=True, kw_only=True):
    """What the acquirer's own records say of a payment, found by central: in its answer or settlement file.

    About its `sale`: whether it stands there. About its `reversal`: with `charged` the sale stands and was not undone;
    without, its undoing stands beside it. That something is *not* there is said only of a settlement that is complete.
    """

    type = "acquirer.answered"
    payment_id: str
    charged: bool
    about: Literal["sale", "reversal"] = "sale"
    source: Literal["settlement", "acquirer"]
    acquirer: str
    amount_rial: Rial | None = None
    rrn: str | None = None
    stan: str | None = None
    terminal_number: str | None = None
    file_sha256: str | None = None
    """Hex digest of the settlement file, where one was the source."""
    row: Count | None = None
    answered_at: str
    refund_id: str | None = None
    """About a `reversal`: the refund under which it was asked for. One sale may be told to be undone more than once."""


class ObligationElsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a payment of another journal pays."""

    obligation: str
    amount_rial: Rial
    bill_id: str | None = None
    bill_payment_id: str | None = None
    confirmation: Literal["none", "confirmed", "refused"] = "none"
    """What its provider had said by then."""


class PaymentElsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """A payment of another journal of the office, as central's books have it."""

    payment_id: str
    state: PaymentState
    terminal: str
    requested_at: str
    """By that box's own clock."""
    stan: str | None = None
    rrn: str | None = None
    pan: str | None = None
    obligations: Annotated[tuple[ObligationElsewhere, ...], msgspec.Meta(min_length=1)]
    covers: tuple[str, ...] = ()
    """The obligations of which the whole of an answer is made, as its own box wrote them (`payment.requested`)."""


class ObligationsHeld(Body, frozen=True, kw_only=True):
    """What payments of another of the office's journals pay: a box that did not take them must not charge it again.

    Told to a box that takes over from that journal, or works beside it, and told again of a payment that stands
    otherwise since. A state that certainly took nothing frees what was told before.
    """

    type = "obligations.held"
    journal: str
    """Whose payments they are; that journal's own box knows better."""
    heard_size: Count
    """How many of its entries central had."""
    heard_at: str | None = None
    """When central last heard of it; null: never. What it did after that is not known."""
    payments: tuple[PaymentElsewhere, ...] = ()


class ExposurePolicySet(Body, frozen=True, kw_only=True):
    """How much an office may take that central has not cosigned. Null is no limit. The newest stands."""

    type = "exposure_policy.set"
    policy_id: str
    payment_max_rial: Rial | None = None
    """Largest single payment."""
    total_max_rial: Rial | None = None
    """Sum of payments that central has not cosigned: charged, in doubt and under way."""
    count_max: Count | None = None
    """Number of such payments."""
    running_hours_max: RunningHours | None = None
    """Hours of running time since central last cosigned."""
    set_by: str = ""
    """Who set it, at central."""
    withdrawn: bool = False
    """This feed sets no policy any more: an office follows the network's again. The limits say nothing then."""
