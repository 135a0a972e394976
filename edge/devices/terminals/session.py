"""A terminal's conversation without a wire, as the driver speaks to it: one port, one implementation a protocol.

Verbs of the wire: `receive_data`, `events`, `data_to_send`, `deadline` (and `tick` when it has passed), `link_opened`
and `link_lost`. Instants are monotonic milliseconds. A session outlives links: a sale whose answer has not come is
remembered. Rules that every session keeps:

* An approval counts only when amount, terminal number (if known) and what names the sale agree; else it is a mismatch.
* An answer belongs to the sale it is about, not to whoever waits.
* Silence, noise, a lost link, a code that proves nothing: in doubt.

What is the same for all of them is in `asked_sales` and `question`.
"""

from typing import Literal, Protocol

import msgspec

from edge.devices.terminals.outcome import LastTransaction, OrderAnswer, StatusAnswer, TerminalOutcome
from shared.events import Evidence

Order = Literal["acknowledge", "reverse", "void"]
"""What can be told: to keep the newest sale, to undo it, to undo the sale of a receipt before settlement."""


class TerminalBill(msgspec.Struct, frozen=True, kw_only=True):
    """The two identifiers of a bill that the terminal itself pays, and its centre settles."""

    bill_id: str
    payment_id: str


class ReadyEnded(msgspec.Struct, frozen=True):
    """The question whether the terminal is idle ended: it said so, or it did not in time."""

    idle: bool


class SaleEnded(msgspec.Struct, frozen=True):
    """The sale being waited for ended."""

    reference: str
    outcome: TerminalOutcome


class QueryEnded(msgspec.Struct, frozen=True):
    """The status query being waited for ended."""

    reference: str
    answer: StatusAnswer


class LastEnded(msgspec.Struct, frozen=True):
    """The question for the last transaction ended."""

    last: LastTransaction


class OrderEnded(msgspec.Struct, frozen=True):
    """The order being waited for ended."""

    answer: OrderAnswer


class LateAnswer(msgspec.Struct, frozen=True):
    """A sale nobody waits for any more got an answer that settles it."""

    reference: str
    outcome: TerminalOutcome


class StrayAnswer(msgspec.Struct, frozen=True):
    """Evidence of a charge that settles nothing: of a sale this session does not know, or in disagreement with it."""

    evidence: Evidence


Event = ReadyEnded | SaleEnded | QueryEnded | LastEnded | OrderEnded | LateAnswer | StrayAnswer


def earliest(*dues_ms: int | None) -> int | None:
    """Return the first of some instants, where there is one."""
    return min((due for due in dues_ms if due is not None), default=None)


class Session(Protocol):
    """One terminal's conversation. Sans-I/O; at most one sale, and one question or order, at a time."""

    @property
    def terminal_number(self) -> str | None:
        """The terminal's own number, learnt from its answers."""

    @property
    def centre_link(self) -> bool | None:
        """The terminal's own line to its centre: seen working, seen missing, or never seen."""

    @property
    def newest_stan(self) -> str | None:
        """The newest trace it spoke of, where it can only be asked for its last transaction."""

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Take bytes as they came."""

    def events(self) -> list[Event]:
        """Return what happened since the last call, in order."""

    def data_to_send(self) -> bytes:
        """Return the bytes that are to leave now; they are not given twice."""

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None."""

    def tick(self, now_ms: int) -> None:
        """End what has waited long enough."""

    def link_opened(self) -> None:
        """Start afresh on a new link; what was asked before is remembered."""

    def link_lost(self) -> None:
        """End every wait: a lost link is not a failed sale."""

    def ask_ready(self, *, due_ms: int) -> None:
        """Ask whether the terminal is idle; ends as ReadyEnded."""

    def start_sale(
        self,
        *,
        amount_rial: int,
        reference: str,
        terminal_number: str | None,
        baseline_stan: str | None = None,
        bill: TerminalBill | None = None,
        now_ms: int,
        due_ms: int,
    ) -> None:
        """Send the amount; ends as SaleEnded. Raises ValueError for values the protocol cannot carry, nothing sent.

        With `bill` the sale is the payment of that bill, where the profile's capability `bill` says that it can be.
        """

    def ask_status(
        self,
        *,
        reference: str,
        amount_rial: int,
        terminal_number: str | None,
        baseline_stan: str | None = None,
        request_number: str,
        due_ms: int,
    ) -> None:
        """Ask what became of a sale; ends as QueryEnded. `request_number` must differ from call to call.

        Raises ValueError for values the protocol cannot carry, nothing sent.
        """

    def ask_number(self, *, reference: str, request_number: str, due_ms: int) -> None:
        """Ask for a sale that does not exist, where that tells the terminal's number. Ends as QueryEnded."""

    def ask_last(self, *, request_number: str, due_ms: int) -> None:
        """Ask for the last transaction; ends as LastEnded."""

    def give_order(
        self,
        order: Order,
        *,
        amount_rial: int,
        stan: str,
        terminal_number: str | None,
        due_ms: int,
        receipt_number: str | None = None,
    ) -> None:
        """Tell the terminal to keep or to undo a sale; ends as OrderEnded. `receipt_number` names the one to void."""

    def ask_cancel(self, now_ms: int) -> bool:
        """Ask for the sale to be dropped. Returns False when there is none the terminal could be working on."""

    def abandon_sale(self) -> None:
        """Stop waiting for the open sale; its answer will come as a LateAnswer."""

    def unanswered(self, now_ms: int) -> str | None:
        """Return the reference of a sale the terminal may still be working on, or None."""

    def is_listening(self, now_ms: int) -> bool:
        """Return whether a sale's answer may still come on this very link, and on no other."""
