"""What the use cases ask of a card terminal, as `edge.devices.terminals.driver.TerminalDriver` keeps it."""

from collections.abc import Callable
from typing import Protocol

from edge.devices.terminals.outcome import StatusAnswer, TerminalOutcome, TerminalState
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

    async def prepare(self) -> None:
        """Have it confirm that it is idle. Raises DeviceError."""

    async def sale(
        self,
        *,
        amount_rial: int,
        reference: str,
        on_progress: Callable[[str], None] | None = None,
        terminal_number: str | None = None,
    ) -> TerminalOutcome:
        """Send the amount and wait; device trouble is an outcome."""

    async def query(self, *, reference: str, amount_rial: int, terminal_number: str | None = None) -> StatusAnswer:
        """Ask about one payment by its reference."""

    async def cancel(self) -> None:
        """Ask it to drop the sale that waits for a card."""
