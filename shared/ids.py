"""Names of things as distinct types, so that one is never passed for another."""

from typing import Final, NewType

OfficeId = NewType("OfficeId", str)
"""An office's code, as central knows it: digits, for example `72101001`."""
BoxId = NewType("BoxId", str)
JournalId = NewType("JournalId", str)
"""The journal's name and the origin line of its checkpoints: `daftar.journal/<office>/<box>/<number>`."""
FeedId = NewType("FeedId", str)
"""A feed's name: `daftar.feed/office/<office>` or `daftar.feed/network`."""
PaymentId = NewType("PaymentId", str)
InquiryId = NewType("InquiryId", str)
Obligation = NewType("Obligation", str)
"""What a payment pays, for example `bill:7748317800142:1770160`. One obligation, one charge."""


def journal_id(office: OfficeId, box: BoxId, number: int) -> JournalId:
    """Return the name of a box's journal; a replaced or restored box opens the next number."""
    return JournalId(f"daftar.journal/{office}/{box}/{number}")


def office_feed(office: OfficeId) -> FeedId:
    """Return the name of the feed that carries one office's answers."""
    return FeedId(f"daftar.feed/office/{office}")


NETWORK_FEED = FeedId("daftar.feed/network")
"""The feed every office reads: tariffs, notices, catalogue."""


def bill_obligation(bill_id: str, payment_id: str) -> Obligation:
    """Return the obligation of a bill. Ids are ASCII digits; leading zeros make no other bill of it."""
    return Obligation(f"bill:{bill_id.lstrip('0')}:{payment_id.lstrip('0')}")


def group_obligation(payment_id: str) -> Obligation:
    """Return what a charge of several obligations goes by as a whole. It guards nothing: each of its items does."""
    return Obligation(f"group:{payment_id}")


def fee_obligation(inquiry_id: str) -> Obligation:
    """Return the obligation of the fee of a request for a service."""
    return Obligation(f"fee:{inquiry_id}")


def order_obligation(order_id: str) -> Obligation:
    """Return the obligation of an order by its number at the provider."""
    return Obligation(f"order:{order_id}")


_ITEM_DIGITS_MAX: Final = 6


def item_name(payment_id: str, item: int) -> str:
    """Return what a paper about one item of a payment is about."""
    return f"{payment_id}/{item}"


def payment_and_item(about: str) -> tuple[str, int | None]:
    """Return the payment that a paper is about, and which of its items, None where it is about all of it."""
    payment_id, separator, item = about.rpartition("/")
    if separator and len(item) <= _ITEM_DIGITS_MAX and item.isascii() and item.isdecimal():
        return payment_id, int(item)
    return about, None
