"""What pages ask of the history; a part of `edge.web.ports.counter`."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from edge.journal.finding import ActView, Sought
from edge.journal.services import ServiceRequestView
from edge.journal.views import InquiryView, ListedPayment, PaymentView
from shared.catalogue import Field


class Applicant(Protocol):
    """Who or what a request is about."""

    @property
    def field(self) -> Field | None:
        """The field of the service that says it."""

    @property
    def value(self) -> str | None:
        """In its one form; None once the month's key is forgotten: then central alone can read it."""

    @property
    def tail(self) -> str:
        """Its last characters, which stay."""


class History(Protocol):
    """Payments, inquiries and acts, by what is looked for. Each answer is quick enough for the event loop."""

    def find(self, sought: Sought, before_index: int | None, limit: int) -> list[int]:
        """Return the newest entries before an index that meet all demands, newest first."""

    def payments_at(self, indexes: Sequence[int]) -> list[PaymentView]:
        """Return the payments that were requested at these entries, newest first."""

    def listed_at(self, indexes: Sequence[int]) -> Sequence[ListedPayment]:
        """Return what a list says of the payments that were requested at these entries, newest first."""

    def inquiries_at(self, indexes: Sequence[int]) -> list[InquiryView | ServiceRequestView]:
        """Return what was asked for at these entries, newest first."""

    def acts_at(self, indexes: Sequence[int]) -> list[ActView]:
        """Return what was done at these entries, newest first."""

    def people(self) -> list[tuple[str, str]]:
        """Return everybody who works or worked here: the name that entries carry, and the one they are called by."""

    def applicants(self, inquiry_ids: Collection[str]) -> Mapping[str, Applicant]:
        """Return who requests are about, opened for one page."""

    def applicant_keys(self, value: str) -> tuple[str, ...]:
        """Return the search keys of an applicant, in its one form, in the months whose keys are kept."""


class HistoryCounter(Protocol):
    """The counter's side of the history."""

    @property
    def history(self) -> History:
        """Return what finds payments, inquiries and acts."""
