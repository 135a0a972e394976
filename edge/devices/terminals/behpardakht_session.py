"""The conversation with a Behpardakht terminal: what was asked, whose an answer is, what it proves.

Sales are told apart by our reference and the request's number, which answers repeat; so one link is kept open, and an
answer after the deadline, or on the next link, is still known for what it is. Implements `session.Session`.
"""

from typing import Final

import msgspec

from edge.devices.terminals.behpardakht import (
    CANCEL,
    READY_QUESTION,
    REQUEST_NUMBER_CHARACTERS_MAX,
    SERVICE_BILL,
    SERVICE_LAST,
    SERVICE_QUERY,
    SERVICE_SALE,
    Answer,
    last_request,
    query_request,
    sale_request,
)
from edge.devices.terminals.behpardakht_framing import Framer
from edge.devices.terminals.judgement import AskedSale, is_stray, judge_query, judge_sale, read_last, settles
from edge.devices.terminals.outcome import DoubtReason, LastTransaction, OrderAnswer, StatusAnswer, TerminalOutcome
from edge.devices.terminals.session import (
    Event,
    LastEnded,
    LateAnswer,
    Order,
    OrderEnded,
    QueryEnded,
    ReadyEnded,
    SaleEnded,
    StrayAnswer,
    TerminalBill,
)
from firmware_profiles.profile import TerminalProfile

REMEMBERED_SALES_MAX: Final = 256
"""Sales whose late answers are still known. Older ones come as stray answers, which a person looks at."""


class _Query(msgspec.Struct, frozen=True, kw_only=True):
    sale: AskedSale
    request_number: str
    due_ms: int


class BehpardakhtSession:
    """One terminal's conversation. At most one sale, one question and one readiness question at a time."""

    def __init__(self, profile: TerminalProfile) -> None:
        self._profile = profile
        self._framer = Framer(profile.times.frame_gap_ms)
        self._sales: dict[str, AskedSale] = {}
        self._open: str | None = None
        self._open_due_ms = 0
        self._query: _Query | None = None
        self._query_unanswered = False
        self._ready_due_ms: int | None = None
        self._last: tuple[str, int] | None = None
        self._outgoing = b""
        self._events: list[Event] = []
        self.terminal_number: str | None = None
        self.centre_link: bool | None = None
        self.newest_stan: str | None = None

    # --- the four verbs ----------------------------------------------------------------------------------------------

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Take bytes as they came."""
        self._framer.receive_data(data, now_ms)
        self._work_off(now_ms)

    def events(self) -> list[Event]:
        """Return what happened since the last call, in order."""
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> bytes:
        """Return the bytes that are to leave now; they are not given twice."""
        data, self._outgoing = self._outgoing, b""
        return data

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None."""
        dues = [
            self._open_due_ms if self._open is not None else None,
            self._query.due_ms if self._query is not None else None,
            self._ready_due_ms,
            self._last[1] if self._last is not None else None,
            self._framer.deadline(),
        ]
        return min((due for due in dues if due is not None), default=None)

    def tick(self, now_ms: int) -> None:
        """End what has waited long enough."""
        self._framer.tick(now_ms)
        self._work_off(now_ms)
        if self._open is not None and now_ms >= self._open_due_ms:
            self._doubt_open("no_answer")
        if self._query is not None and now_ms >= self._query.due_ms:
            self._end_query(StatusAnswer(kind="no_answer"))
        if self._ready_due_ms is not None and now_ms >= self._ready_due_ms:
            self._end_ready(idle=False)
        if self._last is not None and now_ms >= self._last[1]:
            self._end_last(LastTransaction(kind="no_answer"))

    # --- the link ----------------------------------------------------------------------------------------------------

    def link_opened(self) -> None:
        """Start afresh on a new link; what was asked before is remembered."""
        self._framer.reset()
        self._outgoing = b""
        self._query_unanswered = False

    def link_lost(self) -> None:
        """End every wait: a lost link is not a failed sale."""
        self._framer.reset()
        self._outgoing = b""
        if self._open is not None:
            self._doubt_open("link_lost")
        if self._query is not None:
            self._end_query(StatusAnswer(kind="no_answer"))
        if self._ready_due_ms is not None:
            self._end_ready(idle=False)
        self._end_last(LastTransaction(kind="no_answer"))

    # --- what can be asked -------------------------------------------------------------------------------------------

    def ask_ready(self, *, due_ms: int) -> None:
        """Ask whether the terminal is idle; ends as ReadyEnded."""
        self._ready_due_ms = due_ms
        self._outgoing += READY_QUESTION

    def start_sale(
        self,
        *,
        amount_rial: int,
        reference: str,
        terminal_number: str | None,
        baseline_stan: str | None = None,  # noqa: ARG002 - sales are told apart by our reference
        bill: TerminalBill | None = None,
        now_ms: int,
        due_ms: int,
    ) -> None:
        """Send the amount; ends as SaleEnded. Raises ValueError for values the protocol cannot carry, nothing sent."""
        number = reference[-REQUEST_NUMBER_CHARACTERS_MAX:]
        frame = sale_request(
            amount_rial=amount_rial,
            request_number=number,
            reference=reference,
            bill=None if bill is None else (bill.bill_id, bill.payment_id),
        )
        self._remember(
            AskedSale(
                reference=reference,
                amount_rial=amount_rial,
                request_number=number,
                terminal_number=terminal_number or self.terminal_number,
                busy_until_ms=now_ms + self._profile.times.longest_ms,
            )
        )
        self._open, self._open_due_ms = reference, due_ms
        self._outgoing += frame

    def ask_status(
        self,
        *,
        reference: str,
        amount_rial: int,
        terminal_number: str | None,
        baseline_stan: str | None = None,  # noqa: ARG002 - it is asked by our reference
        request_number: str,
        due_ms: int,
    ) -> None:
        """Ask for a sale by its reference; ends as QueryEnded. `request_number` must differ from call to call.

        Raises ValueError for values the protocol cannot carry, nothing sent.
        """
        frame = query_request(reference=reference, request_number=request_number)
        known = self._sales.get(reference)
        sale = AskedSale(
            reference=reference,
            amount_rial=amount_rial,
            request_number=known.request_number if known else None,
            terminal_number=terminal_number or (known.terminal_number if known else None) or self.terminal_number,
            busy_until_ms=known.busy_until_ms if known else 0,
            outcome=known.outcome if known else TerminalOutcome(kind="in_doubt", reason="no_answer"),
        )
        self._remember(sale)
        self._begin_query(_Query(sale=sale, request_number=request_number, due_ms=due_ms), frame)

    def ask_number(self, *, reference: str, request_number: str, due_ms: int) -> None:
        """Ask for a sale that does not exist: the answer carries the terminal's number. Ends as QueryEnded."""
        nobody = AskedSale(reference=reference, amount_rial=0, outcome=TerminalOutcome(kind="in_doubt"))
        frame = query_request(reference=reference, request_number=request_number)
        self._begin_query(_Query(sale=nobody, request_number=request_number, due_ms=due_ms), frame)

    def ask_last(self, *, request_number: str, due_ms: int) -> None:
        """Ask for the last sale a PC started; ends as LastEnded."""
        self._outgoing += last_request(request_number=request_number)
        self._last = (request_number, due_ms)

    def give_order(
        self,
        order: Order,  # noqa: ARG002 - none can be given
        *,
        amount_rial: int,  # noqa: ARG002
        stan: str,  # noqa: ARG002
        terminal_number: str | None,  # noqa: ARG002
        due_ms: int,  # noqa: ARG002
        receipt_number: str | None = None,  # noqa: ARG002
    ) -> None:
        """Refuse: a sale stands as it is, and what would undo it on the wire is not published."""
        self._events.append(OrderEnded(OrderAnswer(kind="refused", reason="terminal.cannot")))

    def _begin_query(self, query: _Query, frame: bytes) -> None:
        self._query_unanswered = self._query_unanswered or self._query is not None
        self._query = query
        self._outgoing += frame

    def ask_cancel(self, now_ms: int) -> bool:
        """Ask for the sale to be dropped. Returns False when there is none the terminal could be working on."""
        if self._open is None and self.unanswered(now_ms) is None:
            return False
        self._outgoing += CANCEL
        return True

    def abandon_sale(self) -> None:
        """Stop waiting for the open sale; its answer will come as a LateAnswer."""
        if self._open is not None:
            self._sales[self._open].outcome = TerminalOutcome(kind="in_doubt", reason="no_answer")
            self._open = None

    def unanswered(self, now_ms: int) -> str | None:
        """Return the reference of a sale the terminal may still be working on, or None."""
        for sale in self._sales.values():
            if sale.may_be_worked_on(now_ms):
                return sale.reference
        return None

    def is_listening(self, now_ms: int) -> bool:  # noqa: ARG002 - a late answer is known on the next link too
        """Return False: no answer depends on the link it comes on."""
        return False

    # --- answers -----------------------------------------------------------------------------------------------------

    def _work_off(self, now_ms: int) -> None:
        for found in self._framer.items():
            if isinstance(found, Answer):
                self._answer(found, now_ms)
            elif found == "ready":
                self._end_ready(idle=True)
            else:
                self._noise()

    def _noise(self) -> None:
        """Bytes that are no answer may have been one: who waits for an answer will not learn from it."""
        if self._open is not None:
            self._doubt_open("bad_answer")
        if self._query is not None:
            self._end_query(StatusAnswer(kind="unclear"))
        self._end_last(LastTransaction(kind="unclear"))

    def _answer(self, answer: Answer, now_ms: int) -> None:
        if answer.service == SERVICE_QUERY:
            self._status_answer(answer)
        elif answer.service == SERVICE_LAST:
            if self._last is not None and answer.request_number in {None, self._last[0]}:
                self._learn_number(answer)
                self._end_last(read_last(answer.evidence("last_transaction"), self._profile))
        elif answer.service in {None, SERVICE_SALE, SERVICE_BILL}:
            self._sale_answer(answer, now_ms)

    def _status_answer(self, answer: Answer) -> None:
        query = self._query
        if query is None or not self._answers(answer, query):
            self._late_status(answer)
            return
        status = judge_query(answer.evidence("status_query"), query.sale, self._profile)
        if status.kind != "mismatch":
            self._learn_number(answer)
        if status.kind == "approved" and query.sale.reference in self._sales:
            self._sales[query.sale.reference].outcome = TerminalOutcome(kind="approved", evidence=status.evidence)
        self._end_query(status)

    def _answers(self, answer: Answer, query: _Query) -> bool:
        """Return whether an answer is this query's own.

        A found sale is, by its reference: it is true whenever it was asked for. A not-found must carry this query's
        number, or none while no other query's answer can still come: one of the past proves nothing about now.
        """
        if answer.request_number == query.request_number:
            return True
        if self._profile.meaning(answer.response_code).outcome == "approved":
            return answer.reference == query.sale.reference
        return answer.request_number is None and not self._query_unanswered

    def _late_status(self, answer: Answer) -> None:
        """Take a found sale nobody waits for; nothing else of the past matters."""
        sale = self._sales.get(answer.reference or "")
        if self._profile.meaning(answer.response_code).outcome != "approved":
            return
        if sale is None:
            self._events.append(StrayAnswer(answer.evidence("late_answer")))
            return
        self._settle_late(sale, judge_sale(answer.evidence("late_answer"), sale, self._profile))

    def _sale_answer(self, answer: Answer, now_ms: int) -> None:
        meaning = self._profile.meaning(answer.response_code)
        if meaning.centre != "not_said":
            self.centre_link = meaning.centre == "reached"
        sale = self._owner(answer, now_ms)
        if sale is None:
            if meaning.outcome == "approved":
                self._events.append(StrayAnswer(answer.evidence("late_answer")))
            return
        awaited = sale.reference == self._open
        outcome = judge_sale(answer.evidence("answer" if awaited else "late_answer"), sale, self._profile)
        if outcome.reason != "mismatch":
            self._learn_number(answer)
        if awaited:
            self._end_open(outcome)
        else:
            self._settle_late(sale, outcome)

    def _owner(self, answer: Answer, now_ms: int) -> AskedSale | None:
        """Return the sale an answer is about, or None.

        An approval that names no known sale is judged against the open one, where it ends as a mismatch: a charge
        nobody can place must not pass in silence. Any other answer must not end a sale it does not name, unless it
        names none and only one sale can be meant.
        """
        if answer.reference in self._sales:
            return self._sales[answer.reference]
        for sale in reversed(self._sales.values()):
            if answer.request_number is not None and sale.request_number == answer.request_number:
                return sale
        waiting = self._sales[self._open] if self._open is not None else None
        if self._profile.meaning(answer.response_code).outcome == "approved":
            return waiting
        nameless = answer.reference is None and answer.request_number is None
        others = any(sale.outcome is not None and sale.may_be_worked_on(now_ms) for sale in self._sales.values())
        return waiting if nameless and not others else None

    def _learn_number(self, answer: Answer) -> None:
        if answer.terminal_number is not None:
            self.terminal_number = answer.terminal_number

    # --- ends --------------------------------------------------------------------------------------------------------

    def _remember(self, sale: AskedSale) -> None:
        self._sales.pop(sale.reference, None)
        self._sales[sale.reference] = sale
        while len(self._sales) > REMEMBERED_SALES_MAX:
            del self._sales[next(iter(self._sales))]

    def _doubt_open(self, reason: DoubtReason) -> None:
        self._end_open(TerminalOutcome(kind="in_doubt", reason=reason))

    def _end_open(self, outcome: TerminalOutcome) -> None:
        if self._open is not None:
            reference, self._open = self._open, None
            self._sales[reference].outcome = outcome
            self._events.append(SaleEnded(reference, outcome))

    def _end_query(self, answer: StatusAnswer) -> None:
        if self._query is not None:
            reference, self._query = self._query.sale.reference, None
            self._query_unanswered = self._query_unanswered or answer.evidence is None
            self._events.append(QueryEnded(reference, answer))

    def _end_ready(self, *, idle: bool) -> None:
        if self._ready_due_ms is not None:
            self._ready_due_ms = None
            self._events.append(ReadyEnded(idle))

    def _end_last(self, last: LastTransaction) -> None:
        if self._last is not None:
            self._last = None
            self._events.append(LastEnded(last))

    def _settle_late(self, sale: AskedSale, outcome: TerminalOutcome) -> None:
        """Apply an answer to a sale that had ended."""
        before = sale.outcome or outcome
        if settles(outcome, before):
            sale.outcome = outcome
            self._events.append(LateAnswer(sale.reference, outcome))
        elif outcome.evidence is not None and is_stray(outcome, before):
            self._events.append(StrayAnswer(outcome.evidence))
