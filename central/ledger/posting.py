"""What an entry means for the books, as pure functions: (the payment before, the fact) → what to write.

The choice made here: `payment.sent` makes a *pending* transfer of the whole amount, for from that instant money may
move; the outcome posts it or voids it. Doubt leaves it pending, so "how much may have moved" is a sum of the ledger.
Evidence of a charge that comes after the void is a new posted transfer and a case. A supervisor's word is no evidence:
"charged" is booked against the account `doubtful` until evidence replaces it.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from central.ledger.accounts import (
    DOUBTFUL,
    FEES,
    REFUNDS,
    SETTLED,
    UNCONFIRMED,
    Account,
    biller,
    receivable,
)
from central.ledger.cases import NewCase
from shared.errors import BugError, DaftarError
from shared.events import (
    Body,
    Evidence,
    PaymentApproved,
    PaymentCancelled,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentNotCharged,
    PaymentNotSent,
    PaymentOverridden,
    PaymentRequested,
    PaymentSent,
)
from shared.identifiers import BillType
from shared.payment import LATE, PaymentState, advance

_OTHER_BILLER: Final = "other"
_KIND_OF_DIGIT: Final = {str(int(kind)): kind.word for kind in BillType}
AMOUNT_MAX_RIAL: Final = 10**15
"""No payment is larger; what is, is not an amount."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A body and where it stands."""

    office_id: str
    journal_id: str
    index: int
    leaf: bytes
    at_claim: str
    body: Body


class PaymentBook(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as the books hold it: the columns of `office_payment` that entries and answers move."""

    office_id: str
    payment_id: str
    journal_id: str
    obligation: str
    purpose: str
    method: str
    amount_rial: int
    split: dict[str, Any]
    terminal: str
    reference: str
    operator: str
    bill_id: str | None
    bill_payment_id: str | None
    inquiry_id: str | None
    state: PaymentState
    requested_index: int
    requested_claim: str
    terminal_number: str | None = None
    merchant_number: str | None = None
    stan: str | None = None
    rrn: str | None = None
    pan: str | None = None
    response_code: str | None = None
    terminal_time: str | None = None
    in_doubt_reason: str | None = None
    slip_number: str | None = None
    sent_claim: str | None = None
    approved_claim: str | None = None
    outcome_index: int | None = None
    outcome_leaf: bytes | None = None
    pending_transfer: str | None = None
    pending_account: str | None = None
    confirmation: str = "none"


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger: `amount_rial` from the credited account's side to the debited one's.

    `phase`: pending (in no balance), posted (one step), post or void (ends the pending one named by `pending_id`).
    """

    transfer_id: str
    phase: str
    debit: str
    credit: str
    amount_rial: int
    reason: str
    pending_id: str | None = None


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """What to write for one fact, all of it or nothing."""

    payment: PaymentBook
    transfers: Sequence[Transfer] = ()
    cases: Sequence[NewCase] = ()
    confirm: bool = False
    """Whether the provider is to be asked to take the payment."""
    charged: bool = False
    """Whether the fact says money was taken: other payments of the obligation are to be looked for."""


class NotPostable(DaftarError):  # noqa: N818 - read as a sentence: the entry is not postable
    """A well-signed entry that makes no sense for the books. It stays stored; a person looks at it."""

    fault = "integrity"


def book(before: PaymentBook | None, fact: Fact) -> Booking:
    """Return what a payment's entry means. Raises NotPostable for one that cannot follow what the books hold."""
    body = fact.body
    if isinstance(body, PaymentRequested):
        return _requested(before, fact, body)
    if before is None:
        raise NotPostable("books.unknown_payment")
    try:
        if isinstance(body, PaymentSent):
            return _sent(before, fact, body)
        if isinstance(body, PaymentApproved):
            return _approved(before, fact, body)
        if isinstance(body, PaymentInDoubt):
            return _in_doubt(before, body)
        if isinstance(body, PaymentOverridden):
            return _overridden(before, fact, body)
        return _not_taken(before, fact, body)
    except BugError as error:
        raise NotPostable("books.impossible_move", state=str(before.state), type=body.type) from error


def _requested(before: PaymentBook | None, fact: Fact, body: PaymentRequested) -> Booking:
    if before is not None:
        raise NotPostable("books.payment_known_already")
    if not 0 < body.amount_rial <= AMOUNT_MAX_RIAL:
        raise NotPostable("books.bad_amount", amount_rial=body.amount_rial)
    return Booking(
        payment=PaymentBook(
            office_id=fact.office_id,
            payment_id=body.payment_id,
            journal_id=fact.journal_id,
            obligation=body.obligation,
            purpose=body.purpose,
            method=body.method,
            amount_rial=body.amount_rial,
            split=msgspec.to_builtins(body.split),
            terminal=body.terminal,
            reference=body.reference,
            operator=body.operator,
            bill_id=body.bill_id,
            bill_payment_id=body.bill_payment_id,
            inquiry_id=body.inquiry_id,
            state=PaymentState.REQUESTED,
            requested_index=fact.index,
            requested_claim=fact.at_claim,
        )
    )


def _sent(before: PaymentBook, fact: Fact, body: PaymentSent) -> Booking:
    debit = receivable(body.terminal_number).code
    pending = Transfer(
        transfer_id=_transfer_id(fact, 0),
        phase="pending",
        debit=debit,
        credit=_owed(before).code,
        amount_rial=before.amount_rial,
        reason="sent",
    )
    after = msgspec.structs.replace(
        before,
        state=advance(before.state, PaymentState.SENT),
        terminal_number=body.terminal_number,
        sent_claim=fact.at_claim,
        pending_transfer=pending.transfer_id,
        pending_account=debit,
    )
    return Booking(payment=after, transfers=(pending,))


def _approved(before: PaymentBook, fact: Fact, body: PaymentApproved) -> Booking:
    evidence = body.evidence
    if evidence.amount_rial not in (None, before.amount_rial):
        raise NotPostable("books.other_amount", amount_rial=evidence.amount_rial)
    state = advance(before.state, PaymentState.APPROVED)
    debit = receivable(evidence.terminal_number or before.terminal_number)
    late = before.state in LATE
    if before.state is PaymentState.OVERRIDDEN_CHARGED:
        # The supervisor's word is replaced by evidence; what is owed on was booked with the word.
        transfers = [_posted(before, fact, 0, debit=debit, credit=DOUBTFUL, reason="evidence")]
    elif before.state in (PaymentState.REVERSAL_REQUESTED, PaymentState.REVERSAL_IN_DOUBT):
        transfers = []
    elif before.pending_transfer is not None and before.pending_account == debit.code:
        transfers = [_end(before, fact, "post", "approved")]
    else:
        transfers = _voids(before, fact, "other_terminal")
        transfers.append(
            _posted(before, fact, 1, debit=debit, credit=_owed(before), reason="late_approval" if late else "approved")
        )
    confirm = before.purpose == "bill" and before.confirmation == "none"
    after = msgspec.structs.replace(
        _with_evidence(before, evidence),
        state=state,
        approved_claim=fact.at_claim,
        outcome_index=fact.index,
        outcome_leaf=fact.leaf,
        pending_transfer=None,
        pending_account=None,
        confirmation="queued" if confirm else before.confirmation,
    )
    cases = [_case(before, "late_approval", earlier=str(before.state))] if late else []
    return Booking(payment=after, transfers=transfers, cases=cases, confirm=confirm, charged=True)


def _in_doubt(before: PaymentBook, body: PaymentInDoubt) -> Booking:
    after = msgspec.structs.replace(
        before, state=advance(before.state, PaymentState.IN_DOUBT), in_doubt_reason=body.reason
    )
    if body.evidence is not None and body.reason != "mismatch":
        # A mismatch tells of another transaction; its numbers are not this payment's.
        after = _with_evidence(after, body.evidence)
    return Booking(payment=after)


def _overridden(before: PaymentBook, fact: Fact, body: PaymentOverridden) -> Booking:
    to = PaymentState.OVERRIDDEN_CHARGED if body.charged else PaymentState.OVERRIDDEN_NOT_CHARGED
    transfers = _voids(before, fact, "overridden")
    if body.charged:
        transfers.append(_posted(before, fact, 1, debit=DOUBTFUL, credit=_owed(before), reason="overridden"))
    after = msgspec.structs.replace(
        before,
        state=advance(before.state, to),
        slip_number=body.slip_number,
        outcome_index=fact.index,
        outcome_leaf=fact.leaf,
        pending_transfer=None,
        pending_account=None,
    )
    facts = {"charged": body.charged, "operator": body.operator, "reason": body.reason, "slip_number": body.slip_number}
    return Booking(
        payment=after, transfers=transfers, cases=[_case(before, "overridden", **facts)], charged=body.charged
    )


_NOT_TAKEN: Final[dict[type[Body], PaymentState]] = {
    PaymentNotSent: PaymentState.NOT_SENT,
    PaymentDeclined: PaymentState.DECLINED,
    PaymentCancelled: PaymentState.CANCELLED,
    PaymentNotCharged: PaymentState.NOT_CHARGED,
}

PAYMENT_FACTS: Final[tuple[type[Body], ...]] = (
    PaymentRequested,
    PaymentSent,
    PaymentApproved,
    PaymentInDoubt,
    PaymentOverridden,
    *_NOT_TAKEN,
)
"""Bodies that `book` understands."""


def _not_taken(before: PaymentBook, fact: Fact, body: Body) -> Booking:
    to = _NOT_TAKEN[type(body)]
    known = before
    if isinstance(body, PaymentDeclined | PaymentCancelled):
        known = _with_evidence(before, body.evidence)
    after = msgspec.structs.replace(
        known,
        state=advance(before.state, to),
        outcome_index=fact.index,
        outcome_leaf=fact.leaf,
        pending_transfer=None,
        pending_account=None,
    )
    return Booking(payment=after, transfers=_voids(before, fact, str(to)))


def confirmed(payment: PaymentBook, source: str) -> Transfer:
    """Return the transfer of a payment its provider took: owed to the biller from now on."""
    return Transfer(
        transfer_id=f"{source}/confirmed",
        phase="posted",
        debit=UNCONFIRMED.code,
        credit=biller(biller_kind(payment.bill_id)).code,
        amount_rial=payment.amount_rial,
        reason="confirmed",
    )


def refused(payment: PaymentBook, source: str) -> Transfer:
    """Return the transfer of a payment its provider will not take: owed to the customer from now on."""
    return Transfer(
        transfer_id=f"{source}/refused",
        phase="posted",
        debit=UNCONFIRMED.code,
        credit=REFUNDS.code,
        amount_rial=payment.amount_rial,
        reason="refused",
    )


def settled(payment_id: str, terminal_number: str | None, amount_rial: int) -> Transfer:
    """Return the transfer of an approved payment found in the acquirer's file. A payment is settled once."""
    return Transfer(
        transfer_id=f"settled/{payment_id}",
        phase="posted",
        debit=SETTLED.code,
        credit=receivable(terminal_number).code,
        amount_rial=amount_rial,
        reason="settled",
    )


def biller_kind(bill_id: str | None) -> str:
    """Return the word of the bill's service type: the digit before the check digit."""
    return _KIND_OF_DIGIT.get((bill_id or "")[-2:-1], _OTHER_BILLER)


def _owed(payment: PaymentBook) -> Account:
    """Return the account that says to whom the money goes on."""
    return UNCONFIRMED if payment.purpose == "bill" else FEES


def _with_evidence(payment: PaymentBook, evidence: Evidence) -> PaymentBook:
    return msgspec.structs.replace(
        payment,
        response_code=evidence.response_code,
        stan=evidence.stan or payment.stan,
        rrn=evidence.rrn or payment.rrn,
        pan=evidence.pan or payment.pan,
        terminal_number=evidence.terminal_number or payment.terminal_number,
        merchant_number=evidence.merchant_number or payment.merchant_number,
        terminal_time=evidence.terminal_time or payment.terminal_time,
    )


def _transfer_id(fact: Fact, place: int) -> str:
    """Return a transfer's id: the entry's leaf and a place, so that booking an entry again is the same transfer."""
    return f"{fact.leaf.hex()}/{place}"


def _posted(payment: PaymentBook, fact: Fact, place: int, *, debit: Account, credit: Account, reason: str) -> Transfer:
    return Transfer(
        transfer_id=_transfer_id(fact, place),
        phase="posted",
        debit=debit.code,
        credit=credit.code,
        amount_rial=payment.amount_rial,
        reason=reason,
    )


def _end(payment: PaymentBook, fact: Fact, phase: str, reason: str) -> Transfer:
    """Return the transfer that posts or voids the payment's pending one."""
    return Transfer(
        transfer_id=_transfer_id(fact, 0),
        phase=phase,
        debit=payment.pending_account or receivable(None).code,
        credit=_owed(payment).code,
        amount_rial=payment.amount_rial,
        reason=reason,
        pending_id=payment.pending_transfer,
    )


def _voids(payment: PaymentBook, fact: Fact, reason: str) -> list[Transfer]:
    return [] if payment.pending_transfer is None else [_end(payment, fact, "void", reason)]


def _case(payment: PaymentBook, kind: Any, **facts: Any) -> NewCase:
    return NewCase(
        kind=kind,
        about=f"{payment.office_id}/{payment.payment_id}",
        amount_rial=payment.amount_rial,
        office_id=payment.office_id,
        payment_id=payment.payment_id,
        facts=facts,
    )
