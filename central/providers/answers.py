"""Writing what a provider said: payment or inquiry, ledger, case, and the entry on the office's feed, together."""

from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, and_, select, update

from central.ledger.booking import PaymentBook, case_about
from central.ledger.cases import case_id, note_closed, note_if_there, open_case
from central.ledger.giving_back import agreed_for_finance
from central.ledger.items import with_words, words_of
from central.ledger.paying_out import follow_claims, paid_back
from central.ledger.positions import answered
from central.ledger.services import order_of
from central.ledger.store import set_confirmation, withdraw_question, write_transfers
from central.providers.connector import Answered, Refused, Taken
from central.providers.data_keys import seal_to_office
from central.providers.desk import AppendFeed, Asked
from central.providers.holding import Withdrawn
from central.store.books import office_inquiry
from central.store.services import service_order, service_request
from shared.clock import Clock, instant_text
from shared.errors import IntegrityError
from shared.events import (
    FULFILMENT_PURPOSE,
    INQUIRY_CUSTOMER_PURPOSE,
    Body,
    InquiryAnswered,
    PaymentConfirmed,
    PaymentRefused,
)
from shared.ids import OfficeId, office_feed
from shared.payment import CERTAINLY_UNCHARGED
from shared.sealed import Sealed

TAKEN_AFTER_ALL: Final = "ارائه‌دهنده پرداخت را پذیرفت · the provider took the payment"
REFUSED_AFTER_ALL: Final = (
    "ارائه‌دهنده نپذیرفت؛ پول مشتری پیش‌تر برگردانده شده است · "
    "the provider refused it; the customer has the money back already"
)
REFUND_INSTEAD: Final = "پروندهٔ برگشت باز است · a refund case is open"
_CUSTOMER_SIZE_MAX_BYTES: Final = 8 * 1024
"""An answer must fit an entry of the feed."""


def seal_customer(connection: Connection, office_id: str, key_id: str, customer: dict[str, str]) -> Sealed | None:
    """Return personal data sealed to the office's key, in at most 8 KiB of plain JSON.

    None when there is none, when it is too much to be true, or when the key the office gave is none.
    """
    plaintext = msgspec.json.encode(customer, order="deterministic")
    if not customer or len(plaintext) > _CUSTOMER_SIZE_MAX_BYTES:
        return None
    try:
        return seal_to_office(connection, office_id, key_id, plaintext, purpose=INQUIRY_CUSTOMER_PURPOSE)
    except IntegrityError:
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
        outcome = word = "confirmed"
        body = _keep_taken(connection, asked, payment, reply, provider=provider, at=at)
    else:
        outcome, word = f"refused:{reply.reason}", "refused"
        body = _keep_refused(connection, asked, payment, reply, provider=provider, at=at)
    write_transfers(
        connection,
        asked.office_id,
        answered(payment, word, asked.task_id, item=item),
        payment_id=payment.payment_id,
        source_kind="provider",
        source=asked.track_id,
        at=at,
    )
    after = with_words(payment, {item: word})
    follow_claims(connection, after, by=f"{asked.task_id}/{word}", why=word, at=at, track_id=asked.track_id)
    append_feed(connection, office_feed(OfficeId(asked.office_id)), body)
    return outcome


def _fulfilment(connection: Connection, payment: PaymentBook, reply: Taken) -> Sealed | None:
    """Return what the customer bought, sealed to the data key of the request that made its order."""
    if not reply.fulfilment:
        return None
    request, order = service_request.c, service_order.c
    # Not the request that the payment names: what was carried out is the order.
    key_id = connection.execute(
        select(request.fields_key_id)
        .join(service_order, and_(order.office_id == request.office_id, order.inquiry_id == request.inquiry_id))
        .where(order.office_id == payment.office_id, order.order_id == order_of(payment.obligation))
    ).scalar_one()
    plaintext = msgspec.json.encode(reply.fulfilment, order="deterministic")
    return seal_to_office(connection, payment.office_id, key_id, plaintext, purpose=FULFILMENT_PURPOSE)


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
        fulfilment=_fulfilment(connection, payment, reply),
    )


def _keep_refused(
    connection: Connection, asked: Asked, payment: PaymentBook, reply: Refused, *, provider: str, at: datetime
) -> PaymentRefused:
    """Mark the payment, or its item, refused and open the refund's case; return what the office is told."""
    reason, item = reply.reason, asked.item
    after = set_confirmation(
        connection, payment, item=item, confirmation="refused", provider=provider, at=at, reason=reason
    )
    paid_by = paid_back(connection, payment, item)
    _end_late_approval(connection, after, at=at)
    # Asked before and "already paid": it may have been us; a person compares the provider's own record.
    asked_before = asked.asked_at is not None
    # Where two people give the whole charge back, theirs is the case of each of its bills.
    of = None if agreed_for_finance(payment) else item
    case = case_about(payment, "refund", item=of, reason=reason, track_id=asked.track_id, asked_before=asked_before)
    if paid_by is not None:
        # Two people knew that no answer had come: nobody is owed the money a second time.
        note_closed(connection, paid_by, REFUSED_AFTER_ALL, at=at)
        if asked_before and reason == "already_paid":
            # The biller may have this very money, which the customer has, too.
            twice = case_about(payment, "paid_twice", item=item, **case.facts, earlier_case=paid_by)
            open_case(connection, twice, at=at, again=True)
    return PaymentRefused(
        payment_id=payment.payment_id,
        provider=provider,
        track_id=asked.track_id,
        reason=reason,
        case_id=paid_by or open_case(connection, case, at=at, again=True),
        item=item,
    )


def _end_late_approval(connection: Connection, payment: PaymentBook, *, at: datetime) -> None:
    """End the case of a late approval once the provider has said of all that the payment pays what becomes of it."""
    said = set(words_of(payment).values())
    if said <= {"confirmed", "refused"}:
        note = REFUND_INSTEAD if "refused" in said else TAKEN_AFTER_ALL
        note_if_there(connection, case_id("late_approval", payment.about), note, closes=True, at=at)


def withdraw_confirmation(
    connection: Connection,
    asked: Asked,
    payment: PaymentBook,
    reply: Withdrawn,
    *,
    provider: str,
    clock: Clock,
    append_feed: AppendFeed,
) -> str:
    """Write that a payment is not to be confirmed, its money not being there; return the task's outcome word."""
    withdraw_question(connection, payment, item=asked.item, at=clock.now())
    if reply.case_id is not None:
        body = PaymentRefused(
            payment_id=payment.payment_id,
            provider=provider,
            track_id=asked.track_id,
            reason="refused",
            case_id=reply.case_id,
            item=asked.item,
        )
        append_feed(connection, office_feed(OfficeId(asked.office_id)), body)
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
