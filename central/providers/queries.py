"""What pages read of questions to providers and of inquiries."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from central.store.books import office_inquiry, provider_task


class TaskView(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a provider.

    `kind`: confirm, inquire. `state`: waiting, asking, done. `outcome`: for confirm `confirmed` or `refused:<reason>`;
    for inquire the answer's outcome; None while open.
    """

    office_id: str
    task_id: str
    ordinal: int
    kind: str
    subject: str
    """The payment or the inquiry."""
    item: int | None
    """Of the payment, where it has items."""
    track_id: str
    state: str
    attempts: int
    asked_at: datetime | None
    next_at: datetime
    made_at: datetime
    finished_at: datetime | None
    last_problem: str | None
    provider: str | None
    """Who was asked last; the connector's own name."""
    route: str
    """Who is to be asked."""
    outcome: str | None


class InquiryRow(msgspec.Struct, frozen=True, kw_only=True):
    """An inquiry; the parameter stays sealed, its last digits are shown."""

    office_id: str
    inquiry_id: str
    ordinal: int
    journal_id: str
    entry_index: int
    ticket: int
    service: str
    kind: str
    parameter_tail: str
    operator: str
    requested_claim: str
    received_at: datetime
    outcome: str | None
    reason: str | None
    amount_rial: int | None
    bill_id: str | None
    bill_payment_id: str | None
    due: str | None
    answered_at: datetime | None


class TaskCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many questions stand where."""

    waiting: int
    asking: int
    done: int
    troubled: int
    """Open and failed at least once."""


def tasks(
    connection: Connection,
    *,
    state: str | None = None,
    kind: str | None = None,
    office_id: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[TaskView, ...]:
    """Return questions, newest first; page by `ordinal`."""
    table = provider_task
    query = select(*(table.c[name] for name in TaskView.__struct_fields__)).order_by(table.c.ordinal.desc())
    for column, value in ((table.c.state, state), (table.c.kind, kind), (table.c.office_id, office_id)):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(table.c.ordinal < before)
    return tuple(TaskView(**row) for row in connection.execute(query.limit(limit)).mappings())


def subject_tasks(connection: Connection, office_id: str, subject: str) -> tuple[TaskView, ...]:
    """Return the questions about one payment or inquiry, oldest first."""
    table = provider_task
    query = (
        select(*(table.c[name] for name in TaskView.__struct_fields__))
        .where(table.c.office_id == office_id, table.c.kind.in_(("confirm", "inquire")), table.c.subject == subject)
        .order_by(table.c.ordinal)
    )
    return tuple(TaskView(**row) for row in connection.execute(query).mappings())


def task_counts(connection: Connection) -> TaskCounts:
    """Return how many questions stand where."""
    table = provider_task
    row: Any = connection.execute(
        select(
            *(func.count().filter(table.c.state == word).label(word) for word in ("waiting", "asking", "done")),
            func.count().filter(table.c.state != "done", table.c.last_problem.is_not(None)).label("troubled"),
        )
    ).one()
    return TaskCounts(waiting=row.waiting, asking=row.asking, done=row.done, troubled=row.troubled)


def inquiries(
    connection: Connection, *, office_id: str | None = None, before: int | None = None, limit: int = 50
) -> tuple[InquiryRow, ...]:
    """Return inquiries, newest first; page by `ordinal`."""
    table = office_inquiry
    query = select(*(table.c[name] for name in InquiryRow.__struct_fields__)).order_by(table.c.ordinal.desc())
    if office_id is not None:
        query = query.where(table.c.office_id == office_id)
    if before is not None:
        query = query.where(table.c.ordinal < before)
    return tuple(InquiryRow(**row) for row in connection.execute(query.limit(limit)).mappings())


def inquiry(connection: Connection, office_id: str, inquiry_id: str) -> InquiryRow | None:
    """Return one inquiry, or None."""
    table = office_inquiry
    query = select(*(table.c[name] for name in InquiryRow.__struct_fields__)).where(
        table.c.office_id == office_id, table.c.inquiry_id == inquiry_id
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else InquiryRow(**row)
