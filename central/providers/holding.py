"""Whether a provider may be asked to take a payment just now: only money that is there, and is a bill's only money.

Read right before the question leaves. What changes on the wire meanwhile is caught when the answer is written.
"""

from collections.abc import Collection
from typing import Final

import msgspec
from sqlalchemy import Connection, and_, select, tuple_

from central.ledger.booking import PaymentBook
from central.ledger.debts import same_debts
from central.ledger.giving_back import agreed_for_finance
from central.ledger.left_behind import told_uncharged
from central.ledger.obligations import holders, paid_by
from central.ledger.paying_out import paid_back
from central.ledger.services import fee_paid_back, may_ask
from central.ledger.store import load_payment
from central.providers.connector import NotDone, Refused
from central.store.books import office_payment, provider_task
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState

_STANDS: Final = (PaymentState.APPROVED, PaymentState.ACKNOWLEDGED)


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """The question is not to be asked any more: the money it was about is not there."""

    why: str
    case_id: str | None = None
    """By which the customer has the money back: the office is told that nobody took the payment, or will be asked."""


def in_the_way(
    connection: Connection, office_id: str, payment_id: str, item: int | None = None
) -> Refused | Withdrawn | NotDone | None:
    """Return what stands in the way of asking about a payment or its item, or None when the provider may be asked.

    Refused: the customer is owed the money instead, because the bill is paid already with another payment, or because
    two people of the office agreed to give it back. NotDone: not now.
    """
    payment = load_payment(connection, office_id, payment_id)
    if payment is None:
        return NotDone(why="payment not known")
    if payment.state in CERTAINLY_UNCHARGED:
        return Withdrawn(why=str(payment.state))
    if payment.state not in _STANDS or payment.unacknowledged:
        return NotDone(why="unacknowledged" if payment.unacknowledged else str(payment.state))
    case_id = paid_back(connection, payment, item)
    if case_id is not None:
        return Withdrawn(why="the customer has the money back", case_id=case_id)
    if agreed_for_finance(payment):
        return Refused(reason="refused")
    return _earlier(connection, payment, item)


def fee_in_the_way(connection: Connection, office_id: str, inquiry_id: str) -> Withdrawn | None:
    """Return what stands in the way of asking about a request, by its gate and its fee, or None."""
    case_id = fee_paid_back(connection, office_id, inquiry_id)
    if case_id is None and may_ask(connection, office_id, inquiry_id):
        return None
    return Withdrawn(why="the fee is not charged", case_id=case_id)


def _earlier(connection: Connection, payment: PaymentBook, item: int | None) -> Refused | NotDone | None:
    """Return what other money for the same debt, approved before this, means for it.

    Tasks are made under a lock of the obligation: their order is the order in which central heard of the approvals.
    """
    task = provider_task
    obligation = paid_by(payment)[item]
    same = same_debts(connection, {obligation})[obligation]
    holding = {(row["office_id"], row["payment_id"], row["item"]) for row in holders(connection, same)}
    payments = sorted({each[:2] for each in holding})
    asked = connection.execute(
        select(task.c.office_id, task.c.subject, task.c.item, task.c.ordinal, task.c.state, task.c.outcome)
        .where(task.c.kind == "confirm", tuple_(task.c.office_id, task.c.subject).in_(payments))
        .order_by(task.c.ordinal)
    )
    others = [each for each in asked if (each.office_id, each.subject, each.item) in holding]
    own = next(
        each
        for each in others
        if (each.office_id, each.subject, each.item) == (payment.office_id, payment.payment_id, item)
    )
    at_terminals = _paid_at_terminals(connection, payments)
    if True in at_terminals or any(each.outcome == "confirmed" for each in others):
        return Refused(reason="already_paid")
    if at_terminals:
        return NotDone(why="a terminal may have paid the bill by its ids")
    if any(each.state != "done" and each.ordinal < own.ordinal for each in others):
        return NotDone(why="another payment of the same debt is asked about first")
    return None


def _paid_at_terminals(connection: Connection, payments: Collection[tuple[str, str]]) -> set[bool]:
    """Return of those by which a terminal was told to pay the bill by its ids whether it did; False: nobody can say.

    No provider was ever asked about them. What is certainly not charged did not pay, and is left out; so is what a box
    that is gone left open, once the acquirer said that it was not charged.
    """
    table = office_payment.c
    stands = and_(
        table.confirmation == "confirmed",
        table.state.in_([str(state) for state in CHARGED]),
        table.unacknowledged.is_(False),
    )
    told = select(table.office_id, table.payment_id, stands.label("stands")).where(
        tuple_(table.office_id, table.payment_id).in_(payments),
        table.pays_bill,
        table.state.not_in([str(state) for state in CERTAINLY_UNCHARGED]),
    )
    found = connection.execute(told).all()
    ruled_out = told_uncharged(connection, [(row.office_id, row.payment_id) for row in found]) if found else ()
    return {row.stands for row in found if (row.office_id, row.payment_id) not in ruled_out}
