"""What the training centre answers: made up, in the shape of the real thing, and always the same for the same question.

Sans I/O but for sealing. It hears the entries of the training journal and returns what goes onto its feed.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from shared.answer_document import AnswerDocument, Item, Payable
from shared.catalogue import Catalogue, Row, Service
from shared.events import (
    FULFILMENT_PURPOSE,
    SERVICE_ANSWER_PURPOSE,
    Body,
    DataKeyMade,
    ImageAnswered,
    ImageAsked,
    InquiryAnswered,
    InquiryRequested,
    PaymentAcknowledged,
    PaymentApproved,
    PaymentConfirmed,
    PaymentOverridden,
    PaymentRequested,
    ServiceAnswered,
    ServiceRequested,
    ServiceRetried,
)
from shared.identifiers import BillType, check_digit
from shared.sealed import Sealed, seal

PROVIDER: Final = "training"
_ITEM_COUNT: Final = 3
_ITEM_RIAL: Final = (800_000, 200_000, 420_000)
_TOTAL_RIAL: Final = 1_420_000
_DEBT_RIAL: Final = 1_290_000
_SAMPLES: Final = {
    "text": "نمونهٔ آموزشی",
    "number": "3",
    "date": "1405/08/30",
    "code": "700000000000",
    "plate": "992728388",
}
"""A value for each kind of row; rials are those of what can be paid."""
_COMPANY: Final = "001"
_PERIOD: Final = "501"


def training_bill(kind: BillType, number: int, amount_rial: int) -> tuple[str, str]:
    """Return the bill id and payment id of a bill that nobody issued, with right check digits."""
    body = f"{number % 10**7 + 1}{_COMPANY}{int(kind)}"
    bill_id = body + str(check_digit(body))
    payment = f"{amount_rial // 1000}{_PERIOD}"
    payment += str(check_digit(payment))
    return bill_id, payment + str(check_digit(bill_id + payment))


class Answers:
    """Hears entries in their order; `now` gives instants as text."""

    def __init__(self, catalogue: Catalogue, now: Callable[[], str]) -> None:
        self._catalogue = catalogue
        self._now = now
        self._keys: dict[str, DataKeyMade] = {}
        self._payments: dict[str, PaymentRequested] = {}
        self._requests: dict[str, ServiceRequested] = {}
        self._confirmed: set[str] = set()
        self._answered: set[str] = set()

    def hear(self, body: Body) -> list[Body]:
        """Return what is answered to an entry."""
        match body:
            case DataKeyMade():
                self._keys[body.key_id] = body
            case PaymentRequested():
                self._payments[body.payment_id] = body
            case PaymentApproved() | PaymentAcknowledged() | PaymentOverridden(charged=True):
                return self._charged(body.payment_id)
            case InquiryRequested():
                return [self._debt(body)]
            case ImageAsked():
                return [ImageAnswered(inquiry_id=body.inquiry_id, item=body.item, number=0)]
            case ServiceRequested():
                self._requests[body.inquiry_id] = body
                return [] if body.gate == "fee_first" and body.fee_rial else self._service(body.inquiry_id)
            case ServiceRetried():
                return self._service(body.inquiry_id)
        return []

    def _charged(self, payment_id: str) -> list[Body]:
        """Answer a charge, once: a fee by its service, what is confirmed by its provider by yes."""
        wanted = self._payments.get(payment_id)
        if wanted is None or payment_id in self._confirmed:
            return []
        self._confirmed.add(payment_id)
        if wanted.purpose == "inquiry_fee":
            return self._service(wanted.inquiry_id or "")
        places = range(len(wanted.items)) if wanted.items else (None,)
        return [
            PaymentConfirmed(
                payment_id=payment_id,
                provider=PROVIDER,
                track_id="training",
                provider_reference="1000000",
                confirmed_at=self._now(),
                item=place,
                fulfilment=self._fulfilment(wanted),
            )
            for place in places
        ]

    def _fulfilment(self, wanted: PaymentRequested) -> Sealed | None:
        request = self._requests.get(wanted.inquiry_id or "")
        if wanted.purpose != "order" or request is None:
            return None
        said = {"pin": "0000000000000000", "serial": "TRAINING"}
        return self._sealed(msgspec.json.encode(said), request.fields.key_id, FULFILMENT_PURPOSE)

    def _debt(self, asked: InquiryRequested) -> Body:
        kind = BillType[asked.kind.upper()]
        bill_id, payment_id = training_bill(kind, asked.ticket, _DEBT_RIAL)
        return InquiryAnswered(
            inquiry_id=asked.inquiry_id,
            outcome="owed",
            amount_rial=_DEBT_RIAL,
            bill_id=bill_id,
            bill_payment_id=payment_id,
            provider=PROVIDER,
            track_id="training",
            answered_at=self._now(),
        )

    def _service(self, inquiry_id: str) -> list[Body]:
        request = self._requests.get(inquiry_id)
        service = None if request is None else self._catalogue.service(request.service)
        if request is None or service is None or inquiry_id in self._answered:
            return []
        self._answered.add(inquiry_id)
        document = msgspec.json.encode(made_up(service, request.ticket))
        return [
            ServiceAnswered(
                inquiry_id=inquiry_id,
                outcome="done",
                document=self._sealed(document, request.fields.key_id, SERVICE_ANSWER_PURPOSE),
                provider=PROVIDER,
                track_id="training",
                answered_at=self._now(),
            )
        ]

    def _sealed(self, plaintext: bytes, key_id: str, purpose: str) -> Sealed | None:
        key = self._keys.get(key_id)
        if key is None:
            return None
        return seal(plaintext, key_id=key_id, public_key=bytes.fromhex(key.public_key), purpose=purpose)


def made_up(service: Service, number: int) -> AnswerDocument:
    """Return an answer with a value for each row of a service, and something to pay where it has that."""
    whole = None if service.pay == "nothing" or service.item_rows else _payable(service, number, "total", _TOTAL_RIAL)
    items = [_item(service, number, place) for place in range(_ITEM_COUNT)] if service.item_rows else []
    if service.item_rows and service.pay == "several":
        # What is owed in all is told, and paid item by item.
        values = _values(service.rows, sum(_ITEM_RIAL), None)
    else:
        values = _values(service.rows, _TOTAL_RIAL, whole)
    return AnswerDocument(values=values, items=tuple(items), payable=whole)


def _item(service: Service, number: int, place: int) -> Item:
    amount_rial = _ITEM_RIAL[place]
    pays = service.pay != "nothing"
    payable = _payable(service, number * 10 + place, str(place + 1), amount_rial) if pays else None
    return Item(key=str(place + 1), values=_values(service.item_rows, amount_rial, payable), payable=payable)


def _payable(service: Service, number: int, key: str, amount_rial: int) -> Payable:
    if service.category == "top_up":
        return Payable(key=key, amount_rial=amount_rial, order_id=f"training-{number}-{key}")
    kind = BillType.TRAFFIC_FINE if service.category == "vehicle" else BillType.OTHER
    bill_id, payment_id = training_bill(kind, number, amount_rial)
    return Payable(key=key, amount_rial=amount_rial, bill_id=bill_id, bill_payment_id=payment_id)


def _values(rows: tuple[Row, ...], amount_rial: int, payable: Payable | None) -> dict[str, str]:
    values = {row.name: str(amount_rial) if row.kind == "rial" else _SAMPLES[row.kind] for row in rows}
    ids = {} if payable is None else {"bill_id": payable.bill_id, "payment_id": payable.bill_payment_id}
    return values | {name: text for name, text in ids.items() if name in values and text is not None}
