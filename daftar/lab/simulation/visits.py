"""What operators sell of the catalogue: inquiries with a fee, orders, a car's fines as a whole or paper by paper.

Requests are the office's: whoever is there goes on with one. Pages are looked at late, so that people also ask for what
cannot be had any more.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from daftar.lab.chance import Chance
from daftar.lab.simulation.asking import Purchase
from daftar.lab.simulation.box_run import PASSWORD, SUPERVISOR
from edge.journal.services import ServiceView
from shared.answer_document import AnswerDocument, Payable
from shared.ids import bill_obligation, fee_obligation, order_obligation
from shared.service_state import PAYABLE_FEE, ServiceState

if TYPE_CHECKING:
    from daftar.lab.simulation.counter_people import Person
    from daftar.lab.simulation.office import Office

_CARS: Final = ("991028388", "991728388")
"""So few that they are asked about again."""
_PERSON: Final = {"national_code": "0499370899", "mobile": "09121234567"}
_LOOKS_MAX: Final = 4
_OVER: Final = frozenset({ServiceState.NOTHING, ServiceState.REFUSED})


class Visits:
    """One operator's part of it."""

    def __init__(self, office: "Office", person: "Person", chance: Chance) -> None:
        self._office = office
        self._person = person
        self._chance = chance

    async def begin(self) -> None:
        """Take a request, and mostly its fee."""
        code, fields = self._chance.pick(
            (
                *(("car_fines_detail", _PERSON | {"plate": car}) for car in _CARS * 2),
                ("licence_negative_score", _PERSON | {"licence_number": f"{self._chance.below(10**10):010}"}),
                ("top_up", {"mobile": _PERSON["mobile"], "operator": "mci", "amount": "100000"}),
                ("top_up_pin", {"mobile": _PERSON["mobile"], "operator": "mci"}),
            )
        )
        person = self._person
        inquiry_id = await person.press(
            person.next_key(),
            f"{code} {fields}",
            lambda counter, name: counter.request_service(
                code, fields, rules_accepted=True, operator=person.name, name=name
            ),
        )
        if inquiry_id is None:
            return
        self._office.visits.append(inquiry_id)
        if self._chance.coin(0.8):
            await self._go_on_with(inquiry_id)

    async def go_on(self) -> None:
        """Look at requests until there is something to do, and do that."""
        for _ in range(_LOOKS_MAX):
            if not self._office.visits or await self._go_on_with(self._chance.pick(self._office.visits)):
                return

    async def _go_on_with(self, inquiry_id: str) -> bool:
        """Do what is to be done next; return whether there was anything."""
        person = self._person
        seen = person.looked(lambda counter: counter.service_view(inquiry_id))
        if seen is None:
            return True
        if seen.state in PAYABLE_FEE:
            await person.pay(self._fee(inquiry_id))
        elif seen.state is ServiceState.NEEDS_REVIEW:
            await person.asked(lambda counter: counter.retry_service(inquiry_id, operator=person.name))
        elif seen.state is ServiceState.PRINT_FIRST:
            await self._print_or_release(inquiry_id)
        elif seen.document is not None:
            await person.asked(lambda counter: counter.show_service(inquiry_id, operator=person.name))
            await self._buy(seen, seen.document)
        else:
            if seen.state in _OVER:
                self._forget(inquiry_id)
            return False
        return True

    def _forget(self, inquiry_id: str) -> None:
        if inquiry_id in self._office.visits:
            self._office.visits.remove(inquiry_id)

    async def _print_or_release(self, inquiry_id: str) -> None:
        person = self._person
        if self._chance.coin(0.7):
            await person.asked(lambda counter: counter.print_service_receipt(inquiry_id, operator=person.name))
        else:
            await person.asked(
                lambda counter: counter.release_service(
                    inquiry_id, reason="the paper is torn", username=SUPERVISOR, password=PASSWORD
                )
            )

    async def _buy(self, seen: ServiceView, document: AnswerDocument) -> None:
        """Pay something of an answer: all, one thing, several, by a paper that names no answer, or two at once."""
        # A page that was left open shows what could be paid a while ago.
        offered = [one for one in document.payables() if one.key in seen.payable or self._chance.coin(0.5)]
        if not offered:
            self._forget(seen.inquiry_id)
            return
        one, other = self._chance.pick(offered), self._chance.pick(offered)
        drawn = self._chance.below(10)
        parts = [each for each in offered if each is not document.payable]
        if parts and parts[0].bill_id is not None and drawn < 3:  # noqa: PLR2004 - shares in ten, here and below
            # The police send papers of single violations; one of the whole would tell the box nothing of its parts.
            await self._person.pay(self._paper(self._chance.pick(parts)))
        elif one.bill_id is not None and len(parts) > 1 and drawn < 4:  # noqa: PLR2004
            await self._person.pay(self._of_answer(seen.inquiry_id, parts[:2]))
        elif drawn < 6:  # noqa: PLR2004
            await asyncio.gather(
                self._person.pay(self._of_answer(seen.inquiry_id, [one])),
                self._person.pay(self._of_answer(seen.inquiry_id, [other])),
            )
        else:
            await self._person.pay(self._of_answer(seen.inquiry_id, [offered[0]]))

    def _fee(self, inquiry_id: str) -> Purchase:
        name = self._person.name
        return Purchase(
            f"fee {inquiry_id}",
            lambda counter, made: counter.pay_fee(inquiry_id, operator=name, name=made),
            lambda wanted: wanted.obligation == fee_obligation(inquiry_id),
        )

    def _paper(self, payable: Payable) -> Purchase:
        return self._person.bill((payable.bill_id or "", payable.bill_payment_id or ""))

    def _of_answer(self, inquiry_id: str, payables: list[Payable]) -> Purchase:
        name, keys = self._person.name, [one.key for one in payables]
        obligations = {_obligation(one) for one in payables}
        return Purchase(
            f"{inquiry_id} {keys}",
            lambda counter, made: counter.pay_answer(inquiry_id, keys, operator=name, name=made),
            lambda wanted: obligations == ({item.obligation for item in wanted.items} or {wanted.obligation}),
        )


def _obligation(payable: Payable) -> str:
    if payable.order_id is not None:
        return order_obligation(payable.order_id)
    return bill_obligation(payable.bill_id or "", payable.bill_payment_id or "")
