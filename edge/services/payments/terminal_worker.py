"""One terminal's part of payments: one after another, in the order in which they were asked for.

Each terminal has a worker of its own, so one that hangs keeps only its own queue waiting. Whoever speaks to the
terminal about a payment (a sale, a question, its money back) holds the worker's `lock` while doing so.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Literal

import structlog

from edge.devices.terminals.outcome import TerminalOutcome
from edge.devices.terminals.session import TerminalBill
from edge.journal.writer import JournalWriter, StoreView
from edge.services.payments.may_pay import OBSTACLES, Obstacle
from edge.services.payments.record_outcome import RecordOutcome
from edge.services.payments.terminal_port import Terminal
from edge.store.queries import Queries
from firmware_profiles.profile import TerminalProfile
from shared.errors import DeviceError
from shared.events import Body, Evidence, PaymentNotSent, PaymentRequested, PaymentSent

log = structlog.get_logger()

OPERATOR_CANCELLED: Final = "operator_cancelled"
"""The reason of a payment that a person dropped before its amount left."""

CANCEL_WAIT_S: Final = 4.0
"""The longest that whoever drops a waiting payment waits to hear that it is journaled."""

_TRACES_LOOKED_AT: Final = 5
"""Sales of a terminal, the newest first, one of which it may tell as its last though it is not."""

Standing = Literal["idle", "busy", "connecting", "not_ready", "unreachable"]
"""How a terminal stands, apart from a lock by a payment in doubt. `not_ready`: there is a link, and nobody who answers
on it or one who says that it is not idle; `connecting` also while a link has not been answered on yet."""


class TerminalWorker:
    """Owner of one terminal: its queue, the payment that is at it, and the lock of whoever speaks to it."""

    def __init__(
        self,
        *,
        terminal: Terminal,
        writer: JournalWriter,
        queries: Queries,
        outcomes: RecordOutcome,
        on_progress: Callable[[str], None],
        pays_bills: bool = False,
        obstacles: Sequence[Obstacle] = OBSTACLES,
    ) -> None:
        self.terminal = terminal
        self._pays_bills = pays_bills
        self.lock = asyncio.Lock()
        """Held while the terminal is being spoken to about a payment, by whoever speaks."""
        self._writer = writer
        self._queries = queries
        self._outcomes = outcomes
        self._on_progress = on_progress
        self._obstacles = obstacles
        self.coming = 0
        """Payments that are being journaled for this terminal and will wait for it."""
        self._queue: dict[str, PaymentRequested] = {}
        self._current: str | None = None
        self._word: str | None = None
        self._cancelled: set[str] = set()
        self._dropping: set[str] = set()
        self._draining: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def name(self) -> str:
        """Our own name of the terminal."""
        return self.terminal.name

    @property
    def profile(self) -> TerminalProfile:
        """What kind of terminal it is."""
        return self.terminal.profile

    # --- what can be seen --------------------------------------------------------------------------------------------

    @property
    def current(self) -> str | None:
        """The payment that is at the terminal now."""
        return self._current

    @property
    def waiting(self) -> tuple[str, ...]:
        """The payments that wait for the terminal, the next one first."""
        return tuple(self._queue)

    @property
    def load(self) -> int:
        """How many payments stand before the next one that comes."""
        return self.coming + len(self._queue) + (self._current is not None)

    def place(self, payment_id: str) -> int | None:
        """Return how many payments are ahead of one that waits; 0 for the one at the terminal, None for any other."""
        if payment_id == self._current:
            return 0
        if payment_id not in self._queue:
            return None
        return list(self._queue).index(payment_id) + (self._current is not None)

    def progress(self, payment_id: str) -> str | None:
        """Return the word for what is happening to a payment here, None when nothing is."""
        if payment_id == self._current:
            return self._word
        if payment_id in self._dropping:
            return "cancelling"
        return "queued" if payment_id in self._queue else None

    @property
    def standing(self) -> Standing:
        """How the terminal stands now."""
        state = self.terminal.state
        if not state.connected:
            return "unreachable" if state.last_error else "connecting"
        if state.last_error:
            return "not_ready"
        if not state.answers:
            return "connecting"
        return "busy" if self.load or self.lock.locked() else "idle"

    # --- the queue ---------------------------------------------------------------------------------------------------

    def put(self, wanted: PaymentRequested) -> None:
        """Let a journaled intent wait for its turn."""
        self._queue[wanted.payment_id] = wanted
        self._on_progress(wanted.payment_id)
        self._wake()

    async def cancel(self, payment_id: str) -> bool:
        """Have a payment dropped: one that waits is not sent. Return whether it waits or runs here."""
        if self._queue.pop(payment_id, None) is not None:
            self._dropping.add(payment_id)
            # Who asked may go away, and must not wait for a sick disk: it is written off all the same.
            dropping = self._outcomes.to_the_end(f"cancel {payment_id}", self._drop(payment_id))
            await asyncio.wait({dropping}, timeout=CANCEL_WAIT_S)
            return True
        if payment_id in self._dropping:
            return True
        if payment_id != self._current:
            return False
        self._cancelled.add(payment_id)
        if self._word == "waiting_card":
            await self.terminal.cancel()
        return True

    async def _drop(self, payment_id: str) -> None:
        self._moved_up(payment_id)
        try:
            await self._outcomes.not_sent(payment_id, OPERATOR_CANCELLED)
        finally:
            self._dropping.discard(payment_id)
            self._on_progress(payment_id)

    async def finish(self) -> None:
        """Wait for nothing: end what runs. What was sent stays `sent`, what waits stays `requested`, for recovery."""
        self._stopped = True
        if self._draining is not None:
            self._draining.cancel()
            await asyncio.gather(self._draining, return_exceptions=True)
        self._queue.clear()

    def _wake(self) -> None:
        if self._draining is None and self._queue and not self._stopped:
            self._draining = asyncio.create_task(self._drain(), name=f"terminal {self.name}")
            self._draining.add_done_callback(self._drained)

    def _drained(self, task: asyncio.Task[None]) -> None:
        self._draining = None
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("terminal's queue stumbled", terminal=self.name, exc_info=error)
        # Whatever made it stumble, those behind must not wait for ever.
        self._wake()

    async def _drain(self) -> None:
        while self._queue:
            async with self.lock:
                # Only now: until the terminal is ours, the first of the queue can still be dropped from it.
                payment_id = next(iter(self._queue), None)
                if payment_id is None:
                    return
                wanted = self._queue.pop(payment_id)
                self._current, self._word = payment_id, "connecting"
                try:
                    await self._run(wanted)
                finally:
                    self._cancelled.discard(payment_id)
                    self._current = self._word = None
                    self._moved_up(payment_id)

    def _moved_up(self, gone: str) -> None:
        """Tell of a payment that is through, and of all whose place changed by that."""
        for payment_id in (gone, *self._queue):
            self._on_progress(payment_id)

    def _say(self, payment_id: str, word: str) -> None:
        if payment_id == self._current:
            self._word = word
            self._on_progress(payment_id)

    # --- at the terminal ---------------------------------------------------------------------------------------------

    async def _run(self, wanted: PaymentRequested) -> None:
        try:
            self._moved_up(wanted.payment_id)
            await self._at_terminal(wanted)
        except Exception:
            # Whatever it was: a payment must not stay open with nobody working on it.
            log.exception("payment stopped", payment_id=wanted.payment_id)
            await self._outcomes.give_up(wanted.payment_id)

    async def _at_terminal(self, wanted: PaymentRequested) -> None:
        payment_id = wanted.payment_id
        not_ready, baseline_stan = await self._not_ready(wanted.amount_rial)
        number = self.terminal.state.terminal_number
        bill = _bill_of(wanted) if self._pays_bills else None

        def decide(view: StoreView) -> Sequence[Body]:
            # The last moment: what this reads cannot change before the decision is durable.
            if reason := not_ready or self._obstacle(view, wanted):
                return [PaymentNotSent(payment_id=payment_id, reason=reason)]
            confirming = self.terminal.profile.capabilities.confirming
            return [
                PaymentSent(
                    payment_id=payment_id,
                    terminal_number=number,
                    baseline_stan=baseline_stan,
                    confirming=confirming,
                    pays_bill=bill is not None,
                )
            ]

        (recorded,) = await self._writer.commit(decide)
        if not isinstance(recorded.body, PaymentSent):
            return
        self._outcomes.sent_now(payment_id)
        outcome = await self.terminal.sale(
            amount_rial=wanted.amount_rial,
            reference=wanted.reference,
            on_progress=lambda word: self._on_sale_progress(payment_id, word),
            terminal_number=number,
            baseline_stan=baseline_stan,
            bill=bill,
        )
        # Said is said: a stop of the program must not undo it on its way to the journal.
        await asyncio.shield(
            self._outcomes.to_the_end(
                f"outcome of {payment_id}", self._outcomes.record(payment_id, outcome, self.profile)
            )
        )

    def _on_sale_progress(self, payment_id: str, word: str) -> None:
        if payment_id != self._current:
            return
        self._say(payment_id, word)
        if word == "waiting_card":
            # The amount has left only now: connecting anew may have taken its time after `sent` was journaled.
            self._outcomes.sent_now(payment_id)
            if payment_id in self._cancelled:
                self._outcomes.to_the_end(f"cancel {payment_id}", self.terminal.cancel())

    async def _not_ready(self, amount_rial: int) -> tuple[str | None, str | None]:
        """Return why the terminal cannot take the amount, None when it is idle; and the baseline it told."""
        # Nothing else speaks to the terminal while we hold it: one that is locked now stays so.
        if self.name in self._queries.locked_terminals():
            return "payment.terminal_locked", None
        try:
            return None, self._baseline(await self.terminal.prepare(amount_rial))
        except DeviceError as error:
            return error.code, None

    def _baseline(self, told: str | None) -> str | None:
        """Return the trace that a sale's own has to be newer than.

        A terminal may tell the sale before its last one. Where the journal knows a newer sale of it than it tells, that
        one would be taken for the next payment of the same amount. So would an undoing that it hides, whose trace the
        journal does not know: then there is none.
        """
        if told is None:
            return None
        if self.profile.hides_undoings and self._queries.undone_since_trace(self.name, told):
            return None
        newest, *older = self._queries.newest_traces(self.name, _TRACES_LOOKED_AT) or [told]
        return newest if any(_same_trace(told, one) for one in older) else told

    def _obstacle(self, view: StoreView, wanted: PaymentRequested) -> str | None:
        """Return why the amount must not be sent, whatever was so when the payment was asked for."""
        if wanted.payment_id in self._cancelled:
            return OPERATOR_CANCELLED
        return next((reason for stands in self._obstacles if (reason := stands(view, wanted))), None)

    # --- said by the terminal ----------------------------------------------------------------------------------------

    def late_answer(self, reference: str, outcome: TerminalOutcome) -> None:
        """See `RecordOutcome.late_answer`."""
        self._outcomes.late_answer(reference, outcome, self.profile)

    def stray_answer(self, evidence: Evidence) -> None:
        """See `RecordOutcome.stray_answer`."""
        self._outcomes.stray_answer(evidence, self.profile)


def _same_trace(one: str, other: str) -> bool:
    return one.lstrip("0") == other.lstrip("0")


def _bill_of(wanted: PaymentRequested) -> TerminalBill | None:
    """Return the bill that a terminal may pay by its ids, None for any other payment.

    Several bills in one charge have no ids of their own; what a service's answer offers is its provider's to settle.
    """
    if wanted.purpose != "bill" or wanted.items or wanted.service:
        return None
    if wanted.bill_id is None or wanted.bill_payment_id is None:
        return None
    return TerminalBill(bill_id=wanted.bill_id, payment_id=wanted.bill_payment_id)
