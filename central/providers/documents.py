"""A provider's answer as the catalogue's service keeps it: only what the service names, and only what can be checked.

Values and items come here under the catalogue's names. What no row names is dropped: it is personal data that nobody
asked for. Something can be paid when its ids and its amount agree; else it is shown and cannot be paid.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from central.providers.connector import Debt
from central.providers.values import rial, shown, word
from shared.answer_document import ITEMS_LEFT_OUT, AnswerDocument, Item, Payable
from shared.catalogue import Row, Service
from shared.errors import OperatorError
from shared.identifiers import parse_bill
from shared.ids import bill_obligation, order_obligation

WHOLE: Final = "total"
"""The key of the payable that is all of it."""
DOCUMENT_SIZE_MAX_BYTES: Final = 44 * 1024
"""Of an answer as JSON: sealed and written as base64 it has to fit an entry of the feed."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One item as the provider gave it: its key there, its values under the catalogue's names."""

    key: str
    values: Mapping[str, Any]
    payable: Payable | None = None
    image_count: int = 0


def bill_payable(key: str, bill_id: object, payment_id: object, amount: object) -> Payable | None:
    """Return what can be paid as a bill, or None where ids and amount do not agree."""
    try:
        bill = parse_bill(str(bill_id), str(payment_id))
        amount_rial = rial(amount)
    except (OperatorError, ValueError):
        return None
    if bill.amount_rial != amount_rial:
        return None
    return Payable(key=key, amount_rial=amount_rial, bill_id=bill.bill_id, bill_payment_id=bill.payment_id)


def document(
    service: Service, values: Mapping[str, Any], parts: Sequence[Part] = (), payable: Payable | None = None
) -> AnswerDocument:
    """Return the answer, cut to what fits."""
    keeps_items = bool(service.item_rows) or (service.pay != "nothing" and payable is None)
    counted = {"count": len(parts), **values} if parts else values
    made = AnswerDocument(
        values=_kept(counted, service.rows),
        items=tuple(_item(service, part) for part in _distinct(parts)) if keeps_items else (),
        payable=payable if service.pay != "nothing" else None,
    )
    return _cut(made)


def debts_of(parts: Sequence[Part], payable: Payable | None) -> tuple[Debt, ...]:
    """Return what the payables of an answer stand for: the whole for all parts, paid for or not."""
    found = []
    all_names: list[str] = []
    for part in parts:
        serial = word(part.values.get("serial"))
        names = [] if serial is None else [f"violation:{serial}"]
        if part.payable is not None:
            obligation = _obligation_of(part.payable)
            names.append(obligation)
            found.append(Debt(obligation=obligation, names=tuple(names)))
        all_names += names
    if payable is not None:
        found.append(Debt(obligation=_obligation_of(payable), names=tuple(all_names)))
    return tuple(found)


def _obligation_of(payable: Payable) -> str:
    if payable.order_id is not None:
        return order_obligation(payable.order_id)
    return bill_obligation(payable.bill_id or "", payable.bill_payment_id or "")


def _kept(values: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, str]:
    kept = {row.name: shown(values[row.name], row) for row in rows if values.get(row.name) is not None}
    return {name: value for name, value in kept.items() if value is not None}


def _item(service: Service, part: Part) -> Item:
    return Item(
        key=part.key,
        values=_kept(part.values, service.item_rows),
        payable=part.payable if service.pay != "nothing" else None,
        image_count=part.image_count if service.has_images else 0,
    )


def _distinct(parts: Sequence[Part]) -> list[Part]:
    """Return the items with a key each: one that has none, or another's, is named by its place."""
    seen: set[str] = {WHOLE}
    named = []
    for number, part in enumerate(parts, 1):
        key = part.key if word(part.key) is not None and part.key not in seen else f"item-{number}"
        seen.add(key)
        payable = part.payable and msgspec.structs.replace(part.payable, key=key)
        named.append(msgspec.structs.replace(part, key=key, payable=payable))
    return named


def _cut(made: AnswerDocument) -> AnswerDocument:
    items = made.items
    while items and len(msgspec.json.encode(made)) > DOCUMENT_SIZE_MAX_BYTES:
        kept = len(made.items) * 9 // 10
        made = msgspec.structs.replace(
            made, items=made.items[:kept], values={**made.values, ITEMS_LEFT_OUT: str(len(items) - kept)}
        )
        if not kept:
            break
    return made
