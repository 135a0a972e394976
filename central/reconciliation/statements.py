"""What a person of finance heard from an acquirer about a payment: one proposes it, another agrees.

Of a payment or a reversal in doubt, or left open by a box that is gone, either way; of a payment that its office counts
as not charged, that it was, or, where an alarm of its box speaks of a charge, that it was not.
"""

from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.dialects.postgresql import insert

from central.ledger.booking import PaymentBook
from central.ledger.left_behind import stands_as
from central.ledger.reasons import REASON_SIZE_MAX, plain_reason
from central.ledger.store import load_payment
from central.reconciliation.answering import BY_HAND, AppendFeed, tell
from central.reconciliation.doubts import CONTRADICTABLE, OF_THE_SALE, disputed_since, newest_reversal
from central.reconciliation.inputs import number_key
from central.store.answers import acquirer_answer, acquirer_statement
from central.store.settlements import settlement_line
from central.store.transactions import in_transaction
from shared.clock import Clock, instant_text
from shared.errors import OperatorError
from shared.events import AcquirerAnswered
from shared.payment import LATE, PaymentState
from shared.text import fold_number

RRN_SIZE_MAX: Final = 40


class StatementView(msgspec.Struct, frozen=True, kw_only=True):
    """What was heard. `state`: proposed, agreed (the office was told), dropped."""

    statement_id: int
    refund_id: str
    """Of the reversal it is about; empty for the sale."""
    charged: bool
    rrn: str
    reason: str
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None


class AnswerView(msgspec.Struct, frozen=True, kw_only=True):
    """What the office was told, and by which rule."""

    refund_id: str
    charged: bool
    source: str
    rule: str
    file_id: str | None
    line_number: int | None
    feed_index: int
    told_at: datetime


def propose_statement(
    engine: Engine, office_id: str, payment_id: str, *, charged: bool, rrn: str, reason: str, by: str, clock: Clock
) -> None:
    """Write down what the acquirer says, for a second person to agree.

    Raises OperatorError `statement.not_in_doubt`, `statement.only_charged` (of what the office counts as not charged),
    `statement.waiting`, `statement.no_reason`, `statement.bad_rrn` (a charge is named by its RRN).
    """
    words = plain_reason(reason)
    if words is None:
        raise OperatorError("statement.no_reason", field="reason", max=REASON_SIZE_MAX)
    number = fold_number(rrn).strip()
    if (charged and number_key(number) is None) or (number and not _is_number(number)):
        raise OperatorError("statement.bad_rrn", field="rrn")
    with engine.begin() as connection:
        _, refund_id = _open(connection, office_id, payment_id, charged=charged)
        new = connection.execute(
            insert(acquirer_statement)
            .values(
                office_id=office_id,
                payment_id=payment_id,
                refund_id=refund_id,
                charged=charged,
                rrn=number,
                reason=words,
                state="proposed",
                proposed_by=by,
                proposed_at=clock.now(),
            )
            .on_conflict_do_nothing()
            .returning(acquirer_statement.c.statement_id)
        ).one_or_none()
        if new is None:
            raise OperatorError("statement.waiting")


def agree_statement(engine: Engine, statement_id: int, append_feed: AppendFeed, *, by: str, clock: Clock) -> None:
    """Agree to what another person heard: the office is told.

    Raises OperatorError `statement.unknown`, `statement.one_person`; and where it stands otherwise by now,
    `statement.not_in_doubt`, `statement.only_charged`.
    """
    at = clock.now()

    def work(connection: Connection) -> None:
        row = _waiting(connection, statement_id)
        if row.proposed_by == by:
            raise OperatorError("statement.one_person")
        payment, refund_id = _open(connection, row.office_id, row.payment_id, charged=row.charged)
        if refund_id != row.refund_id:
            raise OperatorError("statement.not_in_doubt")
        body = AcquirerAnswered(
            payment_id=row.payment_id,
            charged=row.charged,
            about="reversal" if refund_id else "sale",
            source="acquirer",
            acquirer=_acquirer_of(connection, payment.terminal_number),
            amount_rial=payment.amount_rial if row.charged else None,
            rrn=row.rrn or None,
            terminal_number=payment.terminal_number,
            answered_at=instant_text(at),
            refund_id=refund_id or None,
        )
        tell(connection, append_feed, row.office_id, body, rule=BY_HAND, at=at)
        _decide(connection, statement_id, "agreed", by=by, at=at)

    in_transaction(engine, work)


def drop_statement(engine: Engine, statement_id: int, *, by: str, clock: Clock) -> None:
    """Drop what was proposed; its own proposer may too. Raises OperatorError `statement.unknown`."""
    with engine.begin() as connection:
        _waiting(connection, statement_id)
        _decide(connection, statement_id, "dropped", by=by, at=clock.now())


def statements(connection: Connection, office_id: str, payment_id: str) -> tuple[StatementView, ...]:
    """Return what was heard of a payment, oldest first."""
    table = acquirer_statement
    query = (
        select(*(table.c[name] for name in StatementView.__struct_fields__))
        .where(table.c.office_id == office_id, table.c.payment_id == payment_id)
        .order_by(table.c.statement_id)
    )
    return tuple(StatementView(**row) for row in connection.execute(query).mappings())


def answers(connection: Connection, office_id: str, payment_id: str) -> tuple[AnswerView, ...]:
    """Return what the office was told of a payment, oldest first."""
    table = acquirer_answer
    query = (
        select(*(table.c[name] for name in AnswerView.__struct_fields__))
        .where(table.c.office_id == office_id, table.c.payment_id == payment_id)
        .order_by(table.c.ordinal)
    )
    return tuple(AnswerView(**row) for row in connection.execute(query).mappings())


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= RRN_SIZE_MAX


def _open(connection: Connection, office_id: str, payment_id: str, *, charged: bool) -> tuple[PaymentBook, str]:
    """Lock the payment and return it, with the refund whose reversal is in doubt (empty: the sale itself is).

    Raises OperatorError `statement.not_in_doubt` when there is nothing to answer, `statement.only_charged`.
    """
    payment = load_payment(connection, office_id, payment_id)
    if payment is None:
        raise OperatorError("statement.not_in_doubt")
    state = stands_as(connection, office_id, payment.journal_id, payment.state)
    if state is PaymentState.REVERSAL_IN_DOUBT:
        refund_id = newest_reversal(connection, office_id, payment_id)
        if refund_id is not None:
            return payment, refund_id
    disputed = disputed_since(connection, office_id, payment_id) is not None and state in LATE
    if state in CONTRADICTABLE and not (charged or disputed):
        raise OperatorError("statement.only_charged", field="charged")
    if state is not PaymentState.IN_DOUBT and state not in CONTRADICTABLE:
        raise OperatorError("statement.not_in_doubt")
    return payment, OF_THE_SALE


def _waiting(connection: Connection, statement_id: int) -> Any:
    table = acquirer_statement
    row = connection.execute(
        select(table).where(table.c.statement_id == statement_id, table.c.state == "proposed").with_for_update()
    ).one_or_none()
    if row is None:
        raise OperatorError("statement.unknown")
    return row


def _decide(connection: Connection, statement_id: int, state: str, *, by: str, at: datetime) -> None:
    connection.execute(
        update(acquirer_statement)
        .where(acquirer_statement.c.statement_id == statement_id)
        .values(state=state, decided_by=by, decided_at=at)
    )


def _acquirer_of(connection: Connection, terminal_number: str | None) -> str:
    """Return the acquirer that last settled this terminal, or nothing."""
    found = connection.execute(
        select(settlement_line.c.psp)
        .where(settlement_line.c.terminal_id == (terminal_number or ""))
        .order_by(settlement_line.c.financial_date.desc())
        .limit(1)
    ).scalar()
    return found or ""
