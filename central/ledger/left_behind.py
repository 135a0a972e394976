"""Payments that a journal left open when it was closed or its box was replaced: nobody asks their terminal any more.

Each becomes a case: finance settles it by the acquirer's word or by two people.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from central.ledger.cases import NewCase, open_case
from central.store.books import office_payment
from shared.payment import PaymentState

LEFT_OPEN: Final = (
    PaymentState.REQUESTED,
    PaymentState.SENT,
    PaymentState.IN_DOUBT,
    PaymentState.REVERSAL_REQUESTED,
    PaymentState.REVERSAL_IN_DOUBT,
)
"""States that only the box could have settled by itself."""


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
