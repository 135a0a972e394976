"""Charges that no acquirer's file has named for days. Reconciliation finds what a file leaves out, nothing without one.

It tells no fault by itself: a file may be late, or nobody sent it here, or the acquirer never had the payment.
"""

from datetime import date, timedelta
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, exists, func, select

from central.ledger.closings import AMOUNT_DIFFERS
from central.store.books import money_case, office_payment
from shared.payment import CHARGED

LATE_AFTER_DAYS: Final = 3
"""An acquirer settles on the next working day; two days of a weekend may come between."""


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """What is charged and late to be settled. `oldest`: the first day that has any of it."""

    count: int
    rial: int
    oldest: date


def is_late(today: date) -> ColumnElement[bool]:
    """Return the condition that a payment is charged, is in no file days later, and no person has ended that."""
    payment = office_payment.c
    ended = exists().where(
        money_case.c.office_id == payment.office_id,
        money_case.c.payment_id == payment.payment_id,
        money_case.c.kind.in_(("missing_at_acquirer", AMOUNT_DIFFERS)),
        money_case.c.state == "closed",
    )
    return and_(
        payment.settled_file.is_(None),
        payment.local_date < today - timedelta(days=LATE_AFTER_DAYS),
        payment.state.in_(sorted(CHARGED)),
        ~ended,
    )


def late(connection: Connection, today: date) -> Late | None:
    """Return what is late, None when nothing is."""
    payment = office_payment.c
    row = connection.execute(
        select(func.count(), func.sum(payment.amount_rial), func.min(payment.local_date)).where(is_late(today))
    ).one()
    return None if row[0] == 0 else Late(count=row[0], rial=int(row[1]), oldest=row[2])
