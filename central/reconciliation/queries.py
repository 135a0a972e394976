"""What pages read of settlement files, reconciliation runs, breaks, cases, and the day board.

Lists page by cursor, newest first: pass the `ordinal` (or `run_id`) of the last row shown as `before`. Rows of a file
and decisions of a run are read forward: pass the last `line_number` or `number` shown as `after`.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, select, tuple_

from central.ledger.cases import break_case_id, case_name
from central.ledger.item_queries import payment_items
from central.ledger.queries import PaymentRow, payment, payment_rows, to_payments
from central.reconciliation.breaks import BREAKS, BUCKET_TEXTS, Bucket
from central.reconciliation.views import (
    BucketView,
    CaseRow,
    CaseView,
    DayBoard,
    DecisionView,
    FileView,
    LineView,
    NoteView,
    OfficeBoard,
    RunRow,
    RunView,
)
from central.store.books import case_closing, money_case, money_case_note, office_payment, office_payment_item
from central.store.settlements import (
    recon_bucket,
    recon_decision,
    recon_member,
    recon_run,
    settlement_file,
    settlement_line,
)
from shared.payment import CHARGED, OPEN, UNDOING

__all__ = [
    "DayBoard",
    "DecisionView",
    "FileView",
    "OfficeBoard",
    "RunView",
    "case",
    "cases",
    "day_board",
    "decisions",
    "file",
    "file_lines",
    "files",
    "payment_cases",
    "payment_decisions",
    "run",
    "runs",
]


_WAITS: Final = (
    select(case_closing.c.closing_id)
    .where(case_closing.c.case_id == money_case.c.case_id, case_closing.c.state == "proposed")
    .exists()
    .label("waits")
)


def files(connection: Connection, *, before: int | None = None, limit: int = 50) -> tuple[FileView, ...]:
    """Return imported files, newest first."""
    query = _columns(settlement_file, FileView).order_by(settlement_file.c.ordinal.desc()).limit(limit)
    if before is not None:
        query = query.where(settlement_file.c.ordinal < before)
    return tuple(FileView(**row) for row in connection.execute(query).mappings())


def file(connection: Connection, file_id: str) -> FileView | None:
    """Return one file, or None."""
    query = _columns(settlement_file, FileView).where(settlement_file.c.file_id == file_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else FileView(**row)


def file_lines(connection: Connection, file_id: str, *, after: int = 0, limit: int = 100) -> tuple[LineView, ...]:
    """Return rows of a file, in file order."""
    table = settlement_line
    query = _columns(table, LineView).where(table.c.file_id == file_id, table.c.line_number > after)
    rows = connection.execute(query.order_by(table.c.line_number).limit(limit)).mappings()
    return tuple(LineView(**row) for row in rows)


def runs(connection: Connection, *, before: int | None = None, limit: int = 50) -> tuple[RunRow, ...]:
    """Return runs, newest first."""
    query = _columns(recon_run, RunRow).order_by(recon_run.c.run_id.desc()).limit(limit)
    if before is not None:
        query = query.where(recon_run.c.run_id < before)
    return tuple(RunRow(**row) for row in connection.execute(query).mappings())


def run(connection: Connection, run_id: int) -> RunView | None:
    """Return a run with its buckets, or None."""
    row = connection.execute(_columns(recon_run, RunRow).where(recon_run.c.run_id == run_id)).mappings().one_or_none()
    if row is None:
        return None
    found = connection.execute(select(recon_bucket).where(recon_bucket.c.run_id == run_id)).mappings()
    sums = {found_row["bucket"]: found_row for found_row in found}
    return RunView(run=RunRow(**row), buckets=tuple(_bucket_view(bucket, sums.get(bucket)) for bucket in Bucket))


def decisions(
    connection: Connection,
    run_id: int,
    *,
    bucket: str | None = None,
    only_breaks: bool = False,
    after: int = 0,
    limit: int = 50,
) -> tuple[DecisionView, ...]:
    """Return decisions of a run, in its own order."""
    table = recon_decision
    query = select(table).where(table.c.run_id == run_id, table.c.number > after)
    if bucket is not None:
        query = query.where(table.c.bucket == bucket)
    if only_breaks:
        query = query.where(table.c.is_break)
    return _decisions(connection, query.order_by(table.c.number).limit(limit))


def payment_decisions(connection: Connection, office_id: str, payment_id: str) -> tuple[DecisionView, ...]:
    """Return what every run decided of one payment, newest run first."""
    query = (
        select(recon_decision)
        .join(
            recon_member,
            and_(
                recon_member.c.run_id == recon_decision.c.run_id,
                recon_member.c.number == recon_decision.c.number,
            ),
        )
        .where(recon_member.c.office_id == office_id, recon_member.c.payment_id == payment_id)
        .order_by(recon_decision.c.run_id.desc())
    )
    return _decisions(connection, query)


def cases(
    connection: Connection,
    *,
    state: str | None = None,
    kind: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[CaseRow, ...]:
    """Return cases, newest first."""
    query = select(money_case, _WAITS).order_by(money_case.c.ordinal.desc()).limit(limit)
    if state is not None:
        query = query.where(money_case.c.state == state)
    if kind is not None:
        query = query.where(money_case.c.kind == kind)
    if before is not None:
        query = query.where(money_case.c.ordinal < before)
    return tuple(_case_row(row) for row in connection.execute(query).mappings())


def payment_cases(connection: Connection, office_id: str, payment_id: str) -> tuple[CaseRow, ...]:
    """Return the cases about one payment, oldest first."""
    query = (
        select(money_case, _WAITS)
        .where(money_case.c.office_id == office_id, money_case.c.payment_id == payment_id)
        .order_by(money_case.c.ordinal)
    )
    return tuple(_case_row(row) for row in connection.execute(query).mappings())


def case(connection: Connection, case_id: str) -> CaseView | None:
    """Return one case with its notes, or None."""
    query = select(money_case, _WAITS).where(money_case.c.case_id == case_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    notes = connection.execute(
        _columns(money_case_note, NoteView)
        .where(money_case_note.c.case_id == case_id)
        .order_by(money_case_note.c.number)
    ).mappings()
    about = None
    if row["office_id"] is not None and row["payment_id"] is not None:
        about = payment(connection, row["office_id"], row["payment_id"])
    item = None
    if about is not None and row["item"] is not None:
        item = payment_items(connection, about.office_id, about.payment_id)[row["item"]]
    return CaseView(case=_case_row(row), notes=tuple(NoteView(**note) for note in notes), payment=about, item=item)


def day_board(connection: Connection, *, since: datetime | None = None) -> DayBoard:
    """Return the board's numbers."""
    table = office_payment
    measures = [
        measure
        for name, condition in _MEASURES.items()
        for measure in (
            func.count().filter(condition).label(f"{name}_count"),
            func.coalesce(func.sum(table.c.amount_rial).filter(condition), 0).label(f"{name}_rial"),
        )
    ]
    query = select(
        table.c.office_id,
        func.count().label("payment_count"),
        func.max(table.c.changed_at).label("last_received_at"),
        *measures,
    ).group_by(table.c.office_id)
    if since is not None:
        query = query.where(table.c.received_at >= since)
    of_items = _item_sums(connection, since)
    rows = [dict(row) for row in connection.execute(query.order_by(table.c.office_id)).mappings()]
    for row in rows:
        row.update({name: row[name] + of_items.get((row["office_id"], name), 0) for name in _ITEM_SUMS})
    offices = tuple(OfficeBoard(**{name: _number(row[name]) for name in OfficeBoard.__struct_fields__}) for row in rows)
    totals = {
        f"{name}_{unit}": sum(int(row[f"{name}_{unit}"]) for row in rows)
        for name in _MEASURES
        for unit in ("count", "rial")
    }
    open_cases = connection.execute(
        select(money_case.c.kind, func.count()).where(money_case.c.state != "closed").group_by(money_case.c.kind)
    )
    newest = connection.execute(select(func.max(recon_run.c.run_id))).scalar()
    return DayBoard(
        since=since,
        offices=offices,
        open_cases=dict(sorted((row[0], row[1]) for row in open_cases)),
        last_run=None if newest is None else run(connection, newest),
        **totals,
    )


def _item_sums(connection: Connection, since: datetime | None) -> dict[tuple[str, str], int]:
    """Return what the items of charges add to the board's numbers, by office and number."""
    payment, item = office_payment.c, office_payment_item.c
    measures = [
        measure
        for name, condition in _ITEM_MEASURES.items()
        for measure in (
            func.count().filter(condition).label(f"{name}_count"),
            func.coalesce(func.sum(item.amount_rial).filter(condition), 0).label(f"{name}_rial"),
        )
    ]
    query = (
        select(item.office_id, *measures)
        .join(office_payment, and_(payment.office_id == item.office_id, payment.payment_id == item.payment_id))
        .group_by(item.office_id)
    )
    if since is not None:
        query = query.where(payment.received_at >= since)
    rows = connection.execute(query).mappings()
    return {(row["office_id"], name): int(row[name]) for row in rows for name in _ITEM_SUMS}


_CHARGED = office_payment.c.state.in_(sorted(CHARGED))
_ALONE = office_payment.c.item_count == 0
_MEASURES: Final[dict[str, ColumnElement[bool]]] = {
    "charged": _CHARGED,
    "in_doubt": office_payment.c.state.in_(sorted(OPEN)),
    "undoing": office_payment.c.state.in_(sorted(UNDOING)),
    "unconfirmed": and_(_ALONE, _CHARGED, office_payment.c.confirmation == "queued"),
    "confirmed": and_(_ALONE, office_payment.c.confirmation == "confirmed"),
    "refused": and_(_ALONE, office_payment.c.confirmation == "refused"),
    "settled": office_payment.c.settled_file.is_not(None),
    "unsettled": and_(_CHARGED, office_payment.c.settled_file.is_(None)),
}
"""What the board counts. A payment whose outcome has not come yet is counted with those in doubt: a silent box may know
more. What is being given back is charged as well, as far as is known."""
_ITEM_MEASURES: Final[dict[str, ColumnElement[bool]]] = {
    "unconfirmed": and_(_CHARGED, office_payment_item.c.confirmation == "queued"),
    "confirmed": office_payment_item.c.confirmation == "confirmed",
    "refused": office_payment_item.c.confirmation == "refused",
}
"""What providers said, counted bill by bill where one charge pays several."""
_ITEM_SUMS: Final = frozenset(f"{name}_{unit}" for name in _ITEM_MEASURES for unit in ("count", "rial"))


def _number(value: Any) -> Any:
    """Return sums, which the database gives as Decimal, as int; all else as it is."""
    return int(value) if isinstance(value, Decimal) else value


def _columns(table: Table, struct: type[msgspec.Struct]) -> Select[Any]:
    return select(*(table.c[name] for name in struct.__struct_fields__))


def _bucket_view(bucket: Bucket, sums: Any) -> BucketView:
    names = ("decision_count", "payment_count", "line_count", "office_rial", "acquirer_rial")
    numbers = {name: 0 if sums is None else sums[name] for name in names}
    return BucketView(
        bucket=bucket,
        name_fa=BUCKET_TEXTS[bucket].fa,
        name_en=BUCKET_TEXTS[bucket].en,
        is_break=bucket in BREAKS,
        difference_rial=numbers["acquirer_rial"] - numbers["office_rial"],
        **numbers,
    )


def _case_row(row: Any) -> CaseRow:
    names = case_name(row["kind"])
    fields = {name: row[name] for name in CaseRow.__struct_fields__ if name in row}
    return CaseRow(name_fa=names[0], name_en=names[1], **fields)


def _decisions(connection: Connection, query: Select[Any]) -> tuple[DecisionView, ...]:
    rows = connection.execute(query).mappings().all()
    keys = [(row["run_id"], row["number"]) for row in rows]
    members = connection.execute(
        select(recon_member)
        .where(tuple_(recon_member.c.run_id, recon_member.c.number).in_(keys))
        .order_by(recon_member.c.run_id, recon_member.c.number, recon_member.c.side, recon_member.c.place)
    ).mappings()
    by_decision: dict[tuple[int, int], list[Any]] = {key: [] for key in keys}
    for member in members:
        by_decision[member["run_id"], member["number"]].append(member)
    everyone = [member for group in by_decision.values() for member in group]
    payments = _payments_of(connection, everyone)
    lines = _lines_of(connection, everyone)
    opened = _cases_of(connection, [row["break_key"] for row in rows if row["is_break"]])
    return tuple(
        DecisionView(
            run_id=row["run_id"],
            number=row["number"],
            bucket=row["bucket"],
            rule=row["rule"],
            is_break=row["is_break"],
            office_rial=row["office_rial"],
            acquirer_rial=row["acquirer_rial"],
            difference_rial=row["acquirer_rial"] - row["office_rial"],
            break_key=row["break_key"],
            case_id=opened.get(row["break_key"]),
            payments=tuple(
                payments[member["office_id"], member["payment_id"]]
                for member in by_decision[row["run_id"], row["number"]]
                if member["side"] == "office"
            ),
            lines=tuple(
                lines[member["file_id"], member["line_number"]]
                for member in by_decision[row["run_id"], row["number"]]
                if member["side"] == "acquirer"
            ),
        )
        for row in rows
    )


def _payments_of(connection: Connection, members: list[Any]) -> dict[tuple[str, str], PaymentRow]:
    keys = [(member["office_id"], member["payment_id"]) for member in members if member["side"] == "office"]
    query = payment_rows(tuple_(office_payment.c.office_id, office_payment.c.payment_id).in_(keys))
    return {(row.office_id, row.payment_id): row for row in to_payments(connection, query)}


def _lines_of(connection: Connection, members: list[Any]) -> dict[tuple[str, int], LineView]:
    keys = [(member["file_id"], member["line_number"]) for member in members if member["side"] == "acquirer"]
    query = _columns(settlement_line, LineView).where(
        tuple_(settlement_line.c.file_id, settlement_line.c.line_number).in_(keys)
    )
    found = (LineView(**row) for row in connection.execute(query).mappings())
    return {(line.file_id, line.line_number): line for line in found}


def _cases_of(connection: Connection, break_keys: list[str]) -> dict[str, str]:
    """Return the case id of each break that is in a person's hands."""
    ids = {break_case_id(key): key for key in break_keys}
    found = connection.execute(select(money_case.c.case_id).where(money_case.c.case_id.in_(list(ids)))).scalars()
    return {ids[case_id]: case_id for case_id in found}
