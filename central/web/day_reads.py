"""What pages read of closes of the day: what each says, and what central's own copy of the journal gives."""

from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, and_, select

from central.ledger.days import DAY_DIFFERS, Own, mirror_of, own_close
from central.store.books import office_fact
from central.store.fleet import alarm, office
from shared.day import DayTotals, card_net, said
from shared.events import DayClosed, DayTotal

TALLIES: Final = ("totals", "undone", "overridden", "replaced")


class DayRow(msgspec.Struct, frozen=True, kw_only=True):
    """One close of a day."""

    ordinal: int
    office_id: str
    office_name: str
    journal_id: str
    entry_index: int
    at_claim: str
    received_at: datetime
    body: DayClosed
    differs: str | None
    """What the alarm of a difference to central's own sums says, closed or not; None where there was none."""

    def count(self, tally: str) -> int:
        """Return how many payments a tally holds."""
        return sum(total.count for total in getattr(self.body, tally))

    def rial(self, tally: str) -> int:
        """Return what a tally comes to."""
        return sum(total.amount_rial for total in getattr(self.body, tally))

    @property
    def batch(self) -> str:
        """Return how the terminals' own reports stand to the journal: none, agrees, differs."""
        states = [state for _, state in self.batches]
        return "differs" if "differs" in states else "agrees" if "agrees" in states else "none"

    @property
    def batches(self) -> list[tuple[Any, str]]:
        """Return each terminal's own report and how it stands to the journal: none, agrees, differs."""
        totals = said(self.body)
        return [
            (one, "none" if one.count is None else "agrees" if self._agrees(one, totals) else "differs")
            for one in self.body.batches
        ]

    @staticmethod
    def _agrees(batch: Any, totals: DayTotals) -> bool:
        return (batch.count, batch.amount_rial) == tuple(card_net(totals, batch.terminal))


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One total of a close: what it says, and what central finds. None: the side has no such line."""

    tally: str
    method: str
    purpose: str
    terminal: str
    says: DayTotal | None
    finds: DayTotal | None


class DayView(msgspec.Struct, frozen=True, kw_only=True):
    """A close with central's own sums beside it."""

    row: DayRow
    own: Own
    lines: tuple[Line, ...]


def days(
    connection: Connection, *, office_id: str | None = None, before: int | None = None, limit: int = 50
) -> tuple[DayRow, ...]:
    """Return closes, newest first; page by `ordinal`."""
    table = office_fact.c
    query = _closes().order_by(table.ordinal.desc()).limit(limit)
    if office_id:
        query = query.where(table.office_id == office_id)
    if before is not None:
        query = query.where(table.ordinal < before)
    return tuple(_row(row) for row in connection.execute(query).mappings())


def day(connection: Connection, ordinal: int) -> DayView | None:
    """Return one close with central's own sums as its copy of the journal gives them now, or None."""
    found = connection.execute(_closes().where(office_fact.c.ordinal == ordinal)).mappings().one_or_none()
    if found is None:
        return None
    row = _row(found)
    mirror = mirror_of(connection, row.office_id, row.journal_id, row.entry_index)
    own = own_close(row.entry_index, mirror)
    return DayView(row=row, own=own, lines=tuple(_lines(said(row.body), own.totals)))


def _closes() -> Select[Any]:
    table = office_fact.c
    differs = (
        select(alarm.c.detail)
        .where(alarm.c.kind == DAY_DIFFERS, and_(alarm.c.journal_id == table.journal_id, alarm.c.leaf == table.leaf))
        .order_by(alarm.c.alarm_id.desc())
        .limit(1)
        .scalar_subquery()
        .label("differs")
    )
    names = [name for name in DayRow.__struct_fields__ if name not in ("office_name", "differs")]
    return (
        select(*(table[name] for name in names), office.c.name.label("office_name"), differs)
        .join(office, office.c.office_id == table.office_id)
        .where(table.type == DayClosed.type)
    )


def _row(row: Any) -> DayRow:
    return DayRow(**{**row, "body": msgspec.convert(row["body"], DayClosed)})


def _lines(says: DayTotals, finds: DayTotals) -> list[Line]:
    """Return each total of either side beside the other's."""
    lines = []
    for tally in TALLIES:
        left, right = _by_key(getattr(says, tally)), _by_key(getattr(finds, tally))
        for key in sorted({*left, *right}):
            method, purpose, terminal = key
            lines.append(
                Line(
                    tally=tally,
                    method=method,
                    purpose=purpose,
                    terminal=terminal,
                    says=left.get(key),
                    finds=right.get(key),
                )
            )
    return lines


def _by_key(totals: tuple[DayTotal, ...]) -> dict[tuple[str, str, str], DayTotal]:
    return {(total.method, total.purpose, total.terminal): total for total in totals}
