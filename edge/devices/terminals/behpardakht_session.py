"""The conversation with a Behpardakht terminal: what was asked, whose an answer is, what it proves.

Sales are told apart by our reference and the request's number, which answers repeat; so one link is kept open, and an
answer after the deadline, or on the next link, is still known for what it is. Implements `session.Session`.
"""

from typing import Final

from edge.devices.terminals.asked_sales import AskedSales
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
from edge.devices.terminals.card_free import take_events
from edge.devices.terminals.judgement import AskedSale, judge_query, judge_sale, read_last
from edge.devices.terminals.outcome import DoubtReason, OrderAnswer, TerminalOutcome
from edge.devices.terminals.question import AskedStatus, Question
from edge.devices.terminals.session import (
    Event,
    LastEnded,
    Order,
    OrderEnded,
    QueryEnded,
    ReadyEnded,
    StrayAnswer,
    TerminalBill,
    earliest,
)
from firmware_profiles.profile import TerminalProfile

REMEMBERED_SALES_MAX: Final = 256
"""Sales whose late answers are still known. Older ones come as stray answers, which a person looks at."""


class BehpardakhtSession:
    """One terminal's conversation. At most one sale, one question and one readiness question at a time."""

    def __init__(self, profile: TerminalProfile) -> None:
        self._profile = profile
        self._framer = Framer(profile.times.frame_gap_ms)
        self._events: list[Event] = []
        self._sales = AskedSales(self._events, remembered_max=REMEMBERED_SALES_MAX)
        self._query = Question(self._events)
        self._query_number = ""
        self._query_unanswered = False
        self._ready = Question(self._events)
        self._last = Question(self._events)
        self._last_number = ""
        self._outgoing = b""
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
        return take_events(self._events)

    def data_to_send(self) -> bytes:
        """Return the bytes that are to leave now; they are not given twice."""
        data, self._outgoing = self._outgoing, b""
        return data

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None."""
        return earliest(
            self._sales.deadline(),
            self._query.deadline(),
            self._ready.deadline(),
            self._last.deadline(),
            self._framer.deadline(),
        )

    def tick(self, now_ms: int) -> None:
        """End what has waited long enough."""
        self._framer.tick(now_ms)
        self._work_off(now_ms)
        self._sales.tick(now_ms)
        if self._query.is_due(now_ms):
            self._doubt_query("no_answer")
        self._ready.tick(now_ms)
        self._last.tick(now_ms)

    # --- the link ----------------------------------------------------------------------------------------------------

    def link_opened(self) -> None:
        """Start afresh on a new link; what was asked before is remembered.

        Not who was there: another terminal may be at the address, and its number is asked anew.
        """
        self.terminal_number = None
        self._framer.reset()
        self._outgoing = b""
        self._query_unanswered = False

    def link_lost(self) -> None:
        """End every wait: a lost link is not a failed sale."""
        self._framer.reset()
        self._outgoing = b""
        self._sales.doubt("link_lost")
        self._doubt_query("link_lost")
        self._ready.doubt("link_lost")
        self._last.doubt("link_lost")

    # --- what can be asked -------------------------------------------------------------------------------------------

    def ask_ready(self, *, due_ms: int) -> None:
        """Ask whether the terminal is idle; ends as ReadyEnded."""
        self._ready.ask("ready", due_ms=due_ms)
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
        sale = AskedSale(
            reference=reference,
            amount_rial=amount_rial,
            request_number=number,
            terminal_number=terminal_number or self.terminal_number,
            busy_until_ms=now_ms + self._profile.times.longest_ms,
        )
        self._sales.start(sale, name=reference, due_ms=due_ms)
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
        sale = self._sales.named(reference)
        if sale is None:
            unknown = TerminalOutcome(kind="in_doubt", reason="no_answer")
            sale = AskedSale(reference=reference, amount_rial=amount_rial, outcome=unknown)
        sale.amount_rial = amount_rial
        sale.terminal_number = terminal_number or sale.terminal_number or self.terminal_number
        self._sales.remember(sale, name=reference)
        self._begin_query(sale, request_number, frame, due_ms)

    def ask_number(self, *, reference: str, request_number: str, due_ms: int) -> None:
        """Ask for a sale that does not exist: the answer carries the terminal's number. Ends as QueryEnded."""
        nobody = AskedSale(reference=reference, amount_rial=0, outcome=TerminalOutcome(kind="in_doubt"))
        frame = query_request(reference=reference, request_number=request_number)
        self._begin_query(nobody, request_number, frame, due_ms)

    def ask_last(self, *, request_number: str, due_ms: int) -> None:
        """Ask for the last sale a PC started; ends as LastEnded."""
        self._outgoing += last_request(request_number=request_number)
        self._last_number = request_number
        self._last.ask("last", due_ms=due_ms)

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

    def _begin_query(self, sale: AskedSale, request_number: str, frame: bytes, due_ms: int) -> None:
        self._query_unanswered = self._query_unanswered or self._query.asked is not None
        self._query_number = request_number
        self._query.ask(AskedStatus(sale), due_ms=due_ms)
        self._outgoing += frame

    def ask_cancel(self, now_ms: int) -> bool:
        """Ask for the sale to be dropped. Returns False when there is none the terminal could be working on."""
        if self.unanswered(now_ms) is None:
            return False
        self._outgoing += CANCEL
        return True

    def abandon_sale(self) -> None:
        """Stop waiting for the open sale; its answer will come as a LateAnswer."""
        self._sales.abandon()

    def unanswered(self, now_ms: int) -> str | None:
        """Return the reference of a sale the terminal may still be working on, or None."""
        return self._sales.unanswered(now_ms)

    def is_listening(self, now_ms: int) -> bool:  # noqa: ARG002 - a late answer is known on the next link too
        """Return False: no answer depends on the link it comes on."""
        return False

    # --- answers -----------------------------------------------------------------------------------------------------

    def _work_off(self, now_ms: int) -> None:
        for found in self._framer.items():
            if isinstance(found, Answer):
                self._answer(found, now_ms)
            elif found == "ready":
                self._end_ready()
            else:
                self._noise()

    def _noise(self) -> None:
        """Bytes that are no answer may have been one: who waits for an answer will not learn from it."""
        self._sales.doubt("bad_answer")
        self._doubt_query("bad_answer")
        self._last.doubt("bad_answer")

    def _doubt_query(self, reason: DoubtReason) -> None:
        self._query_unanswered = self._query_unanswered or self._query.asked is not None
        self._query.doubt(reason)

    def _end_ready(self) -> None:
        if self._ready.asked is not None:
            self._ready.end(ReadyEnded(idle=True))

    def _answer(self, answer: Answer, now_ms: int) -> None:
        if answer.service == SERVICE_QUERY:
            self._status_answer(answer)
        elif answer.service == SERVICE_LAST:
            if self._last.asked is not None and answer.request_number in {None, self._last_number}:
                self._learn_number(answer)
                self._last.end(LastEnded(read_last(answer.evidence("last_transaction"), self._profile)))
        elif answer.service in {None, SERVICE_SALE, SERVICE_BILL}:
            self._sale_answer(answer, now_ms)

    def _status_answer(self, answer: Answer) -> None:
        asked = self._query.asked
        if not isinstance(asked, AskedStatus) or not self._answers(answer, asked.about):
            self._late_status(answer)
            return
        status = judge_query(answer.evidence("status_query"), asked.about, self._profile)
        if status.kind != "mismatch":
            self._learn_number(answer)
        self._sales.learn(asked.about.reference, status)
        self._query.end(QueryEnded(asked.about.reference, status))

    def _answers(self, answer: Answer, about: AskedSale) -> bool:
        """Return whether an answer is this query's own.

        A found sale is, by its reference: it is true whenever it was asked for. A not-found must carry this query's
        number, or none while no other query's answer can still come: one of the past proves nothing about now.
        """
        if answer.request_number == self._query_number:
            return True
        if self._profile.meaning(answer.response_code).outcome == "approved":
            return answer.reference == about.reference
        return answer.request_number is None and not self._query_unanswered

    def _late_status(self, answer: Answer) -> None:
        """Take a found sale nobody waits for; nothing else of the past matters."""
        sale = self._sales.named(answer.reference)
        if self._profile.meaning(answer.response_code).outcome != "approved":
            return
        if sale is None:
            self._events.append(StrayAnswer(answer.evidence("late_answer")))
            return
        self._sales.settle_late(sale, judge_sale(answer.evidence("late_answer"), sale, self._profile))

    def _sale_answer(self, answer: Answer, now_ms: int) -> None:
        meaning = self._profile.meaning(answer.response_code)
        if meaning.centre != "not_said":
            self.centre_link = meaning.centre == "reached"
        sale = self._owner(answer, now_ms)
        if sale is None:
            if meaning.outcome == "approved":
                self._events.append(StrayAnswer(answer.evidence("late_answer")))
            return
        outcome = judge_sale(answer.evidence(self._sales.source(sale)), sale, self._profile)
        if outcome.reason != "mismatch":
            self._learn_number(answer)
        self._sales.settle(sale, outcome)

    def _owner(self, answer: Answer, now_ms: int) -> AskedSale | None:
        """Return the sale an answer is about, or None.

        An approval that names no known sale is judged against the open one, where it ends as a mismatch: a charge
        nobody can place must not pass in silence. Any other answer must not end a sale it does not name, unless it
        names none and only one sale can be meant.
        """
        named = self._sales.named(answer.reference)
        if named is not None:
            return named
        for sale in reversed(self._sales.all()):
            if answer.request_number is not None and sale.request_number == answer.request_number:
                return sale
        waiting = self._sales.open
        if self._profile.meaning(answer.response_code).outcome == "approved":
            return waiting
        nameless = answer.reference is None and answer.request_number is None
        others = any(sale.outcome is not None and sale.may_be_worked_on(now_ms) for sale in self._sales.all())
        return waiting if nameless and not others else None

    def _learn_number(self, answer: Answer) -> None:
        if answer.terminal_number is not None:
            self.terminal_number = answer.terminal_number
