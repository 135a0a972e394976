"""Searching what was done, newest first, a page at a time by cursor: rows never move while somebody reads them."""

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import msgspec

from edge.web.ports import InquiryView, PaymentView, Queries
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState
from shared.text import fold_number

PAGE_ROWS: Final = 20
SCAN_ROWS_MAX: Final = 5_000
"""How far back a search looks before it says that it stopped: the box answers pages from one small processor."""
_BATCH_ROWS: Final = 200

Row = TypeVar("Row", PaymentView, InquiryView)

_MARKS: Final = str.maketrans("", "", ",،٬٫./'")


class Stop(msgspec.Struct, frozen=True):
    """Where a search ended without having looked at everything."""

    before_index: int
    """The cursor with which it goes on."""
    at: str
    """When the last row it looked at was requested."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A page of payments; `older` is the cursor of the next one, None at the end."""

    rows: list[PaymentView]
    older: int | None
    stopped: Stop | None = None


class FoundInquiries(msgspec.Struct, frozen=True, kw_only=True):
    """A page of inquiries; `older` is the cursor of the next one, None at the end."""

    rows: list[InquiryView]
    older: int | None
    stopped: Stop | None = None


STATE_FILTERS: Final[dict[str, frozenset[PaymentState] | None]] = {
    "all": None,
    "review": None,
    "paid": CHARGED,
    "failed": CERTAINLY_UNCHARGED,
}
"""What the history can be narrowed to. `review` is not a set of states: it looks at the confirmation as well."""


def _needs_review(payment: PaymentView) -> bool:
    doubtful = payment.state in (PaymentState.IN_DOUBT, PaymentState.REVERSAL_IN_DOUBT)
    return doubtful or payment.doubled or payment.confirmation == "refused" or payment.late


def _matches(payment: PaymentView, wanted: str) -> bool:
    """Return whether a number that stands on a paper is one of this payment's."""
    numbers = (payment.stan, payment.rrn, payment.bill_id, payment.bill_payment_id, payment.payment_id)
    amounts = (str(payment.amount_rial), str(payment.amount_rial // 10))
    return any(wanted in number for number in numbers if number) or wanted in amounts


def _matches_inquiry(inquiry: InquiryView, wanted: str) -> bool:
    numbers = (str(inquiry.ticket), inquiry.parameter_tail, inquiry.bill_id or "", inquiry.inquiry_id)
    return wanted in numbers or wanted.endswith(inquiry.parameter_tail)


def _scan(
    fetch: Callable[[int | None, int], list[Row]], before_index: int | None, keep: Callable[[Row], bool], first: int
) -> Iterator[Row | Stop]:
    """Yield rows that are kept, reading in batches, no further than the limit; last where it stopped, if it did.

    The first batch is of `first` rows: where all are kept, no more are read than a page shows.
    """
    read, rows = 0, min(first, _BATCH_ROWS)
    while True:
        batch = fetch(before_index, rows)
        yield from (row for row in batch if keep(row))
        if len(batch) < rows:
            return
        rows = _BATCH_ROWS
        read += len(batch)
        before_index = batch[-1].requested_index
        if read >= SCAN_ROWS_MAX:
            if fetch(before_index, 1):
                yield Stop(before_index, batch[-1].requested_at)
            return


def _first_rows(limit: int, *, sifts: bool) -> int:
    """Return how many rows are read first: one more than is shown, or a whole batch where most will not be kept."""
    return _BATCH_ROWS if sifts else limit + 1


def _first_page(rows: Iterator[Row | Stop], limit: int) -> tuple[list[Row], int | None, Stop | None]:
    page: list[Row] = []
    for row in rows:
        if isinstance(row, Stop):
            return page, None, row
        if len(page) == limit:
            return page, page[-1].requested_index, None
        page.append(row)
    return page, None, None


def find_payments(
    queries: Queries,
    *,
    text: str,
    narrow: str,
    before_index: int | None,
    limit: int = PAGE_ROWS,
    is_doubted: Callable[[PaymentView], bool] = lambda _: False,
) -> Found:
    """Return payments whose numbers hold `text`, narrowed by a key of STATE_FILTERS.

    `is_doubted` says of a payment whether a person may decide about it: one to be reviewed, whatever its state.
    """
    wanted = fold_number(text).translate(_MARKS).lower()
    states = STATE_FILTERS.get(narrow)

    def keep(payment: PaymentView) -> bool:
        if narrow == "review" and not _needs_review(payment) and not is_doubted(payment):
            return False
        return not wanted or _matches(payment, wanted)

    kept = _scan(
        lambda at, n: queries.payments(at, n, states),
        before_index,
        keep,
        _first_rows(limit, sifts=bool(wanted) or narrow == "review"),
    )
    rows, older, stopped = _first_page(kept, limit)
    return Found(rows=rows, older=older, stopped=stopped)


def find_inquiries(queries: Queries, *, text: str, before_index: int | None, limit: int = PAGE_ROWS) -> FoundInquiries:
    """Return inquiries by ticket number, the number asked about, or the bill that was answered."""
    wanted = fold_number(text).lower()
    kept = _scan(
        queries.inquiries,
        before_index,
        lambda row: not wanted or _matches_inquiry(row, wanted),
        _first_rows(limit, sifts=bool(wanted)),
    )
    rows, older, stopped = _first_page(kept, limit)
    return FoundInquiries(rows=rows, older=older, stopped=stopped)
