"""Payments of the office's other journals, as central told of them: of the predecessor, or of another box.

They are known to be there, not how they came about: nothing of them is decided here but that they are not made again.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from edge.journal.views import ItemView
from shared.payment import OPEN, PaymentState


class ElsewherePayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment of another journal."""

    payment_id: str
    journal: str
    state: PaymentState
    """By central's books, or what the acquirer's records said since."""
    terminal: str
    """As that box calls it."""
    requested_at: str
    """By that box's own clock."""
    stan: str | None
    rrn: str | None
    pan: str | None
    heard_at: str | None
    """When central last heard of its journal."""
    items: tuple[ItemView, ...]
    """What it pays; at least one."""

    @property
    def amount_rial(self) -> int:
        """The sum of what it pays, as far as it was told."""
        return sum(item.amount_rial for item in self.items)

    @property
    def is_open(self) -> bool:
        """Whether nobody knows, by what central heard, if the card was charged."""
        return self.state in OPEN


class HeardJournal(msgspec.Struct, frozen=True, kw_only=True):
    """Another journal of the office, and until when central heard of it."""

    journal: str
    is_predecessor: bool
    heard_size: int
    heard_at: str | None
    held_count: int
    """Payments of it that keep something from being paid here."""


class OthersReader(Protocol):
    """What central told of the office's other journals."""

    def payment(self, payment_id: str) -> ElsewherePayment | None:
        """Return a payment of another journal."""

    def holder_of(self, obligation: str) -> ElsewherePayment | None:
        """Return the payment of another journal that holds an obligation."""

    def whole_of(self, obligation: str) -> ElsewherePayment | None:
        """Return the newest payment of a whole there that pays an obligation as a part, and was not refused."""

    def payments_by_paper(self, digits: Sequence[str]) -> list[ElsewherePayment]:
        """Return payments of other journals that hold a bill with one of these numbers as bill id or payment id."""

    def journals(self) -> list[HeardJournal]:
        """Return the office's other journals, as far as central told of them; the predecessor first."""

    def predecessor(self) -> str | None:
        """Return the journal that this one takes over from."""

    def are_awaited(self) -> bool:
        """Return whether central has still to tell what the office's other journals held when this one began."""
