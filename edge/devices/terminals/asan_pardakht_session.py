"""The conversation with an Asan Pardakht terminal: one request and its answer on each connection.

A purchase carries a MessageID, the last digits of our reference, which its answer repeats. The terminal can be asked
for its last purchase only: when that is another one, it says nothing of ours, unless it is still the very one that was
the last before our amount left (its trace is the baseline), for then nothing was bought since. The same question shows
that the terminal is there; it makes no purchase. Nothing can be taken back. Implements `session.Session`.
"""

from typing import Final

import msgspec

from edge.devices.terminals.asan_pardakht import Answer, buy_request, inquiry_request
from edge.devices.terminals.asan_pardakht_framing import Framer
from edge.devices.terminals.asked_sales import AskedSales
from edge.devices.terminals.card_free import take_events
from edge.devices.terminals.judgement import (
    AskedSale,
    judge_last,
    judge_query,
    judge_sale,
    read_last,
)
from edge.devices.terminals.outcome import DoubtReason, OrderAnswer, StatusAnswer
from edge.devices.terminals.question import Asked, AskedStatus, Question
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
from shared.calendar import TEHRAN
from shared.clock import Clock

NOBODYS_MESSAGE_ID: Final = "0"
"""Asked for when any last purchase will do."""
REMEMBERED_SALES_MAX: Final = 256
"""Sales whose late answers are still known. Older ones come as stray answers, which a person looks at."""


class AsanPardakhtSession:
    """One terminal's conversation. At most one request at a time; sales are remembered by their MessageIDs."""

    def __init__(self, profile: TerminalProfile, clock: Clock) -> None:
        """Begin with nothing asked. `clock` is read only for the time of day that a purchase carries."""
        self._profile = profile
        self._clock = clock
        self._framer = Framer(profile.times.frame_gap_ms)
        self._events: list[Event] = []
        self._sales = AskedSales(self._events, remembered_max=REMEMBERED_SALES_MAX)
        self._question = Question(self._events)
        self._is_sales_link = False
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
        """Start afresh on a new link; the sales are remembered, and can be asked about."""
        self._forget_link()

    def link_lost(self) -> None:
        """End every wait: a lost link is not a failed sale."""
        self._doubt("link_lost")
        self._forget_link()

    def _forget_link(self) -> None:
        self._framer.reset()
        self._outgoing = b""
        self._is_sales_link = False

    # --- what can be asked -------------------------------------------------------------------------------------------

    def _ask(self, asked: Asked, line: bytes, due_ms: int) -> None:
        self._is_sales_link = False
        self._question.ask(asked, due_ms=due_ms)
        self._outgoing += line

    def _message_id(self, reference: str) -> str:
        """Return what names a sale on the wire. Raises ValueError for a reference that is no number.

        Without zeros in front: a terminal may keep it as a number.
        """
        digits = reference[-self._profile.reference_digits_max :]
        if not (digits.isascii() and digits.isdecimal()):
            raise ValueError("reference must be digits")
        return str(int(digits))

    def ask_ready(self, *, due_ms: int) -> None:
        """Ask for the last purchase: who tells it is there, and its trace is the next sale's baseline."""
        self._ask("ready", inquiry_request(NOBODYS_MESSAGE_ID), due_ms)

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
        """Send the amount; ends as SaleEnded. Raises ValueError for what the protocol cannot carry, a bill too."""
        if bill is not None:
            raise ValueError("this protocol's payment of a bill is not published")
        message_id = self._message_id(reference)
        line = buy_request(
            amount_rial=amount_rial,
            invoice_number=message_id,
            local_time=f"{self._clock.now().astimezone(TEHRAN):%Y%m%d%H%M%S}",
            message_id=message_id,
        )
        sale = AskedSale(
            reference=reference,
            amount_rial=amount_rial,
            terminal_number=terminal_number or self.terminal_number,
            baseline_stan=baseline_stan,
            busy_until_ms=now_ms + self._profile.times.longest_ms,
        )
        self._sales.start(sale, name=message_id, due_ms=due_ms)
        self._is_sales_link = True
        self._outgoing += line

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
        """Ask for a sale by its MessageID; ends as QueryEnded. Raises ValueError for a reference it cannot carry."""
        line = inquiry_request(self._message_id(reference))
        about = AskedSale(
            reference=reference,
            amount_rial=amount_rial,
            terminal_number=terminal_number or self.terminal_number,
            baseline_stan=baseline_stan,
        )
        self._ask(AskedStatus(about), line, due_ms)

    def ask_number(self, *, reference: str, request_number: str, due_ms: int) -> None:  # noqa: ARG002
        """Ask nothing: `ask_ready`, which follows, tells the terminal's number."""
        self._events.append(QueryEnded(reference, StatusAnswer(kind="no_answer")))

    def ask_last(self, *, request_number: str, due_ms: int) -> None:  # noqa: ARG002 - answers repeat none
        """Ask for the last purchase; ends as LastEnded."""
        self._ask("last", inquiry_request(NOBODYS_MESSAGE_ID), due_ms)

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

    def ask_cancel(self, now_ms: int) -> bool:  # noqa: ARG002
        """Return False: the protocol has no cancel; the customer or the merchant cancels at the terminal."""
        return False

    def abandon_sale(self) -> None:
        """Stop waiting for the open sale; its answer will come as a LateAnswer."""
        self._sales.abandon()

    def unanswered(self, now_ms: int) -> str | None:
        """Return the reference of the newest sale while the terminal may still be working on it, or None."""
        sale = self._sales.newest
        return sale.reference if sale is not None and sale.may_be_worked_on(now_ms) else None

    def is_listening(self, now_ms: int) -> bool:
        """Return whether the newest sale's answer may still come on this link."""
        return self._is_sales_link and self.unanswered(now_ms) is not None

    # --- answers -----------------------------------------------------------------------------------------------------

    def _work_off(self) -> None:
        for found in self._framer.items():
            if found == "noise":
                # Bytes that are no answer may have been one: who waits for an answer will not learn from it.
                self._doubt("bad_answer")
            elif isinstance(found, Answer) and found.about == "purchase":
                self._purchase_answer(found)
            elif isinstance(found, Answer):
                self._end_with(found)

    def _doubt(self, reason: DoubtReason) -> None:
        self._sales.doubt(reason)
        self._question.doubt(reason)

    def _purchase_answer(self, answer: Answer) -> None:
        meaning = self._profile.meaning(answer.response_code)
        if meaning.centre != "not_said":
            self.centre_link = meaning.centre == "reached"
        sale = self._owner(answer)
        if sale is None:
            if meaning.outcome == "approved":
                self._events.append(StrayAnswer(answer.evidence("late_answer", None)))
            return
        named = sale.reference if self._named(answer) is sale else None
        outcome = judge_sale(answer.evidence(self._sales.source(sale), named), sale, self._profile)
        if outcome.reason != "mismatch":
            self.terminal_number = answer.terminal_number or self.terminal_number
        self.newest_stan = None
        self._sales.settle(sale, outcome)

    def _named(self, answer: Answer) -> AskedSale | None:
        return None if answer.message_id is None else self._sales.named(_number(answer.message_id))

    def _owner(self, answer: Answer) -> AskedSale | None:
        """Return the sale an answer is about, or None.

        An approval of no known sale is judged against the one that is waited for, where it ends as a mismatch: a charge
        nobody can place must not pass in silence. Any other answer ends that sale only when it names none.
        """
        known = self._named(answer)
        approved = self._profile.meaning(answer.response_code).outcome == "approved"
        return self._sales.open if known is None and (approved or answer.message_id is None) else known

    def _end_with(self, answer: Answer) -> None:
        """End the question that this link was made for."""
        if self._question.asked is None:
            return
        self.terminal_number = answer.terminal_number or self.terminal_number
        match self._question.asked:
            case AskedStatus(about):
                self._end_status(answer, about)
            case "ready":
                # What is not said now is not known now, whatever was said before: another terminal may be there.
                self.terminal_number = answer.terminal_number
                self.newest_stan = answer.trace
                self._question.end(ReadyEnded(idle=True))
            case "last":
                self._question.end(LastEnded(read_last(answer.evidence("last_transaction", None), self._profile)))
            case _:
                pass

    def _end_status(self, answer: Answer, about: AskedSale) -> None:
        mine = answer.message_id is not None and _number(answer.message_id) == self._message_id(about.reference)
        said = answer.evidence("status_query", about.reference if mine else None)
        if mine:
            status = judge_query(said, about, self._profile)
        else:
            status = judge_last(said, about, self._profile)
            if said.stan is None or said.stan != about.baseline_stan:
                status = msgspec.structs.replace(status, kind="unclear")
        self._sales.learn(about.reference, status)
        self._question.end(QueryEnded(about.reference, status))


def _number(message_id: str) -> str:
    """Return a MessageID without zeros in front, should a terminal add or keep some."""
    return message_id.lstrip("0") or "0"
