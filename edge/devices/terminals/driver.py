"""One card terminal, owned: what can be asked of it, one operation at a time, each with a deadline.

The session knows the protocol, the wire has socket and timer, the exchange waits; here is the order of things. The
connection is kept open and re-opened by itself, or made for each request, as the model's profile says. Whoever waits
for a sale may go away: the sale stays with the session, and its answer then comes through `on_late_answer`.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from edge.devices.terminals.card_free import card_free_number
from edge.devices.terminals.caretaker import Caretaker
from edge.devices.terminals.engines import NUMBER_IS_APART
from edge.devices.terminals.exchange import Exchange, request_number
from edge.devices.terminals.newest_sale import NewestSale
from edge.devices.terminals.outcome import (
    LastTransaction,
    OrderAnswer,
    Phase,
    StatusAnswer,
    TerminalOutcome,
    TerminalState,
)
from edge.devices.terminals.session import (
    Event,
    LastEnded,
    LateAnswer,
    OrderEnded,
    QueryEnded,
    ReadyEnded,
    SaleEnded,
    StrayAnswer,
    TerminalBill,
)
from firmware_profiles.addresses import Address
from firmware_profiles.profile import TerminalProfile
from shared.clock import Clock
from shared.entropy import Entropy, random_digits
from shared.errors import DeviceError
from shared.events import Evidence

__all__ = ["LastTransaction", "OrderAnswer", "StatusAnswer", "TerminalDriver", "TerminalOutcome", "TerminalState"]

UNUSED_REFERENCE_DIGITS: Final = 18


class TerminalDriver:
    """A terminal. All methods belong to one event loop; `state` may be read at any time.

    Raises DeviceError `terminal.no_such_way` for an address of a kind that the model cannot be reached by.
    """

    def __init__(
        self, *, name: str, profile: TerminalProfile, address: Address, clock: Clock, entropy: Entropy
    ) -> None:
        self.name = name
        self.profile = profile
        self.on_late_answer: Callable[[str, TerminalOutcome], None] | None = None
        """Called with (reference, outcome) when an answer settles a sale that no caller waits for any more. The
        outcome is approved, declined or cancelled, and is another than the sale had."""
        self.on_stray_answer: Callable[[Evidence], None] | None = None
        """Called with evidence of a charge that settles nothing: of a sale not known here, or in disagreement with
        it. A person must look."""
        self.on_change: Callable[[TerminalState], None] | None = None
        """Called after each change of `state` other than the time it was last seen."""
        self._entropy = entropy
        self._exchange = Exchange(
            name=name,
            profile=profile,
            address=address,
            clock=clock,
            on_opened=self._opened,
            on_unawaited=self._unawaited,
            on_changed=self._changed,
        )
        self._newest = NewestSale(self._exchange, entropy)
        self._session = self._exchange.session
        self._wire = self._exchange.wire
        self._kept = profile.connection == "kept"
        self._caretaker = Caretaker(self._exchange, self.probe)
        self._number_asked = False
        self._idle_confirmed = False
        self._shown: TerminalState | None = None
        self._on_progress: Callable[[str], None] | None = None

    @property
    def state(self) -> TerminalState:
        """Return what is known of the terminal now."""
        connected = self._wire.is_there
        resting: Phase = "connected" if connected else "unreachable" if self._wire.last_error else "connecting"
        # On a link of its own for each request, silence shows as the request's trouble.
        answers = self._wire.heard if self._kept else self._wire.last_error is None
        return TerminalState(
            name=self.name,
            address=self._exchange.address,
            phase="closed" if self._exchange.closed else self._exchange.activity or resting,
            connected=connected,
            answers=connected and answers,
            unanswered_reference=self._session.unanswered(self._exchange.now()),
            terminal_number=card_free_number(self._session.terminal_number),
            centre_link=self._session.centre_link,
            last_seen_at=self._wire.last_seen_at,
            last_error=self._wire.last_error,
        )

    # --- what can be asked of a terminal -----------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin keeping the connection; returns at once. Every other call starts it too."""
        self._caretaker.start()

    async def prepare(self, amount_rial: int | None = None) -> str | None:
        """Connect, learn the terminal's number, and have it confirm that it is idle. No byte of an amount leaves.

        Return the newest trace it knows, where it can only be asked for its last transaction: the baseline of the sale
        that follows (`000000` before its first one; None where it does not say).
        Raises DeviceError `terminal.unreachable`, `terminal.not_ready` or `terminal.busy` (another operation runs);
        `terminal.amount` when the model cannot take the amount that is meant.
        """
        limits = self.profile.limits
        if amount_rial is not None and not limits.carry(amount_rial):
            raise DeviceError("terminal.amount", least=limits.amount_min_rial, most=limits.amount_max_rial)
        await self._check("preparing")
        self._idle_confirmed = True
        return self._session.newest_stan

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
        """Write the amount and wait for the answer, until the profile's answer_timeout_ms at the latest.

        Device trouble never raises: it is `in_doubt`. A terminal not prepared on the present link is prepared first.
        `on_progress` gets `connecting` when that is so, `waiting_card`, and `cancelling` if asked to.
        `terminal_number` is the number the answer must carry (default: the one learnt), `baseline_stan` what `prepare`
        returned. Cancelling the task leaves the sale with the driver: its answer comes late. `bill` makes it the
        payment of that bill at the terminal's own centre, where the model can.
        Raises ValueError, before anything left, for an amount, reference or bill the model cannot carry.
        """
        self._check_carries(amount_rial, bill)
        due = self._exchange.now() + self.profile.times.answer_timeout_ms
        try:
            await self._begin("waiting_card", due)
        except DeviceError:
            return TerminalOutcome(kind="in_doubt", reason="link_lost")
        try:
            self._on_progress = on_progress
            if not self._idle_confirmed or (self._kept and not self._wire.is_up):
                self._progress("connecting")
                await self._make_ready(due)
                self._check_is(terminal_number)
            self._idle_confirmed = False
            if not self._kept:
                await self._exchange.need_link(due)
            self._session.start_sale(
                amount_rial=amount_rial,
                reference=reference,
                terminal_number=terminal_number,
                baseline_stan=baseline_stan,
                bill=bill,
                now_ms=self._exchange.now(),
                due_ms=due,
            )
            end = await self._exchange.answer(SaleEnded, due, on_left=lambda: self._progress("waiting_card"))
            return TerminalOutcome(kind="in_doubt", reason="no_answer") if end is None else end.outcome
        except DeviceError:
            return TerminalOutcome(kind="in_doubt", reason="link_lost")
        finally:
            self._on_progress = None
            self._session.abandon_sale()
            self._exchange.finish()

    async def query(
        self,
        *,
        reference: str,
        amount_rial: int,
        terminal_number: str | None = None,
        baseline_stan: str | None = None,
    ) -> StatusAnswer:
        """Ask the terminal what became of a payment, within query_timeout_ms. Device trouble: `no_answer`.

        It is asked by the reference, or where the terminal has no such thing by its last transaction, held against the
        payment's `baseline_stan`. `terminal_number` is the number of the payment's own terminal, when the journal
        knows it. Raises ValueError, before anything left, for a reference the protocol cannot carry.
        """
        due = self._exchange.now() + self.profile.times.query_timeout_ms
        try:
            await self._begin("asking", due)
        except DeviceError:
            return StatusAnswer(kind="no_answer")
        try:
            if self.profile.protocol in NUMBER_IS_APART:
                await self._make_ready(due)
            await self._exchange.need_link(due)
            self._session.ask_status(
                reference=reference,
                amount_rial=amount_rial,
                terminal_number=terminal_number,
                baseline_stan=baseline_stan,
                request_number=request_number(self._entropy),
                due_ms=due,
            )
            end = await self._exchange.answer(QueryEnded, due)
            return StatusAnswer(kind="no_answer") if end is None else end.answer
        except DeviceError:
            return StatusAnswer(kind="no_answer")
        finally:
            self._exchange.finish()

    async def last_transaction(self) -> LastTransaction:
        """Ask the terminal for its last transaction, whosever it was. Device trouble: `no_answer`."""
        await self.start()
        return await self._newest.last_transaction()

    async def acknowledge(self, *, amount_rial: int, stan: str, terminal_number: str | None = None) -> OrderAnswer:
        """Tell a confirming terminal that its newest sale is journaled; untold, it reverses the sale by itself.

        The sale is named by what the approval said of it. Device trouble never raises.
        """
        await self.start()
        return await self._newest.order(
            "acknowledge", amount_rial=amount_rial, stan=stan, terminal_number=terminal_number
        )

    async def reverse(self, *, amount_rial: int, stan: str, terminal_number: str | None = None) -> OrderAnswer:
        """Tell the terminal to undo its newest sale, after asking whether the newest is this very one.

        The sale is named by what the approval said of it: amount, STAN and (if known) terminal number. Journal the
        order before. Device trouble never raises; what an order in doubt did is asked by `query`: `approved` says that
        the sale stands, `not_found` that it does not.
        """
        await self.start()
        return await self._newest.order("reverse", amount_rial=amount_rial, stan=stan, terminal_number=terminal_number)

    async def void(
        self, *, amount_rial: int, stan: str, receipt_number: str, terminal_number: str | None = None
    ) -> OrderAnswer:
        """Tell the terminal to undo, before settlement, the sale of a receipt, be it the newest or not.

        As `reverse` otherwise, but that nothing is asked before.
        """
        await self.start()
        return await self._newest.order(
            "void", amount_rial=amount_rial, stan=stan, terminal_number=terminal_number, receipt_number=receipt_number
        )

    async def cancel(self) -> None:
        """Ask the terminal to drop the sale it waits for a card for. The sale's own answer says whether it did.

        Also of use after a sale ended in doubt unanswered; does nothing when there is no such sale, or no link.
        """
        if not self._wire.is_up or not self.profile.capabilities.cancel_while_waiting:
            return
        if self._session.ask_cancel(self._exchange.now()):
            self._wire.pump()
            if self._exchange.is_awaited(SaleEnded):
                self._exchange.activity = "cancelling"
                self._progress("cancelling")
            self._changed()

    async def probe(self) -> None:
        """Ask whether the terminal is there and idle, making no transaction. Raises DeviceError as `prepare`."""
        await self._check(None)

    async def close(self) -> None:
        """End the connection and every wait; a sale still waited for ends in doubt, `link_lost`."""
        await self._caretaker.stop()
        await self._exchange.close()

    def _check_carries(self, amount_rial: int, bill: TerminalBill | None) -> None:
        if not self.profile.limits.carry(amount_rial):
            raise ValueError("amount_rial is outside this model's limits")
        if bill is not None and not self.profile.capabilities.bill:
            raise ValueError("this model pays no bills")

    def _check_is(self, terminal_number: str | None) -> None:
        """Check that no other terminal is at the address by now: the journal names one. Raises DeviceError."""
        if terminal_number not in {None, self._session.terminal_number}:
            raise DeviceError("terminal.other_terminal", terminal=self.name)

    # --- steps of an operation ---------------------------------------------------------------------------------------

    async def _begin(self, activity: Phase | None, due_ms: int) -> None:
        await self.start()
        await self._exchange.begin(activity, due_ms)

    async def _check(self, activity: Phase | None) -> None:
        times = self.profile.times
        due = self._exchange.now() + times.connect_timeout_ms + 2 * times.ready_timeout_ms
        await self._begin(activity, due)
        try:
            await self._make_ready(due)
            if activity == "preparing":
                await self._learn_baseline(due)
        finally:
            self._exchange.finish()

    async def _learn_baseline(self, due_ms: int) -> None:
        """Ask for the last transaction where that is another question than whether the terminal is idle."""
        can = self.profile.capabilities
        apart = self._kept and can.query_last and not can.query_by_reference and self._session.newest_stan is None
        if apart:
            self._session.ask_last(request_number=request_number(self._entropy), due_ms=due_ms)
            await self._exchange.answer(LastEnded, due_ms)

    async def _make_ready(self, due_ms: int) -> None:
        """Have a link, the terminal's number and its word that it is idle. Raises DeviceError."""
        await self._exchange.need_link(due_ms)
        if not self._number_asked:
            await self._ask_number(due_ms)
        due_ms = min(due_ms, self._exchange.now() + self.profile.times.ready_timeout_ms)
        self._session.ask_ready(due_ms=due_ms)
        end = await self._exchange.answer(ReadyEnded, due_ms)
        if end is not None and end.idle:
            self._wire.last_error = None
            return
        self._wire.last_error = "terminal.not_ready"
        if self._kept and self._session.unanswered(self._exchange.now()) is None:
            # A word that comes late must not pass for the answer to the next question; a new link has no past.
            self._wire.drop()
        raise DeviceError("terminal.not_ready", terminal=self.name)

    async def _ask_number(self, due_ms: int) -> None:
        """Learn the terminal's own number before any amount is sent, by asking for a sale that does not exist.

        A terminal that does not say is no trouble: its number is then learnt from its first answer.
        """
        self._number_asked = True
        if not self.profile.capabilities.query_by_reference:
            return
        due_ms = min(due_ms, self._exchange.now() + self.profile.times.ready_timeout_ms)
        reference = random_digits(self._entropy, min(UNUSED_REFERENCE_DIGITS, self.profile.reference_digits_max))
        self._session.ask_number(reference=reference, request_number=request_number(self._entropy), due_ms=due_ms)
        await self._exchange.answer(QueryEnded, due_ms)
        if not self._wire.is_up:
            raise self._exchange.unreachable()

    # --- what the terminal says --------------------------------------------------------------------------------------

    def _opened(self) -> None:
        """Take notice of a new link: where it is kept, another terminal may be there, with other work in hand."""
        if self._kept:
            self._number_asked = False
            self._idle_confirmed = False
            self._caretaker.link_opened()

    def _unawaited(self, event: Event) -> None:
        """Hand on what was said while nobody waited for it."""
        match event:
            case SaleEnded(reference, outcome) | LateAnswer(reference, outcome):
                self._deliver_late(reference, outcome)
            case QueryEnded(reference, answer):
                if answer.kind == "approved":
                    self._deliver_late(reference, TerminalOutcome(kind="approved", evidence=answer.evidence))
            case StrayAnswer(evidence):
                if self.on_stray_answer is not None:
                    # Not from inside the socket's callback: an error there would close the link.
                    asyncio.get_running_loop().call_soon(self.on_stray_answer, evidence)
            case ReadyEnded() | LastEnded() | OrderEnded():
                pass

    def _deliver_late(self, reference: str, outcome: TerminalOutcome) -> None:
        if self.on_late_answer is not None and outcome.kind != "in_doubt":
            asyncio.get_running_loop().call_soon(self.on_late_answer, reference, outcome)

    def _progress(self, word: str) -> None:
        if self._on_progress is not None:
            # Not from here: an error there must not end a sale whose amount has left.
            asyncio.get_running_loop().call_soon(self._on_progress, word)

    def _changed(self) -> None:
        """Tell who watches, when more changed than the time the terminal was heard."""
        state = self.state
        shown = msgspec.structs.replace(state, last_seen_at=None)
        if shown != self._shown:
            self._shown = shown
            if self.on_change is not None:
                asyncio.get_running_loop().call_soon(self.on_change, state)
