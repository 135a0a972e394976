"""One card terminal, owned: its connection, its one operation at a time, its deadlines."""

from collections.abc import Callable

from edge.devices.terminals.outcome import StatusAnswer, TerminalOutcome, TerminalState
from firmware_profiles.profile import TerminalProfile
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import DeviceError
from shared.events import Evidence

__all__ = ["StatusAnswer", "TerminalDriver", "TerminalOutcome", "TerminalState"]


class TerminalDriver:
    """A terminal over TCP. All methods belong to one event loop; `state` may be read at any time."""

    on_late_answer: Callable[[str, TerminalOutcome], None] | None
    """Called with (reference, outcome) when an answer arrives that no caller waits for any more."""
    on_stray_answer: Callable[[Evidence], None] | None
    """Called when an approval arrives that belongs to no sale this driver knows: a person must look."""
    on_change: Callable[[TerminalState], None] | None
    """Called after each change of `state`."""

    def __init__(
        self, *, name: str, profile: TerminalProfile, host: str, port: int, clock: Clock, entropy: Entropy
    ) -> None:
        self.name = name
        self.profile = profile

    @property
    def state(self) -> TerminalState:
        """Return what is known of the terminal now."""
        raise DeviceError("terminal.unreachable")

    async def start(self) -> None:
        """Begin keeping the connection; returns at once. Every other call starts it too."""

    async def prepare(self) -> None:
        """Connect and have the terminal confirm that it is idle. No byte of an amount leaves.

        Raises DeviceError `terminal.unreachable`, `terminal.not_ready` or `terminal.busy`.
        """

    async def sale(
        self,
        *,
        amount_rial: int,
        reference: str,
        on_progress: Callable[[str], None] | None = None,
        terminal_number: str | None = None,
    ) -> TerminalOutcome:
        """Write the amount and wait for the answer, until the profile's answer_timeout_ms at the latest.

        Device trouble never raises: after the amount may have left, it is `in_doubt`. `on_progress` gets
        `waiting_card`, then `cancelling` if asked to. `terminal_number` is the number the answer must carry when
        the driver has not learnt one. Cancelling the task leaves the sale with the driver: its answer comes late.
        """
        raise DeviceError("terminal.unreachable")

    async def query(self, *, reference: str, amount_rial: int, terminal_number: str | None = None) -> StatusAnswer:
        """Ask the terminal about a payment by its reference, within query_timeout_ms. Device trouble: `no_answer`."""
        raise DeviceError("terminal.unreachable")

    async def cancel(self) -> None:
        """Ask the terminal to drop the sale it waits for a card for. The sale's own answer says whether it did."""

    async def probe(self) -> None:
        """Ask whether the terminal is there and idle, making no transaction. Raises DeviceError as `prepare`."""

    async def close(self) -> None:
        """End the connection and every wait; a sale still waited for ends in doubt, `link_lost`."""
