"""How much the closings of a payment's cases may book together: its own money once, and no customer paid twice."""

from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, or_, select

from central.ledger.accounts import PAID_OUT, RECOVERABLE, SETTLED
from central.ledger.booking import PaymentBook, Transfer
from central.ledger.closings import HAD_TWICE, REOPENED
from central.store.books import ledger_transfer, money_case
from shared.errors import OperatorError

_Side = Literal["centre", "customer", "beyond"]
"""What was owed to the centre; what a customer was paid of it; what an acquirer took beyond it and gave back."""


class _Booked(msgspec.Struct, frozen=True, kw_only=True):
    """What a closing of one of the payment's cases booked."""

    case_id: str
    item: int | None
    debit: str
    credit: str
    reason: str
    value_rial: int
    """Minus for what was taken back."""

    @property
    def side(self) -> _Side:
        """Return whose money it is."""
        return _side(self.debit, self.credit)


def _booked(connection: Connection, case: Any) -> list[_Booked]:
    """Return what the closings of the payment's cases booked of its own amount."""
    table = ledger_transfer.c
    rows = connection.execute(
        select(money_case.c.case_id, money_case.c.item, table.debit, table.credit, table.reason, table.amount_rial)
        .join(money_case, money_case.c.case_id == table.source)
        .where(
            table.office_id == case["office_id"],
            table.payment_id == case["payment_id"],
            table.source_kind == "case",
            money_case.c.kind != HAD_TWICE,
        )
    )
    return [
        _Booked(
            case_id=row.case_id,
            item=row.item,
            debit=row.debit,
            credit=row.credit,
            reason=row.reason,
            value_rial=-row.amount_rial if row.reason == REOPENED else row.amount_rial,
        )
        for row in rows
    ]


def check_left(connection: Connection, case: Any, made: list[Transfer], payment: PaymentBook) -> None:
    """Check that closings together book no more away than the payment's amount, nor than the item's, on either side.

    What was owed to the centre is one side, what was paid out to the customer the other; and no case pays a customer
    more than its own amount, however often it ends. Raises OperatorError `case.booked_already`.
    """
    booked = _booked(connection, case)
    paid = [row for row in booked if row.case_id == case["case_id"] and row.side != "centre"]
    pays_rial = sum(each.amount_rial for each in made if _side(each.debit, each.credit) != "centre")
    _check_within(paid, pays_rial, case["amount_rial"])
    sides: tuple[_Side, ...] = ("customer", "centre")
    for side in sides:
        made_rial = sum(each.amount_rial for each in made if _side(each.debit, each.credit) == side)
        same_side = [row for row in booked if row.side == side]
        limits = [(same_side, payment.amount_rial)]
        if case["item"] is not None:
            of_item = [row for row in same_side if row.item == case["item"]]
            limits.append((of_item, payment.items[case["item"]].amount_rial))
        for rows, amount_rial in limits:
            _check_within(rows, made_rial, amount_rial)


def _check_within(booked: list[_Booked], made_rial: int, amount_rial: int) -> None:
    booked_rial = sum(row.value_rial for row in booked)
    if made_rial and booked_rial + made_rial > amount_rial:
        raise OperatorError("case.booked_already", booked_rial=booked_rial, amount_rial=amount_rial)


def check_has_twice(connection: Connection, case: Any, made: list[Transfer]) -> None:
    """Check that of what a payment's customer has twice no more is booked away than there is, by all cases of it.

    Raises OperatorError `case.booked_already`.
    """
    table = ledger_transfer.c
    rows = connection.execute(
        select(table.debit, table.source_kind, table.amount_rial)
        .outerjoin(money_case, money_case.c.case_id == table.source)
        .where(
            table.office_id == case["office_id"],
            table.payment_id == case["payment_id"],
            or_(table.debit == RECOVERABLE.code, table.credit == RECOVERABLE.code),
            or_(table.source_kind == "paid_out", money_case.c.kind == HAD_TWICE),
        )
    ).all()
    signed = [(row.source_kind, row.amount_rial if row.debit == RECOVERABLE.code else -row.amount_rial) for row in rows]
    had_rial = sum(rial for kind, rial in signed if kind == "paid_out")
    booked_rial = -sum(rial for kind, rial in signed if kind != "paid_out")
    if booked_rial + sum(each.amount_rial for each in made) > had_rial:
        raise OperatorError("case.booked_already", booked_rial=booked_rial, amount_rial=had_rial)


def _side(debit: str, credit: str) -> _Side:
    pair = {debit, credit}
    if PAID_OUT.code not in pair:
        return "centre"
    return "beyond" if SETTLED.code in pair else "customer"
