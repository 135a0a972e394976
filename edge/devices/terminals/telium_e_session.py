"""The conversation with a terminal that speaks Telium's protocol E: it is told an amount, and answers once.

The request carries the last ten digits of our reference and the answer repeats them: whichever sale it names, it is
of that one. There is nothing that the terminal can be asked, told to undo, or told to drop; one that is busy takes no
notice of a request. So an amount is never said again, and a sale without an answer stays in doubt. Whether the terminal
is there is asked by asking for the line and giving it back. Implements `session.Session`.
"""

from typing import Final

from edge.devices.terminals.asked_sales import AskedSales
from edge.devices.terminals.card_free import take_events
from edge.devices.terminals.judgement import AskedSale, judge_sale
from edge.devices.terminals.outcome import LastTransaction, OrderAnswer, StatusAnswer
from edge.devices.terminals.question import Question
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
from edge.devices.terminals.telium_e import PRIVATE_CHARACTERS, Answer, AnswerError, decode, sale_request
from edge.devices.terminals.telium_e_link import Ending, LineTurns
from firmware_profiles.profile import TerminalProfile
from firmware_profiles.protocol_options import TeliumEOptions
from shared.events import Evidence

NOT_TAKEN: Final = "NAK"
"""The code of a request that the terminal did not take, each time it was sent. It is no result of the terminal's."""
NO_LINE: Final = "ENQ"
"""The code of a request that never left: the terminal did not give the line."""
REMEMBERED_SALES_MAX: Final = 8


class TeliumESession:
    """One terminal's conversation. At most one sale that is waited for; the last few are remembered."""

    def __init__(self, profile: TerminalProfile) -> None:
        self._profile = profile
        self._options = options = profile.telium_e or TeliumEOptions()
        self._turns = LineTurns(gap_ms=profile.times.frame_gap_ms, answer_ms=options.answer_ms)
        self._events: list[Event] = []
        self._sales = AskedSales(self._events, remembered_max=REMEMBERED_SALES_MAX)
        self._ready = Question(self._events)
        self.terminal_number: str | None = None
        self.centre_link: bool | None = None
        self.newest_stan: str | None = None

    # --- the four verbs ----------------------------------------------------------------------------------------------

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Take bytes as they came."""
        self._turns.receive_data(data, now_ms)
        self._work_off()

    def events(self) -> list[Event]:
        """Return what happened since the last call, in order."""
        return take_events(self._events)

    def data_to_send(self) -> bytes:
        """Return the bytes that are to leave now; they are not given twice."""
        return self._turns.data_to_send()

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None."""
        return earliest(self._sales.deadline(), self._ready.deadline(), self._turns.deadline())

    def tick(self, now_ms: int) -> None:
        """End what has waited long enough."""
        self._turns.tick(now_ms)
        self._work_off()
        self._sales.tick(now_ms)
        self._ready.tick(now_ms)

    # --- the link ----------------------------------------------------------------------------------------------------

    def link_opened(self) -> None:
        """Start afresh on a new link; sales are remembered, and their answers may come on it."""
        self._turns.reset()

    def link_lost(self) -> None:
        """End every wait: a lost link is not a failed sale."""
        if self._turns.message_waits:
            self._not_taken(NO_LINE)
        self._turns.reset()
        self._sales.doubt("link_lost")
        self._ready.doubt("link_lost")

    # --- what can be asked -------------------------------------------------------------------------------------------

    def ask_ready(self, *, due_ms: int) -> None:
        """Ask for the line, and give it back; ends as ReadyEnded."""
        if not self._turns.at_rest:
            self._events.append(ReadyEnded(idle=False))
            return
        self._ready.ask("ready", due_ms=due_ms)
        self._turns.take_turn(None)

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
        if bill is not None:
            raise ValueError("this protocol pays no bills")
        private = reference[-PRIVATE_CHARACTERS:]
        message = sale_request(
            till=self._options.till,
            amount=amount_rial * self._units_of_a_rial,
            currency=self._options.currency,
            private=private,
            full_answer=self._options.full_answer,
        )
        sale = AskedSale(
            reference=reference,
            amount_rial=amount_rial,
            terminal_number=terminal_number,
            busy_until_ms=now_ms + self._profile.times.longest_ms,
        )
        self._sales.start(sale, name=private, due_ms=due_ms)
        self._turns.take_turn(message)

    @property
    def _units_of_a_rial(self) -> int:
        return int(10**self._options.minor_digits)

    def ask_status(
        self,
        *,
        reference: str,
        amount_rial: int,  # noqa: ARG002 - it cannot be asked
        terminal_number: str | None,  # noqa: ARG002
        baseline_stan: str | None = None,  # noqa: ARG002
        request_number: str,  # noqa: ARG002
        due_ms: int,  # noqa: ARG002
    ) -> None:
        """Answer at once: it cannot be asked."""
        self._events.append(QueryEnded(reference, StatusAnswer(kind="no_answer")))

    def ask_number(self, *, reference: str, request_number: str, due_ms: int) -> None:  # noqa: ARG002
        """Answer at once: it never says its number."""
        self._events.append(QueryEnded(reference, StatusAnswer(kind="no_answer")))

    def ask_last(self, *, request_number: str, due_ms: int) -> None:  # noqa: ARG002
        """Answer at once: it cannot be asked."""
        self._events.append(LastEnded(LastTransaction(kind="no_answer")))

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
        """Refuse: a sale stands as it is."""
        self._events.append(OrderEnded(OrderAnswer(kind="refused", reason="terminal.cannot")))

    def ask_cancel(self, now_ms: int) -> bool:  # noqa: ARG002
        """Return False: only the terminal's own key drops a sale."""
        return False

    def abandon_sale(self) -> None:
        """Stop waiting for the open sale; its answer will come as a LateAnswer."""
        self._sales.abandon()

    def unanswered(self, now_ms: int) -> str | None:
        """Return the reference of a sale the terminal may still be working on, or None."""
        return self._sales.unanswered(now_ms)

    def is_listening(self, now_ms: int) -> bool:  # noqa: ARG002 - a late answer is known on the next link too
        """Return False: no answer depends on the link it comes on."""
        return False

    # --- what the terminal says --------------------------------------------------------------------------------------

    def _work_off(self) -> None:
        for ending in self._turns.endings():
            self._turn_ended(ending)
        for message in self._turns.messages():
            if message == "noise":
                self._sales.doubt("bad_answer")
            else:
                self._hear(message)

    def _turn_ended(self, ending: Ending) -> None:
        if self._ready.asked is not None:
            self._ready.end(ReadyEnded(idle=ending == "there"))
        elif ending == "unsaid":
            self._not_taken(NO_LINE)
        elif ending == "refused":
            self._not_taken(NOT_TAKEN)

    def _not_taken(self, code: str) -> None:
        """End the open sale of which the terminal has certainly taken nothing."""
        sale = self._sales.open
        if sale is not None:
            said = Evidence(source="answer", response_code=code)
            self._sales.settle(sale, judge_sale(said, sale, self._profile))

    def _hear(self, message: bytes) -> None:
        try:
            answer = decode(message)
        except AnswerError:
            self._sales.doubt("bad_answer")
            return
        meaning = self._profile.meaning(answer.result)
        if meaning.centre != "not_said":
            self.centre_link = meaning.centre == "reached"
        sale = self._owner(answer)
        if sale is not None:
            self._sales.settle(sale, judge_sale(self._evidence(answer, sale), sale, self._profile))
        elif meaning.outcome == "approved":
            self._events.append(StrayAnswer(self._evidence(answer, None)))

    def _owner(self, answer: Answer) -> AskedSale | None:
        """Return the sale that an answer is of, or None.

        A yes that names no known sale is held against the open one, where it ends as a mismatch: a charge nobody can
        place must not pass in silence. Any other answer must not end a sale it does not name, unless it names none and
        only one sale can be meant.
        """
        named = self._sales.named(answer.private)
        if named is not None:
            return named
        if self._profile.meaning(answer.result).outcome == "approved":
            return self._sales.open
        others = any(sale.outcome is not None and sale.outcome.kind == "in_doubt" for sale in self._sales.all())
        return None if answer.private or others else self._sales.open

    def _evidence(self, answer: Answer, sale: AskedSale | None) -> Evidence:
        """Return what an answer says, in the journal's words; an amount in another currency is none."""
        rial, rest = divmod(answer.amount, self._units_of_a_rial)
        ours = answer.currency == self._options.currency and not rest
        named = self._sales.named(answer.private)
        return Evidence(
            source=self._sales.source(sale),
            response_code=answer.result,
            amount_rial=rial if ours else None,
            reference=named.reference if named is not None else answer.private or None,
            pan=answer.pan,
        )
