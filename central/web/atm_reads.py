"""What the pages of ATMs show: machines of all offices, fault tickets, what was said of them."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, case, func, select

from central.store import fleet
from central.store.atms import office_atm, office_atm_event, office_atm_ticket
from shared.atm import WAITS_FOR_BANK, Holding, TicketState, level_of
from shared.events import ATM_FACTS, AtmCassette, AtmState, AtmTicketAnswered, Body, FaultKind

_BODIES: dict[str, type[Body]] = {body.type: body for body in (*ATM_FACTS, AtmTicketAnswered)}
TICKETS_SHOWN = 100
EVENTS_SHOWN = 50


class Cassette(msgspec.Struct, frozen=True, kw_only=True):
    """A cassette and what should be in it; `notes` None: not known."""

    cassette: int
    denomination_rial: int
    capacity: int
    notes: int | None

    @property
    def level(self) -> str:
        """Return how full it is."""
        return level_of(self.notes, self.capacity)


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A machine of an office."""

    office_id: str
    office_name: str
    atm_id: str
    bank: str
    number: str
    place: str
    cassettes: tuple[Cassette, ...]
    state: AtmState | None
    state_note: str
    state_claim: str | None
    cash_claim: str | None
    removed: bool
    open_tickets: int

    @property
    def cash_rial(self) -> int | None:
        """Return what should be in it, None where it is not known of every cassette."""
        known = [one.notes * one.denomination_rial for one in self.cassettes if one.notes is not None]
        return sum(known) if len(known) == len(self.cassettes) else None


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A fault ticket, with its machine where central knows it."""

    office_id: str
    office_name: str
    ticket_id: str
    ticket: int
    atm_id: str
    kind: FaultKind
    detail: str
    operator: str
    state: TicketState
    bank_reference: str
    opened_claim: str
    moved_at: datetime
    bank: str | None
    number: str | None
    place: str | None

    @property
    def waits_for_bank(self) -> bool:
        """Return whether the next word is the bank's."""
        return self.state in WAITS_FOR_BANK


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was said."""

    type: str
    at_claim: str
    entry_index: int | None
    ticket_id: str | None
    body: Any


def machines(connection: Connection, *conditions: ColumnElement[bool]) -> list[Machine]:
    """Return machines: those with open tickets first, then by office and number."""
    atm, ticket, office = office_atm.c, office_atm_ticket.c, fleet.office.c
    open_count = (
        select(func.count())
        .where(ticket.office_id == atm.office_id, ticket.atm_id == atm.atm_id, ticket.state != "closed")
        .scalar_subquery()
    )
    rows = connection.execute(
        select(office_atm, func.coalesce(office.name, "").label("office_name"), open_count.label("open_tickets"))
        .join(fleet.office, office.office_id == atm.office_id, isouter=True)
        .where(*(conditions or (atm.removed.is_(False),)))
        .order_by(open_count.desc(), atm.office_id, atm.number)
    ).mappings()
    return [_machine(dict(row)) for row in rows]


def _machine(row: dict[str, Any]) -> Machine:
    held = {int(cassette): msgspec.convert(one, Holding) for cassette, one in row.pop("holdings").items()}
    cassettes = tuple(
        Cassette(
            cassette=one.cassette,
            denomination_rial=one.denomination_rial,
            capacity=one.capacity,
            notes=held[one.cassette].notes if one.cassette in held else None,
        )
        for one in msgspec.convert(row.pop("cassettes"), tuple[AtmCassette, ...])
    )
    row.pop("changed_at")
    return Machine(cassettes=cassettes, **row)


def machine(connection: Connection, office: str, atm_id: str) -> Machine | None:
    """Return a machine."""
    return next(iter(machines(connection, office_atm.c.office_id == office, office_atm.c.atm_id == atm_id)), None)


def tickets(connection: Connection, *conditions: ColumnElement[bool], limit: int = TICKETS_SHOWN) -> list[Ticket]:
    """Return tickets: those that wait for the bank first, the oldest of them first; closed ones last, newest first."""
    ticket, atm, office = office_atm_ticket.c, office_atm.c, fleet.office.c
    columns = [ticket[name] for name in Ticket.__struct_fields__ if name in ticket]
    rank = case((ticket.state.in_(sorted(WAITS_FOR_BANK)), 0), (ticket.state != "closed", 1), else_=2)
    rows = connection.execute(
        select(*columns, func.coalesce(office.name, "").label("office_name"), atm.bank, atm.number, atm.place)
        .join(office_atm, (atm.office_id == ticket.office_id) & (atm.atm_id == ticket.atm_id), isouter=True)
        .join(fleet.office, office.office_id == ticket.office_id, isouter=True)
        .where(*conditions)
        .order_by(rank, case((ticket.state == "closed", -ticket.ordinal), else_=ticket.ordinal))
        .limit(limit)
    ).mappings()
    return [Ticket(**row) for row in rows]


def ticket(connection: Connection, office: str, ticket_id: str) -> Ticket | None:
    """Return a ticket."""
    table = office_atm_ticket.c
    return next(iter(tickets(connection, table.office_id == office, table.ticket_id == ticket_id)), None)


def events(connection: Connection, office: str, *, atm_id: str = "", ticket_id: str = "") -> list[Event]:
    """Return what was said of a machine, newest first, or of a ticket, oldest first."""
    table = office_atm_event.c
    about = table.ticket_id == ticket_id if ticket_id else table.atm_id == atm_id
    rows = connection.execute(
        select(table.type, table.at_claim, table.entry_index, table.ticket_id, table.body)
        .where(table.office_id == office, about)
        .order_by(table.ordinal if ticket_id else table.ordinal.desc())
        .limit(EVENTS_SHOWN)
    )
    return [
        Event(
            type=row.type,
            at_claim=row.at_claim,
            entry_index=row.entry_index,
            ticket_id=row.ticket_id,
            body=msgspec.convert(row.body, _BODIES[row.type]),
        )
        for row in rows
    ]
