"""Journal what terminals say of payments: in time, late, or of no payment that is known. Said is said.

Whatever a terminal told the box is written to the end, whoever waited for it and even while the box stops. A medium
that takes nothing for a while only delays it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Final

import structlog

from edge.devices.terminals.outcome import TerminalOutcome
from edge.journal.views import PaymentView
from edge.journal.writer import Decide, JournalWriter, Recorded, StoreView
from edge.services.papers.documents import spool_when_charged
from edge.services.payments.judge_outcome import (
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
from shared.entropy import Entropy
from shared.errors import DeviceError, OperatorError
from shared.events import Body, Evidence, PaymentApproved, PaymentInDoubt, PaymentNotSent
from shared.payment import PaymentState

log = structlog.get_logger()

FAULT: Final = "fault"
"""The reason of a payment that a fault of this program ended: before the amount left not sent, after it in doubt."""

AGAIN_FIRST_S: Final = 0.25
AGAIN_LONGEST_S: Final = 5.0
"""Pauses before something said is written once more to a journal that did not take it."""


class RecordOutcome:
    """One for all terminals; each call says by whose profile the terminal that spoke is read."""

    def __init__(
        self,
        *,
        writer: JournalWriter,
        queries: Queries,
        clock: Clock,
        entropy: Entropy,
        on_charged: Callable[[str], Awaitable[None]],
    ) -> None:
        self._writer = writer
        self._queries = queries
        self._clock = clock
        self._entropy = entropy
        self._on_charged = on_charged
        self._started_monotonic_ms = clock.monotonic_ms()
        self._sent_monotonic_ms: dict[str, int] = {}
        self._open: set[asyncio.Task[None]] = set()
        self._ending = asyncio.Event()

    # --- when the amount left ----------------------------------------------------------------------------------------

    def sent_now(self, payment_id: str) -> None:
        """Take notice that the amount is leaving for the terminal this moment."""
        self._sent_monotonic_ms[payment_id] = self._clock.monotonic_ms()

    def waited_ms(self, payment_id: str) -> int:
        """Return milliseconds that have certainly passed since the payment was sent; wall time is not asked.

        For one that was sent before this start, the time since this start is a lower bound.
        """
        sent = self._sent_monotonic_ms.get(payment_id, self._started_monotonic_ms)
        return self._clock.monotonic_ms() - sent

    # --- what was said -----------------------------------------------------------------------------------------------

    async def record(self, payment_id: str, outcome: TerminalOutcome, profile: TerminalProfile) -> None:
        """Journal what the terminal said, as far as the payment table and the evidence allow."""
        evidence = outcome.evidence
        code = None if evidence is None else profile.meaning(evidence.response_code).outcome
        decided: list[Body] = []

        def decide(view: StoreView) -> Sequence[Body]:
            payment = known(view, payment_id)
            if outcome.kind == "approved" and evidence is not None and is_second_charge(payment, evidence):
                return [charge_alarm(SECOND_CHARGE, evidence, payment_id)]
            spoken = charge_spoken_of(view.alarms_about(payment_id))
            bodies = judge(
                payment_id, payment.state, outcome, spoken_before=spoken, speaks_of_charge=code == "approved"
            )
            spool_when_charged(view, self._entropy, payment, bodies)
            decided.extend(bodies)
            return bodies

        await self.commit(decide)
        if outcome.kind != "in_doubt" and not profile.capabilities.confirming:
            # A sale that a terminal may take back can come into doubt again.
            self._sent_monotonic_ms.pop(payment_id, None)
        # By all that was decided: what was written may have been the attempt nobody could tell of.
        if any(isinstance(body, PaymentApproved) for body in decided):
            await self._on_charged(payment_id)

    def late_answer(self, reference: str, outcome: TerminalOutcome, profile: TerminalProfile) -> None:
        """Take an answer nobody waited for any more: it settles its payment as if it had come in time."""
        self.to_the_end(f"late answer to {reference}", self._record_late(reference, outcome, profile))

    def stray_answer(self, evidence: Evidence, profile: TerminalProfile) -> None:
        """Take an approval of no sale of this run: of an earlier one's if it agrees, else for a person to see."""
        self.to_the_end(f"stray answer to {evidence.reference}", self._record_stray(evidence, profile))

    async def _record_late(self, reference: str, outcome: TerminalOutcome, profile: TerminalProfile) -> None:
        # By the journal, not by what this run remembers: the amount may have left before a restart.
        payment = self._queries.payment_by_reference(reference)
        if payment is not None:
            await self.record(payment.payment_id, outcome, profile)
        elif outcome.kind == "approved" and outcome.evidence is not None:
            await self._alarm_of(outcome.evidence, None)

    async def _record_stray(self, evidence: Evidence, profile: TerminalProfile) -> None:
        payment = self._queries.payment_by_reference(evidence.reference) if evidence.reference else None
        if payment is not None and agrees(payment, evidence):
            await self.record(payment.payment_id, TerminalOutcome(kind="approved", evidence=evidence), profile)
        else:
            await self._alarm_of(evidence, payment)

    async def _alarm_of(self, evidence: Evidence, payment: PaymentView | None) -> None:
        alarm = charge_alarm(STRAY_APPROVAL, evidence, None if payment is None else payment.payment_id)
        await self.commit(lambda _: [alarm])

    # --- when nothing was said ---------------------------------------------------------------------------------------

    async def not_sent(self, payment_id: str, reason: str) -> None:
        """Journal that a payment was dropped before its amount left; nothing when it is past that."""

        def decide(view: StoreView) -> Sequence[Body]:
            if known(view, payment_id).state is not PaymentState.REQUESTED:
                return []
            return [PaymentNotSent(payment_id=payment_id, reason=reason)]

        await self.commit(decide)

    async def give_up(self, payment_id: str) -> None:
        """Leave no payment open that nobody works on any more. Never raises."""

        def decide(view: StoreView) -> Sequence[Body]:
            payment = known(view, payment_id)
            if payment.state is PaymentState.REQUESTED:
                return [PaymentNotSent(payment_id=payment_id, reason=FAULT)]
            doubtful = payment.state is PaymentState.SENT or payment.unacknowledged
            return [PaymentInDoubt(payment_id=payment_id, reason=FAULT)] if doubtful else []

        try:
            await self.commit(decide)
        except Exception:
            # The journal takes nothing any more; a start through recovery settles this payment.
            log.exception("payment left open", payment_id=payment_id)

    # --- to the end --------------------------------------------------------------------------------------------------

    async def commit(self, decide: Decide) -> list[Recorded]:
        """Journal what must be journaled, however long the medium takes to be well.

        `decide` is asked anew each time, of the state as it then is: what stands already it must not say twice.
        Raises what `JournalWriter.commit` raises where trying again is of no use, or once the box stops.
        """
        pause_s = AGAIN_FIRST_S
        while True:
            try:
                return await self._writer.commit(decide)
            except DeviceError as error:
                trouble = self._writer.trouble
                if self._ending.is_set() or (trouble is not None and not trouble.clears):
                    raise
                log.warning("not journaled yet", code=error.code, why=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._ending.wait()
            pause_s = min(2 * pause_s, AGAIN_LONGEST_S)

    def open_work(self) -> list[str]:
        """Return the names of what is being written to the end now."""
        return [task.get_name() for task in self._open]

    def to_the_end(self, name: str, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run work that must be written to the end whoever waits for it; wait for it with `asyncio.shield`."""
        task = asyncio.create_task(work, name=name)
        self._open.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._open.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, OperatorError):
            log.error("not journaled", what=task.get_name(), exc_info=error)

    async def finish(self) -> None:
        """Wait until all that was said is written, or has been tried for a last time."""
        self._ending.set()
        # Terminals hand answers on from the event loop's next round.
        await asyncio.sleep(0)
        while self._open:
            await asyncio.gather(*self._open, return_exceptions=True)


def known(view: StoreView, payment_id: str) -> PaymentView:
    """Return a payment that must be there. Raises OperatorError `payment.unknown`."""
    payment = view.payment(payment_id)
    if payment is None:
        raise OperatorError("payment.unknown", payment_id=payment_id)
    return payment
