"""What of an answer can be paid, and as which charge.

A provider wrote the answer: what it says of a bill has to agree with the bill's own check digits and amount before a
card is charged by it. The whole of an answer and its items are the same debt: who paid one does not owe the other.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from edge.services.payments.wanted import Wanted, bill_wanted, bills_wanted
from shared.answer_document import AnswerDocument, Payable
from shared.catalogue import Service
from shared.clock import parse_instant
from shared.errors import OperatorError
from shared.events import Split
from shared.identifiers import Bill, parse_bill
from shared.ids import Obligation, bill_obligation, order_obligation

_ORDER: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")


def obligation_of(payable: Payable) -> Obligation | None:
    """Return what a payable is to the box; None where it names no good bill and no order, or both."""
    if payable.order_id is not None:
        by_order = payable.bill_id is None and _ORDER.fullmatch(payable.order_id)
        return order_obligation(payable.order_id) if by_order else None
    try:
        bill = parse_bill(payable.bill_id or "", payable.bill_payment_id or "")
    except OperatorError:
        return None
    return bill_obligation(bill.bill_id, bill.payment_id)


def same_debt(document: AnswerDocument, keys: Sequence[str]) -> list[Obligation]:
    """Return the obligations that stand for what is to be paid under these keys, or for a part or the whole of it."""
    whole = document.payable
    of_all = {payable.key: obligation for payable in document.payables() if (obligation := obligation_of(payable))}
    if whole is None:
        return [of_all[key] for key in keys if key in of_all]
    # The whole stands for each item, and each item for a part of the whole.
    wanted = set(of_all) if whole.key in keys else {whole.key, *keys}
    return [obligation for key, obligation in of_all.items() if key in wanted]


def expired(document: AnswerDocument, now: datetime) -> frozenset[str]:
    """Return the keys of offers that ended. An instant that is none ends nothing: the provider has the last word."""
    return frozenset(
        payable.key
        for payable in document.payables()
        if (ends := _instant(payable.expires_at)) is not None and ends <= now
    )


def answer_wanted(
    document: AnswerDocument, keys: Sequence[str], *, service: Service, inquiry_id: str, ended: frozenset[str]
) -> Wanted:
    """Return the one charge of what is paid under these keys. `ended`: offers that are over.

    Raises OperatorError `service.pay_nothing`, `service.pay_one`, `service.pay_whole_or_items`,
    `service.payable_unknown`, `service.payable_wrong`, `service.offer_expired`, or as `bills_wanted` does.
    """
    payables = _chosen(document, keys, service)
    for payable in payables:
        if payable.key in ended:
            raise OperatorError("service.offer_expired", key=payable.key)
    first = payables[0]
    if len(payables) > 1:
        return bills_wanted([_bill_of(payable) for payable in payables], inquiry_id=inquiry_id, service=service.code)
    if first.order_id is not None:
        wanted = _order_wanted(first, order_obligation(first.order_id), service=service, inquiry_id=inquiry_id)
    else:
        wanted = bill_wanted(_bill_of(first), inquiry_id=inquiry_id, service=service.code, payable=first.key)
    return msgspec.structs.replace(wanted, covers=_parts_of(document, first))


def _chosen(document: AnswerDocument, keys: Sequence[str], service: Service) -> list[Payable]:
    if service.pay == "nothing" or not keys:
        raise OperatorError("service.pay_nothing")
    if len(keys) > 1 and (service.pay == "one" or len(set(keys)) != len(keys)):
        raise OperatorError("service.pay_one")
    if len(keys) > 1 and document.payable is not None and document.payable.key in keys:
        raise OperatorError("service.pay_whole_or_items")
    payables = []
    for key in keys:
        payable = document.payable_of(key)
        if payable is None:
            raise OperatorError("service.payable_unknown", key=key)
        if obligation_of(payable) is None or (len(keys) > 1 and payable.order_id is not None):
            raise OperatorError("service.payable_wrong", key=key)
        payables.append(payable)
    return payables


def _parts_of(document: AnswerDocument, paid: Payable) -> tuple[Obligation, ...]:
    """Return the bills of which the whole of an answer is made; of an item nothing is known to be a part."""
    if document.payable is None or paid.key != document.payable.key:
        return ()
    parts = (item.payable for item in document.items if item.payable is not None and item.payable.order_id is None)
    named = (obligation for part in parts if (obligation := obligation_of(part)) is not None)
    return tuple(dict.fromkeys(one for one in named if one != obligation_of(paid)))


def _bill_of(payable: Payable) -> Bill:
    bill = parse_bill(payable.bill_id or "", payable.bill_payment_id or "")
    if bill.amount_rial != payable.amount_rial:
        raise OperatorError("service.payable_wrong", key=payable.key)
    return bill


def _order_wanted(payable: Payable, obligation: Obligation, *, service: Service, inquiry_id: str) -> Wanted:
    return Wanted(
        purpose="order",
        amount_rial=payable.amount_rial,
        split=Split(gross_rial=payable.amount_rial, company_rial=payable.amount_rial),
        obligation=obligation,
        inquiry_id=inquiry_id,
        service=service.code,
        payable=payable.key,
    )


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_instant(text)
    except (ValueError, OverflowError):
        return None
