"""Writing what a provider said: payment or inquiry, ledger, case, and the entry on the office's feed, together."""

from datetime import datetime
from typing import Final, Protocol

import msgspec
from sqlalchemy import Connection, select, update

from central.ledger.booking import PaymentBook, case_about
from central.ledger.cases import case_id, note_if_there, open_case
from central.ledger.items import words_of
from central.ledger.positions import answered
from central.ledger.store import set_confirmation, withdraw_question, write_transfers
from central.providers.connector import Answered, Refused, Taken
from central.store.books import office_data_key, office_inquiry
from shared.clock import Clock, instant_text
from shared.errors import IntegrityError, PeerError
from shared.events import (
    DATA_KEY_PURPOSE,
    INQUIRY_CUSTOMER_PURPOSE,
    INQUIRY_PARAMETER_PURPOSE,
    Body,
    InquiryAnswered,
    PaymentConfirmed,
    PaymentRefused,
)
from shared.ids import FeedId, OfficeId, office_feed
from shared.payment import CERTAINLY_UNCHARGED
from shared.sealed import Sealed, seal, unseal

TAKEN_AFTER_ALL: Final = "ارائه‌دهنده پرداخت را پذیرفت · the provider took the payment"
REFUND_INSTEAD: Final = "پروندهٔ برگشت باز است · a refund case is open"
_CUSTOMER_SIZE_MAX_BYTES: Final = 8 * 1024
"""An answer must fit an entry of the feed."""


class AppendFeed(Protocol):
    """Append a fact to a feed in the caller's transaction; return its index."""

    def __call__(self, connection: Connection, feed_id: FeedId, body: Body) -> int:
        """Append; does not commit."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question that is being worked: what of its row the answer needs."""

    office_id: str
    task_id: str
    kind: str
    subject: str
    item: int | None
    """Of the payment that it is about, where that has items."""
    track_id: str
    attempts: int
    lease: str
    asked_at: datetime | None
    """When the question may last have left, or None when it never did."""


class DataKeys:
    """Opens what offices sealed: their monthly keys, unwrapped with central's own. Keeps none of them."""

    def __init__(self, wrapping_private: bytes) -> None:
        self._wrapping_private = wrapping_private

    def open_parameter(self, connection: Connection, office_id: str, sealed: Sealed) -> str:
        """Return the subscriber's number.

        Raises PeerError `provider.no_data_key` when the key did not come yet; IntegrityError `sealed.cannot_open`.
        """
        row = connection.execute(
            select(office_data_key.c.wrapped).where(
                office_data_key.c.office_id == office_id, office_data_key.c.key_id == sealed.key_id
            )
        ).one_or_none()
        if row is None:
            raise PeerError("provider.no_data_key", key_id=sealed.key_id)
        wrapped = Sealed(key_id=sealed.key_id, ciphertext=row.wrapped)
        private = unseal(wrapped, private_key=self._wrapping_private, purpose=DATA_KEY_PURPOSE)
        try:
            return unseal(sealed, private_key=private, purpose=INQUIRY_PARAMETER_PURPOSE).decode("ascii")
        except ValueError as error:
            raise IntegrityError("sealed.cannot_open", key_id=sealed.key_id) from error


def seal_customer(connection: Connection, office_id: str, key_id: str, customer: dict[str, str]) -> Sealed | None:
    """Return personal data sealed to the office's key, in at most 8 KiB of plain JSON.

    None when there is none, when it is too much to be true, or when the key the office gave is none.
    """
    plaintext = msgspec.json.encode(customer, order="deterministic")
    if not customer or len(plaintext) > _CUSTOMER_SIZE_MAX_BYTES:
        return None
    public_key = connection.execute(
        select(office_data_key.c.public_key).where(
            office_data_key.c.office_id == office_id, office_data_key.c.key_id == key_id
        )
    ).scalar_one()
    try:
        return seal(plaintext, key_id=key_id, public_key=bytes.fromhex(public_key), purpose=INQUIRY_CUSTOMER_PURPOSE)
    except ValueError:
        return None


def finish_confirmation(
    connection: Connection,
    asked: Asked,
    payment: PaymentBook,
    reply: Taken | Refused,
    *,
    provider: str,
    clock: Clock,
    append_feed: AppendFeed,
) -> str:
    """Write a confirmation's outcome; return the task's outcome word."""
    at = clock.now()
    body: Body
    item = asked.item
    if isinstance(reply, Taken):
        outcome, transfers = "confirmed", answered(payment, "confirmed", asked.task_id, item=item)
        body = _keep_taken(connection, asked, payment, reply, provider=provider, at=at)
    else:
        outcome, transfers = f"refused:{reply.reason}", answered(payment, "refused", asked.task_id, item=item)
        body = _keep_refused(connection, asked, payment, reply, provider=provider, at=at)
    write_transfers(
        connection,
        asked.office_id,
        transfers,
        payment_id=payment.payment_id,
        source_kind="provider",
        source=asked.track_id,
        at=at,
    )
    append_feed(connection, office_feed(OfficeId(asked.office_id)), body)
    return outcome


def _keep_taken(
    connection: Connection, asked: Asked, payment: PaymentBook, reply: Taken, *, provider: str, at: datetime
) -> PaymentConfirmed:
    """Mark the payment, or its item, confirmed; return what the office is told."""
    reference, item = reply.provider_reference, asked.item
    after = set_confirmation(
        connection, payment, item=item, confirmation="confirmed", provider=provider, at=at, provider_reference=reference
    )
    if payment.state in CERTAINLY_UNCHARGED:
        case = case_about(payment, "confirmed_uncharged", item=item, earlier=str(payment.state))
        open_case(connection, case, at=at)
    # The bill is paid with this money after all: nobody is owed anything.
    paid = {payment.about_item(item)} | ({payment.about} if after.confirmation == "confirmed" else set())
    for about in sorted(paid):
        note_if_there(connection, case_id("refund", about), TAKEN_AFTER_ALL, closes=True, at=at)
    _end_late_approval(connection, after, at=at)
    return PaymentConfirmed(
        payment_id=payment.payment_id,
        provider=provider,
        track_id=asked.track_id,
        provider_reference=reference,
        confirmed_at=instant_text(at),
        item=item,
    )


def _keep_refused(
    connection: Connection, asked: Asked, payment: PaymentBook, reply: Refused, *, provider: str, at: datetime
) -> PaymentRefused:
    """Mark the payment, or its item, refused and open the refund's case; return what the office is told."""
    reason, item = reply.reason, asked.item
    after = set_confirmation(
        connection, payment, item=item, confirmation="refused", provider=provider, at=at, reason=reason
    )
    # Asked before and "already paid": it may have been us; a person compares the provider's own record.
    asked_before = asked.asked_at is not None
    case = case_about(payment, "refund", item=item, reason=reason, track_id=asked.track_id, asked_before=asked_before)
    _end_late_approval(connection, after, at=at)
    return PaymentRefused(
        payment_id=payment.payment_id,
        provider=provider,
        track_id=asked.track_id,
        reason=reason,
        case_id=open_case(connection, case, at=at, again=True),
        item=item,
    )


def _end_late_approval(connection: Connection, payment: PaymentBook, *, at: datetime) -> None:
    """End the case of a late approval once the provider has said of all that the payment pays what becomes of it."""
    said = set(words_of(payment).values())
    if said <= {"confirmed", "refused"}:
        note = REFUND_INSTEAD if "refused" in said else TAKEN_AFTER_ALL
        note_if_there(connection, case_id("late_approval", payment.about), note, closes=True, at=at)


def withdraw_confirmation(
    connection: Connection, payment: PaymentBook, *, item: int | None = None, at: datetime
) -> str:
    """Write that a payment is not to be confirmed, its money not being there; return the task's outcome word."""
    withdraw_question(connection, payment, item=item, at=at)
    return "withdrawn"


def finish_inquiry(
    connection: Connection, asked: Asked, reply: Answered, *, provider: str, clock: Clock, append_feed: AppendFeed
) -> str:
    """Write an inquiry's answer; return the task's outcome word."""
    at = clock.now()
    table = office_inquiry
    here = (table.c.office_id == asked.office_id, table.c.inquiry_id == asked.subject)
    key_id = connection.execute(select(table.c.parameter_key_id).where(*here)).scalar_one()
    connection.execute(
        update(table)
        .where(*here)
        .values(
            outcome=reply.outcome,
            reason=reply.reason,
            amount_rial=reply.amount_rial,
            bill_id=reply.bill_id,
            bill_payment_id=reply.bill_payment_id,
            due=reply.due,
            answered_at=at,
        )
    )
    append_feed(
        connection,
        office_feed(OfficeId(asked.office_id)),
        InquiryAnswered(
            inquiry_id=asked.subject,
            outcome=reply.outcome,
            amount_rial=reply.amount_rial,
            bill_id=reply.bill_id,
            bill_payment_id=reply.bill_payment_id,
            due=reply.due,
            customer=seal_customer(connection, asked.office_id, key_id, reply.customer),
            provider=provider,
            track_id=asked.track_id,
            answered_at=instant_text(at),
            reason=reply.reason,
        ),
    )
    return reply.outcome
