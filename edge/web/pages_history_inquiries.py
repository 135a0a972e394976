"""Pages of what was asked: for each category what is new, what was done, and what was paid for without a result."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
from litestar import Response, get

from edge.journal.services import ServiceRequestView
from edge.web.guards import ACT, signed_in
from edge.web.history import find_page, number_of
from edge.web.history_filters import (
    Way,
    address_of,
    filters_of,
    form_of,
    known_of,
    page_facts,
    with_names,
)
from edge.web.history_search import INQUIRY_GROUPS, Filters, asked_of
from edge.web.ports import InquiryView
from edge.web.rendering import AnyRequest, Web, catalogue_of, language_of, page
from edge.web.texts import text
from edge.web.transaction_names import BILLS, naming
from shared.display import Status, inquiry_status, payment_status
from shared.payment import PaymentState
from shared.service_fields import field_text
from shared.service_state import PAYABLE_FEE
from shared.service_words import SERVICE_STATUSES
from shared.text import Language

REVIEW: Final = "review"
_DONE_TEXTS: Final = {"vehicle": "history.done_vehicle"}
_REVIEW_TEXTS: Final = {"vehicle": "history.review_vehicle"}
"""What the three parts of a category are called, where the guide has a name of its own."""
_ANY_SERVICE: Final = "/services"
_BILL_INQUIRY: Final = "/inquiries/new"


class Row(NamedTuple):
    """An inquiry in the table."""

    number: int
    inquiry: InquiryView | ServiceRequestView
    path: str
    name: str
    applicant: str
    amount_rial: int | None
    status: Status
    is_shut: bool = False
    """Whether only the end of the applicant is left to be read here."""
    fee_status: Status | None = None
    """How its fee stands, of a service that has one."""
    may_pay_again: bool = False
    """Whether the fee failed and can be paid again on the request's page."""


def _rows(web: Web, found: Sequence[InquiryView | ServiceRequestView], first_row: int, language: Language) -> list[Row]:
    names = naming(catalogue_of(web))
    whom = web.counter.history.applicants([one.inquiry_id for one in found if isinstance(one, ServiceRequestView)])
    rows = []
    for place, one in enumerate(found):
        name = names.inquiry(one).word(language)
        number = first_row + place
        if isinstance(one, InquiryView):
            amount = one.amount_rial if one.outcome == "owed" else None
            status = inquiry_status(one.outcome)
            rows.append(
                Row(
                    number=number,
                    inquiry=one,
                    path=f"/inquiries/{one.inquiry_id}",
                    name=name,
                    applicant=f"…{one.parameter_tail}",
                    amount_rial=amount,
                    status=status,
                )
            )
            continue
        who = whom.get(one.inquiry_id)
        is_open = who is not None and who.field is not None and bool(who.value)
        rows.append(
            Row(
                number=number,
                inquiry=one,
                path=f"/requests/{one.inquiry_id}",
                name=name,
                applicant=field_text(who.field, who.value, language)
                if who is not None and who.field is not None and who.value
                else f"…{one.applicant_tail}",
                is_shut=not is_open,
                amount_rial=one.fee_rial or None,
                status=SERVICE_STATUSES[one.state],
                fee_status=None
                if one.fee_state is None
                else payment_status(PaymentState(one.fee_state), purpose="inquiry_fee"),
                may_pay_again=one.state in PAYABLE_FEE,
            )
        )
    return rows


def _parts(filters: Filters, language: Language) -> tuple[Way, ...]:
    """Return the three parts of a category."""
    category = filters.category

    def here(state: str) -> str:
        kept = {"category": category, "state": state}
        return address_of("/history/inquiries", {name: value for name, value in kept.items() if value})

    done, review = (
        _DONE_TEXTS.get(category, "history.done_inquiries"),
        _REVIEW_TEXTS.get(category, "history.review_inquiries"),
    )
    return (
        Way(
            text("history.new_inquiry", language),
            _BILL_INQUIRY if category == BILLS else _ANY_SERVICE,
            is_here=False,
            icon="question",
        ),
        Way(text(done, language), here(""), filters.state != REVIEW, "table"),
        Way(text(review, language), here(REVIEW), filters.state == REVIEW, "warning"),
    )


def inquiry_history_pages(web: Web) -> list[Any]:
    """Return the handlers of these pages."""

    @get("/history/inquiries", guards=[signed_in], opt={ACT: "history"})
    async def inquiries(request: AnyRequest) -> Response[str]:
        filters = filters_of(web, request)
        history = web.counter.history
        named = naming(catalogue_of(web)).inquiries
        asked = asked_of(filters, "inquiry", known_of(web, named))
        found = find_page(
            history,
            asked.sought,
            history.inquiries_at,
            before_index=number_of(request.query_params.get("before", "")),
            first_row=number_of(request.query_params.get("row", "")) or 1,
        )
        language = language_of(request)
        rows = _rows(web, found.rows, found.first_row, language)
        form = form_of(web, request, filters, asked.wrong, groups=INQUIRY_GROUPS)
        form = with_names(request, form, named, "history.find_inquiry_hint")
        form = msgspec.structs.replace(form, parts=_parts(filters, language))
        return page(
            web,
            request,
            "history_inquiries.html",
            rows=rows,
            some_shut=any(row.is_shut for row in rows),
            **page_facts(form, found),
        )

    return [inquiries]
