"""Give a charged payment back: one person asks, another agrees, and only then the terminal is told, or finance.

    refund.proposed              anybody at the counter, with a reason; nothing moves
    refund.agreed                a manager, another person, by password
    (means: central)             that is all here; central's case goes on
    payment.reversal_requested   durable before the terminal is told; it was ready a moment ago
    reversed | in doubt | refused

A reversal in doubt counts as charged until the terminal, asked, or the acquirer's records tell.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from edge.devices.terminals.outcome import OrderAnswer
from edge.journal.refunds import OPEN_REFUND, RefundMeans, RefundView
from edge.journal.views import PaymentView
from edge.journal.writer import JournalWriter, StoreView
from edge.services.payments.record_outcome import FAULT, known
from edge.services.payments.statement import checked_reason
from edge.services.payments.take_payment import TakePayment
from edge.services.payments.terminal_worker import TerminalWorker
from edge.services.people.sign_in import SignIn
from edge.services.people.two_people import check_two
from edge.store.queries import Queries
from shared.entropy import Entropy, random_name
from shared.errors import DeviceError, OperatorError
from shared.events import (
    Body,
    Evidence,
    PaymentReversed,
    RefundAgreed,
    RefundDropped,
    RefundProposed,
    ReversalInDoubt,
    ReversalRefused,
    ReversalRequested,
)
from shared.payment import PaymentState

log = structlog.get_logger()

GIVABLE: Final = frozenset({PaymentState.APPROVED, PaymentState.ACKNOWLEDGED, PaymentState.OVERRIDDEN_CHARGED})
"""States of a payment whose money is ours and may be asked back."""
REVERSIBLE: Final = frozenset({PaymentState.APPROVED, PaymentState.ACKNOWLEDGED})
"""States of a payment that a terminal can undo: it approved it itself."""
REVERSING: Final = "reversing"
"""The word of progress while the terminal is told to undo a sale."""


class GiveBack:
    """Takes proposals and agreements, and tells terminals."""

    def __init__(
        self,
        *,
        writer: JournalWriter,
        queries: Queries,
        payments: TakePayment,
        sign_in: SignIn,
        entropy: Entropy,
        on_progress: Callable[[str], None],
    ) -> None:
        self._writer = writer
        self._queries = queries
        self._payments = payments
        self._sign_in = sign_in
        self._entropy = entropy
        self._on_progress = on_progress
        self._at_work: dict[str, asyncio.Task[None]] = {}
        self._troubles: dict[str, str] = {}

    # --- what can be seen --------------------------------------------------------------------------------------------

    def progress(self, payment_id: str) -> str | None:
        """Return the word for what is happening to a payment here, None when nothing is."""
        return REVERSING if payment_id in self._at_work else None

    def under_way(self, payment_id: str) -> bool:
        """Return whether a terminal is being told, in this run, to undo a payment."""
        return payment_id in self._at_work

    def trouble(self, refund_id: str) -> str | None:
        """Return the error code because of which the terminal could not be told yet; forgotten by a restart."""
        return self._troubles.get(refund_id)

    def means_of(self, payment: PaymentView) -> tuple[RefundMeans, ...]:
        """Return by what means a payment could be given back now, the best one first; empty: by none."""
        if payment.state not in GIVABLE or payment.unacknowledged:
            return ()
        worker = self._payments.workers.get(payment.terminal)
        if (
            worker is None
            or payment.state not in REVERSIBLE
            or payment.stan is None
            # What a provider took stands there: giving the money back at the terminal would leave the bill paid.
            or payment.is_taken
            # An order may be being bought this moment: a code that is used gives nobody the money back.
            or (payment.purpose == "order" and payment.confirmation == "queued")
        ):
            return ("central",)
        can = worker.profile.capabilities
        if can.void and payment.receipt_number is not None and self._receipt_names(payment):
            # The better one: it may have taken other payments since.
            return ("void", "central")
        # It undoes its newest sale, whichever that is and whatever it says of it: the journal knows of newer ones.
        is_newest = not self._queries.newer_at_terminal(payment.terminal, payment.requested_index, charged=True)
        return ("reversal", "central") if can.reverse and is_newest else ("central",)

    def _receipt_names(self, payment: PaymentView) -> bool:
        """Return whether a payment's receipt number names its sale and no other one: by it the money would go back."""
        number = payment.receipt_number
        return number is not None and self._queries.receipt_names_sale(
            payment.terminal, number, payment.requested_index
        )

    def _why_not(self, payment: PaymentView, means: RefundMeans) -> OperatorError:
        """Return the error that says why a payment is not given back by means that are not offered."""
        if means == "void" and payment.receipt_number is not None and not self._receipt_names(payment):
            return OperatorError("refund.void_too_late", payment_id=payment.payment_id)
        return OperatorError("refund.means_not_offered", payment_id=payment.payment_id, means=means)

    # --- two people --------------------------------------------------------------------------------------------------

    async def propose(
        self, payment_id: str, *, means: RefundMeans, reason: str, operator: str, refund_id: str | None = None
    ) -> str:
        """Journal the wish to give a payment back, whole; return the request's id.

        A `refund_id` of the caller's own makes a repeated request the same one. Raises OperatorError
        `payment.unknown`, `refund.not_charged`, `refund.means_not_offered`, `refund.void_too_late`, `refund.open`
        (names the other one), or as `checked_reason` does.
        """
        words = checked_reason(reason)
        wanted = refund_id or random_name(self._entropy, "r")

        def decide(view: StoreView) -> Sequence[Body]:
            payment = known(view, payment_id)
            if view.refund(wanted) is not None:
                return []
            for earlier in view.refunds_of(payment_id):
                if earlier.state in OPEN_REFUND:
                    raise OperatorError("refund.open", payment_id=payment_id, refund_id=earlier.refund_id)
            if not (offered := self.means_of(payment)):
                raise OperatorError("refund.not_charged", payment_id=payment_id)
            if means not in offered:
                raise self._why_not(payment, means)
            return [
                RefundProposed(
                    refund_id=wanted,
                    payment_id=payment_id,
                    means=means,
                    amount_rial=payment.amount_rial,
                    operator=operator,
                    reason=words,
                )
            ]

        await self._writer.commit(decide)
        return wanted

    async def agree(self, refund_id: str, *, username: str, password: str) -> None:
        """Journal a second person's agreement; a reversal then goes to the terminal in the background.

        Raises OperatorError `refund.unknown`, `refund.decided`, `refund.not_charged`, `refund.means_not_offered`,
        `refund.void_too_late`, or as `check_two` and `SignIn.manager` do.
        """
        person = await self._sign_in.manager(username, password)

        def decide(view: StoreView) -> Sequence[Body]:
            refund = _refund(view, refund_id)
            if refund.state != "proposed":
                raise OperatorError("refund.decided", refund_id=refund_id)
            check_two(refund.operator, person.username, refund_id=refund_id)
            self._still(known(view, refund.payment_id), refund)
            return [RefundAgreed(refund_id=refund_id, payment_id=refund.payment_id, operator=person.username)]

        await self._writer.commit(decide)
        self._begin(refund_id)

    async def drop(self, refund_id: str, *, operator: str, reason: str) -> None:
        """Journal that a request is off. Raises OperatorError `refund.unknown`, `refund.decided` once it went out."""
        words = checked_reason(reason)

        def decide(view: StoreView) -> Sequence[Body]:
            refund = _refund(view, refund_id)
            if refund.state != "proposed" and not (refund.state == "agreed" and refund.means != "central"):
                raise OperatorError("refund.decided", refund_id=refund_id)
            body = RefundDropped(refund_id=refund_id, payment_id=refund.payment_id, operator=operator, reason=words)
            return [body]

        await self._writer.commit(decide)

    async def tell_terminal(self, refund_id: str) -> None:
        """Try an agreed reversal again whose terminal was not ready. Raises OperatorError as `agree` does.

        So it does where the terminal is no longer set up.
        """
        refund = self._queries.refund(refund_id)
        if refund is None:
            raise OperatorError("refund.unknown", refund_id=refund_id)
        if refund.state != "agreed" or refund.means == "central":
            raise OperatorError("refund.decided", refund_id=refund_id)
        payment = self._queries.payment(refund.payment_id)
        if payment is not None and payment.terminal not in self._payments.workers:
            # Nobody would be told, and nobody hear of it: it is to be dropped, and asked for by other means.
            raise self._why_not(payment, refund.means)
        self._begin(refund_id)

    def _still(self, payment: PaymentView, refund: RefundView) -> None:
        """Check that a request still makes sense: much may have happened since it was made."""
        if not (offered := self.means_of(payment)):
            raise OperatorError("refund.not_charged", payment_id=payment.payment_id)
        if refund.means not in offered:
            raise self._why_not(payment, refund.means)

    # --- the terminal ------------------------------------------------------------------------------------------------

    def _begin(self, refund_id: str) -> None:
        refund = self._queries.refund(refund_id)
        if refund is None or refund.state != "agreed" or refund.means == "central":
            return
        payment = self._queries.payment(refund.payment_id)
        worker = None if payment is None else self._payments.workers.get(payment.terminal)
        if payment is None or worker is None or payment.payment_id in self._at_work:
            return
        # Of nobody's page: whoever agreed may go away.
        task = asyncio.create_task(self._reverse(refund, worker), name=f"reversal of {payment.payment_id}")
        self._at_work[payment.payment_id] = task
        self._on_progress(payment.payment_id)

    async def finish(self) -> None:
        """Wait for nothing: end what runs. A terminal that was told stays `reversal_requested`, for recovery."""
        tasks = list(self._at_work.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _reverse(self, refund: RefundView, worker: TerminalWorker) -> None:
        try:
            async with worker.lock:
                await self._at_terminal(refund, worker)
        except Exception:
            # The journal took nothing; recovery, or whoever presses again, goes on from where it stands.
            log.exception("reversal stopped", refund_id=refund.refund_id)
        finally:
            self._at_work.pop(refund.payment_id, None)
            self._on_progress(refund.payment_id)

    async def _at_terminal(self, refund: RefundView, worker: TerminalWorker) -> None:
        self._troubles.pop(refund.refund_id, None)
        try:
            await worker.terminal.prepare()
        except DeviceError as error:
            # Nothing has left and nothing is journaled: it can be tried again, or dropped.
            self._troubles[refund.refund_id] = error.code
            return
        if refund.means == "void" and not self._is_its_terminal(refund.payment_id, worker):
            self._troubles[refund.refund_id] = "terminal.other_terminal"
            return

        if why := await self._journal_order(refund, worker):
            self._troubles[refund.refund_id] = why
            return
        payment = self._queries.payment(refund.payment_id)
        answer = OrderAnswer(kind="in_doubt", reason=FAULT)
        try:
            if payment is not None and payment.stan is not None:
                self._payments.outcomes.sent_now(payment.payment_id)
                answer = await _undo(worker, payment, payment.stan, refund.means)
        except Exception:
            # Whatever it was: the order may have left.
            log.exception("reversal stopped", payment_id=refund.payment_id)
        await asyncio.shield(
            self._payments.outcomes.to_the_end(
                f"outcome of the reversal of {refund.payment_id}", self._record(refund.payment_id, answer)
            )
        )

    async def _journal_order(self, refund: RefundView, worker: TerminalWorker) -> str | None:
        """Journal that the terminal is about to be told; return why it must not be, where nothing was journaled."""

        def decide(view: StoreView) -> Sequence[Body]:
            now = _refund(view, refund.refund_id)
            payment = known(view, refund.payment_id)
            if now.state != "agreed" or payment.stan is None or refund.means not in self.means_of(payment):
                return []
            if refund.means == "central":
                return []
            if locked := view.lock_of(worker.name):
                # What it did last tells of the doubt: an undoing would hide that, or be taken for the doubtful sale.
                raise OperatorError("payment.terminal_locked", payment_id=locked)
            return [ReversalRequested(payment_id=payment.payment_id, refund_id=refund.refund_id, means=refund.means)]

        try:
            if await self._writer.commit(decide):
                return None
        except OperatorError as error:
            return error.code
        payment = self._queries.payment(refund.payment_id)
        return "refund.not_charged" if payment is None else self._why_not(payment, refund.means).code

    def _is_its_terminal(self, payment_id: str, worker: TerminalWorker) -> bool:
        """Return whether the terminal that is there now says that it is the one that took a payment.

        A receipt's number names a sale at its own terminal only; at one put in its place it is somebody else's.
        """
        payment, number = self._queries.payment(payment_id), worker.terminal.state.terminal_number
        return payment is not None and number is not None and number == payment.terminal_number

    async def _record(self, payment_id: str, answer: OrderAnswer) -> None:
        def decide(view: StoreView) -> Sequence[Body]:
            if known(view, payment_id).state is not PaymentState.REVERSAL_REQUESTED:
                return []
            return [outcome_of(payment_id, answer)]

        await self._payments.outcomes.commit(decide)


async def _undo(worker: TerminalWorker, payment: PaymentView, stan: str, means: RefundMeans) -> OrderAnswer:
    """Tell the terminal to undo a sale, by its receipt or as its newest."""
    amount_rial, number = payment.amount_rial, payment.terminal_number
    if means == "void" and payment.receipt_number is not None:
        return await worker.terminal.void(
            amount_rial=amount_rial, stan=stan, receipt_number=payment.receipt_number, terminal_number=number
        )
    return await worker.terminal.reverse(amount_rial=amount_rial, stan=stan, terminal_number=number)


def outcome_of(payment_id: str, answer: OrderAnswer) -> Body:
    """Return the entry for what the terminal answered to the order to undo a sale."""
    if answer.kind == "done":
        evidence = answer.evidence or Evidence(source="reversal", response_code="")
        return PaymentReversed(payment_id=payment_id, evidence=evidence)
    if answer.kind == "refused":
        return ReversalRefused(payment_id=payment_id, reason=answer.reason or "refused", evidence=answer.evidence)
    return ReversalInDoubt(payment_id=payment_id, reason=answer.reason or "no_answer", evidence=answer.evidence)


def _refund(view: StoreView, refund_id: str) -> RefundView:
    refund = view.refund(refund_id)
    if refund is None:
        raise OperatorError("refund.unknown", refund_id=refund_id)
    return refund
