"""Pages of what was done: payments and inquiries, searched, printed, taken as a table."""

import csv
import io
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlencode

from litestar import Response, get

from edge.web.bill_kinds import KIND_TEXTS
from edge.web.guards import signed_in
from edge.web.history import SCAN_ROWS_MAX, STATE_FILTERS, Stop, find_inquiries, find_payments
from edge.web.payment_view import ahead_of, status_key_now, transaction_name
from edge.web.ports import Counter, InquiryView, PaymentView
from edge.web.rendering import AnyRequest, Web, language_of, page
from edge.web.texts import text
from shared.calendar import jalali_datetime_text
from shared.clock import parse_instant
from shared.display import STATUSES, Status, inquiry_status
from shared.text import Language, fold_number, is_digits

EXPORT_ROWS_MAX = 5_000
_COLUMNS = (
    "history.row",
    "history.name",
    "history.at",
    "history.amount_rial",
    "history.payment_status",
    "history.stan",
    "history.rrn",
    "bill.bill_id",
    "bill.payment_id",
    "fact.payment",
)


class _InquiryRow(NamedTuple):
    """An inquiry in the table; `name` is a text's key."""

    number: int
    inquiry: InquiryView
    name: str
    status: Status


def _number(value: str | None) -> int | None:
    """Return a cursor of an address; what is not one counts as none given."""
    digits = fold_number(value or "")
    return int(digits) if is_digits(digits) and len(digits) < 16 else None  # noqa: PLR2004 - fits SQLite's integers


def _export(counter: Counter, payments: list[PaymentView], language: Language, *, is_whole: bool) -> str:
    """Return a table that spreadsheets open: UTF-8 with its mark, amounts as plain digits, long numbers as text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([text(column, language) for column in _COLUMNS])
    for row, payment in enumerate(payments, start=1):
        numbers = (payment.stan, payment.rrn, payment.bill_id, payment.bill_payment_id)
        writer.writerow(
            [
                row,
                transaction_name(payment, language),
                jalali_datetime_text(parse_instant(payment.requested_at), "en"),
                payment.amount_rial,
                STATUSES[status_key_now(counter, payment)].word(language),
                # A formula that yields text: leading zeros and all digits stay.
                *(f'="{number}"' if number else "" for number in numbers),
                payment.payment_id,
            ]
        )
    if not is_whole:
        writer.writerow([text("history.export_stopped", language)])
    return "\ufeff" + out.getvalue()


def _narrow(request: AnyRequest) -> str:
    narrow = request.query_params.get("state", "all")
    return narrow if narrow in STATE_FILTERS else "all"


def _pager(
    kept: dict[str, str], request: AnyRequest, older: int | None, stopped: Stop | None, next_row: int
) -> dict[str, Any]:
    """Return the addresses of the next page and of the first one, None where there is none, and where it stopped."""
    return {
        "stopped": stopped,
        "stopped_rows": SCAN_ROWS_MAX,
        "go_on_query": urlencode({**kept, "before": stopped.before_index, "row": next_row}) if stopped else None,
        "older_query": None if older is None else urlencode({**kept, "before": older, "row": next_row}),
        "newest_query": urlencode(kept) if request.query_params.get("before") else None,
    }


def _is_doubted(web: Web, payment: PaymentView) -> bool:
    return bool(web.counter.words_taken(payment))


def _payments(web: Web, request: AnyRequest) -> Response[str]:
    query = request.query_params
    wanted, narrow = query.get("q", ""), _narrow(request)
    first_row = _number(query.get("row")) or 1
    found = find_payments(
        web.counter.queries,
        text=wanted,
        narrow=narrow,
        before_index=_number(query.get("before")),
        is_doubted=partial(_is_doubted, web),
    )
    kept = {"q": wanted, "state": narrow}
    return page(
        web,
        request,
        "history_payments.html",
        rows=list(enumerate(found.rows, start=first_row)),
        ahead_of=partial(ahead_of, web.counter),
        q=wanted,
        narrow=narrow,
        is_search=bool(wanted) or narrow != "all",
        export_query=urlencode(kept),
        **_pager(kept, request, found.older, found.stopped, first_row + len(found.rows)),
    )


def _inquiries(web: Web, request: AnyRequest) -> Response[str]:
    query = request.query_params
    wanted = query.get("q", "")
    first_row = _number(query.get("row")) or 1
    found = find_inquiries(web.counter.queries, text=wanted, before_index=_number(query.get("before")))
    return page(
        web,
        request,
        "history_inquiries.html",
        rows=[
            _InquiryRow(first_row + place, inquiry, KIND_TEXTS[inquiry.kind], inquiry_status(inquiry.outcome))
            for place, inquiry in enumerate(found.rows)
        ],
        q=wanted,
        is_search=bool(wanted),
        **_pager({"q": wanted}, request, found.older, found.stopped, first_row + len(found.rows)),
    )


def history_pages(web: Web) -> list[Any]:
    """Return the handlers of these pages."""

    @get("/history/payments", guards=[signed_in])
    async def payments(request: AnyRequest) -> Response[str]:
        return _payments(web, request)

    @get("/history/payments.csv", guards=[signed_in])
    async def payments_table(request: AnyRequest) -> Response[bytes]:
        wanted = request.query_params.get("q", "")
        found = find_payments(
            web.counter.queries,
            text=wanted,
            narrow=_narrow(request),
            before_index=None,
            limit=EXPORT_ROWS_MAX,
            is_doubted=partial(_is_doubted, web),
        )
        return Response(
            _export(
                web.counter, found.rows, language_of(request), is_whole=not (found.older or found.stopped)
            ).encode(),
            media_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": 'attachment; filename="daftar-payments.csv"',
                "Cache-Control": "no-store",
            },
        )

    @get("/history/inquiries", guards=[signed_in])
    async def inquiries(request: AnyRequest) -> Response[str]:
        return _inquiries(web, request)

    return [payments, payments_table, inquiries]
