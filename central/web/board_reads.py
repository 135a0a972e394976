"""What the day board reads beyond the books' own numbers: days, and offices that have fallen silent."""

from datetime import date, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import Connection, Date, cast, func, select

from central.reconciliation.queries import OfficeBoard
from central.store.books import office_payment
from central.web.charts import DaySums
from central.web.office_reads import OfficeRow
from shared.payment import CHARGED

SILENT_AFTER: Final = timedelta(minutes=30)
"""An office that was not heard of for so long is called silent; a box exchanges every few seconds on a good line."""


class OfficeState(msgspec.Struct, frozen=True, kw_only=True):
    """An office on the board. `may_hold_rial`: what it may have taken since it was last heard of, by its usual day."""

    office: OfficeRow
    board: OfficeBoard | None
    silent: bool
    may_hold_rial: int


def day_sums(connection: Connection, *, first: date) -> tuple[DaySums, ...]:
    """Return charged and settled sums by the day in Iran on which central learned of them."""
    day = cast(func.timezone("Asia/Tehran", office_payment.c.received_at), Date)
    amount = office_payment.c.amount_rial
    query = (
        select(
            day.label("day"),
            func.coalesce(func.sum(amount), 0).label("charged"),
            func.coalesce(func.sum(amount).filter(office_payment.c.settled_file.is_not(None)), 0).label("settled"),
        )
        .where(office_payment.c.state.in_(sorted(CHARGED)), day >= first)
        .group_by(day)
        .order_by(day)
    )
    return tuple(
        DaySums(day=row.day, charged_rial=int(row.charged), settled_rial=int(row.settled))
        for row in connection.execute(query)
    )


def office_states(
    rows: tuple[OfficeRow, ...], boards: tuple[OfficeBoard, ...], *, now: datetime
) -> tuple[OfficeState, ...]:
    """Return the offices, silent ones with the most money possibly in them first. Pure."""
    by_office = {board.office_id: board for board in boards}
    states = [_state(row, by_office.get(row.office_id), now=now) for row in rows]
    return tuple(sorted(states, key=lambda state: (not state.silent, -state.may_hold_rial, state.office.office_id)))


def _state(row: OfficeRow, board: OfficeBoard | None, *, now: datetime) -> OfficeState:
    silent = row.journal_count > 0 and (row.last_exchange_at is None or now - row.last_exchange_at > SILENT_AFTER)
    may_hold = 0
    if silent and row.last_exchange_at is not None:
        may_hold = int(row.usual_day_rial * ((now - row.last_exchange_at) / timedelta(days=1)))
    return OfficeState(office=row, board=board, silent=silent, may_hold_rial=may_hold)
