"""Pages of what was paid: found by what stands on papers, printed again, taken as a workbook."""

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Stream

from edge.journal.views import ListedPayment
from edge.web.guards import ACT, own_form, signed_in
from edge.web.history import Found, find_page, nothing, number_of, sift_page, walk
from edge.web.history_filters import (
    DAY_FIELDS,
    Given,
    address_of,
    form_of,
    given_of,
    look_for,
    month_part,
    page_facts,
    sought_by,
    with_money,
    with_names,
)
from edge.web.history_search import PAYMENT_GROUPS, Filters
from edge.web.history_workbook import Workbooks
from edge.web.kept_searches import Searches
from edge.web.payment_view import ahead_of, status_key_now
from edge.web.ports.counter import PaymentView
from edge.web.rendering import AnyRequest, Web, catalogue_for, catalogue_of, language_of, page
from edge.web.transaction_names import Naming, naming
from edge.web.workbook import Cell
from shared.calendar import jalali_datetime_text
from shared.clock import parse_instant
from shared.display import STATUSES
from shared.errors import OperatorError
from shared.payment import CHARGED, DOUBTFUL
from shared.service_fields import field_text
from shared.text import Language

_COLUMNS: Final = (
    ("history.row", 7),
    ("history.applicant", 18),
    ("history.name", 34),
    ("history.at", 20),
    ("history.amount_rial", 16),
    ("history.payment_status", 26),
    ("history.stan", 13),
    ("history.rrn", 16),
    ("bill.bill_id", 16),
    ("bill.payment_id", 16),
    ("fact.terminal_number", 14),
    ("fact.operator", 14),
    ("fact.payment", 24),
)


_TOLD_MAX: Final = 512


class Row(NamedTuple):
    """A payment in the table."""

    number: int
    payment: ListedPayment
    name: str
    applicant: str
    """Who the service is about, opened for this page; empty where there is none."""
    bill: str
    """The bill's id, where that is who it is about."""
    is_shut: bool
    """Whether only the end of the applicant is left to be read here."""
    ahead: int | None
    may_print: bool
    may_check: bool


def _needs_review(web: Web, payment: PaymentView) -> bool:
    if payment.state in DOUBTFUL or payment.doubled or payment.confirmation == "refused" or payment.late:
        return True
    return bool(web.counter.words_taken(payment))


def _applicants(web: Web, payments: Sequence[ListedPayment], language: Language) -> dict[str, tuple[str, bool]]:
    """Return by request whom it is about, and whether that is only the end of it."""
    found = {}
    asked = [payment.inquiry_id for payment in payments if payment.inquiry_id and payment.service]
    for inquiry_id, who in web.counter.history.applicants(asked).items():
        if who.field is not None and who.value:
            found[inquiry_id] = (field_text(who.field, who.value, language), False)
        else:
            found[inquiry_id] = (f"…{who.tail}", True)
    return found


def _rows(
    web: Web, names: Naming, payments: Sequence[ListedPayment], first_row: int, language: Language
) -> tuple[Row, ...]:
    applicants = _applicants(web, payments, language)
    rows = []
    for place, payment in enumerate(payments):
        name, may_print, may_check = _told(names, payment, language)
        applicant, is_shut = applicants.get(payment.inquiry_id or "", ("", False))
        rows.append(
            Row(
                number=first_row + place,
                payment=payment,
                name=name,
                applicant=applicant,
                bill="" if applicant else payment.bill_id or "",
                is_shut=is_shut,
                ahead=ahead_of(web.counter, payment),
                may_print=may_print,
                may_check=may_check,
            )
        )
    return tuple(rows)


@lru_cache(_TOLD_MAX)
def _told(names: Naming, payment: ListedPayment, language: Language) -> tuple[str, bool, bool]:
    """Return what a payment is called, and whether it may be printed and checked: by nothing but what it is given."""
    may_print = payment.state in CHARGED and not payment.unacknowledged
    return names.payment(payment).word(language), may_print, payment.state in DOUBTFUL


def _found(
    web: Web, names: Naming, given: Given, request: AnyRequest
) -> tuple[Found[ListedPayment], dict[str, OperatorError]]:
    history, filters = web.counter.history, given.filters
    asked = sought_by(web, filters, "payment", names.payments)
    if given.is_lost:
        return nothing(), asked.wrong
    before = number_of(request.query_params.get("before", ""))
    first_row = number_of(request.query_params.get("row", "")) or 1
    found: Found[ListedPayment]
    if filters.state == "review":
        keep = partial(_needs_review, web)
        sifted = sift_page(history, asked.sought, history.payments_at, keep, before_index=before, first_row=first_row)
        found = sifted
    else:
        found = find_page(history, asked.sought, history.listed_at, before_index=before, first_row=first_row)
    # Its own name is in no index, so that other filters cannot narrow it.
    by_name = not found.rows and before is None and filters == Filters(q=filters.q)
    if by_name and (payment := web.counter.queries.payment(filters.q)) is not None:
        found = Found(rows=[payment], first_row=1, older=None, page=1, pages=1, is_counted=True)
    return found, asked.wrong


def _payments(web: Web, searches: Searches, request: AnyRequest) -> Response[str]:
    given, names = given_of(web, searches, request), naming(catalogue_for(web, request))
    found, wrong = _found(web, names, given, request)
    rows = _rows(web, names, found.rows, found.first_row, language_of(request))
    form = form_of(web, request, given, wrong, groups=PAYMENT_GROUPS)
    form = with_money(web, request, with_names(request, form, names.payments, "history.find_hint"))
    return page(
        web,
        request,
        "history_payments.html",
        rows=rows,
        some_shut=any(row.is_shut for row in rows),
        names_applicant=any(row.applicant for row in rows),
        **page_facts(form, found),
    )


def _cells(web: Web, filters: Filters, language: Language, names: Naming) -> Iterator[Sequence[Cell]]:
    """Yield the rows of the workbook."""
    history = web.counter.history
    sought = sought_by(web, filters, "payment", names.payments).sought
    number = 0
    for batch in walk(history, sought, history.payments_at):
        payments = [one for one in batch if filters.state != "review" or _needs_review(web, one)]
        applicants = _applicants(web, payments, language)
        for payment in payments:
            number += 1
            applicant, _ = applicants.get(payment.inquiry_id or "", ("", False))
            yield (
                number,
                applicant,
                names.payment(payment).word(language),
                jalali_datetime_text(parse_instant(payment.requested_at), "en"),
                payment.amount_rial,
                STATUSES[status_key_now(web.counter, payment)].word(language),
                payment.stan,
                payment.rrn,
                payment.bill_id,
                payment.bill_payment_id,
                payment.terminal_number,
                payment.operator,
                payment.payment_id,
            )


def history_pages(web: Web, searches: Searches, workbooks: Workbooks) -> list[Any]:
    """Return the handlers of these pages."""

    @get("/history/payments", guards=[signed_in], opt={ACT: "history"})
    async def payments(request: AnyRequest) -> Response[str]:
        with web.counter.queries.one_moment():
            return _payments(web, searches, request)

    @post("/history/payments", guards=[signed_in, own_form], opt={ACT: "history"})
    async def find_payments(request: AnyRequest) -> Redirect:
        return await look_for(searches, request)

    @get("/history/calendar/{field:str}", guards=[signed_in])
    async def calendar(request: AnyRequest, field: FromPath[str]) -> Response[str]:
        if field not in DAY_FIELDS:
            raise NotFoundException
        return month_part(web, request, field)

    @get("/history/payments.xlsx", guards=[signed_in], opt={ACT: "history"})
    async def payments_workbook(request: AnyRequest) -> Stream | Redirect:
        given = given_of(web, searches, request)
        if given.is_lost:
            return Redirect(address_of("/history/payments", dict(request.query_params)), status_code=303)
        rows = _cells(web, given.filters, language_of(request), naming(catalogue_of(web)))
        return await workbooks.answer(request, "payments", "nav.payments", _COLUMNS, rows)

    return [payments, find_payments, calendar, payments_workbook]
