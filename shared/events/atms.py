"""Facts of the office's ATMs: which there are, how they stand, the cash in them, their faults. No payment is here."""

from typing import Annotated, Literal

import msgspec

from shared.events.body import Body, Count, Rial

AtmState = Literal["in_service", "limited", "out_of_service"]
"""`limited`: it works, but not all of it: no receipts, one cassette empty."""
FaultKind = Literal[
    "cash_out",
    "dispenser",
    "debited_unpaid",
    "card_captured",
    "card_reader",
    "receipt_paper",
    "screen_keys",
    "line",
    "power",
    "damage",
    "other",
]
FaultOutcome = Literal["fixed", "no_fault", "removed"]
"""How the office ends a ticket: it works again; there was none; the machine is gone."""
TicketAnswer = Literal["accepted", "technician", "resolved", "declined"]
"""What the bank says of a ticket: taken, somebody is on the way, mended, not its fault to mend."""

Notes = Annotated[int, msgspec.Meta(ge=0, le=10**6)]
"""A number of banknotes."""


class AtmCassette(msgspec.Struct, frozen=True, kw_only=True):
    """A cassette of a machine: banknotes of one kind."""

    cassette: Count
    """Its number in the machine, from 1."""
    denomination_rial: Rial
    capacity: Notes
    """Banknotes it holds when full; 0 is not known."""


class CassetteNotes(msgspec.Struct, frozen=True, kw_only=True):
    """Banknotes of a cassette."""

    cassette: Count
    denomination_rial: Rial
    notes: Notes


class CassetteCount(msgspec.Struct, frozen=True, kw_only=True):
    """Banknotes of a cassette as a person counted them, beside what was expected there."""

    cassette: Count
    denomination_rial: Rial
    notes: Notes
    expected: Notes | None = None
    """By the box's own figures of that moment; null where nothing was known."""


class AtmRegistered(Body, frozen=True, kw_only=True):
    """The office looks after a machine. Said again under the same id, what is said now stands."""

    type = "atm.registered"
    atm_id: str
    bank: str
    """Three digits, the bank's code (`shared/banks.toml`)."""
    number: str
    """The bank's own number of the machine."""
    place: str
    cassettes: tuple[AtmCassette, ...]
    operator: str


class AtmRemoved(Body, frozen=True, kw_only=True):
    """The office looks after a machine no more."""

    type = "atm.removed"
    atm_id: str
    reason: str
    operator: str


class AtmStateReported(Body, frozen=True, kw_only=True):
    """How a machine stands, as somebody at it saw."""

    type = "atm.state_reported"
    report_id: str
    atm_id: str
    state: AtmState
    note: str = ""
    operator: str


class AtmCashReported(Body, frozen=True, kw_only=True):
    """What the machine's own counters say is left in its cassettes."""

    type = "atm.cash_reported"
    report_id: str
    atm_id: str
    cassettes: tuple[CassetteNotes, ...]
    operator: str


class AtmCashLoaded(Body, frozen=True, kw_only=True):
    """Banknotes were put into a machine."""

    type = "atm.cash_loaded"
    report_id: str
    atm_id: str
    how: Literal["added", "replaced"]
    """`added` to what was there, or instead of it: what was there was taken out before."""
    cassettes: tuple[CassetteNotes, ...]
    operator: str


class AtmCashCounted(Body, frozen=True, kw_only=True):
    """A person counted the banknotes of a machine. A difference from what was expected stands here for good."""

    type = "atm.cash_counted"
    report_id: str
    atm_id: str
    cassettes: tuple[CassetteCount, ...]
    note: str = ""
    operator: str


class AtmFaultOpened(Body, frozen=True, kw_only=True):
    """A machine has a fault: a ticket for the bank."""

    type = "atm.fault_opened"
    ticket_id: str
    ticket: Count
    """The ticket's number at this office, from 1."""
    atm_id: str
    kind: FaultKind
    detail: str = ""
    operator: str


class AtmFaultNoted(Body, frozen=True, kw_only=True):
    """Something was added to a ticket."""

    type = "atm.fault_noted"
    note_id: str
    ticket_id: str
    text: str
    operator: str


class AtmFaultClosed(Body, frozen=True, kw_only=True):
    """The office ended a ticket. What the bank says of it afterwards is kept, and opens nothing."""

    type = "atm.fault_closed"
    ticket_id: str
    outcome: FaultOutcome
    text: str = ""
    operator: str


class AtmTicketAnswered(Body, frozen=True, kw_only=True):
    """What the bank said of a ticket, told by central on the office's feed."""

    type = "atm.ticket_answered"
    ticket_id: str
    answer: TicketAnswer
    text: str = ""
    bank_reference: str = ""
    """The bank's own number of the matter."""
    answered_by: str
    answered_at: str


AtmFact = (
    AtmRegistered
    | AtmRemoved
    | AtmStateReported
    | AtmCashReported
    | AtmCashLoaded
    | AtmCashCounted
    | AtmFaultOpened
    | AtmFaultNoted
    | AtmFaultClosed
)
"""What an office says of its machines."""
ATM_FACTS: tuple[type[AtmFact], ...] = (
    AtmRegistered,
    AtmRemoved,
    AtmStateReported,
    AtmCashReported,
    AtmCashLoaded,
    AtmCashCounted,
    AtmFaultOpened,
    AtmFaultNoted,
    AtmFaultClosed,
)
