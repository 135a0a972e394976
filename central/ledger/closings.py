"""How cases end, and what each end is for the books: pure, but for the words.

    refunded      the customer has the money back: claim ← paid_out
    refunded_unanswered   likewise, knowing that its biller was asked and never answered
    recovered     the acquirer or biller paid outside of its files: settled ← what was owed
    loss          the centre bears it: losses ← what was owed
    written_off   nobody will ever ask for it: as a loss, under its own name
    explained     nothing has to move

Whatever moves money takes two people, and so does saying of a case in which money is owed that nothing has to move.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args

import msgspec

from central.ledger.accounts import FEES, LOSSES, PAID_OUT, RECOVERABLE, REFUNDS, SETTLED, UNCONFIRMED, Account
from central.ledger.booking import PaymentBook, Transfer
from central.ledger.items import Part, parts_of
from central.ledger.positions import Step, owed_on, settles_on
from shared.payment import CERTAINLY_UNCHARGED

Outcome = Literal["refunded", "refunded_unanswered", "recovered", "loss", "written_off", "explained"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
UNANSWERED: Final = "refunded_unanswered"
PAID_BACK: Final = ("refunded", UNANSWERED)
"""Ends by which the customer has the money back."""
AMOUNT_DIFFERS: Final = "amount_differs"
"""The kind of the case in which the acquirer settled another amount than the payment's."""
HAD_TWICE: Final = "had_twice"
"""The kind of the case in which a customer was paid what is not the customer's any more (`standing_on`)."""
REOPENED: Final = "reopened"
"""Proposed of a closed case: its closing is taken back."""
BY_CENTRAL: Final = "by_central"
"""Closed without a person: what it was about is over."""
CORRECTED: Final = "corrected"
"""Closed without a person: a corrected file does not have the difference, or has it as another case."""

OUTCOME_NAMES: Final[dict[str, tuple[str, str]]] = {
    "refunded": ("پول به مشتری برگردانده شد", "The customer has the money back"),
    UNANSWERED: (
        "پول بی پاسخ صادرکننده برگردانده شد",
        "The customer has the money back, though the biller never answered",
    ),
    "recovered": ("طلب بیرون از فایل‌ها وصول شد", "Recovered outside of the files"),
    "loss": ("زیان آن پذیرفته شد", "Taken as a loss"),
    "written_off": ("از دفترها کنار گذاشته شد", "Written off"),
    "explained": ("روشن شد؛ پولی جابه‌جا نمی‌شود", "Explained; no money has to move"),
    REOPENED: ("دوباره باز شد", "Opened again"),
    BY_CENTRAL: ("خودبه‌خود پایان یافت", "Ended by itself"),
    CORRECTED: ("فایل تسویه اصلاح شد", "The settlement file was corrected"),
}
"""Names of ends, Persian and English."""

_MONEY_OWED: Final = frozenset({"refund", "confirmed_uncharged", HAD_TWICE})
"""Kinds of cases in which central itself found that somebody is owed money."""
_GIVABLE: Final = (REFUNDS, UNCONFIRMED, FEES)
"""Claims out of which a customer can be paid: nobody else has them."""
PAID_FROM: Final = (*_GIVABLE, LOSSES, RECOVERABLE)
"""Accounts that what customers were paid can stand on."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where the money of a case stands: its payment, if it has one, and whether the acquirer settled it."""

    payment: PaymentBook | None
    settled: bool
    item: int | None = None
    """Of a charge of several obligations: the one that the case is about, or None for all of it."""
    paid_out: Mapping[str, int] = {}
    """What customers were paid out of each claim by now: rials by the account's code."""
    had_twice: bool = False
    """Whether it is about money that a customer was paid beyond what was the customer's."""
    settles_rial: int | None = None
    """What the acquirer's row says of the payment, where that is another amount than the payment's."""


def outcomes_of(kind: str) -> tuple[Outcome, ...]:
    """Return the ends that a case of this kind may have: who has the money twice is not paid a third time."""
    return tuple(outcome for outcome in OUTCOMES if kind != HAD_TWICE or outcome not in PAID_BACK)


def takes_two(kind: str, outcome: str) -> bool:
    """Return whether a case of this kind ends so only by two people."""
    return outcome != "explained" or kind in _MONEY_OWED


def closing_transfers(standing: Standing, outcome: str, *, amount_rial: int, closing_id: int) -> list[Transfer]:
    """Return what an end books: nothing where the books hold nothing of it, having no payment, or nothing owed."""
    if standing.payment is None or amount_rial == 0:
        return []
    return [
        Transfer(
            transfer_id=_transfer_id(closing_id, number),
            phase="posted",
            debit=step.debit.code,
            credit=step.credit.code,
            amount_rial=step.amount_rial,
            reason=outcome,
        )
        for number, step in enumerate(_steps(standing, standing.payment, outcome, amount_rial))
    ]


def _transfer_id(closing_id: int, number: int) -> str:
    return f"case/{closing_id}/{number}" if number else f"case/{closing_id}"


def is_of(transfer_id: str, closing_id: int) -> bool:
    """Return whether a transfer of this id is one of those that a closing booked."""
    first = _transfer_id(closing_id, 0)
    return transfer_id == first or transfer_id.removeprefix(f"{first}/").isdecimal()


def turned_round(made: Sequence[Transfer], *, closing_id: int) -> list[Transfer]:
    """Return the transfers that take a closing's own back, by another closing."""
    return [taken_back(each, _transfer_id(closing_id, number)) for number, each in enumerate(made)]


def taken_back(made: Transfer, transfer_id: str) -> Transfer:
    """Return the transfer of this id that takes back one that a closing booked."""
    return msgspec.structs.replace(made, transfer_id=transfer_id, debit=made.credit, credit=made.debit, reason=REOPENED)


def _steps(standing: Standing, payment: PaymentBook, outcome: str, amount_rial: int) -> list[Step]:
    """Return the accounts to debit and to credit."""
    if standing.had_twice:
        to = {"recovered": SETTLED, "loss": LOSSES, "written_off": LOSSES}.get(outcome)
        return [] if to is None else [Step(to, RECOVERABLE, amount_rial)]
    if standing.settles_rial is not None:
        return _steps_of_difference(standing, payment, outcome, standing.settles_rial)
    return _steps_within(standing, payment, outcome, amount_rial)


def _steps_of_difference(standing: Standing, payment: PaymentBook, outcome: str, settles_rial: int) -> list[Step]:
    """Return the steps where the acquirer settled another amount: what it did settle is not owed any more.

    What it took beyond the payment is no claim of the payment's: it is there, and goes back to the customer.
    """
    if outcome == "explained":
        return []
    short = payment.amount_rial - settles_rial
    if short > 0:
        steps = _steps_within(standing, payment, outcome, short)
    else:
        steps = [Step(SETTLED, PAID_OUT, -short)] if outcome in PAID_BACK else []
    owed = owed_on(payment, taken=False)
    if owed is not None and not standing.settled:
        to = settles_on(payment.terminal_number, pays_bill=payment.pays_bill)
        steps.append(Step(to, owed, min(settles_rial, payment.amount_rial)))
    return steps


def _steps_within(standing: Standing, payment: PaymentBook, outcome: str, amount_rial: int) -> list[Step]:
    """Return the steps of what is a part of the payment's own amount, or all of it."""
    parts = parts_of(payment) if standing.item is None else (parts_of(payment)[standing.item],)
    owed = owed_on(payment, taken=any(part.taken for part in parts))
    if outcome in PAID_BACK:
        claims = _given_of([] if owed is None else parts, amount_rial, standing.paid_out)
        return [Step(claim, PAID_OUT, rial) for claim, rial in claims.items()]
    if owed is None or outcome == "explained":
        return []
    if standing.settled and payment.pays_bill:
        # Passed on to the biller: nothing of it is owed to the centre, nor in its hands.
        return []
    if outcome == "recovered":
        return [] if standing.settled else [Step(SETTLED, owed, amount_rial)]
    return [Step(LOSSES, SETTLED if standing.settled else owed, amount_rial)]


def _given_of(parts: Sequence[Part], amount_rial: int, paid_out: Mapping[str, int]) -> dict[Account, int]:
    """Return out of which claims a customer is paid: those that are nobody else's, as far as they reach."""
    if len(parts) == 1:
        claim = parts[0].claim
        return {claim if claim in _GIVABLE else LOSSES: amount_rial}
    there: Counter[Account] = Counter()
    for part in parts:
        there[part.claim] += part.amount_rial
    given, left = {}, amount_rial
    for claim in _GIVABLE:
        given[claim] = max(0, min(left, there[claim] - paid_out.get(claim.code, 0)))
        left -= given[claim]
    return {claim: rial for claim, rial in {**given, LOSSES: left}.items() if rial}


def standing_on(payment: PaymentBook, held: Mapping[Account, int], *, in_part_rial: int = 0) -> Counter[Account]:
    """Return which accounts what customers were paid of a payment stands on, by now standing on those of `held`.

    It stays where it is while there is such a claim. What a claim does not reach to any more, because its biller took
    the money after all or the terminal gave it back, goes on to another that is nobody else's; what reaches to none is
    money that the customer has twice, and *recoverable*. What was a loss is less of one where a claim is found later.
    `in_part_rial` of it was given beside what the bill is paid with: knowingly, so it is a loss where no claim reaches.
    Nobody gave knowingly what a terminal gave back as well, or never took.
    """
    room = Counter[Account]()
    for part in parts_of(payment):
        if owed_on(payment, taken=part.taken) is not None:
            room[part.claim] += part.amount_rial
    stands = Counter({claim: max(0, min(held.get(claim, 0), room[claim])) for claim in _GIVABLE})
    left = sum(held.values()) - stands.total()
    for claim in _GIVABLE:
        moves = max(-stands[claim], min(left, room[claim] - stands[claim]))
        stands[claim] += moves
        left -= moves
    knowingly = 0 if payment.state in CERTAINLY_UNCHARGED else max(held.get(LOSSES, 0), in_part_rial)
    stands[LOSSES] = min(left, knowingly)
    stands[RECOVERABLE] = left - stands[LOSSES]
    return stands
