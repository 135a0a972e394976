"""Payments that a journal left open when it was closed or its box was replaced: nobody asks their terminal any more.

Each becomes a case: finance settles it by the acquirer's word or by two people. What two people heard of the acquirer
is told to the office also of a payment that such a box had just begun: it stands in doubt then, as it would after the
box's next start.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, or_, select

from central.ledger.cases import NewCase, open_case
from central.store.books import office_payment
from central.store.journals import journal as journals
from shared.payment import PaymentState

LEFT_OPEN: Final = (
    PaymentState.REQUESTED,
    PaymentState.SENT,
    PaymentState.IN_DOUBT,
    PaymentState.REVERSAL_REQUESTED,
    PaymentState.REVERSAL_IN_DOUBT,
)
"""States that only the box could have settled by itself."""
_AFTER_A_START: Final = {
    PaymentState.REQUESTED: PaymentState.IN_DOUBT,  # what was sent since was perhaps not heard
    PaymentState.SENT: PaymentState.IN_DOUBT,
    PaymentState.REVERSAL_REQUESTED: PaymentState.REVERSAL_IN_DOUBT,
}


def is_gone(office: str | Column[Any], journal: str | Column[Any]) -> ColumnElement[bool]:
    """Return the condition that nothing more is to be expected of a journal: closed, retired, or taken over from."""
    row, after = journals.alias("gone"), journals.alias("after")
    succeeded = select(after.c.journal_id).where(after.c.office_id == office, after.c.predecessor == journal)
    ended = select(row.c.journal_id).where(
        row.c.office_id == office,
        row.c.journal_id == journal,
        or_(row.c.closed_at.is_not(None), row.c.retired_at.is_not(None)),
    )
    return or_(succeeded.exists(), ended.exists())


def stands_as(connection: Connection, office: str, journal: str, state: PaymentState) -> PaymentState:
    """Return how a payment stands for whoever answers about it: in doubt, where a box that is gone had left it open."""
    if state not in _AFTER_A_START or not connection.execute(select(is_gone(office, journal))).scalar_one():
        return state
    return _AFTER_A_START[state]


def open_left_behind(connection: Connection, office: str, journal: str, at: datetime) -> int:
    """Open a case for each payment of the journal whose outcome is not known; return how many there are."""
    table = office_payment.c
    rows = connection.execute(
        select(table.payment_id, table.amount_rial, table.state, table.terminal)
        .where(table.office_id == office, table.journal_id == journal, table.state.in_([str(one) for one in LEFT_OPEN]))
        .order_by(table.ordinal)
    ).all()
    for row in rows:
        new = NewCase(
            kind="left_in_doubt",
            about=f"{office}|{row.payment_id}",
            amount_rial=row.amount_rial,
            office_id=office,
            payment_id=row.payment_id,
            facts={"journal": journal, "state": row.state, "terminal": row.terminal},
        )
        open_case(connection, new, at=at)
    return len(rows)
