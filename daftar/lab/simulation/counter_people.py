"""Operators at their pages: they pay, press twice, scan the same bill, lose patience, ask again, print again, leave."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar

from daftar.lab.chance import Chance
from daftar.lab.simulation.box_run import Unreachable
from edge.journal.views import PaymentView
from edge.services.counter import Counter
from shared.errors import DaftarError
from shared.identifiers import check_digit, parse_bill
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState

if TYPE_CHECKING:
    from daftar.lab.simulation.office import Office

T = TypeVar("T")
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


class Person:
    """One operator, or one program that uses the API. Each does one thing after another until the office closes."""

    def __init__(self, office: "Office", number: int) -> None:
        self._office = office
        self._chance = Chance("operator", office.seed, number)
        self._name = f"operator-{number}"
        self._number = number
        self._keys = 0
        self._mine: list[str] = []

    async def work(self) -> None:
        """Work until the office closes."""
        while self._office.is_open:
            await asyncio.sleep(1 + self._chance.below(60))
            await self._something()

    async def _something(self) -> None:
        drawn = self._chance.below(100)
        if drawn < 64 or not self._mine:  # noqa: PLR2004 - shares in a hundred, here and below
            await self._pay(self._office.next_bill())
        elif drawn < 70:  # noqa: PLR2004
            await self._pay_together([self._office.next_bill() for _ in range(2 + self._chance.below(3))])
        elif drawn < 78:  # noqa: PLR2004
            await self._pay(self._office.earlier_bill(self._chance))
        elif drawn < 86:  # noqa: PLR2004
            await self._asked(lambda counter: counter.print_receipt(self._chance.pick(self._mine), operator=self._name))
        elif drawn < 94:  # noqa: PLR2004
            await self._asked(lambda counter: counter.check_payment(self._chance.pick(self._mine), operator=self._name))
        else:
            parameter = f"{self._chance.below(10**9):09}"
            await self._asked(lambda counter: counter.ask_inquiry("electricity", parameter, operator=self._name))

    async def _asked(self, question: Callable[[Counter], Awaitable[T]]) -> T | None:
        """Ask once; what the box refuses in words is no trouble, nor is a box that is down."""
        try:
            return await self._office.ask(question)
        except DaftarError as error:
            self._office.truth.counts[f"refused {error.code}"] += 1
        except Unreachable:
            self._office.truth.counts["unreachable"] += 1
        return None

    def _looked(self, read: Callable[[Counter], T]) -> T | None:
        """Look at what the box shows; one that is down shows nothing."""
        try:
            return self._office.look(read)
        except DaftarError as error:
            self._office.truth.counts[f"refused {error.code}"] += 1
        except Unreachable:
            self._office.truth.counts["unreachable"] += 1
        return None

    async def _pay(self, bill: tuple[str, str]) -> None:
        self._keys += 1
        key = f"{self._name}/{self._keys}"
        press = self._chance.below(10)
        if press == 0:
            payment_id, _ = await asyncio.gather(self._press(key, bill), self._press(key, bill))
        elif press == 1:
            payment_id, _ = await asyncio.gather(self._press(key, bill), self._press(key + "/again", bill))
        else:
            before = self._begun(bill)
            payment_id = await self._press(key, bill)
            if self._begun(bill) > before + 1:
                self._office.truth.wrong(f"one press began {self._begun(bill) - before} payments of {bill[0]}")
        if payment_id is None:
            return
        self._mine.append(payment_id)
        if self._chance.below(8) == 0:
            return
        await self._watch(payment_id, bill)

    async def _pay_together(self, bills: list[tuple[str, str]]) -> None:
        """Pay several bills, with one card or one each, and once more what was certainly not charged."""
        self._keys += 1
        name = hashlib.sha256(f"{self._name} together {self._keys}".encode()).hexdigest()[:20]
        parsed = [parse_bill(*bill) for bill in bills]
        one_charge = self._chance.coin(0.5)
        for _ in range(1 + self._chance.below(2)):
            # Pressed twice it is the same group.
            await self._asked(
                lambda counter: counter.groups.pay(parsed, one_charge=one_charge, operator=self._name, name=name)
            )
        await asyncio.sleep(self._chance.below(120))
        if self._chance.below(4) == 0:
            await self._asked(lambda counter: counter.groups.stop(f"g{name}"))
        await self._asked(
            lambda counter: counter.groups.pay_again(
                f"g{name}", one_charge=not one_charge, operator=self._name, name=f"{name}again"
            )
        )

    def _begun(self, bill: tuple[str, str]) -> int:
        """Return how many payments of a bill were begun in this operator's name."""
        begun = self._office.truth.requested.values()
        return sum(one.operator == self._name and (one.bill_id, one.bill_payment_id) == bill for one in begun)

    async def _press(self, key: str, bill: tuple[str, str]) -> str | None:
        """Press pay; while the box does not answer, send the same request again, under the same key."""
        digest = hashlib.sha256("\n".join(bill).encode()).digest()

        async def pay(counter: Counter) -> str:
            async def work(name: str) -> bytes:
                return (await counter.pay_bill(*bill, operator=self._name, name=name)).encode()

            return (await counter.idempotent(key, digest, self._name, work)).decode()

        for _ in range(_TRIES_MAX):
            try:
                payment_id = await self._office.ask(pay)
            except Unreachable:
                await asyncio.sleep(5)
                continue
            except DaftarError as error:
                self._office.truth.counts[f"refused {error.code}"] += 1
                if error.code.startswith("journal."):
                    await asyncio.sleep(5)
                    continue
                return None
            self._answered(key, payment_id)
            return payment_id
        return None

    def _answered(self, key: str, payment_id: str) -> None:
        truth = self._office.truth
        if truth.answered.setdefault(key, payment_id) != payment_id:
            truth.wrong(f"I1 the same request was answered {payment_id} after {truth.answered[key]}")
        if not any(one.payment_id == payment_id for one in truth.requested.values()):
            truth.wrong(f"I1 the API answered {payment_id}, which was not journaled")

    async def _ask_back(self, payment: PaymentView) -> None:
        """Ask that a payment is given back, by a means that the box offers."""
        means = self._looked(lambda counter: counter.refund_means(payment))
        if not means:
            return
        wanted = means[0] if self._chance.coin(0.8) else means[-1]
        await self._asked(
            lambda counter: counter.propose_refund(
                payment.payment_id, means=wanted, reason="paid the wrong bill", operator=self._name
            )
        )
        if wanted == "reversal":
            # It has to be soon: before the next sale at that terminal, and before the provider has taken the bill.
            self._office.supervisor.call()

    async def _watch(self, payment_id: str, bill: tuple[str, str]) -> None:
        """Watch a payment to its end; lose patience, ask, pay again where that is certainly right."""
        patience_s = self._chance.pick(_PATIENCES_S)
        for _ in range(_TRIES_MAX):
            await asyncio.sleep(patience_s)
            payment = self._looked(lambda counter: counter.queries.payment(payment_id))
            if payment is None:
                continue
            if payment.state in _OPEN:
                if self._chance.below(12) == 0:
                    await self._asked(lambda counter: counter.cancel_payment(payment_id, operator=self._name))
                continue
            if payment.state in CERTAINLY_UNCHARGED and self._office.is_open and self._chance.coin(0.5):
                await self._pay(bill)
                return
            if payment.state in CHARGED and self._office.is_open and self._chance.below(5) == 0:
                await self._ask_back(payment)
            if payment.state in CHARGED or payment.state in CERTAINLY_UNCHARGED or not self._office.is_open:
                return
            if patience_s < _PATIENCES_S[-1] or self._chance.coin(0.4):
                await self._asked(lambda counter: counter.check_payment(payment_id, operator=self._name))
