"""Operators at their pages: they pay, press twice, scan the same bill, lose patience, ask again, print again, leave."""

import asyncio
import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Final

from daftar.lab.chance import Chance
from daftar.lab.simulation.asking import Asking, Purchase
from daftar.lab.simulation.visits import Visits
from edge.journal.views import PaymentView
from shared.identifiers import check_digit, parse_bill
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState

if TYPE_CHECKING:
    from daftar.lab.simulation.office import Office

_TRIES_MAX: Final = 40
_PATIENCES_S: Final = (1, 4, 20, 20)
_OPEN: Final = (PaymentState.REQUESTED, PaymentState.SENT)


def bill_of(number: int) -> tuple[str, str]:
    """Return the two ids of a bill, all check digits right."""
    body = f"{4_000_000 + number}0012"
    bill_id = body + str(check_digit(body))
    amount = f"{100 + number % 900}"
    payment = f"{amount}5{number % 12 + 1:02}"
    payment += str(check_digit(payment))
    payment += str(check_digit(bill_id + payment))
    return bill_id, payment


class Person(Asking):
    """One operator, or one program that uses the API. Each does one thing after another until the office closes."""

    def __init__(self, office: "Office", number: int) -> None:
        super().__init__(office, f"operator-{number}")
        self._chance = Chance("operator", office.seed, number)
        self._mine: list[str] = []
        self._pressed: Counter[str] = Counter()
        self._under_way: Counter[str] = Counter()
        self._visits = Visits(office, self, self._chance)

    async def work(self) -> None:
        """Work until the office closes."""
        if self._chance.coin(0.6):
            await self._visits.begin()
        while self._office.is_open:
            await asyncio.sleep(1 + self._chance.below(60))
            await self._something()

    async def _something(self) -> None:
        drawn = self._chance.below(100)
        if drawn < 40 or not self._mine:  # noqa: PLR2004 - shares in a hundred, here and below
            await self.pay(self.bill(self._office.next_bill()))
        elif drawn < 48:  # noqa: PLR2004
            await self._visits.begin()
        elif drawn < 64:  # noqa: PLR2004
            await self._visits.go_on()
        elif drawn < 70:  # noqa: PLR2004
            await self._pay_together([self._office.next_bill() for _ in range(2 + self._chance.below(3))])
        elif drawn < 78:  # noqa: PLR2004
            await self.pay(self.bill(self._office.earlier_bill(self._chance)))
        elif drawn < 86:  # noqa: PLR2004
            await self.asked(lambda counter: counter.print_receipt(self._chance.pick(self._mine), operator=self.name))
        elif drawn < 94:  # noqa: PLR2004
            await self.asked(lambda counter: counter.check_payment(self._chance.pick(self._mine), operator=self.name))
        else:
            parameter = f"{self._chance.below(10**9):09}"
            await self.asked(lambda counter: counter.ask_inquiry("electricity", parameter, operator=self.name))

    def bill(self, bill: tuple[str, str]) -> Purchase:
        """Return a bill that somebody brings, as something to be paid."""
        return Purchase(
            "\n".join(bill),
            lambda counter, name: counter.pay_bill(*bill, operator=self.name, name=name),
            lambda wanted: (wanted.bill_id, wanted.bill_payment_id) == bill,
        )

    async def pay(self, wanted: Purchase) -> None:
        """Press pay, perhaps twice, and mostly watch what becomes of it."""
        key = self.next_key()
        press = self._chance.below(10)
        if press == 0:
            payment_id, _ = await asyncio.gather(self._press(key, wanted), self._press(key, wanted))
        elif press == 1:
            payment_id, _ = await asyncio.gather(self._press(key, wanted), self._press(key + "/again", wanted))
        else:
            payment_id = await self._press_once(key, wanted)
        if payment_id is None:
            return
        self._mine.append(payment_id)
        if self._chance.below(8) == 0:
            return
        await self._watch(payment_id, wanted)

    async def _pay_together(self, bills: list[tuple[str, str]]) -> None:
        """Pay several bills, with one card or one each, and once more what was certainly not charged."""
        name = hashlib.sha256(self.next_key().encode()).hexdigest()[:20]
        parsed = [parse_bill(*bill) for bill in bills]
        one_charge = self._chance.coin(0.5)
        for _ in range(1 + self._chance.below(2)):
            # Pressed twice it is the same group.
            await self.asked(
                lambda counter: counter.groups.pay(parsed, one_charge=one_charge, operator=self.name, name=name)
            )
        await asyncio.sleep(self._chance.below(120))
        if self._chance.below(4) == 0:
            await self.asked(lambda counter: counter.groups.stop(f"g{name}"))
        await self.asked(
            lambda counter: counter.groups.pay_again(
                f"g{name}", one_charge=not one_charge, operator=self.name, name=f"{name}again"
            )
        )

    def _begun(self, wanted: Purchase) -> int:
        """Return how many payments of something were begun in this operator's name."""
        begun = self._office.truth.requested.values()
        return sum(one.operator == self.name and wanted.is_it(one) for one in begun)

    async def _press_once(self, key: str, wanted: Purchase) -> str | None:
        """Press, and judge that it began one payment at most; the same may be pressed for on another page meanwhile."""
        before, ended = self._begun(wanted), self._pressed[wanted.what] - self._under_way[wanted.what]
        payment_id = await self._press(key, wanted)
        begun, pressed = self._begun(wanted) - before, self._pressed[wanted.what] - ended
        if begun > pressed:
            self._office.truth.wrong(f"{pressed} presses began {begun} payments of {wanted.what}")
        return payment_id

    async def _press(self, key: str, wanted: Purchase) -> str | None:
        self._pressed[wanted.what] += 1
        self._under_way[wanted.what] += 1
        made = await self.press(key, wanted.what, wanted.begin)
        self._under_way[wanted.what] -= 1
        return made

    async def _ask_back(self, payment: PaymentView) -> None:
        """Ask that a payment is given back, by a means that the box offers."""
        means = self.looked(lambda counter: counter.refund_means(payment))
        if not means:
            return
        wanted = means[0] if self._chance.coin(0.8) else means[-1]
        await self.asked(
            lambda counter: counter.propose_refund(
                payment.payment_id, means=wanted, reason="paid the wrong bill", operator=self.name
            )
        )
        if wanted == "reversal":
            # It has to be soon: before the next sale at that terminal, and before the provider has taken the bill.
            self._office.supervisor.call()

    async def _watch(self, payment_id: str, wanted: Purchase) -> None:
        """Watch a payment to its end; lose patience, ask, pay again where that is certainly right."""
        patience_s = self._chance.pick(_PATIENCES_S)
        for _ in range(_TRIES_MAX):
            await asyncio.sleep(patience_s)
            payment = self.looked(lambda counter: counter.queries.payment(payment_id))
            if payment is None:
                continue
            if payment.state in _OPEN:
                if self._chance.below(12) == 0:
                    await self.asked(lambda counter: counter.cancel_payment(payment_id, operator=self.name))
                continue
            if payment.state in CERTAINLY_UNCHARGED and self._office.is_open and self._chance.coin(0.5):
                await self.pay(wanted)
                return
            if payment.state in CHARGED and self._office.is_open and self._chance.below(5) == 0:
                await self._ask_back(payment)
            if payment.state in CHARGED or payment.state in CERTAINLY_UNCHARGED or not self._office.is_open:
                return
            if patience_s < _PATIENCES_S[-1] or self._chance.coin(0.4):
                await self.asked(lambda counter: counter.check_payment(payment_id, operator=self.name))
