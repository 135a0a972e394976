"""What a provider answered, in one form for all services: values, items, and what of it can be paid.

It is sealed whole: it names people, plates and places. Values are texts in canonical form (rials as digits, days as
`1405/08/30`, instants as RFC 3339); `shared.catalogue.Row` says how each is shown.
"""

from typing import Annotated, Final

import msgspec

from shared.events.body import RIAL_MAX
from shared.text import is_digits

PayableRial = Annotated[int, msgspec.Meta(gt=0, le=RIAL_MAX)]


ITEMS_LEFT_OUT: Final = "items_left_out"
"""The value that says how many items of a long answer did not fit."""
_COUNT_DIGITS_MAX: Final = 6


class Payable(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be paid: a bill by its two ids, or an order by its number at the provider."""

    key: str
    """Its name in this answer: an item's key, or `total`."""
    amount_rial: PayableRial
    bill_id: str | None = None
    bill_payment_id: str | None = None
    order_id: str | None = None
    expires_at: str | None = None
    """After this instant the provider does not take it any more."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a list, for example a violation."""

    key: str
    values: dict[str, str]
    payable: Payable | None = None
    image_count: int = 0
    """How many pictures the provider has of it; -1: some, not known how many."""


class AnswerDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An answer."""

    values: dict[str, str] = {}
    items: tuple[Item, ...] = ()
    payable: Payable | None = None
    """The whole of it, where it can be paid at once."""

    @property
    def left_out_count(self) -> int:
        """Return how many items the provider has that do not stand here."""
        text = self.values.get(ITEMS_LEFT_OUT, "")
        return int(text) if is_digits(text) and len(text) <= _COUNT_DIGITS_MAX else 0

    def payables(self) -> tuple[Payable, ...]:
        """Return all that can be paid, the whole first."""
        whole = () if self.payable is None else (self.payable,)
        return (*whole, *(item.payable for item in self.items if item.payable is not None))

    def payable_of(self, key: str) -> Payable | None:
        """Return what can be paid under a key."""
        return next((payable for payable in self.payables() if payable.key == key), None)
