"""What pages read of corrections of settlement files."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, or_, select

from central.store.settlements import settlement_correction, settlement_file


class CorrectionView(msgspec.Struct, frozen=True, kw_only=True):
    """One file that another one corrects, and why."""

    file_id: str
    name: str
    by_file_id: str
    by_name: str
    reason: str
    corrected_by: str
    corrected_at: datetime


def corrections_of(connection: Connection, file_ids: Sequence[str]) -> tuple[CorrectionView, ...]:
    """Return the corrections that these files are part of, on either side."""
    table = settlement_correction.c
    old, new = settlement_file.alias(), settlement_file.alias()
    query = (
        select(settlement_correction, old.c.name.label("name"), new.c.name.label("by_name"))
        .join(old, old.c.file_id == table.file_id)
        .join(new, new.c.file_id == table.by_file_id)
        .where(or_(table.file_id.in_(file_ids), table.by_file_id.in_(file_ids)))
        .order_by(table.corrected_at)
    )
    return tuple(CorrectionView(**row) for row in connection.execute(query).mappings())
