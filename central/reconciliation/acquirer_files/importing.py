"""Taking a settlement file into the books: whole or not at all, never twice, and never beside what it corrects."""

from datetime import date
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, Text, and_, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from central.reconciliation.acquirer_files.neutral_csv import SettlementFile, SettlementLine, parse_settlement
from central.reconciliation.inputs import number_key
from central.reconciliation.views import FileView
from central.store.copying import copy_rows
from central.store.settlements import (
    acquirer_terminal,
    in_force,
    settlement_file,
    settlement_line,
    settlement_reach,
)
from shared.calendar import jalali_datetime_text
from shared.clock import Clock
from shared.errors import OperatorError

FILE_ID_DIGITS: Final = 16
NAME_SIZE_MAX: Final = 200
_LINE_COLUMNS: Final = ("file_id", *SettlementLine.__struct_fields__)
_LOCK_KEY: Final = 0x6461667461720004
"""The advisory lock of imports: "daftar" and a number. Files become visible in the order of their ordinals."""
_ZERO: Final[ColumnElement[str]] = literal_column("'0'")
"""Not a parameter: the index is over this very expression."""


def import_settlement(
    engine: Engine, *, name: str, data: bytes, imported_by: str, clock: Clock, adds: bool = False
) -> FileView:
    """Import a file and return it.

    `adds`: a person said that it stands beside what it shares days or transactions with. Raises OperatorError: those of
    `parse_settlement`; `settlement.same_file` (data: file_id, name, imported_at as Jalali text, imported_by) for bytes
    that are in force; `settlement.overlaps` (data: file_id, name, shared) for a file that may correct another one.
    Nothing is written then.
    """
    parsed = parse_settlement(data)
    with engine.begin() as connection:
        hold_imports(connection)
        _refuse_same(connection, parsed)
        if not adds:
            _refuse_overlap(connection, parsed)
        return keep_file(connection, parsed, name=name, imported_by=imported_by, clock=clock)


def hold_imports(connection: Connection) -> None:
    """Let no other file be imported until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK_KEY)))


def keep_file(connection: Connection, parsed: SettlementFile, *, name: str, imported_by: str, clock: Clock) -> FileView:
    """Write a file and its rows; the transaction holds the imports. Raises OperatorError `settlement.same_file`."""
    _refuse_same(connection, parsed)
    dates = [line.financial_date for line in parsed.lines]
    copies = connection.execute(
        select(func.count()).select_from(settlement_file).where(settlement_file.c.sha256 == parsed.sha256)
    ).scalar_one()
    digits = parsed.sha256.hex()[:FILE_ID_DIGITS]
    stored = (
        connection.execute(
            insert(settlement_file)
            .values(
                file_id=f"sf-{digits}" if copies == 0 else f"sf-{digits}-{copies + 1}",
                sha256=parsed.sha256,
                copy=copies + 1,
                name="".join(letter for letter in name if letter.isprintable())[:NAME_SIZE_MAX] or "settlement.csv",
                size_bytes=parsed.size_bytes,
                line_count=len(parsed.lines),
                total_rial=parsed.total_rial,
                financial_from=min(dates),
                financial_to=max(dates),
                imported_at=clock.now(),
                imported_by=imported_by,
            )
            .returning(*(settlement_file.c[column] for column in FileView.__struct_fields__))
        )
        .mappings()
        .one()
    )
    rows = ((stored["file_id"], *msgspec.structs.astuple(line)) for line in parsed.lines)
    copy_rows(connection, settlement_line, _LINE_COLUMNS, rows)
    _keep_reach(connection, stored["file_id"], parsed)
    return FileView(**stored)


def _keep_reach(connection: Connection, file_id: str, parsed: SettlementFile) -> None:
    """Keep how far the file reaches for each acquirer, and which terminals it calls whose."""
    reach: dict[str, date] = {}
    for line in parsed.lines:
        reach[line.psp] = max(line.financial_date, reach.get(line.psp, line.financial_date))
    connection.execute(
        insert(settlement_reach),
        [{"file_id": file_id, "psp": psp, "financial_to": last} for psp, last in sorted(reach.items())],
    )
    named = {(terminal, line.psp) for line in parsed.lines if (terminal := number_key(line.terminal_id)) is not None}
    if named:
        connection.execute(
            insert(acquirer_terminal).on_conflict_do_nothing(),
            [{"terminal": terminal, "psp": psp} for terminal, psp in sorted(named)],
        )


def _refuse_same(connection: Connection, parsed: SettlementFile) -> None:
    """Refuse bytes that are in force. A file that another one corrected may come again: the correction was wrong."""
    table = settlement_file.c
    earlier = (
        connection.execute(select(settlement_file).where(table.sha256 == parsed.sha256, in_force(table.file_id)))
        .mappings()
        .one_or_none()
    )
    if earlier is not None:
        raise OperatorError(
            "settlement.same_file",
            field="file",
            file_id=earlier["file_id"],
            name=earlier["name"],
            imported_by=earlier["imported_by"],
            imported_at=jalali_datetime_text(earlier["imported_at"], "en"),
        )


def _refuse_overlap(connection: Connection, parsed: SettlementFile) -> None:
    """Refuse a file that shares a transaction, or all its days and cycles, with one in force: it may correct it."""
    found = _sharing(connection, parsed) or _of_same_days(connection, parsed)
    if found is None:
        return
    file_id, shared = found
    name = connection.execute(select(settlement_file.c.name).where(settlement_file.c.file_id == file_id)).scalar()
    raise OperatorError("settlement.overlaps", field="file", file_id=file_id, name=name, shared=shared)


def _sharing(connection: Connection, parsed: SettlementFile) -> tuple[str, int] | None:
    """Return the file in force with which this one shares the most rows, by acquirer, terminal, RRN and type."""
    keys = sorted(
        {
            (line.psp, number_key(line.terminal_id) or "", rrn, line.type)
            for line in parsed.lines
            if (rrn := number_key(line.rrn)) is not None
        }
    )
    names = ("psp", "terminal", "rrn", "type")
    wanted = (
        func.unnest(
            *(bindparam(f"of_{name}", [key[at] for key in keys], type_=ARRAY(Text)) for at, name in enumerate(names))
        )
        .table_valued(*names, name="wanted")
        .render_derived()
    )
    table = settlement_line.c
    row = connection.execute(
        select(table.file_id, func.count().label("shared"))
        .join(
            wanted,
            and_(
                func.ltrim(table.terminal_id, _ZERO) == wanted.c.terminal,
                func.ltrim(table.rrn, _ZERO) == wanted.c.rrn,
                table.psp == wanted.c.psp,
                table.type == wanted.c.type,
            ),
        )
        .where(in_force(table.file_id))
        .group_by(table.file_id)
        .order_by(func.count().desc(), table.file_id)
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.file_id, row.shared)


def _of_same_days(connection: Connection, parsed: SettlementFile) -> tuple[str, int] | None:
    """Return a file in force of exactly the same acquirers, financial dates and cycles."""
    own = {(line.psp, line.financial_date, line.cycle) for line in parsed.lines}
    dates = [date for _, date, _ in own]
    file, line = settlement_file.c, settlement_line.c
    candidates = connection.execute(
        select(file.file_id)
        .where(file.financial_from == min(dates), file.financial_to == max(dates), in_force(file.file_id))
        .order_by(file.ordinal.desc())
    ).scalars()
    for file_id in candidates:
        days = connection.execute(
            select(line.psp, line.financial_date, line.cycle).where(line.file_id == file_id).distinct()
        )
        if {(psp, date, cycle) for psp, date, cycle in days} == own:
            return file_id, 0
    return None
