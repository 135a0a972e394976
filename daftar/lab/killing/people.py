"""People at the counter of the kill lab, who use the API: they press again under the same key when it was gone."""

import asyncio
from typing import Any, Final

import httpx

from daftar.lab.chance import Chance
from daftar.lab.killing.office import TERMINALS, UNCERTAIN, Office, name_of
from daftar.lab.killing.terminals import OF_CONFIRMING
from daftar.lab.simulation.counter_people import bill_of
from shared.payment import PaymentState

ANSWER_WITHIN: Final = 60
"""How often a person looks for an answer before they do something else."""
_FEE_FIRST: Final = ("licence_negative_score", {"national_code": "0499370899", "mobile": "09121234567"})
_ORDER: Final = ("top_up", {"mobile": "09121234567", "operator": "mci", "amount": "100000"})


class Person:
    """Somebody who pays bills, alone and together, and buys services, one after another."""

    def __init__(self, office: Office, number: int) -> None:
        self._office = office
        self._chance = Chance("person", office.seed, number)
        self._number = number
        self._keys = 0
        headers = {"authorization": f"Bearer {office.token}"}
        self._client = httpx.AsyncClient(base_url=f"{office.base}/api/v1", headers=headers, timeout=10, trust_env=False)

    async def work(self) -> None:
        """Pay for ever."""
        try:
            while True:
                await self._office.up.wait()
                await self._chance.pick((self._pay_one,) * 5 + (self._pay_together, self._buy_fee, self._buy_order))()
                await asyncio.sleep(self._chance.below(50) / 1_000)
        finally:
            await self._client.aclose()

    async def _call(self, method: str, path: str, **named: Any) -> httpx.Response | None:
        """Ask the server; None when it is gone."""
        try:
            return await self._client.request(method, path, **named)
        except httpx.HTTPError:
            return None

    def _bill(self) -> dict[str, str]:
        """Return a bill, mostly a new one."""
        if self._chance.coin(0.85) or not self._office.bills:
            self._office.bills += 1
            number = self._office.bills
        else:
            number = 1 + self._chance.below(self._office.bills)
        bill_id, payment_id = bill_of(self._office.seed % 900 * 1_000 + number)
        return {"bill_id": bill_id, "payment_id": payment_id}

    async def _press(self, path: str, body: dict[str, Any]) -> tuple[str, Any]:
        """Press until there is an answer; return the key and what the answer says, None where it refuses."""
        self._keys += 1
        key = f"{self._number}-{self._keys}"
        while True:
            answer = await self._call("POST", path, json=body, headers={"Idempotency-Key": key})
            if answer is not None and answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                return key, answer.json() if answer.is_success else None
            # The same key: whether the first one arrived nobody can say.
            await asyncio.sleep(0.05)
            await self._office.up.wait()

    def _terminal(self) -> dict[str, str]:
        """Return which terminal is asked for: the one that a moment can only come at, any of them, or none."""
        number = TERMINALS - 1 if self._office.armed in OF_CONFIRMING else self._chance.below(TERMINALS + 1)
        return {"terminal": name_of(number)} if number < TERMINALS else {}

    def _keep(self, kept: dict[str, str], key: str, name: str) -> None:
        if kept.setdefault(key, name) != name:
            self._office.tally.violations.append(
                (self._office.server.kills, f"I1 {key} was answered twice differently")
            )
        self._office.passed("answered")

    async def _pay(self, path: str, body: dict[str, Any]) -> str | None:
        """Pay something and wait for its end; return the payment's id, None where it was refused."""
        key, said = await self._press(path, body)
        if said is None:
            await asyncio.sleep(0.1)
            return None
        payment: str = said["payment_id"]
        self._keep(self._office.answered, key, payment)
        await self._watch(payment)
        return payment

    async def _pay_one(self) -> None:
        await self._pay("/payments", self._bill() | self._terminal())

    async def _pay_together(self) -> None:
        bills = {bill["bill_id"]: bill for bill in (self._bill() for _ in range(3))}
        body = {"bills": list(bills.values()), "one_charge": self._chance.coin(0.5)} | self._terminal()
        key, said = await self._press("/bill-groups", body)
        if said is None:
            await asyncio.sleep(0.1)
            return
        payments = sorted({payment["payment_id"] for payment in said["payments"]})
        for place, payment in enumerate(payments):
            self._keep(self._office.answered, f"{key}/{place}", payment)
        for payment in payments:
            await self._watch(payment)

    async def _ask(self, service: str, fields: dict[str, str]) -> str | None:
        key, said = await self._press(f"/services/{service}/requests", {"fields": fields, "rules_accepted": True})
        if said is None:
            await asyncio.sleep(0.1)
            return None
        request: str = said["inquiry_id"]
        self._keep(self._office.asked, key, request)
        return request

    async def _buy_fee(self) -> None:
        """Ask for something that has a fee; its answer comes once the fee is paid."""
        service, fields = _FEE_FIRST
        number = f"{self._chance.below(10**10):010}"
        request = await self._ask(service, fields | {"licence_number": number})
        if request is not None:
            await self._pay(f"/service-requests/{request}/fee", self._terminal())

    async def _buy_order(self) -> None:
        """Order something, and pay it when it is there to be paid."""
        request = await self._ask(*_ORDER)
        for _ in range(ANSWER_WITHIN if request is not None else 0):
            await asyncio.sleep(0.05)
            await self._office.up.wait()
            answer = await self._call("GET", f"/service-requests/{request}")
            if answer is not None and answer.is_success and (keys := answer.json()["payable"]):
                await self._pay(f"/service-requests/{request}/payments", {"keys": keys[:1]} | self._terminal())
                return

    async def _watch(self, payment: str) -> None:
        while True:
            await asyncio.sleep(0.05)
            await self._office.up.wait()
            answer = await self._call("GET", f"/payments/{payment}")
            if answer is None or not answer.is_success:
                continue
            state = answer.json()["state"]
            if state not in UNCERTAIN:
                return
            if state == PaymentState.IN_DOUBT:
                await self._call("POST", f"/payments/{payment}/check")
                await asyncio.sleep(0.2)
            elif self._office.armed == "cancel" or self._chance.coin(0.02):
                await self._call("POST", f"/payments/{payment}/cancel")
