"""Telling a customer by text message that the answer is there: once an event, or not at all, and it is known which.

An answered request becomes one row (`text_message`), whoever looks and however often. A row is marked `asking` before
anything leaves: after a crash, a lost answer or an unclear one it is *uncertain* and never sent again. Only what
certainly was not sent is tried again, with growing pauses, until it would be no news any more.

A message goes to the number in the request's sealed fields, and only where the customer agreed to it there.
"""

import re
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec
import structlog
from sqlalchemy import Connection, Engine, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from central.providers.data_keys import DataKeys
from central.providers.text_gateway import NotSent, Sent, TextGateway, Uncertain
from central.store.messages import text_message
from central.store.services import service_request
from shared.catalogue import CONSENT_FIELD, MOBILE_FIELD
from shared.clock import Clock
from shared.errors import DaftarError
from shared.sealed import Sealed
from shared.service_fields import TICKED
from shared.text import persian_digits

TEXT: Final = "پاسخ استعلام شما آماده است. نوبت {ticket}، دفتر {office}. با رسید خود به دفتر بیایید."
"""Names nobody and nothing asked about: a telephone lies on tables."""
NEWS_FOR: Final = timedelta(hours=12)
"""How long an answer is news."""
CLAIM_FOR: Final = timedelta(minutes=5)
"""A message that is being sent for longer than this was cut short: nobody knows whether it left."""
PAUSE: Final = timedelta(seconds=30)
PAUSE_MAX: Final = timedelta(minutes=30)
ROWS_AT_ONCE: Final = 50

_HAS_RESULT: Final = ("done", "nothing")
_MOBILE: Final = re.compile(r"09[0-9]{9}")
_log = structlog.get_logger()


class MessageReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the messages that were due."""

    sent: int = 0
    again: int = 0
    failed: int = 0
    uncertain: int = 0


def queue_messages(engine: Engine, data_keys: DataKeys, *, clock: Clock) -> int:
    """Make a row for each request that was answered lately and has none; return how many messages are wanted."""
    now = clock.now()
    asked, message = service_request.c, text_message.c
    has_row = select(message.inquiry_id).where(
        message.office_id == asked.office_id, message.inquiry_id == asked.inquiry_id
    )
    with engine.begin() as connection:
        rows = connection.execute(
            select(service_request)
            .where(asked.outcome.in_(_HAS_RESULT), asked.answered_at > now - NEWS_FOR, ~has_row.exists())
            .order_by(asked.answered_at)
            .limit(ROWS_AT_ONCE)
        ).all()
        wanted = 0
        for row in rows:
            reason = _why_not(connection, row, data_keys)
            wanted += reason == ""
            connection.execute(
                insert(text_message)
                .values(
                    office_id=row.office_id,
                    message_id=f"answered/{row.inquiry_id}",
                    inquiry_id=row.inquiry_id,
                    state="not_wanted" if reason else "waiting",
                    reason=reason,
                    next_at=now,
                    made_at=now,
                    finished_at=now if reason else None,
                )
                .on_conflict_do_nothing()
            )
    return wanted


def _why_not(connection: Connection, row: Any, data_keys: DataKeys) -> str:
    """Return why no message is wanted, empty where one is."""
    fields = _fields(connection, row, data_keys)
    if fields is None:
        return "sealed"
    if fields.get(CONSENT_FIELD) != TICKED:
        return "no_consent"
    return "" if _MOBILE.fullmatch(fields.get(MOBILE_FIELD, "")) else "no_number"


def _fields(connection: Connection, row: Any, data_keys: DataKeys) -> dict[str, str] | None:
    sealed = Sealed(key_id=row.fields_key_id, ciphertext=row.fields_ciphertext)
    try:
        return data_keys.open_fields(connection, row.office_id, sealed)
    except DaftarError as error:
        _log.warning("no message: fields not opened", inquiry=row.inquiry_id, why=error.code)
        return None


def work_messages(engine: Engine, gateway: TextGateway, data_keys: DataKeys, *, clock: Clock) -> MessageReport:
    """Send one message that is due, if there is one."""
    claimed = _claim(engine, data_keys, clock.now())
    if claimed is None or isinstance(claimed, MessageReport):
        return claimed or MessageReport()
    row, mobile = claimed
    words = TEXT.format(ticket=persian_digits(str(row.ticket)), office=persian_digits(row.office_id))
    answer = gateway.send(mobile=mobile, text=words, name=f"{row.office_id}/{row.message_id}")
    return _finish(engine, row, answer, clock.now())


def end_cut_short(engine: Engine, *, clock: Clock) -> int:
    """Call uncertain what was being sent when a process ended; return how many."""
    now, message = clock.now(), text_message.c
    with engine.begin() as connection:
        ended = connection.execute(
            update(text_message)
            .where(message.state == "asking", message.asked_at < now - CLAIM_FOR)
            .values(state="uncertain", reason="cut_short", finished_at=now)
            .returning(message.message_id)
        ).all()
    return len(ended)


def _claim(engine: Engine, data_keys: DataKeys, now: datetime) -> tuple[Any, str] | MessageReport | None:
    """Mark one due message as being sent, for good; return its row and the number, or that it came to nothing."""
    message, asked = text_message.c, service_request.c
    with engine.begin() as connection:
        row = connection.execute(
            select(text_message, asked.ticket, asked.fields_key_id, asked.fields_ciphertext)
            .join(service_request, (asked.office_id == message.office_id) & (asked.inquiry_id == message.inquiry_id))
            .where(message.state == "waiting", or_(message.next_at <= now, message.made_at <= now - NEWS_FOR))
            .order_by(message.next_at)
            .limit(1)
            .with_for_update(of=text_message, skip_locked=True)
        ).one_or_none()
        if row is None:
            return None
        if row.made_at <= now - NEWS_FOR:
            _set(connection, row, "failed", now, reason="too_late")
            return MessageReport(failed=1)
        fields = _fields(connection, row, data_keys)
        if fields is None:
            _set(connection, row, "failed", now, reason="sealed")
            return MessageReport(failed=1)
        connection.execute(
            update(text_message)
            .where(message.office_id == row.office_id, message.message_id == row.message_id)
            .values(state="asking", asked_at=now, attempts=row.attempts + 1)
        )
    return row, fields.get(MOBILE_FIELD, "")


def _set(
    connection: Connection,
    row: Any,
    state: Literal["sent", "failed", "uncertain"],
    now: datetime,
    *,
    reason: str = "",
    reference: str = "",
) -> None:
    message = text_message.c
    connection.execute(
        update(text_message)
        .where(message.office_id == row.office_id, message.message_id == row.message_id)
        .values(state=state, reason=reason, reference=reference, finished_at=now)
    )


def _finish(engine: Engine, row: Any, answer: Sent | NotSent | Uncertain, now: datetime) -> MessageReport:
    message = text_message.c
    with engine.begin() as connection:
        match answer:
            case Sent():
                _set(connection, row, "sent", now, reference=answer.reference)
                return MessageReport(sent=1)
            case Uncertain():
                _log.warning("message uncertain", message=row.message_id, why=answer.why)
                _set(connection, row, "uncertain", now, reason=answer.why)
                return MessageReport(uncertain=1)
            case NotSent(again=False):
                _log.warning("message refused", message=row.message_id, why=answer.why)
                _set(connection, row, "failed", now, reason=answer.why)
                return MessageReport(failed=1)
            case NotSent():
                pause = min(PAUSE * 2 ** min(row.attempts, 10), PAUSE_MAX)
                connection.execute(
                    update(text_message)
                    .where(message.office_id == row.office_id, message.message_id == row.message_id)
                    .values(state="waiting", reason=answer.why, next_at=now + pause)
                )
                return MessageReport(again=1)
