"""Working the questions to providers: claim one, ask outside of any transaction, write what came in one.

Safe at every point where a process may die:

* A claim is a lease in the row. Whoever dies holding one is followed by another after the lease ran out.
* `asked_at` is written before the first byte of a question leaves. From then on the *status* is asked first, under the
  same track id; the question itself goes again only when the provider says that it was not done.
* "Never heard of it" is believed only some time after the question left: it may still have been on its way.
* The answer, the ledger, the case and the feed's entry are one transaction, and only the holder of the lease writes.
* A question that fails in a way nobody thought of, or whose answer cannot be written, waits and becomes a case by and
  by; the questions behind it go on.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Connection, Engine, case, func, or_, select, update
from sqlalchemy.exc import DBAPIError

from central.ledger.booking import PaymentBook, case_about
from central.ledger.cases import case_id, note_if_there, open_case
from central.ledger.services import charged_fee, lock_request
from central.ledger.storable import is_own_fault
from central.ledger.store import load_payment
from central.providers.answers import finish_confirmation, finish_inquiry, withdraw_confirmation
from central.providers.asking import Question, hopeless, question_of
from central.providers.connector import (
    Answered,
    NotDone,
    Pending,
    Pictured,
    Refused,
    Served,
    Taken,
    Trouble,
    Unreached,
)
from central.providers.desk import Asked, NotYet, ProviderDesk, Reply, is_failure
from central.providers.holding import Withdrawn, fee_in_the_way, in_the_way
from central.providers.serving import finish_pictures, finish_service, withdraw_service
from central.store.books import provider_task
from central.store.transactions import in_transaction
from shared.errors import BugError, DaftarError, IntegrityError

_log = structlog.get_logger()
_LEASE_SIZE_BYTES: Final = 12
_JITTER: Final = 0.2
ANSWERED: Final = "پاسخ آمد · the answer is there"
"""The note that ends the case of a payment which waited too long for its provider."""

Finished = Answered | Served | Pictured | Taken | Refused | Withdrawn
"""What ends a question."""


class WorkReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one call of the worker did."""

    done: int
    waiting: int
    troubled: int


class _Turn(msgspec.Struct, frozen=True):
    """How one turn of a question ended: the answer, and when the question may last have left."""

    reply: Reply
    asked_at: datetime | None


def work_provider_tasks(engine: Engine, desk: ProviderDesk, *, limit: int = 20) -> WorkReport:
    """Work up to `limit` questions that are due, one after the other; return what became of them.

    Several processes and threads may call it at once. Raises only for trouble with the database.
    """
    done = waiting = troubled = 0
    for _ in range(limit):
        if not desk.breaker.allow():
            break
        try:
            asked = _claim(engine, desk)
            turn = None if asked is None else _ask_safely(engine, desk, asked)
        except BaseException:
            # Whoever was let through to try the line must say how it went, or nobody is let through again.
            desk.breaker.forget()
            raise
        if asked is None or turn is None:
            desk.breaker.forget()
            break
        if isinstance(turn.reply, Trouble | Unreached):
            troubled += 1
        elif isinstance(turn.reply, Pending | NotDone):
            waiting += 1
        else:
            done += 1
        _write(engine, desk, asked, turn)
    return WorkReport(done=done, waiting=waiting, troubled=troubled)


def _claim(engine: Engine, desk: ProviderDesk) -> Asked | None:
    """Take the question that is due longest, for the time of a lease."""
    now = desk.clock.now()
    table = provider_task
    with engine.begin() as connection:
        row = (
            connection.execute(
                select(table)
                .where(
                    table.c.route == desk.route,
                    table.c.state != "done",
                    table.c.next_at <= now,
                    or_(table.c.lease_until.is_(None), table.c.lease_until <= now),
                )
                .order_by(table.c.next_at, table.c.ordinal)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            .mappings()
            .one_or_none()
        )
        if row is None:
            return None
        lease = desk.entropy.token_bytes(_LEASE_SIZE_BYTES).hex()
        connection.execute(
            update(table)
            .where(table.c.office_id == row["office_id"], table.c.task_id == row["task_id"])
            .values(
                state="asking",
                attempts=row["attempts"] + 1,
                lease=lease,
                lease_until=now + timedelta(milliseconds=desk.timing.lease_ms),
                provider=desk.connector.name,
            )
        )
        return Asked(
            office_id=row["office_id"],
            task_id=row["task_id"],
            kind=row["kind"],
            subject=row["subject"],
            item=row["item"],
            track_id=row["track_id"],
            attempts=row["attempts"] + 1,
            lease=lease,
            asked_at=row["asked_at"],
        )


def _ask_safely(engine: Engine, desk: ProviderDesk, asked: Asked) -> _Turn:
    """Ask the provider what may be asked now. Raises only for trouble with the database."""
    try:
        return _ask(engine, desk, asked)
    except Exception as error:
        if _is_of_the_database(error):
            raise
        desk.breaker.forget()
        _log.exception("question failed", task=asked.task_id)
        # It may have left: its status is asked first.
        return _Turn(Trouble(why=type(error).__name__), desk.clock.now())


def _is_of_the_database(error: Exception) -> bool:
    """Return whether the same may go well a moment later, and would fail for every other question now."""
    return isinstance(error, DBAPIError) and not is_own_fault(error)


def _ask(engine: Engine, desk: ProviderDesk, asked: Asked) -> _Turn:
    """Ask the provider what may be asked now. Holds no transaction while it does."""
    try:
        question = question_of(engine, desk, asked)
    except DaftarError as error:
        # Not the provider's fault: a data key that did not come yet, fields nobody can open, a service nobody knows.
        desk.breaker.forget()
        _log.warning("question cannot be asked", task=asked.task_id, code=error.code)
        never = hopeless(asked, error.code) if isinstance(error, IntegrityError) else None
        return _Turn(never or NotDone(why=error.code), asked.asked_at)
    return _converse(engine, desk, asked, question)


def _converse(engine: Engine, desk: ProviderDesk, asked: Asked, question: Question) -> _Turn:
    """Ask for the status when the question may have left before; ask the question when it was not done."""
    if asked.asked_at is not None:
        reply = question.status()
        _tell_breaker(desk, reply)
        if not isinstance(reply, NotDone):
            return _Turn(reply, asked.asked_at)
        sure_at = asked.asked_at + timedelta(milliseconds=desk.timing.unheard_after_ms)
        if reply.unheard and desk.clock.now() < sure_at:
            return _Turn(Pending(why="not heard of yet"), asked.asked_at)
    stopped = question.stopped()
    if stopped is not None:
        desk.breaker.forget()
        return _Turn(stopped, asked.asked_at)
    now = desk.clock.now()
    if not _mark_asked(engine, asked, now):
        return _Turn(Pending(why="lease lost"), asked.asked_at)
    reply = question.send()
    _tell_breaker(desk, reply)
    if isinstance(reply, Unreached):
        return _Turn(reply, asked.asked_at)
    # What the provider says it did not do may be asked again without asking for its status.
    return _Turn(reply, None if isinstance(reply, NotDone) and not reply.unheard else now)


def _tell_breaker(desk: ProviderDesk, reply: Reply) -> None:
    if is_failure(reply):
        desk.breaker.fail()
    else:
        desk.breaker.succeed()


def _mark_asked(engine: Engine, asked: Asked, now: datetime) -> bool:
    """Write, before the first byte leaves, that the question is about to. Return False when the lease is not ours.

    Nor is one that ran out, although nobody took it yet: finance may have paid the customer since.
    """
    with engine.begin() as connection:
        marked = connection.execute(
            update(provider_task)
            .where(
                provider_task.c.office_id == asked.office_id,
                provider_task.c.task_id == asked.task_id,
                provider_task.c.lease == asked.lease,
                provider_task.c.lease_until > now,
            )
            .values(
                asked_at=now,
                out_since=func.coalesce(provider_task.c.out_since, now),
                attempts=case((provider_task.c.out_since.is_(None), 1), else_=provider_task.c.attempts),
            )
            .returning(provider_task.c.task_id)
        )
        return marked.one_or_none() is not None


def _write(engine: Engine, desk: ProviderDesk, asked: Asked, turn: _Turn) -> None:
    """Write what came of a question, or that it cannot be written. Raises only for trouble with the database."""
    try:
        _write_turn(engine, desk, asked, turn)
    except Exception as error:
        if isinstance(turn.reply, NotYet) or _is_of_the_database(error):
            raise
        _log.exception("answer cannot be written", task=asked.task_id)
        why = error.code if isinstance(error, DaftarError) else type(error).__name__
        # The provider did what it did: from now on its status is asked first.
        asked_at = turn.asked_at or desk.clock.now()
        _write_turn(engine, desk, asked, _Turn(Trouble(why=f"cannot be written: {why}"), asked_at))


def _write_turn(engine: Engine, desk: ProviderDesk, asked: Asked, turn: _Turn) -> None:
    """Write what came of a question, unless its lease went to somebody else meanwhile."""
    in_transaction(engine, lambda connection: _write_locked(connection, desk, asked, turn))


def _write_locked(connection: Connection, desk: ProviderDesk, asked: Asked, turn: _Turn) -> None:
    table = provider_task
    reply = turn.reply
    _lock_subject(connection, asked)
    row = connection.execute(
        select(table).where(table.c.office_id == asked.office_id, table.c.task_id == asked.task_id).with_for_update()
    ).one()
    if row.lease != asked.lease or row.state == "done":
        # Nothing is lost: whoever holds the lease now asks for the status and hears the same.
        return
    if isinstance(reply, Withdrawn) and not _is_stopped(connection, asked):
        reply = NotDone(why="it may be asked again")
    if isinstance(reply, NotYet):
        counted = msgspec.structs.replace(asked, attempts=_turns_of(asked, turn, row))
        values = _put_back(connection, desk, counted, reply, row)
    else:
        now, paid = desk.clock.now(), _paid(connection, asked)
        outcome = _finish(connection, desk, asked, reply)
        if paid is not None:
            overdue = case_id("overdue", paid.about_item(asked.item))
            note_if_there(connection, overdue, f"{ANSWERED}: {outcome}", closes=True, at=now)
        values = {"state": "done", "finished_at": now, "last_problem": None, "outcome": outcome}
    out_since = None if turn.asked_at is None else row.out_since or turn.asked_at
    connection.execute(
        update(table)
        .where(table.c.office_id == asked.office_id, table.c.task_id == asked.task_id)
        .values(lease=None, lease_until=None, asked_at=turn.asked_at, out_since=out_since, **values)
    )


def _lock_subject(connection: Connection, asked: Asked) -> None:
    """Lock what the question is about, before the question: see `central.ledger.locking`."""
    if asked.kind == "confirm":
        load_payment(connection, asked.office_id, asked.subject)
    elif asked.kind in ("serve", "image"):
        lock_request(connection, asked.office_id, asked.subject.partition("/")[0])


def _is_stopped(connection: Connection, asked: Asked) -> bool:
    """Return whether what took a question back still stands: its money may have come meanwhile."""
    if asked.kind == "confirm":
        return isinstance(in_the_way(connection, asked.office_id, asked.subject, asked.item), Withdrawn)
    return fee_in_the_way(connection, asked.office_id, asked.subject) is not None


def _finish(connection: Connection, desk: ProviderDesk, asked: Asked, reply: Finished) -> str:
    provider, clock, append_feed = desk.connector.name, desk.clock, desk.append_feed
    if isinstance(reply, Answered):
        return finish_inquiry(connection, asked, reply, provider=provider, clock=clock, append_feed=append_feed)
    if isinstance(reply, Served):
        return finish_service(connection, asked, reply, provider=provider, clock=clock, append_feed=append_feed)
    if isinstance(reply, Pictured):
        return finish_pictures(connection, asked, reply, append_feed=append_feed)
    if isinstance(reply, Withdrawn) and asked.kind != "confirm":
        return withdraw_service(connection, asked, reply, provider=provider, clock=clock, append_feed=append_feed)
    payment = _payment(connection, asked)
    if isinstance(reply, Withdrawn):
        return withdraw_confirmation(
            connection, asked, payment, reply, provider=provider, clock=clock, append_feed=append_feed
        )
    return finish_confirmation(
        connection, asked, payment, reply, provider=provider, clock=clock, append_feed=append_feed
    )


def _payment(connection: Connection, asked: Asked) -> PaymentBook:
    payment = load_payment(connection, asked.office_id, asked.subject)
    if payment is None:
        raise BugError("books.unknown_payment")
    return payment


def _paid(connection: Connection, asked: Asked) -> PaymentBook | None:
    """Return what was paid for the answer that is waited for: the payment to confirm, or a service's fee."""
    if asked.kind == "confirm":
        return _payment(connection, asked)
    return charged_fee(connection, asked.office_id, asked.subject) if asked.kind == "serve" else None


def _put_back(connection: Connection, desk: ProviderDesk, asked: Asked, reply: NotYet, row: Any) -> dict[str, Any]:
    """Return what makes the question wait for its next turn; open a case when a payment waits too long."""
    now = desk.clock.now()
    overdue_at = row.made_at + timedelta(milliseconds=desk.timing.overdue_after_ms)
    if now >= overdue_at and (payment := _paid(connection, asked)) is not None:
        overdue = case_about(payment, "overdue", item=asked.item, track_id=asked.track_id, problem=reply.why)
        open_case(connection, overdue, at=now)
    return {
        "state": "waiting",
        "next_at": now + timedelta(milliseconds=_wait_ms(desk, asked.attempts)),
        "attempts": asked.attempts,
        "last_problem": reply.why,
    }


def _turns_of(asked: Asked, turn: _Turn, row: Any) -> int:
    """Return how many turns a question had: since it left, where it is out, for only those asked its provider.

    By them it is told whether a provider was given time to answer (`central.ledger.paying_out`).
    """
    return asked.attempts if turn.asked_at is None else int(row.attempts)


def _wait_ms(desk: ProviderDesk, attempts: int) -> int:
    """Return how long to wait: doubling up to the longest, a little more or less so that questions do not march."""
    timing = desk.timing
    doubled = timing.retry_first_ms * 2 ** min(attempts - 1, 20)
    share = desk.entropy.token_bytes(1)[0] / 255
    return int(min(doubled, timing.retry_longest_ms) * (1 - _JITTER + 2 * _JITTER * share))
