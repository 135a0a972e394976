"""The conversation with a terminal of the text protocol: one request and its answer on each connection.

Answers name no request and repeat no reference, so what a connection was made for says whose an answer is: a sale's
late answer can come on the sale's own connection only. On it an approval counts when amount and terminal number agree
and its trace is newer than the baseline that was asked before. Asking for a sale means asking for the last transaction,
which also serves as the question whether the terminal is there: it has no other that makes no transaction.
Implements `session.Session`.
"""

from edge.devices.terminals.asked_sales import AskedSales
from edge.devices.terminals.card_free import take_events
from edge.devices.terminals.judgement import (
    NO_TRANSACTION_STAN,
    AskedSale,
    judge_last,
    judge_order,
    judge_sale,
    read_last,
)
from edge.devices.terminals.outcome import DoubtReason, OrderAnswer
from edge.devices.terminals.pna import (
    ACKNOWLEDGE,
    CANCEL,
    REVERSE,
    Answer,
    last_request,
    order_request,
    sale_request,
)
from edge.devices.terminals.pna_framing import Framer
from edge.devices.terminals.question import Asked, AskedStatus, Question, ToldOrder
from edge.devices.terminals.session import (
    Event,
    LastEnded,
    Order,
    OrderEnded,
    QueryEnded,
    ReadyEnded,
    TerminalBill,
    earliest,
)
from firmware_profiles.profile import TerminalProfile
from shared.events import Evidence


class PnaSession:
    """One terminal's conversation. At most one request at a time; the newest sale is remembered."""

    def __init__(self, profile: TerminalProfile) -> None:
        self._profile = profile
        self._framer = Framer(profile.times.frame_gap_ms)
        self._events: list[Event] = []
        self._sales = AskedSales(self._events)
        self._question = Question(self._events)
        self._is_sales_link = False
        self._cancel_asked = False
        self._outgoing = b""
        self.terminal_number: str | None = None
        self.centre_link: bool | None = None
        self.newest_stan: str | None = None

    # --- the four verbs ----------------------------------------------------------------------------------------------

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Take bytes as they came."""
        self._framer.receive_data(data, now_ms)
        self._work_off()

    def events(self) -> list[Event]:
        """Return what happened since the last call, in order."""
        return take_events(self._events)

    def data_to_send(self) -> bytes:
        """Return the bytes that are to leave now; they are not given twice."""
        data, self._outgoing = self._outgoing, b""
        return data

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None."""
        return earliest(self._sales.deadline(), self._question.deadline(), self._framer.deadline())

    def tick(self, now_ms: int) -> None:
        """End what has waited long enough."""
        self._framer.tick(now_ms)
        self._work_off()
        self._sales.tick(now_ms)
        self._question.tick(now_ms)

    # --- the link ----------------------------------------------------------------------------------------------------

    def link_opened(self) -> None:
        """Start afresh on a new link; the newest sale is remembered, and can be asked about."""
        self._forget_link()

    def link_lost(self) -> None:
        """End every wait: a lost link is not a failed sale."""
        self._doubt("link_lost")
        self._forget_link()

    def _forget_link(self) -> None:
        self._framer.reset()
        self._outgoing = b""
        self._is_sales_link = self._cancel_asked = False

    # --- what can be asked -------------------------------------------------------------------------------------------

    def _ask(self, asked: Asked, frame: bytes, due_ms: int) -> None:
        self._is_sales_link = False
        self._question.ask(asked, due_ms=due_ms)
        self._outgoing += frame

    def ask_ready(self, *, due_ms: int) -> None:
        """Ask for the last transaction: who tells it is there, and its trace is the next sale's baseline."""
        self._ask("ready", last_request(), due_ms)

    def start_sale(
        self,
        *,
        amount_rial: int,
        reference: str,
        terminal_number: str | None,
        baseline_stan: str | None = None,
        bill: TerminalBill | None = None,
        now_ms: int,
        due_ms: int,
    ) -> None:
        """Send the amount; ends as SaleEnded. Raises ValueError for an amount the protocol cannot carry."""
        digits = self._profile.slip_reference_digits
        frame = sale_request(
            amount_rial=amount_rial,
            slip_line=reference[-digits:] if digits else "",
            bill=None if bill is None else (bill.bill_id, bill.payment_id),
        )
        sale = AskedSale(
            reference=reference,
            amount_rial=amount_rial,
            terminal_number=terminal_number or self.terminal_number,
            baseline_stan=baseline_stan,
            busy_until_ms=now_ms + self._profile.times.longest_ms,
        )
        self._sales.start(sale, due_ms=due_ms)
        self._is_sales_link = True
        self._outgoing += frame

    def ask_status(
        self,
        *,
        reference: str,
        amount_rial: int,
        terminal_number: str | None,
        baseline_stan: str | None = None,
        request_number: str,  # noqa: ARG002 - answers repeat none
        due_ms: int,
    ) -> None:
        """Ask for the last transaction, to be held against a sale and its baseline; ends as QueryEnded."""
        about = AskedSale(
            reference=reference,
            amount_rial=amount_rial,
            terminal_number=terminal_number or self.terminal_number,
            baseline_stan=baseline_stan,
        )
        self._ask(AskedStatus(about), last_request(), due_ms)

    def ask_number(self, *, reference: str, request_number: str, due_ms: int) -> None:
        """Ask for the last transaction, which tells the terminal's number; it is no sale of this reference."""
        self.ask_status(
            reference=reference,
            amount_rial=0,
            terminal_number=None,
            baseline_stan=None,
            request_number=request_number,
            due_ms=due_ms,
        )

    def ask_last(self, *, request_number: str, due_ms: int) -> None:  # noqa: ARG002 - answers repeat none
        """Ask for the last transaction; ends as LastEnded."""
        self._ask("last", last_request(), due_ms)

    def give_order(
        self,
        order: Order,
        *,
        amount_rial: int,
        stan: str,
        terminal_number: str | None,
        due_ms: int,
        receipt_number: str | None = None,  # noqa: ARG002 - no order names a sale
    ) -> None:
        """Tell the terminal to keep or to undo its newest sale; ends as OrderEnded."""
        if order == "void":
            self._events.append(OrderEnded(OrderAnswer(kind="refused", reason="terminal.cannot")))
            return
        about = AskedSale(
            reference="", amount_rial=amount_rial, terminal_number=terminal_number or self.terminal_number
        )
        frame = order_request(ACKNOWLEDGE if order == "acknowledge" else REVERSE)
        self._ask(ToldOrder(order, about, stan), frame, due_ms)

    def ask_cancel(self, now_ms: int) -> bool:
        """Ask for the sale to be dropped, on its own link. Returns False when its answer cannot come on this link."""
        if not self.is_listening(now_ms):
            return False
        self._cancel_asked = True
        self._outgoing += order_request(CANCEL)
        return True

    def abandon_sale(self) -> None:
        """Stop waiting for the open sale; its answer will come as a LateAnswer."""
        self._sales.abandon()

    def unanswered(self, now_ms: int) -> str | None:
        """Return the reference of the newest sale while the terminal may still be working on it, or None."""
        return self._sales.unanswered(now_ms)

    def is_listening(self, now_ms: int) -> bool:
        """Return whether the newest sale's answer may still come on this link."""
        return self._is_sales_link and not self._framer.spoilt and self.unanswered(now_ms) is not None

    # --- answers -----------------------------------------------------------------------------------------------------

    def _work_off(self) -> None:
        for found in self._framer.items():
            if not isinstance(found, Answer):
                # Bytes that are no answer may have been one: who waits for an answer will not learn from it.
                self._doubt("bad_answer")
            elif self._is_sales_link:
                self._sale_answer(found)
            else:
                self._end_with(found)

    def _doubt(self, reason: DoubtReason) -> None:
        self._sales.doubt(reason)
        self._question.doubt(reason)

    def _sale_answer(self, answer: Answer) -> None:
        sale = self._sales.newest
        meaning = self._profile.meaning(answer.response_code)
        if sale is None or (self._cancel_asked and answer.is_bare and meaning.outcome == "approved"):
            # After a cancel, a bare yes may be the yes to that: it says of no sale that it was charged.
            return
        if meaning.centre != "not_said":
            self.centre_link = meaning.centre == "reached"
        said = answer.evidence(self._sales.source(sale))
        outcome = judge_sale(said, sale, self._profile)
        if outcome.reason != "mismatch":
            self.terminal_number = said.terminal_number or self.terminal_number
        # Late, it may not be the newest any more: somebody may have sold at the terminal itself meanwhile.
        self.newest_stan = said.stan if outcome.kind == "approved" and sale is self._sales.open else None
        self._sales.settle(sale, outcome)

    def _end_with(self, answer: Answer) -> None:
        """End the question or order that this link was made for."""
        match self._question.asked:
            case ToldOrder(order, about, stan):
                said = answer.evidence("reversal" if order == "reverse" else "answer")
                self._question.end(OrderEnded(judge_order(said, about, stan, self._profile)))
            case AskedStatus(about):
                said = self._learnt(answer)
                status = judge_last(said, about, self._profile)
                self._sales.learn(about.reference, status)
                self._question.end(QueryEnded(about.reference, status))
            case "ready":
                said = self._learnt(answer)
                # What is not said now is not known now, whatever was said before: another terminal may be there.
                self.terminal_number = said.terminal_number
                none = read_last(said, self._profile).kind == "none"
                self.newest_stan = NO_TRANSACTION_STAN if none else said.stan
                self._question.end(ReadyEnded(idle=True))
            case "last":
                self._question.end(LastEnded(read_last(self._learnt(answer), self._profile)))
            case None:
                pass

    def _learnt(self, answer: Answer) -> Evidence:
        """Return what an answer says of the last transaction, its number and trace taken notice of."""
        said = answer.evidence("last_transaction")
        self.terminal_number = said.terminal_number or self.terminal_number
        self.newest_stan = said.stan or self.newest_stan
        return said
