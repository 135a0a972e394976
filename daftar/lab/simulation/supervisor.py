"""The office's supervisor: decides doubts by the slip, agrees to giving money back, closes the day, renews the key.

What is said of a doubt is true: whoever looks at the slip of a terminal that is at rest sees what it took.
"""

import asyncio
import hashlib
from typing import TYPE_CHECKING, Final

from daftar.lab.chance import Chance
from daftar.lab.simulation.asking import Asking
from daftar.lab.simulation.box_run import PASSWORD, SUPERVISOR
from edge.journal.refunds import RefundView
from edge.journal.views import PaymentView
from edge.services.counter import Counter
from shared.payment import PaymentState

if TYPE_CHECKING:
    from daftar.lab.simulation.office import Office

DECIDES_AFTER_S: Final = 240.0
"""How long a payment has been in doubt before somebody fetches the slip."""
_ROTATES: Final = 0.5
"""On how many days the box gets a new key."""
_TRIES_MAX: Final = 20
_REASON: Final = "looked at the slip"


class Supervisor(Asking):
    """One person, who comes by now and then, or when called."""

    def __init__(self, office: "Office") -> None:
        super().__init__(office, SUPERVISOR)
        self._chance = Chance("supervisor", office.seed)
        self._seen: dict[str, float] = {}
        self._called = asyncio.Event()
        self._closes = 0
        self._rotates_in = 2 + self._chance.below(5) if self._chance.coin(_ROTATES) else 0

    def call(self) -> None:
        """Ask the supervisor to come."""
        self._called.set()

    async def work(self) -> None:
        """Work until cancelled: also after the office has closed, for what is left in doubt."""
        while True:
            self._called.clear()
            try:
                async with asyncio.timeout(30 + self._chance.below(120)):
                    await self._called.wait()
            except TimeoutError:
                pass
            else:
                await asyncio.sleep(1 + self._chance.below(4))
            await self._look_round()

    async def _look_round(self) -> None:
        for payment in self.looked(lambda counter: counter.queries.in_doubt()) or ():
            await self._decide(payment)
        for refund in self.looked(lambda counter: counter.queries.open_refunds()) or ():
            await self._give_back(refund)
        if self._office.is_open and self._chance.below(7) == 0:
            await self.close_day()
        if self._office.is_open and self._rotates_in:
            self._rotates_in -= 1
            if self._rotates_in == 0:
                await self._office.rotate_key()

    async def _decide(self, payment: PaymentView) -> None:
        """Say what the slip says of a payment that has long been in doubt."""
        payment_id, reference = payment.payment_id, payment.reference
        since_s = self._seen.setdefault(payment_id, self._office.loop.time())
        if not self._office.is_open and payment.state is PaymentState.IN_DOUBT:
            # From now on the box has to get at the truth alone, or to say that it cannot.
            return
        terminal = self._office.terminal_of(payment.terminal)
        if self._office.loop.time() < since_s + DECIDES_AFTER_S or not terminal.is_at_rest(reference):
            return
        took = next((one for one in terminal.kept if one.reference == reference), None)
        slip = took.stan if took is not None else "1"
        if payment.state is PaymentState.REVERSAL_IN_DOUBT:
            await self.asked(
                lambda counter: counter.decide_reversal(
                    payment_id,
                    undone=took is None,
                    slip_number=slip,
                    reason=_REASON,
                    operator="operator-0",
                    username=SUPERVISOR,
                    password=PASSWORD,
                )
            )
            return
        await self.asked(
            lambda counter: counter.override_payment(
                payment_id,
                charged=took is not None,
                slip_number=slip,
                reason=_REASON,
                username=SUPERVISOR,
                password=PASSWORD,
            )
        )

    async def _give_back(self, refund: RefundView) -> None:
        refund_id = refund.refund_id
        if refund.state == "proposed" and self._chance.below(6) == 0:
            await self.asked(lambda counter: counter.drop_refund(refund_id, operator=SUPERVISOR, reason=_REASON))
        elif refund.state == "proposed":
            await self.asked(lambda counter: counter.agree_refund(refund_id, username=SUPERVISOR, password=PASSWORD))
        elif refund.state == "agreed" and refund.means != "central":
            await self.asked(lambda counter: counter.retry_refund(refund_id))

    async def close_day(self) -> bool:
        """Close the day, once for each time it is wanted; return whether it was."""
        self._closes += 1
        key = f"{SUPERVISOR}/close/{self._closes}"

        async def close(counter: Counter) -> bytes:
            async def work(name: str) -> bytes:
                return (await counter.close_day(operator=SUPERVISOR, name=name)).encode()

            return await counter.idempotent(key, hashlib.sha256(b"close").digest(), SUPERVISOR, work)

        for _ in range(_TRIES_MAX):
            if await self.asked(close) is not None:
                return True
            await asyncio.sleep(20)
        return False
