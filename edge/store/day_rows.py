"""Rows of days: sums of the open one, kept as payments move, and the closes that were journaled."""

from typing import Any, Final

import apsw
import msgspec

from edge.journal.ports import Recorded
from edge.journal.standing import ClosedDay, OpenDay
from edge.store.exposure_rows import exposure
from shared.day import day_totals, tallies_of
from shared.events import DayClosed
from shared.payment import DOUBTFUL, UNDER_WAY, PaymentState

_OPEN: Final = "SELECT coalesce(max(day), 0) + 1 FROM day_close"
"""SQL: the number of the open day."""
_CLOSED: Final = "SELECT day, closed_index, closed_leaf, closed_at, clock, body, printed FROM day_close "


def moved(
    connection: apsw.Connection, key: tuple[str, str, str], amount_rial: int, before: PaymentState, after: PaymentState
) -> None:
    """Add a payment's move to the open day. `key`: its method, purpose and terminal."""
    for tally in tallies_of(before, after):
        connection.execute(
            "INSERT INTO day_total (day, tally, method, purpose, terminal, count, amount_rial) "  # noqa: S608
            f"VALUES (({_OPEN}), ?, ?, ?, ?, 1, ?) ON CONFLICT DO UPDATE SET "
            "count = count + 1, amount_rial = amount_rial + excluded.amount_rial",
            (tally, *key, amount_rial),
        )


def closed(connection: apsw.Connection, at: Recorded, body: DayClosed) -> None:
    """Keep a close; the day after it begins."""
    connection.execute(
        "INSERT INTO day_close (day, close_id, closed_index, closed_leaf, closed_at, clock, body) "  # noqa: S608
        f"VALUES (({_OPEN}), ?, ?, ?, ?, ?, ?)",
        (
            body.close_id,
            at.index,
            at.leaf.hex(),
            at.entry.at,
            at.entry.clock,
            msgspec.json.encode(body, order="deterministic").decode(),
        ),
    )


def open_day(connection: apsw.Connection) -> OpenDay:
    """Return the open day as it stands. Consistent only inside a transaction."""
    first = _one(connection, "SELECT coalesce(max(closed_index) + 1, 0) FROM day_close")[0]
    size, cosigned = _one(
        connection, "SELECT (SELECT coalesce(max(entry_index) + 1, 0) FROM entry), cosigned_size FROM exchange_state"
    )
    rows = connection.execute(
        "SELECT tally, method, purpose, terminal, count, amount_rial FROM day_total "  # noqa: S608
        f"WHERE day = ({_OPEN})"
    )
    in_doubt_count, in_doubt_rial = _in_states(connection, *DOUBTFUL)
    under_way_count, _ = _in_states(connection, *UNDER_WAY)
    unconfirmed_count, unconfirmed_rial = queued(connection)
    return OpenDay(
        first=first,
        size=size,
        totals=day_totals((row[0], row[1:4], *row[4:]) for row in rows),
        in_doubt_count=in_doubt_count,
        in_doubt_rial=in_doubt_rial,
        under_way_count=under_way_count,
        unsent_count=size - cosigned,
        unsent_rial=exposure(connection, 0).charged_rial,
        unconfirmed_count=unconfirmed_count,
        unconfirmed_rial=unconfirmed_rial,
    )


def queued(connection: apsw.Connection) -> tuple[int, int]:
    """Return count and sum of the charged bills that wait for their provider's word."""
    count, amount_rial = _one(connection, "SELECT count, amount_rial FROM queued_sum")
    return count, amount_rial


def _one(connection: apsw.Connection, sql: str, *values: PaymentState) -> tuple[Any, ...]:
    row: tuple[Any, ...] = next(connection.execute(sql, tuple(str(value) for value in values)))
    return row


def _in_states(connection: apsw.Connection, *states: PaymentState) -> tuple[int, int]:
    count, amount_rial = _one(
        connection,
        "SELECT count(*), coalesce(sum(amount_rial), 0) FROM payment "  # noqa: S608 - marks only
        f"WHERE state IN ({', '.join('?' * len(states))})",
        *states,
    )
    return count, amount_rial


def day_of(connection: apsw.Connection, close_id: str) -> ClosedDay | None:
    """Return a closed day."""
    row = next(connection.execute(_CLOSED + "WHERE close_id = ?", (close_id,)), None)
    return None if row is None else _closed_day(row)


def days(connection: apsw.Connection, before_number: int | None, limit: int) -> list[ClosedDay]:
    """Return closed days, newest first, whose number is below `before_number` (None: from the newest)."""
    rows = connection.execute(
        _CLOSED + "WHERE day < ? ORDER BY day DESC LIMIT ?",
        (2**62 if before_number is None else before_number, limit),
    )
    return [_closed_day(row) for row in rows]


def _closed_day(row: tuple[Any, ...]) -> ClosedDay:
    number, index, leaf, closed_at, clock, body, printed = row
    return ClosedDay(
        number=number,
        index=index,
        leaf=leaf,
        closed_at=closed_at,
        clock=clock,
        body=msgspec.json.decode(body, type=DayClosed),
        printed=printed,
    )
