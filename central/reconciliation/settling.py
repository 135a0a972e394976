"""Booking what acquirers paid out, and taking that back: what a run settles, what a later row or file undoes.

settled      a payment and its row agree: settled ← receivable, once; of a bill that its terminal paid, the acquirer
             passes the money on to the biller: acquirer_pays ← receivable
taken back   the row that settled it stands beside its own reversal or refund now: the transfer is turned round
withdrawn    the row's file was corrected by another one: likewise

What a case's closing had booked of the same money is turned round in the same step (`central.ledger.overtaken`).
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, select, tuple_, update

from central.ledger.accounts import SETTLED, receivable
from central.ledger.beyond import follow_beyond
from central.ledger.booking import Transfer
from central.ledger.locking import lock_payments
from central.ledger.overtaken import SETTLED_AFTER_ALL, TAKEN_BACK_SINCE, overtake
from central.ledger.positions import settled, withdrawn
from central.ledger.store import OfficeTransfer, write_many
from central.reconciliation.breaks import Bucket
from central.reconciliation.inputs import LineKey, PaymentInput, PaymentKey
from central.reconciliation.matching import Decision
from central.store.books import ledger_transfer, office_payment


def take_back(connection: Connection, decisions: Sequence[Decision], *, at: datetime) -> set[PaymentKey]:
    """Turn round the settlements whose row was taken back in full by others; return their payments."""
    rows = sorted(line for each in decisions if each.payments and each.acquirer_rial == 0 for line in each.lines)
    payment = office_payment.c
    return withdraw(connection, tuple_(payment.settled_file, payment.settled_line).in_(rows), at=at)


def withdraw(connection: Connection, which: ColumnElement[bool], *, at: datetime) -> set[PaymentKey]:
    """Turn round in the ledger the settlement of these payments; return those that had one."""
    payment, transfer = office_payment.c, ledger_transfer.c
    lock_payments(
        connection,
        (tuple(row) for row in connection.execute(select(payment.office_id, payment.payment_id).where(which))),
    )
    source = func.concat(payment.settled_file, "#", payment.settled_line)
    made = func.concat("settled/", payment.payment_id, "/", source, "/", payment.settled_run)
    columns = [transfer[name] for name in Transfer.__struct_fields__]
    rows = (
        connection.execute(
            select(*columns, payment.office_id, payment.payment_id, payment.settled_run, source.label("source"))
            .join(
                ledger_transfer,
                and_(
                    transfer.office_id == payment.office_id,
                    transfer.transfer_id == made,
                ),
            )
            .where(which)
            .order_by(payment.office_id, payment.requested_index)
        )
        .mappings()
        .all()
    )
    for run_id in sorted({row["settled_run"] for row in rows}):
        of_run = {(row["office_id"], row["payment_id"]): SETTLED.code for row in rows if row["settled_run"] == run_id}
        overtake(connection, of_run, by=f"withdrawn/{run_id}", note=TAKEN_BACK_SINCE, at=at)
    write_many(
        connection,
        [
            OfficeTransfer(
                office_id=row["office_id"],
                payment_id=row["payment_id"],
                source=row["source"],
                transfer=withdrawn(Transfer(**{name: row[name] for name in Transfer.__struct_fields__})),
            )
            for row in rows
        ],
        source_kind="settlement",
        at=at,
    )
    connection.execute(
        update(office_payment).where(which).values(settled_file=None, settled_line=None, settled_run=None)
    )
    return {(row["office_id"], row["payment_id"]) for row in rows}


def newly_settled_of(
    connection: Connection, payments: Sequence[PaymentInput], decisions: Sequence[Decision]
) -> list[tuple[PaymentInput, Decision]]:
    """Return the matched payments that no earlier run saw settled, by rows that settled no other; in one order."""
    by_key = {payment.key: payment for payment in payments}
    matched = {decision.payments[0]: decision for decision in decisions if decision.bucket is Bucket.MATCHED}
    spent = _spent_lines(connection, {decision.lines[0][0] for decision in matched.values()})
    unsettled = connection.execute(
        select(office_payment.c.office_id, office_payment.c.payment_id)
        .where(
            office_payment.c.settled_file.is_(None),
            office_payment.c.local_date.in_({by_key[key].local_date for key in matched}),
        )
        .order_by(office_payment.c.office_id, office_payment.c.requested_index)
    ).all()
    return [
        (by_key[office_id, payment_id], matched[office_id, payment_id])
        for office_id, payment_id in unsettled
        if (office_id, payment_id) in matched and matched[office_id, payment_id].lines[0] not in spent
    ]


def _spent_lines(connection: Connection, files: set[str]) -> set[LineKey]:
    """Return the lines of these files that settled a payment already: a line settles one, whatever is decided later."""
    table = office_payment
    spent = connection.execute(
        select(table.c.settled_file, table.c.settled_line).where(table.c.settled_file.in_(sorted(files)))
    )
    return {(file_id, line_number) for file_id, line_number in spent}


def settle(
    connection: Connection, newly_settled: Sequence[tuple[PaymentInput, Decision]], run_id: int, at: datetime
) -> None:
    """Book that the acquirer paid these out, and mark them."""
    if not newly_settled:
        return
    credited = {payment.key: receivable(payment.terminal_number).code for payment, _ in newly_settled}
    lock_payments(connection, credited)
    overtake(connection, credited, by=f"settled/{run_id}", note=SETTLED_AFTER_ALL, at=at)
    follow_beyond(connection, credited, settled=True, by=f"settled/{run_id}", at=at)
    found_in = [(payment, *decision.lines[0]) for payment, decision in newly_settled]
    write_many(
        connection,
        [
            OfficeTransfer(
                office_id=payment.office_id,
                payment_id=payment.payment_id,
                source=f"{file_id}#{line_number}",
                transfer=settled(
                    payment.payment_id,
                    payment.terminal_number,
                    payment.amount_rial,
                    found_in=f"{file_id}#{line_number}/{run_id}",
                    pays_bill=payment.pays_bill,
                ),
            )
            for payment, file_id, line_number in found_in
        ],
        source_kind="settlement",
        at=at,
    )
    connection.execute(
        update(office_payment)
        .where(
            office_payment.c.office_id == bindparam("of_office"),
            office_payment.c.payment_id == bindparam("of_payment"),
            office_payment.c.settled_file.is_(None),
        )
        .values(settled_file=bindparam("file"), settled_line=bindparam("line"), settled_run=run_id),
        [
            {"of_office": payment.office_id, "of_payment": payment.payment_id, "file": file_id, "line": line_number}
            for payment, file_id, line_number in found_in
        ],
    )
