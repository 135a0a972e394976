"""Payments of which offices would like to hear from the acquirer, as central holds them."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal_column, or_, select, text, tuple_

from central.ledger.left_behind import is_gone
from central.reconciliation.inputs import PaymentInput, PaymentKey
from central.reconciliation.selecting import PAYMENT_COLUMNS
from central.store.answers import acquirer_answer
from central.store.books import office_payment, payment_entry
from central.store.settlements import settlement_file, settlement_line
from shared.calendar import tehran_date
from shared.clock import parse_instant
from shared.events import (
    AlarmRaised,
    ChargeRuledOut,
    PaymentInDoubt,
    PaymentSent,
    ReversalInDoubt,
    ReversalRequested,
)
from shared.payment import LATE, PaymentState

OF_THE_SALE: Final = ""
"""Stands for the refund where an answer is about the sale itself."""
CONTRADICTABLE: Final = LATE | {PaymentState.OVERRIDDEN_CHARGED}
"""States in which a box did not see a charge: told of one, it takes it for late evidence."""
SPEAKS_OF_CHARGE: Final = ("charge_mismatch", "stray_approval", "second_charge")
"""Kinds of boxes' alarms that tell of a charge which does not agree with a payment: its bill waits at the box."""
ASKED_MAX: Final = 1_000
"""How many payments of a kind are looked at in one go; the next go looks at those after them."""
_ZERO: Final[ColumnElement[str]] = literal_column("'0'")
"""Not a parameter: the indexes are over this very expression."""
_SURE_CLOCKS: Final = ("ntp", "central")


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """A payment in doubt, or a reversal in doubt, that an acquirer may know of."""

    payment: PaymentInput
    refund_id: str
    """Of the reversal; `OF_THE_SALE` where the sale itself is in doubt."""
    day: date
    """When the amount, or the order to undo it, left the box, by its clock."""
    heard_at: datetime
    """When central last heard of it: the sale, or the order to undo it, was before that."""
    sure_clock: bool


class Look:
    """One go over what is in doubt, from where the last one ended: what nobody can decide keeps no other waiting."""

    def __init__(self, after: int) -> None:
        self._after = after
        self._ends: list[int] = []

    @property
    def next_after(self) -> int:
        """Return after which payment, in central's own order, the next go begins; 0: it begins anew."""
        return min(self._ends, default=0)

    def payments(self, connection: Connection, query: Select[Any]) -> list[PaymentInput]:
        """Return the next payments of a query, oldest first."""
        ordinal = office_payment.c.ordinal
        found = _payments(connection, query.where(ordinal > self._after).order_by(ordinal).limit(ASKED_MAX))
        if len(found) == ASKED_MAX:
            self._ends.append(found[-1].ordinal)
        return found


def sales_in_doubt(connection: Connection, look: Look) -> list[Doubt]:
    """Return the payments in doubt of which nobody was told that they were charged."""
    untold = ~_told(OF_THE_SALE, only_charged=True)
    payments = _doubtful(connection, look, PaymentState.IN_DOUBT, PaymentState.SENT, untold)
    lives = _lives(connection, payments, (PaymentSent.type, PaymentInDoubt.type))
    return [
        Doubt(
            payment=payment,
            refund_id=OF_THE_SALE,
            day=payment.local_date,
            heard_at=max(entry.received_at for entry in lives[payment.key]),
            sure_clock=all(entry.clock in _SURE_CLOCKS for entry in lives[payment.key] if entry.type == "payment.sent"),
        )
        for payment in payments
        if payment.key in lives
    ]


def reversals_in_doubt(connection: Connection, look: Look) -> list[Doubt]:
    """Return the payments whose newest reversal is in doubt and of which nobody was told anything."""
    payments = _doubtful(connection, look, PaymentState.REVERSAL_IN_DOUBT, PaymentState.REVERSAL_REQUESTED)
    lives = _lives(connection, payments, (ReversalRequested.type, ReversalInDoubt.type))
    found = []
    for payment in payments:
        orders = [entry for entry in lives.get(payment.key, ()) if entry.type == ReversalRequested.type]
        if not orders:
            continue
        order = max(orders, key=lambda entry: entry.entry_index)
        found.append(
            Doubt(
                payment=payment,
                refund_id=order.body["refund_id"],
                day=_day(order),
                heard_at=max(entry.received_at for entry in lives[payment.key]),
                sure_clock=order.clock in _SURE_CLOCKS,
            )
        )
    told = _told_refunds(connection, [doubt.payment.key for doubt in found])
    return [doubt for doubt in found if (*doubt.payment.key, doubt.refund_id) not in told]


def disputed_since(connection: Connection, office_id: str, payment_id: str) -> datetime | None:
    """Return when central heard of the newest alarm that speaks of a charge, None where none stands.

    A payment that counts as not charged, and of which a charge was spoken, is not paid again until that is ruled out.
    """
    table = payment_entry.c
    rows = connection.execute(
        select(payment_entry)
        .where(
            table.office_id == office_id,
            table.payment_id == payment_id,
            table.type.in_((AlarmRaised.type, ChargeRuledOut.type)),
        )
        .order_by(table.entry_index.desc())
    )
    for row in rows:
        if row.type == ChargeRuledOut.type:
            return None
        if row.body["kind"] in SPEAKS_OF_CHARGE:
            heard: datetime = row.received_at
            return heard
    return None


def disputes(connection: Connection, look: Look) -> list[Doubt]:
    """Return the payments that count as not charged and of which a charge was spoken since."""
    table, entry = office_payment.c, payment_entry.c
    spoken_of = select(entry.office_id, entry.payment_id).where(
        text("payment_entry.type = 'alarm.raised'"), entry.body["kind"].astext.in_(SPEAKS_OF_CHARGE)
    )
    query = _columns().where(
        tuple_(table.office_id, table.payment_id).in_(spoken_of),
        table.state.in_(sorted(LATE)),
        table.terminal_number.is_not(None),
        ~_told(OF_THE_SALE, only_charged=True),
    )
    payments = look.payments(connection, query)
    lives = _lives(connection, payments, (PaymentSent.type,))
    found = []
    for payment in payments:
        since = disputed_since(connection, *payment.key)
        if since is None or payment.key not in lives:
            continue
        found.append(
            Doubt(
                payment=payment,
                refund_id=OF_THE_SALE,
                day=payment.local_date,
                heard_at=since,
                sure_clock=all(sent.clock in _SURE_CLOCKS for sent in lives[payment.key]),
            )
        )
    return found


def newest_reversal(connection: Connection, office_id: str, payment_id: str) -> str | None:
    """Return under which refund the payment was last told to be undone, or None."""
    table = payment_entry.c
    body = connection.execute(
        select(table.body)
        .where(table.office_id == office_id, table.payment_id == payment_id, table.type == ReversalRequested.type)
        .order_by(table.entry_index.desc())
        .limit(1)
    ).scalar()
    return None if body is None else str(body["refund_id"])


def uncharged_since(connection: Connection, since: datetime) -> list[PaymentInput]:
    """Return payments that changed since and that their offices count as not charged by evidence, by their numbers."""
    table = office_payment.c
    query = _columns().where(
        table.state.in_(sorted(CONTRADICTABLE)),
        table.changed_at >= since,
        table.terminal_number.is_not(None),
        or_(table.rrn.is_not(None), table.stan.is_not(None)),
        ~_told(OF_THE_SALE, only_charged=True),
    )
    return _payments(connection, query)


def uncharged_named_since(connection: Connection, ordinal: int) -> list[PaymentInput]:
    """Return payments that their offices count as not charged and that rows of files after this ordinal name."""
    table, line = office_payment.c, settlement_line.c
    new_rows = line.file_id.in_(select(settlement_file.c.file_id).where(settlement_file.c.ordinal > ordinal))
    terminal = func.ltrim(line.terminal_id, _ZERO)
    same = func.ltrim(table.terminal_number, _ZERO)
    by_rrn = func.row(same, func.ltrim(table.rrn, _ZERO)).in_(
        select(terminal, func.ltrim(line.rrn, _ZERO)).where(new_rows, line.rrn != "")
    )
    by_stan = func.row(same, func.ltrim(table.stan, _ZERO), table.local_date).in_(
        select(terminal, func.ltrim(line.stan, _ZERO), line.local_date).where(new_rows, line.stan != "")
    )
    uncharged = _columns().where(table.state.in_(sorted(CONTRADICTABLE)), ~_told(OF_THE_SALE, only_charged=True))
    found = [*_payments(connection, uncharged.where(by_rrn)), *_payments(connection, uncharged.where(by_stan))]
    return list({payment.key: payment for payment in found}.values())


def _columns() -> Select[Any]:
    return select(*PAYMENT_COLUMNS)


def _doubtful(
    connection: Connection, look: Look, doubt: PaymentState, before: PaymentState, *where: ColumnElement[bool]
) -> list[PaymentInput]:
    """Return the payments in this doubt, oldest first; then those that a box which is gone left in the state before."""
    table = office_payment.c
    asked = _columns().where(table.terminal_number.is_not(None), *where)
    left = asked.where(table.state == str(before), is_gone(table.office_id, table.journal_id))
    return [*look.payments(connection, asked.where(table.state == str(doubt))), *look.payments(connection, left)]


def _told(refund_id: str, *, only_charged: bool) -> ColumnElement[bool]:
    table, told = office_payment.c, acquirer_answer.c
    same = and_(told.office_id == table.office_id, told.payment_id == table.payment_id, told.refund_id == refund_id)
    return select(told.payment_id).where(and_(same, told.charged) if only_charged else same).exists()


def _told_refunds(connection: Connection, keys: Iterable[PaymentKey]) -> set[tuple[str, str, str]]:
    table = acquirer_answer.c
    rows = connection.execute(
        select(table.office_id, table.payment_id, table.refund_id).where(
            tuple_(table.office_id, table.payment_id).in_(sorted(keys))
        )
    )
    return {(office_id, payment_id, refund_id) for office_id, payment_id, refund_id in rows}


def _payments(connection: Connection, query: Select[Any]) -> list[PaymentInput]:
    rows = connection.execute(query).mappings()
    return [PaymentInput(**{**row, "state": PaymentState(row["state"])}) for row in rows]


def _lives(connection: Connection, payments: Iterable[PaymentInput], types: Collection[str]) -> dict[PaymentKey, Any]:
    """Return entries of these types of the payments' lives."""
    table = payment_entry.c
    keys = sorted(payment.key for payment in payments)
    rows = connection.execute(
        select(payment_entry).where(tuple_(table.office_id, table.payment_id).in_(keys), table.type.in_(types))
    )
    lives: dict[PaymentKey, list[Any]] = {}
    for row in rows:
        lives.setdefault((row.office_id, row.payment_id), []).append(row)
    return lives


def _day(entry: Any) -> date:
    """Return the day in Iran on which an entry was written, by its box's clock; of arrival for a claim that is none."""
    try:
        return tehran_date(parse_instant(entry.at_claim))
    except (ValueError, OverflowError):
        return tehran_date(entry.received_at)
