"""What is known of the slip of an ATM's cash when it is printed: a count with its difference, a report, a load."""

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from shared.paper_facts import Facts
from shared.receipt import ReceiptKind


class CashLine(msgspec.Struct, frozen=True, kw_only=True):
    """A cassette. `by` says how many banknotes more or fewer than expected there were."""

    cassette: int
    denomination_rial: int
    notes: int
    agreement: Literal["unknown", "same", "more", "less"] = "unknown"
    by: int | None = None

    @property
    def amount_rial(self) -> int:
        """Return what its banknotes are worth."""
        return self.notes * self.denomination_rial


class CashSlipFacts(Facts, frozen=True, kw_only=True):
    """Cash of an ATM as it was counted, reported or loaded. For the office's folder and for whoever brings the cash."""

    document: ClassVar[ReceiptKind] = "cash_slip"
    what: Literal["count", "report", "added", "replaced"]
    bank: str
    """The bank's name in the paper's language."""
    number: str
    place: str
    lines: tuple[CashLine, ...]
    expected_rial: int | None = None
    differs: bool = False
    note: str = ""
    at: datetime
    operator: str
    journal_index: int
    leaf: str
    """Leaf hash of that entry, hex."""
    verify_url: str | None = None

    @property
    def sum_rial(self) -> int:
        """Return what all banknotes are worth."""
        return sum(line.amount_rial for line in self.lines)

    @property
    def short_rial(self) -> int | None:
        """Return what is missing, None where nothing is or nobody knows."""
        by = self._difference
        return -by if by < 0 else None

    @property
    def over_rial(self) -> int | None:
        """Return what is too much, None where nothing is or nobody knows."""
        by = self._difference
        return by if by > 0 else None

    @property
    def agrees(self) -> bool:
        """Return whether every cassette holds what it should."""
        return self.expected_rial is not None and not self.differs

    @property
    def moved(self) -> bool:
        """Return whether the sum is right and the cassettes by themselves are not."""
        return self.differs and self._difference == 0

    @property
    def _difference(self) -> int:
        return 0 if self.expected_rial is None else self.sum_rial - self.expected_rial
