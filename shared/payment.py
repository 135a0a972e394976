"""The payment table: which state may follow which. Data, not code; a move that is not listed raises.

The states and their order follow the project's design, section 6. "In doubt" is a state: after the first byte of the
amount left for a terminal, no answer means *in doubt*, never *failed*. Evidence of a charge beats evidence of none, so
every "certainly uncharged" state may still become approved.
"""

from enum import StrEnum
from typing import Final

from shared.errors import BugError


class PaymentState(StrEnum):
    """Where a payment stands, by the evidence in the journal."""

    REQUESTED = "requested"
    NOT_SENT = "not_sent"
    SENT = "sent"
    APPROVED = "approved"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    IN_DOUBT = "in_doubt"
    NOT_CHARGED = "not_charged"
    OVERRIDDEN_CHARGED = "overridden_charged"
    OVERRIDDEN_NOT_CHARGED = "overridden_not_charged"
    ACKNOWLEDGED = "acknowledged"
    REVERSAL_REQUESTED = "reversal_requested"
    REVERSED = "reversed"
    REVERSAL_IN_DOUBT = "reversal_in_doubt"


_S = PaymentState

TRANSITIONS: Final[dict[PaymentState, frozenset[PaymentState]]] = {
    _S.REQUESTED: frozenset({_S.NOT_SENT, _S.SENT}),
    _S.SENT: frozenset({_S.APPROVED, _S.DECLINED, _S.CANCELLED, _S.IN_DOUBT}),
    _S.IN_DOUBT: frozenset(
        {_S.APPROVED, _S.DECLINED, _S.CANCELLED, _S.NOT_CHARGED, _S.OVERRIDDEN_CHARGED, _S.OVERRIDDEN_NOT_CHARGED}
    ),
    # A supervisor's "charged", too: where a charge was spoken of that could not be told to be this payment's.
    _S.NOT_SENT: frozenset({_S.APPROVED, _S.OVERRIDDEN_CHARGED}),
    _S.DECLINED: frozenset({_S.APPROVED, _S.OVERRIDDEN_CHARGED}),
    _S.CANCELLED: frozenset({_S.APPROVED, _S.OVERRIDDEN_CHARGED}),
    _S.NOT_CHARGED: frozenset({_S.APPROVED, _S.OVERRIDDEN_CHARGED}),
    _S.OVERRIDDEN_CHARGED: frozenset({_S.APPROVED}),
    _S.OVERRIDDEN_NOT_CHARGED: frozenset({_S.APPROVED, _S.OVERRIDDEN_CHARGED}),
    # In doubt again: a confirming terminal that may not have had our word reverses the sale by itself.
    _S.APPROVED: frozenset({_S.ACKNOWLEDGED, _S.REVERSAL_REQUESTED, _S.IN_DOUBT}),
    _S.ACKNOWLEDGED: frozenset({_S.REVERSAL_REQUESTED}),
    _S.REVERSAL_REQUESTED: frozenset({_S.REVERSED, _S.REVERSAL_IN_DOUBT, _S.APPROVED}),
    _S.REVERSAL_IN_DOUBT: frozenset({_S.REVERSED, _S.APPROVED}),
    _S.REVERSED: frozenset(),
}

CERTAINLY_UNCHARGED: Final = frozenset(
    {_S.NOT_SENT, _S.DECLINED, _S.CANCELLED, _S.NOT_CHARGED, _S.OVERRIDDEN_NOT_CHARGED, _S.REVERSED}
)
"""States that free the obligation for another payment. All others hold it (the partial unique index reads this)."""

LATE: Final = frozenset({_S.NOT_SENT, _S.DECLINED, _S.CANCELLED, _S.NOT_CHARGED, _S.OVERRIDDEN_NOT_CHARGED})
"""States out of which an approval is late evidence: it is applied, and opens a case."""

CHARGED: Final = frozenset(
    {_S.APPROVED, _S.ACKNOWLEDGED, _S.OVERRIDDEN_CHARGED, _S.REVERSAL_REQUESTED, _S.REVERSAL_IN_DOUBT}
)
"""States in which the customer's money has been taken and not given back, as far as is known."""

UNDER_WAY: Final = frozenset({_S.REQUESTED, _S.SENT})
"""States in which the terminal has still to have its word about the sale."""

OPEN: Final = UNDER_WAY | {_S.IN_DOUBT}
"""States of a sale without an outcome: nobody knows whether the card is charged."""

UNDOING: Final = frozenset({_S.REVERSAL_REQUESTED, _S.REVERSAL_IN_DOUBT})
"""States of a charge that a terminal was told to give back, without its answer: nobody knows whether it did."""

DOUBTFUL: Final = frozenset({_S.IN_DOUBT, _S.REVERSAL_IN_DOUBT})
"""States in which nobody knows what the terminal did last, of the sale or of undoing it: such a payment keeps its
terminal to itself."""

_STANDING_SOURCES: Final = frozenset({"acquirer"})
"""Sources of evidence that know of a charge when it is final."""


def needs_acknowledgement(*, confirming: bool, source: str) -> bool:
    """Return whether an approval of this source stands only once its terminal was told to keep the sale.

    So it is with a confirming terminal's own word, in whichever way it was given: untold, the terminal takes it back.
    """
    return confirming and source not in _STANDING_SOURCES


def advance(state: PaymentState, to: PaymentState) -> PaymentState:
    """Return `to` when the table allows it. Raises BugError `payment.move_not_allowed` when it does not."""
    if to not in TRANSITIONS[state]:
        raise BugError("payment.move_not_allowed", state=str(state), to=str(to))
    return to
