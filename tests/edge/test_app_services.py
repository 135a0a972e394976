"""A service that no release knows, sold at a whole box: added by data on the feed, asked, paid, printed, answered."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from edge.app import create_app
from edge.devices.virtual.printer import VirtualPrinter
from edge.settings import STORE_NAME, PrinterSettings, Settings, TerminalSettings, save_settings
from edge.store.people import MANAGER, People
from edge.store.queries import Queries
from edge.store.rebuild import rebuild_projections
from edge.web.guards import SCOPES
from shared.answer_document import AnswerDocument, Item, Payable
from shared.catalogue import Field, Row, Service, Tariff, Words
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.events import SERVICE_ANSWER_PURPOSE, CataloguePublished, ServiceAnswered
from shared.identifiers import parse_bill
from shared.ids import NETWORK_FEED
from shared.sealed import Sealed, seal
from tests.edge.passwords import verifier_of
from tests.edge.store.boxes import OFFICE_FEED, Box
from tests.edge.test_app import visiting
from tests.edge.test_terminals import DEADLINE_S, port_of, working

PASSWORD: Final = "گذرواژه یک ۱۲۳"
TOKEN: Final = "the token of a program"
BILLS: Final = (parse_bill("9174639504124", "12908190"), parse_bill("7748317800142", "1770160"))


def words(text: str) -> Words:
    return Words(fa=text, en=text)


PERMIT: Final = Service(
    code="parking_permit",
    category="civil",
    name=words("مجوز پارک محله"),
    fee_name=words("کارمزد مجوز پارک محله"),
    fields=(
        Field(name="plate", kind="plate", label=words("پلاک"), is_applicant=True),
        Field(name="street", kind="text", label=words("خیابان"), max_size=40),
        Field(name="months", kind="digits", label=words("ماه"), min_size=1, max_size=2, required=False),
    ),
    rules=words("تنها برای ساکنان محله"),
    tariff=Tariff(fee_rial=50_000, office_rial=45_000, vat_rial=5_000),
    print_first=True,
    provider="municipality",
    call="permit",
    rows=(Row(name="zone", label=words("محدوده")),),
    item_rows=(Row(name="month", label=words("ماه")),),
    pay="several",
)
"""Nothing in the program speaks of it."""
ANSWER: Final = AnswerDocument(
    values={"zone": "12"},
    items=tuple(
        Item(
            key=str(place),
            values={"month": f"1405/{place:02}"},
            payable=Payable(
                key=str(place), amount_rial=bill.amount_rial, bill_id=bill.bill_id, bill_payment_id=bill.payment_id
            ),
        )
        for place, bill in enumerate(BILLS, start=1)
    ),
)


class Central:
    """What central would say, said to a box that is switched off for a moment: answers outlive a restart."""

    def __init__(self, folder: Path) -> None:
        self.box = Box(folder)
        self.box.clock = SystemClock()  # type: ignore[assignment] # the box's own, as it was when it was on

    def publish(self, *services: Service, catalogue_id: str, feed: str = NETWORK_FEED) -> None:
        says = self.box.central.office if feed == OFFICE_FEED else self.box.central.network
        with self.box:
            self.box.receive(feed, [says.say(CataloguePublished(catalogue_id=catalogue_id, services=services))])

    def answer(self, inquiry_id: str, document: AnswerDocument) -> None:
        with self.box:
            sealed = self._sealed(inquiry_id, msgspec.json.encode(document), SERVICE_ANSWER_PURPOSE)
            answered = ServiceAnswered(inquiry_id=inquiry_id, outcome="done", document=sealed, track_id="t-1")
            self.box.receive(OFFICE_FEED, [self.box.central.office.say(answered)])

    def _sealed(self, inquiry_id: str, data: bytes, purpose: str) -> Sealed:
        asked = self.box.queries.services.request(inquiry_id)
        assert asked
        key_id = asked.fields.key_id
        sql = "SELECT public_key FROM data_key WHERE key_id = ?"
        (found,) = self.box.within(lambda view: view._all(sql, (key_id,)))  # type: ignore[attr-defined]
        return seal(data, key_id=key_id, public_key=bytes.fromhex(found[0]), purpose=purpose)


def set_up(folder: Path, terminal_port: int, printer_port: int) -> Central:
    central = Central(folder)
    people = People(central.box.path)
    people.save_operator("reza", name="رضا", verifier=verifier_of(PASSWORD), role=MANAGER)
    people.save_api_token(hashlib.sha256(TOKEN.encode()).digest(), name="shop", scopes=SCOPES)
    people.close()
    save_settings(
        folder,
        Settings(
            office_name="دفتر آزمون",
            terminals=(TerminalSettings(host="127.0.0.1", port=terminal_port, profile="daftar/virtual"),),
            printer=PrinterSettings(host="127.0.0.1", port=printer_port, profile="daftar/virtual_80mm"),
            verify_base="http://127.0.0.1:1",
        ),
    )
    return central


class Program:
    """A program of the office at the API."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str) -> Any:
        answer = await self.client.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: object = None, *, status: int = 201, key: str | None = None) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = await self.client.post(f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def until(self, path: str, holds: Callable[[Any], bool]) -> Any:
        async with asyncio.timeout(DEADLINE_S):
            while not holds(found := await self.get(path)):  # noqa: ASYNC110 - a program looks again
                await asyncio.sleep(0.02)
            return found


@asynccontextmanager
async def at_work(folder: Path) -> AsyncIterator[Program]:
    async with visiting(create_app(folder, SystemClock(), SystemEntropy())) as person:
        person.client.headers["authorization"] = f"Bearer {TOKEN}"
        yield Program(person.client)


async def test_a_new_service_is_added_by_data_alone_and_sold_end_to_end(tmp_path: Path) -> None:
    printer = VirtualPrinter()
    await printer.start()
    async with working(1) as terminal:
        central = set_up(tmp_path, port_of(terminal), printer.port)
        async with at_work(tmp_path) as program:
            assert "parking_permit" not in {one["code"] for one in (await program.get("/services"))["services"]}
        central.publish(PERMIT, catalogue_id="c-1")
        async with at_work(tmp_path) as program:
            offered = await program.get("/services")
            assert (offered["catalogue_id"], [one["code"] for one in offered["services"]]) == (
                "c-1",
                ["parking_permit"],
            )
            ask = "/services/parking_permit/requests"
            wrong = {"fields": {"plate": "۹۹ ل ۲۸۳", "street": "مهر"}, "rules_accepted": True}
            assert (await program.post(ask, wrong, status=422, key="k0"))["field"] == "plate"
            good = {"fields": {"plate": "۹۹ ل ۲۸۳ ایران ۸۸", "street": "مهر"}, "rules_accepted": True}
            asked = await program.post(ask, good, key="k1")
            assert (asked["state"], asked["missing"]) == ("fee_due", ["answer", "fee", "print"])
            assert (await program.post(ask, good, key="k1"))["inquiry_id"] == asked["inquiry_id"]
            here = f"/service-requests/{asked['inquiry_id']}"
            fee = await program.post(f"{here}/fee", {}, key="k2")
            assert fee["amount_rial"] == 50_000
            paid = await program.until(here, lambda one: one["state"] == "waiting" and "print" not in one["missing"])
            assert (paid["fee"]["state"], paid["document"]) == ("approved", None)
            again = await program.post(f"{here}/fee", {}, status=409, key="k3")
            assert (again["code"], again["data"]["payment_id"]) == ("payment.obligation_held", fee["payment_id"])
        central.answer(asked["inquiry_id"], ANSWER)
        async with at_work(tmp_path) as program:
            ready = await program.get(here)
            assert (ready["state"], ready["payable"]) == ("ready", ["1", "2"])
            assert ready["document"]["values"] == {"zone": "12"}
            assert (await program.post(f"{here}/shown", status=200))["state"] == "shown"
            payment = await program.post(f"{here}/payments", {"keys": ["1", "2"]}, key="k4")
            assert payment["amount_rial"] == sum(bill.amount_rial for bill in BILLS)
            done = await program.until(here, lambda one: one["payments"].get("1", {}).get("state") == "approved")
            assert (done["payable"], done["payments"]["2"]["payment_id"]) == ([], payment["payment_id"])
            (listed,) = (await program.get("/service-requests"))["requests"]
            assert (listed["inquiry_id"], listed["state"]) == (asked["inquiry_id"], "shown")
        assert [charge.amount_rial for charge in terminal.charges] == [50_000, payment["amount_rial"]]
    await printer.close()
    assert rebuild_projections(central.box.path) == []


async def test_a_catalogue_that_makes_no_sense_is_refused_with_one_alarm_and_the_one_before_stays(
    tmp_path: Path,
) -> None:
    async with working(1) as terminal:
        central = set_up(tmp_path, port_of(terminal), port_of(terminal))
        central.publish(PERMIT, catalogue_id="c-1")
        broken = msgspec.structs.replace(PERMIT, tariff=Tariff(fee_rial=10, office_rial=3))
        central.publish(broken, catalogue_id="c-2")
        alarms: list[str] = []
        for _ in range(2):
            async with at_work(tmp_path) as program:
                offered = await program.get("/services")
                assert (offered["catalogue_id"], len(offered["services"])) == ("c-1", 1)
                async with asyncio.timeout(DEADLINE_S):
                    while not (alarms := refused(tmp_path)):  # noqa: ASYNC110 - nobody tells of it
                        await asyncio.sleep(0.02)
        assert alarms == ["c-2: parking_permit: the shares of the tariff do not sum to the fee"]
        # An office's own goes before the network's; without any service it sells none.
        central.publish(catalogue_id="c-3", feed=OFFICE_FEED)
        async with at_work(tmp_path) as program:
            assert await program.get("/services") == {"catalogue_id": "c-3", "services": []}


def refused(folder: Path) -> list[str]:
    queries = Queries(folder / STORE_NAME)
    try:
        return [alarm.detail for alarm in queries.status().alarms if alarm.kind == "catalogue_refused"]
    finally:
        queries.close()
