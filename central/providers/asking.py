"""The questions to providers: how each is asked, how its status is asked, and what stands in its way just now."""

from typing import Protocol, cast

from sqlalchemy import Connection, Engine, Row, select

from central.fleet.catalogues import CATALOGUES
from central.ledger.services import order_of
from central.providers.connector import (
    Answered,
    ConfirmOrder,
    NotDone,
    OrderApproval,
    Refused,
    Served,
    ServiceQuestion,
)
from central.providers.desk import Asked, ProviderDesk, Reply
from central.providers.holding import fee_in_the_way, in_the_way
from central.store.books import office_inquiry, office_payment, office_payment_item
from central.store.services import service_order, service_request
from shared.catalogue import CONSENT_FIELD, Service
from shared.errors import BugError, IntegrityError
from shared.events import BillKind
from shared.sealed import Sealed


class Question(Protocol):
    """One question. Made without asking anything; its making raises DaftarError where it cannot be put."""

    def stopped(self) -> Reply | None:
        """Return what stands in the way of asking it now, or None."""

    def send(self) -> Reply:
        """Ask it."""

    def status(self) -> Reply:
        """Ask what became of it."""


def question_of(engine: Engine, desk: ProviderDesk, asked: Asked) -> Question:
    """Return the question a row stands for.

    Raises PeerError `provider.no_data_key`; IntegrityError `sealed.cannot_open`, `provider.unknown_service`.
    """
    if asked.kind == "inquire":
        return _Inquiry(engine, desk, asked)
    if asked.kind == "serve":
        return _Serving(engine, desk, asked)
    if asked.kind == "image":
        return _Pictures(desk, asked)
    with engine.connect() as connection:
        payment = _payment(connection, asked)
    if payment.purpose == "order":
        return _Approval(engine, desk, asked, payment)
    return _Confirmation(engine, desk, asked, payment)


def _payment(connection: Connection, asked: Asked) -> Row[tuple[object, ...]]:
    table = office_payment
    return connection.execute(
        select(table).where(table.c.office_id == asked.office_id, table.c.payment_id == asked.subject)
    ).one()


def request_row(connection: Connection, office_id: str, inquiry_id: str) -> Row[tuple[object, ...]]:
    """Return a request for a service. Raises BugError `provider.no_request`."""
    table = service_request
    row = connection.execute(
        select(table).where(table.c.office_id == office_id, table.c.inquiry_id == inquiry_id)
    ).one_or_none()
    if row is None:
        raise BugError("provider.no_request")
    return row


class _Confirmation:
    """Whether the provider takes the payment of a bill."""

    def __init__(self, engine: Engine, desk: ProviderDesk, asked: Asked, payment: Row[tuple[object, ...]]) -> None:
        self._connector = desk.connector
        self._engine, self._asked = engine, asked
        paid = payment
        if asked.item is not None:
            items = office_payment_item
            of_payment = (items.c.office_id == asked.office_id, items.c.payment_id == asked.subject)
            with engine.connect() as connection:
                paid = connection.execute(select(items).where(*of_payment, items.c.item == asked.item)).one()
        if paid.bill_id is None or paid.bill_payment_id is None:
            raise BugError("provider.no_bill")
        self._order = ConfirmOrder(
            track_id=asked.track_id,
            bill_id=paid.bill_id,
            bill_payment_id=paid.bill_payment_id,
            amount_rial=paid.amount_rial,
            rrn=payment.rrn or "",
            stan=payment.stan or "",
            paid_at_claim=payment.approved_claim or "",
        )

    def stopped(self) -> Reply | None:
        with self._engine.begin() as connection:
            return in_the_way(connection, self._asked.office_id, self._asked.subject, self._asked.item)

    def send(self) -> Reply:
        return self._connector.confirm(self._order)

    def status(self) -> Reply:
        return self._connector.confirm_status(track_id=self._order.track_id)


class _Approval:
    """Whether the provider carries an order out, now that it is paid."""

    def __init__(self, engine: Engine, desk: ProviderDesk, asked: Asked, payment: Row[tuple[object, ...]]) -> None:
        self._connector = desk.connector
        self._engine, self._asked = engine, asked
        self._order: OrderApproval | None = None
        self._same_amount = False
        table = service_order
        order_id = order_of(payment.obligation)
        with engine.connect() as connection:
            row = connection.execute(
                select(table).where(table.c.office_id == asked.office_id, table.c.order_id == order_id)
            ).one_or_none()
            if row is None:
                return
            request = request_row(connection, asked.office_id, row.inquiry_id)
            service = _service(connection, request)
            sealed = Sealed(key_id=request.fields_key_id, ciphertext=request.fields_ciphertext)
            fields = desk.data_keys.open_fields(connection, asked.office_id, sealed)
        self._same_amount = row.amount_rial == payment.amount_rial
        self._order = OrderApproval(
            track_id=asked.track_id,
            call=row.call,
            order_id=row.order_id,
            product=row.product,
            amount_rial=row.amount_rial,
            arguments=service.arguments,
            fields=fields,
        )

    def stopped(self) -> Reply | None:
        with self._engine.begin() as connection:
            stands_in_the_way = in_the_way(connection, self._asked.office_id, self._asked.subject)
        if stands_in_the_way is None and (self._order is None or not self._same_amount):
            # Nobody ever offered it for this: the customer is owed the money.
            return Refused(reason="refused")
        return stands_in_the_way

    def send(self) -> Reply:
        return NotDone(why="order not known") if self._order is None else self._connector.approve(self._order)

    def status(self) -> Reply:
        return NotDone(why="order not known") if self._order is None else self._connector.approve_status(self._order)


class _Inquiry:
    """What a subscriber owes."""

    def __init__(self, engine: Engine, desk: ProviderDesk, asked: Asked) -> None:
        self._connector = desk.connector
        self._track_id = asked.track_id
        table = office_inquiry
        with engine.connect() as connection:
            row = connection.execute(
                select(table).where(table.c.office_id == asked.office_id, table.c.inquiry_id == asked.subject)
            ).one()
            sealed = Sealed(key_id=row.parameter_key_id, ciphertext=row.parameter_ciphertext)
            self._parameter = desk.data_keys.open_parameter(connection, asked.office_id, sealed)
        self._kind = cast("BillKind", row.kind)

    def stopped(self) -> Reply | None:
        return None

    def send(self) -> Reply:
        return self._connector.inquire(self._kind, self._parameter, track_id=self._track_id)

    def status(self) -> Reply:
        return self._connector.inquiry_status(self._kind, track_id=self._track_id)


class _Serving:
    """A service of the catalogue."""

    def __init__(self, engine: Engine, desk: ProviderDesk, asked: Asked) -> None:
        self._connector = desk.connector
        self._engine, self._asked = engine, asked
        with engine.connect() as connection:
            row = request_row(connection, asked.office_id, asked.subject)
            service = _service(connection, row)
            sealed = Sealed(key_id=row.fields_key_id, ciphertext=row.fields_ciphertext)
            fields = desk.data_keys.open_fields(connection, asked.office_id, sealed)
        told = {name: value for name, value in fields.items() if name != CONSENT_FIELD}
        self._question = ServiceQuestion(track_id=asked.track_id, service=service, fields=told)

    def stopped(self) -> Reply | None:
        with self._engine.begin() as connection:
            return fee_in_the_way(connection, self._asked.office_id, self._asked.subject)

    def send(self) -> Reply:
        return self._connector.serve(self._question)

    def status(self) -> Reply:
        return self._connector.serve_status(self._question)


class _Pictures:
    """The pictures of one item of an answer: asked for as often as it takes, for asking changes nothing."""

    def __init__(self, desk: ProviderDesk, asked: Asked) -> None:
        self._connector = desk.connector
        self._track_id = asked.track_id
        _, _, self._item = asked.subject.partition("/")

    def stopped(self) -> Reply | None:
        return None

    def send(self) -> Reply:
        return self._connector.pictures(self._item, track_id=self._track_id)

    def status(self) -> Reply:
        return NotDone(why="asked anew")


def _service(connection: Connection, request: Row[tuple[object, ...]]) -> Service:
    found = CATALOGUES.service(connection, request.catalogue_id, request.service)
    if found is None:
        raise IntegrityError("provider.unknown_service", service=request.service, catalogue=request.catalogue_id)
    return found


def hopeless(asked: Asked, code: str) -> Reply | None:
    """Return the answer to a question that can never be put, or None for one that waits for a person."""
    if asked.kind == "inquire":
        return Answered(outcome="refused", reason=code)
    return Served(outcome="refused", reason=code) if asked.kind == "serve" else None
