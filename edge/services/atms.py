"""The office's ATMs (مدیریت خودپردازها): which there are, how they stand, the cash in them, faults for the bank.

Nothing here is a payment or needs a line: each thing said is one entry, and central shows it when it comes. A count is
journaled with what was expected beside it: whoever finds a difference later finds what was known then.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from edge.journal.atms import AtmView, TicketView
from edge.journal.writer import JournalWriter, StoreView
from shared.atm import after_cash, counted, may_move
from shared.atm_typed import AtmDraft, checked_notes, checked_text
from shared.entropy import Entropy, random_name
from shared.errors import OperatorError
from shared.events import (
    AtmCashCounted,
    AtmCashLoaded,
    AtmCashReported,
    AtmCassette,
    AtmFaultClosed,
    AtmFaultNoted,
    AtmFaultOpened,
    AtmRegistered,
    AtmRemoved,
    AtmState,
    AtmStateReported,
    Body,
    CassetteNotes,
    FaultKind,
    FaultOutcome,
)

Notes = Mapping[int, int]
"""Banknotes by cassette."""


class Atms:
    """What an office does with its ATMs. Every call journals one thing; `name` is that of `Idempotent.run`."""

    def __init__(self, writer: JournalWriter, entropy: Entropy) -> None:
        self._writer = writer
        self._entropy = entropy

    def _named(self, name: str | None) -> str:
        return f"a{name}" if name else random_name(self._entropy, "a")

    async def register(self, draft: AtmDraft, *, operator: str, name: str | None = None) -> str:
        """Register a machine; return our name of it.

        Raises OperatorError `atm.known_already` (data atm_id) and as `AtmDraft.checked`.
        """
        return await self._register(self._named(name), draft, operator=operator, known=False)

    async def change(self, atm_id: str, draft: AtmDraft, *, operator: str) -> None:
        """Say anew where a machine stands and what it holds. Raises as `register`, and `atm.unknown`."""
        await self._register(atm_id, draft, operator=operator, known=True)

    async def _register(self, atm_id: str, draft: AtmDraft, *, operator: str, known: bool) -> str:
        said = draft.checked()
        body = AtmRegistered(
            atm_id=atm_id,
            bank=said.bank,
            number=said.number,
            place=said.place,
            cassettes=tuple(
                AtmCassette(cassette=place, denomination_rial=denomination_rial, capacity=capacity)
                for place, (denomination_rial, capacity) in enumerate(said.cassettes, start=1)
            ),
            operator=operator,
        )

        def decide(view: StoreView) -> Sequence[Body]:
            if known:
                _known(view, atm_id)
            elif view.atms.atm(atm_id) is not None:
                return []
            for other in view.atms.atms():
                is_same = (other.bank, other.number) == (body.bank, body.number)
                if is_same and other.atm_id != atm_id and other.removed_at is None:
                    raise OperatorError("atm.known_already", field="number", number=body.number, atm_id=other.atm_id)
            return [body]

        await self._writer.commit(decide)
        return atm_id

    async def remove(self, atm_id: str, *, reason: str, operator: str) -> None:
        """Look after a machine no more. Raises OperatorError `atm.unknown`, `atm.tickets_open`, as `checked_text`."""
        body = AtmRemoved(atm_id=atm_id, reason=checked_text(reason, field="reason", required=True), operator=operator)

        def decide(view: StoreView) -> Sequence[Body]:
            atm = view.atms.atm(atm_id)
            if atm is not None and atm.removed_at is not None:
                return []
            _known(view, atm_id)
            if view.atms.tickets(atm_id, open_only=True, limit=1):
                raise OperatorError("atm.tickets_open", field="reason")
            return [body]

        await self._writer.commit(decide)

    async def report_state(
        self, atm_id: str, state: AtmState, *, note: str = "", operator: str, name: str | None = None
    ) -> str:
        """Say how a machine stands; return the report. Raises OperatorError `atm.unknown` and as `checked_text`."""
        report_id = self._named(name)
        body = AtmStateReported(
            report_id=report_id, atm_id=atm_id, state=state, note=checked_text(note, field="note"), operator=operator
        )

        def decide(view: StoreView) -> Sequence[Body]:
            if view.atms.event_named(report_id) is not None:
                return []
            _known(view, atm_id)
            return [body]

        await self._writer.commit(decide)
        return report_id

    async def report_cash(self, atm_id: str, notes: Notes, *, operator: str, name: str | None = None) -> str:
        """Say what the machine's own counters say; return the report.

        Raises OperatorError `atm.unknown`, `atm.notes_missing` (each cassette has a figure), `atm.notes_too_many`.
        """
        report_id = self._named(name)

        def decide(view: StoreView) -> Sequence[Body]:
            if view.atms.event_named(report_id) is not None:
                return []
            lines = _lines(_known(view, atm_id), notes, "notes")
            return [AtmCashReported(report_id=report_id, atm_id=atm_id, cassettes=lines, operator=operator)]

        await self._writer.commit(decide)
        return report_id

    async def load_cash(
        self,
        atm_id: str,
        notes: Notes,
        *,
        how: Literal["added", "replaced"],
        operator: str,
        name: str | None = None,
    ) -> str:
        """Say what was put into a machine; cassettes without a figure were left as they were. Return the report.

        Raises OperatorError `atm.unknown`, `atm.notes_missing` (no cassette has one), `atm.notes_too_many`.
        """
        report_id = self._named(name)

        def decide(view: StoreView) -> Sequence[Body]:
            if view.atms.event_named(report_id) is not None:
                return []
            lines = _lines(_known(view, atm_id), notes, "notes", all_of_them=False)
            return [AtmCashLoaded(report_id=report_id, atm_id=atm_id, how=how, cassettes=lines, operator=operator)]

        await self._writer.commit(decide)
        return report_id

    async def count_cash(
        self,
        atm_id: str,
        notes: Notes,
        *,
        machine: Notes | None = None,
        note: str = "",
        operator: str,
        name: str | None = None,
    ) -> str:
        """Journal a count, with what was expected; return the report.

        `machine` is what the machine's own counters said at that moment: then that is expected, else what follows from
        the newest figures. Raises OperatorError as `report_cash` and `checked_text`.
        """
        report_id = self._named(name)
        words = checked_text(note, field="note")

        def decide(view: StoreView) -> Sequence[Body]:
            if view.atms.event_named(report_id) is not None:
                return []
            atm = _known(view, atm_id)
            held = view.atms.holdings(atm_id)
            facts: list[Body] = []
            if machine:
                own = AtmCashReported(
                    report_id=f"{report_id}-m",
                    atm_id=atm_id,
                    cassettes=_lines(atm, machine, "machine"),
                    operator=operator,
                )
                held = after_cash(held, own)
                facts.append(own)
            _lines(atm, notes, "notes")
            lines = tuple(counted(atm.as_registered(), notes, held))
            facts.append(
                AtmCashCounted(report_id=report_id, atm_id=atm_id, cassettes=lines, note=words, operator=operator)
            )
            return facts

        await self._writer.commit(decide)
        return report_id

    async def open_fault(
        self, atm_id: str, kind: FaultKind, *, detail: str = "", operator: str, name: str | None = None
    ) -> str:
        """Open a ticket for the bank; return our name of it. Raises OperatorError `atm.unknown`, as `checked_text`."""
        ticket_id = self._named(name)
        words = checked_text(detail, field="detail", required=kind == "other")

        def decide(view: StoreView) -> Sequence[Body]:
            if view.atms.ticket(ticket_id) is not None:
                return []
            _known(view, atm_id)
            number = view.atms.next_ticket()
            return [
                AtmFaultOpened(
                    ticket_id=ticket_id, ticket=number, atm_id=atm_id, kind=kind, detail=words, operator=operator
                )
            ]

        await self._writer.commit(decide)
        return ticket_id

    async def note_fault(self, ticket_id: str, text: str, *, operator: str, name: str | None = None) -> str:
        """Add to a ticket; return the note. Raises OperatorError `atm.ticket_unknown`, `atm.ticket_closed`."""
        note_id = self._named(name)
        body = AtmFaultNoted(
            note_id=note_id,
            ticket_id=ticket_id,
            text=checked_text(text, field="text", required=True),
            operator=operator,
        )

        def decide(view: StoreView) -> Sequence[Body]:
            if view.atms.event_named(note_id) is not None:
                return []
            _open(view, ticket_id)
            return [body]

        await self._writer.commit(decide)
        return note_id

    async def close_fault(self, ticket_id: str, outcome: FaultOutcome, *, text: str = "", operator: str) -> None:
        """End a ticket; one that is ended stays so. Raises OperatorError `atm.ticket_unknown`, as `checked_text`."""
        body = AtmFaultClosed(
            ticket_id=ticket_id, outcome=outcome, text=checked_text(text, field="text"), operator=operator
        )

        def decide(view: StoreView) -> Sequence[Body]:
            ticket = view.atms.ticket(ticket_id)
            if ticket is not None and ticket.state == "closed":
                return []
            _open(view, ticket_id)
            return [body]

        await self._writer.commit(decide)


def _known(view: StoreView, atm_id: str) -> AtmView:
    """Return a machine that the office looks after. Raises OperatorError `atm.unknown`, `atm.removed`."""
    atm = view.atms.atm(atm_id)
    if atm is None:
        raise OperatorError("atm.unknown", atm_id=atm_id)
    if atm.removed_at is not None:
        raise OperatorError("atm.removed", atm_id=atm_id)
    return atm


def _open(view: StoreView, ticket_id: str) -> TicketView:
    """Return a ticket that the office may move. Raises OperatorError `atm.ticket_unknown`, `atm.ticket_closed`."""
    ticket = view.atms.ticket(ticket_id)
    if ticket is None:
        raise OperatorError("atm.ticket_unknown", ticket_id=ticket_id)
    if not may_move(ticket.state, "closed"):
        raise OperatorError("atm.ticket_closed", ticket_id=ticket_id)
    return ticket


def _lines(atm: AtmView, notes: Notes, field: str, *, all_of_them: bool = True) -> tuple[CassetteNotes, ...]:
    """Return figures as lines in the machine's order; those of cassettes it does not have count for nothing."""
    lines = []
    for one in atm.cassettes:
        figure = notes.get(one.cassette)
        if figure is None:
            if all_of_them:
                raise OperatorError("atm.notes_missing", field=f"{field}-{one.cassette}")
            continue
        figure = checked_notes(figure, field=f"{field}-{one.cassette}")
        lines.append(CassetteNotes(cassette=one.cassette, denomination_rial=one.denomination_rial, notes=figure))
    if not any(line.notes for line in lines) and not all_of_them:
        raise OperatorError("atm.notes_missing", field=f"{field}-{atm.cassettes[0].cassette}")
    return tuple(lines)
