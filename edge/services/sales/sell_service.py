"""Sell services of the catalogue: take what the customer asks for, its fee, what is paid of the answer, and the rest.

    service.requested   fields sealed, ticket given; nothing of it needs a line
    (fee)               before the provider is asked or before its answer is shown, as the service's gate says
    (answer)            on the feed, sealed; it is opened only once the gate is (`shared.service_state`)
    service.shown       the customer has seen it
    (payments)          of what the answer says can be paid: bills by their ids, orders by their number

A request or payment of a caller's own name is made once, whatever the catalogue and the answer say by then. All that is
decided is decided inside the write transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from edge.journal.data_keys import search_key
from edge.journal.services import Picture
from edge.journal.writer import JournalWriter, StoreView
from edge.services.papers.documents import SERVICE_TICKET, spool
from edge.services.payments.service_checks import known_request, open_answer, opened_state
from edge.services.payments.statement import checked_reason
from edge.services.payments.take_payment import TakePayment
from edge.services.payments.wanted import Wanted
from edge.services.people.sign_in import SignIn
from edge.services.sales.catalogue_in_force import CatalogueInForce
from edge.services.sales.open_answer import open_document, open_picture
from edge.services.sales.pay_answer import answer_wanted
from edge.services.sales.service_view import ServiceViews
from edge.store.queries import Queries
from shared.catalogue import Service
from shared.entropy import Entropy, random_name
from shared.errors import OperatorError
from shared.events import (
    SERVICE_FIELDS_PURPOSE,
    Body,
    ImageAsked,
    ServiceReleased,
    ServiceRequested,
    ServiceRetried,
    ServiceShown,
    Split,
)
from shared.ids import fee_obligation
from shared.sealed import seal
from shared.service_fields import applicant_of, applicant_tail, check_fields
from shared.service_state import ServiceState, awaits_print, fee_of


class MaySell(Protocol):
    """Who may sell what."""

    def check_sell(self, operator: str, code: str) -> None:
        """Let pass who may sell a service. Raises OperatorError `auth.not_permitted`."""


class SellParts(msgspec.Struct, frozen=True, kw_only=True):
    """What selling needs of the box."""

    writer: JournalWriter
    queries: Queries
    catalogues: CatalogueInForce
    payments: TakePayment
    sign_in: SignIn
    permissions: MaySell
    views: ServiceViews
    entropy: Entropy
    has_line: Callable[[], bool]
    """Whether an answer may be here in a moment; else the customer gets a ticket at once."""


class SellService:
    """The counter of catalogue services."""

    def __init__(self, parts: SellParts) -> None:
        self._parts = parts

    async def request(
        self,
        code: str,
        fields: Mapping[str, str],
        *,
        rules_accepted: bool,
        operator: str,
        inquiry_id: str | None = None,
    ) -> str:
        """Journal what a customer asks for; return our inquiry id.

        Raises OperatorError `service.not_sold`, `auth.not_permitted`, `service.rules_not_accepted`, with the field's
        name what `shared.service_fields.check_fields` raises, `payment.box_quarantined`, `box.not_enrolled`.
        """
        parts = self._parts
        if inquiry_id is not None and parts.queries.services.request(inquiry_id) is not None:
            return inquiry_id
        catalogue = parts.catalogues.current()
        service = catalogue.service(code)
        if service is None or not service.active:
            raise OperatorError("service.not_sold", service=code)
        parts.permissions.check_sell(operator, code)
        checked = check_fields(service, fields)
        if service.rules is not None and not rules_accepted:
            raise OperatorError("service.rules_not_accepted", field="rules_accepted")
        asked_id = inquiry_id or random_name(parts.entropy, "q")
        has_line = parts.has_line()

        def decide(view: StoreView) -> Sequence[Body]:
            if view.services.request(asked_id) is not None:
                return []
            if view.quarantined():
                raise OperatorError("payment.box_quarantined")
            bodies = _requested(
                view,
                service,
                checked,
                inquiry_id=asked_id,
                catalogue_id=catalogue.catalogue_id,
                rules_accepted=rules_accepted,
                operator=operator,
            )
            if not has_line:
                spool(view, parts.entropy, document=SERVICE_TICKET, about=asked_id, copy=False)
            return bodies

        await parts.writer.commit(decide)
        return asked_id

    async def pay_fee(
        self, inquiry_id: str, *, operator: str, terminal: str | None = None, payment_id: str | None = None
    ) -> str:
        """Begin the payment of a request's fee; return our payment id.

        Raises OperatorError `inquiry.unknown`, `auth.not_permitted`, `service.no_fee_due`, `service.ask_anew`, or as
        `TakePayment.request` does.
        """
        if payment_id is not None and self._parts.queries.payment(payment_id) is not None:
            return payment_id
        asked = self._parts.views.known(inquiry_id)
        self._parts.permissions.check_sell(operator, asked.service)
        if not asked.fee_rial:
            raise OperatorError("service.no_fee_due", inquiry_id=inquiry_id)
        service = self._parts.catalogues.service_of(asked)
        wanted = Wanted(
            purpose="inquiry_fee",
            amount_rial=asked.fee_rial,
            split=_fee_split(service, asked.fee_rial),
            obligation=fee_obligation(inquiry_id),
            inquiry_id=inquiry_id,
            service=asked.service,
        )
        return await self._parts.payments.request(wanted, operator=operator, terminal=terminal, payment_id=payment_id)

    async def pay_answer(
        self,
        inquiry_id: str,
        keys: Sequence[str],
        *,
        operator: str,
        terminal: str | None = None,
        payment_id: str | None = None,
    ) -> str:
        """Begin the one payment of what stands under these keys of an answer; return our payment id.

        Raises OperatorError `inquiry.unknown`, `auth.not_permitted`, `service.answer_shut`, or as `answer_wanted`,
        `service_agrees` and `TakePayment.request` do.
        """
        parts = self._parts
        if payment_id is not None and parts.queries.payment(payment_id) is not None:
            return payment_id
        asked = parts.views.known(inquiry_id)
        parts.permissions.check_sell(operator, asked.service)
        opened = open_document(parts.queries.services, asked)
        if opened.document is None or opened_state(asked, opened) not in (ServiceState.READY, ServiceState.SHOWN):
            raise OperatorError("service.answer_shut", inquiry_id=inquiry_id)
        ended = parts.views.ended(opened.document)
        service = parts.catalogues.service_of(asked)
        wanted = answer_wanted(opened.document, keys, service=service, inquiry_id=inquiry_id, ended=ended)
        return await parts.payments.request(wanted, operator=operator, terminal=terminal, payment_id=payment_id)

    async def retry(self, inquiry_id: str, *, operator: str) -> None:
        """Have a request asked again that was paid and has no result. No second fee.

        Raises OperatorError `inquiry.unknown`, `auth.not_permitted`, `service.nothing_to_retry`.
        """
        self._parts.permissions.check_sell(operator, self._parts.views.known(inquiry_id).service)

        def decide(view: StoreView) -> Sequence[Body]:
            asked = known_request(view, inquiry_id)
            if opened_state(asked, open_document(view.services, asked)) is not ServiceState.NEEDS_REVIEW:
                raise OperatorError("service.nothing_to_retry", inquiry_id=inquiry_id)
            return [ServiceRetried(inquiry_id=inquiry_id, operator=operator)]

        await self._parts.writer.commit(decide)

    async def release(self, inquiry_id: str, *, reason: str, username: str, password: str) -> None:
        """Journal a manager's word that the answer may be shown though the printer never said that the receipt is out.

        Raises OperatorError `inquiry.unknown`, `service.nothing_to_release`, or as `checked_reason` and
        `SignIn.manager` do.
        """
        stated = checked_reason(reason)
        person = await self._parts.sign_in.manager(username, password)

        def decide(view: StoreView) -> Sequence[Body]:
            facts = known_request(view, inquiry_id).facts()
            if not awaits_print(facts) or fee_of(facts) != "settled":
                raise OperatorError("service.nothing_to_release", inquiry_id=inquiry_id)
            return [ServiceReleased(inquiry_id=inquiry_id, operator=person.username, reason=stated)]

        await self._parts.writer.commit(decide)

    async def show(self, inquiry_id: str, *, operator: str) -> None:
        """Journal that the answer was shown, the first time.

        Raises OperatorError `inquiry.unknown`, `service.answer_shut`.
        """

        def decide(view: StoreView) -> Sequence[Body]:
            asked, _ = open_answer(view, inquiry_id)
            return [] if asked.shown_at else [ServiceShown(inquiry_id=inquiry_id, operator=operator)]

        await self._parts.writer.commit(decide)

    async def ask_image(self, inquiry_id: str, item: str, *, operator: str) -> None:
        """Have the pictures of one item of an answer asked for, unless they were.

        Raises OperatorError `inquiry.unknown`, `auth.not_permitted`, `service.answer_shut`, `service.no_images`.
        """
        self._parts.permissions.check_sell(operator, self._parts.views.known(inquiry_id).service)

        def decide(view: StoreView) -> Sequence[Body]:
            _, document = open_answer(view, inquiry_id)
            items = () if document is None else document.items
            if not any(one.key == item and one.image_count for one in items):
                raise OperatorError("service.no_images", item=item)
            came = [image for image in view.services.images(inquiry_id) if image.item == item]
            pending = item in view.services.images_asked(inquiry_id) and not came
            if pending or any(image.there for image in came):
                return []
            return [ImageAsked(inquiry_id=inquiry_id, item=item, operator=operator)]

        await self._parts.writer.commit(decide)

    def image(self, inquiry_id: str, item: str, number: int) -> Picture:
        """Return a picture that came.

        Raises OperatorError `inquiry.unknown`, `service.answer_shut`, `service.no_images`.
        """
        reader, asked = self._parts.queries.services, self._parts.views.known(inquiry_id)
        if opened_state(asked, open_document(reader, asked)) not in (ServiceState.READY, ServiceState.SHOWN):
            raise OperatorError("service.answer_shut", inquiry_id=inquiry_id)
        place = next((one for one in reader.images(inquiry_id) if (one.item, one.number) == (item, number)), None)
        picture = None if place is None else open_picture(reader, asked, reader.image(place))
        if picture is None:
            raise OperatorError("service.no_images", item=item)
        return picture


def _requested(
    view: StoreView,
    service: Service,
    fields: dict[str, str],
    *,
    inquiry_id: str,
    catalogue_id: str,
    rules_accepted: bool,
    operator: str,
) -> list[Body]:
    new_key = view.data_key_body()
    key = view.data_key() if new_key is None else new_key
    private = view.services.private_key(key.key_id)
    asked = ServiceRequested(
        inquiry_id=inquiry_id,
        ticket=view.next_ticket(),
        service=service.code,
        catalogue_id=catalogue_id,
        fields=seal(
            msgspec.json.encode(fields, order="deterministic"),
            key_id=key.key_id,
            public_key=bytes.fromhex(key.public_key),
            purpose=SERVICE_FIELDS_PURPOSE,
        ),
        applicant_tail=applicant_tail(service, fields),
        search_key="" if private is None else search_key(private, applicant_of(service, fields)),
        fee_rial=service.tariff.fee_rial,
        gate=service.gate,
        print_first=service.print_first,
        rules_accepted=rules_accepted,
        operator=operator,
    )
    return [asked] if new_key is None else [new_key, asked]


def _fee_split(service: Service, fee_rial: int) -> Split:
    """Return where the fee goes by the tariff it was asked under; all to the company where that is not known."""
    tariff = service.tariff
    if tariff.fee_rial != fee_rial:
        return Split(gross_rial=fee_rial, company_rial=fee_rial)
    return Split(
        gross_rial=fee_rial,
        company_rial=tariff.company_rial,
        provider_rial=tariff.provider_rial,
        office_rial=tariff.office_rial,
        vat_rial=tariff.vat_rial,
    )
