"""What matched settlement lines prove of payments: findings over what was read, each with its rule and its line.

`central.reconciliation.answering` has the rules in words and tells the findings.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final, Protocol

import msgspec

from central.reconciliation.breaks import Bucket
from central.reconciliation.doubts import CONTRADICTABLE, OF_THE_SALE, Doubt
from central.reconciliation.inputs import LineKey, PaymentInput, number_key
from central.reconciliation.matching import Decision
from central.reconciliation.selecting import Inputs
from central.reconciliation.units import BACK, Unit, units_of
from shared.calendar import tehran_date

COMPLETE: Final = "settlement_complete"
REVERSAL_ROW: Final = "reversal_row"
REVERSAL_ABSENT: Final = "reversal_absent"
NAMES_IT: Final = ("rrn", "stan")
"""Rules of matching that name a payment; all others only find what could be it."""
REVERSAL_DAYS: Final = 3
"""How many days a reversal may take to stand in a settlement file."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be told: by which rule, and where a line says it by which."""

    payment: PaymentInput
    charged: bool
    rule: str
    acquirer: str | None = None
    """None: the line's own."""
    line: LineKey | None = None
    refund_id: str = OF_THE_SALE


class Settlements(Protocol):
    """What is known of acquirers' files beside the lines at hand."""

    def acquirer_of(self, terminal: str) -> str | None:
        """Return the one acquirer whose files ever named the terminal, or None."""

    def dates_of(self, acquirer: str, since: date) -> set[date]:
        """Return the financial dates of which the acquirer's files hold rows, from one on."""

    def lists_bills(self, terminal: str) -> bool:
        """Return whether a row ever settled a bill that the terminal paid by its ids."""


class Findings:
    """What one set of inputs and its decisions prove."""

    def __init__(self, inputs: Inputs, decisions: Sequence[Decision], settlements: Settlements) -> None:
        self._settlements = settlements
        self._lines = {line.key: line for line in inputs.lines}
        self._named = {
            decision.payments[0]: decision
            for decision in decisions
            if decision.payments and decision.lines and decision.rule in NAMES_IT
        }
        self._held = frozenset(key for decision in decisions if decision.lines for key in decision.payments)
        """Payments that a line names, or could be, in whichever way."""
        self._left = _left_over(inputs, decisions)

    def sale(self, doubt: Doubt) -> Evidence | None:
        """Return what is proved of a sale in doubt."""
        decision = self._named.get(doubt.payment.key)
        if decision is not None and decision.bucket is Bucket.IN_DOUBT_SETTLED:
            return Evidence(payment=doubt.payment, charged=True, rule=decision.rule, line=decision.lines[0])
        return self._absent(doubt, days=1)

    def ruled_out(self, doubt: Doubt) -> Evidence | None:
        """Return the proof that a payment was not charged of which a charge was spoken that did not agree with it.

        That charge may have had another amount: nothing that moved any money at its terminal may be left over.
        """
        if any(unit.moved for unit in self._left[number_key(doubt.payment.terminal_number)]):
            return None
        return self._absent(doubt, days=1)

    def uncharged(self, payment: PaymentInput) -> Evidence | None:
        """Return the proof that a payment was charged that its office did not see charged."""
        decision = self._named.get(payment.key)
        if decision is None or payment.state not in CONTRADICTABLE or decision.acquirer_rial != payment.amount_rial:
            return None
        return Evidence(payment=payment, charged=True, rule=decision.rule, line=decision.lines[0])

    def reversal(self, doubt: Doubt) -> Evidence | None:
        """Return what is proved of a reversal in doubt."""
        payment, decision = doubt.payment, self._named.get(doubt.payment.key)
        if decision is None:
            return self._absent(doubt, days=REVERSAL_DAYS)
        taken_back = self._taken_back(decision, payment)
        if taken_back is not None:
            return Evidence(
                payment=payment, charged=False, rule=REVERSAL_ROW, line=taken_back, refund_id=doubt.refund_id
            )
        terminal = number_key(payment.terminal_number)
        stands = (
            decision.acquirer_rial == payment.amount_rial
            and doubt.sure_clock
            and not any(unit.value_rial == -payment.amount_rial for unit in self._left[terminal])
            and self._complete_acquirer(terminal, doubt, days=REVERSAL_DAYS) is not None
        )
        if not stands:
            return None
        return Evidence(
            payment=payment, charged=True, rule=REVERSAL_ABSENT, line=decision.lines[0], refund_id=doubt.refund_id
        )

    def row_says(self, payment: PaymentInput, *, reversal: bool) -> bool | None:
        """Return what a row that names the payment says of its sale, or of its reversal; None where none says it."""
        decision = self._named.get(payment.key)
        if decision is None:
            return None
        if decision.acquirer_rial == payment.amount_rial:
            return True
        return False if reversal and self._taken_back(decision, payment) is not None else None

    def _taken_back(self, decision: Decision, payment: PaymentInput) -> LineKey | None:
        """Return the row by which all of a named sale was taken back, or None."""
        if decision.acquirer_rial != 0:
            return None
        for key in decision.lines:
            line = self._lines[key]
            back = line.type in BACK and line.value_rial == -payment.amount_rial
            # What is marked so in shares is so as a whole: shares of one word are one unit.
            if back or line.status == "REVERSED":
                return key
        return None

    def _absent(self, doubt: Doubt, *, days: int) -> Evidence | None:
        """Return the proof that a complete settlement does not have the sale, reaching so many days past the doubt."""
        payment = doubt.payment
        terminal = number_key(payment.terminal_number)
        if not doubt.sure_clock or payment.key in self._held:
            return None
        if any(unit.moved and unit.amount_rial == payment.amount_rial for unit in self._left[terminal]):
            return None
        acquirer = self._complete_acquirer(terminal, doubt, days=days)
        if acquirer is None or terminal is None:
            return None
        if payment.pays_bill and not self._settlements.lists_bills(terminal):
            # Its money goes to the biller: files without such payments are silent about a charge, too.
            return None
        return Evidence(payment=payment, charged=False, rule=COMPLETE, acquirer=acquirer, refund_id=doubt.refund_id)

    def _complete_acquirer(self, terminal: str | None, doubt: Doubt, *, days: int) -> str | None:
        """Return the terminal's one acquirer where its settlement is complete for the doubt, else None."""
        acquirer = None if terminal is None else self._settlements.acquirer_of(terminal)
        if acquirer is None:
            return None
        sale_day = doubt.payment.local_date
        dates = self._settlements.dates_of(acquirer, min(sale_day, doubt.day))
        reach = max(sale_day, doubt.day, tehran_date(doubt.heard_at)) + timedelta(days=days)
        whole = all(is_complete(dates, day=day, reach=reach) for day in {sale_day, doubt.day})
        return acquirer if whole else None


def is_complete(dates: set[date], *, day: date, reach: date) -> bool:
    """Return whether files of these financial dates hold all that was charged on a day, and reach a later one."""
    return {day, day + timedelta(days=1)} <= dates and max(dates) >= reach


def _left_over(inputs: Inputs, decisions: Iterable[Decision]) -> dict[str | None, list[Unit]]:
    """Return the units of each terminal that are no other payment's."""
    taken = {
        line
        for decision in decisions
        if decision.bucket is Bucket.MATCHED and decision.rule in NAMES_IT
        for line in decision.lines
    }
    units: dict[str | None, list[Unit]] = defaultdict(list)
    for unit in units_of(sorted(inputs.lines, key=lambda line: line.key)):
        if unit.lines[0] not in taken:
            units[unit.terminal].append(unit)
    return units
