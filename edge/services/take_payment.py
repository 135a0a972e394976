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
from edge.store.queries import Queries
from firmware_profiles.profile import TerminalProfile
from shared.clock import Clock
from shared.entropy import Entropy, random_digits, random_name
from shared.errors import BugError, DaftarError, DeviceError, OperatorError
from shared.events import (
    AlarmRaised,
    Body,
    Evidence,
    PaymentApproved,
    PaymentCancelled,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentNotSent,
    PaymentRequested,
    PaymentSent,
    Split,
)
from shared.identifiers import Bill
from shared.ids import bill_obligation
from shared.payment import CHARGED, LATE, TRANSITIONS, PaymentState

log = structlog.get_logger()

REFERENCE_DIGITS: Final = 18


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
        self._payment_ids: dict[str, str] = {}
        """By the reference the terminal was given, of payments of this run."""
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

    def late_answer(self, reference: str, outcome: TerminalOutcome) -> None:
        """Take an answer nobody waited for any more: it settles its payment as if it had come in time."""
        payment_id = self._payment_ids.get(reference)
        if payment_id is None:
            log.error("late answer to an unknown reference", kind=outcome.kind)
        else:
            self._spawn(payment_id, self.record(payment_id, outcome))

    def stray_answer(self, evidence: Evidence) -> None:
        """Take an approval that belongs to no sale of ours: a person must look."""
        detail = f"amount {evidence.amount_rial} rrn {evidence.rrn} stan {evidence.stan}"
        alarm = AlarmRaised(kind="stray_approval", detail=detail)

        async def raise_alarm() -> None:
            await self._writer.commit(lambda _: [alarm])

        self._spawn(f"stray {evidence.rrn}", raise_alarm())

    def _spawn(self, name: str, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, name=name)
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    def waited_ms(self, payment_id: str) -> int:
        """Return milliseconds that have certainly passed since the payment was sent; wall time is not asked.

        For one that was sent before this start, the time since this start is a lower bound.
        """
        sent = self._sent_monotonic_ms.get(payment_id, self._started_monotonic_ms)
        return self._clock.monotonic_ms() - sent

    async def request(self, bill: Bill, *, operator: str, inquiry_id: str | None = None) -> str:
        """Journal the intent and start the terminal's part; return our payment id at once.

        Raises OperatorError `payment.obligation_held`, `payment.terminal_locked` (both name the payment) and
        `payment.box_quarantined`. Nothing was sent then.
        """
        payment_id = random_name(self._entropy, "p")
        reference = random_digits(self._entropy, REFERENCE_DIGITS)
        obligation = bill_obligation(bill.bill_id, bill.payment_id)

        def decide(view: StoreView) -> Sequence[Body]:
            if view.quarantined():
                raise OperatorError("payment.box_quarantined")
            if held := view.holder_of(obligation):
                raise OperatorError("payment.obligation_held", payment_id=held.payment_id)
            if locked := self._locked_by(view):
                raise OperatorError("payment.terminal_locked", payment_id=locked)
            return [
                PaymentRequested(
                    payment_id=payment_id,
                    obligation=obligation,
                    purpose="bill",
                    amount_rial=bill.amount_rial,
                    split=Split(gross_rial=bill.amount_rial, company_rial=bill.amount_rial),
                    method="pcpos",
                    terminal=self._terminal.name,
                    reference=reference,
                    operator=operator,
                    bill_id=bill.bill_id,
                    bill_payment_id=bill.payment_id,
                    inquiry_id=inquiry_id,
                )
            ]

        await self._writer.commit(decide)
        self._payment_ids[reference] = payment_id
        self._say(payment_id, "queued")
        task = asyncio.create_task(self._run(payment_id, reference, bill.amount_rial), name=f"payment {payment_id}")
        self._running[payment_id] = task
        task.add_done_callback(lambda _: self._running.pop(payment_id, None))
        return payment_id

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
        """Wait for nothing: end what runs. What was sent stays `sent` and is in doubt at the next start."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        # What the terminal already said is written to the end.
        await asyncio.gather(*tasks, *self._recording, return_exceptions=True)

    def _say(self, payment_id: str, word: str | None) -> None:
        if word is None:
            self._progress.pop(payment_id, None)
        else:
            self._progress[payment_id] = word
        self._on_progress(payment_id)

    async def _run(self, payment_id: str, reference: str, amount_rial: int) -> None:
        try:
            async with self.terminal_lock:
                await self._at_terminal(payment_id, reference, amount_rial)
        except DaftarError as error:
            # The journal refused (disk, verification): the payment stays as the journal last knew it.
            log.exception("payment stopped", payment_id=payment_id, code=error.code)
        finally:
            self._cancelled.discard(payment_id)
            self._say(payment_id, None)

    async def _at_terminal(self, payment_id: str, reference: str, amount_rial: int) -> None:
        self._say(payment_id, "connecting")
        reason = await self._obstacle(payment_id)
        if reason is not None:
            await self._writer.commit(lambda _: [PaymentNotSent(payment_id=payment_id, reason=reason)])
            return
        number = self._terminal.state.terminal_number
        await self._writer.commit(lambda _: [PaymentSent(payment_id=payment_id, terminal_number=number)])
        self._sent_monotonic_ms[payment_id] = self._clock.monotonic_ms()
        outcome = await self._terminal.sale(
            amount_rial=amount_rial,
            reference=reference,
            on_progress=lambda word: self._say(payment_id, word),
            terminal_number=number,
        )
        await self.record(payment_id, outcome)

    async def _obstacle(self, payment_id: str) -> str | None:
        """Return why the amount must not be sent, None when the terminal is idle and nobody cancelled."""
        # The payment before this one in the queue may have ended in doubt: the terminal is then locked. Nothing else
        # speaks to the terminal while we hold it, so this cannot change before the amount is sent.
        if any(payment.terminal == self._terminal.name for payment in self._queries.in_doubt()):
            return "payment.terminal_locked"
        try:
            await self._terminal.prepare()
        except DeviceError as error:
            return error.code
        return "operator_cancelled" if payment_id in self._cancelled else None

    def _locked_by(self, view: StoreView) -> str | None:
        """Return the payment in doubt that locks the terminal."""
        for payment in view.payments_in({PaymentState.IN_DOUBT}):
            if payment.terminal == self._terminal.name:
                return payment.payment_id
        return None

    async def record(self, payment_id: str, outcome: TerminalOutcome) -> None:
        """Journal what the terminal said, as far as the payment table and the evidence allow."""

        def decide(view: StoreView) -> Sequence[Body]:
            payment = known(view, payment_id)
            bodies = judge(payment_id, payment.state, outcome)
            if any(isinstance(body, PaymentApproved) for body in bodies):
                spool(view, self._entropy, document=BILL_RECEIPT, about=payment_id, copy=False)
            return bodies

        await self._writer.commit(decide)


def known(view: StoreView, payment_id: str) -> PaymentView:
    """Return a payment that must be there. Raises OperatorError `payment.unknown`."""
    payment = view.payment(payment_id)
    if payment is None:
        raise OperatorError("payment.unknown", payment_id=payment_id)
    return payment


def judge(payment_id: str, state: PaymentState, outcome: TerminalOutcome) -> list[Body]:
    """Return the entries that an outcome adds to a payment in this state. Pure.

    Evidence of a charge beats evidence of none: an approval is applied to every state that is not charged yet, and to
    a state that was settled as not charged it adds an alarm. The other outcomes only ever end a payment that is still
    open; said of a settled one they are noise and add nothing.
    """
    if outcome.kind == "approved":
        return _approval(payment_id, state, outcome.evidence)
    if state not in (PaymentState.SENT, PaymentState.IN_DOUBT):
        return []
    if outcome.kind == "in_doubt" or outcome.evidence is None:
        return _doubt(payment_id, state, outcome)
    if outcome.kind == "declined":
        return [PaymentDeclined(payment_id=payment_id, evidence=outcome.evidence)]
    return [PaymentCancelled(payment_id=payment_id, evidence=outcome.evidence)]


def _approval(payment_id: str, state: PaymentState, evidence: Evidence | None) -> list[Body]:
    if evidence is None:
        raise BugError("payment.no_evidence", payment_id=payment_id)
    if state in CHARGED and state is not PaymentState.OVERRIDDEN_CHARGED:
        return []
    if PaymentState.APPROVED not in TRANSITIONS[state]:
        return [_alarm("approval_out_of_place", payment_id, f"state {state}")]
    approved = PaymentApproved(payment_id=payment_id, evidence=evidence)
    return [approved, _alarm("late_approval", payment_id, f"state {state}")] if state in LATE else [approved]


def _doubt(payment_id: str, state: PaymentState, outcome: TerminalOutcome) -> list[Body]:
    alarms: list[Body] = [_alarm("answer_mismatch", payment_id, "")] if outcome.reason == "mismatch" else []
    if state is PaymentState.IN_DOUBT:
        return alarms
    return [PaymentInDoubt(payment_id=payment_id, reason=outcome.reason, evidence=outcome.evidence), *alarms]


def _alarm(kind: str, payment_id: str, detail: str) -> AlarmRaised:
    return AlarmRaised(kind=kind, payment_id=payment_id, detail=detail)
