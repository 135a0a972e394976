"""Every SELECT of payments, and of what they hold."""

from collections.abc import Collection, Sequence
from typing import Final

from edge.journal.views import PaymentView
from edge.store.reading import Reading, marks
from edge.store.row_views import HOLDER, HOLDING_IT, PAYMENT, payment_of
from edge.store.schema.payment_tables import HOLDS_OBLIGATION
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, DOUBTFUL, PaymentState

_PASSING: Final = frozenset(
    {
        PaymentState.REQUESTED,
        PaymentState.SENT,
        PaymentState.IN_DOUBT,
        PaymentState.REVERSAL_REQUESTED,
        PaymentState.REVERSAL_IN_DOUBT,
    }
)
"""States that a payment does not stay in."""
_LOCKS: Final = f"state IN ({', '.join(repr(str(state)) for state in sorted(DOUBTFUL))})"

_NEWEST_LOOKED_AT: Final = 50
"""Payments of a terminal among which a trace is looked for: one of long ago, given anew since, is another sale's."""


class PaymentRows(Reading):
    """Reads of the tables of payments."""

    def payment(self, payment_id: str) -> PaymentView | None:
        """Return a payment."""
        row = self._one(PAYMENT + "WHERE payment_id = ?", (payment_id,))
        return None if row is None else payment_of(row)

    def holder_of(self, obligation: str) -> PaymentView | None:
        """Return the payment that holds an obligation."""
        row = self._one(PAYMENT + f"WHERE payment_id = ({HOLDER.format(obligation='?')})", (obligation,))
        return None if row is None else payment_of(row)

    def whole_of(self, obligation: str) -> PaymentView | None:
        """Return the newest payment of a whole that pays an obligation as a part, and was not refused."""
        covering = "WHERE payment_id IN (SELECT payment_id FROM covered WHERE obligation = ?) "
        held = f"AND {HOLDS_OBLIGATION} AND confirmation <> 'refused' ORDER BY requested_index DESC LIMIT 1"
        row = self._one(PAYMENT + covering + held, (obligation,))
        return None if row is None else payment_of(row)

    def wholes_of(self, obligation: str) -> list[PaymentView]:
        """Return all payments of a whole that an obligation is a part of, however they ended, oldest first."""
        covering = "WHERE payment_id IN (SELECT payment_id FROM covered WHERE obligation = ?) ORDER BY requested_index"
        return [payment_of(row) for row in self._all(PAYMENT + covering, (obligation,))]

    def payment_by_reference(self, reference: str) -> PaymentView | None:
        """Return the payment whose reference the terminal was given."""
        row = self._one(PAYMENT + "WHERE reference = ?", (reference,))
        return None if row is None else payment_of(row)

    def payments_of(self, obligation: str) -> list[PaymentView]:
        """Return all payments of an obligation, alone or among others, oldest first."""
        rows = self._all(PAYMENT + HOLDING_IT.format("obligation = ?") + "ORDER BY requested_index", (obligation,))
        return [payment_of(row) for row in rows]

    def payments_by_paper(self, digits: Sequence[str], before_index: int | None, limit: int) -> list[PaymentView]:
        """Return payments of bills that carry one of these numbers as bill id or payment id, newest first."""
        condition = HOLDING_IT.format(f"bill_id IN ({marks(digits)}) OR bill_payment_id IN ({marks(digits)})")
        rows = self._all(
            PAYMENT + condition + "AND requested_index < ? ORDER BY requested_index DESC LIMIT ?",
            (*digits, *digits, 2**62 if before_index is None else before_index, limit),
        )
        return [payment_of(row) for row in rows]

    def payments_of_group(self, group_id: str) -> list[PaymentView]:
        """Return all payments of bills that were put together, oldest first."""
        rows = self._all(PAYMENT + "WHERE group_id = ? AND group_id <> '' ORDER BY requested_index", (group_id,))
        return [payment_of(row) for row in rows]

    def newer_at_terminal(self, terminal: str, index: int, *, charged: bool = False) -> bool:
        """Return whether a payment requested after an entry was given to a terminal; `charged`: and may have sold."""
        untouched = {PaymentState.REQUESTED, PaymentState.NOT_SENT}
        # A sale that was undone is the terminal's newest all the same.
        states = untouched | CERTAINLY_UNCHARGED - {PaymentState.REVERSED} if charged else untouched
        given = "SELECT 1 FROM payment WHERE terminal = ? AND requested_index > ? AND state NOT IN "
        return self._one(f"{given}({marks(states)}) LIMIT 1", (terminal, index, *map(str, states))) is not None

    def undone_at_terminal(self, terminal: str, index: int) -> bool:
        """Return whether a terminal may have undone another sale since the payment that was requested at an entry."""
        given_back = (PaymentState.REVERSAL_REQUESTED, PaymentState.REVERSAL_IN_DOUBT, PaymentState.REVERSED)
        row = self._one(
            f"SELECT 1 FROM payment WHERE state IN ({marks(given_back)}) AND terminal = ? "  # noqa: S608 - ours
            "AND moved_index > ? AND requested_index <> ? LIMIT 1",
            (*map(str, given_back), terminal, index, index),
        )
        return row is not None

    def newest_traces(self, terminal: str, limit: int) -> list[str]:
        """Return the traces of the newest sales that a terminal is known to have made, the newest first."""
        sold = CHARGED | {PaymentState.REVERSED}
        rows = self._all(
            f"SELECT stan FROM payment WHERE terminal = ? AND stan IS NOT NULL AND +state IN ({marks(sold)}) "  # noqa: S608
            "ORDER BY requested_index DESC LIMIT ?",
            (terminal, *map(str, sold), limit),
        )
        return [row[0] for row in rows]

    def is_anothers_trace(self, payment: PaymentView, stan: str, terminal_number: str | None) -> bool:
        """Return whether another payment, given a word since one was asked for, has this trace of this very device.

        By the number that the device tells, not by our name: it may have had another name, or have two.
        """
        row = self._one(
            "SELECT 1 FROM payment WHERE moved_index > ? AND payment_id <> ? AND ltrim(stan, '0') = ltrim(?, '0') "
            "AND terminal_number IS ? LIMIT 1",
            (payment.requested_index, payment.payment_id, stan, terminal_number),
        )
        return row is not None

    def undone_since_trace(self, terminal: str, stan: str) -> bool:
        """Return whether a terminal may have undone a sale since the one of that trace, or this very one."""
        newest = "SELECT moved_index, state, stan FROM payment WHERE terminal = ? ORDER BY requested_index DESC LIMIT ?"
        row = self._one(
            f"SELECT moved_index, state FROM ({newest}) WHERE ltrim(stan, '0') = ltrim(?, '0') LIMIT 1",  # noqa: S608
            (terminal, _NEWEST_LOOKED_AT, stan),
        )
        if row is None:
            return False
        taken_back = {PaymentState.REVERSED, PaymentState.NOT_CHARGED, PaymentState.OVERRIDDEN_NOT_CHARGED}
        return row[1] in taken_back or self.undone_at_terminal(terminal, row[0])

    def payments_in(self, states: Collection[PaymentState]) -> list[PaymentView]:
        """Return all payments in these states, oldest first."""
        rows = self._all(
            PAYMENT + f"WHERE state IN ({marks(states)}) ORDER BY requested_index", [str(state) for state in states]
        )
        return [payment_of(row) for row in rows]

    def lock_of(self, terminal: str) -> str | None:
        """Return the payment that locks a terminal: one in doubt, or its newest that it was not told to keep."""
        for condition in (_LOCKS, "unacknowledged = 1"):
            locked = f"SELECT payment_id FROM payment WHERE {condition} AND terminal = ? "  # noqa: S608 - ours
            if found := self._one(locked + "ORDER BY requested_index LIMIT 1", (terminal,)):
                return str(found[0])
        return None

    def locked_terminals(self) -> frozenset[str]:
        """Return the terminals that a payment in doubt keeps to itself."""
        rows = self._all(f"SELECT DISTINCT terminal FROM payment WHERE {_LOCKS}")  # noqa: S608 - a constant of ours
        return frozenset(row[0] for row in rows)

    def payments(
        self, before_index: int | None, limit: int, states: Collection[PaymentState] | None = None
    ) -> list[PaymentView]:
        """Return payments requested before an index, newest first."""
        values: list[object] = [2**62 if before_index is None else before_index, *(str(one) for one in states or ())]
        condition = "WHERE requested_index < ? "
        if states is not None and _PASSING.issuperset(states):
            # Few payments are in these: they are looked up, and SQLite sorts them ten times as fast without a LIMIT.
            condition += f"AND state IN ({marks(states)}) ORDER BY requested_index DESC"
            return [payment_of(row) for row in self._all(PAYMENT + condition, values)[:limit]]
        if states is not None:
            # Others are met soon enough on the way down.
            condition += f"AND +state IN ({marks(states)}) "
        rows = self._all(PAYMENT + condition + "ORDER BY requested_index DESC LIMIT ?", [*values, limit])
        return [payment_of(row) for row in rows]

    def unacknowledged(self) -> list[PaymentView]:
        """Return the approved payments whose terminal was not told yet to keep them, oldest first."""
        return [payment_of(row) for row in self._all(PAYMENT + "WHERE unacknowledged = 1 ORDER BY requested_index")]
