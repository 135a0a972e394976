"""Pages of what was asked: for each category what is new, what was done, and what was paid for without a result."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect, Stream

from edge.journal.services import ServiceRequestView
from edge.web.guards import ACT, own_form, signed_in
from edge.web.history import find_page, nothing, number_of, walk
from edge.web.history_filters import (
    Way,
    address_of,
    form_of,
    given_of,
    look_for,
    page_facts,
    sought_by,
    with_names,
)
from edge.web.history_search import INQUIRY_GROUPS, Filters
from edge.web.history_workbook import Workbooks
from edge.web.kept_searches import Searches
from edge.web.ports.counter import InquiryView
from edge.web.rendering import AnyRequest, Web, catalogue_of, language_of, page
from edge.web.texts import text
from edge.web.transaction_names import BILLS, naming
from edge.web.workbook import Cell
from shared.calendar import jalali_datetime_text
from shared.clock import parse_instant
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
_COLUMNS: Final = (
    ("history.row", 7),
    ("history.ticket", 9),
    ("history.applicant", 18),
    ("history.inquiry_name", 34),
    ("history.at", 20),
    ("history.amount_rial", 16),
    ("history.status", 26),
    ("history.fee", 22),
    ("history.answered_at", 20),
    ("fact.operator", 14),
    ("history.inquiry_id", 24),
)
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


def _inquiries(web: Web, searches: Searches, request: AnyRequest) -> Response[str]:
    given = given_of(web, searches, request)
    history, language = web.counter.history, language_of(request)
    named = naming(catalogue_of(web)).inquiries
    asked = sought_by(web, given.filters, "inquiry", named)
    found = (
        nothing()
        if given.is_lost
        else find_page(
            history,
            asked.sought,
            history.inquiries_at,
            before_index=number_of(request.query_params.get("before", "")),
            first_row=number_of(request.query_params.get("row", "")) or 1,
        )
    )
    rows = _rows(web, found.rows, found.first_row, language)
    form = form_of(web, request, given, asked.wrong, groups=INQUIRY_GROUPS)
    form = with_names(request, form, named, "history.find_inquiry_hint")
    form = msgspec.structs.replace(form, parts=_parts(given.filters, language))
    return page(
        web,
        request,
        "history_inquiries.html",
        rows=rows,
        some_shut=any(row.is_shut for row in rows),
        **page_facts(form, found),
    )


def _moment(instant: str | None) -> str | None:
    return None if instant is None else jalali_datetime_text(parse_instant(instant), "en")


def _cells(web: Web, filters: Filters, language: Language) -> Iterator[Sequence[Cell]]:
    """Yield the rows of the workbook."""
    history = web.counter.history
    sought = sought_by(web, filters, "inquiry", naming(catalogue_of(web)).inquiries).sought
    number = 1
    for batch in walk(history, sought, history.inquiries_at):
        for row in _rows(web, batch, number, language):
            one = row.inquiry
            yield (
                row.number,
                str(one.ticket),
                row.applicant,
                row.name,
                _moment(one.requested_at),
                row.amount_rial,
                row.status.word(language),
                None if row.fee_status is None else row.fee_status.word(language),
                _moment(one.answered_at),
                one.operator,
                one.inquiry_id,
            )
        number += len(batch)


def inquiry_history_pages(web: Web, searches: Searches, workbooks: Workbooks) -> list[Any]:
    """Return the handlers of these pages."""

    @get("/history/inquiries", guards=[signed_in], opt={ACT: "history"})
    async def inquiries(request: AnyRequest) -> Response[str]:
        return _inquiries(web, searches, request)

    @post("/history/inquiries", guards=[signed_in, own_form], opt={ACT: "history"})
    async def find_inquiries(request: AnyRequest) -> Redirect:
        return await look_for(searches, request)

    @get("/history/inquiries.xlsx", guards=[signed_in], opt={ACT: "history"})
    async def inquiries_workbook(request: AnyRequest) -> Stream | Redirect:
        given = given_of(web, searches, request)
        if given.is_lost:
            return Redirect(address_of("/history/inquiries", dict(request.query_params)), status_code=303)
        rows = _cells(web, given.filters, language_of(request))
        return await workbooks.answer(request, "inquiries", "nav.inquiries", _COLUMNS, rows)

    return [inquiries, find_inquiries, inquiries_workbook]
