"""What an answer proves about a sale. Pure: what the terminal said, what was asked, and the model's table of codes."""

from typing import Final

import msgspec

from edge.devices.terminals.outcome import LastTransaction, OrderAnswer, StatusAnswer, TerminalOutcome
from firmware_profiles.profile import TerminalProfile
from shared.events import Evidence

NO_TRANSACTION_STAN: Final = "000000"
"""The trace before the first one: the baseline of a terminal that says it has no last transaction."""

_STANS: Final = 1_000_000
_UNANSWERED: Final = frozenset({"no_answer", "link_lost", "bad_answer"})


class AskedSale(msgspec.Struct, kw_only=True):
    """A sale as it was asked for. `outcome` is None while somebody waits for its answer."""

    reference: str
    amount_rial: int
    request_number: str | None = None
    terminal_number: str | None = None
    baseline_stan: str | None = None
    """The newest trace the terminal knew before the amount left, where it was asked."""
    busy_until_ms: int = 0
    """Until then (monotonic) the terminal may be working on it."""
    outcome: TerminalOutcome | None = None

    def may_be_worked_on(self, now_ms: int) -> bool:
        """Return whether the terminal may still be at it: its answer has not come, and could."""
        return self.outcome is None or (self.outcome.reason in _UNANSWERED and now_ms < self.busy_until_ms)


def is_newer(stan: str, baseline_stan: str) -> bool:
    """Return whether a trace came after another; traces have six digits and begin anew after 999999."""
    if baseline_stan == NO_TRANSACTION_STAN:
        return stan != NO_TRANSACTION_STAN
    return 0 < (int(stan) - int(baseline_stan)) % _STANS < _STANS // 2


def _contradicts(said: Evidence, sale: AskedSale) -> bool:
    """Return whether a member that is there is another than what was asked."""
    return (
        said.amount_rial not in {None, sale.amount_rial}
        or said.reference not in {None, sale.reference}
        or (sale.terminal_number is not None and said.terminal_number not in {None, sale.terminal_number})
    )


def _vouches(said: Evidence, sale: AskedSale, profile: TerminalProfile, *, by_link: bool) -> bool:
    """Return whether amount, terminal number (if known) and what names the sale are all there and as asked.

    The sale is named by our reference; where answers carry none, by a trace that is newer than the baseline. `by_link`:
    this one is named by the link it came on, which was made for the sale, though other answers carry the reference.
    """
    if said.amount_rial != sale.amount_rial or sale.terminal_number not in {None, said.terminal_number}:
        return False
    if profile.reference_digits_max and not by_link:
        return said.reference == sale.reference
    return said.stan is not None and (sale.baseline_stan is None or is_newer(said.stan, sale.baseline_stan))


def judge_sale(said: Evidence, sale: AskedSale, profile: TerminalProfile, *, by_link: bool = False) -> TerminalOutcome:
    """Return what an answer proves about a sale it belongs to. `by_link`: the link says to which, no reference."""
    meant = profile.meaning(said.response_code).outcome
    if _contradicts(said, sale) or (meant == "approved" and not _vouches(said, sale, profile, by_link=by_link)):
        return TerminalOutcome(kind="in_doubt", evidence=said, reason="mismatch")
    match meant:
        case "approved" | "declined" | "cancelled":
            return TerminalOutcome(kind=meant, evidence=said)
        case _:
            return TerminalOutcome(kind="in_doubt", evidence=said, reason="unclear_code")


def judge_query(said: Evidence, sale: AskedSale, profile: TerminalProfile) -> StatusAnswer:
    """Return what the answer to a status query by reference proves about the sale that was asked for.

    A terminal that also remembers what was refused, and says so of this very sale, knows no successful one.
    """
    meant = profile.meaning(said.response_code).outcome
    if _contradicts(said, sale) or (meant == "approved" and not _vouches(said, sale, profile, by_link=False)):
        return StatusAnswer(kind="mismatch", evidence=said, response_code=said.response_code)
    if meant in {"declined", "cancelled"} and (said.reference, said.amount_rial) == (sale.reference, sale.amount_rial):
        return StatusAnswer(kind="not_found", evidence=said, response_code=said.response_code)
    match meant:
        case "approved" | "not_found":
            return StatusAnswer(kind=meant, evidence=said, response_code=said.response_code)
        case _:
            return StatusAnswer(kind="unclear", evidence=said, response_code=said.response_code)


def read_last(said: Evidence, profile: TerminalProfile) -> LastTransaction:
    """Return what an answer says the terminal's last transaction was."""
    if said.stan is not None:
        return LastTransaction(kind="known", evidence=said)
    none = said.response_code == profile.no_last_code or profile.meaning(said.response_code).outcome == "not_found"
    return LastTransaction(kind="none" if none else "unclear", evidence=said)


def judge_last(said: Evidence, sale: AskedSale, profile: TerminalProfile) -> StatusAnswer:
    """Return what the terminal's last transaction proves about a sale it cannot be asked for by name.

    It is the sale when the terminal is the sale's own, the trace is newer than the baseline and the amount is the
    sale's. The sale was not made when the last transaction is still the baseline, or is the very next after it, of the
    sale's amount, and was refused: whatever was charged would have a trace of its own. All else proves nothing: another
    amount may hide the sale behind it.
    """
    unclear = StatusAnswer(kind="unclear", evidence=said, response_code=said.response_code)
    last = read_last(said, profile)
    stan = NO_TRANSACTION_STAN if last.kind == "none" else said.stan
    if stan is None or sale.baseline_stan is None or sale.terminal_number not in {None, said.terminal_number}:
        return unclear
    if stan == sale.baseline_stan:
        return msgspec.structs.replace(unclear, kind="not_found")
    if not is_newer(stan, sale.baseline_stan) or said.amount_rial != sale.amount_rial:
        return unclear
    meant = profile.meaning(said.response_code).outcome
    if meant == "approved":
        return msgspec.structs.replace(unclear, kind="approved")
    is_next = (int(stan) - int(sale.baseline_stan)) % _STANS == 1
    if meant in {"declined", "cancelled"} and is_next:
        return msgspec.structs.replace(unclear, kind="not_found")
    return unclear


def judge_by_trace(
    answer: StatusAnswer, *, amount_rial: int, stan: str | None, profile: TerminalProfile
) -> StatusAnswer:
    """Return what an answer about the last transaction proves of a sale whose own trace an approval told before.

    By that trace it is the sale, whatever is known of the one before it: told with a code that refuses, it was undone.
    """
    said = answer.evidence
    if answer.kind != "unclear" or said is None or stan is None or (said.stan, said.amount_rial) != (stan, amount_rial):
        return answer
    refused = profile.meaning(said.response_code).outcome in {"declined", "cancelled"}
    return msgspec.structs.replace(answer, kind="not_found") if refused else answer


def judge_order(said: Evidence, sale: AskedSale, stan: str, profile: TerminalProfile) -> OrderAnswer:
    """Return what the answer to an order about a sale proves; a member that is there must be the sale's."""
    if _contradicts(said, sale) or said.stan not in {None, stan}:
        return OrderAnswer(kind="in_doubt", evidence=said, reason="mismatch")
    match profile.meaning(said.response_code).outcome:
        case "approved":
            return OrderAnswer(kind="done", evidence=said)
        case "declined" | "cancelled":
            return OrderAnswer(kind="refused", evidence=said, reason="refused")
        case _:
            return OrderAnswer(kind="in_doubt", evidence=said, reason="unclear_code")


def settles(said: TerminalOutcome, known: TerminalOutcome) -> bool:
    """Return whether a late answer settles a sale anew: evidence of a charge beats all else, a repeat says nothing."""
    if said.kind == "approved":
        return known.kind != "approved"
    return known.kind == "in_doubt" and said.kind in {"declined", "cancelled"}


def is_stray(said: TerminalOutcome, known: TerminalOutcome) -> bool:
    """Return whether a late answer that settles nothing is for a person to see: a mismatch, or a second charge."""
    if said.reason == "mismatch":
        return True
    if said.kind != "approved" or said.evidence is None or known.evidence is None:
        return False
    pairs = ((said.evidence.rrn, known.evidence.rrn), (said.evidence.stan, known.evidence.stan))
    return any(one is not None and other is not None and one != other for one, other in pairs)
