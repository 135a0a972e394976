"""The conversation with a Sadad terminal: one request and its answer on each connection.

An answer to a sale repeats no reference: the connection it comes on says whose it is, amount and terminal number have
to agree, and its trace must be none that was told before. Afterwards the terminal is asked by our reference. What it
then answers does not say which terminal it is, so it is asked that on a connection just before (`ask_ready`), which is
also the question whether it is there. None of these makes a transaction. Implements `session.Session`.
"""

from collections import deque
from typing import Final, Literal

from edge.devices.terminals.asked_sales import AskedSales
from edge.devices.terminals.card_free import take_events
from edge.devices.terminals.judgement import AskedSale, judge_query, judge_sale, read_last
from edge.devices.terminals.outcome import DoubtReason, LastTransaction, OrderAnswer, StatusAnswer, TerminalOutcome
from edge.devices.terminals.question import Asked, AskedStatus, Question
from edge.devices.terminals.sadad import BILL, PURCHASE, SaleAnswer, sale_request
from edge.devices.terminals.sadad_framing import Content, Framer
from edge.devices.terminals.sadad_link import SadadLink, Word
from edge.devices.terminals.sadad_reports import Device, Report, device_request, last_request, search_request
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
from firmware_profiles.protocol_options import SadadOptions
from shared.events import Evidence

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
        self._events: list[Event] = []
        self._sales = AskedSales(self._events)
        self._question = Question(self._events)
        self._is_sales_link = False
        self._processing_code = PURCHASE
        self._told_number: str | None = None
        self._traces: deque[str] = deque(maxlen=REMEMBERED_TRACES_MAX)
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
        return self._link.data_to_send()

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None."""
        return earliest(
            self._sales.deadline(), self._question.deadline(), self._framer.deadline(), self._link.deadline()
        )

    def tick(self, now_ms: int) -> None:
        """End what has waited long enough."""
        self._framer.tick(now_ms)
        self._work_off()
        self._take_word(self._link.tick(now_ms))
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
        self._link.reset()
        self._is_sales_link = False

    # --- what can be asked -------------------------------------------------------------------------------------------

    def _ask(self, asked: Asked, frame: bytes, due_ms: int) -> None:
        self._is_sales_link = False
        self._question.ask(asked, due_ms=due_ms)
        self._link.begin(frame, repeatable=True)

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
        sale = AskedSale(
            reference=reference,
            amount_rial=amount_rial,
            terminal_number=terminal_number or self.terminal_number,
            busy_until_ms=now_ms + self._profile.times.longest_ms,
        )
        self._sales.start(sale, due_ms=due_ms)
        self._is_sales_link = True
        self._link.begin(frame, repeatable=False)

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
        about = AskedSale(reference=reference, amount_rial=amount_rial, terminal_number=its_own)
        self._ask(AskedStatus(about), frame, due_ms)

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
        self._sales.abandon()

    def unanswered(self, now_ms: int) -> str | None:
        """Return the reference of the newest sale while the terminal may still be working on it, or None."""
        return self._sales.unanswered(now_ms)

    def is_listening(self, now_ms: int) -> bool:
        """Return whether the newest sale's answer may still come on this link."""
        may_speak = self._is_sales_link and self._link.request_left and not self._link.ended
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
        sale = self._sales.newest if self._is_sales_link else None
        if sale is not None and word in {"ended", "refused"}:
            code = ENDED_CODE if word == "ended" else REFUSED_CODE
            said = Evidence(source=self._sales.source(sale), response_code=code)
            self._sales.settle(sale, self._judged(said, sale))
            return
        if sale is not None and word == "unheard":
            # The amount never left: there is nothing the terminal could be working on.
            sale.busy_until_ms = 0
        self._doubt("bad_answer" if word == "garbled" else "no_answer")

    def _doubt(self, reason: DoubtReason) -> None:
        self._sales.doubt(reason)
        self._question.doubt(reason)

    def _take_content(self, content: Content) -> None:
        if isinstance(content, SaleAnswer) and not (self._is_sales_link and self._link.request_left):
            self._take_strange(content)
        elif isinstance(content, SaleAnswer):
            self._sale_answer(content)
        elif self._is_sales_link:
            # An answer to something else, where only the sale's can come.
            if self._link.request_left:
                self._sales.doubt("bad_answer")
        else:
            self._end_with(content)

    def _take_strange(self, answer: SaleAnswer) -> None:
        """Take a sale's answer where none was asked for: an error's code, or a charge that a person has to look at."""
        meant = self._profile.meaning(answer.response_code).outcome
        if meant == "approved":
            if answer.trace not in self._traces:
                self._events.append(StrayAnswer(answer.evidence("late_answer")))
        elif not answer.amount_rial:
            self._end_with(Report(function="", code=answer.response_code))

    def _sale_answer(self, answer: SaleAnswer) -> None:
        sale = self._sales.newest
        if sale is None or answer.trace in self._traces:
            # It was told before, and repeats itself because our acknowledgement was lost.
            return
        meaning = self._profile.meaning(answer.response_code)
        if meaning.centre != "not_said":
            self.centre_link = meaning.centre == "reached"
        said = answer.evidence(self._sales.source(sale))
        outcome = self._judged(said, sale)
        if answer.processing_code not in {None, self._processing_code}:
            outcome = TerminalOutcome(kind="in_doubt", evidence=said, reason="mismatch")
        if outcome.reason != "mismatch":
            self.terminal_number = said.terminal_number or self.terminal_number
            self._remember_trace(said)
        self._link.finish()
        self._sales.settle(sale, outcome)

    def _judged(self, said: Evidence, sale: AskedSale) -> TerminalOutcome:
        return judge_sale(said, sale, self._profile, by_link=True)

    def _remember_trace(self, said: Evidence) -> None:
        if said.stan is not None:
            self._traces.append(said.stan)

    # --- ends --------------------------------------------------------------------------------------------------------

    def _end_with(self, content: Content) -> None:
        """End the question that this link was made for, if it has been asked by now."""
        asked = self._question.asked
        if asked is None or not self._link.request_left:
            return
        self._link.finish()
        match asked:
            case "ready":
                # What is not said now is not known now: another terminal may be at the address.
                self._told_number = self.terminal_number = (
                    content.terminal_number if isinstance(content, Device) else None
                )
                self._question.end(ReadyEnded(idle=True))
            case AskedStatus(about):
                self._end_status(content, about)
            case "last":
                said = self._evidence(content, "last_transaction", None)
                last = LastTransaction(kind="unclear") if said is None else read_last(said, self._profile)
                self._question.end(LastEnded(last))
            case _:
                pass

    def _end_status(self, content: Content, about: AskedSale) -> None:
        said = self._evidence(content, "status_query", about)
        # Who was told a moment ago is told once: another terminal may take the next connection.
        self._told_number = None
        status = StatusAnswer(kind="unclear") if said is None else judge_query(said, about, self._profile)
        if status.kind == "approved" and status.evidence is not None:
            self._remember_trace(status.evidence)
        self._sales.learn(about.reference, status)
        self._question.end(QueryEnded(about.reference, status))

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
