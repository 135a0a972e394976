"""Virtual terminals of the lab's own process: they outlive every kill, and say when they come past a moment."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Literal, get_args

from daftar.lab.chance import Chance
from daftar.lab.killing.profiles import CARD_WAIT_MS, LATE_MS
from edge.devices.virtual.terminal import VirtualTerminal
from edge.devices.virtual.terminal_bytes import Request
from edge.devices.virtual.terminal_memory import Transaction
from shared.clock import SystemClock

Moment = Literal[
    "start", "answered", "connecting", "amount", "waiting", "cancel", "charged", "approved", "late", "declined", "query"
]
"""When the server is killed: while it starts; when the API has answered; as the terminal is asked whether it is idle,
is given the amount, waits for the card, is asked to cancel; as the card is charged and nothing was said of it; when
its yes, its late yes or its no has just been said; as it is asked what became of a payment."""
MOMENTS: Final[tuple[Moment, ...]] = get_args(Moment)


class LabTerminal(VirtualTerminal):
    """A terminal whose customer is the lab."""

    def __init__(self, number: int, seed: int, passing: Callable[[Moment], None]) -> None:
        super().__init__(
            clock=SystemClock(), entropy=Chance("terminal", seed, number), terminal_number=str(21_009_543 + number)
        )
        self._passing = passing
        self._customer = Chance("customer", seed, number)
        self.card_wait_ms = CARD_WAIT_MS
        self.given: list[tuple[str | None, int]] = []
        """Reference and amount of every sale it was asked for."""
        self.wish: Moment | None = None
        """What the next customers do, so that a moment comes."""

    def _hear(self, request: object, writer: asyncio.StreamWriter) -> None:
        if request == "ready":
            self._passing("connecting")
        if request == "cancel":
            self._passing("cancel")
        if isinstance(request, Request) and request.service == "16" and self._memory.transactions:
            self._passing("query")
        if isinstance(request, Request) and request.service == "01":
            self.given.append((request.reference, request.amount_rial))
            self._passing("amount")
        super()._hear(request, writer)

    def _begin_sale(self, sale: Request) -> None:
        super()._begin_sale(sale)
        if self._sale is sale:
            self._passing("waiting")
            wait_s = 0.02 + self._customer.below(60) / 1_000
            asyncio.get_running_loop().call_later(wait_s, self._serve_customer, sale)

    def _serve_customer(self, sale: Request) -> None:
        if self._sale is not sale:
            return
        wish = self.wish
        drawn: Any = self._customer.pick(("approve", "approve", "approve", "decline", "cancel", "nobody"))
        key = {"charged": "approve", "approved": "approve", "late": "approve", "declined": "decline"}.get(
            wish or "", drawn
        )
        if wish == "charged" and self._customer.coin(0.5):
            # The answer then comes on the next run's link.
            self.set_fault("answer_late", late_ms=5 * LATE_MS)
        else:
            self.set_fault("answer_late" if wish == "late" else "none", late_ms=LATE_MS)
        if wish == "cancel" or key == "nobody":
            return
        self.press(key)
        if key == "decline":
            self._passing("declined")

    def _charge(self, sale: Request) -> Transaction:
        charge = super()._charge(sale)
        # The lab keeps the truth in this process: a kill of the server cannot lose it.
        self._passing("charged")
        return charge

    def _approved(self, charge: Transaction) -> None:
        was_late = self._fault == "answer_late"
        super()._approved(charge)
        self._passing("late" if was_late else "approved")
