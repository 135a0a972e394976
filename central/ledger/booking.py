"""What the books hold of a payment, what an entry does to it, and how that is written down: structs without rules."""

from collections.abc import Sequence
from typing import Any

import msgspec

from central.ledger.cases import CaseKind, NewCase, case_id
from shared.errors import DaftarError
from shared.events import Body
from shared.payment import PaymentState


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A body and where it stands."""

    office_id: str
    journal_id: str
    index: int
    leaf: bytes
    at_claim: str
    body: Body


class ItemBook(msgspec.Struct, frozen=True, kw_only=True):
    """One of the obligations that a charge pays, as the books hold it."""

    item: int
    obligation: str
    amount_rial: int
    bill_id: str | None
    bill_payment_id: str | None
    confirmation: str = "none"


class PaymentBook(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as the books hold it: the columns of `office_payment` that entries and answers move."""

    office_id: str
    payment_id: str
    journal_id: str
    obligation: str
    purpose: str
    method: str
    amount_rial: int
    split: dict[str, Any]
    terminal: str
    reference: str
    operator: str
    bill_id: str | None
    bill_payment_id: str | None
    inquiry_id: str | None
    state: PaymentState
    requested_index: int
    requested_claim: str
    terminal_number: str | None = None
    merchant_number: str | None = None
    stan: str | None = None
    rrn: str | None = None
    pan: str | None = None
    response_code: str | None = None
    terminal_time: str | None = None
    in_doubt_reason: str | None = None
    slip_number: str | None = None
    sent_claim: str | None = None
    approved_claim: str | None = None
    outcome_index: int | None = None
    outcome_leaf: bytes | None = None
    pending_transfer: str | None = None
    pending_account: str | None = None
    """What the pending transfer debits."""
    pending_credit: str | None = None
    confirmation: str = "none"
    confirming: bool = False
    """Whether its terminal takes a sale back that it is not told to keep."""
    pays_bill: bool = False
    """Whether its terminal was told to pay the bill by its ids: the acquirer settles it with the biller."""
    unacknowledged: bool = False
    """Approved by the terminal's own word, and the terminal may not have had ours yet."""
    refunds: dict[str, dict[str, Any]] = {}
    """What was said of giving it back, by refund id: means, amount_rial, state, who proposed and agreed, and why."""
    service: str = ""
    payable: str = ""
    group_id: str = ""
    item_count: int = 0
    items: tuple[ItemBook, ...] = ()
    """What a charge of several obligations pays: rows of their own, `item_count` of them."""

    @property
    def about(self) -> str:
        """Return what a case of it is about."""
        return f"{self.office_id}/{self.payment_id}"

    def about_item(self, item: int | None) -> str:
        """Return what a case of one of its items is about; of None, of the whole."""
        return self.about if item is None else f"item/{item}/{self.about}"


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger: `amount_rial` from the credited account's side to the debited one's.

    `phase`: pending (in no balance), posted (one step), post or void (ends the pending one named by `pending_id`).
    """

    transfer_id: str
    phase: str
    debit: str
    credit: str
    amount_rial: int
    reason: str
    pending_id: str | None = None


class CaseNote(msgspec.Struct, frozen=True, kw_only=True):
    """A line to write into a case, where there is such a case. `closes`: nothing is left to do in it."""

    kind: CaseKind
    about: str
    text: str
    closes: bool = False

    @property
    def case_id(self) -> str:
        """Return the case's id."""
        return case_id(self.kind, self.about)


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """What to write for one fact, all of it or nothing."""

    payment: PaymentBook
    transfers: Sequence[Transfer] = ()
    cases: Sequence[NewCase] = ()
    notes: Sequence[CaseNote] = ()
    """Written after the cases are opened."""
    asks: tuple[int | None, ...] = ()
    """What the provider is to be asked to take: items, or None for a payment that has none."""
    charged: bool = False
    """Whether the fact says money was taken: other payments of the obligation are to be looked for."""


class NotPostable(DaftarError):  # noqa: N818 - read as a sentence: the entry is not postable
    """A well-signed entry that makes no sense for the books. It stays stored; a person looks at it."""

    fault = "integrity"


def case_about(
    payment: PaymentBook,
    kind: CaseKind,
    *,
    amount_rial: int | None = None,
    item: int | None = None,
    **facts: Any,
) -> NewCase:
    """Return a case about a payment or one of its items, of the whole amount of either unless said otherwise."""
    of = payment if item is None else payment.items[item]
    return NewCase(
        kind=kind,
        about=payment.about_item(item),
        amount_rial=of.amount_rial if amount_rial is None else amount_rial,
        office_id=payment.office_id,
        payment_id=payment.payment_id,
        item=item,
        facts=facts,
    )
