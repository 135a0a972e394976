"""Where a payment's money stands in the accounts, as a function of its state, and how it gets there from elsewhere.

Nothing is ever edited: a payment that changes makes transfers from the balances it had to those it has.

    charged, by evidence            receivable ← claims
    charged, by a supervisor        doubtful   ← claims
    sent, in doubt                  pending: receivable ← claim, in no balance
    not charged, given back         nothing
      … and its biller took it      recoverable ← biller: the centre owes on what it does not have

`claims` say to whom the money goes on, part by part (`central.ledger.items`): unconfirmed (or fees), the biller once it
took the payment, the customer once it refused. The charge is one: so are its receivable, its settlement and what is
pending of it, whatever it pays.
"""

from collections import Counter
from typing import Final, NamedTuple

import msgspec

from central.ledger.accounts import DOUBTFUL, RECOVERABLE, SETTLED, UNCONFIRMED, Account, acquirer_pays, receivable
from central.ledger.booking import PaymentBook, Transfer
from central.ledger.items import parts_of, with_words
from shared.payment import CHARGED, PaymentState

IN_FLIGHT: Final = frozenset({PaymentState.SENT, PaymentState.IN_DOUBT})
"""States in which money may have moved: one pending transfer says how much."""


class Step(NamedTuple):
    """An amount on its way from the credited account's side to the debited one's."""

    debit: Account
    credit: Account
    amount_rial: int


def owed_on(payment: PaymentBook, *, taken: bool) -> Account | None:
    """Return where the money stands that is owed to the centre for a part, or None where nothing is.

    `taken`: whether whoever has the claim to that part counts on it.
    """
    if payment.state in CHARGED:
        by_word = payment.state is PaymentState.OVERRIDDEN_CHARGED
        return DOUBTFUL if by_word else receivable(payment.terminal_number)
    return RECOVERABLE if taken else None


def balances(payment: PaymentBook) -> Counter[Account]:
    """Return what a payment has put on each account: debits are positive, and the sum is zero."""
    held: Counter[Account] = Counter()
    for part in parts_of(payment):
        owed = owed_on(payment, taken=part.taken)
        if owed is not None:
            held[owed] += part.amount_rial
            held[part.claim] -= part.amount_rial
    return held


def _expected(payment: PaymentBook) -> Step:
    """Return the one transfer that says of a payment in flight how much may have moved.

    Its claims, where they are one; else it stands for all of them, and ends void when they are booked.
    """
    claims = {RECOVERABLE if part.taken else part.claim for part in parts_of(payment)}
    claim = claims.pop() if len(claims) == 1 else UNCONFIRMED
    return Step(receivable(payment.terminal_number), claim, payment.amount_rial)


def moved(before: PaymentBook, after: PaymentBook, *, source: str, reason: str) -> tuple[PaymentBook, list[Transfer]]:
    """Return `after` with its pending transfer, and the transfers from where `before` stood to where it stands.

    Their ids are `source` and a number: the same fact makes the same transfers.
    """
    made = _Made(source, reason)
    steps = steps_between(balances(before), balances(after))
    in_flight = after.state in IN_FLIGHT
    if before.pending_transfer is not None and not in_flight:
        steps = made.end(before, steps)
    for step in steps:
        made.add("posted", step)
    pending = (after.pending_transfer, after.pending_account, after.pending_credit) if in_flight else (None, None, None)
    if in_flight and before.pending_transfer is None:
        transfer = made.add("pending", _expected(after))
        pending = (transfer.transfer_id, transfer.debit, transfer.credit)
    after = msgspec.structs.replace(
        after, pending_transfer=pending[0], pending_account=pending[1], pending_credit=pending[2]
    )
    return after, made.transfers


class _Made:
    """Transfers being made of one source."""

    def __init__(self, source: str, reason: str) -> None:
        self._source = source
        self._reason = reason
        self.transfers: list[Transfer] = []

    def add(self, phase: str, step: Step) -> Transfer:
        return self._append(phase, (step.debit.code, step.credit.code), step.amount_rial, self._reason, None)

    def end(self, before: PaymentBook, steps: list[Step]) -> list[Step]:
        """End what was pending: post it where it is just what is to be booked, else void it. Return what is left."""
        expected = _expected(before)
        debit = before.pending_account or expected.debit.code
        credit = before.pending_credit or expected.credit.code
        posts = [(step.debit.code, step.credit.code) for step in steps] == [(debit, credit)]
        posts = posts and steps[0].amount_rial == before.amount_rial
        reason = self._reason
        if not posts and reason in ("approved", "late_approval"):
            same_terminal = debit in {step.debit.code for step in steps}
            reason = "other_claims" if same_terminal else "other_terminal"
        pair = (debit, credit)
        self._append("post" if posts else "void", pair, before.amount_rial, reason, before.pending_transfer)
        return [] if posts else steps

    def _append(
        self, phase: str, pair: tuple[str, str], amount_rial: int, reason: str, pending_id: str | None
    ) -> Transfer:
        made = Transfer(
            transfer_id=f"{self._source}/{len(self.transfers)}",
            phase=phase,
            debit=pair[0],
            credit=pair[1],
            amount_rial=amount_rial,
            reason=reason,
            pending_id=pending_id,
        )
        self.transfers.append(made)
        return made


def steps_between(old: Counter[Account], new: Counter[Account]) -> list[Step]:
    """Return the transfers from some balances to others.

    What is owed to the centre moves among its own accounts first, and so do the claims on it; then one for the other.
    """
    accounts = dict.fromkeys([*new, *old])
    left = {account: new[account] - old[account] for account in accounts}
    steps = []
    for same_side in (True, False):
        for debit in accounts:
            for credit in accounts:
                amount = min(left[debit], -left[credit])
                if amount > 0 and (not same_side or debit.side == credit.side):
                    steps.append(Step(debit, credit, amount))
                    left[debit] -= amount
                    left[credit] += amount
    return steps


def answered(payment: PaymentBook, confirmation: str, source: str, *, item: int | None = None) -> list[Transfer]:
    """Return the transfers of a provider's answer about a payment or one of its items, `confirmed` or `refused`."""
    after = with_words(payment, {item: confirmation})
    _, transfers = moved(payment, after, source=f"{source}/{confirmation}", reason=confirmation)
    return transfers


def settles_on(terminal_number: str | None, *, pays_bill: bool) -> Account:
    """Return where the money is that an acquirer accounts for: in hand, or passed on to the biller by the acquirer."""
    return acquirer_pays(terminal_number) if pays_bill else SETTLED


def settled(
    payment_id: str, terminal_number: str | None, amount_rial: int, *, found_in: str, pays_bill: bool = False
) -> Transfer:
    """Return the transfer of an approved payment found in the acquirer's file, at `found_in`: file, row and run.

    A payment is settled once at a time; again, by the same row or another, only after that was withdrawn.
    """
    return Transfer(
        transfer_id=f"settled/{payment_id}/{found_in}",
        phase="posted",
        debit=settles_on(terminal_number, pays_bill=pays_bill).code,
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
