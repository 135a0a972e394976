"""Where a payment's money stands in the accounts, as a function of its state, and how it gets there from elsewhere.

Nothing is ever edited: a payment that changes makes transfers from the position it had to the one it has.

    charged, by evidence            receivable ← claim
    charged, by a supervisor        doubtful   ← claim
    sent, in doubt                  pending: receivable ← claim, in no balance
    not charged, given back         nothing
      … and its biller took it      recoverable ← biller: the centre owes on what it does not have

`claim` is to whom the money goes on: unconfirmed (or fees), the biller once it took the payment, the customer once it
refused.
"""

from typing import Final, NamedTuple

import msgspec

from central.ledger.accounts import (
    DOUBTFUL,
    FEES,
    RECOVERABLE,
    REFUNDS,
    SETTLED,
    UNCONFIRMED,
    Account,
    biller,
    receivable,
)
from central.ledger.booking import PaymentBook, Transfer
from shared.identifiers import BillType
from shared.payment import CHARGED, PaymentState

IN_FLIGHT: Final = frozenset({PaymentState.SENT, PaymentState.IN_DOUBT})
"""States in which money may have moved: one pending transfer says how much."""
_OTHER_BILLER: Final = "other"
_KIND_OF_DIGIT: Final = {str(int(kind)): kind.word for kind in BillType}


class Position(NamedTuple):
    """One unit of the payment's amount: on the debited account, owed on by the credited one."""

    debit: Account
    credit: Account


def position(payment: PaymentBook) -> Position | None:
    """Return where a payment's whole amount stands in balances, or None where it stands in none."""
    if payment.state in CHARGED:
        by_word = payment.state is PaymentState.OVERRIDDEN_CHARGED
        return Position(DOUBTFUL if by_word else receivable(payment.terminal_number), _claim(payment))
    return Position(RECOVERABLE, _claim(payment)) if payment.confirmation == "confirmed" else None


def _claim(payment: PaymentBook) -> Account:
    """Return the account that says to whom the money goes on."""
    if payment.confirmation == "confirmed":
        return biller(biller_kind(payment.bill_id))
    if payment.confirmation == "refused":
        return REFUNDS
    return UNCONFIRMED if payment.purpose == "bill" else FEES


def _expected(payment: PaymentBook) -> Position:
    """Return the one transfer by which a payment in flight would become a charged one."""
    claim = RECOVERABLE if payment.confirmation == "confirmed" else _claim(payment)
    return Position(receivable(payment.terminal_number), claim)


def moved(before: PaymentBook, after: PaymentBook, *, source: str, reason: str) -> tuple[PaymentBook, list[Transfer]]:
    """Return `after` with its pending transfer, and the transfers from where `before` stood to where it stands.

    Their ids are `source` and a number: the same fact makes the same transfers.
    """
    made = _Made(after, source)
    old, new = position(before), position(after)
    ends = before.pending_transfer is not None and after.state not in IN_FLIGHT
    pair = (before.pending_account, before.pending_credit or _claim(before).code)
    steps = _steps(old, new)
    if ends and [(step.debit.code, step.credit.code) for step in steps] == [pair]:
        made.end("post", pair, before.pending_transfer, reason)
        steps = []
    elif ends:
        other = reason in ("approved", "late_approval")
        made.end("void", pair, before.pending_transfer, "other_terminal" if other else reason)
    for step in steps:
        made.add("posted", step, reason)
    pending = (after.pending_transfer, after.pending_account, after.pending_credit)
    if after.state not in IN_FLIGHT:
        pending = (None, None, None)
    elif before.pending_transfer is None:
        expected = _expected(after)
        made.add("pending", expected, reason)
        pending = (made.transfers[-1].transfer_id, expected.debit.code, expected.credit.code)
    after = msgspec.structs.replace(
        after, pending_transfer=pending[0], pending_account=pending[1], pending_credit=pending[2]
    )
    return after, made.transfers


class _Made:
    """Transfers being made of one source."""

    def __init__(self, payment: PaymentBook, source: str) -> None:
        self._payment = payment
        self._source = source
        self.transfers: list[Transfer] = []

    def add(self, phase: str, step: Position, reason: str) -> None:
        self._append(phase, (step.debit.code, step.credit.code), reason, None)

    def end(self, phase: str, pair: tuple[str | None, str], pending_id: str | None, reason: str) -> None:
        self._append(phase, (pair[0] or receivable(None).code, pair[1]), reason, pending_id)

    def _append(self, phase: str, pair: tuple[str, str], reason: str, pending_id: str | None) -> None:
        self.transfers.append(
            Transfer(
                transfer_id=f"{self._source}/{len(self.transfers)}",
                phase=phase,
                debit=pair[0],
                credit=pair[1],
                amount_rial=self._payment.amount_rial,
                reason=reason,
                pending_id=pending_id,
            )
        )


def _steps(old: Position | None, new: Position | None) -> list[Position]:
    """Return the (debit, credit) steps from one position to another."""
    if old == new:
        return []
    if new is None:
        return [] if old is None else [Position(old.credit, old.debit)]
    if old is None:
        return [new]
    asset = [Position(new.debit, old.debit)] if new.debit != old.debit else []
    claim = [Position(old.credit, new.credit)] if new.credit != old.credit else []
    return asset + claim


def answered(payment: PaymentBook, confirmation: str, source: str) -> list[Transfer]:
    """Return the transfers of a provider's answer, `confirmed` or `refused`."""
    after = msgspec.structs.replace(payment, confirmation=confirmation)
    _, transfers = moved(payment, after, source=f"{source}/{confirmation}", reason=confirmation)
    return transfers


def settled(payment_id: str, terminal_number: str | None, amount_rial: int, *, found_in: str) -> Transfer:
    """Return the transfer of an approved payment found in the acquirer's file, at `found_in`: file, row and run.

    A payment is settled once at a time; again, by the same row or another, only after that was withdrawn.
    """
    return Transfer(
        transfer_id=f"settled/{payment_id}/{found_in}",
        phase="posted",
        debit=SETTLED.code,
        credit=receivable(terminal_number).code,
        amount_rial=amount_rial,
        reason="settled",
    )


def withdrawn(made: Transfer) -> Transfer:
    """Return the transfer that turns a settlement's round: the row it was found in is corrected by another file."""
    return msgspec.structs.replace(
        made,
        transfer_id=f"withdrawn/{made.transfer_id}",
        debit=made.credit,
        credit=made.debit,
        reason="withdrawn",
    )


def biller_kind(bill_id: str | None) -> str:
    """Return the word of the bill's service type: the digit before the check digit."""
    return _KIND_OF_DIGIT.get((bill_id or "")[-2:-1], _OTHER_BILLER)
