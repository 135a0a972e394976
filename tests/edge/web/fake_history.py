"""The port of the history in memory: what the fake's rows say, by the very terms of the product."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from edge.journal.finding import (
    ActView,
    Sought,
    act_terms,
    inquiry_terms,
    met,
    payment_terms,
    request_terms,
)
from edge.journal.services import ServiceRequestView
from edge.journal.views import InquiryView, PaymentView
from shared.catalogue import Field


class Applicant(msgspec.Struct, frozen=True):
    field: Field | None
    value: str | None
    tail: str


def key_of(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


class FakeHistory:
    def __init__(self, queries: Any) -> None:
        self._queries = queries
        self.requests: dict[str, ServiceRequestView] = {}
        self.acts: list[ActView] = []
        self.whom: dict[str, Applicant] = {}
        """Applicants by request."""
        self.staff = [("reza", "رضا"), ("sara", "سارا محمدی")]

    def _documents(self) -> dict[int, tuple[str, ...]]:
        found = {act.index: act_terms(act.body, act.at) for act in self.acts}
        for payment in self._queries.all_payments.values():
            alarmed = bool(self._queries.alarms_about(payment.payment_id))
            whom = self.whom.get(payment.inquiry_id or "")
            key = key_of(whom.value) if whom is not None and whom.value else ""
            bills = [(item.bill_id or "", item.bill_payment_id or "") for item in payment.items]
            found[payment.requested_index] = payment_terms(payment, alarmed=alarmed, search_key=key, bills=bills)
        for inquiry in self._queries.all_inquiries.values():
            found[inquiry.requested_index] = inquiry_terms(inquiry)
        for request in self.requests.values():
            found[request.requested_index] = request_terms(request)
        return found

    def find(self, sought: Sought, before_index: int | None, limit: int) -> list[int]:
        rows = sorted(self._documents().items(), reverse=True)
        return [
            index for index, terms in rows if (before_index is None or index < before_index) and met(terms, sought)
        ][:limit]

    def payments_at(self, indexes: Sequence[int]) -> list[PaymentView]:
        return self._at(self._queries.all_payments.values(), indexes)

    def listed_at(self, indexes: Sequence[int]) -> list[PaymentView]:
        return self.payments_at(indexes)

    def inquiries_at(self, indexes: Sequence[int]) -> list[InquiryView | ServiceRequestView]:
        return self._at([*self._queries.all_inquiries.values(), *self.requests.values()], indexes)

    def _at(self, rows: Collection[Any], indexes: Sequence[int]) -> list[Any]:
        found = [row for row in rows if row.requested_index in set(indexes)]
        return sorted(found, key=lambda row: -row.requested_index)

    def acts_at(self, indexes: Sequence[int]) -> list[ActView]:
        return sorted((act for act in self.acts if act.index in set(indexes)), key=lambda act: -act.index)

    def people(self) -> list[tuple[str, str]]:
        return self.staff

    def applicants(self, inquiry_ids: Collection[str]) -> dict[str, Applicant]:
        return {name: self.whom[name] for name in inquiry_ids if name in self.whom}

    def applicant_keys(self, value: str) -> tuple[str, ...]:
        return (key_of(value),)
