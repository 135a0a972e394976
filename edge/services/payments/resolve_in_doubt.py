"""Settle a payment in doubt by asking, never by charging again: «تأیید تراکنش».

The terminal is asked by our reference, or for its last transaction where it can be asked for nothing else. A yes that
agrees in amount, reference (or a trace newer than the one before the sale, and no other payment's) and terminal number
approves. A not-found counts only when it was asked past the profile's own longest time after the amount was sent, of
the very terminal whose number was journaled with the payment, and while that terminal never spoke of a charge by this
reference; two counting ones are needed before the payment is *not charged*. Everything else leaves it in doubt,
with the question in the journal; where no question can ever settle it, an alarm calls a person.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from edge.devices.terminals.judgement import judge_by_trace
from edge.devices.terminals.outcome import StatusAnswer
from edge.journal.views import AlarmView, PaymentView
from edge.journal.writer import JournalWriter, StoreView
from edge.services.papers.documents import spool_when_charged
from edge.services.payments.disagreement import disagreement_stands
from edge.services.payments.judge_outcome import (
    ANSWER_MISMATCH,
    CHARGE_MISMATCH,
    charge_spoken_of,
    judge_approval,
    judge_not_found,
    judge_reversal,
)
from edge.services.payments.record_outcome import known
from edge.services.payments.take_payment import TakePayment
from edge.services.payments.terminal_worker import TerminalWorker
from edge.store.queries import Queries
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import OperatorError
from shared.events import AlarmRaised, Body, PaymentApproved, StatusQueried
from shared.payment import DOUBTFUL, PaymentState
from shared.text import is_digits

log = structlog.get_logger()

NOT_FOUND_NEEDED: Final = 2
"""Counting not-founds that settle a payment as not charged."""
NOT_FOUND_UNPROVED: Final = "not_found_unproved"
"""Alarm: a payment is not found, by a terminal that had not told its number when the amount left. A person decides."""
CANNOT_TELL: Final = "terminal_cannot_tell"
"""Alarm: asked again past its longest time, a terminal answers what settles no doubt, or it is no longer set up. A
person decides."""

UNASKED_LONGEST_MS: Final = 3_600_000
"""The longest the timetable lets a payment in doubt wait for its next question; each is an entry of the journal."""


ASKABLE: Final = frozenset(
    {
        PaymentState.IN_DOUBT,
        PaymentState.REVERSAL_IN_DOUBT,
        PaymentState.OVERRIDDEN_CHARGED,
        PaymentState.OVERRIDDEN_NOT_CHARGED,
    }
)
"""States of a payment that is worth asking the terminal about: its word beats a person's. One that counts as not
charged is asked about, too, while a disagreement about it stands."""


class _Turn(msgspec.Struct, frozen=True):
    """When to ask next (monotonic), and how long to wait after that."""

    due_ms: int
    wait_ms: int


class ResolveInDoubt:
    """Asks the terminal a payment was sent to, on demand and on the timetable."""

    def __init__(
        self,
        *,
        writer: JournalWriter,
        queries: Queries,
        payments: TakePayment,
        clock: Clock,
        entropy: Entropy,
        unasked_every_s: int = 60,
    ) -> None:
        self._writer = writer
        self._queries = queries
        self._payments = payments
        self._clock = clock
        self._entropy = entropy
        self._unasked_every_ms = unasked_every_s * 1000
        self._unasked: dict[str, _Turn] = {}
        """When each payment is next asked about unasked; forgotten by a restart, which asks at once."""

    async def ask(self, payment_id: str, *, operator: str | None) -> PaymentView:
        """Ask the terminal about one payment and journal question and answer; return the payment as it then stands.

        A payment that nobody has to ask about is returned as it is. Raises OperatorError `payment.unknown`;
        `payment.other_terminal` when it was sent to a terminal that is no longer set up: another one cannot know;
        `payment.cannot_be_asked` when its terminal tells nothing of what it did; `payment.not_its_last` when it knows
        only what it did last, and has taken or undone another payment since.
        """
        payment = self._payment(payment_id)
        if not self._is_askable(payment):
            return payment
        worker = self._worker(payment)
        async with worker.lock:
            payment = self._payment(payment_id)
            if not self._is_askable(payment):
                return payment
            self._check_memory(payment, worker)
            # Time is taken before asking: an answer proves nothing about what happens after the question left.
            in_time = self._payments.waited_ms(payment_id) > worker.profile.times.longest_ms
            answer = await _answer_about(payment, worker)
            await self._record(payment_id, answer, worker, operator=operator, in_time=in_time)
        return self._payment(payment_id)

    async def ask_all(self) -> None:
        """Ask about every payment in doubt whose turn it is; each question doubles the wait for the next.

        One after another at each terminal, oldest first, all terminals at once: one that hangs, or trouble with one
        payment, does not keep the others waiting.
        """
        in_doubt = [payment for payment in self._queries.in_doubt() if self._can_tell(payment.terminal)]
        self._unasked = {
            payment.payment_id: self._unasked.get(payment.payment_id, _Turn(0, self._unasked_every_ms))
            for payment in in_doubt
        }
        at_each: dict[str, list[str]] = {}
        for payment in in_doubt:
            at_each.setdefault(payment.terminal, []).append(payment.payment_id)
        await asyncio.gather(*(self._ask_due(payment_ids) for payment_ids in at_each.values()))
        for payment in self._queries.in_doubt():
            if payment.terminal not in self._payments.workers:
                await self._call_for_lost(payment.payment_id)

    async def _call_for_lost(self, payment_id: str) -> None:
        """Raise an alarm, once, about a doubt whose terminal is no longer set up: nobody asks about it any more."""

        def is_called(alarms: Sequence[AlarmView]) -> bool:
            return any(alarm.kind == CANNOT_TELL for alarm in alarms)

        def decide(view: StoreView) -> Sequence[Body]:
            if known(view, payment_id).state not in DOUBTFUL or is_called(view.alarms_about(payment_id)):
                return []
            return [AlarmRaised(kind=CANNOT_TELL, payment_id=payment_id)]

        if not is_called(self._queries.alarms_about(payment_id)):
            await self._writer.commit(decide)

    async def _ask_due(self, payment_ids: Sequence[str]) -> None:
        for payment_id in payment_ids:
            turn = self._unasked[payment_id]
            now_ms = self._clock.monotonic_ms()
            if now_ms < turn.due_ms:
                continue
            try:
                await self.ask(payment_id, operator=None)
            except Exception:
                log.exception("asking about a payment failed", payment_id=payment_id)
            self._unasked[payment_id] = _Turn(now_ms + turn.wait_ms, min(2 * turn.wait_ms, UNASKED_LONGEST_MS))

    def _worker(self, payment: PaymentView) -> TerminalWorker:
        """Return the worker of the terminal that a payment was given to."""
        worker = self._payments.workers.get(payment.terminal)
        if worker is None:
            raise OperatorError("payment.other_terminal", payment_id=payment.payment_id, terminal=payment.terminal)
        if not can_be_asked(worker):
            raise OperatorError("payment.cannot_be_asked", payment_id=payment.payment_id, terminal=payment.terminal)
        return worker

    def _can_tell(self, terminal: str) -> bool:
        """Return whether a terminal is set up and can be asked about a payment at all."""
        worker = self._payments.workers.get(terminal)
        return worker is not None and can_be_asked(worker)

    def _is_askable(self, payment: PaymentView) -> bool:
        if payment.state in ASKABLE:
            return True
        return disagreement_stands(payment, self._queries.alarms_about(payment.payment_id))

    def _check_memory(self, payment: PaymentView, worker: TerminalWorker) -> None:
        """Raise OperatorError `payment.not_its_last` where the terminal would answer of another payment.

        A payment in doubt keeps its terminal to itself; of others, the newest at the terminal may be a later one, or
        the undoing of an earlier one, which many terminals tell as if it were a sale.
        """
        if payment.state in DOUBTFUL or worker.profile.capabilities.query_by_reference:
            return
        where = payment.terminal, payment.requested_index
        if self._queries.newer_at_terminal(*where) or self._queries.undone_at_terminal(*where):
            raise OperatorError("payment.not_its_last", payment_id=payment.payment_id, terminal=payment.terminal)

    def _payment(self, payment_id: str) -> PaymentView:
        payment = self._queries.payment(payment_id)
        if payment is None:
            raise OperatorError("payment.unknown", payment_id=payment_id)
        return payment

    async def _record(
        self, payment_id: str, said: StatusAnswer, worker: TerminalWorker, *, operator: str | None, in_time: bool
    ) -> None:
        """Journal question and answer. `in_time`: it was asked past the terminal's longest time."""

        def decide(view: StoreView) -> Sequence[Body]:
            payment = known(view, payment_id)
            answer = _own_answer(view, payment, said, worker)
            alarms = view.alarms_about(payment_id)
            spoken_before = charge_spoken_of(alarms)
            believed = in_time and _is_from(payment, answer)
            counts = believed and answer.kind == "not_found" and not spoken_before
            queried = StatusQueried(
                payment_id=payment_id,
                outcome=answer.kind,
                response_code=answer.response_code,
                counts=counts,
                operator=operator,
            )
            if answer.kind == "approved" and payment.state is not PaymentState.REVERSAL_IN_DOUBT:
                # Whatever was decided while the question was on its way: evidence of a charge beats it.
                bodies = judge_approval(payment_id, payment.state, answer.evidence)
                spool_when_charged(view, self._entropy, payment, bodies)
                return [queried, *bodies]
            if answer.kind == "mismatch":
                return [queried, AlarmRaised(kind=_mismatch(answer, worker), payment_id=payment_id)]
            enough = counts and payment.counting_not_found + 1 >= NOT_FOUND_NEEDED
            settled = judge_not_found(
                payment, spoken_before=spoken_before, asked_count=payment.asked_count + 1, enough=enough
            )
            bodies = [*settled, *judge_reversal(payment, answer, believed=believed, enough=enough)]
            calls = in_time and not bodies and not counts and not spoken_before
            alarm = _call_for(payment, answer) if calls else None
            if alarm is not None and alarm not in {told.kind for told in alarms}:
                bodies.append(AlarmRaised(kind=alarm, payment_id=payment_id))
            return [queried, *bodies]

        recorded = await self._writer.commit(decide)
        if any(isinstance(record.body, PaymentApproved) for record in recorded):
            await self._payments.charged(payment_id)


async def _answer_about(payment: PaymentView, worker: TerminalWorker) -> StatusAnswer:
    answer = await worker.terminal.query(
        reference=payment.reference,
        amount_rial=payment.amount_rial,
        terminal_number=payment.terminal_number,
        baseline_stan=_baseline_of(payment),
    )
    if worker.profile.capabilities.query_by_reference:
        return answer
    return judge_by_trace(answer, amount_rial=payment.amount_rial, stan=payment.stan, profile=worker.profile)


def _own_answer(view: StoreView, payment: PaymentView, said: StatusAnswer, worker: TerminalWorker) -> StatusAnswer:
    """Return what was said, a yes with the trace of another payment as nothing: one charge does not pay twice.

    A payment in doubt keeps its terminal to itself by our name of it. The device may have had another name meanwhile.
    """
    evidence = said.evidence
    if worker.profile.capabilities.query_by_reference or said.kind != "approved" or evidence is None:
        return said
    if evidence.stan is None or not view.is_anothers_trace(payment, evidence.stan, evidence.terminal_number):
        return said
    return msgspec.structs.replace(said, kind="unclear")


def _baseline_of(payment: PaymentView) -> str | None:
    """Return the trace behind which a payment's own begins, where it is asked about as the last transaction.

    Of one that is being undone its own trace is known: without a baseline, the one before it serves.
    """
    if payment.baseline_stan is not None or payment.state is not PaymentState.REVERSAL_IN_DOUBT:
        return payment.baseline_stan
    stan = payment.stan or ""
    return f"{(int(stan) - 1) % 10 ** len(stan):0{len(stan)}d}" if is_digits(stan) else None


def can_be_asked(worker: TerminalWorker) -> bool:
    """Return whether a terminal can tell what became of a payment, by its reference or as its last transaction."""
    can = worker.profile.capabilities
    return can.query_by_reference or can.query_last


def _mismatch(answer: StatusAnswer, worker: TerminalWorker) -> str:
    """Return the kind of alarm that an answer in disagreement raises."""
    meant = worker.profile.meaning(answer.response_code or "").outcome
    return CHARGE_MISMATCH if meant == "approved" else ANSWER_MISMATCH


def _call_for(payment: PaymentView, answer: StatusAnswer) -> str | None:
    """Return the kind of alarm that calls a person to a doubt which this answer does not settle, None where none does.

    A terminal that lags says more a little later: what is not plain by itself has to be so twice.
    """
    if payment.state not in DOUBTFUL or answer.evidence is None:
        return None
    if answer.kind == "not_found" and payment.state is PaymentState.IN_DOUBT and payment.terminal_number is None:
        # Which terminal was given the amount is not known: no answer will ever prove anything.
        return NOT_FOUND_UNPROVED
    return CANNOT_TELL if payment.last_answer not in {None, "no_answer"} else None


def _is_from(payment: PaymentView, answer: StatusAnswer) -> bool:
    """Return whether the very terminal that was given the amount answered; an unknown one is never the same."""
    number = None if answer.evidence is None else answer.evidence.terminal_number
    return number is not None and number == payment.terminal_number
