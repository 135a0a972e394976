"""Rows of the office's ATMs, as the structs of `edge.journal.atms`."""

from contextlib import AbstractContextManager
from typing import Any, Final

import apsw
import msgspec

from edge.journal.atms import AtmEventView, AtmView, CassetteView, TicketView, event_body
from edge.store.database import said
from shared.atm import Holding
from shared.events import AtmCassette

_ATM: Final = f"SELECT {', '.join(AtmView.__struct_fields__)} FROM atm "  # noqa: S608 - names of this package
_TICKET: Final = f"SELECT {', '.join(TicketView.__struct_fields__)} FROM atm_ticket "  # noqa: S608 - names of this package
_EVENT: Final = f"SELECT {', '.join(AtmEventView.__struct_fields__)} FROM atm_event "  # noqa: S608 - names of this package
_OPEN_FIRST: Final = "ORDER BY state = 'closed', ticket DESC LIMIT ?"
_LAST: Final = 2**62


class AtmRows:
    """`edge.journal.atms.AtmReader` over a connection, each answer under a lock that its owner gives."""

    def __init__(self, connection: apsw.Connection, lock: AbstractContextManager[Any]) -> None:
        self._connection = connection
        self._lock = lock

    def atms(self) -> list[AtmView]:
        """Return every machine in the order they were registered, those that were removed last."""
        return self._atms("ORDER BY removed_at IS NOT NULL, registered_index")

    def atm(self, atm_id: str) -> AtmView | None:
        """Return a machine."""
        return next(iter(self._atms("WHERE atm_id = ?", atm_id)), None)

    def tickets(self, atm_id: str | None = None, *, open_only: bool = False, limit: int = 50) -> list[TicketView]:
        """Return tickets, those that are not closed first, then the newest first."""
        where = "WHERE (? IS NULL OR atm_id = ?) AND (? = 0 OR state <> 'closed') "
        rows = self._rows(_TICKET + where + _OPEN_FIRST, atm_id, atm_id, int(open_only), limit)
        return [_ticket(row) for row in rows]

    def ticket(self, ticket_id: str) -> TicketView | None:
        """Return a ticket."""
        rows = self._rows(_TICKET + "WHERE ticket_id = ?", ticket_id)
        return _ticket(rows[0]) if rows else None

    def next_ticket(self) -> int:
        """Return the number of the next ticket; the first is 1."""
        ((number,),) = self._rows("SELECT coalesce(max(ticket) + 1, 1) FROM atm_ticket")
        return int(number)

    def events(self, atm_id: str, before_number: int | None, limit: int) -> list[AtmEventView]:
        """Return what was said of a machine, newest first, before a number (None: from the newest)."""
        before = _LAST if before_number is None else before_number
        return self._events("WHERE atm_id = ? AND number < ? ORDER BY number DESC LIMIT ?", atm_id, before, limit)

    def ticket_events(self, ticket_id: str) -> list[AtmEventView]:
        """Return a ticket's history, oldest first."""
        return self._events("WHERE ticket_id = ? ORDER BY number", ticket_id)

    def event_named(self, name: str) -> AtmEventView | None:
        """Return the report, note or ticket of this name."""
        return next(iter(self._events("WHERE name = ? ORDER BY number LIMIT 1", name)), None)

    def holdings(self, atm_id: str) -> dict[int, Holding]:
        """Return what a machine's cassettes should hold; one of which nothing is known is not there."""
        rows = self._rows(
            "SELECT cassette, denomination_rial, notes, source FROM atm_holding WHERE atm_id = ? ORDER BY cassette",
            atm_id,
        )
        return {
            cassette: Holding(denomination_rial=denomination, notes=notes, source=source)
            for cassette, denomination, notes, source in rows
        }

    def _atms(self, condition: str, *values: str) -> list[AtmView]:
        rows = self._rows(_ATM + condition, *values)
        held = {
            (atm_id, cassette): known
            for atm_id, cassette, *known in self._rows(
                "SELECT atm_id, cassette, notes, source, known_at FROM atm_holding"
            )
        }
        return [_atm(row, held) for row in rows]

    def _events(self, condition: str, *values: str | int) -> list[AtmEventView]:
        return [_event(row) for row in self._rows(_EVENT + condition, *values)]

    def _rows(self, sql: str, *values: str | int | None) -> list[tuple[Any, ...]]:
        """Return what a statement finds. Raises IntegrityError `store.corrupt`, DeviceError `store.unreadable`."""
        try:
            with self._lock:
                return list(self._connection.execute(sql, values))
        except (apsw.Error, UnicodeDecodeError) as error:
            raise said(error) from error


def _atm(row: tuple[Any, ...], held: dict[tuple[str, int], list[Any]]) -> AtmView:
    members = dict(zip(AtmView.__struct_fields__, row, strict=True))
    cassettes = msgspec.json.decode(members["cassettes"], type=tuple[AtmCassette, ...])
    views = tuple(_cassette(one, held.get((members["atm_id"], one.cassette))) for one in cassettes)
    return AtmView(**members | {"cassettes": views})


def _cassette(cassette: AtmCassette, held: list[Any] | None) -> CassetteView:
    notes, source, known_at = held or (None, None, None)
    return CassetteView(
        cassette=cassette.cassette,
        denomination_rial=cassette.denomination_rial,
        capacity=cassette.capacity,
        notes=notes,
        source=source,
        known_at=known_at,
    )


def _ticket(row: tuple[Any, ...]) -> TicketView:
    return TicketView(**dict(zip(TicketView.__struct_fields__, row, strict=True)))


def _event(row: tuple[Any, ...]) -> AtmEventView:
    members = dict(zip(AtmEventView.__struct_fields__, row, strict=True))
    return AtmEventView(**members | {"body": event_body(members["type"], members["body"])})
