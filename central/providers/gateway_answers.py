"""What an answer of the first public shape is, as the catalogue names it: pure functions from its members."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from central.providers.connector import Order, Served
from central.providers.documents import WHOLE, Part, bill_payable, debts_of, document
from central.providers.gateway_calls import OPERATORS, CallShape
from central.providers.values import moment, rial, snake, word
from shared.answer_document import AnswerDocument, Payable
from shared.catalogue import Service
from shared.clock import parse_instant
from shared.errors import OperatorError
from shared.plates import check_plate, plate_text

_NO_RECORD: Final = frozenset({"no record", "no bill", "bill paid", "not found"})
_SOME: Final = -1
"""`Item.image_count`: some, not known how many."""


def flat(result: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the members that are no lists or objects, under the catalogue's names."""
    plain = {snake(name): value for name, value in result.items() if not isinstance(value, dict | list)}
    info = result.get("Info")
    details = {snake(name): value for name, value in info.items()} if isinstance(info, dict) else {}
    return {names.get(name, name): value for name, value in {**details, **plain}.items()}


def listed(result: Mapping[str, Any] | Sequence[Any], shape: CallShape) -> list[Mapping[str, Any]]:
    """Return the items of an answer: those of the named member, or the first list of objects."""
    if isinstance(result, Sequence):
        found: Any = result
    elif shape.items is not None:
        found = result.get(shape.items)
    else:
        found = next((value for value in result.values() if isinstance(value, list)), ())
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list | tuple) else []


def order_name(track_id: str, number: str) -> str:
    """Return our name of something to be carried out: a provider's numbers may begin anew, or be another provider's."""
    return f"{track_id[:24]}-{number}"


def served(service: Service, shape: CallShape, result: Mapping[str, Any] | Sequence[Any], *, track_id: str) -> Served:
    """Return an inquiry's answer; what it owes can be paid where its ids are right."""
    members = result if isinstance(result, Mapping) else {}
    values = flat(members, shape.names)
    parts = [_part(item, shape) for item in listed(result, shape)]
    payable, orders = _whole(values, track_id)
    made = document(service, values, parts, payable)
    message = str(members.get("message", "")).strip().lower()
    if message in _NO_RECORD or _is_empty(service, made):
        return Served(outcome="nothing", document=made, reason=message if message in _NO_RECORD else "")
    debts = () if service.pay == "nothing" else debts_of(parts, payable)
    answered_at = moment(values.get("answered_at"))
    return Served(outcome="done", document=made, orders=orders, debts=debts, answered_at=answered_at)


def _whole(values: Mapping[str, Any], track_id: str) -> tuple[Payable | None, tuple[Order, ...]]:
    """Return what of the whole answer can be paid: a bill by its ids, or an order that the provider holds."""
    amount = values.get("amount", values.get("total", values.get("total_amount")))
    bill = bill_payable(WHOLE, values.get("bill_id"), values.get("payment_id", values.get("pay_id")), amount)
    order_id = word(values.get("order_id"))
    if bill is not None or order_id is None:
        return bill, ()
    named = order_name(track_id, order_id)
    return offer(WHOLE, named, amount, product=order_id, expires=values.get("expires_at"))


def offer(
    key: str, order_id: str, amount: object, *, product: str = "", expires: object = None
) -> tuple[Payable | None, tuple[Order, ...]]:
    """Return an order as something that can be paid, or nothing where its amount is none."""
    try:
        amount_rial = rial(amount)
    except ValueError:
        return None, ()
    if amount_rial <= 0:
        return None, ()
    at = moment(expires)
    until = parse_instant(at) if at is not None and "T" in at else None
    payable = Payable(key=key, amount_rial=amount_rial, order_id=order_id, expires_at=at if until else None)
    return payable, (Order(order_id=order_id, amount_rial=amount_rial, product=product, expires_at=until),)


def offers(
    service: Service, shape: CallShape, result: Mapping[str, Any] | Sequence[Any], *, operator: str, track_id: str
) -> Served:
    """Return a list of things that can be bought, each an order of ours: nothing is asked of anybody until it is paid.

    An order's id is this question's own name and the product's, so the same product asked for twice is two orders.
    """
    parts: list[Part] = []
    orders: list[Order] = []
    for item in listed(result, shape):
        values = flat(item, shape.names)
        told = word(values.get("operator"))
        if operator and told is not None and told.lower() != OPERATORS.get(operator, operator).lower():
            continue
        product = next((text for name in shape.item_key if (text := word(item_of(item, name))) is not None), None)
        if product is None or any(part.key == product for part in parts):
            continue
        payable, made = offer(product, order_name(track_id, product), values.get("amount"), product=product)
        if payable is None:
            continue
        parts.append(Part(key=product, values={"title": product, **values}, payable=payable))
        orders += made
    found = document(service, flat(result, shape.names) if isinstance(result, Mapping) else {}, parts)
    return Served(outcome="done" if parts else "nothing", document=found, orders=tuple(orders))


def item_of(item: Mapping[str, Any], name: str) -> object:
    """Return a member of an item by its snake_case name."""
    return next((value for member, value in item.items() if snake(member) == name), None)


def _part(item: Mapping[str, Any], shape: CallShape) -> Part:
    values = flat(item, shape.item_names)
    place = " ".join(text for name in ("city", "location") if (text := word(values.get(name), 200)) is not None)
    if place:
        values.setdefault("place", place)
    if "plate" in values:
        values["plate"] = _plate(values["plate"])
    if isinstance(values.get("revoked"), bool):
        values.setdefault("state", "فک‌شده" if values["revoked"] else "فعال")
    key = next((text for name in shape.item_key if (text := word(item_of(item, name))) is not None), "")
    can_pay = values.get("is_payable") is not False
    payment_id = values.get("payment_id", values.get("pay_id"))
    return Part(
        key=key,
        values=values,
        payable=bill_payable(key, values.get("bill_id"), payment_id, values.get("amount")) if can_pay else None,
        image_count=_SOME if values.get("has_image") is True else 0,
    )


def _plate(value: object) -> object:
    try:
        return plate_text(check_plate(str(value)), "fa")
    except OperatorError:
        return value


def _is_empty(service: Service, made: AnswerDocument) -> bool:
    """Return whether there is nothing there: no item where items are the answer, or nothing owed."""
    if made.items or made.payable is not None:
        return False
    if service.item_rows:
        return True
    return service.pay != "nothing" and made.values.get("total", made.values.get("amount", "0")) == "0"
