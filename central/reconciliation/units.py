"""Units: the rows of a settlement file that are one card transaction together.

Shares of one payment (`share_of` names its RRN) are one unit; a reversal or refund joins the sale of its terminal that
it names by `original_rrn`. Every line is in exactly one unit.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

import msgspec

from central.reconciliation.inputs import LineInput, LineKey, number_key

_SALES = ("SALE", "BILL")
BACK = ("REVERSAL", "REFUND")


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """One card transaction as the acquirer tells it. Numbers are without leading zeros."""

    lines: tuple[LineKey, ...]
    terminal: str | None
    rrn: str | None
    stan: str | None
    amount_rial: int
    """The transaction's amount: of the sale, shares added up; of a reversal whose sale is not here, the reversal's."""
    value_rial: int
    """What it moved towards us, reversals and refunds taken off."""
    local_date: date

    @property
    def moved(self) -> bool:
        """Return whether money moved by it in the end."""
        return self.value_rial != 0

    @property
    def rrn_key(self) -> object | None:
        """Return (terminal, RRN), or None when one is not known."""
        return None if self.terminal is None or self.rrn is None else (self.terminal, self.rrn)

    @property
    def stan_key(self) -> object | None:
        """Return (terminal, STAN, local date), or None when one is not known."""
        return None if self.terminal is None or self.stan is None else (self.terminal, self.stan, self.local_date)


def units_of(lines: Sequence[LineInput]) -> list[Unit]:
    """Return the units of lines that are sorted by key, sorted by their first line."""
    backs: dict[object, list[LineInput]] = defaultdict(list)
    groups: dict[object, list[LineInput]] = defaultdict(list)
    for line in lines:
        original = number_key(line.original_rrn)
        if line.type in BACK and line.value_rial and original is not None:
            backs[number_key(line.terminal_id), original].append(line)
        elif line.share_of:
            groups[line.terminal_id, number_key(line.share_of), line.type, line.status].append(line)
        else:
            groups[line.key].append(line)
    units = []
    for group in groups.values():
        first = group[0]
        rrn = number_key(first.share_of) or number_key(first.rrn)
        takes_back = first.type in _SALES and first.status == "SUCCESS"
        # Of two sales with one RRN the first has the reversal: the second shows as a duplicate.
        joined = backs.pop((number_key(first.terminal_id), rrn), []) if takes_back else []
        units.append(_unit(group, joined, rrn))
    units += [_unit([line], [], number_key(line.original_rrn)) for left in backs.values() for line in left]
    return sorted(units, key=lambda unit: unit.lines)


def _unit(group: Sequence[LineInput], backs: Sequence[LineInput], rrn: str | None) -> Unit:
    first = group[0]
    return Unit(
        lines=tuple(sorted(line.key for line in (*group, *backs))),
        terminal=number_key(first.terminal_id),
        rrn=rrn,
        stan=number_key(first.stan),
        amount_rial=sum(line.amount_rial for line in group),
        value_rial=sum(line.value_rial for line in (*group, *backs)),
        local_date=first.local_date,
    )
