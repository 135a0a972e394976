"""The index of the history: what each entry changes of it, and which entries have the terms that are looked for."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

import apsw

from edge.journal.finding import (
    Sought,
    Term,
    act_terms,
    inquiry_terms,
    is_act,
    listed_term,
    payment_terms,
    request_terms,
)
from edge.journal.ports import Recorded
from edge.journal.views import Confirmation
from edge.store import service_rows
from edge.store.row_views import INQUIRY, inquiry_of
from shared.events import (
    Body,
    InquiryRequested,
    PaymentRequested,
    PaymentSent,
    Purpose,
    ReceiptPrinted,
    ServiceRequested,
    StatusQueried,
)
from shared.payment import PaymentState

_TERM: Final = re.compile(r"[a-z0-9_]+", re.ASCII)
"""What terms are made of; whatever else is looked for is in no document."""
_EVERY_PAYMENT: Final[Sought] = ((Term(listed_term("payment")),),)
_PAYMENTS_DOWN: Final = (
    "SELECT requested_index FROM payment WHERE requested_index < ? ORDER BY requested_index DESC LIMIT ?"
)
VOCABULARY: Final = "temp.finding_vocabulary"
"""What the index holds, as rows of term and document: by it two of them are compared."""
_UNCHANGING: Final = (PaymentSent, StatusQueried)
"""Entries about a payment that change nothing by which it is found."""
_MORE_THAN_ACTS: Final = (PaymentRequested, InquiryRequested, ServiceRequested)
"""Entries that a document begins with."""

Document = tuple[int, tuple[str, ...]]
"""The index of an entry, and its terms."""


class _Payment(NamedTuple):
    """A payment's row, as far as it is found by it."""

    requested_index: int
    requested_at: str
    purpose: Purpose
    service: str
    amount_rial: int
    state: PaymentState
    confirmation: Confirmation
    late: bool
    doubled: bool
    terminal: str
    operator: str
    bill_id: str | None
    bill_payment_id: str | None
    stan: str | None
    rrn: str | None
    pan: str | None


_PAYMENT: Final = (
    f"SELECT {', '.join(_Payment._fields)}, "  # noqa: S608 - names of this package
    "iif(purpose = 'inquiry_fee', inquiry_id, NULL), item_count, "
    "EXISTS (SELECT 1 FROM alarm WHERE alarm.payment_id = payment.payment_id), "
    "(SELECT search_key FROM service_request WHERE service_request.inquiry_id = payment.inquiry_id) "
    "FROM payment WHERE payment_id = ?"
)
_BILLS: Final = "SELECT coalesce(bill_id, ''), coalesce(bill_payment_id, '') FROM holding WHERE payment_id = ?"


def payment_document(connection: apsw.Connection, payment_id: str) -> Iterator[Document]:
    """Yield the document of a payment by what the rows say now, if there is one."""
    for document, _ in _payment_and_request(connection, payment_id):
        yield document


def _payment_and_request(connection: apsw.Connection, payment_id: str) -> list[tuple[Document, str | None]]:
    """Return the document of a payment, if there is one, with the request that it is the fee of."""
    found = []
    for *members, inquiry_id, item_count, alarmed, search_key in connection.execute(_PAYMENT, (payment_id,)):
        bills = tuple(connection.execute(_BILLS, (payment_id,))) if item_count else ()
        found.append((_document(tuple(members), bool(alarmed), search_key or "", bills), inquiry_id))
    return found


@lru_cache(512)
def _document(
    members: tuple[Any, ...],
    alarmed: bool,  # noqa: FBT001 - of a row, in its order
    search_key: str,
    bills: tuple[tuple[str, str], ...],
) -> Document:
    """Return what rows are found by. What one entry leaves is what the next one finds: it is worked out once."""
    found = _Payment(*members)
    payment = found._replace(state=PaymentState(found.state))
    return payment.requested_index, payment_terms(payment, alarmed=alarmed, search_key=search_key, bills=bills)


def documents_of(connection: apsw.Connection, body: Body) -> tuple[Document, ...]:
    """Return the documents that an entry may change, as they stand now: of a payment, and of what it is the fee of."""
    if isinstance(body, _UNCHANGING):
        return ()
    payment_id, inquiry_id = getattr(body, "payment_id", None), getattr(body, "inquiry_id", None)
    if isinstance(body, ReceiptPrinted):
        # A fee's receipt may open the answer of its request.
        payment_id = body.about
    found: list[Document] = []
    if isinstance(payment_id, str):
        for document, fee_of in _payment_and_request(connection, payment_id):
            found.append(document)
            inquiry_id = inquiry_id or fee_of
    if isinstance(inquiry_id, str):
        found += _inquiry_document(connection, inquiry_id)
    return tuple(found)


def _inquiry_document(connection: apsw.Connection, inquiry_id: str) -> Iterator[Document]:
    request = service_rows.request(connection, inquiry_id)
    if request is not None:
        yield request.requested_index, request_terms(request)
    for row in connection.execute(INQUIRY + "WHERE inquiry_id = ?", (inquiry_id,)):
        inquiry = inquiry_of(row)
        yield inquiry.requested_index, inquiry_terms(inquiry)


def note(connection: apsw.Connection, body: Body, before: tuple[Document, ...]) -> None:
    """Bring the index to what the rows say after an entry; `before` is what `documents_of` it said before."""
    if not before and not isinstance(body, _MORE_THAN_ACTS):
        return  # Of something this file has not, and does not get by this.
    after = documents_of(connection, body)
    if after == before:
        return
    for index, terms in before:
        _take_out(connection, index, terms)
    for index, terms in after:
        put_in(connection, index, terms)


def note_act(connection: apsw.Connection, at: Recorded) -> None:
    """Put an act into the index. One that is a payment or an inquiry as well is there with what it is."""
    if is_act(at.body) and not isinstance(at.body, _MORE_THAN_ACTS):
        put_in(connection, at.index, act_terms(at.body, at.entry.at))


def put_in(connection: apsw.Connection, index: int, terms: tuple[str, ...]) -> None:
    """Put a document into the index; there must be none of that entry."""
    connection.execute("INSERT INTO finding (rowid, terms) VALUES (?, ?)", (index, " ".join(terms)))


def _take_out(connection: apsw.Connection, index: int, terms: tuple[str, ...]) -> None:
    connection.execute("INSERT INTO finding (finding, rowid, terms) VALUES ('delete', ?, ?)", (index, " ".join(terms)))


# --- asking ---------------------------------------------------------------------------------------------------------


def find(connection: apsw.Connection, sought: Sought, before_index: int | None, limit: int) -> list[int]:
    """Return the newest entries before an index whose documents meet all demands, newest first."""
    demands = [[term for term in demand if _TERM.fullmatch(term.text)] for demand in sought]
    if not all(demands):
        return []
    before = 2**62 if before_index is None else before_index
    if sought == _EVERY_PAYMENT:
        # Its table lists them by itself, in a third of the time.
        rows = connection.execute(_PAYMENTS_DOWN, (before, limit))
    else:
        rows = connection.execute(
            "SELECT rowid FROM finding WHERE finding MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
            (_expression(demands), before, limit),
        )
    return [row[0] for row in rows]


def _expression(demands: Iterable[Iterable[Term]]) -> str:
    """Return demands in the words of SQLite's full text."""
    return " AND ".join(
        "(" + " OR ".join(f'"{term.text}"' + ("*" if term.begins else "") for term in demand) + ")"
        for demand in demands
    )


def vocabulary(connection: apsw.Connection) -> Iterator[tuple[str, int]]:
    """Yield each term with each of its documents, in order."""
    connection.execute(
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {VOCABULARY} USING fts5vocab ('main', 'finding', 'instance')"
    )
    yield from connection.execute(f"SELECT term, doc FROM {VOCABULARY}")  # noqa: S608 - a constant
