"""What the use cases ask of a card terminal, as `edge.devices.terminals.driver.TerminalDriver` keeps it."""

from collections.abc import Callable
from typing import Protocol

from edge.devices.terminals.outcome import (
    LastTransaction,
    OrderAnswer,
    StatusAnswer,
    TerminalOutcome,
    TerminalState,
)
from edge.devices.terminals.session import TerminalBill
from firmware_profiles.profile import TerminalProfile
from shared.events import Evidence


class Terminal(Protocol):
    """One card terminal."""

    name: str
    profile: TerminalProfile
    on_late_answer: Callable[[str, TerminalOutcome], None] | None
    on_stray_answer: Callable[[Evidence], None] | None
    on_change: Callable[[TerminalState], None] | None

    @property
    def state(self) -> TerminalState:
        """Return what is known of the terminal now."""

    async def probe(self) -> None:
        """Ask whether it is there and idle, making no transaction. Raises DeviceError."""

    async def prepare(self, amount_rial: int | None = None) -> str | None:
        """Have it confirm that it is idle, and can take that amount. Raises DeviceError.

        Return the newest trace it tells, for PaymentSent.
        """

    async def sale(
        self,
        *,
        amount_rial: int,
        reference: str,
        on_progress: Callable[[str], None] | None = None,
        terminal_number: str | None = None,
        baseline_stan: str | None = None,
        bill: TerminalBill | None = None,
    ) -> TerminalOutcome:
        """Send the amount and wait; device trouble is an outcome. With `bill` it pays that bill at its own centre."""

    async def query(
        self,
        *,
        reference: str,
        amount_rial: int,
        terminal_number: str | None = None,
        baseline_stan: str | None = None,
    ) -> StatusAnswer:
        """Ask about one payment: by its reference, or by the last transaction, held against the payment's baseline."""

    async def last_transaction(self) -> LastTransaction:
        """Ask for the last transaction, whosever it was."""

    async def acknowledge(self, *, amount_rial: int, stan: str, terminal_number: str | None = None) -> OrderAnswer:
        """Tell a confirming terminal to keep its newest sale, which an approval named so; device trouble is an answer.

        Untold, it reverses the sale by itself.
        """

    async def reverse(self, *, amount_rial: int, stan: str, terminal_number: str | None = None) -> OrderAnswer:
        """Tell it to undo its newest sale, which an approval named so; device trouble is an answer.

        Whether it is the newest is asked first: `terminal.other_sale` when not, and nothing has left then. What an
        order in doubt did is asked by `query`: `approved` says that the sale stands, `not_found` that it does not.
        """

    async def void(
        self, *, amount_rial: int, stan: str, receipt_number: str, terminal_number: str | None = None
    ) -> OrderAnswer:
        """Tell it to undo, before settlement, the sale of a receipt; device trouble is an answer, as for `reverse`."""

    async def cancel(self) -> None:
        """Ask it to drop the sale that waits for a card."""
