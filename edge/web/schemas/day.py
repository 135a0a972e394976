"""What the API takes and gives of limits and of days."""

import msgspec

from edge.web.ports.counter import ClosedDay, ExposureView, LimitView, OpenDay
from shared.day import DayTotals, card_net
from shared.events import DayClosed, DayTotal
from shared.events.body import Count, Rial


class LimitOut(msgspec.Struct, frozen=True, kw_only=True):
    """One limit: `used` of `max`, `left` to go. Null where there is none."""

    used: int
    max: int | None
    left: int | None


class ExposureOut(msgspec.Struct, frozen=True, kw_only=True):
    """What central has not seen, and how much more may be taken without it."""

    policy_id: str | None
    """The policy in force; null: none, and no limit."""
    level: str
    """none, calm, amber (half used), red (nine tenths)."""
    reached: str | None
    """Code with which payments are refused now."""
    payment_max_rial: int | None
    total_rial: LimitOut
    payment_count: LimitOut
    running_ms: LimitOut
    """Running time since central last cosigned, in milliseconds."""


class ReportIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one terminal's own report says it took since the last close: sales less what it undid."""

    count: Count
    amount_rial: Rial


class CloseIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a close is compared with, where anything is."""

    reports: dict[str, ReportIn] = {}
    """By the terminal's name."""


class BatchOut(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal's own report beside the journal's figures; its own are null where it has none."""

    terminal: str
    count: int | None
    amount_rial: int | None
    journal_count: int
    journal_rial: int


class OpenDayOut(msgspec.Struct, frozen=True, kw_only=True):
    """The day that is not closed yet."""

    first: int
    size: int
    totals: tuple[DayTotal, ...]
    undone: tuple[DayTotal, ...]
    overridden: tuple[DayTotal, ...]
    replaced: tuple[DayTotal, ...]
    in_doubt_count: int
    in_doubt_rial: int
    under_way_count: int
    unsent_count: int
    unsent_rial: int
    unconfirmed_count: int
    unconfirmed_rial: int


class ClosedDayOut(msgspec.Struct, frozen=True, kw_only=True):
    """A closed day: what its entry says, and where that stands in the journal."""

    close_id: str
    number: int
    index: int
    leaf: str
    closed_at: str
    clock: str
    printed: int
    closed: DayClosed
    batches: list[BatchOut]


class DaysOut(msgspec.Struct, frozen=True, kw_only=True):
    """Closed days, newest first. `before` goes into the next request; null at the end."""

    open: OpenDayOut
    days: list[ClosedDayOut]
    before: int | None


def exposure_out(view: ExposureView) -> ExposureOut:
    """Return exposure as the API gives it."""
    return ExposureOut(
        policy_id=view.policy_id,
        level=view.level,
        reached=view.reached,
        payment_max_rial=view.payment_max_rial,
        total_rial=_limit(view.total),
        payment_count=_limit(view.count),
        running_ms=_limit(view.running),
    )


def _limit(limit: LimitView) -> LimitOut:
    return LimitOut(used=limit.used, max=limit.max, left=limit.left)


def open_day_out(day: OpenDay) -> OpenDayOut:
    """Return the open day as the API gives it."""
    members = {name: getattr(day, name) for name in day.__struct_fields__ if name != "totals"}
    sums: DayTotals = day.totals
    totals = {name: getattr(sums, name) for name in sums.__struct_fields__}
    return msgspec.convert({**members, **totals}, OpenDayOut)


def batches_of(body: DayClosed) -> list[BatchOut]:
    """Return each terminal's own report beside ours."""
    found = []
    for batch in body.batches:
        count, amount_rial = card_net(body, batch.terminal)
        found.append(
            BatchOut(
                terminal=batch.terminal,
                count=batch.count,
                amount_rial=batch.amount_rial,
                journal_count=count,
                journal_rial=amount_rial,
            )
        )
    return found


def closed_day_out(day: ClosedDay) -> ClosedDayOut:
    """Return a closed day as the API gives it."""
    return ClosedDayOut(
        close_id=day.body.close_id,
        number=day.number,
        index=day.index,
        leaf=day.leaf,
        closed_at=day.closed_at,
        clock=day.clock,
        printed=day.printed,
        closed=day.body,
        batches=batches_of(day.body),
    )
