"""The conversation with a Sadad terminal: one request and its answer on each connection.

An answer to a sale repeats no reference: the connection it comes on says whose it is, amount and terminal number have
to agree, and its trace must be none that was told before. Afterwards the terminal is asked by our reference. What it
then answers does not say which terminal it is, so it is asked that on a connection just before (`ask_ready`), which is
also the question whether it is there. None of these makes a transaction. Implements `session.Session`.
"""

from collections import deque
from typing import Final, Literal

from edge.devices.terminals.judgement import AskedSale, is_stray, judge_query, judge_sale, read_last, settles
from edge.devices.terminals.outcome import DoubtReason, LastTransaction, OrderAnswer, StatusAnswer, TerminalOutcome
from edge.devices.terminals.sadad import BILL, PURCHASE, SaleAnswer, sale_request
from edge.devices.terminals.sadad_framing import Content, Framer
from edge.devices.terminals.sadad_link import SadadLink, Word
from edge.devices.terminals.sadad_reports import Device, Report, device_request, last_request, search_request
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
from firmware_profiles.protocol_options import SadadOptions
from shared.events import Evidence

Request = Literal["ready", "sale", "status", "last"]

ENDED_CODE: Final = "EOT"
"""Stands for a code in the table: the terminal ended the sale with a frame that carries none."""
REFUSED_CODE: Final = "NACK"
"""The same for a request that the terminal did not take."""
REMEMBERED_TRACES_MAX: Final = 256


class SadadSession:
    """One terminal's conversation. At most one request at a time; the newest sale is remembered."""

    def __init__(self, profile: TerminalProfile) -> None:
        self._profile = profile
        self._options = profile.sadad or SadadOptions()
        self._framer = Framer(profile.times.frame_gap_ms)
        self._link = SadadLink(ack_timeout_ms=self._options.ack_timeout_ms)
        self._asked: Request | None = None
        self._waiting = False
        self._due_ms = 0
        self._sale: AskedSale | None = None
        self._processing_code = PURCHASE
        self._about: AskedSale | None = None
        self._told_number: str | None = None
        self._traces: deque[str] = deque(maxlen=REMEMBERED_TRACES_MAX)
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
        return self._link.data_to_send()

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None."""
        dues = (self._due_ms if self._waiting else None, self._framer.deadline(), self._link.deadline())
        return min((due for due in dues if due is not None), default=None)

    def tick(self, now_ms: int) -> None:
        """End what has waited long enough."""
        self._framer.tick(now_ms)
        self._work_off()
        self._take_word(self._link.tick(now_ms))
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
        self._link.reset()
        self._asked = None

    # --- what can be asked -------------------------------------------------------------------------------------------

    def _ask(self, request: Request, frame: bytes, due_ms: int) -> None:
        self._asked, self._waiting, self._due_ms = request, True, due_ms
        self._link.begin(frame, repeatable=request != "sale")

    def ask_ready(self, *, due_ms: int) -> None:
        """Ask the terminal who it is: one that answers is there and idle, and makes no transaction."""
        self._told_number = None
        self._ask("ready", device_request(), due_ms)

    def start_sale(
        self,
        *,
        amount_rial: int,
        reference: str,
        terminal_number: str | None,
        baseline_stan: str | None = None,  # noqa: ARG002 - traces told before are remembered here
        bill: TerminalBill | None = None,
        now_ms: int,
        due_ms: int,
    ) -> None:
        """Greet, then send the amount; ends as SaleEnded. Raises ValueError for what the protocol cannot carry."""
        frame = sale_request(
            amount_rial=amount_rial,
            reference=reference,
            api_version=self._options.api_version,
            bill=None if bill is None else (bill.bill_id, bill.payment_id),
        )
        self._processing_code = PURCHASE if bill is None else BILL
        self._sale = AskedSale(
            reference=reference,
            amount_rial=amount_rial,
            terminal_number=terminal_number or self.terminal_number,
            busy_until_ms=now_ms + self._profile.times.longest_ms,
        )
        self._ask("sale", frame, due_ms)

    def ask_status(
        self,
        *,
        reference: str,
        amount_rial: int,
        terminal_number: str | None,
        baseline_stan: str | None = None,  # noqa: ARG002 - it is asked by our reference
        request_number: str,  # noqa: ARG002 - answers repeat none
        due_ms: int,
    ) -> None:
        """Ask for a sale by its reference; ends as QueryEnded. Raises ValueError for a reference it cannot carry."""
        frame = search_request(reference, function=self._options.search_function)
        # Of a terminal that does not say who it is, a sale that it finds is believed by reference and amount alone.
        its_own = None if self._told_number is None else terminal_number or self.terminal_number
        self._about = AskedSale(reference=reference, amount_rial=amount_rial, terminal_number=its_own)
        self._ask("status", frame, due_ms)

    def ask_number(self, *, reference: str, request_number: str, due_ms: int) -> None:  # noqa: ARG002
        """Ask nothing: a search does not tell the terminal's number, and `ask_ready`, which follows, does."""
        self._events.append(QueryEnded(reference, StatusAnswer(kind="no_answer")))

    def ask_last(self, *, request_number: str, due_ms: int) -> None:  # noqa: ARG002 - answers repeat none
        """Ask for the last transaction; ends as LastEnded."""
        self._ask("last", last_request(), due_ms)

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
        """Refuse: a sale stands as it is, and the protocol has nothing that undoes it."""
        self._events.append(OrderEnded(OrderAnswer(kind="refused", reason="terminal.cannot")))

    def ask_cancel(self, now_ms: int) -> bool:
        """Ask for the sale to be dropped, on its own link. Returns False when its answer cannot come on this link."""
        if not self.is_listening(now_ms):
            return False
        self._link.take_back()
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
        may_speak = self._asked == "sale" and self._link.request_left and not self._link.ended
        return may_speak and self.unanswered(now_ms) is not None

    # --- what comes --------------------------------------------------------------------------------------------------

    def _work_off(self) -> None:
        for found in self._framer.items():
            self._take_word(self._link.take(found))
            if isinstance(found, Content):
                self._take_content(found)

    def _take_word(self, word: Word | None) -> None:
        """Take what the link says of the request."""
        if word is None:
            return
        if self._asked == "sale" and self._sale is not None and word in {"ended", "refused"}:
            code = ENDED_CODE if word == "ended" else REFUSED_CODE
            self._settle(self._judged(Evidence(source=self._source(), response_code=code), self._sale))
            return
        if self._asked == "sale" and self._sale is not None and word == "unheard":
            # The amount never left: there is nothing the terminal could be working on.
            self._sale.busy_until_ms = 0
        if self._waiting:
            self._end_in_doubt("bad_answer" if word == "garbled" else "no_answer")

    def _take_content(self, content: Content) -> None:
        if isinstance(content, SaleAnswer) and (self._asked != "sale" or not self._link.request_left):
            self._take_strange(content)
        elif isinstance(content, SaleAnswer):
            self._sale_answer(content)
        elif self._asked == "sale":
            # An answer to something else, where only the sale's can come.
            if self._waiting and self._link.request_left:
                self._end_in_doubt("bad_answer")
        elif self._waiting and self._link.request_left:
            self._link.finish()
            self._end_with(content)

    def _take_strange(self, answer: SaleAnswer) -> None:
        """Take a sale's answer where none was asked for: an error's code, or a charge that a person has to look at."""
        meant = self._profile.meaning(answer.response_code).outcome
        if meant == "approved":
            if answer.trace not in self._traces:
                self._events.append(StrayAnswer(answer.evidence("late_answer")))
        elif self._waiting and self._link.request_left and not answer.amount_rial:
            self._link.finish()
            self._end_with(Report(function="", code=answer.response_code))

    def _sale_answer(self, answer: SaleAnswer) -> None:
        sale = self._sale
        if sale is None or answer.trace in self._traces:
            # It was told before, and repeats itself because our acknowledgement was lost.
            return
        meaning = self._profile.meaning(answer.response_code)
        if meaning.centre != "not_said":
            self.centre_link = meaning.centre == "reached"
        said = answer.evidence(self._source())
        outcome = self._judged(said, sale)
        if answer.processing_code not in {None, self._processing_code}:
            outcome = TerminalOutcome(kind="in_doubt", evidence=said, reason="mismatch")
        if outcome.reason != "mismatch":
            self.terminal_number = said.terminal_number or self.terminal_number
            self._remember_trace(said)
        self._link.finish()
        self._settle(outcome)

    def _source(self) -> Literal["answer", "late_answer"]:
        return "answer" if self._waiting else "late_answer"

    def _judged(self, said: Evidence, sale: AskedSale) -> TerminalOutcome:
        return judge_sale(said, sale, self._profile, by_link=True)

    def _remember_trace(self, said: Evidence) -> None:
        if said.stan is not None:
            self._traces.append(said.stan)

    # --- ends --------------------------------------------------------------------------------------------------------

    def _settle(self, outcome: TerminalOutcome) -> None:
        """End the newest sale, or apply what came after its wait had ended."""
        sale = self._sale
        if sale is None:
            return
        if self._waiting:
            self._end_sale(outcome)
            return
        before = sale.outcome or outcome
        if settles(outcome, before):
            sale.outcome = outcome
            self._events.append(LateAnswer(sale.reference, outcome))
        elif outcome.evidence is not None and is_stray(outcome, before):
            self._events.append(StrayAnswer(outcome.evidence))

    def _end_sale(self, outcome: TerminalOutcome) -> None:
        self._waiting = False
        if self._sale is not None:
            self._sale.outcome = outcome
            self._events.append(SaleEnded(self._sale.reference, outcome))

    def _end_with(self, content: Content) -> None:
        """End the question that this link was made for."""
        self._waiting = False
        if self._asked == "ready":
            if isinstance(content, Device):
                self._told_number = content.terminal_number
                self.terminal_number = content.terminal_number or self.terminal_number
            self._events.append(ReadyEnded(idle=True))
        elif self._asked == "status" and self._about is not None:
            self._end_status(content, self._about)
        elif self._asked == "last":
            said = self._evidence(content, "last_transaction", None)
            self._events.append(
                LastEnded(LastTransaction(kind="unclear") if said is None else read_last(said, self._profile))
            )

    def _end_status(self, content: Content, about: AskedSale) -> None:
        said = self._evidence(content, "status_query", about)
        # Who was told a moment ago is told once: another terminal may take the next connection.
        self._told_number = None
        status = StatusAnswer(kind="unclear") if said is None else judge_query(said, about, self._profile)
        if status.kind == "approved" and status.evidence is not None:
            self._remember_trace(status.evidence)
            if self._sale is not None and self._sale.reference == about.reference:
                self._sale.outcome = TerminalOutcome(kind="approved", evidence=status.evidence)
        self._events.append(QueryEnded(about.reference, status))

    def _evidence(
        self, content: Content, source: Literal["status_query", "last_transaction"], about: AskedSale | None
    ) -> Evidence | None:
        """Return what a report says of the sale that was asked about (None: of the newest); None when it says nothing.

        A sale that was asked for twice by the terminal's own doing may be there twice: a charge of it counts.
        """
        if not isinstance(content, Report):
            return None
        if content.code:
            return Evidence(source=source, response_code=content.code, terminal_number=self._told_number)
        records = [one for one in content.records if about is None or one.reference == about.reference]
        charged = [one for one in records if self._profile.meaning(one.response_code).outcome == "approved"]
        found = next(iter(charged if about is not None and charged else records), None)
        return None if found is None else found.evidence(source, self._told_number)

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
            case _:
                pass
