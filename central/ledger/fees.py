"""Whose the fee of a service is: held until its request has a result, then its tariff's shares, or the customer's."""

from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from central.ledger.booking import PaymentBook
from central.ledger.paying_out import follow_claims
from central.ledger.positions import answered
from central.ledger.store import set_confirmation, write_transfers


def give_fee(
    connection: Connection,
    fee: PaymentBook,
    word: Literal["confirmed", "refused"],
    *,
    provider: str,
    track_id: str,
    reason: str | None = None,
    at: datetime,
) -> None:
    """Book that a fee is earned (`confirmed`) or owed back (`refused`), by the answer of this track id.

    What is booked so already changes nothing. Does not commit.
    """
    if fee.confirmation == word:
        return
    after = set_confirmation(connection, fee, confirmation=word, provider=provider, at=at, reason=reason)
    # A request may be answered anew, and its fee be paid anew: both stand in the transfers' names.
    by = f"fee/{fee.payment_id}/{track_id}"
    write_transfers(
        connection,
        fee.office_id,
        answered(fee, word, by),
        payment_id=fee.payment_id,
        source_kind="provider",
        source=track_id,
        at=at,
    )
    follow_claims(connection, after, by=f"{by}/{word}", why=word, at=at, track_id=track_id)
