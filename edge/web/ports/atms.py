"""What pages and the API ask of the box about the office's ATMs; a part of `edge.web.ports.counter`."""

from collections.abc import Mapping
from typing import Literal, Protocol

from edge.journal.atms import AtmEventView, AtmReader, AtmView, CassetteView, TicketView
from shared.atm_typed import AtmDraft
from shared.events import AtmState, FaultKind, FaultOutcome

__all__ = ["AtmCounter", "AtmEventView", "AtmQueries", "AtmReader", "AtmView", "Atms", "CassetteView", "TicketView"]


class AtmQueries(Protocol):
    """What the journal says of the office's ATMs."""

    @property
    def atms(self) -> AtmReader:
        """The machines, their cash and faults."""


class Atms(Protocol):
    """What an office does with its ATMs. Every call journals one thing and raises OperatorError naming the field.

    `name` makes a repeated call the same one.
    """

    async def register(self, draft: AtmDraft, *, operator: str, name: str | None = None) -> str:
        """Register a machine; return our name of it."""

    async def change(self, atm_id: str, draft: AtmDraft, *, operator: str) -> None:
        """Say anew where a machine stands and what it holds."""

    async def remove(self, atm_id: str, *, reason: str, operator: str) -> None:
        """Look after a machine no more."""

    async def report_state(
        self, atm_id: str, state: AtmState, *, note: str = "", operator: str, name: str | None = None
    ) -> str:
        """Say how a machine stands; return the report."""

    async def report_cash(
        self, atm_id: str, notes: Mapping[int, int], *, operator: str, name: str | None = None
    ) -> str:
        """Say what the machine's own counters say; return the report."""

    async def load_cash(
        self,
        atm_id: str,
        notes: Mapping[int, int],
        *,
        how: Literal["added", "replaced"],
        operator: str,
        name: str | None = None,
    ) -> str:
        """Say what was put into a machine; return the report."""

    async def count_cash(
        self,
        atm_id: str,
        notes: Mapping[int, int],
        *,
        machine: Mapping[int, int] | None = None,
        note: str = "",
        operator: str,
        name: str | None = None,
    ) -> str:
        """Journal a count, held against the machine's own figures, else against the newest; return the report."""

    async def open_fault(
        self, atm_id: str, kind: FaultKind, *, detail: str = "", operator: str, name: str | None = None
    ) -> str:
        """Open a ticket for the bank; return our name of it."""

    async def note_fault(self, ticket_id: str, text: str, *, operator: str, name: str | None = None) -> str:
        """Add to a ticket; return the note."""

    async def close_fault(self, ticket_id: str, outcome: FaultOutcome, *, text: str = "", operator: str) -> None:
        """End a ticket."""


class AtmCounter(Protocol):
    """The counter, as far as ATMs go."""

    @property
    def atms(self) -> Atms:
        """What is done with them."""

    async def print_cash_slip(self, report_id: str) -> str:
        """Queue the slip of a count, a report or a load; return the print job."""
