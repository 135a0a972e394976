"""Rules of the office's ATMs: what cash is expected in a machine, how a count differs from it, how a ticket moves.

Sans-I/O and pure: the box's projection, its pages and central go by the same words. What a cassette should hold follows
from what was last known of it, by the machine's counters, by a count or by a full load, and what was added since; what
customers took since then only the machine knows, so every figure says how old it is. A difference is shown and stays.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from shared.errors import BugError
from shared.events.atms import (
    AtmCashCounted,
    AtmCashLoaded,
    AtmCashReported,
    AtmCassette,
    CassetteCount,
    CassetteNotes,
)

DENOMINATIONS_RIAL: Final = (1_000_000, 2_000_000, 500_000, 100_000, 50_000)
"""Banknotes and Iran cheques that machines give, the most used first. Others may be typed."""
CASSETTES_MAX: Final = 8
LOW_PERCENT: Final = 25
"""Under this share of its capacity a cassette runs low."""

Source = Literal["reported", "loaded", "counted"]
"""Whence a figure is: the machine's counters, a load, a count."""
Level = Literal["unknown", "empty", "low", "good"]
TicketState = Literal["open", "accepted", "technician", "resolved", "declined", "closed"]
TicketMove = Literal["noted", "closed", "accepted", "technician", "resolved", "declined"]
"""What happens to a ticket: by the office the first two, by the bank the others."""

_BY_BANK: Final[Mapping[TicketMove, TicketState]] = {
    "accepted": "accepted",
    "technician": "technician",
    "resolved": "resolved",
    "declined": "declined",
}
_CLOSED: Final[Mapping[TicketMove, TicketState]] = {"closed": "closed"}

TICKET_MOVES: Final[Mapping[TicketState, Mapping[TicketMove, TicketState]]] = {
    "open": {"noted": "open", **_BY_BANK, **_CLOSED},
    "accepted": {"noted": "accepted", **_BY_BANK, **_CLOSED},
    "technician": {"noted": "technician", **_BY_BANK, **_CLOSED},
    # Whoever writes after the bank has spoken says that it is not settled: the bank is asked again.
    "resolved": {"noted": "open", **_BY_BANK, **_CLOSED},
    "declined": {"noted": "open", **_BY_BANK, **_CLOSED},
    # A machine that fails again is a new ticket. The bank's late words are kept and move nothing.
    "closed": dict.fromkeys(_BY_BANK, "closed"),
}
"""State of a ticket → what happens → state after it. A move that is not here is not allowed."""

WAITS_FOR_BANK: Final[frozenset[TicketState]] = frozenset({"open", "accepted", "technician"})
"""States in which the next word is the bank's; in the other open ones it is the office's."""


def may_move(state: TicketState, move: TicketMove) -> bool:
    """Return whether this may happen to a ticket now."""
    return move in TICKET_MOVES[state]


def move_ticket(state: TicketState, move: TicketMove) -> TicketState:
    """Return the state after a move. Raises BugError `atm.move_not_allowed`."""
    after = TICKET_MOVES[state].get(move)
    if after is None:
        raise BugError("atm.move_not_allowed", state=state, move=move)
    return after


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What a cassette should hold, by what was last known of it."""

    denomination_rial: int
    notes: int
    source: Source


Holdings = Mapping[int, Holding]
"""By cassette; a cassette of which nothing was ever known is not there."""

CashFact = AtmCashReported | AtmCashLoaded | AtmCashCounted


def after_cash(holdings: Holdings, fact: CashFact) -> dict[int, Holding]:
    """Return what the cassettes should hold after a fact; those it does not name stay as they were.

    Banknotes added to a cassette of which nothing is known, or which held another kind, leave it unknown.
    """
    found = dict(holdings)
    for line in fact.cassettes:
        known = holdings.get(line.cassette)
        notes: int | None = line.notes
        if isinstance(fact, AtmCashLoaded) and fact.how == "added":
            is_same = known is not None and known.denomination_rial == line.denomination_rial
            notes = known.notes + line.notes if known is not None and is_same else None
        if notes is None:
            found.pop(line.cassette, None)
        else:
            found[line.cassette] = Holding(
                denomination_rial=line.denomination_rial, notes=notes, source=_source_of(fact)
            )
    return found


def _source_of(fact: CashFact) -> Source:
    match fact:
        case AtmCashReported():
            return "reported"
        case AtmCashLoaded():
            return "loaded"
        case AtmCashCounted():
            return "counted"


def counted(cassettes: Sequence[AtmCassette], notes: Mapping[int, int], holdings: Holdings) -> list[CassetteCount]:
    """Return a count's lines: what was counted in each cassette, beside what should be there."""
    lines = []
    for cassette in cassettes:
        known = holdings.get(cassette.cassette)
        is_same = known is not None and known.denomination_rial == cassette.denomination_rial
        lines.append(
            CassetteCount(
                cassette=cassette.cassette,
                denomination_rial=cassette.denomination_rial,
                notes=notes[cassette.cassette],
                expected=known.notes if known is not None and is_same else None,
            )
        )
    return lines


def sum_rial(lines: Sequence[CassetteNotes] | Sequence[CassetteCount]) -> int:
    """Return what banknotes are worth."""
    return sum(line.notes * line.denomination_rial for line in lines)


def expected_rial(lines: Sequence[CassetteCount]) -> int | None:
    """Return what should be there, None where it is not known of every cassette."""
    found = 0
    for line in lines:
        if line.expected is None:
            return None
        found += line.expected * line.denomination_rial
    return found


def difference_of(line: CassetteCount) -> int | None:
    """Return by how many banknotes a cassette holds more (or, negative, less) than it should, None if not known."""
    return None if line.expected is None else line.notes - line.expected


def difference_rial(lines: Sequence[CassetteCount]) -> int | None:
    """Return by how much a count is more (or, negative, less) than expected, None if not known of every cassette.

    What is too much in one cassette does not hide what is missing in another: `differs` looks at each.
    """
    expected = expected_rial(lines)
    return None if expected is None else sum_rial(lines) - expected


def differs(lines: Sequence[CassetteCount]) -> bool:
    """Return whether any cassette holds another number of banknotes than it should."""
    return any(difference_of(line) for line in lines)


def level_of(notes: int | None, capacity: int) -> Level:
    """Return how full a cassette is; `capacity` 0 is not known."""
    if notes is None:
        return "unknown"
    if notes == 0:
        return "empty"
    return "low" if capacity and notes * 100 < capacity * LOW_PERCENT else "good"
