"""The money's way back, as pure functions: what two people of an office agree on, and what the terminal did of it.

A proposal and an agreement move nothing. Agreed to be given back by finance, it is a case that names both people; by
the terminal, the books wait for what the terminal says. Until it says "undone", the payment counts as charged.
"""

from typing import Any, Final

import msgspec

from central.ledger.booking import Booking, CaseNote, Fact, NotPostable, PaymentBook, case_about
from central.ledger.cases import CaseKind, NewCase
from central.ledger.positions import moved
from shared.errors import BugError
from shared.events import (
    Body,
    PaymentReversed,
    RefundAgreed,
    RefundDropped,
    RefundProposed,
    ReversalDecided,
    ReversalInDoubt,
    ReversalRefused,
    ReversalRequested,
)
from shared.payment import CHARGED, PaymentState, advance

GIVING_BACK: Final = (
    RefundProposed,
    RefundAgreed,
    RefundDropped,
    ReversalRequested,
    PaymentReversed,
    ReversalInDoubt,
    ReversalRefused,
    ReversalDecided,
)
"""Bodies that `give_back` understands."""

GIVEN_BACK: Final = "کارتخوان پول را برگرداند · the terminal gave the money back"
"""The note that ends the case of a refund whose money went back by the terminal."""


_ENDS: Final[dict[type[Body], tuple[PaymentState, str]]] = {
    ReversalInDoubt: (PaymentState.REVERSAL_IN_DOUBT, "in_doubt"),
    ReversalRefused: (PaymentState.APPROVED, "refused"),
    PaymentReversed: (PaymentState.REVERSED, "done"),
}
"""What a terminal's answer makes of the payment, and of the refund that asked for it; `_end_of` knows the rest."""


def give_back(before: PaymentBook, fact: Fact) -> Booking:
    """Return what a fact of the way back means.

    Raises NotPostable for one that no refund explains; BugError for a move that the table does not have.
    """
    body = fact.body
    if isinstance(body, RefundProposed):
        return _proposed(before, body)
    if isinstance(body, RefundAgreed):
        return _agreed(before, body)
    if isinstance(body, RefundDropped):
        return _dropped(before, body)
    return _reversal(before, fact, body)


def agreed_for_finance(payment: PaymentBook) -> bool:
    """Return whether two people agreed that finance gives the whole amount back: no biller is to have it."""
    return any(
        refund["state"] == "agreed" and refund["means"] == "central" and refund["amount_rial"] == payment.amount_rial
        for refund in payment.refunds.values()
    )


def _proposed(before: PaymentBook, body: RefundProposed) -> Booking:
    if before.state not in CHARGED:
        raise NotPostable("books.refund_not_charged", state=str(before.state))
    if body.refund_id in before.refunds:
        raise NotPostable("books.refund_known_already", refund_id=body.refund_id)
    if not 0 < body.amount_rial <= before.amount_rial:
        raise NotPostable("books.bad_amount", amount_rial=body.amount_rial)
    refund = {
        "means": body.means,
        "amount_rial": body.amount_rial,
        "state": "proposed",
        "proposed_by": body.operator,
        "reason": body.reason,
    }
    return Booking(payment=_with_refund(before, body.refund_id, refund))


def _agreed(before: PaymentBook, body: RefundAgreed) -> Booking:
    refund = _waiting(before, body.refund_id)
    if body.operator == refund["proposed_by"]:
        raise NotPostable("books.refund_one_person", refund_id=body.refund_id)
    refund = {**refund, "state": "agreed", "agreed_by": body.operator}
    after = _with_refund(before, body.refund_id, refund)
    if refund["means"] != "central":
        return Booking(payment=after)
    people = {name: refund[name] for name in ("proposed_by", "agreed_by", "reason")}
    case = case_about(before, "refund", amount_rial=refund["amount_rial"], refund_id=body.refund_id, **people)
    # The provider's refusal may have opened the same case before: then the note is where the people stand.
    note = f"{refund['proposed_by']} + {refund['agreed_by']}: {refund['reason']} ({refund['amount_rial']} IRR)"
    return Booking(payment=after, cases=[case], notes=[CaseNote(kind="refund", about=before.about, text=note)])


def _dropped(before: PaymentBook, body: RefundDropped) -> Booking:
    refund = before.refunds.get(body.refund_id)
    if refund is None or refund["state"] not in ("proposed", "agreed"):
        raise NotPostable("books.unknown_refund", refund_id=body.refund_id)
    dropped = {**refund, "state": "dropped", "dropped_by": body.operator}
    note = CaseNote(kind="refund", about=before.about, text=f"{body.operator}: ✕ {body.reason}")
    asked_finance = refund["state"] == "agreed" and refund["means"] == "central"
    return Booking(payment=_with_refund(before, body.refund_id, dropped), notes=[note] if asked_finance else [])


def _reversal(before: PaymentBook, fact: Fact, body: Body) -> Booking:
    """Return what the terminal's part means. The refund it belongs to is told by the request alone."""
    if isinstance(body, ReversalRequested):
        after = msgspec.structs.replace(before, state=advance(before.state, PaymentState.REVERSAL_REQUESTED))
        refund = before.refunds.get(body.refund_id)
        if refund is not None:
            after = _with_refund(after, body.refund_id, {**refund, "state": "asked"})
        return Booking(payment=after)
    to, word = _end_of(body)
    if before.state not in (PaymentState.REVERSAL_REQUESTED, PaymentState.REVERSAL_IN_DOUBT):
        raise BugError("payment.move_not_allowed", state=str(before.state), to=str(to))
    after = msgspec.structs.replace(before, state=advance(before.state, to))
    if to is PaymentState.REVERSED:
        after = msgspec.structs.replace(after, outcome_index=fact.index, outcome_leaf=fact.leaf)
    for refund_id, refund in before.refunds.items():
        if refund["state"] in ("asked", "in_doubt"):
            after = _with_refund(after, refund_id, {**refund, "state": word})
    after, transfers = moved(before, after, source=fact.leaf.hex(), reason="reversed")
    if isinstance(body, ReversalDecided):
        # A word, no evidence: finance holds it against the settlement, and only that ends what stands open.
        return Booking(payment=after, transfers=transfers, cases=[_decided_by_word(before, body)])
    return Booking(payment=after, transfers=transfers, notes=_over(after) if to is PaymentState.REVERSED else [])


def _over(payment: PaymentBook) -> list[CaseNote]:
    """Return what ends the cases by which money would go back that is back: of the whole, of each item, of a fee."""
    items = [payment.about_item(item.item) for item in payment.items]
    cases: list[tuple[CaseKind, str]] = [("refund", about) for about in (payment.about, *items)]
    cases.append(("no_result", payment.about))
    return [CaseNote(kind=kind, about=about, text=GIVEN_BACK, closes=True) for kind, about in cases]


def _decided_by_word(before: PaymentBook, body: ReversalDecided) -> NewCase:
    return case_about(
        before,
        "overridden",
        charged=not body.undone,
        operator=f"{body.operator} + {body.agreed_by}",
        reason=body.reason,
        slip_number=body.slip_number,
    )


def _end_of(body: Body) -> tuple[PaymentState, str]:
    if isinstance(body, ReversalDecided):
        return (PaymentState.REVERSED, "done") if body.undone else (PaymentState.APPROVED, "refused")
    return _ENDS[type(body)]


def _waiting(payment: PaymentBook, refund_id: str) -> dict[str, Any]:
    refund = payment.refunds.get(refund_id)
    if refund is None or refund["state"] != "proposed":
        raise NotPostable("books.unknown_refund", refund_id=refund_id)
    return refund


def _with_refund(payment: PaymentBook, refund_id: str, refund: dict[str, Any]) -> PaymentBook:
    return msgspec.structs.replace(payment, refunds={**payment.refunds, refund_id: refund})
