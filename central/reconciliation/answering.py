"""Telling offices what acquirers' settlement files say of their payments: a machine's word, so a careful one.

Of a payment in doubt, or that a box which is gone had sent:

    charged      a line that moved the amount names the payment: rules `rrn` and `stan` of `matching`, with the amount.
                 What only could be it (same terminal, amount and days) is a break, for a person.
    not charged  rule `settlement_complete`, all of it:
                 * the box's clock was set by the network or by central when the amount left;
                 * the acquirer of the terminal is known from its own lines, and there is one;
                 * its files hold rows of the financial date of the payment's day and of the day after, and reach past
                   the day on which central heard of the doubt by a day more;
                 * of a bill that the terminal was to pay by its ids: a row has settled such a one there before. Some
                   acquirers list none, for that money goes to the billers;
                 * no line of the terminal, from the days of the payment on, could be it: none that moved this amount
                   is left over, and none names it.

Of a payment that the box counts as not charged (declined, cancelled, not charged, …), or as charged by a supervisor's
word: *charged*, by the same rules. *Not charged* only where the box's own alarm speaks of a charge that does not agree,
after that alarm, by rule `settlement_complete`, and where no row that moved any money at the terminal is left over.

Of a reversal in doubt, or that a box which is gone had told its terminal to do:

    given back   rule `reversal_row`: the sale is named, and stands beside its reversal or refund in full, or is marked
                 as reversed; or rule `settlement_complete`, as above, of a settlement that reaches the days further
                 that a reversal may take
    it stands    rule `reversal_absent`: the sale is named and moved the amount, the settlement is complete in the same
                 sense for the day of the order to undo it and reaches those days further, and no row that took this
                 amount back from the terminal is left over

Each answer is told once. Of a sale, "charged" may follow "not charged", for evidence of a charge beats evidence of
none, and nothing follows "charged". Of a reversal, one answer is told; what contradicts it is a person's.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from central.ledger.left_behind import stands_as
from central.ledger.locking import lock_payments
from central.ledger.store import load_payment
from central.reconciliation.doubts import (
    CONTRADICTABLE,
    OF_THE_SALE,
    Doubt,
    Look,
    disputed_since,
    disputes,
    reversals_in_doubt,
    sales_in_doubt,
    uncharged_named_since,
    uncharged_since,
)
from central.reconciliation.evidence import Evidence, Findings
from central.reconciliation.inputs import number_key
from central.reconciliation.matching import Rules, match
from central.reconciliation.selecting import Inputs, inputs_around, inputs_named
from central.store.answers import acquirer_answer, answering_mark
from central.store.books import office_payment
from central.store.settlements import in_force, settlement_file, settlement_line
from central.store.transactions import in_transaction
from shared.clock import Clock, instant_text
from shared.events import AcquirerAnswered, Body
from shared.ids import FeedId, OfficeId, office_feed
from shared.payment import LATE, PaymentState

AppendFeed = Callable[[Connection, FeedId, Body], int]
"""Appends a fact to a feed in the caller's transaction; returns its index."""

BY_HAND: Final = "by_hand"
_LOCK_KEY: Final = 0x6461667461720003
"""The advisory lock of answering: "daftar" and a number."""
_ZERO: Final[ColumnElement[str]] = literal_column("'0'")
"""Not a parameter: the index is over this very expression."""
_OVERLAP: Final = timedelta(hours=1)
"""Changes are stamped before they are committed: each look goes back a little behind the last one."""


def answer_doubts(engine: Engine, append_feed: AppendFeed, *, clock: Clock, rules: Rules | None = None) -> int:
    """Tell offices what files that are in say of their payments; return how many answers were new.

    Several processes may call it at once, and again: each answer is told once.
    """
    rules = rules or Rules()

    def work(connection: Connection) -> int:
        hold_answers(connection)
        found = [*_of_uncharged(connection, rules, clock), *_of_doubts(connection, rules)]
        lock_payments(connection, (evidence.payment.key for evidence in found))
        # Feeds are locked one after the other.
        in_order = sorted(found, key=lambda evidence: evidence.payment.office_id)
        return sum(_tell_of(connection, append_feed, each, clock=clock) for each in in_order)

    return in_transaction(engine, work)


def hold_answers(connection: Connection) -> None:
    """Let nobody else tell offices anything until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK_KEY)))


def _of_doubts(connection: Connection, rules: Rules) -> list[Evidence]:
    look = Look(connection.execute(select(answering_mark.c.doubts_after)).scalar() or 0)
    sales, reversals, disputed = (read(connection, look) for read in (sales_in_doubt, reversals_in_doubt, disputes))
    connection.execute(update(answering_mark).values(doubts_after=look.next_after))
    doubts = [*sales, *reversals, *disputed]
    if not doubts:
        return []
    inputs = inputs_around(
        connection,
        [doubt.payment.key for doubt in doubts],
        since=min(_first_day(doubt) for doubt in doubts) - timedelta(days=rules.window_days),
        terminals=[doubt.payment.terminal_number or "" for doubt in doubts],
    )
    findings = findings_of(connection, inputs, rules)
    said = [*map(findings.sale, sales), *map(findings.reversal, reversals), *map(findings.ruled_out, disputed)]
    return _some(said)


def _of_uncharged(connection: Connection, rules: Rules, clock: Clock) -> list[Evidence]:
    """Return the charges that offices count as none: in files since the last look, of payments changed since."""
    mark = connection.execute(select(answering_mark)).one_or_none()
    files_to = 0 if mark is None else mark.files_to
    since = datetime.min.replace(tzinfo=UTC) if mark is None else mark.payments_to - _OVERLAP
    newest = connection.execute(select(func.max(settlement_file.c.ordinal))).scalar() or 0
    payments = [
        *uncharged_since(connection, since),
        *(uncharged_named_since(connection, files_to) if newest > files_to else ()),
    ]
    by_key = {payment.key: payment for payment in payments}
    values = {"files_to": newest, "payments_to": clock.now()}
    connection.execute(
        insert(answering_mark)
        .values(only_one=True, **values)
        .on_conflict_do_update(index_elements=[answering_mark.c.only_one], set_=values)
    )
    if not by_key:
        return []
    findings = findings_of(connection, inputs_named(connection, by_key), rules)
    return _some(map(findings.uncharged, by_key.values()))


def findings_of(connection: Connection, inputs: Inputs, rules: Rules) -> Findings:
    """Return what these inputs prove."""
    decisions = match(inputs.payments, inputs.lines, covered_to=None, rules=rules)
    return Findings(inputs, decisions, _Settlements(connection))


def _first_day(doubt: Doubt) -> date:
    return min(doubt.day, doubt.payment.local_date)


def _some(found: Iterable[Evidence | None]) -> list[Evidence]:
    return [evidence for evidence in found if evidence is not None]


class _Settlements:
    """What the tables know of acquirers' files that are in force."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def acquirer_of(self, terminal: str) -> str | None:
        """Return the one acquirer whose files ever named the terminal, or None."""
        table = settlement_line.c
        query = select(table.psp).where(func.ltrim(table.terminal_id, _ZERO) == terminal, in_force(table.file_id))
        names = self._connection.execute(query.distinct().limit(2)).scalars().all()
        return names[0] if len(names) == 1 else None

    def dates_of(self, acquirer: str, since: date) -> set[date]:
        """Return the financial dates of which the acquirer's files hold rows, from one on."""
        table = settlement_line.c
        query = select(table.financial_date).where(
            table.psp == acquirer, table.financial_date >= since, in_force(table.file_id)
        )
        return set(self._connection.execute(query.distinct()).scalars())

    def lists_bills(self, terminal: str) -> bool:
        """Return whether a row ever settled a bill that the terminal paid by its ids."""
        table = office_payment.c
        of_terminal = (func.ltrim(table.terminal_number, _ZERO) == terminal, func.ltrim(table.rrn, _ZERO) != "")
        query = select(table.payment_id).where(*of_terminal, table.pays_bill, table.settled_file.is_not(None)).limit(1)
        return self._connection.execute(query).one_or_none() is not None


def _tell_of(connection: Connection, append_feed: AppendFeed, evidence: Evidence, *, clock: Clock) -> bool:
    payment, line = evidence.payment, _line(connection, evidence)
    is_reversal = evidence.refund_id != OF_THE_SALE
    body = AcquirerAnswered(
        payment_id=payment.payment_id,
        charged=evidence.charged,
        about="reversal" if is_reversal else "sale",
        source="settlement",
        acquirer=evidence.acquirer or ("" if line is None else line.psp),
        amount_rial=payment.amount_rial if evidence.charged or line is not None else None,
        # The numbers are the sale's: those of a row that took it back name that row, not the payment.
        rrn=payment.rrn if line is None or is_reversal else _as_known(payment.rrn, line.share_of or line.rrn),
        stan=payment.stan if line is None or is_reversal else _as_known(payment.stan, line.stan),
        terminal_number=payment.terminal_number,
        file_sha256=None if line is None else line.sha256.hex(),
        row=None if evidence.line is None else evidence.line[1],
        answered_at=instant_text(clock.now()),
        refund_id=evidence.refund_id or None,
    )
    return tell(
        connection,
        append_feed,
        payment.office_id,
        body,
        rule=evidence.rule,
        file_id=None if evidence.line is None else evidence.line[0],
        at=clock.now(),
    )


def _line(connection: Connection, evidence: Evidence) -> Any:
    if evidence.line is None:
        return None
    file_id, line_number = evidence.line
    return connection.execute(
        select(settlement_line, settlement_file.c.sha256)
        .join(settlement_file, settlement_file.c.file_id == settlement_line.c.file_id)
        .where(settlement_line.c.file_id == file_id, settlement_line.c.line_number == line_number)
    ).one()


def _as_known(known: str | None, told: str) -> str | None:
    """Return a number as the office wrote it, where the two differ by leading zeros only: a box compares whole."""
    return known if number_key(known) == number_key(told) else told or None


def may_be_told(state: PaymentState, body: AcquirerAnswered, *, disputed: bool) -> bool:
    """Return whether an answer says anything to the office about a payment that stands in this state."""
    if body.refund_id is not None:
        return state is PaymentState.REVERSAL_IN_DOUBT
    if state in CONTRADICTABLE:
        return body.charged or (disputed and state in LATE)
    return state is PaymentState.IN_DOUBT


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

    Also not told: what is known to the office by now. Does not commit.
    """
    payment = load_payment(connection, office_id, body.payment_id)
    since = disputed_since(connection, office_id, body.payment_id)
    if payment is None:
        return False
    state = stands_as(connection, office_id, payment.journal_id, payment.state)
    if not may_be_told(state, body, disputed=since is not None):
        return False
    table, refund_id = acquirer_answer, body.refund_id or OF_THE_SALE
    told = connection.execute(
        select(table.c.charged, table.c.told_at).where(
            table.c.office_id == office_id,
            table.c.payment_id == body.payment_id,
            table.c.refund_id == refund_id,
        )
    )
    known = {row.charged: row.told_at for row in told}
    if True in known or (known and body.refund_id is not None):
        return False
    # "Not charged" is told again after a charge was spoken of: the box takes it as ruling that charge out.
    if not body.charged and False in known and (payment.state not in LATE or since is None or known[False] >= since):
        return False
    index = append_feed(connection, office_feed(OfficeId(office_id)), body)
    what = {
        "source": body.source,
        "rule": rule,
        "file_id": file_id,
        "line_number": body.row,
        "feed_index": index,
        "told_at": at,
    }
    connection.execute(
        insert(table)
        .values(office_id=office_id, payment_id=body.payment_id, refund_id=refund_id, charged=body.charged, **what)
        .on_conflict_do_update(index_elements=list(table.primary_key), set_=what)
    )
    return True
