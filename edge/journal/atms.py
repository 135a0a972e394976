"""The office's ATMs as the journal has them, as frozen structs: for decisions in the transaction and for pages.

No SQL and no I/O here. Amounts are whole rials, instants are the texts that entries carry.
"""

from typing import Protocol

import msgspec

from shared.atm import Holding, Level, Source, TicketState, level_of
from shared.events import ATM_FACTS, AtmCassette, AtmState, AtmTicketAnswered, Body, FaultKind, decode_body

_TYPES = {body.type: body for body in (*ATM_FACTS, AtmTicketAnswered)}


class CassetteView(msgspec.Struct, frozen=True, kw_only=True):
    """A cassette and what should be in it, by what was last known. `notes` is None where nothing is known."""

    cassette: int
    denomination_rial: int
    capacity: int
    notes: int | None = None
    source: Source | None = None
    known_at: str | None = None

    @property
    def level(self) -> Level:
        """Return how full it is."""
        return level_of(self.notes, self.capacity)

    @property
    def percent(self) -> int | None:
        """Return how full it is in hundredths, None where that is not known."""
        if self.notes is None or not self.capacity:
            return None
        return min(100, round(self.notes * 100 / self.capacity))

    @property
    def amount_rial(self) -> int | None:
        """Return what is in it."""
        return None if self.notes is None else self.notes * self.denomination_rial


class AtmView(msgspec.Struct, frozen=True, kw_only=True):
    """A machine that the office looks after. `state` is None until somebody reported it."""

    atm_id: str
    bank: str
    number: str
    place: str
    cassettes: tuple[CassetteView, ...]
    state: AtmState | None
    state_note: str
    state_at: str | None
    state_by: str | None
    registered_at: str
    registered_index: int
    removed_at: str | None

    @property
    def cash_rial(self) -> int | None:
        """Return what should be in the machine, None where it is not known of every cassette."""
        amounts = [cassette.amount_rial for cassette in self.cassettes]
        known = [amount for amount in amounts if amount is not None]
        return sum(known) if len(known) == len(amounts) else None

    def as_registered(self) -> tuple[AtmCassette, ...]:
        """Return the cassettes without what is in them."""
        return tuple(
            AtmCassette(cassette=one.cassette, denomination_rial=one.denomination_rial, capacity=one.capacity)
            for one in self.cassettes
        )


class TicketView(msgspec.Struct, frozen=True, kw_only=True):
    """A fault of a machine, in the bank's hands and the office's."""

    ticket_id: str
    ticket: int
    atm_id: str
    kind: FaultKind
    detail: str
    state: TicketState
    operator: str
    opened_at: str
    opened_index: int
    moved_at: str
    bank_reference: str


class AtmEventView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was said of a machine, by the office or by the bank."""

    number: int
    name: str | None
    """The report's, note's or ticket's own name."""
    atm_id: str
    ticket_id: str | None
    type: str
    at: str
    entry_index: int
    leaf: str
    body: Body


def event_body(kind: str, data: str) -> Body:
    """Return the body of a kept event."""
    body = decode_body(kind, data.encode(), dict(_TYPES))
    if body is None:
        raise TypeError(f"{kind} is about no machine")
    return body


class AtmReader(Protocol):
    """What the journal says of the office's ATMs."""

    def atms(self) -> list[AtmView]:
        """Return every machine in the order they were registered, those that were removed last."""

    def atm(self, atm_id: str) -> AtmView | None:
        """Return a machine."""

    def tickets(self, atm_id: str | None = None, *, open_only: bool = False, limit: int = 50) -> list[TicketView]:
        """Return tickets, those that are not closed first, then the newest first."""

    def ticket(self, ticket_id: str) -> TicketView | None:
        """Return a ticket."""

    def next_ticket(self) -> int:
        """Return the number of the next ticket; the first is 1."""

    def events(self, atm_id: str, before_number: int | None, limit: int) -> list[AtmEventView]:
        """Return what was said of a machine, newest first, before a number (None: from the newest)."""

    def ticket_events(self, ticket_id: str) -> list[AtmEventView]:
        """Return a ticket's history, oldest first."""

    def holdings(self, atm_id: str) -> dict[int, Holding]:
        """Return what a machine's cassettes should hold; one of which nothing is known is not there."""

    def event_named(self, name: str) -> AtmEventView | None:
        """Return the report, note or ticket of this name."""
