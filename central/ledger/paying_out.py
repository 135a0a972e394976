"""What finance gives a customer back by closing a case, against what a provider may take of the same money meanwhile.

Money that may be with its biller is not paid to the customer as well: while a question about it is out, the case waits
for the answer. What was paid back is not asked about any more; where that is taken back, it is asked about again.
"""

from datetime import datetime

from sqlalchemy import Connection, and_, or_, select, update

from central.ledger.booking import PaymentBook
from central.ledger.items import words_of
from central.ledger.store import queue_question
from central.store.books import money_case, provider_task


def paid_back(connection: Connection, payment: PaymentBook, item: int | None = None) -> str | None:
    """Return by which case finance gave the customer the whole of a payment, or of one of its items, back."""
    case = money_case.c
    covers = and_(case.item.is_(None), case.amount_rial >= payment.amount_rial)
    if item is not None:
        covers = or_(covers, and_(case.item == item, case.amount_rial >= payment.items[item].amount_rial))
    query = select(case.case_id).where(
        case.office_id == payment.office_id,
        case.payment_id == payment.payment_id,
        case.state == "closed",
        case.outcome == "refunded",
        covers,
    )
    found: str | None = connection.execute(query.order_by(case.ordinal).limit(1)).scalar()
    return found


def answer_is_out(connection: Connection, payment: PaymentBook, item: int | None, at: datetime) -> bool:
    """Return whether a provider may be taking a payment just now, or one of its items; of None, any of it.

    The payment's row is locked: a question that did not leave yet sees what is decided here before it does.
    """
    task = provider_task.c
    leaving = and_(task.state == "asking", task.lease_until > at)
    query = select(task.task_id).where(
        task.office_id == payment.office_id,
        task.kind == "confirm",
        task.subject == payment.payment_id,
        task.state != "done",
        or_(task.asked_at.is_not(None), leaving),
        *(() if item is None else (task.item == item,)),
    )
    return connection.execute(query.limit(1)).scalar() is not None


def ask_again(connection: Connection, payment: PaymentBook, at: datetime) -> None:
    """Ask about what was not asked about any more, the customer having been paid: that was taken back."""
    task = provider_task.c
    rows = connection.execute(
        update(provider_task)
        .where(
            task.office_id == payment.office_id,
            task.kind == "confirm",
            task.subject == payment.payment_id,
            task.outcome == "withdrawn",
        )
        .values(state="waiting", next_at=at, outcome=None, finished_at=None)
        .returning(task.item)
    )
    for item in sorted(rows.scalars(), key=lambda each: -1 if each is None else each):
        if words_of(payment)[item] == "none":
            payment = queue_question(connection, payment, item=item, at=at)
