"""Take one payment: intent in the journal, amount to the terminal, outcome in the journal. In that order, always.

    payment.requested   the operator pressed pay; a partial unique index lets one payment hold an obligation
    (connect, idle?)    the terminal confirms that it is idle; failing here is payment.not_sent
    payment.sent        durable before the first byte of the amount leaves
    (card dialogue)     may take minutes; the page watches, nothing waits for it
    outcome             approved, declined, cancelled or in doubt; with an approval the receipt is spooled, same commit

Killed between any two lines, the box comes back and `edge.journal.recovery` says which of them were reached.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Final, Protocol

import structlog

from edge.devices.terminals.outcome import StatusAnswer, TerminalOutcome, TerminalState
from edge.journal.views import PaymentView
from edge.journal.writer import JournalWriter, StoreView
from edge.services.documents import BILL_RECEIPT, spool
from edge.services.judge_outcome import (
    SECOND_CHARGE,
    STRAY_APPROVAL,
    agrees,
    charge_alarm,
    charge_spoken_of,
    is_second_charge,
    judge,
)
from edge.store.queries import Queries
from firmware_profiles.profile import TerminalProfile
from shared.clock import Clock
from shared.entropy import Entropy, random_digits, random_name
from shared.errors import DeviceError, OperatorError
from shared.events import (
    Body,
    Evidence,
    PaymentApproved,
    PaymentInDoubt,
    PaymentNotSent,
    PaymentRequested,
    PaymentSent,
    Split,
)
from shared.identifiers import Bill
from shared.ids import bill_obligation
from shared.payment import CHARGED, PaymentState

log = structlog.get_logger()

REFERENCE_DIGITS: Final = 18
FAULT: Final = "fault"
"""The reason of a payment that a fault of this program ended: before the amount left not sent, after it in doubt."""


class Terminal(Protocol):
    """The card terminal, as `edge.devices.terminals.driver.TerminalDriver` keeps it."""

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


class TakePayment:
    """Owner of the one terminal: payments at it run one after another."""

    def __init__(
        self,
        *,
        writer: JournalWriter,
        queries: Queries,
        terminal: Terminal,
        clock: Clock,
        entropy: Entropy,
        on_progress: Callable[[str], None],
    ) -> None:
        self._writer = writer
        self._queries = queries
        self._terminal = terminal
        self._clock = clock
        self._entropy = entropy
        self._started_monotonic_ms = clock.monotonic_ms()
        self._sent_monotonic_ms: dict[str, int] = {}
        self._recording: set[asyncio.Task[None]] = set()
        self._on_progress = on_progress
        self._progress: dict[str, str] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._cancelled: set[str] = set()
        self.terminal_lock = asyncio.Lock()
        """Held while the terminal is being spoken to about a payment, by whoever speaks."""

    def progress(self, payment_id: str) -> str | None:
        """Return the word for what is happening to a payment now, None when nothing is."""
        return self._progress.get(payment_id)

    def waited_ms(self, payment_id: str) -> int:
        """Return milliseconds that have certainly passed since the payment was sent; wall time is not asked.

        For one that was sent before this start, the time since this start is a lower bound.
        """
        sent = self._sent_monotonic_ms.get(payment_id, self._started_monotonic_ms)
        return self._clock.monotonic_ms() - sent

    # --- asked by people and programs --------------------------------------------------------------------------------

    async def request(
        self, bill: Bill, *, operator: str, inquiry_id: str | None = None, payment_id: str | None = None
    ) -> str:
        """Journal the intent and start the terminal's part; return our payment id at once.

        A `payment_id` of the caller's own makes a repeated request the same payment: it begins nothing again.
        Raises OperatorError `payment.obligation_held`, `payment.terminal_locked` (both name the payment),
        `payment.box_quarantined`, `inquiry.unknown` or `inquiry.other_bill`. Nothing was sent then.
        """
        wanted = PaymentRequested(
            payment_id=payment_id or random_name(self._entropy, "p"),
            obligation=bill_obligation(bill.bill_id, bill.payment_id),
            purpose="bill",
            amount_rial=bill.amount_rial,
            split=Split(gross_rial=bill.amount_rial, company_rial=bill.amount_rial),
            method="pcpos",
            terminal=self._terminal.name,
            reference=random_digits(self._entropy, REFERENCE_DIGITS),
            operator=operator,
            bill_id=bill.bill_id,
            bill_payment_id=bill.payment_id,
            inquiry_id=inquiry_id,
        )
        # A caller that goes away must not leave a payment that is journaled and that nobody works on.
        await asyncio.shield(self._spawn(f"request {wanted.payment_id}", self._begin(wanted)))
        return wanted.payment_id

    async def _begin(self, wanted: PaymentRequested) -> None:
        def decide(view: StoreView) -> Sequence[Body]:
            if view.payment(wanted.payment_id) is not None:
                return []
            if view.quarantined():
                raise OperatorError("payment.box_quarantined")
            if held := view.holder_of(wanted.obligation):
                raise OperatorError("payment.obligation_held", payment_id=held.payment_id)
            if locked := self._locked_by(view):
                raise OperatorError("payment.terminal_locked", payment_id=locked)
            if wanted.inquiry_id is not None:
                _check_inquiry(view, wanted.inquiry_id, wanted.obligation)
            return [wanted]

        if not await self._writer.commit(decide):
            return
        payment_id = wanted.payment_id
        self._say(payment_id, "queued")
        task = asyncio.create_task(self._run(wanted), name=f"payment {payment_id}")
        self._running[payment_id] = task
        task.add_done_callback(lambda _: self._running.pop(payment_id, None))

    async def cancel(self, payment_id: str) -> None:
        """Ask for a payment to be dropped: before it was sent it will not be; at the terminal it is asked to.

        Raises OperatorError `payment.not_waiting` when nothing of it is under way.
        """
        if payment_id not in self._running:
            raise OperatorError("payment.not_waiting", payment_id=payment_id)
        self._cancelled.add(payment_id)
        if self._progress.get(payment_id) == "waiting_card":
            await self._terminal.cancel()

    async def finish(self) -> None:
        """Wait for nothing: end what runs. What was sent stays `sent` and is in doubt at the next start.

        What the terminal already said is written to the end. Call it again after the terminal was closed: an answer
        may have come until then.
        """
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # The terminal hands answers on from the event loop's next round.
        await asyncio.sleep(0)
        while self._recording:
            await asyncio.gather(*self._recording, return_exceptions=True)

    # --- said by the terminal ----------------------------------------------------------------------------------------

    def late_answer(self, reference: str, outcome: TerminalOutcome) -> None:
        """Take an answer nobody waited for any more: it settles its payment as if it had come in time."""
        self._spawn(f"late answer to {reference}", self._record_late(reference, outcome))

    def stray_answer(self, evidence: Evidence) -> None:
        """Take an approval of no sale of this run: of an earlier one's if it agrees, else for a person to see."""
        self._spawn(f"stray answer to {evidence.reference}", self._record_stray(evidence))

    async def _record_late(self, reference: str, outcome: TerminalOutcome) -> None:
        # By the journal, not by what this run remembers: the amount may have left before a restart.
        payment = self._queries.payment_by_reference(reference)
        if payment is not None:
            await self.record(payment.payment_id, outcome)
        elif outcome.kind == "approved" and outcome.evidence is not None:
            await self._alarm_of(outcome.evidence, None)

    async def _record_stray(self, evidence: Evidence) -> None:
        payment = self._queries.payment_by_reference(evidence.reference) if evidence.reference else None
        if payment is not None and agrees(payment, evidence):
            await self.record(payment.payment_id, TerminalOutcome(kind="approved", evidence=evidence))
        else:
            await self._alarm_of(evidence, payment)

    async def _alarm_of(self, evidence: Evidence, payment: PaymentView | None) -> None:
        alarm = charge_alarm(STRAY_APPROVAL, evidence, None if payment is None else payment.payment_id)
        await self._writer.commit(lambda _: [alarm])

    async def record(self, payment_id: str, outcome: TerminalOutcome) -> None:
        """Journal what the terminal said, as far as the payment table and the evidence allow."""
        evidence = outcome.evidence
        code = None if evidence is None else self._terminal.profile.meaning(evidence.response_code).outcome

        def decide(view: StoreView) -> Sequence[Body]:
            payment = known(view, payment_id)
            if outcome.kind == "approved" and evidence is not None and is_second_charge(payment, evidence):
                return [charge_alarm(SECOND_CHARGE, evidence, payment_id)]
            spoken = charge_spoken_of(view.alarms_about(payment_id))
            bodies = judge(
                payment_id, payment.state, outcome, spoken_before=spoken, speaks_of_charge=code == "approved"
            )
            if any(isinstance(body, PaymentApproved) for body in bodies):
                spool(view, self._entropy, document=BILL_RECEIPT, about=payment_id, copy=False)
            return bodies

        recorded = await self._writer.commit(decide)
        if outcome.kind != "in_doubt":
            self._sent_monotonic_ms.pop(payment_id, None)
        if any(isinstance(record.body, PaymentApproved) for record in recorded):
            await self._call_back_others(payment_id)

    async def _call_back_others(self, paid: str) -> None:
        """Have another payment of the same obligation dropped while it still can be: this one was charged."""
        payment = self._queries.payment(paid)
        for other in list(self._running):
            same = self._queries.payment(other)
            if payment is not None and same is not None and other != paid and same.obligation == payment.obligation:
                await self.cancel(other)

    def _spawn(self, name: str, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run work that must be written to the end whoever waits for it."""
        task = asyncio.create_task(work, name=name)
        self._recording.add(task)
        task.add_done_callback(self._spawned_done)
        return task

    def _spawned_done(self, task: asyncio.Task[None]) -> None:
        self._recording.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, OperatorError):
            log.error("not journaled", what=task.get_name(), exc_info=error)

    def _say(self, payment_id: str, word: str | None) -> None:
        if word is None:
            self._progress.pop(payment_id, None)
        else:
            self._progress[payment_id] = word
        self._on_progress(payment_id)

    # --- the terminal's part -----------------------------------------------------------------------------------------

    async def _run(self, wanted: PaymentRequested) -> None:
        payment_id = wanted.payment_id
        try:
            async with self.terminal_lock:
                await self._at_terminal(wanted)
        except Exception:
            # Whatever it was: a payment must not stay open with nobody working on it.
            log.exception("payment stopped", payment_id=payment_id)
            await self._give_up(payment_id)
        finally:
            self._cancelled.discard(payment_id)
            self._say(payment_id, None)

    async def _give_up(self, payment_id: str) -> None:
        def decide(view: StoreView) -> Sequence[Body]:
            state = known(view, payment_id).state
            if state is PaymentState.REQUESTED:
                return [PaymentNotSent(payment_id=payment_id, reason=FAULT)]
            return [PaymentInDoubt(payment_id=payment_id, reason=FAULT)] if state is PaymentState.SENT else []

        try:
            await self._writer.commit(decide)
        except Exception:
            # The journal takes nothing any more; a start through recovery settles this payment.
            log.exception("payment left open", payment_id=payment_id)

    async def _at_terminal(self, wanted: PaymentRequested) -> None:
        payment_id = wanted.payment_id
        self._say(payment_id, "connecting")
        not_ready = await self._not_ready()
        number = self._terminal.state.terminal_number

        def decide(view: StoreView) -> Sequence[Body]:
            # The last moment: what this reads cannot change before the decision is durable.
            if reason := not_ready or self._obstacle(view, wanted):
                return [PaymentNotSent(payment_id=payment_id, reason=reason)]
            return [PaymentSent(payment_id=payment_id, terminal_number=number)]

        (recorded,) = await self._writer.commit(decide)
        if not isinstance(recorded.body, PaymentSent):
            return
        self._sent_monotonic_ms[payment_id] = self._clock.monotonic_ms()
        outcome = await self._terminal.sale(
            amount_rial=wanted.amount_rial,
            reference=wanted.reference,
            on_progress=lambda word: self._on_sale_progress(payment_id, word),
            terminal_number=number,
        )
        # Said is said: a stop of the program must not undo it on its way to the journal.
        await asyncio.shield(self._spawn(f"outcome of {payment_id}", self.record(payment_id, outcome)))

    def _on_sale_progress(self, payment_id: str, word: str) -> None:
        if payment_id not in self._running:
            return
        self._say(payment_id, word)
        if word == "waiting_card":
            # The amount has left only now: connecting anew may have taken its time after `sent` was journaled.
            self._sent_monotonic_ms[payment_id] = self._clock.monotonic_ms()
            if payment_id in self._cancelled:
                self._spawn(f"cancel {payment_id}", self._terminal.cancel())

    async def _not_ready(self) -> str | None:
        """Return why the terminal cannot take an amount, None when it said that it is idle."""
        # Nothing else speaks to the terminal while we hold it: one that is locked now stays so.
        if any(payment.terminal == self._terminal.name for payment in self._queries.in_doubt()):
            return "payment.terminal_locked"
        try:
            await self._terminal.prepare()
        except DeviceError as error:
            return error.code
        return None

    def _obstacle(self, view: StoreView, wanted: PaymentRequested) -> str | None:
        """Return why the amount must not be sent, whatever was so when the payment was asked for."""
        if wanted.payment_id in self._cancelled:
            return "operator_cancelled"
        if view.quarantined():
            return "payment.box_quarantined"
        if self._locked_by(view):
            return "payment.terminal_locked"
        # A late answer may have proved meanwhile that an earlier payment of this obligation was charged after all.
        same = view.payments_of(wanted.obligation)
        if any(payment.state in CHARGED for payment in same if payment.payment_id != wanted.payment_id):
            return "payment.obligation_held"
        return None

    def _locked_by(self, view: StoreView) -> str | None:
        """Return the payment in doubt that locks the terminal."""
        for payment in view.payments_in({PaymentState.IN_DOUBT}):
            if payment.terminal == self._terminal.name:
                return payment.payment_id
        return None


def known(view: StoreView, payment_id: str) -> PaymentView:
    """Return a payment that must be there. Raises OperatorError `payment.unknown`."""
    payment = view.payment(payment_id)
    if payment is None:
        raise OperatorError("payment.unknown", payment_id=payment_id)
    return payment


def _check_inquiry(view: StoreView, inquiry_id: str, obligation: str) -> None:
    """Check that an inquiry was answered with this very bill. Raises OperatorError."""
    inquiry = view.inquiry(inquiry_id)
    if inquiry is None:
        raise OperatorError("inquiry.unknown", inquiry_id=inquiry_id)
    if inquiry.bill_id is None or inquiry.bill_payment_id is None:
        raise OperatorError("inquiry.other_bill", inquiry_id=inquiry_id)
    if bill_obligation(inquiry.bill_id, inquiry.bill_payment_id) != obligation:
        raise OperatorError("inquiry.other_bill", inquiry_id=inquiry_id)
