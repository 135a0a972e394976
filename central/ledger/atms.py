"""The offices' ATMs at central: what offices said of them, and the bank's answers to their fault tickets.

No money of the books is here: the cash is the bank's. What is expected in a machine and how a ticket moves follow from
the same rules as at the box (`shared.atm`). An entry about a machine or ticket that central has not heard of is kept as
an event and moves nothing.
"""

from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from central.fleet.publishing import AppendFeed
from central.ledger.accepted_entry import AcceptedEntry
from central.store.atms import office_atm, office_atm_event, office_atm_ticket
from shared.atm import CashFact, Holding, TicketMove, after_cash, may_move, move_ticket
from shared.atm_typed import checked_text, chosen
from shared.atm_words import TICKET_ANSWERS
from shared.clock import instant_text
from shared.errors import OperatorError
from shared.events import (
    AtmCashCounted,
    AtmCashLoaded,
    AtmCashReported,
    AtmFaultClosed,
    AtmFaultNoted,
    AtmFaultOpened,
    AtmRegistered,
    AtmRemoved,
    AtmStateReported,
    AtmTicketAnswered,
    Body,
)
from shared.events.atms import AtmFact
from shared.ids import OfficeId, office_feed

REFERENCE_MAX: Final = 60


def keep_atm(connection: Connection, accepted: AcceptedEntry, body: AtmFact) -> None:
    """Keep what an office says of its machines. Does not commit."""
    office, at, claim = accepted.office, accepted.received_at, accepted.entry.at
    ticket_id = getattr(body, "ticket_id", None)
    atm_id = getattr(body, "atm_id", None) or _atm_of(connection, office, str(ticket_id))
    match body:
        case AtmRegistered():
            _register(connection, office, body, at)
        case AtmRemoved():
            _change(connection, office, body.atm_id, at, removed=True)
        case AtmStateReported():
            _change(connection, office, body.atm_id, at, state=body.state, state_note=body.note, state_claim=claim)
        case AtmCashReported() | AtmCashLoaded() | AtmCashCounted():
            _hold(connection, office, body, at, claim)
        case AtmFaultOpened():
            _open(connection, office, body, at, claim)
        case AtmFaultNoted():
            _move(connection, office, body.ticket_id, "noted", at)
        case AtmFaultClosed():
            _move(connection, office, body.ticket_id, "closed", at)
    _note(connection, office, body, atm_id=atm_id or "", ticket_id=ticket_id, at=at, claim=claim, accepted=accepted)


def answer_ticket(
    connection: Connection,
    office: str,
    ticket_id: str,
    *,
    answer: str,
    text: str,
    reference: str,
    by: str,
    at: datetime,
    append: AppendFeed,
) -> None:
    """Sign the bank's word on a ticket onto the office's feed. Does not commit.

    Raises OperatorError `atm.ticket_unknown`, `atm.ticket_closed`, and naming the field `atm.choice_missing` and as
    `checked_text`.
    """
    said = chosen(answer, list(TICKET_ANSWERS), field="answer")
    words = checked_text(text, field="text")
    number = checked_text(reference, field="reference")[:REFERENCE_MAX]
    table = office_atm_ticket
    row = connection.execute(
        select(table.c.atm_id, table.c.state)
        .where(table.c.office_id == office, table.c.ticket_id == ticket_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise OperatorError("atm.ticket_unknown", ticket_id=ticket_id)
    if row.state == "closed":
        raise OperatorError("atm.ticket_closed", ticket_id=ticket_id)
    body = AtmTicketAnswered(
        ticket_id=ticket_id,
        answer=said,
        text=words,
        bank_reference=number,
        answered_by=by,
        answered_at=instant_text(at),
    )
    append(connection, office_feed(OfficeId(office)), body)
    _move(connection, office, ticket_id, said, at, **({"bank_reference": number} if number else {}))
    _note(connection, office, body, atm_id=row.atm_id, ticket_id=ticket_id, at=at, claim=body.answered_at)


def _register(connection: Connection, office: str, body: AtmRegistered, at: datetime) -> None:
    said: dict[str, Any] = {
        "bank": body.bank,
        "number": body.number,
        "place": body.place,
        "cassettes": msgspec.to_builtins(body.cassettes),
        "removed": False,
        "changed_at": at,
    }
    kept = {(one.cassette, one.denomination_rial) for one in body.cassettes}
    held = {
        cassette: holding
        for cassette, holding in _holdings(connection, office, body.atm_id).items()
        if (cassette, holding.denomination_rial) in kept
    }
    said["holdings"] = _stored(held)
    connection.execute(
        insert(office_atm)
        .values(office_id=office, atm_id=body.atm_id, **said)
        .on_conflict_do_update(index_elements=[office_atm.c.office_id, office_atm.c.atm_id], set_=said)
    )


def _change(connection: Connection, office: str, atm_id: str, at: datetime, **values: object) -> None:
    table = office_atm
    connection.execute(
        update(table).where(table.c.office_id == office, table.c.atm_id == atm_id).values(changed_at=at, **values)
    )


def _holdings(connection: Connection, office: str, atm_id: str) -> dict[int, Holding]:
    table = office_atm
    found = connection.execute(
        select(table.c.holdings).where(table.c.office_id == office, table.c.atm_id == atm_id)
    ).scalar()
    return {int(cassette): msgspec.convert(held, Holding) for cassette, held in (found or {}).items()}


def _stored(holdings: dict[int, Holding]) -> dict[str, Any]:
    return {str(cassette): msgspec.to_builtins(holding) for cassette, holding in holdings.items()}


def _hold(connection: Connection, office: str, body: CashFact, at: datetime, claim: str) -> None:
    after = after_cash(_holdings(connection, office, body.atm_id), body)
    _change(connection, office, body.atm_id, at, holdings=_stored(after), cash_claim=claim)


def _open(connection: Connection, office: str, body: AtmFaultOpened, at: datetime, claim: str) -> None:
    connection.execute(
        insert(office_atm_ticket)
        .values(
            office_id=office,
            ticket_id=body.ticket_id,
            ticket=body.ticket,
            atm_id=body.atm_id,
            kind=body.kind,
            detail=body.detail,
            operator=body.operator,
            state="open",
            opened_claim=claim,
            received_at=at,
            moved_at=at,
        )
        .on_conflict_do_nothing()
    )


def _atm_of(connection: Connection, office: str, ticket_id: str) -> str | None:
    table = office_atm_ticket
    return connection.execute(
        select(table.c.atm_id).where(table.c.office_id == office, table.c.ticket_id == ticket_id)
    ).scalar()


def _move(
    connection: Connection, office: str, ticket_id: str, move: TicketMove, at: datetime, **values: object
) -> None:
    table = office_atm_ticket
    mine = (table.c.office_id == office, table.c.ticket_id == ticket_id)
    state = connection.execute(select(table.c.state).where(*mine).with_for_update()).scalar()
    if state is not None and may_move(state, move):
        connection.execute(update(table).where(*mine).values(state=move_ticket(state, move), moved_at=at, **values))


def _note(
    connection: Connection,
    office: str,
    body: Body,
    *,
    atm_id: str,
    ticket_id: str | None,
    at: datetime,
    claim: str,
    accepted: AcceptedEntry | None = None,
) -> None:
    connection.execute(
        insert(office_atm_event).values(
            office_id=office,
            atm_id=atm_id,
            ticket_id=ticket_id,
            type=body.type,
            at_claim=claim,
            journal_id=None if accepted is None else accepted.journal,
            entry_index=None if accepted is None else accepted.index,
            received_at=at,
            body=msgspec.to_builtins(body),
        )
    )
