"""Taking a settlement file into the books: whole or not at all, and never twice."""

from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects.postgresql import insert

from central.reconciliation.acquirer_files.neutral_csv import SettlementLine, parse_settlement
from central.reconciliation.views import FileView
from central.store.copying import copy_rows
from central.store.settlements import settlement_file, settlement_line
from shared.calendar import jalali_datetime_text
from shared.clock import Clock
from shared.errors import OperatorError

FILE_ID_DIGITS: Final = 16
NAME_SIZE_MAX: Final = 200
_LINE_COLUMNS: Final = ("file_id", *SettlementLine.__struct_fields__)


def import_settlement(engine: Engine, *, name: str, data: bytes, imported_by: str, clock: Clock) -> FileView:
    """Import a file and return it.

    Raises OperatorError: those of `parse_settlement`, and `settlement.same_file` (data: file_id, name, imported_at as
    Jalali text, imported_by) for bytes that were imported before. Nothing is written then.
    """
    parsed = parse_settlement(data)
    dates = [line.financial_date for line in parsed.lines]
    with engine.begin() as connection:
        # The unique hash decides between two people who upload one file at once: the second waits, then is refused.
        row = connection.execute(
            insert(settlement_file)
            .values(
                file_id=f"sf-{parsed.sha256.hex()[:FILE_ID_DIGITS]}",
                sha256=parsed.sha256,
                name="".join(letter for letter in name if letter.isprintable())[:NAME_SIZE_MAX] or "settlement.csv",
                size_bytes=parsed.size_bytes,
                line_count=len(parsed.lines),
                total_rial=parsed.total_rial,
                financial_from=min(dates),
                financial_to=max(dates),
                imported_at=clock.now(),
                imported_by=imported_by,
            )
            .on_conflict_do_nothing()
            .returning(*(settlement_file.c[column] for column in FileView.__struct_fields__))
        ).mappings()
        stored = row.one_or_none()
        if stored is None:
            raise _imported_before(connection, parsed.sha256)
        rows = ((stored["file_id"], *msgspec.structs.astuple(line)) for line in parsed.lines)
        copy_rows(connection, settlement_line, _LINE_COLUMNS, rows)
        return FileView(**stored)


def _imported_before(connection: Connection, sha256: bytes) -> OperatorError:
    earlier = connection.execute(select(settlement_file).where(settlement_file.c.sha256 == sha256)).mappings().one()
    return OperatorError(
        "settlement.same_file",
        field="file",
        file_id=earlier["file_id"],
        name=earlier["name"],
        imported_by=earlier["imported_by"],
        imported_at=jalali_datetime_text(earlier["imported_at"], "en"),
    )
