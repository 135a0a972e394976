"""What central may ask a provider, and the answers there are. One answer type says one thing for certain.

A provider's `PENDING` and `UNKNOWN` are both `Pending` here: it may have been done, ask for the status, never the
question again. Whatever was not understood is `Trouble`, which says nothing about what the provider did.
"""

from datetime import datetime
from typing import Literal, Protocol

import msgspec

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
    """The provider took the payment of its bill."""

    provider_reference: str


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
    """No answer that can be understood. It may have been done."""

    why: str


InquiryReply = Answered | Pending | NotDone | Unreached | Trouble
ConfirmReply = Taken | Refused | Pending | NotDone | Unreached | Trouble


class ConfirmOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A bill's payment, as the provider is told of it."""

    track_id: str
    bill_id: str
    bill_payment_id: str
    amount_rial: int
    rrn: str
    stan: str
    paid_at_claim: str


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


class BreakerView(msgspec.Struct, frozen=True, kw_only=True):
    """A circuit breaker as pages show it."""

    state: Literal["closed", "open", "half_open"]
    failures: int
    opened_at: datetime | None
