"""Payments that a journal left open when it was closed or its box was replaced: nobody asks their terminal any more.

Each becomes a case: finance settles it by the acquirer's word or by two people. What two people heard of the acquirer
is told to the office also of a payment that such a box had just begun: it stands in doubt then, as it would after the
box's next start.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, and_, or_, select, tuple_

from central.ledger.cases import NewCase, note_closed, note_if_there, open_case
from central.ledger.paying_out import paid_back
from central.ledger.store import load_payment
from central.store.answers import acquirer_answer
from central.store.books import office_payment
from central.store.journals import journal as journals
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, OPEN, UNDOING, PaymentState

LEFT_OPEN: Final = OPEN | UNDOING
"""States that only the box could have settled by itself."""
TOLD_AFTER_ALL: Final = "دستگاه پس از همه گفت · its box told after all"
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


def told_uncharged(connection: Connection, payments: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return which of these payments, by office and id, a gone box left open and its office was told were not charged.

    Nobody else will ever say so.
    """
    payment, told = office_payment.c, acquirer_answer.c
    of_sale = and_(told.office_id == payment.office_id, told.payment_id == payment.payment_id, told.refund_id == "")
    rows = connection.execute(
        select(payment.office_id, payment.payment_id).where(
            tuple_(payment.office_id, payment.payment_id).in_(sorted(payments)),
            payment.state.in_(sorted(OPEN)),
            select(told.payment_id).where(of_sale, ~told.charged).exists(),
            ~select(told.payment_id).where(of_sale, told.charged).exists(),
            is_gone(payment.office_id, payment.journal_id),
        )
    )
    return {(office, payment_id) for office, payment_id in rows}


def open_left_behind(connection: Connection, office: str, journal: str, at: datetime) -> int:
    """Open a case for each payment of the journal whose outcome is not known; return how many there are."""
    table = office_payment.c
    rows = connection.execute(
        _payments(office, journal).where(table.state.in_(sorted(LEFT_OPEN))).order_by(table.ordinal)
    ).all()
    for row in rows:
        open_case(connection, _case(row), at=at)
    return len(rows)


def stood(connection: Connection, office: str, journal: str, names: Collection[str]) -> dict[str, PaymentState]:
    """Return how these payments of a journal stand now: `hear_after_all` is told, once its entries are booked."""
    rows = connection.execute(_named(office, journal, names)).all()
    return {row.payment_id: PaymentState(row.state) for row in rows}


def hear_after_all(
    connection: Connection,
    office: str,
    journal: str,
    names: Collection[str],
    *,
    before: Mapping[str, PaymentState],
    at: datetime,
) -> None:
    """Carry on the cases of these payments by what their box, which is gone, has said of them after all.

    What is open now gets its case. What has ended ends its case, unless the office was told of a charge that the box
    does not know; where a person had ended it, it is open again: the two may not fit, unless the customer was paid just
    what was charged. A charge of which the office was told that there was none came late.
    """
    for row in connection.execute(_named(office, journal, names)).all():
        was, case = before.get(row.payment_id), _case(row)
        if row.state in LEFT_OPEN:
            open_case(connection, case, at=at, again=was not in LEFT_OPEN)
            continue
        if was not in LEFT_OPEN:
            continue
        told = _told_charged(connection, office, row.payment_id) if was in OPEN else None
        # Evidence of a charge beats evidence of none: then it is the box that nobody believes.
        ends = not (told and row.state in CERTAINLY_UNCHARGED)
        note = f"{TOLD_AFTER_ALL}: {row.state}"
        if not note_if_there(connection, case.case_id, note, closes=ends, at=at):
            _look_again(connection, row, note, at)
        if told is False and row.state in (PaymentState.APPROVED, PaymentState.ACKNOWLEDGED):
            open_case(connection, _late(row), at=at, again=True)


def _named(office: str, journal: str, names: Collection[str]) -> Select[Any]:
    table = office_payment.c
    return _payments(office, journal).where(table.payment_id.in_(sorted(names))).order_by(table.payment_id)


def _payments(office: str, journal: str) -> Select[Any]:
    table = office_payment.c
    query = select(table.office_id, table.journal_id, table.payment_id, table.amount_rial, table.state, table.terminal)
    return query.where(table.office_id == office, table.journal_id == journal)


def _case(row: Row[Any]) -> NewCase:
    return NewCase(
        kind="left_in_doubt",
        about=f"{row.office_id}|{row.payment_id}",
        amount_rial=row.amount_rial,
        office_id=row.office_id,
        payment_id=row.payment_id,
        facts={"journal": row.journal_id, "state": row.state, "terminal": row.terminal},
    )


def _late(row: Row[Any]) -> NewCase:
    return NewCase(
        kind="late_approval",
        about=f"{row.office_id}/{row.payment_id}",
        amount_rial=row.amount_rial,
        office_id=row.office_id,
        payment_id=row.payment_id,
        facts={"earlier": str(PaymentState.NOT_CHARGED)},
    )


def _look_again(connection: Connection, row: Row[Any], note: str, at: datetime) -> None:
    """Open a case again that a person had ended, unless the customer has just the money that was charged."""
    payment = load_payment(connection, row.office_id, row.payment_id)
    if row.state in CHARGED and payment is not None and paid_back(connection, payment) is not None:
        # Nobody else is given it: nothing is left to do.
        note_closed(connection, _case(row).case_id, note, at=at)
    else:
        open_case(connection, _case(row), at=at, again=True)


def _told_charged(connection: Connection, office: str, payment_id: str) -> bool | None:
    """Return whether the office was told that the sale was charged, or None where it was told nothing of it."""
    table = acquirer_answer.c
    of_sale = (table.office_id == office, table.payment_id == payment_id, table.refund_id == "")
    told = connection.execute(select(table.charged).where(*of_sale)).scalars().all()
    return any(told) if told else None
