"""What the API gives about the box itself, its terminals and its line."""

import msgspec

from edge.web.ports.counter import BoxStatus, LineState, Terminal, TerminalState
from edge.web.schemas.day import ExposureOut


class TerminalOut(msgspec.Struct, frozen=True, kw_only=True):
    """How a card terminal stands."""

    name: str
    state: TerminalState
    """`locked`: a payment in doubt keeps it; `not_ready`: it takes connections and does not answer; `removed`: set up
    no longer, with a payment in doubt."""
    payment_id: str | None
    """The payment that is at it now."""
    queue: list[str]
    """Payments that wait for it, the next one first."""
    connected: bool
    terminal_number: str | None
    last_seen_at: str | None
    last_error: str | None
    locked_by: str | None
    centre_link: bool | None


class LineOut(msgspec.Struct, frozen=True, kw_only=True):
    """How the line to central stands."""

    state: LineState
    last_exchange_at: str | None
    last_error: str | None


class StatusOut(msgspec.Struct, frozen=True, kw_only=True):
    """How the box stands."""

    office: str
    box: str
    journal_id: str
    software: str
    size: int
    cosigned_size: int
    unsent_count: int
    unconfirmed_count: int
    unconfirmed_rial: int
    in_doubt_count: int
    quarantined: bool
    terminals: list[TerminalOut]
    printer_state: str
    line: LineOut
    exposure: ExposureOut


class TerminalsOut(msgspec.Struct, frozen=True, kw_only=True):
    """The terminals, in the order of the settings."""

    terminals: list[TerminalOut]


def terminal_out(terminal: Terminal) -> TerminalOut:
    """Return a terminal as the API gives it."""
    return TerminalOut(
        name=terminal.name,
        state=terminal.state,
        payment_id=terminal.payment_id,
        queue=list(terminal.queue),
        connected=terminal.connected,
        terminal_number=terminal.terminal_number,
        last_seen_at=terminal.last_seen_at,
        last_error=terminal.last_error,
        locked_by=terminal.locked_by,
        centre_link=terminal.centre_link,
    )


def box_members(status: BoxStatus) -> dict[str, str | int | bool]:
    """Return the members of StatusOut that the journal knows."""
    return {
        "office": status.office,
        "box": status.box,
        "journal_id": status.journal_id,
        "size": status.size,
        "cosigned_size": status.cosigned_size,
        "unsent_count": status.unsent_count,
        "unconfirmed_count": status.unconfirmed_count,
        "unconfirmed_rial": status.unconfirmed_rial,
        "in_doubt_count": status.in_doubt_count,
        "quarantined": status.quarantined,
    }
