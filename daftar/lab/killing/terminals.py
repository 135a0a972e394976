"""Virtual terminals of the lab's own process: they outlive every kill, and say when they come past a moment."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, get_args

import msgspec

from daftar.lab.chance import Chance
from daftar.lab.killing.profiles import ACKNOWLEDGE_WITHIN_MS, CARD_WAIT_MS, LATE_MS
from edge.devices.virtual.pna_bytes import PnaRequest
from edge.devices.virtual.pna_terminal import VirtualPnaTerminal
from edge.devices.virtual.terminal import VirtualTerminal
from edge.devices.virtual.terminal_bytes import Request
from edge.devices.virtual.terminal_machine import TerminalMachine
from edge.devices.virtual.terminal_memory import Transaction
from edge.journal.views import PaymentView
from shared.clock import SystemClock

Moment = Literal[
    "start",
    "answered",
    "connecting",
    "amount",
    "waiting",
    "cancel",
    "charged",
    "approved",
    "late",
    "declined",
    "query",
    "acknowledge",
]
"""When the server is killed: while it starts; when the API has answered; as the terminal is asked whether it is idle,
is given the amount, waits for the card, is asked to cancel; as the card is charged and nothing was said of it; when
its yes, its late yes or its no has just been said; as it is asked what became of a payment; as it is told to keep a
sale."""
MOMENTS: Final[tuple[Moment, ...]] = get_args(Moment)


class _Customers:
    """Who stands at a terminal of the lab: what they do is drawn, or wished so that a moment comes."""

    def __init__(self, terminal: TerminalMachine[Any], number: int, seed: int) -> None:
        self._terminal = terminal
        self._chance = Chance("customer", seed, number)
        self.wish: Moment | None = None

    def later(self, serve: Callable[[], None]) -> None:
        """Come with a card in a moment."""
        asyncio.get_running_loop().call_later(0.02 + self._chance.below(60) / 1_000, serve)

    def serve(self) -> str:
        """Press a key; return which."""
        wish = self.wish
        drawn: Any = self._chance.pick(("approve", "approve", "approve", "decline", "cancel", "nobody"))
        yes = ("charged", "approved", "late", "acknowledge")
        key: Any = "approve" if wish in yes else "decline" if wish == "declined" else drawn
        if wish == "charged" and self._chance.coin(0.5):
            # The answer then comes on the next run's link.
            self._terminal.set_fault("answer_late", late_ms=5 * LATE_MS)
        else:
            self._terminal.set_fault("answer_late" if wish == "late" else "none", late_ms=LATE_MS)
        if wish == "cancel" or key == "nobody":
            return ""
        self._terminal.press(key)
        return str(key)


class LabTerminal(VirtualTerminal):
    """A terminal whose customer is the lab."""

    def __init__(self, number: int, seed: int, passing: Callable[[Moment], None]) -> None:
        super().__init__(
            clock=SystemClock(), entropy=Chance("terminal", seed, number), terminal_number=str(21_009_543 + number)
        )
        self._passing = passing
        self.customers = _Customers(self, number, seed)
        self.card_wait_ms = CARD_WAIT_MS
        self._given: set[tuple[str, int]] = set()
        """Reference and amount of every sale it was asked for."""

    def given_by(self, _: Iterable[PaymentView]) -> set[tuple[str, int]]:
        """Return reference and amount of every sale it was asked for."""
        return self._given

    def charges_by(self, _: Iterable[PaymentView]) -> list[Transaction]:
        """Return what it charged."""
        return list(self.charges)

    def _hear(self, request: object, writer: asyncio.StreamWriter) -> None:
        if request == "ready":
            self._passing("connecting")
        if request == "cancel":
            self._passing("cancel")
        if isinstance(request, Request) and request.service == "16" and self._memory.transactions:
            self._passing("query")
        if isinstance(request, Request) and request.service == "01":
            self._given.add((request.reference or "", request.amount_rial or 0))
            self._passing("amount")
        super()._hear(request, writer)

    def _begin_sale(self, sale: Request) -> None:
        super()._begin_sale(sale)
        if self._sale is sale:
            self._passing("waiting")
            self.customers.later(lambda: self._serve_customer(sale))

    def _serve_customer(self, sale: Request) -> None:
        if self._sale is sale and self.customers.serve() == "decline":
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


class LabConfirmingTerminal(VirtualPnaTerminal):
    """A terminal that takes back what it is not told to keep. It is given no reference but the line on its slip."""

    def __init__(self, number: int, seed: int, passing: Callable[[Moment], None]) -> None:
        super().__init__(
            clock=SystemClock(), entropy=Chance("terminal", seed, number), terminal_number=str(21_009_543 + number)
        )
        self._passing = passing
        self.customers = _Customers(self, number, seed)
        self.card_wait_ms = CARD_WAIT_MS
        self.acknowledge_within_ms = ACKNOWLEDGE_WITHIN_MS
        self._given: set[tuple[str, int]] = set()
        self._slips: dict[str, str] = {}
        """The line on the slip of every charge, by its trace."""

    def given_by(self, payments: Iterable[PaymentView]) -> set[tuple[str, int]]:
        """Return reference and amount of every sale it was asked for; the slip's line where no payment has it."""
        by_slip = _by_slip(payments, {slip for slip, _ in self._given})
        return {(by_slip.get(slip, slip), amount_rial) for slip, amount_rial in self._given}

    def charges_by(self, payments: Iterable[PaymentView]) -> list[Transaction]:
        """Return what it charged and did not take back, with the references of the payments."""
        by_slip = _by_slip(payments, self._slips.values())
        return [
            msgspec.structs.replace(one, reference=by_slip.get(self._slips[one.stan], self._slips[one.stan]))
            for one in self.charges
        ]

    def _hear(self, request: object, writer: asyncio.StreamWriter) -> None:
        if isinstance(request, PnaRequest):
            match request.kind:
                case "number":
                    self._passing("connecting")
                case "cancel":
                    self._passing("cancel")
                case "last":
                    self._passing("query")
                case "acknowledge":
                    self._passing("acknowledge")
                case "sale" if self._phase == "idle":
                    self._given.add((request.slip, request.amount_rial))
                    self._passing("amount")
        super()._hear(request, writer)

    def _begin_sale(self, sale: PnaRequest) -> None:
        super()._begin_sale(sale)
        if self._sale is sale:
            self._passing("waiting")
            self.customers.later(lambda: self._serve_customer(sale))

    def _serve_customer(self, sale: PnaRequest) -> None:
        if self._sale is sale and self.customers.serve() == "decline":
            self._passing("declined")

    def _charge(self, sale: PnaRequest) -> Transaction:
        charge = super()._charge(sale)
        self._slips[charge.stan] = sale.slip
        self._passing("charged")
        return charge

    def _approved(self, charge: Transaction) -> None:
        was_late = self._fault == "answer_late"
        super()._approved(charge)
        self._passing("late" if was_late else "approved")


def _by_slip(payments: Iterable[PaymentView], slips: Iterable[str]) -> dict[str, str]:
    """Return the references of payments, by the line on the slip: their last digits."""
    size = max((len(slip) for slip in slips), default=0)
    return {payment.reference[-size:]: payment.reference for payment in payments} if size else {}
