"""A request for a service as its page shows it: where it stands, what the answer says, what of it can be paid.

Decides nothing: what may be seen and paid, `edge.services` says. Values of an answer are somebody else's: one that is
not of its row's kind is shown as it came.
"""

from contextlib import suppress
from typing import Final, Literal

import msgspec

from edge.web.payment_view import PaymentPage, payment_page
from edge.web.ports.counter import Counter, PaymentView
from edge.web.ports.services import ServiceView
from shared.answer_document import Item, Payable
from shared.catalogue import Row, Service
from shared.display import Status, digits_text, moment_text
from shared.errors import OperatorError
from shared.events.body import RIAL_MAX
from shared.money import group_digits, rial_text, toman_text
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, UNDER_WAY, PaymentState
from shared.plates import check_plate, plate_text
from shared.service_fields import field_text
from shared.service_state import PAYABLE_FEE, ServiceState
from shared.service_words import SERVICE_STATUSES
from shared.text import Language, is_digits

_WAITING: Final = frozenset({ServiceState.FEE_UNDER_WAY, ServiceState.FEE_IN_DOUBT, ServiceState.WAITING})

_RIAL_DIGITS_MAX: Final = len(str(RIAL_MAX))

Standing = Literal["payable", "failed", "busy", "doubt", "paid", "expired", "none"]
"""Of something that can be paid: now, again, under way, in doubt, paid, too late, never."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A value as it is read. `small` stands beside it; `ltr`: compared with paper."""

    name: str
    label: str
    text: str
    small: str = ""
    ltr: bool = False
    amount_rial: int | None = None


class Pay(msgspec.Struct, frozen=True, kw_only=True):
    """Something of the answer that can be paid, and how that stands."""

    key: str
    amount_rial: int
    standing: Standing
    payment: PaymentView | None
    handed: dict[str, str]
    """What the customer gets for it, once it is there."""
    bought: bool
    """It is paid, what was bought is to be handed over, and it is not there yet."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One item of an answer."""

    key: str
    title: str
    amount: Shown | None
    values: tuple[Shown, ...]
    pay: Pay | None
    images: tuple[tuple[int, str], ...]
    """Number and label of each picture that is there."""
    images_state: Literal["none", "offered", "asked", "there", "missing"]


class RequestPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of a request shows."""

    view: ServiceView
    status: Status
    asked: tuple[Shown, ...]
    """The fields, as they were given."""
    plate: str | None
    """The car's plate that it is about, to be drawn."""
    fee: PaymentPage | None
    """The fee's payment, while it matters how it stands."""
    paying: PaymentPage | None
    """The newest payment of the answer; of an answer that is paid as a whole."""
    fee_due: bool
    values: tuple[Shown, ...]
    """Of the answer; not the amount that stands above them already."""
    whole_label: str
    """What that amount is called."""
    cards: tuple[Card, ...]
    left_out: int
    """Items of a long answer that are not among the cards."""
    whole: Pay | None
    payable_keys: tuple[str, ...]
    payable_rial: int
    live: bool
    waits: bool
    """Something is awaited: a page without script looks again."""


def shown(row: Row, value: str, language: Language) -> Shown:
    """Return a value of an answer as its row says it is read."""
    label = row.label.word(language)
    if row.kind == "rial" and is_digits(value) and len(value) <= _RIAL_DIGITS_MAX:
        amount = int(value)
        text, small = toman_text(amount, language), rial_text(amount, language)
        return Shown(name=row.name, label=label, text=text, small=small, amount_rial=amount)
    text = value
    with suppress(OperatorError, ValueError):
        text = _read(row, value, language)
    return Shown(name=row.name, label=label, text=text, ltr=row.kind == "code")


def _read(row: Row, value: str, language: Language) -> str:
    match row.kind:
        case "number" if is_digits(value):
            return group_digits(int(value), language)
        case "plate":
            return plate_text(check_plate(value), language)
        case "date":
            return moment_text(value, language) if "T" in value else digits_text(value, language)
        case _:
            return value


def _values(service: Service, rows: tuple[Row, ...], values: dict[str, str], language: Language) -> tuple[Shown, ...]:
    return tuple(
        shown(row, _chosen(service, row, values[row.name], language), language) for row in rows if values.get(row.name)
    )


def _chosen(service: Service, row: Row, value: str, language: Language) -> str:
    """Return what was chosen in the words it was chosen by, where a provider says a field's value back."""
    same = next((field for field in service.fields if field.name == row.name and field.kind == "choice"), None)
    return value if same is None else field_text(same, value, language)


def _standing(view: ServiceView, payable: Payable, payment: PaymentView | None) -> Standing:
    if payment is not None and payment.state in CHARGED:
        return "paid"
    if payment is not None and payment.state is PaymentState.IN_DOUBT:
        return "doubt"
    if payment is not None and payment.state in UNDER_WAY:
        return "busy"
    if payable.key in view.expired:
        return "expired"
    if payable.key in view.payable:
        return "failed" if payment is not None and payment.state in CERTAINLY_UNCHARGED else "payable"
    return "none"


def _is_confirmed(payment: PaymentView | None) -> bool:
    """Return whether the provider has done what was paid for: of some orders nothing is handed over."""
    return payment is not None and payment.confirmation == "confirmed"


def _pay(view: ServiceView, payable: Payable | None) -> Pay | None:
    if payable is None or view.service.pay == "nothing":
        return None
    payment = view.payments.get(payable.key)
    standing = _standing(view, payable, payment)
    handed = view.fulfilments.get(payable.key, {})
    return Pay(
        key=payable.key,
        amount_rial=payable.amount_rial,
        standing=standing,
        payment=payment,
        handed=handed,
        bought=standing == "paid" and payable.order_id is not None and not (handed or _is_confirmed(payment)),
    )


def _card(view: ServiceView, item: Item, language: Language) -> Card:
    values = _values(view.service, view.service.item_rows, item.values, language)
    amount = next((value for value in values if value.amount_rial is not None), None)
    texts = [value for value in values if value is not amount]
    images = view.images.get(item.key, ())
    there = tuple((one.number, one.label) for one in images if one.there)
    wanted = view.service.has_images and item.image_count != 0
    return Card(
        key=item.key,
        title=texts[0].text if texts else "",
        amount=amount,
        values=tuple(texts[1:]),
        pay=_pay(view, item.payable),
        images=there,
        images_state="there"
        if there
        else "missing"
        if images
        else "asked"
        if item.key in view.images_asked
        else "offered"
        if wanted
        else "none",
    )


def _asked(view: ServiceView, language: Language) -> tuple[Shown, ...]:
    given = view.fields or {}
    return tuple(
        Shown(name=field.name, label=field.label.word(language), text=field_text(field, given[field.name], language))
        for field in view.service.fields
        if given.get(field.name)
    )


def _paying(counter: Counter, whole: Pay | None) -> PaymentPage | None:
    """Return the newest payment of the whole as its page shows it."""
    if whole is None or whole.payment is None or whole.standing not in ("busy", "doubt", "paid", "failed"):
        return None
    return payment_page(counter, whole.payment)


def request_page(counter: Counter, view: ServiceView, language: Language) -> RequestPage:
    """Return what the page of a request shows now."""
    document = view.document
    whole = _pay(view, document.payable) if document else None
    cards = tuple(_card(view, item, language) for item in document.items) if document else ()
    values = _values(view.service, view.service.rows, document.values, language) if document else ()
    payable = [card.pay for card in cards if card.pay and card.pay.standing in ("payable", "failed")]
    applicant = view.service.applicant
    pays = [one for one in (whole, *(card.pay for card in cards)) if one is not None]
    awaits_fee = view.state in (ServiceState.FEE_UNDER_WAY, ServiceState.FEE_IN_DOUBT, ServiceState.FEE_FAILED)
    return RequestPage(
        view=view,
        status=SERVICE_STATUSES[view.state],
        asked=_asked(view, language),
        plate=view.applicant if applicant and applicant.kind == "plate" and view.fields else None,
        fee=payment_page(counter, view.fee) if view.fee and awaits_fee else None,
        paying=_paying(counter, whole),
        fee_due=view.state in PAYABLE_FEE,
        values=tuple(value for value in values if whole is None or value.amount_rial != whole.amount_rial),
        whole_label=next((value.label for value in values if whole and value.amount_rial == whole.amount_rial), ""),
        cards=cards,
        left_out=document.left_out_count if document else 0,
        whole=whole,
        payable_keys=tuple(one.key for one in payable),
        payable_rial=sum(one.amount_rial for one in payable),
        live=view.state is not ServiceState.REFUSED,
        waits=view.state in _WAITING or any(one.standing in ("busy", "doubt") or one.bought for one in pays),
    )
