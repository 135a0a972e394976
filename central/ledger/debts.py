"""What is one debt though several answers name it: the whole of a vehicle's fines, and each violation of it.

An answer's payables are obligations of their own. Each stands for names: itself, and the violations that it pays, by
the serial number that the police gave them; the whole stands for all of its parts' names. Two obligations that share a
name are the same debt, whichever request, office or provider they came from: it is charged and settled once.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from central.ledger.storable import name_or_none
from central.store.services import service_debt


def keep_debts(connection: Connection, office_id: str, inquiry_id: str, debts: Mapping[str, Collection[str]]) -> None:
    """Keep the names that an answer's obligations stand for; what is kept already stays. Does not commit."""
    rows = [
        {"office_id": office_id, "inquiry_id": inquiry_id, "obligation": obligation, "name": name}
        for obligation, names in sorted(debts.items())
        for name in sorted({obligation, *names})
        if name_or_none(obligation) is not None and name_or_none(name) is not None
    ]
    if rows:
        connection.execute(insert(service_debt).on_conflict_do_nothing(), rows)


def debt_names(connection: Connection, obligations: Collection[str]) -> set[str]:
    """Return these obligations and all names that answers say they stand for."""
    table = service_debt.c
    named = select(table.name).where(table.obligation.in_(sorted(obligations))).distinct()
    return {*obligations, *connection.execute(named).scalars()}


def same_debts(connection: Connection, obligations: Collection[str]) -> dict[str, set[str]]:
    """Return for each of these obligations those that are the same debt, itself among them."""
    of, other = service_debt.alias("of"), service_debt.alias("other")
    rows = connection.execute(
        select(of.c.obligation, other.c.obligation.label("same"))
        .join(other, other.c.name == of.c.name)
        .where(of.c.obligation.in_(sorted(obligations)))
        .distinct()
    )
    found: dict[str, set[str]] = defaultdict(set, {obligation: {obligation} for obligation in obligations})
    for row in rows:
        found[row.obligation].add(row.same)
    return dict(found)
