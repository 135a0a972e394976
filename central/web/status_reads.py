"""What anybody who holds a ticket may read of its request: number, service, state. Nothing of whom it is about."""

from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Connection, Row, func, select

from central.fleet.catalogues import Catalogues
from central.store import fleet
from central.store.books import office_inquiry
from central.store.services import service_request
from shared.catalogue import Words

PublicState = Literal["waiting", "answered", "review"]
"""`review`: there will be no answer as it was asked; the office has to look at it with the customer."""

_ANSWERED: Final = frozenset({"done", "nothing", "owed", "nothing_owed"})


class PublicStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a request stands. `service` is what the catalogue calls it, or None; `kind` a bill's, or None."""

    ticket: int
    service: Words | None
    kind: str | None
    state: PublicState
    office_id: str
    office_name: str
    asked_at: datetime
    answered_at: datetime | None


def public_status(connection: Connection, catalogues: Catalogues, inquiry_id: str) -> PublicStatus | None:
    """Return how the request of this name stands, None where central has not heard of it."""
    office_name = func.coalesce(fleet.office.c.name, "").label("office_name")
    asked = service_request.c
    row = connection.execute(
        select(asked.office_id, asked.ticket, asked.service, asked.catalogue_id, asked.outcome, asked.received_at)
        .add_columns(asked.answered_at, office_name)
        .join(fleet.office, fleet.office.c.office_id == asked.office_id, isouter=True)
        .where(asked.inquiry_id == inquiry_id)
        .limit(1)
    ).one_or_none()
    if row is not None:
        service = catalogues.service(connection, row.catalogue_id, row.service)
        return _status(row, service=None if service is None else service.name, kind=None)
    bill = office_inquiry.c
    row = connection.execute(
        select(bill.office_id, bill.ticket, bill.kind, bill.outcome, bill.received_at, bill.answered_at, office_name)
        .join(fleet.office, fleet.office.c.office_id == bill.office_id, isouter=True)
        .where(bill.inquiry_id == inquiry_id)
        .limit(1)
    ).one_or_none()
    return None if row is None else _status(row, service=None, kind=row.kind)


def _status(row: Row[Any], *, service: Words | None, kind: str | None) -> PublicStatus:
    outcome: str | None = row.outcome
    return PublicStatus(
        ticket=row.ticket,
        service=service,
        kind=kind,
        state="waiting" if outcome is None else "answered" if outcome in _ANSWERED else "review",
        office_id=row.office_id,
        office_name=row.office_name,
        asked_at=row.received_at,
        answered_at=row.answered_at,
    )
