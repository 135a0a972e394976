"""What an entry means for the books, as pure functions: (the payment before, the fact) → what to write.

The choice made here: `payment.sent` makes a *pending* transfer of the whole amount, for from that instant money may
move; the outcome posts it or voids it. Doubt leaves it pending, so "how much may have moved" is a sum of the ledger.
Evidence of a charge that comes after the void is a new posted transfer and a case. A supervisor's word is no evidence:
"charged" is booked against the account `doubtful` until evidence replaces it. An approval that is in doubt again is
taken back by a transfer of its own and is pending once more. `central.ledger.positions` makes all transfers;
`central.ledger.giving_back` has what is said of the money's way back.
"""

from typing import Final

import msgspec

from central.ledger.booking import Booking, Fact, NotPostable, PaymentBook, case_about
from central.ledger.giving_back import GIVING_BACK, give_back
from central.ledger.items import CONFIRMED_PURPOSES, items_of, with_words, words_of
from central.ledger.positions import moved
from shared.errors import BugError
from shared.events import (
    Body,
    Evidence,
    PaymentAcknowledged,
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
from shared.payment import CERTAINLY_UNCHARGED, LATE, PaymentState, advance, needs_acknowledgement

AMOUNT_MAX_RIAL: Final = 10**15
"""No payment is larger; what is, is not an amount."""


def book(before: PaymentBook | None, fact: Fact) -> Booking:
    """Return what a payment's entry means. Raises NotPostable for one that cannot follow what the books hold."""
    body = fact.body
    if isinstance(body, PaymentRequested):
        return _requested(before, fact, body)
    if before is None:
        raise NotPostable("books.unknown_payment")
    if before.journal_id != fact.journal_id:
        # Only the box that began a payment knows what its terminal said; another's word moves no money.
        raise NotPostable("books.other_journal", journal=before.journal_id)
    try:
        booking = _follow(before, fact)
    except BugError as error:
        raise NotPostable("books.impossible_move", state=str(before.state), type=body.type) from error
    return _with_loss(before, booking)


def _follow(before: PaymentBook, fact: Fact) -> Booking:
    """Return the booking of a fact about a known payment. Raises BugError for a move that the table does not have."""
    body = fact.body
    if isinstance(body, PaymentSent):
        return _sent(before, fact, body)
    if isinstance(body, PaymentApproved):
        return _approved(before, fact, body)
    if isinstance(body, PaymentInDoubt):
        return _in_doubt(before, fact, body)
    if isinstance(body, PaymentOverridden):
        return _overridden(before, fact, body)
    if isinstance(body, GIVING_BACK):
        return give_back(before, fact)
    return _other(before, fact, body)


def _with_loss(before: PaymentBook, booking: Booking) -> Booking:
    """Add a case for each bill that its biller took when its payment turns out not to be charged, or is given back."""
    after = booking.payment
    if after.state not in CERTAINLY_UNCHARGED or before.state in CERTAINLY_UNCHARGED:
        return booking
    # A bill that the terminal paid is unpaid with its charge: the acquirer answers for both.
    taken = [] if after.pays_bill else [item for item, word in words_of(after).items() if word == "confirmed"]
    cases = [case_about(after, "confirmed_uncharged", item=item, earlier=str(before.state)) for item in taken]
    return msgspec.structs.replace(booking, cases=(*booking.cases, *cases))


def _requested(before: PaymentBook | None, fact: Fact, body: PaymentRequested) -> Booking:
    if before is not None:
        raise NotPostable("books.payment_known_already")
    if not 0 < body.amount_rial <= AMOUNT_MAX_RIAL:
        raise NotPostable("books.bad_amount", amount_rial=body.amount_rial)
    items = tuple(items_of(body))
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
            service=body.service,
            payable=body.payable,
            group_id=body.group_id,
            item_count=len(items),
            items=items,
            state=PaymentState.REQUESTED,
            requested_index=fact.index,
            requested_claim=fact.at_claim,
        )
    )


def _sent(before: PaymentBook, fact: Fact, body: PaymentSent) -> Booking:
    after = msgspec.structs.replace(
        before,
        state=advance(before.state, PaymentState.SENT),
        terminal_number=body.terminal_number,
        sent_claim=fact.at_claim,
        confirming=body.confirming,
        # Of one bill alone: whatever else an entry says, its money goes on as it always does.
        pays_bill=body.pays_bill and before.purpose == "bill" and not before.items,
    )
    after, transfers = moved(before, after, source=fact.leaf.hex(), reason="sent")
    return Booking(payment=after, transfers=transfers)


def _approved(before: PaymentBook, fact: Fact, body: PaymentApproved) -> Booking:
    evidence = body.evidence
    if evidence.amount_rial not in (None, before.amount_rial):
        raise NotPostable("books.other_amount", amount_rial=evidence.amount_rial)
    late = before.state in LATE
    # Whoever paid the bill by its ids has confirmed it with the same word: nobody is asked a second time.
    asks = () if before.pays_bill else _unasked(before)
    words: dict[int | None, str] = {None: "confirmed"} if before.pays_bill else dict.fromkeys(asks, "queued")
    after = msgspec.structs.replace(
        with_words(_with_evidence(before, evidence), words),
        state=advance(before.state, PaymentState.APPROVED),
        approved_claim=fact.at_claim,
        outcome_index=fact.index,
        outcome_leaf=fact.leaf,
        unacknowledged=needs_acknowledgement(confirming=before.confirming, source=evidence.source),
    )
    reason = "late_approval" if late else "approved"
    if before.state is PaymentState.OVERRIDDEN_CHARGED:
        # The supervisor's word is replaced by evidence; what is owed on was booked with the word.
        reason = "evidence"
    after, transfers = moved(before, after, source=fact.leaf.hex(), reason=reason)
    cases = [case_about(before, "late_approval", earlier=str(before.state))] if late else []
    return Booking(payment=after, transfers=transfers, cases=cases, asks=asks, charged=True)


def _unasked(payment: PaymentBook) -> tuple[int | None, ...]:
    """Return what of a payment is to be confirmed and no provider was asked about: items, or None for the whole."""
    if payment.purpose not in CONFIRMED_PURPOSES:
        return ()
    return tuple(item for item, word in words_of(payment).items() if word == "none")


def _in_doubt(before: PaymentBook, fact: Fact, body: PaymentInDoubt) -> Booking:
    after = msgspec.structs.replace(
        before,
        state=advance(before.state, PaymentState.IN_DOUBT),
        in_doubt_reason=body.reason,
        unacknowledged=False,
    )
    if body.evidence is not None and body.reason != "mismatch":
        # A mismatch tells of another transaction; its numbers are not this payment's.
        after = _with_evidence(after, body.evidence)
    after, transfers = moved(before, after, source=fact.leaf.hex(), reason="in_doubt")
    return Booking(payment=after, transfers=transfers)


def _overridden(before: PaymentBook, fact: Fact, body: PaymentOverridden) -> Booking:
    to = PaymentState.OVERRIDDEN_CHARGED if body.charged else PaymentState.OVERRIDDEN_NOT_CHARGED
    after = msgspec.structs.replace(
        before,
        state=advance(before.state, to),
        slip_number=body.slip_number,
        outcome_index=fact.index,
        outcome_leaf=fact.leaf,
    )
    after, transfers = moved(before, after, source=fact.leaf.hex(), reason="overridden")
    case = case_about(
        before,
        "overridden",
        charged=body.charged,
        operator=body.operator,
        reason=body.reason,
        slip_number=body.slip_number,
    )
    return Booking(payment=after, transfers=transfers, cases=[case], charged=body.charged)


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
    PaymentAcknowledged,
    PaymentInDoubt,
    PaymentOverridden,
    *_NOT_TAKEN,
    *GIVING_BACK,
)
"""Bodies that `book` understands."""


def _other(before: PaymentBook, fact: Fact, body: Body) -> Booking:
    """Return the booking of an acknowledgement, or of an outcome by which nothing was taken."""
    if isinstance(body, PaymentAcknowledged):
        state = advance(before.state, PaymentState.ACKNOWLEDGED)
        return Booking(payment=msgspec.structs.replace(before, state=state, unacknowledged=False))
    to = _NOT_TAKEN[type(body)]
    known = before
    if isinstance(body, PaymentDeclined | PaymentCancelled):
        known = _with_evidence(before, body.evidence)
    after = msgspec.structs.replace(
        known, state=advance(before.state, to), outcome_index=fact.index, outcome_leaf=fact.leaf
    )
    after, transfers = moved(before, after, source=fact.leaf.hex(), reason=str(to))
    return Booking(payment=after, transfers=transfers)


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
