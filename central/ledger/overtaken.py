"""Closings that what comes later overtakes: it takes off an account what a case's end had booked away from there.

A case that ended as a loss, as written off or as recovered took its amount off the account that the payment's money
stood on. When a settlement pays it after all, is taken back again, or an entry moves the payment (evidence instead of a
word, a late approval, money given back), the same money leaves the same account once more. So what the closing booked
is turned round, in the transaction of what overtakes it, and the case is open again for a person, with a note. Such an
end that waits for a second person is dropped: agreed to now, it would take a loss off money that has come. What a
customer was paid stays: it came out of the customer's claim.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Text, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from central.ledger.booking import Transfer
from central.ledger.cases import CENTRAL, open_again, write_note
from central.ledger.closings import OUTCOMES, REOPENED, taken_back
from central.ledger.store import OfficeTransfer, write_many
from central.store.books import case_closing, ledger_transfer, money_case

SETTLED_AFTER_ALL: Final = (
    "فایل پذیرنده این پرداخت را تسویه کرد: ثبت بستن پرونده برگشت و پرونده دوباره باز شد · "
    "the acquirer's file settled this payment: what the closing booked is turned round, and the case is open again"
)
"""The note in a case whose closing was overtaken by a settlement."""
TAKEN_BACK_SINCE: Final = (
    "تسویهٔ این پرداخت پس گرفته شد: ثبت بستن پرونده برگشت و پرونده دوباره باز شد · "
    "this payment's settlement was taken back: what the closing booked is turned round, and the case is open again"
)
"""The note in a case whose closing was overtaken by the end of a settlement."""
MOVED_SINCE: Final = (
    "دفتر از این پرداخت خبر تازه‌ای داد: ثبت بستن پرونده برگشت و پرونده دوباره باز شد · "
    "the office told news of this payment: what the closing booked is turned round, and the case is open again"
)
"""The note in a case whose closing was overtaken by an entry."""

PROPOSED_BEFORE: Final = (
    "پول این پرداخت از آن پس جابه‌جا شد: پیشنهادی که منتظر نفر دوم بود کنار رفت · "
    "this payment's money moved since: what waited for a second person is dropped"
)
"""The note in a case of which something was proposed before the payment's money moved."""
_OF_WHAT_IS_OWED: Final = ("recovered", "loss", "written_off")
"""Ends that book away what is owed to the centre, wherever it stands when the second person agrees."""

PaymentKey = tuple[str, str]
"""Office, payment id."""


def overtake(
    connection: Connection, credited: Mapping[PaymentKey, str], *, by: str, note: str, at: datetime
) -> set[str]:
    """Turn round what closings took off these accounts, one for each payment; return the cases that are open again.

    `by` names what overtakes them, in the transfers' ids. The payments' rows are locked:
    so nobody closes a case of one meanwhile.
    """
    cases = {row.case_id: row for row in _held_cases(connection, credited)}
    turned = []
    for case_id, made in _in_force(connection, cases, credited).items():
        case = cases[case_id]
        turned += [
            OfficeTransfer(
                office_id=case.office_id,
                payment_id=case.payment_id,
                source=case_id,
                transfer=taken_back(each, f"{each.transfer_id}/{by}"),
            )
            for each in made
        ]
    write_many(connection, turned, source_kind="case", at=at)
    opened = {each.source for each in turned}
    for case_id in sorted(opened):
        write_note(connection, case_id, note, by=CENTRAL, at=at)
        _drop_proposals(connection, [case_id], at)
        open_again(connection, case_id)
    for case_id in _drop_proposals(connection, cases.keys() - opened, at, outcomes=_OF_WHAT_IS_OWED):
        write_note(connection, case_id, PROPOSED_BEFORE, by=CENTRAL, at=at)
    return opened


def _held_cases(connection: Connection, payments: Mapping[PaymentKey, str]) -> list[Any]:
    """Lock the cases of these payments whose end was ever proposed, and return them."""
    if not payments:
        return []
    named = (
        func.unnest(
            bindparam("offices", [office_id for office_id, _ in payments], type_=ARRAY(Text)),
            bindparam("payments", [payment_id for _, payment_id in payments], type_=ARRAY(Text)),
        )
        .table_valued("office_id", "payment_id", name="named")
        .render_derived()
    )
    case = money_case.c
    query = (
        select(case.case_id, case.office_id, case.payment_id)
        .join(named, (case.office_id == named.c.office_id) & (case.payment_id == named.c.payment_id))
        .where(select(case_closing.c.closing_id).where(case_closing.c.case_id == case.case_id).exists())
        .order_by(case.case_id)
        .with_for_update(of=money_case)
    )
    return list(connection.execute(query))


def _in_force(
    connection: Connection, cases: Mapping[str, Any], credited: Mapping[PaymentKey, str]
) -> dict[str, list[Transfer]]:
    """Return what the closings of each case took off the payment's account and nobody has taken back since."""
    table = ledger_transfer.c
    rows = connection.execute(
        select(table.office_id, table.payment_id, table.source, *(table[name] for name in Transfer.__struct_fields__))
        .where(
            table.office_id.in_(sorted({case.office_id for case in cases.values()})),
            table.payment_id.in_(sorted({case.payment_id for case in cases.values()})),
            table.source_kind == "case",
            table.source.in_(sorted(cases)),
        )
        .order_by(table.ordinal)
    ).mappings()
    standing: dict[str, list[Transfer]] = defaultdict(list)
    for row in rows:
        transfer = Transfer(**{name: row[name] for name in Transfer.__struct_fields__})
        account = credited[row["office_id"], row["payment_id"]]
        if transfer.reason != REOPENED and transfer.credit == account:
            standing[row["source"]].append(transfer)
        elif transfer.reason == REOPENED and transfer.debit == account:
            standing[row["source"]].pop()
    return {case_id: made for case_id, made in sorted(standing.items()) if made}


def _drop_proposals(
    connection: Connection,
    case_ids: Collection[str],
    at: datetime,
    *,
    outcomes: Collection[str] = (*OUTCOMES, REOPENED),
) -> list[str]:
    """Drop what waits for a second person, and return of which cases: it was proposed when they stood otherwise."""
    if not case_ids:
        return []
    table = case_closing
    dropped = connection.execute(
        update(table)
        .where(table.c.case_id.in_(sorted(case_ids)), table.c.state == "proposed", table.c.outcome.in_(outcomes))
        .values(state="dropped", decided_by=CENTRAL, decided_at=at)
        .returning(table.c.case_id)
    )
    return sorted(dropped.scalars())
