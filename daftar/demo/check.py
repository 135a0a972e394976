"""The whole job once, headless, over the real ports: `daftar demo --check`.

A demo of its own starts on free ports in a temporary folder. Each step asks the system only what a person or a program
of the office could ask it, and compares the answer with what the desk's devices say really happened.
"""

import asyncio
import csv
import io
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import click
import httpx
import msgspec

from daftar.demo.central_pages import CentralPages
from daftar.demo.processes import run
from daftar.demo.world import FINANCE, World, free_ports
from shared.error_texts import describe
from shared.errors import DaftarError, PeerError

STEP_TIMEOUT_S: Final = 25.0
_LOOK_EVERY_S: Final = 0.1

POWER: Final = ("9174639504124", "12908190")
LANDLINE: Final = "11177532001400000012070160"
WATER: Final = ("2050327604613", "1070189")
SUBSCRIBER: Final = "9403272004"

Json = dict[str, Any]


class CheckFailedError(Exception):
    """A step did not come out as it must. Carries the sentence for the line of that step."""


class Walk:
    """A person's way through the demo: keeps what one step leaves for the next."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.box = httpx.AsyncClient(
            base_url=world.url("box"), headers={"Authorization": f"Bearer {world.api_token}"}, timeout=10
        )
        self.desk = httpx.AsyncClient(base_url=world.url("desk"), timeout=10)
        self.provider = httpx.AsyncClient(base_url=world.url("provider"), timeout=10)
        self.central = CentralPages(world.url("central"))
        self.paid: list[str] = []
        """Payments that were approved, in order."""

    async def close(self) -> None:
        """Close all connections."""
        for client in (self.box, self.desk, self.provider):
            await client.aclose()
        await self.central.close()

    async def call(self, method: str, path: str, *, key: str | None = None, body: Json | None = None) -> Json:
        """Call the box's API; return its JSON. Raises CheckFailedError when it refuses."""
        headers = {} if key is None else {"Idempotency-Key": key}
        response = await self.box.request(method, f"/api/v1{path}", json=body, headers=headers)
        if response.is_error:
            raise CheckFailedError(f"{method} {path}: {response.status_code} {response.text}")
        answer: Json = response.json()
        return answer

    async def until(self, what: str, look: Callable[[], Awaitable[bool]]) -> None:
        """Look again and again until something holds. Raises CheckFailedError naming it after STEP_TIMEOUT_S."""
        try:
            async with asyncio.timeout(STEP_TIMEOUT_S):
                while not await look():  # noqa: ASYNC110 - the parts are other processes; only looking tells
                    await asyncio.sleep(_LOOK_EVERY_S)
        except TimeoutError:
            raise CheckFailedError(f"waited {STEP_TIMEOUT_S:.0f} s in vain for: {what}") from None

    async def desk_state(self) -> Json:
        """Return what stands on the desk."""
        state: Json = (await self.desk.get("/state")).json()
        return state

    async def line(self, *, up: bool) -> None:
        """Pull the line's plug or put it back."""
        (await self.desk.post("/control/line", json={"up": up})).raise_for_status()

    async def pay(self, bill_id: str, payment_id: str, *, inquiry_id: str | None = None) -> str:
        """Pay a bill with a card that is approved; return our payment id once it is."""
        body = {"bill_id": bill_id, "payment_id": payment_id, "inquiry_id": inquiry_id}
        payment = await self.call("POST", "/payments", key=f"check-{bill_id}-{payment_id}", body=body)
        name: str = payment["payment_id"]

        async def card_is_awaited() -> bool:
            return bool((await self.desk_state())["terminal"]["waiting"])

        await self.until("the terminal to ask for a card", card_is_awaited)
        (await self.desk.post("/control/terminal", json={"press": "approve"})).raise_for_status()
        # A confirming terminal's approval stands only once it was told to keep it.
        confirming = self.world.terminal_model.capabilities.confirming
        await self.payment_is(name, state="acknowledged" if confirming else "approved")
        self.paid.append(name)
        return name

    async def payment_is(self, payment_id: str, **expected: str) -> None:
        """Wait until a payment has these members."""

        async def look() -> bool:
            payment = await self.call("GET", f"/payments/{payment_id}")
            return all(payment[name] == value for name, value in expected.items())

        await self.until(f"payment {payment_id} to be {expected}", look)

    async def papers_are(self, count: int) -> None:
        """Wait until that many papers came out of the printer."""

        async def look() -> bool:
            return bool((await self.desk_state())["printer"]["paper_count"] >= count)

        await self.until(f"{count} papers from the printer", look)


def _expect(what: str, *, holds: bool) -> None:
    if not holds:
        raise CheckFailedError(what)


async def read_a_bill(walk: Walk) -> str:
    """Step 1: ids checked offline, a wrong digit refused with its field."""
    bill = await walk.call("POST", "/bills/read", body={"bill_id": POWER[0], "payment_id": POWER[1]})
    _expect(
        "the bill is not 129,000 rial of electricity",
        holds=(bill["company"], bill["amount_rial"]) == ("electricity", 129_000),
    )
    wrong = POWER[0][:-1] + str((int(POWER[0][-1]) + 1) % 10)
    refused = await walk.box.post("/api/v1/bills/read", json={"bill_id": wrong, "payment_id": POWER[1]})
    _expect(
        "a wrong digit was not refused at its field",
        holds=refused.is_client_error and refused.json().get("field") == "bill_id",
    )
    return "129,000 rial of electricity; a wrong digit is refused at bill_id"


async def pay_a_bill(walk: Walk) -> str:
    """Step 2: intent, terminal, receipt; the same bill again is refused naming the payment."""
    payment_id = await walk.pay(*POWER)
    await walk.papers_are(1)
    state = await walk.desk_state()
    _expect(
        "the terminal did not charge exactly 129,000 rial once",
        holds=(state["terminal"]["charged_count"], state["terminal"]["charged_rial"]) == (1, 129_000),
    )
    again = await walk.box.post(
        "/api/v1/payments",
        json={"bill_id": POWER[0], "payment_id": POWER[1]},
        headers={"Idempotency-Key": "check-again"},
    )
    _expect("the same bill was not refused", holds=again.is_client_error and payment_id in again.text)
    return f"approved, receipt printed, a second try refused naming {payment_id}"


async def ask_offline(walk: Walk) -> str:
    """Step 3: with the line cut an inquiry waits with a ticket, and a bill is paid; back, the answer is payable."""
    await walk.payment_is(walk.paid[0], confirmation="confirmed")
    await walk.line(up=False)
    inquiry = await walk.call(
        "POST", "/inquiries", key="check-inquiry", body={"kind": "electricity", "parameter": SUBSCRIBER}
    )
    await walk.papers_are(2)
    bill = await walk.call("POST", "/bills/read", body={"barcode": LANDLINE})
    await walk.pay(bill["bill_id"], bill["payment_id"])
    await walk.papers_are(3)
    waiting = await walk.call("GET", f"/inquiries/{inquiry['inquiry_id']}")
    _expect("the inquiry was answered over a line that is cut", holds=waiting["outcome"] is None)
    await walk.line(up=True)

    async def answered() -> bool:
        return (await walk.call("GET", f"/inquiries/{inquiry['inquiry_id']}"))["outcome"] is not None

    await walk.until("the inquiry's answer", answered)
    answer = await walk.call("GET", f"/inquiries/{inquiry['inquiry_id']}")
    _expect(f"the subscriber owes nothing: {answer}", holds=answer["outcome"] == "owed")
    await walk.pay(answer["bill_id"], answer["bill_payment_id"], inquiry_id=inquiry["inquiry_id"])
    return f"ticket {inquiry['ticket']} answered {answer['amount_rial']:,} rial when the line was back, and paid"


async def tell_by_message(walk: Walk) -> str:
    """Step 4: of two customers whose answers come when the line is back, the one who agreed gets a text message."""
    fields = {"national_code": "0499370899", "mobile": "09123456789", "matter": "smart_card"}
    await walk.line(up=False)
    tickets = []
    for key, more in (("check-quiet", {}), ("check-told", {"notify": "yes"})):
        body = {"fields": {**fields, **more}, "rules_accepted": True}
        asked = await walk.call("POST", "/services/civil_payment_id/requests", key=key, body=body)
        tickets.append(asked)
    await walk.line(up=True)

    async def told() -> bool:
        return bool((await walk.desk_state())["phone"]["count"])

    async def answered() -> bool:
        found = [await walk.call("GET", f"/service-requests/{one['inquiry_id']}") for one in tickets]
        return all(one["outcome"] is not None for one in found)

    await walk.until("both answers", answered)
    await walk.until("the text message", told)
    (message,) = (await walk.desk_state())["phone"]["messages"]
    _expect("the message went to another number", holds=message["to"] == fields["mobile"])
    number = str(tickets[1]["ticket"]).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    _expect(f"the message is not about ticket {number}: {message}", holds=f"نوبت {number}،" in message["text"])
    return f"ticket {tickets[1]['ticket']} told by text message, ticket {tickets[0]['ticket']} agreed to none"


async def be_confirmed(walk: Walk) -> str:
    """Step 5: the journal is exchanged and cosigned, payments confirmed; one that was paid elsewhere needs review."""
    for payment_id in walk.paid:
        await walk.payment_is(payment_id, status="confirmed")
    await walk.line(up=False)
    (
        await walk.provider.post("/control/bills", json={"bill_id": WATER[0], "payment_id": WATER[1], "state": "paid"})
    ).raise_for_status()
    refused = await walk.pay(*WATER)
    await walk.line(up=True)
    await walk.payment_is(refused, confirmation="refused")
    payment = await walk.call("GET", f"/payments/{refused}")
    _expect("no refund case was opened", holds=bool(payment["case_id"]))

    async def all_cosigned() -> bool:
        status = await walk.call("GET", "/status")
        return bool(status["unsent_count"] == 0)

    await walk.until("central to cosign everything", all_cosigned)
    return f"{len(walk.paid) - 1} payments confirmed; one paid elsewhere opened case {payment['case_id']}"


async def reconcile(walk: Walk) -> str:
    """Step 6: finance uploads the acquirer's file with planted differences, and each is found."""
    await walk.central.sign_in(*FINANCE)
    file = (await walk.desk.get("/settlement.csv", params={"planted": "yes"})).content
    await walk.central.upload(file, "settlement.csv")
    result = await walk.central.result(await walk.central.reconcile())
    expected = {"matched": 2, "amount_differs": 1, "missing_at_acquirer": 1, "missing_at_office": 1}
    _expect(f"decisions are {result.buckets}, expected {expected}", holds=result.buckets == expected)
    charged = (await walk.desk_state())["terminal"]["charged_rial"]
    settled = sum(int(row["amount"]) for row in csv.DictReader(io.StringIO(file.decode())))
    sums = (result.office_rial, result.acquirer_rial)
    _expect(f"sums are {sums}, expected {(charged, settled)}", holds=sums == (charged, settled))
    found = ", ".join(f"{count} {name}" for name, count in expected.items())
    return f"{found}; totals tie out: {charged:,} and {settled:,} rial"


async def verify_journal(walk: Walk) -> str:
    """Last: the exported journal, checked with nothing but public keys."""
    data = ["--data", str(walk.world.data("box"))]
    file = walk.world.folder / "journal.jsonl"
    said = await run("box", ["edge", "export", *data, str(file)], walk.world.logs)
    box_key, witness_key = re.findall(r"key (\S+)", said)
    keys = ["--box-key", box_key, "--witness-key", witness_key]
    await run("journal", ["journal", "verify", str(file), *keys], walk.world.logs)
    await run("box", ["edge", "verify", *data], walk.world.logs)
    return said.partition(";")[0] + ": signatures, tree and central's cosignature hold"


STEPS: Final[tuple[tuple[str, Callable[[Walk], Awaitable[str]]], ...]] = (
    ("read a bill offline", read_a_bill),
    ("pay it at the terminal", pay_a_bill),
    ("ask and pay with the line cut", ask_offline),
    ("tell a customer by text message", tell_by_message),
    ("exchange, confirm, refuse", be_confirmed),
    ("reconcile the settlement file", reconcile),
    ("verify the exported journal", verify_journal),
)


async def run_check(folder: Path, *, model: str | None = None) -> bool:
    """Run all steps in `folder`; print one line a step and the JSON summary. Return whether all held."""
    begun = time.perf_counter()
    world = World(folder, ports=free_ports(), terminal_profile=model)
    results: list[Json] = []
    try:
        results.append(await _timed("start everything", world.start()))
        if results[-1]["ok"]:
            await _walk(world, results)
    finally:
        await world.stop()
    ok = all(result["ok"] for result in results) and len(results) == len(STEPS) + 1
    summary = {"ok": ok, "seconds": round(time.perf_counter() - begun, 1), "steps": results}
    click.echo(msgspec.json.encode(summary).decode())
    return ok


async def _walk(world: World, results: list[Json]) -> None:
    walk = Walk(world)
    try:
        for name, step in STEPS:
            results.append(await _timed(name, step(walk)))
            if not results[-1]["ok"]:
                return
    finally:
        await walk.close()


async def _timed(name: str, work: Awaitable[str | None]) -> Json:
    """Run a step, print its line, and return its row of the summary."""
    begun = time.perf_counter()
    try:
        said, ok = await work or "", True
    except CheckFailedError as failure:
        said, ok = str(failure), False
    except DaftarError as error:
        said, ok = describe(error, "en").what, False
    except (httpx.HTTPError, PeerError) as error:
        said, ok = f"{type(error).__name__}: {error}", False
    seconds = round(time.perf_counter() - begun, 2)
    click.echo(f"{'ok    ' if ok else 'FAILED'} {name} ({seconds} s): {said}")
    return {"step": name, "ok": ok, "seconds": seconds, "said": said}
