"""What a charge pays, part by part: its items, each with the provider's own word; or the whole, where it has none.

Pure. `item` is an item's number, or None for a payment without items.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from central.ledger.accounts import (
    COMPANY,
    FEES,
    OFFICE,
    REFUNDS,
    UNCONFIRMED,
    VAT,
    Account,
    acquirer_pays,
    biller,
    provider_of,
)
from central.ledger.booking import ItemBook, NotPostable, PaymentBook
from shared.events import PaymentRequested
from shared.identifiers import BillType

CONFIRMED_PURPOSES: Final = ("bill", "order")
"""What a provider is asked to take."""
_OTHER_BILLER: Final = "other"
_KIND_OF_DIGIT: Final = {str(int(kind)): kind.word for kind in BillType}


class Part(NamedTuple):
    """A part of a payment's amount, and to whom it goes on."""

    claim: Account
    amount_rial: int
    taken: bool
    """Whether whoever has the claim counts on it: it is owed on even without a charge."""


def parts_of(payment: PaymentBook) -> tuple[Part, ...]:
    """Return the parts of a payment: one for each item, one for each share of an earned fee, or the whole."""
    if payment.items:
        return tuple(_part(payment, item.confirmation, item.bill_id, item.amount_rial) for item in payment.items)
    if payment.purpose not in CONFIRMED_PURPOSES and payment.confirmation == "confirmed":
        return tuple(Part(claim, rial, taken=True) for claim, rial in _shares(payment) if rial)
    return (_part(payment, payment.confirmation, payment.bill_id, payment.amount_rial),)


def _part(payment: PaymentBook, confirmation: str, bill_id: str | None, amount_rial: int) -> Part:
    if payment.pays_bill:
        return Part(acquirer_pays(payment.terminal_number), amount_rial, taken=False)
    taken = confirmation == "confirmed"
    if confirmation == "refused":
        claim = REFUNDS
    elif payment.purpose not in CONFIRMED_PURPOSES:
        claim = FEES
    elif not taken:
        claim = UNCONFIRMED
    else:
        claim = provider_of(payment.service) if payment.purpose == "order" else biller(biller_kind(bill_id))
    return Part(claim, amount_rial, taken)


def _shares(payment: PaymentBook) -> Iterator[tuple[Account, int]]:
    """Yield whose an earned fee is. A split that does not sum to the fee is the company's, whole."""
    named = [("provider_rial", provider_of(payment.service)), ("office_rial", OFFICE), ("vat_rial", VAT)]
    others = [(account, int(payment.split.get(name, 0))) for name, account in named]
    company = payment.amount_rial - sum(rial for _, rial in others)
    if company != payment.split.get("company_rial") or any(rial < 0 for _, rial in others):
        company, others = payment.amount_rial, []
    yield COMPANY, company
    yield from others


def words_of(payment: PaymentBook) -> dict[int | None, str]:
    """Return the provider's word about each item, or about the whole."""
    if payment.items:
        return {item.item: item.confirmation for item in payment.items}
    return {None: payment.confirmation}


def with_words(payment: PaymentBook, words: dict[int | None, str]) -> PaymentBook:
    """Return the payment with these words of the provider; what they sum up to is the payment's own."""
    if not payment.items:
        return msgspec.structs.replace(payment, confirmation=words.get(None, payment.confirmation))
    items = tuple(
        msgspec.structs.replace(item, confirmation=words.get(item.item, item.confirmation)) for item in payment.items
    )
    return msgspec.structs.replace(payment, items=items, confirmation=_summary([item.confirmation for item in items]))


def _summary(words: list[str]) -> str:
    """Return what a payment's items say together: not answered whole, refused in part, or all taken."""
    for word in ("queued", "refused"):
        if word in words:
            return word
    return "confirmed" if set(words) == {"confirmed"} else "none"


def items_of(body: PaymentRequested) -> Iterator[ItemBook]:
    """Yield the items of a request. Raises NotPostable for those that do not make up its amount, or are no bills."""
    amounts = [item.amount_rial for item in body.items]
    fits = len(amounts) > 1 and min(amounts) > 0 and sum(amounts) == body.amount_rial and body.purpose == "bill"
    if amounts and not fits:
        raise NotPostable("books.bad_items", amount_rial=body.amount_rial, items_rial=sum(amounts))
    for number, item in enumerate(body.items):
        yield ItemBook(
            item=number,
            obligation=item.obligation,
            amount_rial=item.amount_rial,
            bill_id=item.bill_id,
            bill_payment_id=item.bill_payment_id,
        )


def biller_kind(bill_id: str | None) -> str:
    """Return the word of the bill's service type: the digit before the check digit."""
    return _KIND_OF_DIGIT.get((bill_id or "")[-2:-1], _OTHER_BILLER)
