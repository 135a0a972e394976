"""Telling offices what acquirers' settlement files say of their payments in doubt: a machine's word, so a careful one.

    charged      a line that moved the amount names the payment: rules `rrn` and `stan` of `matching`, with the amount.
                 What only could be it (same terminal, amount and days) is a break, for a person.
    not charged  rule `settlement_complete`, all of it:
                 * the box's clock was set by the network or by central when the amount left;
                 * the acquirer of the terminal is known from its own lines, and there is one;
                 * its files hold rows of the financial date of the payment's day and of the day after, and reach past
                   the day on which central heard of the doubt by a day more;
                 * no line of the terminal, from the days of the payment on, could be it: none that moved this amount
                   is left over, and none names it.

Each answer is told once; "charged" may follow "not charged", for evidence of a charge beats evidence of none, and
nothing follows "charged".
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, and_, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from central.ledger.store import load_payment
from central.reconciliation.breaks import Bucket
from central.reconciliation.inputs import PaymentInput, number_key
from central.reconciliation.matching import Decision, Rules, match
from central.reconciliation.selecting import Inputs, inputs_around
from central.reconciliation.units import Unit, units_of
from central.store.books import acquirer_answer, office_payment, payment_entry
from central.store.settlements import settlement_file, settlement_line
from shared.calendar import tehran_date
from shared.clock import Clock, instant_text
from shared.events import AcquirerAnswered, Body
from shared.ids import FeedId, OfficeId, office_feed
from shared.payment import PaymentState

AppendFeed = Callable[[Connection, FeedId, Body], int]
"""Appends a fact to a feed in the caller's transaction; returns its index."""

BY_HAND: Final = "by_hand"
COMPLETE: Final = "settlement_complete"
_NAMES_IT: Final = ("rrn", "stan")
"""Rules of matching that name a payment; all others only find what could be it."""
_LOCK_KEY: Final = 0x6461667461720003
"""The advisory lock of answering: "daftar" and a number."""
_ZERO: Final[ColumnElement[str]] = literal_column("'0'")
"""Not a parameter: the index is over this very expression."""
_SURE_CLOCKS: Final = ("ntp", "central")
_DOUBTS_MAX: Final = 1_000
"""How many payments in doubt are looked at in one go, the oldest first."""


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """A payment in doubt that an acquirer may know of."""

    payment: PaymentInput
    heard_at: datetime
    """When central last heard of it: the sale was before that."""
    sure_clock: bool


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be told: by which rule, and for a charge by which line."""

    doubt: Doubt
    charged: bool
    rule: str
    acquirer: str
    file_id: str | None = None
    line_number: int | None = None


def answer_doubts(engine: Engine, append_feed: AppendFeed, *, clock: Clock, rules: Rules | None = None) -> int:
    """Tell offices what files that are in say of their payments in doubt; return how many answers were new.

    Several processes may call it at once, and again: each answer is told once.
    """
    rules = rules or Rules()
    with engine.begin() as connection:
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK_KEY)))
        doubts = _doubts(connection)
        if not doubts:
            return 0
        since = min(doubt.payment.local_date for doubt in doubts) - timedelta(days=rules.window_days)
        inputs = inputs_around(
            connection,
            [doubt.payment.key for doubt in doubts],
            since=since,
            terminals=[doubt.payment.terminal_number or "" for doubt in doubts],
        )
        decisions = match(inputs.payments, inputs.lines, covered_to=None, rules=rules)
        found = [
            *_charged(connection, doubts, decisions),
            *_not_charged(connection, doubts, _left_over(inputs, decisions)),
        ]
        return sum(_tell_of(connection, append_feed, each, clock=clock) for each in found)


def _doubts(connection: Connection) -> list[Doubt]:
    """Return the payments in doubt of which nobody was told that they were charged, oldest first."""
    table, told = office_payment, acquirer_answer
    rows = connection.execute(
        select(*(table.c[name] for name in PaymentInput.__struct_fields__))
        .where(
            table.c.state == str(PaymentState.IN_DOUBT),
            table.c.terminal_number.is_not(None),
            ~select(told.c.payment_id)
            .where(told.c.office_id == table.c.office_id, told.c.payment_id == table.c.payment_id, told.c.charged)
            .exists(),
        )
        .order_by(table.c.ordinal)
        .limit(_DOUBTS_MAX)
    ).mappings()
    payments = [PaymentInput(**{**row, "state": PaymentState(row["state"])}) for row in rows]
    return [_doubt(connection, payment) for payment in payments]


def _doubt(connection: Connection, payment: PaymentInput) -> Doubt:
    table = payment_entry
    entries = connection.execute(
        select(table.c.type, table.c.clock, table.c.received_at).where(
            table.c.office_id == payment.office_id,
            table.c.payment_id == payment.payment_id,
            table.c.type.in_(("payment.sent", "payment.in_doubt")),
        )
    ).all()
    return Doubt(
        payment=payment,
        heard_at=max(entry.received_at for entry in entries),
        sure_clock=all(entry.clock in _SURE_CLOCKS for entry in entries if entry.type == "payment.sent"),
    )


def _charged(connection: Connection, doubts: Sequence[Doubt], decisions: Sequence[Decision]) -> list[Evidence]:
    """Return the doubts that a line names as charged."""
    by_key = {doubt.payment.key: doubt for doubt in doubts}
    found = []
    for decision in decisions:
        if decision.bucket is Bucket.IN_DOUBT_SETTLED and decision.rule in _NAMES_IT:
            doubt = by_key.get(decision.payments[0])
            if doubt is not None:
                file_id, line_number = decision.lines[0]
                psp: str = connection.execute(
                    select(settlement_line.c.psp).where(
                        settlement_line.c.file_id == file_id, settlement_line.c.line_number == line_number
                    )
                ).scalar_one()
                found.append(
                    Evidence(
                        doubt=doubt,
                        charged=True,
                        rule=decision.rule,
                        acquirer=psp,
                        file_id=file_id,
                        line_number=line_number,
                    )
                )
    return found


def _not_charged(connection: Connection, doubts: Sequence[Doubt], left: "_LeftOver") -> list[Evidence]:
    """Return the doubts that a complete settlement does not have."""
    found = []
    for doubt in doubts:
        terminal = number_key(doubt.payment.terminal_number)
        if terminal is None or not doubt.sure_clock or doubt.payment.key in left.named:
            continue
        if any(unit.moved and unit.amount_rial == doubt.payment.amount_rial for unit in left.units[terminal]):
            continue
        acquirer = _acquirer_of(connection, terminal)
        if acquirer is not None and _is_complete(connection, acquirer, doubt):
            found.append(Evidence(doubt=doubt, charged=False, rule=COMPLETE, acquirer=acquirer))
    return found


class _LeftOver(msgspec.Struct, frozen=True):
    """The units of each terminal that are no other payment's, and the payments in doubt that a line names anyhow."""

    units: dict[str | None, list[Unit]]
    named: frozenset[tuple[str, str]]


def _left_over(inputs: Inputs, decisions: Sequence[Decision]) -> _LeftOver:
    taken = {
        line
        for decision in decisions
        if decision.bucket is Bucket.MATCHED and decision.rule in _NAMES_IT
        for line in decision.lines
    }
    units: dict[str | None, list[Unit]] = defaultdict(list)
    for unit in units_of(sorted(inputs.lines, key=lambda line: line.key)):
        if unit.lines[0] not in taken:
            units[unit.terminal].append(unit)
    named = frozenset(key for decision in decisions if decision.lines for key in decision.payments)
    return _LeftOver(units, named)


def _acquirer_of(connection: Connection, terminal: str) -> str | None:
    """Return the one acquirer whose files ever named the terminal, or None."""
    table = settlement_line.c
    names = (
        connection.execute(
            select(table.psp).where(func.ltrim(table.terminal_id, _ZERO) == terminal).distinct().limit(2)
        )
        .scalars()
        .all()
    )
    return names[0] if len(names) == 1 else None


def _is_complete(connection: Connection, acquirer: str, doubt: Doubt) -> bool:
    """Return whether the acquirer's files are in for the payment's day and the next, and reach far enough past both."""
    day = doubt.payment.local_date
    table = settlement_line.c
    dates = set(
        connection.execute(
            select(table.financial_date).where(table.psp == acquirer, table.financial_date >= day).distinct()
        ).scalars()
    )
    reach = max(day, tehran_date(doubt.heard_at)) + timedelta(days=1)
    return is_complete(dates, day=day, reach=reach)


def is_complete(dates: set[date], *, day: date, reach: date) -> bool:
    """Return whether files of these financial dates hold all that was charged on a day, and reach a later one."""
    return {day, day + timedelta(days=1)} <= dates and max(dates) >= reach


def _tell_of(connection: Connection, append_feed: AppendFeed, evidence: Evidence, *, clock: Clock) -> bool:
    line = None
    if evidence.file_id is not None:
        line = connection.execute(
            select(settlement_line, settlement_file.c.sha256)
            .join(settlement_file, settlement_file.c.file_id == settlement_line.c.file_id)
            .where(
                settlement_line.c.file_id == evidence.file_id,
                settlement_line.c.line_number == evidence.line_number,
            )
        ).one()
    payment = evidence.doubt.payment
    body = AcquirerAnswered(
        payment_id=payment.payment_id,
        charged=evidence.charged,
        source="settlement",
        acquirer=evidence.acquirer,
        amount_rial=payment.amount_rial if evidence.charged else None,
        rrn=None if line is None else _as_known(payment.rrn, line.share_of or line.rrn),
        stan=None if line is None else _as_known(payment.stan, line.stan),
        terminal_number=payment.terminal_number,
        file_sha256=None if line is None else line.sha256.hex(),
        row=evidence.line_number,
        answered_at=instant_text(clock.now()),
    )
    return tell(
        connection,
        append_feed,
        payment.office_id,
        body,
        rule=evidence.rule,
        file_id=evidence.file_id,
        at=clock.now(),
    )


def _as_known(known: str | None, told: str) -> str | None:
    """Return a number as the office wrote it, where the two differ by leading zeros only: a box compares whole."""
    return known if number_key(known) == number_key(told) else told or None


def tell(
    connection: Connection,
    append_feed: AppendFeed,
    office_id: str,
    body: AcquirerAnswered,
    *,
    rule: str,
    at: datetime,
    file_id: str | None = None,
) -> bool:
    """Put an answer on the office's feed unless it was told, or the opposite proved, before; return whether it is new.

    Also not told: what is not in doubt any more. Does not commit.
    """
    payment = load_payment(connection, office_id, body.payment_id)
    if payment is None or payment.state is not PaymentState.IN_DOUBT:
        return False
    table = acquirer_answer
    of_payment = and_(table.c.office_id == office_id, table.c.payment_id == body.payment_id)
    known = set(connection.execute(select(table.c.charged).where(of_payment)).scalars())
    if body.charged in known or True in known:
        return False
    index = append_feed(connection, office_feed(OfficeId(office_id)), body)
    connection.execute(
        insert(table).values(
            office_id=office_id,
            payment_id=body.payment_id,
            charged=body.charged,
            source=body.source,
            rule=rule,
            file_id=file_id,
            line_number=body.row,
            feed_index=index,
            told_at=at,
        )
    )
    return True
