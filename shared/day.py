"""What a close of the day counts, as pure functions: the box keeps its sums by them, central checks by them.

Everything hangs on the order of entries: a payment is counted in the day in which it *became* charged, and taken off
in the day in which it stopped being so. So every charge stands in exactly one close, whenever its payment was asked
for, and a close needs nobody to stop working.
"""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from shared.events import (
    Body,
    DayClosed,
    DayTotal,
    PaymentAcknowledged,
    PaymentApproved,
    PaymentCancelled,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentNotCharged,
    PaymentNotSent,
    PaymentOverridden,
    PaymentRequested,
    PaymentReversed,
    PaymentSent,
    ReversalDecided,
    ReversalInDoubt,
    ReversalRefused,
    ReversalRequested,
)
from shared.payment import CHARGED, DOUBTFUL, PaymentState

Tally = Literal["taken", "undone", "overridden", "replaced"]

PROVED: Final = CHARGED - {PaymentState.OVERRIDDEN_CHARGED}
"""Charged by evidence; a supervisor's word is counted apart."""

TALLIES: Final[dict[Tally, str]] = {
    "taken": "totals",
    "undone": "undone",
    "overridden": "overridden",
    "replaced": "replaced",
}
"""Each tally and the member of `DayClosed` that holds its totals."""

Key = tuple[str, str, str]
"""Method, purpose, terminal."""

_STATES: Final[dict[type[Body], PaymentState]] = {
    PaymentNotSent: PaymentState.NOT_SENT,
    PaymentSent: PaymentState.SENT,
    PaymentApproved: PaymentState.APPROVED,
    PaymentDeclined: PaymentState.DECLINED,
    PaymentCancelled: PaymentState.CANCELLED,
    PaymentInDoubt: PaymentState.IN_DOUBT,
    PaymentNotCharged: PaymentState.NOT_CHARGED,
    PaymentAcknowledged: PaymentState.ACKNOWLEDGED,
    ReversalRequested: PaymentState.REVERSAL_REQUESTED,
    PaymentReversed: PaymentState.REVERSED,
    ReversalInDoubt: PaymentState.REVERSAL_IN_DOUBT,
    ReversalRefused: PaymentState.APPROVED,
}


def tallies_of(before: PaymentState, after: PaymentState) -> tuple[Tally, ...]:
    """Return what a payment's move adds to the day."""
    found: list[Tally] = []
    if before is PaymentState.OVERRIDDEN_CHARGED and after is not before:
        found.append("replaced")
    if after is PaymentState.OVERRIDDEN_CHARGED and before is not after:
        found.append("overridden")
    if (before in PROVED) != (after in PROVED):
        found.append("taken" if after in PROVED else "undone")
    return tuple(found)


def state_after(body: Body) -> PaymentState | None:
    """Return the state that a fact moves its payment to, None for a fact that moves none."""
    if isinstance(body, ReversalDecided):
        return PaymentState.REVERSED if body.undone else PaymentState.APPROVED
    if isinstance(body, PaymentOverridden):
        return PaymentState.OVERRIDDEN_CHARGED if body.charged else PaymentState.OVERRIDDEN_NOT_CHARGED
    return _STATES.get(type(body))


class _Known:
    """A payment and its newest state."""

    def __init__(self, body: PaymentRequested) -> None:
        self.key = (body.method, body.purpose, body.terminal)
        self.amount_rial = body.amount_rial
        self.state = PaymentState.REQUESTED


class DayBook:
    """Counts a journal from its first entry on. `close` ends a day; facts that fit no payment are passed over."""

    def __init__(self) -> None:
        self._payments: dict[str, _Known] = {}
        self._sums: dict[tuple[Tally, Key], tuple[int, int]] = {}

    def add(self, body: Body) -> None:
        """Take the next entry's fact."""
        if isinstance(body, PaymentRequested):
            self._payments.setdefault(body.payment_id, _Known(body))
            return
        payment = self._payments.get(getattr(body, "payment_id", ""))
        after = state_after(body)
        if payment is None or after is None:
            return
        for tally in tallies_of(payment.state, after):
            count, amount_rial = self._sums.get((tally, payment.key), (0, 0))
            self._sums[tally, payment.key] = (count + 1, amount_rial + payment.amount_rial)
        payment.state = after

    def totals(self) -> "DayTotals":
        """Return the open day's totals."""
        return day_totals((tally, key, *sums) for (tally, key), sums in self._sums.items())

    def in_doubt(self) -> tuple[int, int]:
        """Return count and sum of the payments in doubt now."""
        amounts = [payment.amount_rial for payment in self._payments.values() if payment.state in DOUBTFUL]
        return len(amounts), sum(amounts)

    def close(self) -> None:
        """Begin the next day."""
        self._sums.clear()


class DayTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What a close counts, by the members of `DayClosed`; each in the order of method, purpose and terminal."""

    totals: tuple[DayTotal, ...] = ()
    undone: tuple[DayTotal, ...] = ()
    overridden: tuple[DayTotal, ...] = ()
    replaced: tuple[DayTotal, ...] = ()


def day_totals(sums: Iterable[tuple[Tally, Key, int, int]]) -> DayTotals:
    """Return sums (tally, key, count, rial) in the one order that closes have; what is nothing is left out."""
    members: dict[str, list[DayTotal]] = {}
    for tally, (method, purpose, terminal), count, amount_rial in sorted(sums):
        total = msgspec.convert(
            {"method": method, "purpose": purpose, "terminal": terminal, "count": count, "amount_rial": amount_rial},
            DayTotal,
        )
        if count:
            members.setdefault(TALLIES[tally], []).append(total)
    return msgspec.convert(members, DayTotals)


def said(body: DayClosed) -> DayTotals:
    """Return the totals that a close says, in their order."""
    members = {name: sorted(getattr(body, name), key=_order) for name in TALLIES.values()}
    return msgspec.convert(members, DayTotals)


def _order(total: DayTotal) -> Key:
    return (total.method, total.purpose, total.terminal)


def summed(totals: Iterable[DayTotal]) -> tuple[int, int]:
    """Return count and sum over all totals."""
    rows = list(totals)
    return sum(row.count for row in rows), sum(row.amount_rial for row in rows)


def card_net(day: DayTotals | DayClosed, terminal: str) -> tuple[int, int]:
    """Return count and sum that a terminal took by the journal, less what was undone: what its own report would say."""
    taken = summed(total for total in day.totals if total.method == "pcpos" and total.terminal == terminal)
    undone = summed(total for total in day.undone if total.method == "pcpos" and total.terminal == terminal)
    return taken[0] - undone[0], taken[1] - undone[1]
