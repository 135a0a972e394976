"""The conversation with a terminal that speaks ZVT: it keeps a sale only when its report was answered with a yes.

A sale has no reference: a report is of the sale because no other dialogue runs, and it counts when amount and terminal
number agree and its trace is newer than the baseline. What becomes of an approval is told in `zvt_sale.py`. Asking for
a sale means asking for the last transaction (06 20), of a terminal that said just before that it is idle: as long as
it waits for an answer, or takes a sale back, it is not. Implements `session.Session`.
"""

from typing import Final

from edge.devices.terminals.card_free import take_events
from edge.devices.terminals.judgement import AskedSale, read_last
from edge.devices.terminals.outcome import DoubtReason, OrderAnswer, StatusAnswer
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
from edge.devices.terminals.zvt import (
    POSITIVE,
    Aborted,
    Completed,
    Refused,
    Status,
    authorisation,
    registration,
    repeat_receipt,
    reversal,
    status_enquiry,
)
from edge.devices.terminals.zvt_dialogue import Command, Dialogue, Ended, Reported
from edge.devices.terminals.zvt_framing import make_framer
from edge.devices.terminals.zvt_judgement import amount_units, evidence_of, judge_told, judge_undone
from edge.devices.terminals.zvt_sale import SaleTalk, code_of
from firmware_profiles.links import LinkKind
from firmware_profiles.profile import TerminalProfile
from firmware_profiles.protocol_options import ZvtOptions

IDLE: Final = frozenset({None, "00"})
"""How an idle terminal says that it stands; an old one says nothing."""
REPORTS_PROGRESS, NO_SALES_BY_HAND, NO_SERVICE_BY_HAND = 0x08, 0x10, 0x20


def config_byte(options: ZvtOptions) -> int:
    """Return how till and terminal work together: the terminal prints its own slip, and says what it is doing."""
    sales = 0 if options.sales_at_terminal else NO_SALES_BY_HAND
    return REPORTS_PROGRESS | sales | (0 if options.service_at_terminal else NO_SERVICE_BY_HAND)


class ZvtSession:
    """One terminal's conversation. At most one question or order at a time; the newest sale is remembered."""

    def __init__(self, profile: TerminalProfile, link_kind: LinkKind = "tcp") -> None:
        self._profile = profile
        self._options = options = profile.zvt or ZvtOptions()
        self._dialogue = Dialogue(
            make_framer(
                serial=link_kind == "serial", gap_ms=profile.times.frame_gap_ms, answer_ms=options.frame_answer_ms
            ),
            registration(password=options.password, config_byte=config_byte(options), currency=options.currency),
        )
        self._events: list[Event] = []
        self._sales = SaleTalk(profile=profile, dialogue=self._dialogue, events=self._events)
        self._question = Question(self._events)
        self._identifier = b""

    @property
    def terminal_number(self) -> str | None:
        """The terminal's own number, as it says on each link."""
        return self._dialogue.terminal_number

    @property
    def centre_link(self) -> bool | None:
        """The terminal's own line to its centre."""
        return self._sales.centre_link

    @property
    def newest_stan(self) -> str | None:
        """The newest trace it spoke of on this link, since it was last asked whether it is idle."""
        return self._sales.newest_stan

    # --- the four verbs ----------------------------------------------------------------------------------------------

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Take bytes as they came."""
        self._dialogue.receive_data(data, now_ms)
        self._work_off(now_ms)

    def events(self) -> list[Event]:
        """Return what happened since the last call, in order."""
        return take_events(self._events)

    def data_to_send(self) -> bytes:
        """Return the bytes that are to leave now; they are not given twice."""
        return self._dialogue.data_to_send()

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None."""
        return earliest(self._question.deadline(), self._sales.deadline(), self._dialogue.deadline())

    def tick(self, now_ms: int) -> None:
        """End what has waited long enough."""
        self._dialogue.tick(now_ms)
        self._work_off(now_ms)
        self._sales.tick(now_ms)
        if self._question.is_due(now_ms):
            self._end_unanswered("no_answer")

    # --- the link ----------------------------------------------------------------------------------------------------

    def link_opened(self) -> None:
        """Start afresh on a new link; the newest sale is remembered, and can be asked about."""
        self._dialogue.reset()
        self._sales.forget_link()

    def link_lost(self) -> None:
        """End every wait: a lost link is not a failed sale, and an approval that was held is taken back."""
        self._sales.doubt("link_lost")
        self._end_unanswered("link_lost")
        self.link_opened()

    # --- what can be asked -------------------------------------------------------------------------------------------

    def _ask(self, asked: Asked, due_ms: int, *commands: Command) -> None:
        self._question.ask(asked, due_ms=due_ms)
        self._dialogue.order(commands)

    def _enquiry(self) -> Command:
        return Command(kind="enquire", apdu=status_enquiry(password=self._options.password))

    def _repeat(self) -> Command:
        return Command(kind="repeat", apdu=repeat_receipt(password=self._options.password))

    def ask_ready(self, *, due_ms: int) -> None:
        """Ask whether the terminal is idle; its last transaction is another question."""
        self._sales.newest_stan = None
        self._ask("ready", due_ms, self._enquiry())

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
        if bill is not None:
            raise ValueError("this protocol pays no bills")
        apdu = authorisation(
            amount=amount_units(amount_rial, self._options),
            currency=self._options.currency,
            transaction_id=self._identifier if self._options.repeats_identifier else None,
        )
        sale = AskedSale(
            reference=reference,
            amount_rial=amount_rial,
            terminal_number=terminal_number or self.terminal_number,
            baseline_stan=baseline_stan,
            busy_until_ms=now_ms + self._profile.times.longest_ms,
        )
        self._sales.start(sale, apdu, now_ms=now_ms, due_ms=due_ms)

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
        self._ask(AskedStatus(about), due_ms, self._enquiry(), self._repeat())

    def ask_number(self, *, reference: str, request_number: str, due_ms: int) -> None:  # noqa: ARG002
        """Answer at once: the terminal says its number when the till registers."""
        self._events.append(QueryEnded(reference, StatusAnswer(kind="no_answer")))

    def ask_last(self, *, request_number: str, due_ms: int) -> None:  # noqa: ARG002 - answers repeat none
        """Ask for the last transaction; ends as LastEnded."""
        self._ask("last", due_ms, self._enquiry(), self._repeat())

    def give_order(
        self,
        order: Order,
        *,
        amount_rial: int,
        stan: str,
        terminal_number: str | None,
        due_ms: int,
        receipt_number: str | None = None,
    ) -> None:
        """Tell the terminal to keep or to undo a sale; ends as OrderEnded.

        It is kept by answering its report, undone by its receipt number: the one given, or the one that the terminal
        told with this very trace just before.
        """
        about = AskedSale(
            reference="", amount_rial=amount_rial, terminal_number=terminal_number or self.terminal_number
        )
        told_order = ToldOrder(order, about, stan)
        told = self._sales.standing
        stands = told is not None and told.trace == stan
        if order == "acknowledge":
            if self._sales.keep(stan):
                self._ask(told_order, due_ms)
            else:
                # Told as the last one, it stands, and nothing waits for an answer any more.
                kept = OrderAnswer(kind="done")
                self._end_order(kept if stands else OrderAnswer(kind="refused", reason="terminal.other_sale"))
            return
        number = receipt_number or (told.receipt_number if told is not None and stands else None)
        if number is None:
            self._end_order(OrderAnswer(kind="refused", reason="terminal.cannot"))
            return
        self._sales.standing = None
        undo = Command(kind="undo", apdu=reversal(password=self._options.password, receipt_number=number))
        self._ask(told_order, due_ms, undo)

    def ask_cancel(self, now_ms: int) -> bool:
        """Ask for the sale to be dropped. Returns False when none is being worked on, or it is approved already."""
        return self._sales.cancel(now_ms)

    def abandon_sale(self) -> None:
        """Stop waiting for the open sale; its answer will come as a LateAnswer."""
        self._sales.abandon()

    def unanswered(self, now_ms: int) -> str | None:
        """Return the reference of the newest sale while the terminal works on it, or waits for an answer."""
        return self._sales.unanswered(now_ms)

    def is_listening(self, now_ms: int) -> bool:
        """Return whether the newest sale's answer may still come on this link."""
        return self._sales.is_listening(now_ms)

    # --- what the terminal says --------------------------------------------------------------------------------------

    def _work_off(self, now_ms: int) -> None:
        for happening in self._dialogue.happened():
            match happening:
                case Reported(command, status) if command is not None and command.kind in {"repeat", "undo"}:
                    command.report = status
                    self._dialogue.reply(POSITIVE)
                case Reported(command, status):
                    sale = command if command is not None and command.kind == "sale" else None
                    self._sales.report(sale, status, now_ms)
                case Ended():
                    self._ended(happening)
                case _:
                    self._noise()
        self._dialogue.go_on()

    def _noise(self) -> None:
        """Bytes that are no message may have been an answer: who waits for one will not learn from it."""
        self._sales.doubt("bad_answer")
        if not self._sales.keeping:
            self._end_unanswered("bad_answer")

    def _ended(self, ended: Ended) -> None:
        match ended.command.kind:
            case "sale":
                kept = self._sales.over(ended)
                if kept is not None and isinstance(self._question.asked, ToldOrder):
                    self._end_order(kept)
            case "undo":
                self._undone(ended)
            case "repeat":
                self._told(ended)
            case "enquire":
                self._enquired(ended)
            case "register" if not isinstance(ended.how, Completed):
                self._sales.doubt("no_answer")
                self._end_unanswered("no_answer")
            case _:
                pass

    def _enquired(self, ended: Ended) -> None:
        if not (isinstance(ended.how, Completed) and ended.how.terminal_status in IDLE):
            self._end_unanswered("no_answer")
        elif self._question.asked == "ready":
            self._question.end(ReadyEnded(idle=True))

    def _undone(self, ended: Ended) -> None:
        asked, report = self._question.asked, ended.command.report
        if not isinstance(asked, ToldOrder):
            return
        if ended.how == "unheard":
            self._end_order(OrderAnswer(kind="in_doubt", reason="no_answer"))
            return
        said = code_of(ended, "reversal") if report is None else evidence_of(report, "reversal", self._options)
        self._end_order(judge_undone(report or Status(), said, asked.about, asked.stan, self._profile))

    def _told(self, ended: Ended) -> None:
        """End the question for the last transaction."""
        report = ended.command.report
        if report is not None:
            said = evidence_of(report, "last_transaction", self._options)
            self._sales.standing = report if report.original_trace is None else None
            self._identifier = report.transaction_id if report.transaction_id and any(report.transaction_id) else b""
        elif isinstance(ended.how, Aborted | Refused):
            said = code_of(ended, "last_transaction")
        else:
            # Some models end this question without having said anything.
            self._end_unanswered("bad_answer")
            return
        last = read_last(said, self._profile)
        self._sales.newest_stan = said.stan
        match self._question.asked:
            case AskedStatus(about):
                status = judge_told(report or Status(), said, about, self._profile, self._options)
                self._sales.learn(about.reference, status)
                self._question.end(QueryEnded(about.reference, status))
            case "last":
                self._question.end(LastEnded(last))
            case _:
                pass

    # --- ends --------------------------------------------------------------------------------------------------------

    def _end_order(self, answer: OrderAnswer) -> None:
        self._question.end(OrderEnded(answer))

    def _give_up(self) -> None:
        """Wait no longer for what was asked: the next question begins with whether the terminal is idle."""
        self._sales.let_go()
        running = self._dialogue.running
        if running is not None and running.kind != "sale":
            self._sales.passed_over = True
            self._dialogue.give_up()

    def _end_unanswered(self, reason: DoubtReason) -> None:
        """End what was asked without an answer: nothing came, or nothing that can be read."""
        waited = self._dialogue.drop_waiting()
        asked = self._question.asked
        if asked is None:
            return
        self._give_up()
        if isinstance(asked, ToldOrder) and waited:
            self._end_order(OrderAnswer(kind="refused", reason="terminal.not_ready"))
        else:
            self._question.doubt(reason)
