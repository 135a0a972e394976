"""Follow-up of paid bills: found by what stands on the paper, seen, and their receipts printed once more."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from litestar import Response, get

from edge.journal.views import ItemView
from edge.web.elsewhere_view import elsewhere_status, elsewhere_text
from edge.web.guards import ACT, signed_in
from edge.web.in_the_way import InTheWay, line_status, standing_in_the_way
from edge.web.payment_view import paper_text
from edge.web.ports.counter import PaymentView
from edge.web.rendering import AnyRequest, Web, page
from shared.display import Status
from shared.errors import OperatorError
from shared.identifiers import BARCODE_DIGITS, BILL_ID_MAX_DIGITS, Bill, parse_bill
from shared.ids import item_name
from shared.payment import CHARGED
from shared.text import fold_number, is_digits

PATH: Final = "/bills/paid"
ROWS_MAX: Final = 20
"""Payments on a page; one may be of several bills."""
_INDEX_MAX: Final = 2**53


class PaidBill(msgspec.Struct, frozen=True, kw_only=True):
    """One bill of a payment."""

    bill: Bill
    payment: PaymentView
    item: int | None
    status: Status
    may_print: bool
    printed_before: bool
    paper_text: str


def paid_pages(web: Web) -> list[Any]:
    """Return the handlers of these pages."""

    @get(PATH, guards=[signed_in], opt={ACT: "bills"})
    async def paid(request: AnyRequest) -> Response[str]:
        typed = request.query_params.get("q", "").strip()
        digits = fold_number(typed)
        wrong = bool(typed) and not is_digits(digits)
        numbers = _numbers(digits) if typed and not wrong else ()
        before = _index(request.query_params.get("before", ""))
        payments = [] if wrong else _payments(web, numbers, before)
        rows = [row for payment in payments for row in _rows(web, payment, numbers)]
        full = len(payments) == ROWS_MAX
        return page(
            web,
            request,
            "paid_bills.html",
            q=typed,
            wrong=wrong,
            is_search=bool(numbers),
            rows=rows,
            held=_held(web, numbers, payments) if numbers and before is None else [],
            older=payments[-1].requested_index if full else None,
            is_newest=before is None,
        )

    return [paid]


def _numbers(digits: str) -> tuple[str, ...]:
    """Return what the payments' ids have to be: one id, or the two of a barcode, as they are kept."""
    if len(digits) == BARCODE_DIGITS:
        return digits[:BILL_ID_MAX_DIGITS].lstrip("0"), digits[BILL_ID_MAX_DIGITS:].lstrip("0")
    return (digits.lstrip("0"),)


def _index(text: str) -> int | None:
    return min(int(text), _INDEX_MAX) if is_digits(text) and len(text) <= len(str(_INDEX_MAX)) else None


def _payments(web: Web, numbers: tuple[str, ...], before: int | None) -> list[PaymentView]:
    """Return what was found: every attempt of a bill that is looked for, else what is charged of late."""
    if numbers:
        found = web.counter.queries.payments_by_paper(numbers, before, ROWS_MAX)
        # The two ids of a barcode are of one bill.
        return [one for one in found if any(_is_meant(*ids, numbers) for ids in _ids(one))]
    return web.counter.queries.payments(before, ROWS_MAX, CHARGED)


def _held(web: Web, numbers: tuple[str, ...], found: Sequence[PaymentView]) -> list[InTheWay]:
    """Return what holds a bill that is looked for and carries none of its numbers, or is of another box.

    One number alone finds it at the office's other boxes, by central's word; both, the whole of an answer that it is a
    part of, too.
    """
    if len(numbers) > 1:
        try:
            held = standing_in_the_way(web.counter, parse_bill(*numbers))
        except OperatorError:
            return []
        return [] if held is None or held.payment_id in {one.payment_id for one in found} else [held]
    return [
        InTheWay(held.payment_id, elsewhere_status(held), elsewhere_text(held))
        for held in web.counter.queries.others.payments_by_paper(numbers)
        if any(_is_meant(one.bill_id or "", one.bill_payment_id or "", numbers) for one in held.items)
    ]


def _ids(payment: PaymentView) -> list[tuple[str, str]]:
    return [(one.bill_id, one.bill_payment_id) for one in _paid(payment) if one.bill_id and one.bill_payment_id]


def _paid(payment: PaymentView) -> Sequence[PaymentView | ItemView]:
    return payment.items or (payment,)


def _is_meant(bill_id: str, payment_id: str, numbers: tuple[str, ...]) -> bool:
    if len(numbers) > 1:
        return (bill_id, payment_id) == numbers
    return not numbers or numbers[0] in (bill_id, payment_id)


def _rows(web: Web, payment: PaymentView, numbers: tuple[str, ...]) -> list[PaidBill]:
    """Return the bills of a payment that are looked for."""
    rows = []
    for number, paid in enumerate(_paid(payment)):
        if not paid.bill_id or not paid.bill_payment_id or not _is_meant(paid.bill_id, paid.bill_payment_id, numbers):
            continue
        item = number if payment.items else None
        about = payment.payment_id if item is None else item_name(payment.payment_id, item)
        jobs = web.counter.queries.print_jobs_for(about)
        rows.append(
            PaidBill(
                bill=parse_bill(paid.bill_id, paid.bill_payment_id),
                payment=payment,
                item=item,
                status=line_status(web.counter, payment, paid.confirmation),
                may_print=payment.state in CHARGED and not payment.unacknowledged,
                printed_before=bool(jobs) or paid.printed > 0,
                paper_text=paper_text(jobs, paid.printed),
            )
        )
    return rows
