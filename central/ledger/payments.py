"""Booking one entry of a payment: what `central.ledger.posting` makes of it is written, all of it or nothing."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from central.ledger.accepted_entry import AcceptedEntry
from central.ledger.booking import Booking, Fact, PaymentBook
from central.ledger.cases import note_if_there, open_case
from central.ledger.lives import note_entry
from central.ledger.obligations import look_for_second_charge
from central.ledger.overtaken import MOVED_SINCE, overtake
from central.ledger.paying_out import follow_claims
from central.ledger.positions import IN_FLIGHT
from central.ledger.posting import book
from central.ledger.questions import ask_provider
from central.ledger.services import fee_charged, fee_undone, route_of, stands
from central.ledger.store import account_of, load_payment, save_payment, write_transfers
from central.ledger.tariffs import check_charge
from shared.payment import CHARGED


def post_payment(connection: Connection, accepted: AcceptedEntry, body: Any) -> None:
    """Book an entry of `central.ledger.posting.PAYMENT_FACTS`. Raises NotPostable; does not commit."""
    fact = Fact(
        office_id=accepted.office,
        journal_id=accepted.journal,
        index=accepted.index,
        leaf=accepted.leaf,
        at_claim=accepted.entry.at,
        body=body,
    )
    before = load_payment(connection, accepted.office, body.payment_id)
    booking = book(before, fact)
    at = accepted.received_at
    save_payment(connection, booking.payment, at, is_new=before is None)
    note_entry(connection, accepted, body.payment_id)
    write_transfers(
        connection,
        accepted.office,
        booking.transfers,
        payment_id=body.payment_id,
        source_kind="entry",
        source=f"{accepted.journal}#{accepted.index}",
        at=at,
    )
    _overtake_closings(connection, before, booking, by=f"entry/{accepted.leaf.hex()}", at=at)
    _follow_claims(connection, before, booking, by=f"entry/{accepted.leaf.hex()}", at=at)
    for new in booking.cases:
        open_case(connection, new, at=at, again=True)
    for note in booking.notes:
        note_if_there(connection, note.case_id, note.text, closes=note.closes, at=at)
    if booking.charged:
        look_for_second_charge(connection, booking, at)
        check_charge(connection, booking.payment, at)
    if booking.asks:
        route = route_of(connection, accepted.office, booking.payment.inquiry_id)
        for item in booking.asks:
            ask_provider(connection, "confirm", accepted.office, body.payment_id, at, item=item, route=route)
    _tell_request(connection, before, booking.payment, at)


def _overtake_closings(
    connection: Connection, before: PaymentBook | None, booking: Booking, *, by: str, at: datetime
) -> None:
    """Take back what closings booked off the account that this entry takes the payment's money off."""
    if before is None:
        return
    booked = [transfer.credit for transfer in booking.transfers if transfer.phase in ("posted", "post")]
    # Claims are nobody's to lose: only what is owed to the centre is closed away.
    for account in sorted({code for code in booked if account_of(code).side == "debit"}):
        key = (before.office_id, before.payment_id)
        overtake(connection, {key: account}, by=by, note=MOVED_SINCE, at=at)


def _follow_claims(
    connection: Connection, before: PaymentBook | None, booking: Booking, *, by: str, at: datetime
) -> None:
    """Have what a customer was paid of this payment stand on what is left of it, once that is certain."""
    after = booking.payment
    # While a sale is in doubt no claim has ended. Of one that a box which is gone had sent, a customer may be paid.
    if before is None or after.state in IN_FLIGHT or not booking.transfers:
        return
    follow_claims(connection, after, by=by, why="money_gone", at=at, state=str(after.state))


def _tell_request(connection: Connection, before: PaymentBook | None, after: PaymentBook, at: datetime) -> None:
    """Say to the request whose fee this is that it is charged for certain, or not any more."""
    if after.purpose != "inquiry_fee" or after.inquiry_id is None:
        return
    if stands(after):
        fee_charged(connection, after.office_id, after.inquiry_id, at)
    elif before is not None and before.state in CHARGED:
        fee_undone(connection, after.office_id, after.inquiry_id, at)
