"""Payments of all offices, one payment's whole life, and the ledger they make."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from litestar import Response, get
from litestar.params import FromPath
from sqlalchemy import Connection

from central.ledger import queries as books
from central.ledger.item_queries import items_of, payment_items
from central.ledger.left_behind import stands_as
from central.ledger.queries import PaymentFilter, PaymentRow
from central.providers.queries import subject_tasks
from central.reconciliation.doubts import CONTRADICTABLE, disputed_since
from central.reconciliation.queries import payment_cases, payment_decisions
from central.reconciliation.statements import answers, statements
from central.web.guards import signed_in
from central.web.lists import FILE_ROWS_MAX, as_file, before_of, older_query, wants_file
from central.web.rendering import PAGE_ROWS, AnyRequest, Web, page
from shared.calendar import tehran_date
from shared.errors import OperatorError
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, DOUBTFUL, LATE, OPEN, UNDOING, PaymentState
from shared.text import fold_number

STATE_GROUPS: Final[dict[str, tuple[PaymentState, ...]]] = {
    "charged": tuple(sorted(CHARGED)),
    "in_doubt": tuple(sorted(OPEN)),
    "undoing": tuple(sorted(UNDOING)),
    "uncharged": tuple(sorted(CERTAINLY_UNCHARGED)),
}
CONFIRMATIONS: Final = ("none", "queued", "confirmed", "refused")
ANSWERABLE: Final = CONTRADICTABLE | DOUBTFUL
"""States of a payment about which an acquirer's word is news to its office."""
_SETTLED: Final = {"yes": True, "no": False}
_TEXT_MAX: Final = 60
_NOTHING_TYPED: Final = {"charged": "", "rrn": "", "reason": ""}
"""The form about what an acquirer said, empty."""

PAYMENT_COLUMNS: Final = (
    "office_id",
    "payment_id",
    "requested_claim",
    "received_at",
    "purpose",
    "service",
    "item",
    "amount_rial",
    "state",
    "confirmation",
    "bill_id",
    "bill_payment_id",
    "terminal_number",
    "stan",
    "rrn",
    "pan",
    "settled_file",
    "settled_line",
)

_OF_ITEM: Final = ("item", "amount_rial", "confirmation", "bill_id", "bill_payment_id")
"""Columns that are an item's own where the payment has items."""


def filter_of(request: AnyRequest, today: date) -> PaymentFilter:
    """Return what a list of payments is asked for; members that mean nothing are not asked."""
    asked = request.query_params
    confirmation = asked.get("confirmation", "")
    return PaymentFilter(
        office_id=asked.get("office", "")[:_TEXT_MAX] or None,
        states=STATE_GROUPS.get(asked.get("state", ""), ()),
        confirmation=confirmation if confirmation in CONFIRMATIONS else None,
        settled=_SETTLED.get(asked.get("settled", "")),
        late_on=today if asked.get("settled") == "late" else None,
        text=fold_number(asked.get("q", ""))[:_TEXT_MAX],
    )


def payment_cells(connection: Connection, rows: Sequence[PaymentRow]) -> Iterator[list[object]]:
    """Yield payments as cells of a file; a charge of several bills in as many rows, whose amounts make up its own."""
    items = items_of(connection, [(row.office_id, row.payment_id) for row in rows if row.item_count])
    for row in rows:
        cells: dict[str, object] = {name: getattr(row, name, None) for name in PAYMENT_COLUMNS}
        cells["state"] = str(row.state)
        for item in items.get((row.office_id, row.payment_id), (None,)):
            of_item = {} if item is None else {name: getattr(item, name) for name in _OF_ITEM}
            yield [*{**cells, **of_item}.values()]


def payment_page(
    web: Web, request: AnyRequest, office_id: str, payment_id: str, *, status_code: int = 200, **context: Any
) -> Response[str]:
    """Return the page of a payment's whole life. Raises OperatorError `web.not_found`."""
    with web.engine.connect() as connection:
        found = books.payment(connection, office_id, payment_id)
        if found is None:
            raise OperatorError("web.not_found")
        standing = stands_as(connection, office_id, found.journal_id, found.state)
        everything = {"told": None, "wrong": None, **context}
        typed = {**_NOTHING_TYPED, **everything.pop("typed", {})}
        return page(
            web,
            request,
            "payment.html",
            status_code=status_code,
            payment=found,
            entries=books.payment_entries(connection, office_id, payment_id),
            items=payment_items(connection, office_id, payment_id),
            transfers=books.payment_transfers(connection, office_id, payment_id),
            tasks=subject_tasks(connection, office_id, payment_id),
            answers=answers(connection, office_id, payment_id),
            statements=statements(connection, office_id, payment_id),
            decisions=payment_decisions(connection, office_id, payment_id),
            cases=payment_cases(connection, office_id, payment_id),
            same=books.same_obligation(connection, found),
            answerable=standing in ANSWERABLE,
            left_open=standing is not found.state,
            about_reversal=standing is PaymentState.REVERSAL_IN_DOUBT,
            in_doubt=standing in DOUBTFUL,
            disputed=found.state in LATE and disputed_since(connection, office_id, payment_id) is not None,
            typed=typed,
            **everything,
        )


def payment_pages(web: Web) -> list[Any]:
    """Return the handlers of payments."""

    @get("/payments", guards=[signed_in], sync_to_thread=True)
    def show_payments(request: AnyRequest) -> Response[Any]:
        wanted = filter_of(request, tehran_date(web.clock.now()))
        with web.engine.connect() as connection:
            if wants_file(request):
                rows = books.payments(connection, wanted, limit=FILE_ROWS_MAX)
                return as_file("payments", PAYMENT_COLUMNS, payment_cells(connection, rows))
            rows = books.payments(connection, wanted, before=before_of(request), limit=PAGE_ROWS)
        return page(
            web,
            request,
            "payments.html",
            payments=rows,
            asked=dict(request.query_params),
            state_groups=tuple(STATE_GROUPS),
            confirmations=CONFIRMATIONS,
            older=older_query(request, [row.ordinal for row in rows]),
        )

    @get("/payments/{office_id:str}/{payment_id:str}", guards=[signed_in], sync_to_thread=True)
    def show_payment(request: AnyRequest, office_id: FromPath[str], payment_id: FromPath[str]) -> Response[str]:
        return payment_page(web, request, office_id, payment_id)

    return [show_payments, show_payment]


def ledger_pages(web: Web) -> list[Any]:
    """Return the handlers of the ledger."""

    @get("/ledger", guards=[signed_in], sync_to_thread=True)
    def show_ledger(request: AnyRequest) -> Response[Any]:
        office_id = request.query_params.get("office", "")[:_TEXT_MAX] or None
        with web.engine.connect() as connection:
            balance = books.trial_balance(connection, office_id)
        if wants_file(request):
            header = ("code", "name", "debits_rial", "credits_rial", "balance_rial", "side")
            return as_file(
                "trial-balance",
                header,
                [
                    (one.code, one.name_en, one.debits_rial, one.credits_rial, one.balance_rial, one.side)
                    for one in balance.accounts
                ],
            )
        return page(web, request, "ledger.html", balance=balance, office_id=office_id)

    @get("/ledger/account", guards=[signed_in], sync_to_thread=True)
    def show_account(request: AnyRequest) -> Response[Any]:
        code = request.query_params.get("code", "")
        with web.engine.connect() as connection:
            found = next((one for one in books.trial_balance(connection).accounts if one.code == code), None)
            if found is None:
                raise OperatorError("web.not_found")
            limit = FILE_ROWS_MAX if wants_file(request) else PAGE_ROWS
            rows = books.account_transfers(connection, code, before=before_of(request), limit=limit)
        if wants_file(request):
            header = ("made_at", "office_id", "phase", "debit", "credit", "amount_rial", "reason", "payment_id")
            return as_file("transfers", header, [[getattr(row, name) for name in header] for row in rows])
        return page(
            web,
            request,
            "account.html",
            account=found,
            transfers=rows,
            older=older_query(request, [row.ordinal for row in rows]),
        )

    return [show_ledger, show_account]
