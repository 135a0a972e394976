"""Writing what a provider said of a service: the request, its orders, its fee, and the entry on the office's feed."""

from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from central.fleet.catalogues import CATALOGUES
from central.ledger.booking import PaymentBook
from central.ledger.cases import case_id, note_if_there
from central.ledger.debts import keep_debts
from central.ledger.fees import give_fee
from central.ledger.services import HAS_RESULT, fee_of_answer, fee_paid_back, owe_fee_back, stands
from central.providers.connector import Pictured, Served
from central.providers.data_keys import seal_to_office
from central.providers.desk import AppendFeed, Asked
from central.providers.holding import Withdrawn
from central.store.services import service_order, service_request
from shared.clock import Clock, instant_text
from shared.events import SERVICE_ANSWER_PURPOSE, SERVICE_IMAGE_PURPOSE, ImageAnswered, ServiceAnswered
from shared.ids import OfficeId, office_feed
from shared.sealed import Sealed

FEE_IS_BACK: Final = "fee_paid_back"
"""The reason told of a request whose fee finance paid back."""
ANSWERED_AS_WELL: Final = (
    "پاسخ پس از توافق بر برگشت کارمزد آمد و در دفتر است؛ سهم‌های کارمزد بدهی مرکز است · "
    "the answer came after two people agreed to give the fee back: it is there, and the fee's shares are owed"
)
"""The note in the case by which a fee goes back whose provider answered meanwhile; a person decides."""
ANSWERED_AFTER_ALL: Final = "پاسخ آمد: کارمزد برنمی‌گردد · it was answered after all: the fee is not owed back"


def finish_service(
    connection: Connection,
    asked: Asked,
    reply: Served,
    *,
    provider: str,
    clock: Clock,
    append_feed: AppendFeed,
) -> str:
    """Write a service's answer; return the task's outcome word.

    A result earns the fee, also one that goes back, or was paid back, while the provider was asked. Without a result, a
    case of the fee is opened where it stands: a refund when the provider refuses for good, a decision when the
    parameters were wrong.
    """
    at = clock.now()
    office_id, inquiry_id = asked.office_id, asked.subject
    has_result = reply.outcome in HAS_RESULT
    fee = fee_of_answer(connection, office_id, inquiry_id)
    table = service_request
    here = (table.c.office_id == office_id, table.c.inquiry_id == inquiry_id)
    row = connection.execute(select(table).where(*here).with_for_update()).one()
    case = None
    if fee is not None:
        case = _settle_fee(connection, asked, fee, reply, provider=provider, at=at)
    service = CATALOGUES.service(connection, row.catalogue_id, row.service)
    if service is not None and has_result:
        _keep_orders(connection, asked, service.call, reply, provider=provider, at=at)
        keep_debts(connection, office_id, inquiry_id, {debt.obligation: debt.names for debt in reply.debts})
    connection.execute(
        update(table)
        .where(*here)
        .values(
            outcome=reply.outcome,
            reason=reply.reason,
            provider=provider,
            track_id=asked.track_id,
            answered_at=at,
            case_id=case,
        )
    )
    body = ServiceAnswered(
        inquiry_id=inquiry_id,
        outcome=reply.outcome,
        document=_sealed_document(connection, office_id, row.fields_key_id, reply) if has_result else None,
        provider=provider,
        track_id=asked.track_id,
        answered_at=reply.answered_at or instant_text(at),
        reason=reply.reason,
        # With a refund's case the request has ended; wrong parameters can still be asked again.
        case_id=case if reply.outcome == "refused" else None,
    )
    append_feed(connection, office_feed(OfficeId(office_id)), body)
    return reply.outcome


def withdraw_service(
    connection: Connection,
    asked: Asked,
    reply: Withdrawn,
    *,
    provider: str,
    clock: Clock,
    append_feed: AppendFeed,
) -> str:
    """Write that nobody is asked about a request, its fee not being there; return the task's outcome word.

    Where finance paid the fee back the office is told so: by its box's journal the fee is charged, and it would wait.
    """
    if reply.case_id is None:
        return "withdrawn"
    at, table = clock.now(), service_request
    connection.execute(
        update(table)
        .where(table.c.office_id == asked.office_id, table.c.inquiry_id == asked.subject)
        .values(
            outcome="refused",
            reason=FEE_IS_BACK,
            provider=provider,
            track_id=asked.track_id,
            answered_at=at,
            case_id=reply.case_id,
        )
    )
    body = ServiceAnswered(
        inquiry_id=asked.subject,
        outcome="refused",
        document=None,
        provider=provider,
        track_id=asked.track_id,
        answered_at=instant_text(at),
        reason=FEE_IS_BACK,
        case_id=reply.case_id,
    )
    append_feed(connection, office_feed(OfficeId(asked.office_id)), body)
    return "withdrawn"


def _settle_fee(
    connection: Connection, asked: Asked, fee: PaymentBook, reply: Served, *, provider: str, at: datetime
) -> str | None:
    """Say whose the fee is now; return the case of one that has no result."""
    if reply.outcome == "wrong_parameter":
        return _owe(connection, asked, reply, at)
    if reply.outcome not in HAS_RESULT:
        give_fee(connection, fee, "refused", provider=provider, track_id=asked.track_id, reason=reply.reason, at=at)
        return _owe(connection, asked, reply, at) or fee_paid_back(connection, asked.office_id, asked.subject)
    give_fee(connection, fee, "confirmed", provider=provider, track_id=asked.track_id, at=at)
    kept = stands(fee)
    if not kept and fee.confirmation == "confirmed":
        # Told again: whoever agreed to give it back knew of the answer.
        return None
    for kind in ("refund", "no_result"):
        note = ANSWERED_AFTER_ALL if kept else ANSWERED_AS_WELL
        note_if_there(connection, case_id(kind, fee.about), note, closes=kept, at=at)
    return None


def _owe(connection: Connection, asked: Asked, reply: Served, at: datetime) -> str | None:
    return owe_fee_back(
        connection,
        asked.office_id,
        asked.subject,
        reason=reply.outcome,
        at=at,
        problem=reply.reason,
        track_id=asked.track_id,
    )


def _keep_orders(
    connection: Connection, asked: Asked, call: str, reply: Served, *, provider: str, at: datetime
) -> None:
    """Keep the orders an answer offers; one that is known already stays as it is."""
    for order in reply.orders:
        connection.execute(
            insert(service_order)
            .values(
                office_id=asked.office_id,
                order_id=order.order_id,
                inquiry_id=asked.subject,
                provider=provider,
                call=call,
                product=order.product,
                amount_rial=order.amount_rial,
                expires_at=order.expires_at,
                made_at=at,
            )
            .on_conflict_do_nothing()
        )


def _sealed_document(connection: Connection, office_id: str, key_id: str, reply: Served) -> Sealed:
    plaintext = msgspec.json.encode(reply.document, order="deterministic")
    return seal_to_office(connection, office_id, key_id, plaintext, purpose=SERVICE_ANSWER_PURPOSE)


def finish_pictures(connection: Connection, asked: Asked, reply: Pictured, *, append_feed: AppendFeed) -> str:
    """Write the pictures of an item, each an entry of its own; return the task's outcome word."""
    inquiry_id, _, item = asked.subject.partition("/")
    table = service_request
    key_id = connection.execute(
        select(table.c.fields_key_id).where(table.c.office_id == asked.office_id, table.c.inquiry_id == inquiry_id)
    ).scalar_one()
    feed_id = office_feed(OfficeId(asked.office_id))
    told = [(picture.label, picture.image) for picture in reply.pictures if picture.image is not None]
    for number, (label, image) in enumerate(told or [("", None)]):
        sealed = (
            None
            if image is None
            else seal_to_office(connection, asked.office_id, key_id, image, purpose=SERVICE_IMAGE_PURPOSE)
        )
        body = ImageAnswered(inquiry_id=inquiry_id, item=item, number=number, label=label, image=sealed)
        append_feed(connection, feed_id, body)
    return "pictured" if told else "no_picture"
