"""A sale at a terminal that speaks ZVT, from its order to the end of its dialogue. No I/O.

Its approval comes as a report in the middle of the dialogue and is *held*: handed on at once, and not answered. The
terminal is asked to wait (84 9C) as often as it must; the order to keep the sale answers with a yes. When nobody gives
that order in time, the terminal is told to take the sale back (84 66), as it is for an approval that does not agree.
"""

import msgspec

from edge.devices.terminals.asked_sales import AskedSales
from edge.devices.terminals.judgement import AskedSale, judge_sale
from edge.devices.terminals.outcome import DoubtReason, OrderAnswer, StatusAnswer, TerminalOutcome
from edge.devices.terminals.session import Event, StrayAnswer, earliest
from edge.devices.terminals.zvt import GOODS_REFUSED, POSITIVE, WAIT, Aborted, Completed, Refused, Status, abort
from edge.devices.terminals.zvt_bytes import Apdu
from edge.devices.terminals.zvt_dialogue import Command, Dialogue, Ended
from edge.devices.terminals.zvt_judgement import Source, evidence_of
from firmware_profiles.profile import TerminalProfile
from firmware_profiles.protocol_options import ZvtOptions
from shared.events import Evidence


class _Held(msgspec.Struct, kw_only=True):
    """An approval whose report waits for its answer."""

    report: Status
    stan: str
    since_ms: int
    answer_due_ms: int | None
    """None while the terminal was asked to wait, and will report again."""
    keep: bool = False
    """It is to be kept, as soon as there is a report to say so to."""


def code_of(ended: Ended, source: Source) -> Evidence:
    """Return the evidence of a command that ended without a report: a code at most."""
    code = ended.how.code if isinstance(ended.how, Aborted | Refused) else ""
    return Evidence(source=source, response_code=code)


class SaleTalk:
    """The newest sale of one terminal. What happened goes to the list of events it was given."""

    def __init__(self, *, profile: TerminalProfile, dialogue: Dialogue, events: list[Event]) -> None:
        self._profile = profile
        self._options = profile.zvt or ZvtOptions()
        self._dialogue = dialogue
        self._events = events
        self._sales = AskedSales(events)
        self._accept_due_ms: int | None = None
        self._held: _Held | None = None
        self._keeping = False
        self._kept_stan: str | None = None
        self._taken_back = False
        self._refused: Status | None = None
        self.passed_over = False
        """Whether a question or an order to undo was given up: its report may still come, and means nothing."""
        self.centre_link: bool | None = None
        self.newest_stan: str | None = None
        """The newest trace that the terminal spoke of on this link."""
        self.standing: Status | None = None
        """The transaction that the terminal told as its last, or ended as a good one; nothing waits for an answer."""

    # --- asking ------------------------------------------------------------------------------------------------------

    def start(self, sale: AskedSale, apdu: Apdu, *, now_ms: int, due_ms: int) -> None:
        """Give the order; ends as SaleEnded."""
        self._sales.start(sale, due_ms=due_ms)
        self._accept_due_ms = now_ms + self._options.accept_ms
        self._taken_back, self._refused, self._kept_stan = False, None, None
        self.standing = None
        self._dialogue.order([Command(kind="sale", apdu=apdu)])

    def keep(self, stan: str) -> bool:
        """Answer the held report of that trace with a yes, as soon as there is one to answer. False: none is held."""
        held = self._held
        if held is None or held.stan != stan:
            return False
        if held.answer_due_ms is None:
            held.keep = True
        else:
            self._say_keep(stan)
        return True

    def _say_keep(self, stan: str) -> None:
        self._held, self._keeping, self._kept_stan = None, True, stan
        self._dialogue.reply(POSITIVE)

    def let_go(self) -> None:
        """Wait no longer for the end of a sale that the terminal was told to keep; it can be asked."""
        if self._keeping:
            self._keeping = False
            self._dialogue.give_up()

    def cancel(self, now_ms: int) -> bool:
        """Ask for the sale to be dropped. Returns False when none is being worked on, or it is approved already."""
        if not self._at_work or self._held is not None or self.unanswered(now_ms) is None:
            return False
        self._dialogue.reply(abort())
        return True

    def abandon(self) -> None:
        """Stop waiting; the answer will come as a LateAnswer."""
        self._sales.abandon()

    @property
    def _at_work(self) -> bool:
        """Return whether the dialogue of a sale stands open."""
        return self._dialogue.running is not None and self._dialogue.running.kind == "sale"

    @property
    def keeping(self) -> bool:
        """Return whether the terminal was told to keep the sale, and has not said that it ended it."""
        return self._keeping

    def unanswered(self, now_ms: int) -> str | None:
        """Return the reference of the sale while the terminal works on it, or waits for an answer."""
        sale = self._sales.newest
        if sale is None:
            return None
        is_open = self._held is not None or self.keeping or sale.may_be_worked_on(now_ms)
        return sale.reference if is_open else None

    def is_listening(self, now_ms: int) -> bool:
        """Return whether the sale's answer may still come on this link."""
        return self._at_work and self.unanswered(now_ms) is not None

    def learn(self, reference: str, status: StatusAnswer) -> None:
        """Take notice of what a question told about a sale, should it be this one."""
        self._sales.learn(reference, status)

    # --- time, and the link ------------------------------------------------------------------------------------------

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None."""
        lost = self._lost
        return earliest(
            self._sales.deadline(),
            self._accept_due_ms,
            self._held.answer_due_ms if self._held is not None else None,
            lost.busy_until_ms if lost is not None else None,
        )

    def tick(self, now_ms: int) -> None:
        """End what has waited long enough."""
        if self._accept_due_ms is not None and now_ms >= self._accept_due_ms:
            self._accept_due_ms = None
            running = self._dialogue.running
            if running is None or running.kind != "sale" or not running.accepted:
                self.doubt("no_answer")
        self._sales.tick(now_ms)
        lost = self._lost
        if lost is not None and now_ms >= lost.busy_until_ms:
            self._dialogue.give_up()
        self._hold_on(now_ms)

    @property
    def _lost(self) -> AskedSale | None:
        """Return the sale whose dialogue stands open while nobody waits for it any more, or None."""
        is_lost = self._at_work and self._sales.open is None and self._held is None
        return self._sales.newest if is_lost else None

    def forget_link(self) -> None:
        """Take notice that the link is new, or gone: an approval that was held is taken back."""
        self._accept_due_ms = self._held = self._kept_stan = None
        self._keeping = self.passed_over = False
        self.newest_stan = self.standing = None

    def _hold_on(self, now_ms: int) -> None:
        """Ask the terminal for more time, or let it take back what nobody journals."""
        held = self._held
        if held is None or held.answer_due_ms is None or now_ms < held.answer_due_ms:
            return
        if now_ms >= held.since_ms + self._options.keep_within_ms:
            self._take_back(held.report)
        else:
            held.answer_due_ms = None
            self._dialogue.reply(WAIT)

    # --- what the terminal says --------------------------------------------------------------------------------------

    def report(self, command: Command | None, status: Status, now_ms: int) -> None:
        """Judge the report of a sale, and hold its approval until somebody says that it is journaled."""
        if self._held is not None:
            self._reported_again(self._held, status, now_ms)
            return
        if self._is_decided(status):
            return
        sale = self._sales.newest
        approved = self._profile.meaning(status.result_code or "").outcome == "approved"
        left_over = command is None and self._sales.open is not None and not approved
        if sale is None or left_over or (command is None and not sale.may_be_worked_on(now_ms)):
            is_the_sale = sale is not None and judge_sale(self._said(status), sale, self._profile).kind == "approved"
            self._stray(status, is_charge=approved and (is_the_sale or not self.passed_over))
            return
        if command is None:
            command = Command(kind="sale", apdu=POSITIVE, accepted=True)
            self._dialogue.resume(command)
        command.report = status
        outcome = judge_sale(self._said(status), sale, self._profile)
        if outcome.kind == "approved" and status.trace is not None:
            self.newest_stan = status.trace
            answer_due_ms = now_ms + self._options.report_answer_ms
            self._held = _Held(report=status, stan=status.trace, since_ms=now_ms, answer_due_ms=answer_due_ms)
        elif approved:
            self._take_back(status)
        else:
            self._dialogue.reply(POSITIVE)
        self._sales.settle(sale, outcome)

    def _is_decided(self, status: Status) -> bool:
        """Answer a report about which nothing is to be decided any more, if it is one."""
        again = self._refused is not None and status.trace == self._refused.trace
        kept = self._kept_stan is not None and status.trace == self._kept_stan
        # What undoes a sale is no sale; and what was decided stays so.
        if not (again or kept or self._taken_back or status.original_trace is not None):
            return False
        self._dialogue.reply(GOODS_REFUSED if again else POSITIVE)
        return True

    def _said(self, status: Status) -> Evidence:
        meaning = self._profile.meaning(status.result_code or "")
        if meaning.centre != "not_said":
            self.centre_link = meaning.centre == "reached"
        return evidence_of(status, self._sales.source(self._sales.newest), self._options)

    def _stray(self, status: Status, *, is_charge: bool) -> None:
        if not is_charge:
            self._dialogue.reply(POSITIVE)
            return
        # No payment here can be said to be this one, so it is better taken back than kept.
        self._take_back(status)
        self._events.append(StrayAnswer(evidence_of(status, "late_answer", self._options)))

    def _take_back(self, status: Status) -> None:
        """Say no to a report, and again should it come again."""
        self._held, self._taken_back, self._refused, self.newest_stan = None, True, status, None
        self._dialogue.reply(GOODS_REFUSED)

    def _reported_again(self, held: _Held, status: Status, now_ms: int) -> None:
        if status.trace != held.stan:
            # Another transaction in a sale's dialogue is the one that undid it.
            self._held, self._taken_back, self.newest_stan = None, True, None
            self._dialogue.reply(POSITIVE)
        elif held.keep:
            self._say_keep(held.stan)
        else:
            held.answer_due_ms = now_ms + self._options.report_answer_ms

    def over(self, ended: Ended) -> OrderAnswer | None:
        """Take notice that the sale's dialogue ended; return what became of the order to keep it, if there was one."""
        self._accept_due_ms = None
        held, self._held = self._held, None
        keeping, self._keeping = self._keeping, False
        sale, report = self._sales.newest, ended.command.report
        if sale is not None and report is None:
            self._over_without_report(sale, ended)
        if held is None and not keeping:
            return None
        if isinstance(ended.how, Completed):
            # It ended the sale as a good one, whether it waited for the answer or not.
            self.standing = report
            return OrderAnswer(kind="done")
        self.newest_stan = None
        return OrderAnswer(kind="in_doubt", evidence=code_of(ended, "answer"), reason="unclear_code")

    def _over_without_report(self, sale: AskedSale, ended: Ended) -> None:
        if ended.how == "unheard":
            self.doubt("no_answer")
        elif isinstance(ended.how, Completed):
            self._sales.settle(sale, TerminalOutcome(kind="in_doubt", reason="unclear_code"))
        else:
            self._sales.settle(sale, judge_sale(code_of(ended, self._sales.source(sale)), sale, self._profile))

    def doubt(self, reason: DoubtReason) -> None:
        """End the wait for a sale without an answer."""
        self._sales.doubt(reason)
