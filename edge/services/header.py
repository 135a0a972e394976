"""What the header of a page says of terminals, printer, line and limits."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from edge.journal.views import PaymentView
from edge.services.line import LineView
from edge.services.payments.exposure import ExposureView
from edge.services.payments.terminal_worker import Standing, TerminalWorker

TerminalState = Standing | Literal["locked", "removed"]
"""`locked`: by a payment in doubt, whatever else it is; `removed`: no longer set up, with one in doubt."""


class TerminalView(msgspec.Struct, frozen=True, kw_only=True):
    """How a card terminal stands."""

    name: str
    state: TerminalState
    connected: bool
    """Whether there is a link; whether anybody answers on it, `state` says."""
    terminal_number: str | None
    address: str
    profile: str
    version: str
    """The protocol it speaks, with the version that its maker's papers name."""
    last_seen_at: str | None
    last_error: str | None
    locked_by: str | None
    """The payment in doubt that the terminal is locked to."""
    centre_link: bool | None
    payment_id: str | None = None
    """The payment that is at it now."""
    queue: tuple[str, ...] = ()
    """Payments that wait for it, the next one first."""


class PrinterView(msgspec.Struct, frozen=True, kw_only=True):
    """How the receipt printer stands; `state` is `unknown` until it was first asked."""

    state: str
    last_error: str | None
    waiting_jobs: int


def _there(worker: TerminalWorker, locked_by: str | None) -> TerminalView:
    state = worker.terminal.state
    return TerminalView(
        name=worker.name,
        state="locked" if locked_by else worker.standing,
        connected=state.connected,
        terminal_number=state.terminal_number,
        address=state.address,
        profile=worker.profile.name,
        version=f"{worker.profile.protocol} {worker.profile.protocol_version}".strip(),
        last_seen_at=state.last_seen_at,
        last_error=state.last_error,
        locked_by=locked_by,
        centre_link=state.centre_link,
        payment_id=worker.current,
        queue=worker.waiting,
    )


def _gone(name: str, locked_by: str) -> TerminalView:
    return TerminalView(
        name=name,
        state="removed",
        connected=False,
        terminal_number=None,
        address="",
        profile="",
        version="",
        last_seen_at=None,
        last_error="payment.other_terminal",
        locked_by=locked_by,
        centre_link=None,
    )


def terminal_views(workers: Mapping[str, TerminalWorker], in_doubt: Iterable[PaymentView]) -> list[TerminalView]:
    """Return how each terminal stands, in the order of the settings; `in_doubt` are all that are, oldest first.

    Then those that are set up no longer and still have a payment in doubt.
    """
    locks: dict[str, str] = {}
    for payment in in_doubt:
        locks.setdefault(payment.terminal, payment.payment_id)
    there = [_there(worker, locks.get(name)) for name, worker in workers.items()]
    return there + [_gone(name, locked_by) for name, locked_by in locks.items() if name not in workers]


def printer_view(state: str | None, waiting_jobs: int) -> PrinterView:
    """Return how the printer stands; None is one that was not asked yet."""
    said = state or "unknown"
    return PrinterView(
        state=said,
        last_error=None if said in ("ok", "paper_near_end", "unknown") else f"printer.{said}",
        waiting_jobs=waiting_jobs,
    )


class HeaderView(msgspec.Struct, frozen=True, kw_only=True):
    """What every page says in its header. What comes from the journal is of one moment."""

    office: str
    terminals: tuple[TerminalView, ...]
    printer: PrinterView
    line: LineView
    exposure: ExposureView
    in_doubt: tuple[PaymentView, ...]
    is_under_way: bool
    unconfirmed_count: int
    unconfirmed_rial: int
    unsent_count: int
