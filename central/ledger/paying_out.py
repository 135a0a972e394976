"""What finance gives a customer back by closing a case, against what a provider may take of the same money meanwhile.

Money that may be with its biller is not paid to the customer as well: while a question about it is out, the case waits
for the answer. A biller that never answers does not hold the customer's money for ever: after `ANSWER_AWAITED_FOR` two
people may pay it knowing that nobody answered, and the question goes on being asked. What was paid back and had not
been asked about is not asked about any more; where that is taken back, it is asked about again.

Whatever comes after a pay-out (the biller took the money after all, the terminal gave it back), the pay-out follows the
claims that are left, and what reaches to none of them is a case of its own: the customer has it twice.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from central.ledger.accounts import PAID_OUT, RECOVERABLE, Account
from central.ledger.booking import PaymentBook, Transfer
from central.ledger.cases import NewCase, note_if_there, open_case, paid_by_case
from central.ledger.closings import AMOUNT_DIFFERS, HAD_TWICE, PAID_BACK, PAID_FROM, standing_on
from central.ledger.items import words_of
from central.ledger.overtaken import MOVED_SINCE, overtake
from central.ledger.positions import steps_between
from central.ledger.store import queue_question, write_transfers
from central.store.books import ledger_transfer, money_case, provider_task
from shared.payment import CHARGED

Answer = Literal["none", "awaited", "given_up"]
"""What is awaited of a provider: nothing, its answer, or nothing any more after so long."""
ANSWER_AWAITED_FOR: Final = timedelta(hours=72)
"""So long after a question left, a customer whose money is asked about has waited enough."""
ASKED_AT_LEAST: Final = 3
"""So often was a provider asked before it is said that it does not answer: central may have been away itself.

Turns in which it was not reached count, for one that is gone for good is never reached; turns before the question left
do not (`central.providers.worker`), for nobody was asked by them.
"""
FOLLOWS: Final = "follows_claim"
"""The reason of a transfer by which a pay-out follows the claims that are left."""
BEYOND_GONE: Final = "beyond_gone"
"""The reason of a transfer by which a pay-out of what an acquirer took beyond a payment follows (`ledger.beyond`)."""
NOT_TWICE: Final = "پول دوباره نزد مشتری نیست · the customer does not have it twice"
"""The note that ends a case of money that a customer had twice."""


def paid_back(connection: Connection, payment: PaymentBook, item: int | None = None) -> str | None:
    """Return by which case finance gave the customer the whole of a payment, or of one of its items, back.

    The ledger says so, whatever became of the case since: one that was opened again for news takes no money back.
    """
    case, table = money_case.c, ledger_transfer.c
    whole: ColumnElement[bool] = and_(case.item.is_(None), paid_by_case() >= payment.amount_rial)
    if item is not None:
        whole = or_(whole, and_(case.item == item, paid_by_case() >= payment.items[item].amount_rial))
    query = (
        select(case.case_id)
        .join(ledger_transfer, and_(table.source_kind == "case", table.source == case.case_id))
        .where(
            table.office_id == payment.office_id,
            table.payment_id == payment.payment_id,
            # What an acquirer took beyond a payment and gave back is none of the payment's money, however much it is.
            case.kind != AMOUNT_DIFFERS,
        )
        .group_by(case.case_id)
        .having(whole)
    )
    found: str | None = connection.execute(query.order_by(case.ordinal).limit(1)).scalar()
    return found


def answer_of(connection: Connection, office_id: str, payment_id: str, item: int | None, at: datetime) -> Answer:
    """Return whether a provider may be taking a payment just now, or one of its items; of None, any of it.

    Whoever pays by it has locked the payment's row: a question that did not leave yet sees that before it does.
    """
    task = provider_task.c
    leaving = and_(task.state == "asking", task.lease_until > at)
    long_ago = func.coalesce(task.out_since, task.asked_at) <= at - ANSWER_AWAITED_FOR
    # One that is on the wire at this moment may have its answer the next.
    given_up = func.coalesce(and_(long_ago, task.attempts >= ASKED_AT_LEAST, ~leaving), False)
    query = select(func.bool_and(given_up)).where(
        task.office_id == office_id,
        task.kind == "confirm",
        task.subject == payment_id,
        task.state != "done",
        or_(task.asked_at.is_not(None), leaving),
        *(() if item is None else (task.item == item,)),
    )
    found: bool | None = connection.execute(query).scalar()
    return "none" if found is None else "given_up" if found else "awaited"


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


def paid_from(connection: Connection, payment: PaymentBook) -> Counter[Account]:
    """Return what customers were paid of a payment, by the account that it stands on now."""
    by_code = {account.code: account for account in PAID_FROM}
    table = ledger_transfer.c
    by_case = and_(table.source_kind == "case", or_(table.debit == PAID_OUT.code, table.credit == PAID_OUT.code))
    rows = connection.execute(
        select(table.debit, table.credit, table.amount_rial).where(
            table.office_id == payment.office_id,
            table.payment_id == payment.payment_id,
            or_(by_case, table.source_kind == "paid_out"),
            # That was never the payment's own money.
            table.reason != BEYOND_GONE,
        )
    )
    held = Counter[Account]()
    for row in rows:
        for code, rial in ((row.debit, row.amount_rial), (row.credit, -row.amount_rial)):
            if code in by_code:
                held[by_code[code]] += rial
    return held


def follow_claims(
    connection: Connection, payment: PaymentBook, *, by: str, why: str, at: datetime, **facts: Any
) -> None:
    """Have what customers were paid stand on the claims that are left of a payment whose row is locked.

    `by` names what moved the claims, in the transfers' ids; `why` says it in the case of what a customer has twice.
    """
    held = paid_from(connection, payment)
    if not any(held.values()):
        return
    stands = standing_on(payment, held, in_part_rial=_paid_in_part(connection, payment))
    steps = steps_between(held, stands)
    if any(step.credit == RECOVERABLE for step in steps):
        key = (payment.office_id, payment.payment_id)
        overtake(connection, {key: RECOVERABLE.code}, by=f"{by}/{FOLLOWS}", note=MOVED_SINCE, at=at)
    transfers = [
        Transfer(
            transfer_id=f"{by}/{FOLLOWS}/{number}",
            phase="posted",
            debit=step.debit.code,
            credit=step.credit.code,
            amount_rial=step.amount_rial,
            reason=FOLLOWS,
        )
        for number, step in enumerate(steps)
    ]
    write_transfers(
        connection,
        payment.office_id,
        transfers,
        payment_id=payment.payment_id,
        source_kind="paid_out",
        source=by,
        at=at,
    )
    beyond = sum(step.amount_rial for step in steps if step.debit == RECOVERABLE)
    if beyond:
        facts = {"reason": why, "earlier_case": _paying_case(connection, payment), **facts}
        open_case(connection, _had_twice(payment, by, beyond, facts), at=at, again=True)
    elif not stands[RECOVERABLE]:
        _end_had_twice(connection, payment, at)


def _paid_in_part(connection: Connection, payment: PaymentBook) -> int:
    """Return what was paid by cases of less than the whole of a payment, or of an item, that is charged still."""
    if payment.state not in CHARGED:
        return 0
    table, case = ledger_transfer.c, money_case.c
    rows = connection.execute(
        select(case.item, case.amount_rial.label("of_case"), table.credit, table.amount_rial)
        .join(money_case, case.case_id == table.source)
        .where(
            table.office_id == payment.office_id,
            table.payment_id == payment.payment_id,
            table.source_kind == "case",
            or_(table.debit == PAID_OUT.code, table.credit == PAID_OUT.code),
            case.kind != AMOUNT_DIFFERS,
        )
    )
    wholes = {item.item: item.amount_rial for item in payment.items}
    return sum(
        row.amount_rial if row.credit == PAID_OUT.code else -row.amount_rial
        for row in rows
        if row.of_case < wholes.get(row.item, payment.amount_rial)
    )


def _had_twice(payment: PaymentBook, by: str, beyond_rial: int, facts: dict[str, Any]) -> NewCase:
    return NewCase(
        kind=HAD_TWICE,
        about=f"{by}|{payment.about}",
        amount_rial=beyond_rial,
        office_id=payment.office_id,
        payment_id=payment.payment_id,
        facts=facts,
    )


def _paying_case(connection: Connection, payment: PaymentBook) -> str | None:
    """Return the case by which a customer was paid last."""
    case = money_case.c
    query = select(case.case_id).where(
        case.office_id == payment.office_id,
        case.payment_id == payment.payment_id,
        case.state == "closed",
        case.outcome.in_(PAID_BACK),
    )
    found: str | None = connection.execute(query.order_by(case.closed_at.desc(), case.ordinal).limit(1)).scalar()
    return found


def _end_had_twice(connection: Connection, payment: PaymentBook, at: datetime) -> None:
    table = money_case.c
    of_payment = (table.office_id == payment.office_id, table.payment_id == payment.payment_id)
    of_its_own = table.facts["reason"].astext.is_distinct_from(BEYOND_GONE)
    query = select(table.case_id).where(*of_payment, table.kind == HAD_TWICE, table.state != "closed", of_its_own)
    for case_id in sorted(connection.execute(query).scalars()):
        note_if_there(connection, case_id, NOT_TWICE, closes=True, at=at)
