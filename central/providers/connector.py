"""What central may ask a provider, and the answers there are. One answer type says one thing for certain.

A provider's `PENDING` and `UNKNOWN` are both `Pending` here: it may have been done, ask for the status, never the
question again. Whatever was not understood is `Trouble`, which says nothing about what the provider did.
"""

from datetime import datetime
from typing import Literal, Protocol

import msgspec

from shared.answer_document import AnswerDocument
from shared.catalogue import Service
from shared.events import BillKind


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What a subscriber owes. `customer` is personal data: it is sealed before it is kept anywhere."""

    outcome: Literal["owed", "nothing_owed", "wrong_parameter", "refused"]
    amount_rial: int = 0
    bill_id: str | None = None
    bill_payment_id: str | None = None
    due: str | None = None
    customer: dict[str, str] = {}
    reason: str = ""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """The provider took the payment of its bill, or carried an order out."""

    provider_reference: str
    fulfilment: dict[str, str] = {}
    """What the customer bought, where it is something to hand over: a PIN. Sealed before it is kept anywhere."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is carried out once it is paid: its payable's `order_id`, and what has to be asked for then."""

    order_id: str
    amount_rial: int
    product: str = ""
    """The provider's own name of it: its order's number, or the product that was chosen."""
    expires_at: datetime | None = None


class Debt(msgspec.Struct, frozen=True, kw_only=True):
    """What can be paid of an answer, and all names under which the same may be paid: see `central.ledger.debts`."""

    obligation: str
    names: tuple[str, ...]


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A service's answer. The document is personal data: it is sealed before it is kept anywhere.

    `nothing` is an answer too. `wrong_parameter` and `refused` are none, and for good.
    """

    outcome: Literal["done", "nothing", "wrong_parameter", "refused"]
    document: AnswerDocument = AnswerDocument()
    orders: tuple[Order, ...] = ()
    debts: tuple[Debt, ...] = ()
    """Of all that the provider told, though the document does not show all of it."""
    reason: str = ""
    answered_at: str | None = None
    """When the provider made it, where it says so: it may be from its store."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A JPEG or PNG picture, or None where the provider's is none that can be passed on."""

    label: str
    image: bytes | None


class Pictured(msgspec.Struct, frozen=True, kw_only=True):
    """The pictures of one item of an answer; none at all is an answer."""

    pictures: tuple[Picture, ...]


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """The provider will not take the payment, for good."""

    reason: Literal["already_paid", "expired", "refused"]


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """The provider works on it, or does not know itself."""

    why: str


class NotDone(msgspec.Struct, frozen=True, kw_only=True):
    """Certainly not done, and may be asked again. `unheard`: the provider never heard of the question."""

    why: str
    unheard: bool = False


class Unreached(msgspec.Struct, frozen=True, kw_only=True):
    """No connection came about: nothing left for the provider by this call."""

    why: str


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """No answer that can be understood. It may have been done.

    `answered`: the provider works and said something well formed, whose meaning for the question nobody told us. That
    is no reason to leave it alone.
    """

    why: str
    answered: bool = False


InquiryReply = Answered | Pending | NotDone | Unreached | Trouble
ConfirmReply = Taken | Refused | Pending | NotDone | Unreached | Trouble
ServiceReply = Served | Pending | NotDone | Unreached | Trouble
PictureReply = Pictured | Pending | NotDone | Unreached | Trouble


class ConfirmOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A bill's payment, as the provider is told of it."""

    track_id: str
    bill_id: str
    bill_payment_id: str
    amount_rial: int
    rrn: str
    stan: str
    paid_at_claim: str


class OrderApproval(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is paid, as it is to be carried out."""

    track_id: str
    call: str
    """The call that made the offer."""
    order_id: str
    product: str
    amount_rial: int
    arguments: dict[str, str]
    fields: dict[str, str]
    """What the customer was asked for when the offer was made."""


class ServiceQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A service of the catalogue, as a provider is asked for it: `service` says call, arguments and rows."""

    track_id: str
    service: Service
    fields: dict[str, str]


class ProviderConnector(Protocol):
    """One provider. No method raises for what the provider or the wire does: that is an answer too."""

    @property
    def name(self) -> str:
        """Return the provider's name, as it is kept with answers."""

    def inquire(self, kind: BillKind, parameter: str, *, track_id: str) -> InquiryReply:
        """Ask what a subscriber owes."""

    def inquiry_status(self, kind: BillKind, *, track_id: str) -> InquiryReply:
        """Ask what became of an inquiry."""

    def confirm(self, order: ConfirmOrder) -> ConfirmReply:
        """Tell that a bill was paid."""

    def confirm_status(self, *, track_id: str) -> ConfirmReply:
        """Ask what became of a confirmation."""

    def serve(self, question: ServiceQuestion) -> ServiceReply:
        """Ask for a service of the catalogue."""

    def serve_status(self, question: ServiceQuestion) -> ServiceReply:
        """Ask what became of that."""

    def approve(self, order: OrderApproval) -> ConfirmReply:
        """Tell that an order was paid and is to be carried out. Told again, it is not carried out again."""

    def approve_status(self, order: OrderApproval) -> ConfirmReply:
        """Ask what became of an order."""

    def pictures(self, item: str, *, track_id: str) -> PictureReply:
        """Ask for the pictures of an item, by its key in an answer."""

    def close(self) -> None:
        """Close the connections."""


class BreakerView(msgspec.Struct, frozen=True, kw_only=True):
    """A circuit breaker as pages show it."""

    state: Literal["closed", "open", "half_open"]
    failures: int
    opened_at: datetime | None
