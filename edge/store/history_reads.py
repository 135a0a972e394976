"""Reading of the history: payments, inquiries and acts, by what is looked for."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

import apsw
import msgspec

from edge.journal.finding import ActView, Sought
from edge.journal.services import ServiceRequestView
from edge.journal.views import InquiryView, ListedPayment, PaymentView
from edge.store import finding_rows, service_rows
from edge.store.row_views import INQUIRY, LISTED, PAYMENT, inquiry_of, listed_of, payment_of
from shared.events import JOURNAL_BODIES, decode_body
from shared.journal.entry import decode_entry

T = TypeVar("T")


class Reading(Protocol):
    """Calls a function of rows with the connection, and says in words what is wrong with the file."""

    def __call__(self, read: Callable[..., T], *values: Any) -> T:
        """Return what the function finds."""


class HistoryReads:
    """`edge.web.ports.history.HistoryQueries` over a connection."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    def find(self, sought: Sought, before_index: int | None, limit: int) -> list[int]:
        """Return the newest entries before an index that meet all demands, newest first."""
        return self.reading(finding_rows.find, sought, before_index, limit)

    def payments_at(self, indexes: Sequence[int]) -> list[PaymentView]:
        """Return the payments that were requested at these entries, newest first."""
        return self.reading(_payments_at, indexes)

    def listed_at(self, indexes: Sequence[int]) -> list[ListedPayment]:
        """Return what a list says of the payments that were requested at these entries, newest first."""
        return self.reading(_listed_at, indexes)

    def inquiries_at(self, indexes: Sequence[int]) -> list[InquiryView | ServiceRequestView]:
        """Return what was asked for at these entries, newest first."""
        return self.reading(_inquiries_at, indexes)

    def acts_at(self, indexes: Sequence[int]) -> list[ActView]:
        """Return what was done at these entries, newest first; without those of another release."""
        return self.reading(_acts_at, indexes)

    def people(self) -> list[tuple[str, str]]:
        """Return everybody who works or worked here: the name that entries carry, and the one they are called by."""
        return self.reading(lambda connection: list(connection.execute(_PEOPLE)))


_PEOPLE: Final = "SELECT username, name FROM operator ORDER BY username"
_AT: Final = "requested_index IN (SELECT value FROM json_each(?)) ORDER BY requested_index DESC"


def _json(indexes: Sequence[int]) -> tuple[str]:
    return (msgspec.json.encode(list(indexes)).decode(),)


def _payments_at(connection: apsw.Connection, indexes: Sequence[int]) -> list[PaymentView]:
    return [payment_of(row) for row in connection.execute(f"{PAYMENT}WHERE {_AT}", _json(indexes))]


def _listed_at(connection: apsw.Connection, indexes: Sequence[int]) -> list[ListedPayment]:
    return [listed_of(row) for row in connection.execute(f"{LISTED}WHERE {_AT}", _json(indexes))]


def _inquiries_at(connection: apsw.Connection, indexes: Sequence[int]) -> list[InquiryView | ServiceRequestView]:
    found: list[InquiryView | ServiceRequestView] = [
        inquiry_of(row) for row in connection.execute(f"{INQUIRY}WHERE {_AT}", _json(indexes))
    ]
    found += service_rows.requests_at(connection, indexes)
    return sorted(found, key=lambda one: one.requested_index, reverse=True)


def _acts_at(connection: apsw.Connection, indexes: Sequence[int]) -> list[ActView]:
    acts = []
    for index, data in connection.execute(
        "SELECT entry_index, data FROM entry WHERE entry_index IN (SELECT value FROM json_each(?)) "
        "ORDER BY entry_index DESC",
        _json(indexes),
    ):
        entry = decode_entry(data)
        body = decode_body(entry.type, bytes(entry.body), JOURNAL_BODIES)
        if body is not None:
            acts.append(ActView(index=index, at=entry.at, body=body))
    return acts
