"""What the facts of the office's ATMs mean. The bank's word on a ticket that nobody knows moves nothing.

The rules are `shared.atm`'s; here they meet the rows.
"""

from contextlib import nullcontext
from typing import Final

import apsw
import msgspec

from edge.journal.ports import Recorded
from edge.store.atm_rows import AtmRows
from edge.store.projecting import Project, insert
from shared.atm import CashFact, Holding, TicketMove, TicketState, after_cash, may_move, move_ticket
from shared.errors import BugError
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


def _note(
    connection: apsw.Connection,
    at: Recorded,
    body: Body,
    *,
    atm_id: str,
    ticket_id: str | None = None,
    name: str | None = None,
) -> None:
    (number,) = next(connection.execute("SELECT coalesce(max(number) + 1, 1) FROM atm_event"))
    insert(
        connection,
        "atm_event",
        number=number,
        name=name,
        atm_id=atm_id,
        ticket_id=ticket_id,
        type=body.type,
        at=at.entry.at,
        entry_index=at.index,
        leaf=at.leaf.hex(),
        body=msgspec.json.encode(body, order="deterministic").decode(),
    )


def _registered(connection: apsw.Connection, at: Recorded, body: AtmRegistered) -> None:
    cassettes = msgspec.json.encode(body.cassettes, order="deterministic").decode()
    connection.execute(
        "INSERT INTO atm (atm_id, bank, number, place, cassettes, registered_at, registered_index) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (atm_id) DO UPDATE SET bank = excluded.bank, "
        "number = excluded.number, place = excluded.place, cassettes = excluded.cassettes, removed_at = NULL",
        (body.atm_id, body.bank, body.number, body.place, cassettes, at.entry.at, at.index),
    )
    # What was known of a cassette that is gone, or holds other banknotes now, is known no more.
    kept = {(one.cassette, one.denomination_rial) for one in body.cassettes}
    for cassette, holding in _holdings(connection, body.atm_id).items():
        if (cassette, holding.denomination_rial) not in kept:
            connection.execute("DELETE FROM atm_holding WHERE atm_id = ? AND cassette = ?", (body.atm_id, cassette))
    _note(connection, at, body, atm_id=body.atm_id)


def _removed(connection: apsw.Connection, at: Recorded, body: AtmRemoved) -> None:
    connection.execute("UPDATE atm SET removed_at = ? WHERE atm_id = ?", (at.entry.at, body.atm_id))
    _note(connection, at, body, atm_id=body.atm_id)


def _state_reported(connection: apsw.Connection, at: Recorded, body: AtmStateReported) -> None:
    connection.execute(
        "UPDATE atm SET state = ?, state_note = ?, state_at = ?, state_by = ? WHERE atm_id = ?",
        (body.state, body.note, at.entry.at, body.operator, body.atm_id),
    )
    _note(connection, at, body, atm_id=body.atm_id, name=body.report_id)


def _holdings(connection: apsw.Connection, atm_id: str) -> dict[int, Holding]:
    return AtmRows(connection, nullcontext()).holdings(atm_id)


def _cash(connection: apsw.Connection, at: Recorded, body: CashFact) -> None:
    after = after_cash(_holdings(connection, body.atm_id), body)
    for line in body.cassettes:
        held = after.get(line.cassette)
        connection.execute("DELETE FROM atm_holding WHERE atm_id = ? AND cassette = ?", (body.atm_id, line.cassette))
        if held is not None:
            insert(
                connection,
                "atm_holding",
                atm_id=body.atm_id,
                cassette=line.cassette,
                denomination_rial=held.denomination_rial,
                notes=held.notes,
                source=held.source,
                known_at=at.entry.at,
            )
    _note(connection, at, body, atm_id=body.atm_id, name=body.report_id)


def _fault_opened(connection: apsw.Connection, at: Recorded, body: AtmFaultOpened) -> None:
    insert(
        connection,
        "atm_ticket",
        ticket_id=body.ticket_id,
        ticket=body.ticket,
        atm_id=body.atm_id,
        kind=body.kind,
        detail=body.detail,
        state="open",
        operator=body.operator,
        opened_at=at.entry.at,
        opened_index=at.index,
        moved_at=at.entry.at,
    )
    _note(connection, at, body, atm_id=body.atm_id, ticket_id=body.ticket_id, name=body.ticket_id)


def _ticket(connection: apsw.Connection, ticket_id: str) -> tuple[str, TicketState] | None:
    """Return whose machine a ticket is about, and its state."""
    found = connection.execute("SELECT atm_id, state FROM atm_ticket WHERE ticket_id = ?", (ticket_id,))
    row: tuple[str, TicketState] | None = next(found, None)
    return row


def _move(connection: apsw.Connection, at: Recorded, ticket_id: str, move: TicketMove) -> str:
    """Move a ticket by the office's word; return whose machine it is about."""
    ticket = _ticket(connection, ticket_id)
    if ticket is None:
        raise BugError("atm.ticket_unknown", ticket_id=ticket_id)
    atm_id, state = ticket
    connection.execute(
        "UPDATE atm_ticket SET state = ?, moved_at = ? WHERE ticket_id = ?",
        (move_ticket(state, move), at.entry.at, ticket_id),
    )
    return atm_id


def _fault_noted(connection: apsw.Connection, at: Recorded, body: AtmFaultNoted) -> None:
    atm_id = _move(connection, at, body.ticket_id, "noted")
    _note(connection, at, body, atm_id=atm_id, ticket_id=body.ticket_id, name=body.note_id)


def _fault_closed(connection: apsw.Connection, at: Recorded, body: AtmFaultClosed) -> None:
    atm_id = _move(connection, at, body.ticket_id, "closed")
    _note(connection, at, body, atm_id=atm_id, ticket_id=body.ticket_id)


def _answered(connection: apsw.Connection, at: Recorded, body: AtmTicketAnswered) -> None:
    ticket = _ticket(connection, body.ticket_id)
    if ticket is None or not may_move(ticket[1], body.answer):
        return
    connection.execute(
        "UPDATE atm_ticket SET state = ?, moved_at = ?, "
        "bank_reference = CASE ? WHEN '' THEN bank_reference ELSE ? END WHERE ticket_id = ?",
        (
            move_ticket(ticket[1], body.answer),
            at.entry.at,
            body.bank_reference,
            body.bank_reference,
            body.ticket_id,
        ),
    )
    _note(connection, at, body, atm_id=ticket[0], ticket_id=body.ticket_id)


ATM_PROJECTORS: Final[dict[type[Body], Project]] = {
    AtmRegistered: _registered,
    AtmRemoved: _removed,
    AtmStateReported: _state_reported,
    AtmCashReported: _cash,
    AtmCashLoaded: _cash,
    AtmCashCounted: _cash,
    AtmFaultOpened: _fault_opened,
    AtmFaultNoted: _fault_noted,
    AtmFaultClosed: _fault_closed,
    AtmTicketAnswered: _answered,
}
