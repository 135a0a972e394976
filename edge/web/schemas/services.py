"""What the API takes and gives about services of the catalogue.

Values of fields and answers are texts in canonical form: rials as digits, days as `1405/08/30`, instants as RFC 3339.
"""

from typing import Annotated, Literal

import msgspec

from edge.journal.services import DocumentState, ServiceRequestView, ServiceView
from edge.web.ports.counter import Counter
from edge.web.schemas.payments import PaymentOut, payment_out
from shared.answer_document import AnswerDocument
from shared.catalogue import Category, Field, Row, Service, Words
from shared.events import Gate
from shared.service_state import ServiceOutcome, ServiceState

KEYS_MAX = 50


class OfferOut(msgspec.Struct, frozen=True, kw_only=True):
    """A service that may be sold now."""

    code: str
    category: Category
    name: Words
    fields: tuple[Field, ...]
    rules: Words | None
    """What the customer has to accept; null where there is nothing."""
    fee_rial: int
    gate: Gate
    """Whether the fee is taken before the provider is asked, or before its answer is shown."""
    print_first: bool
    """Whether the receipt of the fee has to be printed before the answer is shown."""
    pay: Literal["nothing", "one", "several"]
    """What of the answer can be paid."""
    rows: tuple[Row, ...]
    item_rows: tuple[Row, ...]


class CatalogueOut(msgspec.Struct, frozen=True, kw_only=True):
    """The services the caller may sell, in the catalogue's order."""

    catalogue_id: str
    services: list[OfferOut]


class ServiceIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a customer asks for. Persian digits and spaces are taken."""

    fields: dict[str, str]
    rules_accepted: bool = False


class FeeIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fee, to be paid at a terminal now."""

    terminal: str | None = None
    """Name of the terminal; without one the box takes the caller's last one, or the one that is free soonest."""


class PayAnswerIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of the answer is paid: one charge for all of these."""

    keys: Annotated[list[str], msgspec.Meta(min_length=1, max_length=KEYS_MAX)]
    terminal: str | None = None


class ReleaseIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A manager's word that the answer may be shown though the printer did not say that the receipt is out."""

    reason: str
    username: str
    password: str


class ImageIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The item whose pictures are wanted, by its key in the answer."""

    item: str


class ImageOut(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that can be fetched by its number, or the news that there is none."""

    number: int
    label: str
    there: bool


class ServiceListedOut(msgspec.Struct, frozen=True, kw_only=True):
    """A request in a list: nothing sealed is opened."""

    inquiry_id: str
    ticket: int
    service: str
    state: ServiceState
    applicant_tail: str
    fee_rial: int
    requested_at: str
    requested_index: int
    answered_at: str | None
    case_id: str | None


class ServicesOut(msgspec.Struct, frozen=True, kw_only=True):
    """Requests, newest first."""

    requests: list[ServiceListedOut]
    before: int | None
    """Give this as `before` for the next ones; null at the end."""


class ServiceOut(msgspec.Struct, frozen=True, kw_only=True):
    """A request, opened as far as its gate allows."""

    inquiry_id: str
    ticket: int
    service: str
    state: ServiceState
    """`needs_review`: paid without a result, asked again without a second fee."""
    missing: list[Literal["fee", "answer", "print"]]
    """What still has to come before the answer can be seen."""
    fields: dict[str, str] | None
    """Null once the month's key is forgotten: they can be read at central only."""
    requested_at: str
    fee_rial: int
    fee: PaymentOut | None
    """The payment that holds the fee, or the newest attempt."""
    outcome: ServiceOutcome | None
    reason: str
    case_id: str | None
    provider: str
    track_id: str
    answered_at: str | None
    """When the provider made the answer."""
    document_state: DocumentState
    document: AnswerDocument | None
    payable: list[str]
    """Keys of what can be paid now."""
    expired: list[str]
    payments: dict[str, PaymentOut]
    """By key: the payment that holds it, or the newest attempt."""
    paid_unseen: list[PaymentOut]
    """Payments about the same applicant, by another answer, that this answer may not know of: look before paying."""
    fulfilments: dict[str, dict[str, str]]
    """By key: what is handed over, for example a PIN."""
    images: dict[str, list[ImageOut]]
    images_asked: list[str]
    may_retry: bool
    may_release: bool


def offer_out(service: Service) -> OfferOut:
    """Return a service as the API gives it."""
    return OfferOut(
        code=service.code,
        category=service.category,
        name=service.name,
        fields=service.fields,
        rules=service.rules,
        fee_rial=service.tariff.fee_rial,
        gate=service.gate,
        print_first=service.print_first,
        pay=service.pay,
        rows=service.rows,
        item_rows=service.item_rows,
    )


def listed_out(asked: ServiceRequestView) -> ServiceListedOut:
    """Return a request as a list of the API gives it."""
    return ServiceListedOut(
        inquiry_id=asked.inquiry_id,
        ticket=asked.ticket,
        service=asked.service,
        state=asked.state,
        applicant_tail=asked.applicant_tail,
        fee_rial=asked.fee_rial,
        requested_at=asked.requested_at,
        requested_index=asked.requested_index,
        answered_at=asked.answered_at,
        case_id=asked.case_id,
    )


def service_out(view: ServiceView, counter: Counter) -> ServiceOut:
    """Return a request as the API gives it."""
    return ServiceOut(
        inquiry_id=view.inquiry_id,
        ticket=view.ticket,
        service=view.service.code,
        state=view.state,
        missing=sorted(view.missing),
        fields=view.fields,
        requested_at=view.requested_at,
        fee_rial=view.fee_rial,
        fee=None if view.fee is None else payment_out(view.fee, counter),
        outcome=view.outcome,
        reason=view.reason,
        case_id=view.case_id,
        provider=view.provider,
        track_id=view.track_id,
        answered_at=view.answered_at,
        document_state=view.document_state,
        document=view.document,
        payable=sorted(view.payable),
        expired=sorted(view.expired),
        payments={key: payment_out(payment, counter) for key, payment in view.payments.items()},
        paid_unseen=[payment_out(payment, counter) for payment in view.paid_unseen],
        fulfilments=view.fulfilments,
        images={
            item: [ImageOut(number=image.number, label=image.label, there=image.there) for image in images]
            for item, images in view.images.items()
        },
        images_asked=sorted(view.images_asked),
        may_retry=view.may_retry,
        may_release=view.may_release,
    )
