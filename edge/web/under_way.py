"""What happened at the counter last, as the home page lists it: payments, bill inquiries and requests for services."""

from typing import Final

import msgspec

from edge.web.bill_kinds import BILL_ICONS, KIND_ICONS
from edge.web.payment_view import bill_type_of, status_key_now
from edge.web.ports.counter import Counter, InquiryView, PaymentView
from edge.web.ports.services import ServiceRequestView
from edge.web.transaction_names import Naming, naming
from shared.catalogue import Catalogue, Words
from shared.display import STATUSES, Status, inquiry_status
from shared.service_words import SERVICE_STATUSES

RECENT_MAX: Final = 6


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. A payment says its amount, the others the ticket."""

    path: str
    icon: str
    name: Words
    status: Status
    at: str
    amount_rial: int | None = None
    ticket: int | None = None


def under_way(counter: Counter) -> list[Row]:
    """Return the newest, newest first. What is paid for a request stands on the request's page, and is one row here."""
    queries, catalogue = counter.queries, counter.catalogue()
    found: list[PaymentView | InquiryView | ServiceRequestView] = [
        *(payment for payment in queries.payments(None, RECENT_MAX) if not payment.service),
        *(inquiry for inquiry in queries.inquiries(None, RECENT_MAX) if inquiry.payment_id is None),
        *queries.services.requests(None, RECENT_MAX),
    ]
    found.sort(key=lambda one: one.requested_index, reverse=True)
    names = naming(catalogue)
    return [_row(counter, catalogue, names, one) for one in found[:RECENT_MAX]]


def _row(
    counter: Counter, catalogue: Catalogue, names: Naming, one: PaymentView | InquiryView | ServiceRequestView
) -> Row:
    if isinstance(one, PaymentView):
        kind = bill_type_of(one.bill_id)
        return Row(
            path=f"/payments/{one.payment_id}",
            icon=BILL_ICONS[kind] if kind else "bill",
            name=names.payment(one),
            status=STATUSES[status_key_now(counter, one)],
            at=one.requested_at,
            amount_rial=one.amount_rial,
        )
    if isinstance(one, InquiryView):
        return Row(
            path=f"/inquiries/{one.inquiry_id}",
            icon=KIND_ICONS[one.kind],
            name=names.inquiry(one),
            status=inquiry_status(one.outcome),
            at=one.requested_at,
            ticket=one.ticket,
        )
    service = catalogue.service(one.service)
    return Row(
        path=f"/requests/{one.inquiry_id}",
        icon=service.icon if service else "question",
        name=names.inquiry(one),
        status=SERVICE_STATUSES[one.state],
        at=one.requested_at,
        ticket=one.ticket,
    )
