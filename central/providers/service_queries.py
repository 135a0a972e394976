"""What pages read of requests for services and of their orders."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from central.fleet.catalogues import CATALOGUES
from central.providers.queries import TaskView
from central.store.books import office_payment, provider_task
from central.store.services import service_order, service_request
from shared.catalogue import Service


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a service; its fields stay sealed, the last characters of whom it is about are shown."""

    office_id: str
    inquiry_id: str
    ordinal: int
    journal_id: str
    entry_index: int
    ticket: int
    service: str
    catalogue_id: str
    applicant_tail: str
    fee_rial: int
    gate: str
    operator: str
    requested_claim: str
    received_at: datetime
    round: int
    """How often it was asked anew after it had no result."""
    outcome: str | None
    reason: str | None
    provider: str | None
    answered_at: datetime | None
    case_id: str | None
    known: Service | None = None
    """The service as the catalogue of the request has it."""


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """Something an answer offered."""

    order_id: str
    product: str
    amount_rial: int
    expires_at: datetime | None


class RequestFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A request with all that hangs on it."""

    row: RequestRow
    tasks: tuple[TaskView, ...]
    orders: tuple[OrderRow, ...]
    payments: tuple[str, ...]
    """Payments of its fee, and of what it answered, oldest first."""


_COLUMNS = [service_request.c[name] for name in RequestRow.__struct_fields__ if name != "known"]


def requests(
    connection: Connection, *, open_only: bool = False, before: int | None = None, limit: int = 50
) -> tuple[RequestRow, ...]:
    """Return requests, newest first; page by `ordinal`."""
    table = service_request
    query = select(*_COLUMNS).order_by(table.c.ordinal.desc())
    if open_only:
        query = query.where(table.c.outcome.is_(None))
    if before is not None:
        query = query.where(table.c.ordinal < before)
    return tuple(_row(connection, row) for row in connection.execute(query.limit(limit)).mappings().all())


def request(connection: Connection, office_id: str, inquiry_id: str) -> RequestFacts | None:
    """Return one request, or None."""
    table = service_request
    row = (
        connection.execute(select(*_COLUMNS).where(table.c.office_id == office_id, table.c.inquiry_id == inquiry_id))
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    task, order, payment = provider_task.c, service_order.c, office_payment.c
    asked = connection.execute(
        select(*(task[name] for name in TaskView.__struct_fields__))
        .where(
            task.office_id == office_id,
            ((task.kind == "serve") & (task.subject == inquiry_id))
            | ((task.kind == "image") & task.subject.startswith(f"{inquiry_id}/", autoescape=True)),
        )
        .order_by(task.ordinal)
    )
    offered = connection.execute(
        select(*(order[name] for name in OrderRow.__struct_fields__))
        .where(order.office_id == office_id, order.inquiry_id == inquiry_id)
        .order_by(order.order_id)
    )
    paid = connection.execute(
        select(payment.payment_id)
        .where(payment.office_id == office_id, payment.inquiry_id == inquiry_id)
        .order_by(payment.ordinal)
    )
    return RequestFacts(
        row=_row(connection, row),
        tasks=tuple(TaskView(**each) for each in asked.mappings()),
        orders=tuple(OrderRow(**each) for each in offered.mappings()),
        payments=tuple(paid.scalars()),
    )


def _row(connection: Connection, row: Any) -> RequestRow:
    return RequestRow(**row, known=CATALOGUES.service(connection, row["catalogue_id"], row["service"]))
