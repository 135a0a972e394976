"""What was paid more than once: the obligations that entries may charge, and other payments of the same debt.

An obligation is paid by a payment of its own or as one item of a charge; both are looked for, in all offices, and so
are other obligations of the same debt (`central.ledger.debts`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Integer, RowMapping, and_, cast, null, select, tuple_, union_all

from central.ledger.accepted_entry import AcceptedEntry
from central.ledger.booking import Booking, PaymentBook, case_about
from central.ledger.cases import open_case
from central.ledger.debts import debt_names, same_debts
from central.ledger.left_behind import told_uncharged
from central.ledger.storable import name_or_none
from central.store.books import office_payment, office_payment_item
from shared.events import PaymentRequested
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState


def obligations_of(connection: Connection, accepted: Sequence[AcceptedEntry]) -> set[str]:
    """Return the names of what these entries may charge: obligations, and what they stand for.

    Texts that PostgreSQL cannot hold are left out.
    """
    bodies = [(entry.office, entry.body) for entry in accepted]
    asked = {
        name
        for _, body in bodies
        if isinstance(body, PaymentRequested)
        for obligation in (body.obligation, *(item.obligation for item in body.items))
        if (name := name_or_none(obligation)) is not None
    }
    charged = sorted(
        {
            (office, payment_id)
            for office, body in bodies
            if (payment_id := name_or_none(getattr(body, "payment_id", None))) is not None
        }
    )
    for table in (office_payment, office_payment_item) if charged else ():
        of_these = tuple_(table.c.office_id, table.c.payment_id).in_(charged)
        asked |= set(connection.execute(select(table.c.obligation).where(of_these)).scalars())
    return debt_names(connection, asked)


def holders(connection: Connection, obligations: Iterable[str]) -> list[RowMapping]:
    """Return who was to pay these obligations: rows of obligation, office_id, payment_id, item, state, in one order.

    `item` is None for a payment of its own.
    """
    wanted = sorted(set(obligations))
    payment, item = office_payment.c, office_payment_item.c
    alone = select(
        payment.obligation, payment.office_id, payment.payment_id, cast(null(), Integer).label("item")
    ).where(payment.obligation.in_(wanted))
    of_many = select(item.obligation, item.office_id, item.payment_id, item.item).where(item.obligation.in_(wanted))
    both = union_all(alone, of_many).subquery()
    query = (
        select(both, payment.state)
        .join(office_payment, and_(payment.office_id == both.c.office_id, payment.payment_id == both.c.payment_id))
        .order_by(payment.ordinal, both.c.item)
    )
    return list(connection.execute(query).mappings())


def paid_by(payment: PaymentBook) -> dict[int | None, str]:
    """Return the obligations of a payment, by item; the one of a payment without items stands under None."""
    if payment.items:
        return {item.item: item.obligation for item in payment.items}
    return {None: payment.obligation}


def look_for_second_charge(connection: Connection, booking: Booking, at: datetime) -> None:
    """Open a case for each obligation that another payment, in any office, took money for or may have.

    One that took it: the customer paid twice, and is owed what this payment took. One that may have: a person looks.
    """
    paid = booking.payment
    same = same_debts(connection, set(paid_by(paid).values()))
    uncharged = (*CERTAINLY_UNCHARGED, PaymentState.REQUESTED)
    may_be = [
        row
        for row in holders(connection, set().union(*same.values()))
        if (row["office_id"], row["payment_id"]) != (paid.office_id, paid.payment_id) and row["state"] not in uncharged
    ]
    ruled_out = told_uncharged(connection, {(row["office_id"], row["payment_id"]) for row in may_be}) if may_be else ()
    others = [row for row in may_be if (row["office_id"], row["payment_id"]) not in ruled_out]
    for item, obligation in paid_by(paid).items():
        found = [
            {name: value for name, value in row.items() if name != "obligation" and value is not None}
            for row in others
            if row["obligation"] in same[obligation]
        ]
        if any(other["state"] in CHARGED for other in found):
            twice = case_about(paid, "refund", item=item, reason="charged_twice", obligation=obligation, others=found)
            open_case(connection, twice, at=at, again=True)
        elif found:
            open_case(connection, case_about(paid, "paid_twice", item=item, obligation=obligation, others=found), at=at)
