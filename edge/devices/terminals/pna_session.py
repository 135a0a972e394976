"""The conversation with a terminal of the text protocol: one request and its answer on each connection.

Answers name no request and repeat no reference, so what a connection was made for says whose an answer is: a sale's
late answer can come on the sale's own connection only. On it an approval counts when amount and terminal number agree
and its trace is newer than the baseline that was asked before. Asking for a sale means asking for the last transaction,
which also serves as the question whether the terminal is there: it has no other that makes no transaction.
Implements `session.Session`.
"""

from typing import Literal

from edge.devices.terminals.judgement import (
    NO_TRANSACTION_STAN,
    AskedSale,
    is_stray,
    judge_last,
    judge_order,
    judge_sale,
    read_last,
    settles,
)
from edge.devices.terminals.outcome import DoubtReason, LastTransaction, OrderAnswer, StatusAnswer, TerminalOutcome
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
from shared.events import Evidence

Request = Literal["ready", "sale", "status", "last", "order"]


class PnaSession:
    """One terminal's conversation. At most one request at a time; the newest sale is remembered."""

    def __init__(self, profile: TerminalProfile) -> None:
        self._profile = profile
        self._framer = Framer(profile.times.frame_gap_ms)
        self._asked: Request | None = None
        self._waiting = False
        self._due_ms = 0
        self._sale: AskedSale | None = None
        self._about: AskedSale | None = None
        self._order_stan = ""
        self._order: Order = "acknowledge"
        self._cancel_asked = False
        self._outgoing = b""
        self._events: list[Event] = []
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
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> bytes:
        """Return the bytes that are to leave now; they are not given twice."""
        data, self._outgoing = self._outgoing, b""
        return data

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None."""
        dues = (self._due_ms if self._waiting else None, self._framer.deadline())
        return min((due for due in dues if due is not None), default=None)

    def tick(self, now_ms: int) -> None:
        """End what has waited long enough."""
        self._framer.tick(now_ms)
        self._work_off()
        if self._waiting and now_ms >= self._due_ms:
            self._end_in_doubt("no_answer")

    # --- the link ----------------------------------------------------------------------------------------------------

    def link_opened(self) -> None:
        """Start afresh on a new link; the newest sale is remembered, and can be asked about."""
        self._forget_link()

    def link_lost(self) -> None:
        """End every wait: a lost link is not a failed sale."""
        if self._waiting:
            self._end_in_doubt("link_lost")
        self._forget_link()

    def _forget_link(self) -> None:
        self._framer.reset()
        self._outgoing = b""
        self._asked = None
        self._cancel_asked = False

    # --- what can be asked -------------------------------------------------------------------------------------------

    def _ask(self, request: Request, frame: bytes, due_ms: int) -> None:
        self._asked, self._waiting, self._due_ms = request, True, due_ms
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
        self._sale = AskedSale(
            reference=reference,
            amount_rial=amount_rial,
            terminal_number=terminal_number or self.terminal_number,
            baseline_stan=baseline_stan,
            busy_until_ms=now_ms + self._profile.times.longest_ms,
        )
        self._ask("sale", frame, due_ms)

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
        self._about = AskedSale(
            reference=reference,
            amount_rial=amount_rial,
            terminal_number=terminal_number or self.terminal_number,
            baseline_stan=baseline_stan,
        )
        self._ask("status", last_request(), due_ms)

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
        self._about = AskedSale(
            reference="", amount_rial=amount_rial, terminal_number=terminal_number or self.terminal_number
        )
        self._order, self._order_stan = order, stan
        self._ask("order", order_request(ACKNOWLEDGE if order == "acknowledge" else REVERSE), due_ms)

    def ask_cancel(self, now_ms: int) -> bool:
        """Ask for the sale to be dropped, on its own link. Returns False when its answer cannot come on this link."""
        if not self.is_listening(now_ms):
            return False
        self._cancel_asked = True
        self._outgoing += order_request(CANCEL)
        return True

    def abandon_sale(self) -> None:
        """Stop waiting for the open sale; its answer will come as a LateAnswer."""
        if self._asked == "sale" and self._waiting and self._sale is not None:
            self._sale.outcome = TerminalOutcome(kind="in_doubt", reason="no_answer")
            self._waiting = False

    def unanswered(self, now_ms: int) -> str | None:
        """Return the reference of the newest sale while the terminal may still be working on it, or None."""
        sale = self._sale
        return sale.reference if sale is not None and sale.may_be_worked_on(now_ms) else None

    def is_listening(self, now_ms: int) -> bool:
        """Return whether the newest sale's answer may still come on this link."""
        return self._asked == "sale" and not self._framer.spoilt and self.unanswered(now_ms) is not None

    # --- answers -----------------------------------------------------------------------------------------------------

    def _work_off(self) -> None:
        for found in self._framer.items():
            if not isinstance(found, Answer):
                # Bytes that are no answer may have been one: who waits for an answer will not learn from it.
                if self._waiting:
                    self._end_in_doubt("bad_answer")
            elif self._asked == "sale":
                self._sale_answer(found)
            elif self._waiting:
                self._end_with(found)

    def _sale_answer(self, answer: Answer) -> None:
        sale = self._sale
        meaning = self._profile.meaning(answer.response_code)
        if sale is None or (self._cancel_asked and answer.is_bare and meaning.outcome == "approved"):
            # After a cancel, a bare yes may be the yes to that: it says of no sale that it was charged.
            return
        if meaning.centre != "not_said":
            self.centre_link = meaning.centre == "reached"
        said = answer.evidence("answer" if self._waiting else "late_answer")
        outcome = judge_sale(said, sale, self._profile)
        if outcome.reason != "mismatch":
            self.terminal_number = said.terminal_number or self.terminal_number
        if self._waiting:
            self.newest_stan = said.stan if outcome.kind == "approved" else None
            self._end_sale(outcome)
        else:
            # Late, it may not be the newest any more: somebody may have sold at the terminal itself meanwhile.
            self.newest_stan = None
            self._settle_late(sale, outcome)

    def _end_with(self, answer: Answer) -> None:
        """End the question or order that this link was made for."""
        self._waiting = False
        about = self._about
        if self._asked == "order" and about is not None:
            said = answer.evidence("reversal" if self._order == "reverse" else "answer")
            self._events.append(OrderEnded(judge_order(said, about, self._order_stan, self._profile)))
            return
        said = answer.evidence("last_transaction")
        self._learn(said)
        last = read_last(said, self._profile)
        if self._asked == "status" and about is not None:
            status = judge_last(said, about, self._profile)
            self._remember_settled(about.reference, status)
            self._events.append(QueryEnded(about.reference, status))
        elif self._asked == "ready":
            # What is not said now is not known now, whatever was said before.
            self.newest_stan = NO_TRANSACTION_STAN if last.kind == "none" else said.stan
            self._events.append(ReadyEnded(idle=True))
        else:
            self._events.append(LastEnded(last))

    def _remember_settled(self, reference: str, status: StatusAnswer) -> None:
        if self._sale is not None and self._sale.reference == reference and status.kind == "approved":
            self._sale.outcome = TerminalOutcome(kind="approved", evidence=status.evidence)

    def _learn(self, said: Evidence) -> None:
        self.terminal_number = said.terminal_number or self.terminal_number
        self.newest_stan = said.stan or self.newest_stan

    def _settle_late(self, sale: AskedSale, outcome: TerminalOutcome) -> None:
        """Apply an answer to the sale after its wait had ended."""
        before = sale.outcome or outcome
        if settles(outcome, before):
            sale.outcome = outcome
            self._events.append(LateAnswer(sale.reference, outcome))
        elif outcome.evidence is not None and is_stray(outcome, before):
            self._events.append(StrayAnswer(outcome.evidence))

    # --- ends --------------------------------------------------------------------------------------------------------

    def _end_sale(self, outcome: TerminalOutcome) -> None:
        self._waiting = False
        if self._sale is not None:
            self._sale.outcome = outcome
            self._events.append(SaleEnded(self._sale.reference, outcome))

    def _end_in_doubt(self, reason: DoubtReason) -> None:
        """End what is waited for without an answer: nothing came, or nothing that can be read."""
        self._waiting = False
        read = reason == "bad_answer"
        match self._asked:
            case "sale":
                self._end_sale(TerminalOutcome(kind="in_doubt", reason=reason))
            case "ready":
                self._events.append(ReadyEnded(idle=False))
            case "status" if self._about is not None:
                self._events.append(
                    QueryEnded(self._about.reference, StatusAnswer(kind="unclear" if read else "no_answer"))
                )
            case "last":
                self._events.append(LastEnded(LastTransaction(kind="unclear" if read else "no_answer")))
            case "order":
                self._events.append(OrderEnded(OrderAnswer(kind="in_doubt", reason=reason)))
            case _:
                pass
