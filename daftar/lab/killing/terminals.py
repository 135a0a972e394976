"""Virtual terminals of the lab's own process: they outlive every kill, and say when they come past a moment."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, get_args

import msgspec

from daftar.lab.chance import Chance
from daftar.lab.killing.profiles import CARD_WAIT_MS, LATE_MS
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
    "kept",
    "taken_back",
]
"""When the server is killed: while it starts; when the API has answered; as the terminal is asked whether it is idle,
is given the amount, waits for the card, is asked to cancel; as the card is charged and nothing was said of it; when
its yes, its late yes or its no has just been said; as it is asked what became of a payment; as it is told to keep a
sale, and does not hear it; when it has said that it keeps it; when it has taken it back, because it was not told."""
MOMENTS: Final[tuple[Moment, ...]] = get_args(Moment)
OF_CONFIRMING: Final[frozenset[Moment]] = frozenset({"acknowledge", "kept", "taken_back"})
"""Those that only come at a terminal that is told to keep its sales."""
_YES: Final[frozenset[Moment]] = frozenset(("charged", "approved", "late", *OF_CONFIRMING))
_BY_HAND_RIAL: Final = 10_000

Passing = Callable[[Moment], bool]
"""Takes notice that a moment came; returns whether the server was killed at it."""


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
        key: Any = "approve" if wish in _YES else "decline" if wish == "declined" else drawn
        if wish == "charged" and self._chance.coin(0.5):
            # The answer then comes on the next run's link.
            self._terminal.set_fault("answer_late", late_ms=4 * LATE_MS)
        else:
            self._terminal.set_fault("answer_late" if wish == "late" else "none", late_ms=LATE_MS)
        if wish == "cancel" or key == "nobody":
            return ""
        self._terminal.press(key)
        return str(key)


class LabTerminal(VirtualTerminal):
    """A terminal whose customer is the lab."""

    def __init__(self, number: int, seed: int, passing: Passing) -> None:
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
        if isinstance(request, Request) and request.service == "16":
            if self._memory.transactions:
                self._passing("query")
            if self._is_at(request):
                return
        if isinstance(request, Request) and request.service == "01":
            self._given.add((request.reference or "", request.amount_rial or 0))
            self._passing("amount")
        super()._hear(request, writer)

    def _is_at(self, query: Request) -> bool:
        """Return whether the very sale that is asked about waits for a card: it is then not told as not found.

        The box may ask that late only where this process was slow to hear of the sale.
        """
        at = None if self._sale is None else self._sale.reference
        return at == query.reference and self._memory.charged(at or "") is None

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
    """A terminal that takes back what it is not told to keep. It is given no reference but the line on its slip.

    It had a sale before, keyed in by hand: the trace of a terminal's very first sale follows on no other, and one that
    is taken back before its yes was heard would be a person's to settle (ADR 15).
    """

    def __init__(self, number: int, seed: int, passing: Passing) -> None:
        super().__init__(
            clock=SystemClock(), entropy=Chance("terminal", seed, number), terminal_number=str(21_009_543 + number)
        )
        self._passing = passing
        self._patience = Chance("patience", seed, number)
        self.customers = _Customers(self, number, seed)
        self.card_wait_ms = CARD_WAIT_MS
        self._given: set[tuple[str, int]] = set()
        self._slips: dict[str, str] = {}
        """The line on the slip of every charge, by its trace; empty for what was keyed in by hand."""

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Switch on; at first there was a sale by hand."""
        actual = await super().start(host, port)
        if not self.transactions:
            self.sell_by_hand(_BY_HAND_RIAL)
        return actual

    def server_gone(self) -> None:
        """Lose patience while the server is away, or wait until it is back."""
        if self._patience.coin(0.5):
            # Soon: what it is at now comes first.
            asyncio.get_running_loop().call_soon(self._lose_patience)

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
            if self._slips[one.stan]
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
                case "acknowledge" if self._phase == "idle":
                    self._hear_to_keep(request, writer)
                    return
                case "sale" if self._phase == "idle":
                    self._given.add((request.slip, request.amount_rial))
                    self._passing("amount")
        super()._hear(request, writer)

    def _hear_to_keep(self, request: PnaRequest, writer: asyncio.StreamWriter) -> None:
        if self._passing("acknowledge"):
            return  # the word was lost on its way
        if self.customers.wish == "taken_back":
            self._lose_patience()
        super()._hear(request, writer)
        if self._newest() is not None:
            self._passing("kept")

    def _lose_patience(self) -> None:
        self._stop_taker()
        self._take_back_unacknowledged()

    def _take_back_unacknowledged(self) -> None:
        before = len(self.charges)
        super()._take_back_unacknowledged()
        if len(self.charges) < before:
            self._passing("taken_back")

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
