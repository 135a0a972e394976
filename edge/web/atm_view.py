"""What the pages of ATMs show: words, what is due of each machine, and what was typed into a cash sheet."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from edge.web.ports.atms import AtmEventView, AtmReader, AtmView, CassetteView, TicketView
from shared.atm import (
    DENOMINATIONS_RIAL,
    WAITS_FOR_BANK,
    difference_of,
    difference_rial,
    differs,
    expected_rial,
    sum_rial,
)
from shared.atm_typed import parse_notes
from shared.atm_words import (
    ATM_STATES,
    FAULT_KINDS,
    FAULT_OUTCOMES,
    LEVELS,
    NOT_REPORTED,
    SOURCES,
    TICKET_ANSWERS,
    TICKET_STATES,
)
from shared.banks import bank_text, banks
from shared.errors import OperatorError
from shared.events import AtmCashCounted, AtmCashLoaded, AtmCashReported, AtmRegistered, AtmRemoved
from shared.text import Language

CashKind = Literal["count", "report", "load"]
CASH_KINDS: Final[tuple[CashKind, ...]] = ("count", "report", "load")
HOWS: Final[tuple[Literal["added", "replaced"], ...]] = ("added", "replaced")
HISTORY_ROWS: Final = 20
_CASH_WORDS: Final[dict[CashKind, dict[str, str]]] = {
    "count": {
        "title": "atm.count",
        "lead": "atm.count_lead",
        "figure": "atm.figure_count",
        "save": "atm.save_count",
    },
    "report": {
        "title": "atm.report",
        "lead": "atm.report_lead",
        "figure": "atm.figure_report",
        "save": "atm.save_report",
    },
    "load": {
        "title": "atm.load",
        "lead": "atm.load_lead",
        "figure": "atm.figure_load",
        "save": "atm.save_load",
    },
}
_HOW_WORDS: Final = {"added": "atm.how_added", "replaced": "atm.how_replaced"}
_EVENT_WORDS: Final = {
    AtmRegistered.type: "atm.event_registered",
    AtmRemoved.type: "atm.event_removed",
    AtmCashCounted.type: "atm.event_cash_counted",
    AtmCashReported.type: "atm.event_cash_reported",
    AtmCashLoaded.type: "atm.event_cash_loaded",
}
"""Texts' keys."""


class MachineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A machine on the list, with its open tickets."""

    atm: AtmView
    tickets: tuple[TicketView, ...]


class CashSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A count, a report or a load as its page shows it. Differences: how much more, or less, than was expected."""

    kind: CashKind
    how: str | None
    lines: tuple[dict[str, Any], ...]
    sum_rial: int
    expected_rial: int | None
    difference_rial: int | None
    differs: bool
    note: str
    operator: str


def words_of(language: Language) -> dict[str, Any]:
    """Return the tables that templates of ATMs look words up in."""
    return {
        "atm_states": ATM_STATES,
        "not_reported": NOT_REPORTED,
        "ticket_states": TICKET_STATES,
        "fault_kinds": FAULT_KINDS,
        "fault_outcomes": FAULT_OUTCOMES,
        "ticket_answers": TICKET_ANSWERS,
        "levels": LEVELS,
        "sources": SOURCES,
        "waits_for_bank": WAITS_FOR_BANK,
        "cash_words": _CASH_WORDS,
        "how_words": _HOW_WORDS,
        "event_words": _EVENT_WORDS,
        "bank_name": lambda code: bank_text(code, language),
    }


def list_facts(reader: AtmReader) -> dict[str, Any]:
    """Return what the list shows: machines with their open tickets, those that wait for the office first."""
    tickets = reader.tickets(open_only=True, limit=200)
    machines = [
        MachineFacts(atm=atm, tickets=tuple(ticket for ticket in tickets if ticket.atm_id == atm.atm_id))
        for atm in reader.atms()
        if atm.removed_at is None
    ]
    known = [one.atm.cash_rial for one in machines if one.atm.cash_rial is not None]
    return {
        "machines": machines,
        "cash_rial": sum(known),
        "cash_known": len(known) == len(machines),
        "one_bank": next(iter({one.atm.bank for one in machines}))
        if len({one.atm.bank for one in machines}) == 1
        else None,
    }


def machine_facts(reader: AtmReader, atm: AtmView) -> dict[str, Any]:
    """Return what the live part of a machine's page shows."""
    return {
        "atm": atm,
        "tickets": reader.tickets(atm.atm_id, limit=10),
        "events": reader.events(atm.atm_id, None, HISTORY_ROWS),
    }


def ticket_facts(reader: AtmReader, ticket: TicketView) -> dict[str, Any]:
    """Return what the live part of a ticket's page shows."""
    return {
        "ticket": ticket,
        "atm": reader.atm(ticket.atm_id),
        "events": reader.ticket_events(ticket.ticket_id),
    }


def form_choices() -> dict[str, Any]:
    """Return what the form of a machine offers."""
    return {"banks": banks(), "denominations": sorted(DENOMINATIONS_RIAL, reverse=True)}


def sheet_of(event: AtmEventView) -> CashSheet:
    """Return a count, a report or a load as its page shows it. Raises OperatorError `web.not_found` for another."""
    body = event.body
    if isinstance(body, AtmCashCounted):
        return CashSheet(
            kind="count",
            how=None,
            lines=tuple(
                {
                    "cassette": line.cassette,
                    "denomination_rial": line.denomination_rial,
                    "notes": line.notes,
                    "expected": line.expected,
                    "difference": difference_of(line),
                }
                for line in body.cassettes
            ),
            sum_rial=sum_rial(body.cassettes),
            expected_rial=expected_rial(body.cassettes),
            difference_rial=difference_rial(body.cassettes),
            differs=differs(body.cassettes),
            note=body.note,
            operator=body.operator,
        )
    if isinstance(body, AtmCashReported | AtmCashLoaded):
        return CashSheet(
            kind="load" if isinstance(body, AtmCashLoaded) else "report",
            how=body.how if isinstance(body, AtmCashLoaded) else None,
            lines=tuple(
                {"cassette": line.cassette, "denomination_rial": line.denomination_rial, "notes": line.notes}
                for line in body.cassettes
            ),
            sum_rial=sum_rial(body.cassettes),
            expected_rial=None,
            difference_rial=None,
            differs=False,
            note="",
            operator=body.operator,
        )
    raise OperatorError("web.not_found")


def typed_notes(form: Mapping[str, str], cassettes: tuple[CassetteView, ...], field: str) -> dict[int, int]:
    """Return the figures typed into a column of a cash sheet. Raises OperatorError as `parse_notes`."""
    figures = {}
    for one in cassettes:
        name = f"{field}-{one.cassette}"
        notes = parse_notes(form.get(name, ""), field=name)
        if notes is not None:
            figures[one.cassette] = notes
    return figures
