"""What a terminal's part of a payment ends as, and what can be seen of the terminal meanwhile. Values only."""

from typing import Literal

import msgspec

from shared.events import Evidence

OutcomeKind = Literal["approved", "declined", "cancelled", "in_doubt"]
StatusKind = Literal["approved", "not_found", "unclear", "no_answer", "mismatch"]
DoubtReason = Literal["", "no_answer", "link_lost", "mismatch", "unclear_code", "bad_answer"]
Phase = Literal["closed", "connecting", "unreachable", "connected", "preparing", "waiting_card", "cancelling", "asking"]


class TerminalOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a sale ended. `reason` is empty unless the kind is `in_doubt`; the words are those of `payment.in_doubt`."""

    kind: OutcomeKind
    evidence: Evidence | None = None
    reason: DoubtReason = ""


class StatusAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the terminal said when asked about one payment by its reference.

    `not_found` says only that it knows no successful payment of that reference *now*; whether that counts is for the
    caller, who knows when the amount was sent. `evidence` is there whenever the terminal answered, its
    `terminal_number` included.
    """

    kind: StatusKind
    evidence: Evidence | None = None
    response_code: str | None = None


class LastTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """What the terminal says its last transaction was; `none`: that it has none at all. Whose it was is not known."""

    kind: Literal["known", "none", "unclear", "no_answer"]
    evidence: Evidence | None = None
    """There whenever the terminal answered."""


class OrderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How an order about the newest sale ended: to keep it (`acknowledge`) or to undo it (`reverse`).

    `done`: the terminal says that it did. `refused`: it did not, by its own word (`evidence`), or because nothing of
    the order left the box (no `evidence`; `reason` is then the code of an error, `terminal.other_sale` for a sale that
    is not the newest any more). `in_doubt`: the order left, and no clear answer came.
    """

    kind: Literal["done", "refused", "in_doubt"]
    evidence: Evidence | None = None
    reason: str = ""
    """Empty when done; words of `payment.in_doubt` when in doubt; `refused` or an error code when refused."""


class TerminalState(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot of what is known of the terminal. Times are instants as text (UTC, milliseconds)."""

    name: str
    address: str
    """`host:port`."""
    phase: Phase
    connected: bool
    answers: bool = False
    """Whether anything was heard on the present link: one that only takes connections is not there."""
    unanswered_reference: str | None = None
    """Reference of a sale this driver still has no answer to: the terminal may be working on it."""
    terminal_number: str | None = None
    """The terminal's own number, learnt from its answers."""
    centre_link: bool | None = None
    """The terminal's own line to its centre: seen working, seen missing, or never seen."""
    last_seen_at: str | None = None
    last_error: str | None = None
    """Code of the last trouble (`terminal.unreachable`, …), None since things go well again."""
