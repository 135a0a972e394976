"""Hold what the acquirer's records say, brought by the feed, against the payments they are about.

The answers are rows of a projection; judging them is a use case of its own, so that every move it makes is an entry of
the journal with its evidence. Nothing is kept of what was judged: judged again, the same word adds nothing, and a start
goes over all of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from edge.journal.refunds import AcquirerAnswer
from edge.journal.writer import JournalWriter, Recorded, StoreView
from edge.services.papers.documents import spool_receipt
from edge.services.payments.judge_acquirer import about_now, judge_acquirer
from edge.store.queries import Queries
from shared.entropy import Entropy
from shared.events import (
    Body,
    FeedReceived,
    PaymentApproved,
    PaymentCancelled,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentNotSent,
    ReversalInDoubt,
)

_WAKING = (FeedReceived, PaymentInDoubt, PaymentDeclined, PaymentCancelled, PaymentNotSent, ReversalInDoubt)
"""Facts after which an answer may have something to say: it came, or its payment's terminal has had its word."""


class AcquirerAnswers:
    """Judges the acquirer's word: at the start, and whenever the feed or a payment moved."""

    def __init__(
        self,
        *,
        writer: JournalWriter,
        queries: Queries,
        entropy: Entropy,
        on_charged: Callable[[str], Awaitable[None]],
    ) -> None:
        self._writer = writer
        self._queries = queries
        self._entropy = entropy
        self._on_charged = on_charged
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()

    def heard(self, records: Sequence[Recorded]) -> None:
        """Listen to the journal writer, on its thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed() and any(isinstance(record.body, _WAKING) for record in records):
            loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Judge what there is, and again whenever something was heard, for ever."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            await self.judge_all()
            await self._wake.wait()

    async def judge_all(self) -> None:
        """Judge every answer against its payment as it stands."""
        by_payment: dict[str, list[AcquirerAnswer]] = {}
        for answer in self._queries.acquirer_answers():
            by_payment.setdefault(answer.payment_id, []).append(answer)
        for payment_id, answers in by_payment.items():
            while self._has_news(payment_id, answers) and await self._judge(payment_id):
                pass

    def _has_news(self, payment_id: str, answers: Sequence[AcquirerAnswer]) -> bool:
        """Return whether judging would add anything, without troubling the writer."""
        payment = self._queries.payment(payment_id)
        if payment is None:
            return False
        now = about_now(answers, self._queries.refunds_of(payment_id))
        return bool(judge_acquirer(payment, self._queries.alarms_about(payment_id), now))

    async def _judge(self, payment_id: str) -> bool:
        """Journal what the answers about a payment add to it now; return whether it was anything."""

        def decide(view: StoreView) -> Sequence[Body]:
            payment = view.payment(payment_id)
            if payment is None:
                return []
            answers = about_now(view.acquirer_answers(payment_id), view.refunds_of(payment_id))
            bodies = judge_acquirer(payment, view.alarms_about(payment_id), answers)
            if any(isinstance(body, PaymentApproved) for body in bodies):
                spool_receipt(view, self._entropy, payment_id)
            return bodies

        recorded = await self._writer.commit(decide)
        if any(isinstance(record.body, PaymentApproved) for record in recorded):
            await self._on_charged(payment_id)
        return bool(recorded)
