"""The providers behind the simulation's central: cars with their violations, things to buy, and what they say of both.

Answers are made by central's own `central.providers.documents`, out of what a provider would tell.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal

import msgspec

from central.providers.connector import Served
from central.providers.documents import WHOLE, Part, bill_payable, debts_of, document
from central.providers.gateway_answers import offer, order_name
from daftar.lab.chance import Chance
from daftar.lab.simulation.office_clock import OfficeClock
from daftar.training.answers import training_bill
from shared.catalogue import Service
from shared.clock import instant_text
from shared.identifiers import BillType

FINES: Final = "car_fines_detail"
DIRECT: Final = "top_up"
CODES: Final = "top_up_pin"
FEE_ONLY: Final = "licence_negative_score"
SOLD: Final = (FINES, DIRECT, CODES, FEE_ONLY)
"""The services that people ask for here."""
_NO_ANSWERS: Final[tuple[Literal["wrong_parameter", "refused", "never"], ...]] = ("wrong_parameter", "refused", "never")
_BEGUN: Final = 3
"""Violations of a car in the morning, at most."""
_OFFER_STANDS: Final = timedelta(minutes=40)
_CODES_RIAL: Final = (20_000, 50_000, 100_000)


class _Violation(msgspec.Struct):
    serial: str
    bill_id: str
    payment_id: str
    amount_rial: int
    paid: bool = False


class Providers:
    """Everybody who is asked by central. A car's violations are told until they are paid, and now and then one more."""

    def __init__(self, seed: int, clock: OfficeClock) -> None:
        self._chance = Chance("providers", seed)
        self._clock = clock
        self._cars: dict[str, list[_Violation]] = {}
        self._wholes: dict[tuple[str, ...], tuple[str, str]] = {}
        """Of violations that are owed together: the bill of them all."""
        self._stands_for: dict[tuple[str | None, str | None], tuple[_Violation, ...]] = {}
        self._bills = 0

    def delay_s(self) -> int:
        """Return how long the next question about a bill waits for its answer."""
        return 1 + self._chance.below(240)

    def service_delay_s(self) -> int:
        """Return how long the next request for a service waits: somebody stands at the counter."""
        return 1 + self._chance.below(20) if self._chance.coin(0.8) else self.delay_s()

    def coin(self, probability: float) -> bool:
        """Return true with this probability."""
        return self._chance.coin(probability)

    def serve(self, service: Service, fields: Mapping[str, str], track_id: str) -> Served | None:
        """Return the answer to a request for a service; None: there will never be one."""
        drawn = self._chance.below(16)
        if drawn < len(_NO_ANSWERS):
            why = _NO_ANSWERS[drawn]
            return None if why == "never" else Served(outcome=why, reason=f"lab: {why}")
        if service.code == FINES:
            return self._fines(service, fields["plate"])
        if service.code == FEE_ONLY:
            return Served(outcome="done", document=document(service, {"score": "3"}))
        return self._offers(service, track_id, _CODES_RIAL if service.code == CODES else (int(fields["amount"]),))

    def paid(self, bill_id: str | None, payment_id: str | None) -> None:
        """Hear that a bill was taken: it is not told of any more, nor is what it was the whole of."""
        for violation in self._stands_for.get((bill_id, payment_id), ()):
            violation.paid = True

    def _fines(self, service: Service, plate: str) -> Served:
        violations = self._cars.setdefault(plate, [])
        for _ in range(2 + self._chance.below(_BEGUN - 1) if not violations else self._chance.coin(0.3)):
            violations.append(self._violation())
        owed = [one for one in violations if not one.paid]
        parts = [
            Part(
                key=str(place),
                values={"serial": one.serial, "amount": one.amount_rial},
                payable=bill_payable(str(place), one.bill_id, one.payment_id, one.amount_rial),
            )
            for place, one in enumerate(owed, 1)
        ]
        if not parts:
            return Served(outcome="nothing")
        total_rial = sum(one.amount_rial for one in owed)
        whole = bill_payable(WHOLE, *self._whole_of(owed, total_rial), total_rial) if len(owed) > 1 else None
        made = document(service, {"total": total_rial}, parts, whole)
        return Served(outcome="done", document=made, debts=debts_of(parts, whole))

    def _offers(self, service: Service, track_id: str, amounts_rial: tuple[int, ...]) -> Served:
        ends = instant_text(self._clock.now() - self._clock.ahead + _OFFER_STANDS) if self._chance.coin(0.5) else ""
        if len(amounts_rial) == 1:
            payable, orders = offer(WHOLE, order_name(track_id, "1"), amounts_rial[0], expires=ends)
            return Served(outcome="done", document=document(service, {}, (), payable), orders=orders)
        parts = []
        for place, amount_rial in enumerate(amounts_rial, 1):
            payable, _ = offer(str(place), order_name(track_id, str(place)), amount_rial, expires=ends)
            parts.append(Part(key=str(place), values={"title": "code", "amount": amount_rial}, payable=payable))
        return Served(outcome="done", document=document(service, {}, parts))

    def _violation(self) -> _Violation:
        amount_rial = 1_000 * (200 + self._chance.below(700))
        bill_id, payment_id = self._bill(amount_rial)
        violation = _Violation(f"{7_000_000 + self._bills}", bill_id, payment_id, amount_rial)
        self._stands_for[bill_id, payment_id] = (violation,)
        return violation

    def _whole_of(self, owed: list[_Violation], total_rial: int) -> tuple[str, str]:
        serials = tuple(one.serial for one in owed)
        if serials not in self._wholes:
            self._wholes[serials] = bill = self._bill(total_rial)
            self._stands_for[bill] = tuple(owed)
        return self._wholes[serials]

    def _bill(self, amount_rial: int) -> tuple[str, str]:
        self._bills += 1
        return training_bill(BillType.TRAFFIC_FINE, self._bills, amount_rial)
