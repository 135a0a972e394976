"""A row as its struct: the columns of each view, the SELECT that gives them, and what reads one of its rows.

A row that is not what its table promises says that the file is damaged.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

from edge.journal.views import AlarmView, Identity, InquiryView, ItemView, ListedPayment, PaymentView, PrintJob
from edge.store.database import said
from edge.store.schema.payment_tables import HOLDS_OBLIGATION
from shared.sealed import Sealed

T = TypeVar("T")

_PAYMENT_COLUMNS: Final = tuple(field for field in PaymentView.__struct_fields__ if field not in ("cosigned", "items"))
_PAYMENT_MEMBERS: Final = (*_PAYMENT_COLUMNS, "cosigned", "items")
_ITEM: Final = ", ".join(f"'{field}', {field}" for field in ItemView.__struct_fields__)
PAYMENT: Final = (
    f"SELECT {', '.join(_PAYMENT_COLUMNS)}, "  # noqa: S608 - names of this package
    "coalesce(outcome_index < (SELECT cosigned_size FROM exchange_state), 0), "
    f"iif(item_count, (SELECT json_group_array(json_object({_ITEM}) ORDER BY item) FROM holding "
    "WHERE holding.payment_id = payment.payment_id), '[]') FROM payment "
)
_LISTED_COLUMNS: Final = ListedPayment.__struct_fields__
LISTED: Final = f"SELECT {', '.join(_LISTED_COLUMNS)} FROM payment "  # noqa: S608 - names of this package
HOLDER: Final = (
    f"SELECT payment_id FROM holding WHERE obligation = {{obligation}} AND {HOLDS_OBLIGATION} "  # noqa: S608
    "ORDER BY doubled, requested_index DESC LIMIT 1"
)
"""SQL of the payment that holds an obligation."""
HOLDING_IT: Final = "WHERE payment_id IN (SELECT payment_id FROM holding WHERE {}) "
"""SQL of the payments that were made of an obligation, which a condition names."""
_INQUIRY_COLUMNS: Final = tuple(field for field in InquiryView.__struct_fields__ if field != "payment_id")
INQUIRY: Final = (
    f"SELECT {', '.join(_INQUIRY_COLUMNS)}, "  # noqa: S608 - names of this package
    f"({HOLDER.format(obligation='inquiry.obligation')}) FROM inquiry "
)
_JOB_COLUMNS: Final = PrintJob.__struct_fields__
JOB: Final = f"SELECT {', '.join(_JOB_COLUMNS)} FROM print_job "  # noqa: S608 - names of this package
_ALARM_COLUMNS: Final = ("alarm_index", "kind", "payment_id", "detail", "raised_at")
ALARM: Final = f"SELECT {', '.join(_ALARM_COLUMNS)} FROM alarm "  # noqa: S608 - names of this package


def sound(read: Callable[[Any], T], row: Any) -> T:
    """Return what a row says. Raises IntegrityError `store.corrupt` where it is not what its table holds."""
    try:
        return read(row)
    except (msgspec.MsgspecError, TypeError, ValueError) as error:
        raise said(error) from error


def identity_of(text: str) -> Identity:
    """Return who the box is, by the text of its setting. Raises IntegrityError `store.corrupt`."""
    return sound(_read_identity, text)


def payment_of(row: tuple[Any, ...]) -> PaymentView:
    """Return what a payment's row says. Raises IntegrityError `store.corrupt`.

    Rows that say the same are read once: most of those that pages show are as they were the last time.
    """
    return sound(_read_payment, row)


def listed_of(row: tuple[Any, ...]) -> ListedPayment:
    """Return what a row of LISTED says. Raises IntegrityError `store.corrupt`. As with `payment_of`, once."""
    return sound(_read_listed, row)


def inquiry_of(row: tuple[Any, ...]) -> InquiryView:
    """Return what an inquiry's row says. Raises IntegrityError `store.corrupt`."""
    return sound(_read_inquiry, row)


def print_job_of(row: tuple[Any, ...]) -> PrintJob:
    """Return what a print job's row says. Raises IntegrityError `store.corrupt`."""
    return sound(_read_print_job, row)


@lru_cache(1)
def _read_identity(text: str) -> Identity:
    return msgspec.json.decode(text, type=Identity)


@lru_cache(512)
def _read_payment(row: tuple[Any, ...]) -> PaymentView:
    members = dict(zip(_PAYMENT_MEMBERS, row, strict=True))
    for flag in ("late", "doubled", "confirming", "pays_bill", "unacknowledged", "cosigned"):
        members[flag] = bool(members[flag])
    # SQLite's JSON knows no truth values, only 0 and 1.
    members["items"] = msgspec.json.decode(members["items"], type=tuple[ItemView, ...], strict=False)
    return msgspec.convert(members, PaymentView)


@lru_cache(512)
def _read_listed(row: tuple[Any, ...]) -> ListedPayment:
    members = dict(zip(_LISTED_COLUMNS, row, strict=True))
    members["unacknowledged"] = bool(members["unacknowledged"])
    return msgspec.convert(members, ListedPayment)


def _read_inquiry(row: tuple[Any, ...]) -> InquiryView:
    members = dict(zip((*_INQUIRY_COLUMNS, "payment_id"), row, strict=True))
    for sealed in ("parameter", "customer"):
        if members[sealed] is not None:
            members[sealed] = msgspec.json.decode(members[sealed], type=Sealed)
    return msgspec.convert(members, InquiryView)


def _read_print_job(row: tuple[Any, ...]) -> PrintJob:
    members = dict(zip(_JOB_COLUMNS, row, strict=True))
    members["copy"] = bool(members["copy"])
    return msgspec.convert(members, PrintJob)


def alarm_of(row: tuple[Any, ...]) -> AlarmView:
    """Return what an alarm's row says. Raises IntegrityError `store.corrupt`."""
    index, kind, payment_id, detail, raised_at = row
    return AlarmView(index=index, kind=kind, payment_id=payment_id, detail=detail, raised_at=raised_at)
