"""What an acquirer took beyond a payment and finance gave back, once the acquirer's rows do not have it any more.

Such a pay-out came out of what was settled beyond the payment (`central.ledger.closings`). When the payment is settled
by its own amount after all, by a corrected file or since a later row took the rest back, nothing is beyond it: the
customer was paid what the acquirer did not take. That is *recoverable*, and a case for a person.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, tuple_

from central.ledger.accounts import PAID_OUT, RECOVERABLE, SETTLED
from central.ledger.booking import Transfer
from central.ledger.cases import NewCase, case_id, note_if_there, open_case
from central.ledger.closings import HAD_TWICE
from central.ledger.overtaken import MOVED_SINCE, PaymentKey, overtake
from central.ledger.paying_out import BEYOND_GONE, NOT_TWICE
from central.ledger.store import write_transfers
from central.store.books import ledger_transfer


def follow_beyond(
    connection: Connection, payments: Collection[PaymentKey], *, settled: bool, by: str, at: datetime
) -> None:
    """Have what customers were paid beyond these payments stand on what is there; their rows are locked.

    `settled`: they are settled now, by their own amounts. `by` names what moved it, in the transfers' ids.
    """
    for key, (paid_rial, gone_rial) in _stands(connection, _paid_beyond(connection) & set(payments)).items():
        goes_rial = (paid_rial if settled else min(paid_rial, gone_rial)) - gone_rial
        if goes_rial:
            _move(connection, key, goes_rial, by=by, at=at)
        if goes_rial < 0 and gone_rial + goes_rial == 0:
            note_if_there(connection, case_id(HAD_TWICE, _about(key)), NOT_TWICE, closes=True, at=at)


def _paid_beyond(connection: Connection) -> set[PaymentKey]:
    """Return all payments of which a customer was ever paid something beyond: there are few."""
    table = ledger_transfer.c
    query = select(table.office_id, table.payment_id).where(
        table.source_kind == "case", table.credit == PAID_OUT.code, table.debit == SETTLED.code
    )
    return {(row.office_id, row.payment_id) for row in connection.execute(query)}


def _stands(connection: Connection, payments: Collection[PaymentKey]) -> dict[PaymentKey, tuple[int, int]]:
    """Return what customers were paid beyond each of these payments, and what of it is *recoverable* by now."""
    table = ledger_transfer.c
    pair = (PAID_OUT.code, SETTLED.code)
    paid = and_(table.source_kind == "case", table.debit.in_(pair), table.credit.in_(pair))
    gone = and_(table.source_kind == "paid_out", table.reason == BEYOND_GONE)
    query = (
        select(
            table.office_id,
            table.payment_id,
            _sum(paid, minus=table.debit == PAID_OUT.code).label("paid"),
            _sum(gone, minus=table.debit == SETTLED.code).label("gone"),
        )
        .where(or_(paid, gone), tuple_(table.office_id, table.payment_id).in_(sorted(payments)))
        .group_by(table.office_id, table.payment_id)
        .order_by(table.office_id, table.payment_id)
    )
    return {(row.office_id, row.payment_id): (int(row.paid), int(row.gone)) for row in connection.execute(query)}


def _sum(which: ColumnElement[bool], *, minus: ColumnElement[bool]) -> ColumnElement[int]:
    rial = ledger_transfer.c.amount_rial
    return func.coalesce(func.sum(case((minus, -rial), else_=rial)).filter(which), 0)


def _move(connection: Connection, key: PaymentKey, goes_rial: int, *, by: str, at: datetime) -> None:
    """Book that so much is *recoverable*, or minus so much is not any more."""
    office_id, payment_id = key
    debit, credit = (RECOVERABLE, SETTLED) if goes_rial > 0 else (SETTLED, RECOVERABLE)
    if credit == RECOVERABLE:
        overtake(connection, {key: RECOVERABLE.code}, by=f"{by}/{BEYOND_GONE}", note=MOVED_SINCE, at=at)
    transfer = Transfer(
        transfer_id=f"{by}/{BEYOND_GONE}/{payment_id}",
        phase="posted",
        debit=debit.code,
        credit=credit.code,
        amount_rial=abs(goes_rial),
        reason=BEYOND_GONE,
    )
    write_transfers(connection, office_id, [transfer], payment_id=payment_id, source_kind="paid_out", source=by, at=at)
    if goes_rial > 0:
        new = NewCase(
            kind="had_twice",
            about=_about(key),
            amount_rial=goes_rial,
            office_id=office_id,
            payment_id=payment_id,
            facts={"reason": BEYOND_GONE},
        )
        open_case(connection, new, at=at, again=True)


def _about(key: PaymentKey) -> str:
    return f"{BEYOND_GONE}|{key[0]}/{key[1]}"
