"""What pages read of the items of a charge: what each pays, and what became of it."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select, tuple_

from central.store.books import money_case, office_payment, office_payment_item


class ItemRow(msgspec.Struct, frozen=True, kw_only=True):
    """One of several obligations that a charge pays. `item` is its place in the charge, from 0."""

    office_id: str
    payment_id: str
    item: int
    obligation: str
    amount_rial: int
    bill_id: str | None
    bill_payment_id: str | None
    confirmation: str
    """As a payment's: `none`, `queued`, `confirmed`, `refused`."""
    refusal_reason: str | None
    provider: str | None
    provider_reference: str | None
    confirmed_at: datetime | None
    open_case: str | None
    """A case about it that is not closed, the newest."""


_OPEN_CASE = (
    select(money_case.c.case_id)
    .where(
        money_case.c.office_id == office_payment_item.c.office_id,
        money_case.c.payment_id == office_payment_item.c.payment_id,
        money_case.c.item == office_payment_item.c.item,
        money_case.c.state != "closed",
    )
    .order_by(money_case.c.ordinal.desc())
    .limit(1)
    .scalar_subquery()
    .label("open_case")
)


def payment_items(connection: Connection, office_id: str, payment_id: str) -> tuple[ItemRow, ...]:
    """Return what a charge pays, in its order; nothing for a payment without items."""
    return items_of(connection, [(office_id, payment_id)]).get((office_id, payment_id), ())


def items_of(connection: Connection, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[ItemRow, ...]]:
    """Return the items of those of these payments (office, payment id) that have any."""
    table = office_payment_item
    columns = [table.c[name] for name in ItemRow.__struct_fields__ if name != "open_case"]
    query = (
        select(*columns, _OPEN_CASE)
        .where(tuple_(table.c.office_id, table.c.payment_id).in_(sorted(keys)))
        .order_by(table.c.office_id, table.c.payment_id, table.c.item)
    )
    found: dict[tuple[str, str], tuple[ItemRow, ...]] = {}
    for row in connection.execute(query).mappings():
        item = ItemRow(**row)
        key = (item.office_id, item.payment_id)
        found[key] = (*found.get(key, ()), item)
    return found


def charges_of_bill(text: str) -> Select[tuple[int]]:
    """Return the SELECT of the ordinals of payments one of whose items has this bill id or payment id."""
    item, payment = office_payment_item.c, office_payment.c
    of_item: ColumnElement[bool] = and_(payment.office_id == item.office_id, payment.payment_id == item.payment_id)
    return (
        select(payment.ordinal)
        .join(office_payment_item, of_item)
        .where(or_(item.bill_id == text, item.bill_payment_id == text))
    )
