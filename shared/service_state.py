"""Where a request for a catalogue service stands: one pure function of facts, mostly a table.

A state says what is to be done next, and by whom. The money of the fee and the answer of the provider are two things
that move on their own; the table has a row for each pair of them. Whether an answer may be seen is decided here and
nowhere else (`SEEN`).
"""

from enum import StrEnum
from typing import Final, Literal

import msgspec

from shared.events import Gate
from shared.payment import CHARGED, PaymentState


class ServiceState(StrEnum):
    """What a request waits for, or how it ended."""

    FEE_DUE = "fee_due"
    """The customer pays the fee now."""
    FEE_UNDER_WAY = "fee_under_way"
    FEE_IN_DOUBT = "fee_in_doubt"
    """Nobody knows yet whether the fee was taken: it must not be taken again."""
    FEE_FAILED = "fee_failed"
    """The fee was certainly not taken, or was given back: it can be paid again."""
    WAITING = "waiting"
    """For the provider's answer."""
    PRINT_FIRST = "print_first"
    """There is an answer; the service's receipt has to be printed before it is shown."""
    READY = "ready"
    """The answer may be shown, and was not yet."""
    SHOWN = "shown"
    NOTHING = "nothing"
    """The provider answered that there is nothing."""
    REFUSED = "refused"
    """There will be no answer; a fee that was taken is a refund case, of the provider's refusal or of two people."""
    NEEDS_REVIEW = "needs_review"
    """Paid without a result: it is asked again without a second fee."""


SEEN: Final = frozenset({ServiceState.READY, ServiceState.SHOWN, ServiceState.NOTHING})
"""States in which the answer may be seen; in all others it stays sealed."""
PAYABLE_FEE: Final = frozenset({ServiceState.FEE_DUE, ServiceState.FEE_FAILED})
"""States in which the fee may be taken."""

ServiceOutcome = Literal["done", "nothing", "wrong_parameter", "refused"]
Fee = Literal["settled", "due", "under_way", "in_doubt", "failed"]
"""How the fee stands; `settled`: charged, or there is none."""
Answer = Literal["none", "result", "no_result"]
_Fees = dict[Fee, ServiceState]

_S = ServiceState
_BUSY: Final[_Fees] = {"under_way": _S.FEE_UNDER_WAY, "in_doubt": _S.FEE_IN_DOUBT}
_ASKED_FOR: Final[_Fees] = {"due": _S.FEE_DUE, "failed": _S.FEE_FAILED}
_BEFORE_THE_GATE: Final[dict[tuple[Gate, Answer], _Fees]] = {
    ("fee_first", "none"): _BUSY | _ASKED_FOR,
    ("fee_first", "result"): _BUSY | _ASKED_FOR,
    ("fee_first", "no_result"): _BUSY | {"due": _S.REFUSED, "failed": _S.REFUSED},
    # The provider is asked at once, and nothing is owed before it has answered.
    ("answer_first", "none"): _BUSY | {"due": _S.WAITING, "failed": _S.WAITING},
    ("answer_first", "result"): _BUSY | _ASKED_FOR,
    ("answer_first", "no_result"): _BUSY | {"due": _S.REFUSED, "failed": _S.REFUSED},
}
"""The state while the fee is not settled."""


class ServiceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All that a request's state is decided by."""

    fee_rial: int
    gate: Gate
    print_first: bool
    fee_state: PaymentState | None = None
    """Of the payment that holds the fee, or of the newest attempt; None where there was none."""
    fee_kept: bool = True
    """False where the fee is approved by a terminal that was not told yet to keep it."""
    fee_back: bool = False
    """True where two people agreed that finance gives the fee back: central asks nobody for it any more."""
    outcome: ServiceOutcome | None = None
    case_id: str | None = None
    readable: bool = True
    """Whether the answer, if it was looked at, is what an answer has to be."""
    printed: bool = False
    """Whether the service's receipt came out of the printer."""
    released: bool = False
    """Whether the manager stated that the answer may be shown without it."""
    shown: bool = False


def fee_of(facts: ServiceFacts) -> Fee:
    """Return how the fee stands."""
    if not facts.fee_rial:
        return "settled"
    match facts.fee_state:
        case None:
            return "due"
        case PaymentState.IN_DOUBT:
            return "in_doubt"
        case PaymentState.REQUESTED | PaymentState.SENT:
            return "under_way"
        case state if state in CHARGED:
            return "settled" if facts.fee_kept else "under_way"
        case _:
            return "failed"


def answer_of(facts: ServiceFacts) -> Answer:
    """Return what kind of answer there is."""
    if facts.outcome is None:
        return "none"
    return "result" if facts.outcome in ("done", "nothing") else "no_result"


def awaits_print(facts: ServiceFacts) -> bool:
    """Return whether the service's receipt still has to be printed before the answer may be seen."""
    return facts.print_first and bool(facts.fee_rial) and not (facts.printed or facts.released)


def service_state(facts: ServiceFacts) -> ServiceState:
    """Return where a request stands."""
    fee, answer = fee_of(facts), answer_of(facts)
    if fee != "settled":
        return _BEFORE_THE_GATE[facts.gate, answer][fee]
    gone = facts.fee_back and facts.gate == "fee_first"
    if answer == "none":
        return ServiceState.REFUSED if gone else ServiceState.WAITING
    if answer == "no_result":
        ended = gone or not facts.fee_rial or facts.case_id is not None
        return ServiceState.REFUSED if ended else ServiceState.NEEDS_REVIEW
    return _with_result(facts)


def _with_result(facts: ServiceFacts) -> ServiceState:
    if awaits_print(facts):
        return ServiceState.PRINT_FIRST
    if not facts.readable:
        return ServiceState.NEEDS_REVIEW
    if facts.outcome == "nothing":
        return ServiceState.NOTHING
    return ServiceState.SHOWN if facts.shown else ServiceState.READY
