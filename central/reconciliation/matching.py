"""Matching, as a pure function: (payments, settlement lines) → every one of them in exactly one bucket.

Rules are tried in this order; each decision names the rule it was made by. Numbers are compared without their leading
zeros, because terminals and acquirers write them with and without.

    rrn                 terminal, RRN, amount                        the acquirer's own name of the transaction
    rrn_other_amount    terminal, RRN
    stan                terminal, STAN, local date, amount           only where one side has no RRN; STAN wraps
    stan_other_amount   terminal, STAN, local date
    slip                terminal, amount, and the slip number a supervisor typed is the RRN or STAN
    doubt_window        terminal, amount, day ± window: one in-doubt payment and one line, nobody else fits
    uncharged_window    the same for a payment that is said not to be charged
    …                   what is left is named by what is missing

Rows of one card payment that was settled in shares (`share_of`) are one unit; a reversal or refund joins the sale it
names by `original_rrn`. Time decides nothing here but the window and whether a payment is due.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Final, Literal

import msgspec

from central.reconciliation.breaks import BREAKS, Bucket
from central.reconciliation.inputs import (
    SAID_NOT_CHARGED,
    LineInput,
    LineKey,
    PaymentInput,
    PaymentKey,
    number_key,
)
from central.reconciliation.units import Unit, units_of
from shared.errors import BugError
from shared.payment import PaymentState

RULES_VERSION: Final = 1


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What may be set. It is stored with each run."""

    version: int = RULES_VERSION
    due_after_days: int = 0
    """A payment is due once files reach this many days past its own day. 1 where the acquirer's day ends before the
    offices close: what is paid after its cutover stands in the next day's file."""
    window_days: int = 1
    """How far a line's day may be from an in-doubt payment's, for the box's clock is a claim."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """These payments and these lines stand in this bucket, by this rule."""

    bucket: Bucket
    rule: str
    payments: tuple[PaymentKey, ...] = ()
    lines: tuple[LineKey, ...] = ()
    office_rial: int = 0
    acquirer_rial: int = 0

    @property
    def is_break(self) -> bool:
        """Return whether somebody must look."""
        return self.bucket in BREAKS

    @property
    def difference_rial(self) -> int:
        """Return what the acquirer says more than the office."""
        return self.acquirer_rial - self.office_rial


_IN_DOUBT: Final = frozenset({PaymentState.IN_DOUBT, PaymentState.SENT, PaymentState.OVERRIDDEN_CHARGED})
"""States in which a line of the acquirer is better evidence than what the office holds."""
_NEVER_SENT: Final = frozenset({PaymentState.REQUESTED, PaymentState.NOT_SENT})


def match(
    payments: Iterable[PaymentInput], lines: Iterable[LineInput], *, covered_to: date | None, rules: Rules
) -> tuple[Decision, ...]:
    """Return the decisions, in an order that depends on the inputs alone.

    `covered_to` is the last financial date that any acquirer's files reach: of payments that know no better. Raises
    BugError for an input given twice.
    """
    table = _Table(payments, lines)
    table.join_by("rrn", _rrn_key, lambda unit: unit.rrn_key)
    table.join_by("stan", _stan_key, lambda unit: unit.stan_key, one_lacks_rrn=True)
    table.join_alone("slip", _slip_fits, {PaymentState.OVERRIDDEN_CHARGED, PaymentState.OVERRIDDEN_NOT_CHARGED})

    def near(payment: PaymentInput, unit: Unit) -> bool:
        return abs((unit.local_date - payment.local_date).days) <= rules.window_days

    table.join_alone("doubt_window", near, _IN_DOUBT)
    table.join_alone("uncharged_window", near, SAID_NOT_CHARGED - _NEVER_SENT)
    table.close(covered_to, rules)
    return table.decided()


def _rrn_key(payment: PaymentInput) -> object | None:
    terminal, rrn = number_key(payment.terminal_number), number_key(payment.rrn)
    return None if terminal is None or rrn is None else (terminal, rrn)


def _stan_key(payment: PaymentInput) -> object | None:
    terminal, stan = number_key(payment.terminal_number), number_key(payment.stan)
    return None if terminal is None or stan is None else (terminal, stan, payment.local_date)


def _slip_fits(payment: PaymentInput, unit: Unit) -> bool:
    slip = number_key(payment.slip_number)
    return slip is not None and slip in (unit.rrn, unit.stan)


class _Table:
    """The work in progress: what is not decided yet, and the decisions."""

    def __init__(self, payments: Iterable[PaymentInput], lines: Iterable[LineInput]) -> None:
        self._payments = sorted(payments, key=lambda payment: payment.key)
        ordered = sorted(lines, key=lambda line: line.key)
        for keys in ([payment.key for payment in self._payments], [line.key for line in ordered]):
            if len(set(keys)) != len(keys):
                raise BugError("recon.input_twice")
        self._units = units_of(ordered)
        self._decisions: list[Decision] = []

    def join_by(
        self,
        rule: str,
        payment_key: Callable[[PaymentInput], object | None],
        unit_key: Callable[[Unit], object | None],
        *,
        one_lacks_rrn: bool = False,
    ) -> None:
        """Pair payments and units of one key: equal amounts first, then what is left; then name what is too many."""
        sides: dict[object, tuple[list[PaymentInput], list[Unit]]] = defaultdict(lambda: ([], []))
        for payment in self._payments:
            if (key := payment_key(payment)) is not None:
                sides[key][0].append(payment)
        for unit in self._units:
            if (key := unit_key(unit)) is not None:
                sides[key][1].append(unit)
        for payments, units in sides.values():
            if not payments or not units:
                continue
            if (
                one_lacks_rrn
                and any(number_key(payment.rrn) for payment in payments)
                and any(unit.rrn for unit in units)
            ):
                continue
            self._join(rule, payments, units)
        self._forget_decided()

    def _join(self, rule: str, payments: list[PaymentInput], units: list[Unit]) -> None:
        """Decide all payments and units of one key. Units by which money moved come first."""
        left, waiting = list(payments), sorted(units, key=lambda unit: (not unit.moved, unit.lines))
        paired = False
        for exact in (True, False):
            for unit in list(waiting):
                fits = [payment for payment in left if not exact or payment.amount_rial == unit.amount_rial]
                # What had no effect is nobody's partner while another row of the key had one.
                if not fits or (not unit.moved and paired):
                    continue
                # Of two payments that claim one transaction, the one that says it was charged has the claim, and of
                # two that say so the one heard of first: it may be settled by it already.
                payment = min(fits, key=lambda candidate: (-candidate.value_rial, candidate.ordinal, candidate.key))
                self._pair(rule if exact else f"{rule}_other_amount", payment, unit)
                left.remove(payment)
                waiting.remove(unit)
                paired = True
        for unit in waiting:
            self._decide(Bucket.DUPLICATE if unit.moved else Bucket.NOT_SETTLED, f"{rule}_again", units=[unit])
        for payment in left:
            if payment.value_rial:
                self._decide(Bucket.DUPLICATE, f"{rule}_claimed_twice", payments=[payment])

    def join_alone(
        self, rule: str, fits: Callable[[PaymentInput, Unit], bool], states: frozenset[PaymentState] | set[PaymentState]
    ) -> None:
        """Pair by terminal, amount and `fits`, only where one payment and one unit have nobody else."""
        units: dict[tuple[str | None, int], list[Unit]] = defaultdict(list)
        for unit in self._units:
            if unit.value_rial == unit.amount_rial and unit.terminal is not None:
                units[unit.terminal, unit.amount_rial].append(unit)
        asked = [payment for payment in self._payments if payment.state in states and number_key(payment.rrn) is None]
        found = {
            payment.key: [
                unit
                for unit in units.get((number_key(payment.terminal_number), payment.amount_rial), ())
                if fits(payment, unit)
            ]
            for payment in asked
        }
        wanted_by: dict[tuple[LineKey, ...], int] = defaultdict(int)
        for candidates in found.values():
            for unit in candidates:
                wanted_by[unit.lines] += 1
        for payment in asked:
            candidates = found[payment.key]
            if len(candidates) == 1 and wanted_by[candidates[0].lines] == 1:
                self._pair(rule, payment, candidates[0])
        self._forget_decided()

    def _pair(self, rule: str, payment: PaymentInput, unit: Unit) -> None:
        self._decide(_bucket_of_pair(payment, unit), rule, payments=[payment], units=[unit])

    def close(self, covered_to: date | None, rules: Rules) -> None:
        """Decide what has no partner."""
        for payment in self._payments:
            self._decide(*_bucket_alone(payment, covered_to, rules), payments=[payment])
        seen: set[object] = set()
        for unit in self._units:
            identity = (unit.rrn_key, unit.amount_rial, unit.value_rial)
            if not unit.moved:
                self._decide(Bucket.NOT_SETTLED, "row_without_effect", units=[unit])
            elif unit.rrn_key is not None and identity in seen:
                self._decide(Bucket.DUPLICATE, "row_again", units=[unit])
            else:
                seen.add(identity)
                self._decide(Bucket.MISSING_AT_OFFICE, "no_payment", units=[unit])
        self._payments, self._units = [], []

    def _decide(
        self, bucket: Bucket, rule: str, *, payments: Sequence[PaymentInput] = (), units: Sequence[Unit] = ()
    ) -> None:
        self._decisions.append(
            Decision(
                bucket=bucket,
                rule=rule,
                payments=tuple(sorted(payment.key for payment in payments)),
                lines=tuple(sorted(key for unit in units for key in unit.lines)),
                office_rial=sum(payment.value_rial for payment in payments),
                acquirer_rial=sum(unit.value_rial for unit in units),
            )
        )

    def _forget_decided(self) -> None:
        payments = {key for decision in self._decisions for key in decision.payments}
        lines = {key for decision in self._decisions for key in decision.lines}
        self._payments = [payment for payment in self._payments if payment.key not in payments]
        self._units = [unit for unit in self._units if unit.lines[0] not in lines]

    def decided(self) -> tuple[Decision, ...]:
        """Return the decisions: by bucket in reading order, then by what they are about."""
        order = {bucket: place for place, bucket in enumerate(Bucket)}
        return tuple(
            sorted(self._decisions, key=lambda decision: (order[decision.bucket], decision.payments, decision.lines))
        )


def _bucket_of_pair(payment: PaymentInput, unit: Unit) -> Bucket:
    """Return where a payment and the unit that is it stand."""
    if payment.state in SAID_NOT_CHARGED or payment.state is PaymentState.REVERSED:
        return Bucket.STATUS_DIFFERS if unit.value_rial else Bucket.NOT_CHARGED
    if unit.value_rial < 0:
        return Bucket.STATUS_DIFFERS
    if unit.value_rial == 0:
        return Bucket.IN_DOUBT if payment.state in _IN_DOUBT else Bucket.STATUS_DIFFERS
    if unit.value_rial != payment.amount_rial:
        return Bucket.AMOUNT_DIFFERS
    return Bucket.IN_DOUBT_SETTLED if payment.state in _IN_DOUBT else Bucket.MATCHED


def _bucket_alone(
    payment: PaymentInput, covered_to: date | None, rules: Rules
) -> tuple[Bucket, Literal["no_line", "no_line_in_doubt", "no_line_not_charged", "no_file_yet"]]:
    """Return where a payment without a line stands, and why."""
    if payment.state in _IN_DOUBT:
        return Bucket.IN_DOUBT, "no_line_in_doubt"
    if not payment.value_rial:
        return Bucket.NOT_CHARGED, "no_line_not_charged"
    reach = payment.covered_to or covered_to
    if reach is None or (reach - payment.local_date).days < rules.due_after_days:
        return Bucket.NOT_DUE, "no_file_yet"
    return Bucket.MISSING_AT_ACQUIRER, "no_line"
