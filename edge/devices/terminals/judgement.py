"""What an answer proves about a sale. Pure: an answer, what was asked, and the model's table of codes."""

from typing import Final, Literal

import msgspec

from edge.devices.terminals.behpardakht import Answer
from edge.devices.terminals.outcome import StatusAnswer, TerminalOutcome
from firmware_profiles.profile import TerminalProfile
from shared.events import Evidence

Source = Literal["answer", "late_answer", "status_query"]

_STAN_DIGITS: Final = 6
_UNANSWERED: Final = frozenset({"no_answer", "link_lost", "bad_answer"})


class AskedSale(msgspec.Struct, kw_only=True):
    """A sale as it was asked for. `outcome` is None while somebody waits for its answer."""

    reference: str
    amount_rial: int
    request_number: str | None = None
    terminal_number: str | None = None
    busy_until_ms: int = 0
    """Until then (monotonic) the terminal may be working on it."""
    outcome: TerminalOutcome | None = None

    def may_be_worked_on(self, now_ms: int) -> bool:
        """Return whether the terminal may still be at it: its answer has not come, and could."""
        return self.outcome is None or (self.outcome.reason in _UNANSWERED and now_ms < self.busy_until_ms)


def evidence_of(answer: Answer, source: Source) -> Evidence:
    """Return what the answer says, in the journal's words; STAN has six digits there (ISO 8583 field 11)."""
    return Evidence(
        source=source,
        response_code=answer.response_code,
        amount_rial=answer.amount_rial,
        reference=answer.reference,
        stan=None if answer.stan is None else answer.stan.lstrip("0").zfill(_STAN_DIGITS),
        rrn=answer.rrn,
        terminal_number=answer.terminal_number,
        merchant_number=answer.merchant_number,
        pan=answer.pan,
        terminal_time=answer.terminal_time,
    )


def _contradicts(answer: Answer, sale: AskedSale) -> bool:
    """Return whether a member that is there is another than what was asked."""
    return (
        answer.amount_rial not in {None, sale.amount_rial}
        or answer.reference not in {None, sale.reference}
        or (sale.terminal_number is not None and answer.terminal_number not in {None, sale.terminal_number})
    )


def _vouches(answer: Answer, sale: AskedSale) -> bool:
    """Return whether amount, reference and (if known) terminal number are all there and as asked."""
    return (
        answer.amount_rial == sale.amount_rial
        and answer.reference == sale.reference
        and sale.terminal_number in {None, answer.terminal_number}
    )


def judge_sale(answer: Answer, sale: AskedSale, profile: TerminalProfile, source: Source) -> TerminalOutcome:
    """Return what an answer proves about a sale it belongs to."""
    evidence = evidence_of(answer, source)
    meant = profile.meaning(answer.response_code).outcome
    if _contradicts(answer, sale) or (meant == "approved" and not _vouches(answer, sale)):
        return TerminalOutcome(kind="in_doubt", evidence=evidence, reason="mismatch")
    match meant:
        case "approved" | "declined" | "cancelled":
            return TerminalOutcome(kind=meant, evidence=evidence)
        case _:
            return TerminalOutcome(kind="in_doubt", evidence=evidence, reason="unclear_code")


def judge_query(answer: Answer, sale: AskedSale, profile: TerminalProfile) -> StatusAnswer:
    """Return what the answer to a status query proves about the sale that was asked for."""
    evidence = evidence_of(answer, "status_query")
    meant = profile.meaning(answer.response_code).outcome
    if _contradicts(answer, sale) or (meant == "approved" and not _vouches(answer, sale)):
        return StatusAnswer(kind="mismatch", evidence=evidence, response_code=answer.response_code)
    match meant:
        case "approved" | "not_found":
            return StatusAnswer(kind=meant, evidence=evidence, response_code=answer.response_code)
        case _:
            return StatusAnswer(kind="unclear", evidence=evidence, response_code=answer.response_code)
