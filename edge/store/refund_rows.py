"""Rows of what became of a charge afterwards, as the structs of `edge.journal.refunds`."""

from typing import Any, Final

import apsw
import msgspec

from edge.journal.refunds import OPEN_REFUND, AcquirerAnswer, RefundView

_REFUND: Final = f"SELECT {', '.join(RefundView.__struct_fields__)} FROM refund "  # noqa: S608 - names of this package
_ANSWER: Final = f"SELECT {', '.join(AcquirerAnswer.__struct_fields__)} FROM acquirer_answer "  # noqa: S608 - names of this package


def _refunds(connection: apsw.Connection, condition: str, *values: str) -> list[RefundView]:
    rows = connection.execute(_REFUND + condition, values)
    return [msgspec.convert(dict(zip(RefundView.__struct_fields__, row, strict=True)), RefundView) for row in rows]


def refund(connection: apsw.Connection, refund_id: str) -> RefundView | None:
    """Return a request to give back."""
    return next(iter(_refunds(connection, "WHERE refund_id = ?", refund_id)), None)


def refunds_of(connection: apsw.Connection, payment_id: str) -> list[RefundView]:
    """Return a payment's requests, oldest first."""
    return _refunds(connection, "WHERE payment_id = ? ORDER BY proposed_index", payment_id)


def open_refunds(connection: apsw.Connection) -> list[RefundView]:
    """Return the requests somebody has something to do about, oldest first; one that finance has is not among them."""
    marks = ", ".join("?" * len(OPEN_REFUND))
    return _refunds(
        connection,
        f"WHERE state IN ({marks}) AND NOT (means = 'central' AND state = 'agreed') ORDER BY proposed_index",
        *sorted(OPEN_REFUND),
    )


def acquirer_answers(connection: apsw.Connection, payment_id: str | None = None) -> list[AcquirerAnswer]:
    """Return what the acquirer's records said, of one payment or of all, in the order central told it."""
    condition, values = ("", ()) if payment_id is None else ("WHERE payment_id = ? ", (payment_id,))
    rows = connection.execute(_ANSWER + condition + "ORDER BY number", values)
    return [_answer(row) for row in rows]


def _answer(row: tuple[Any, ...]) -> AcquirerAnswer:
    members = dict(zip(AcquirerAnswer.__struct_fields__, row, strict=True))
    return msgspec.convert(members | {"charged": bool(members["charged"])}, AcquirerAnswer)
