"""Bills that are paid together, page by page, over a real journal and a real terminal."""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from daftar.lab.simulation.counter_people import bill_of
from edge.devices.virtual.printer import VirtualPrinter
from edge.devices.virtual.terminal import VirtualTerminal
from edge.services.bills.pay_group import PayGroup
from edge.services.bills.read_bill import read_bill
from edge.services.payments.disagreement import disputed
from edge.services.payments.wanted import bill_wanted
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.identifiers import parse_bill
from shared.ids import bill_obligation
from shared.payment import PaymentState
from tests.edge.services.office import Office
from tests.edge.web.conftest import Browser, Page
from tests.edge.web.fake_counter import FakeCounter

BILLS = [parse_bill(*bill_of(number)) for number in range(4)]
CODES = [bill.barcode for bill in BILLS]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    terminal = VirtualTerminal(clock=SystemClock(), entropy=SystemEntropy())
    await terminal.start()
    async with Office(tmp_path, terminal) as running:
        yield running
    await terminal.stop()


@pytest.fixture
async def teller(operator: Browser, counter: FakeCounter, office: Office) -> AsyncIterator[Browser]:
    """A person at the pages of a counter whose bills, payments and papers are real."""
    printer = VirtualPrinter()
    await printer.start()
    documents = office.printing(printer)
    real: Any = counter
    real.queries = office.box.queries
    real.read_bill = lambda bill, payment=None: read_bill(office.box.queries, bill, payment)
    real.disputed = lambda obligation: disputed(office.box.queries, obligation)
    real.progress, real.queue_place = office.payments.progress, office.payments.queue_place
    real.groups = PayGroup(
        queries=office.box.queries, payments=office.payments, documents=documents, may_begin=lambda _: None
    )

    async def print_receipt(payment_id: str, *, operator: str, item: int | None = None) -> str:
        return await documents.request_receipt(payment_id, item)

    real.print_receipt = print_receipt
    yield operator
    await printer.close()


def address(codes: Sequence[str]) -> str:
    return "/bills/group?" + "&".join(f"bill={code}" for code in codes)


async def pressed(teller: Browser, on_page: str, action: str, charge: str, bills: Sequence[str] = ()) -> httpx.Response:
    """Press one of the buttons of a form of a page."""
    hidden = (await teller.page(on_page)).form(action)
    data = {**hidden, "charge": charge, "bill": list(bills)}
    return await teller.client.post(action, data=data)


async def paid(teller: Browser, office: Office, charge: str = "one", codes: Sequence[str] = CODES) -> str:
    """Pay bills; return the address of their group."""
    answer = await pressed(teller, address(codes), "/bills/groups", charge, codes)
    assert answer.status_code == 303
    at = answer.headers["location"]
    for payment in office.box.queries.payments_of_group(at.rsplit("/", 1)[1]):
        await office.ends(payment.payment_id)
    return str(at)


async def test_bills_read_one_after_another_stand_in_a_row_with_their_sum(teller: Browser):
    at = "/bills/group"
    for code in CODES:
        joint = "&" if "?" in at else "?"
        answer = await teller.get(f"{at}{joint}barcode={code}")
        assert answer.status_code == 303
        at = answer.headers["location"]
    assert at == address(CODES)
    page = await teller.page(at)
    assert [one["value"] for one in page.all("input", name="bill")] == CODES * 2, "one for more bills, one to pay"
    assert "۴ قبض در این گروه" in page.text
    total = sum(bill.amount_rial for bill in BILLS) // 10
    assert f"{total:,}".translate(str.maketrans("0123456789,", "۰۱۲۳۴۵۶۷۸۹٬")) in page.text
    removed = await teller.page(address([CODES[0], *CODES[2:]]))
    assert "۳ قبض در این گروه" in removed.text


async def test_a_bill_that_cannot_be_added_is_refused_with_a_sentence_and_the_rest_stays(
    teller: Browser, office: Office
):
    before = address(CODES[:2])
    office.virtual.set_auto("approve")
    await office.ends(await office.pay(BILLS[3]))
    for added, said in (
        ("barcode=123", "این شناسه ۳ رقم دارد"),
        (f"bill_id={BILLS[2].bill_id[:-1]}&payment_id={BILLS[2].payment_id}", "رقم کنترل"),
        (f"bill_id={BILLS[2].bill_id}", "شناسه پرداخت وارد نشده است"),
        (f"barcode={CODES[0]}", "در ردیف ۱ همین گروه هست"),
        (f"barcode={CODES[3]}", "پیش‌تر همین‌جا پرداخت شده است"),
        ("add=1&barcode=", "وارد نشده است"),
    ):
        answer = await teller.get(f"{before}&{added}")
        assert answer.status_code in (409, 422), added
        page = Page(answer.text)
        assert said in page.text, added
        assert [one["value"] for one in page.all("input", name="bill")] == CODES[:2] * 2, added
    typed = Page((await teller.get(f"{before}&bill_id=۱۲۳۴۵۶&payment_id=77")).text)
    assert (typed.field("bill_id")["value"], typed.field("payment_id")["value"]) == ("۱۲۳۴۵۶", "77")


async def test_one_charge_shows_each_bill_with_its_own_status_and_receipt(teller: Browser, office: Office):
    office.virtual.set_auto("approve")
    at = await paid(teller, office)
    page = await teller.page(at)
    assert page.text.count("در صف تأیید") >= len(BILLS)
    assert "۴ از ۴ قبض پرداخت شده است" in page.text
    (payment,) = office.box.queries.payments_of_group(at.rsplit("/", 1)[1])
    print_form = Page((await teller.get(at)).text).form(f"/payments/{payment.payment_id}/print")
    answer = await teller.client.post(f"/payments/{payment.payment_id}/print", data={**print_form, "item": "2"})
    assert answer.headers["location"] == at
    assert len(office.box.queries.print_jobs_for(f"{payment.payment_id}/2")) == 1
    one = await teller.page(f"/payments/{payment.payment_id}")
    for bill in BILLS:
        assert bill.bill_id in one.text
    await teller.send(at, f"{at}/receipts")
    await teller.send(at, f"{at}/slip")
    slips = office.box.queries.print_jobs_for(payment.payment_id)
    assert [slip.document for slip in slips] == ["group_slip"], "the one that came with the charge still waits"


async def test_what_failed_is_paid_again_from_the_page_and_nothing_twice(teller: Browser, office: Office):
    office.virtual.set_auto("decline")
    at = await paid(teller, office, "each")
    page = await teller.page(at)
    assert "پرداخت مجدد" in page.text
    assert "از کارت برای این قبض‌ها پولی برداشته نشده است" in page.text
    office.virtual.set_auto("approve")
    hidden = page.form(f"{at}/again")
    for _ in range(2):
        answer = await teller.client.post(f"{at}/again", data={**hidden, "charge": "one"})
        assert (answer.status_code, answer.headers["location"]) == (303, at)
        for payment in office.box.queries.payments_of_group(at.rsplit("/", 1)[1]):
            await office.ends(payment.payment_id)
    assert "۴ از ۴ قبض پرداخت شده است" in (await teller.page(at)).text
    assert len(office.virtual.charges) == 1


async def test_a_charge_in_doubt_is_asked_about_and_not_offered_again(teller: Browser, office: Office):
    office.virtual.set_fault("die_after_charging")
    office.virtual.set_auto("approve")
    at = await paid(teller, office)
    page = await teller.page(at)
    assert "پرداخت مجدد" not in page.text
    assert "تأیید تراکنش" in page.text
    (payment,) = office.box.queries.payments_of_group(at.rsplit("/", 1)[1])
    assert payment.state is PaymentState.IN_DOUBT
    assert page.form(f"/payments/{payment.payment_id}/check")["next"] == at


async def test_a_bill_paid_meanwhile_is_marked_and_left_out_and_the_rest_can_be_paid(teller: Browser, office: Office):
    office.virtual.set_auto("approve")
    hidden = (await teller.page(address(CODES))).form("/bills/groups")
    await office.ends(await office.pay(BILLS[1]))
    answer = await teller.client.post("/bills/groups", data={**hidden, "charge": "one", "bill": CODES})
    assert answer.status_code == 409
    page = Page(answer.text)
    assert [one["value"] for one in page.all("input", name="bill")] == [*CODES, CODES[0], CODES[2], CODES[3]]
    assert "این قبض پیش‌تر همین‌جا پرداخت شده است" in page.text
    rest = [CODES[0], *CODES[2:]]
    answer = await teller.client.post(
        "/bills/groups", data={**page.form("/bills/groups"), "charge": "one", "bill": rest}
    )
    assert answer.status_code == 303


async def test_those_that_wait_are_dropped_from_the_page(teller: Browser, office: Office):
    answer = await pressed(teller, address(CODES), "/bills/groups", "each", CODES)
    at = answer.headers["location"]
    await office.card_asked_for()
    page = await teller.page(at)
    assert "در نوبت" in page.text
    assert re.search("نوبت قبض .* است", page.text)
    await teller.send(at, f"{at}/stop")
    office.virtual.press("approve")
    for payment in office.box.queries.payments_of_group(at.rsplit("/", 1)[1]):
        await office.ends(payment.payment_id)
    live = await teller.get(f"{at}/live")
    assert "۱ از ۴ قبض پرداخت شده است" in live.text


async def test_nobody_finds_a_group_that_is_none(teller: Browser):
    assert (await teller.get("/bills/groups/gnone")).status_code == 404
    assert "هنوز قبضی" in (await teller.page("/bills/group")).text
    assert "هنوز قبضی" in (await teller.page("/bills/group?bill=1&bill=zz")).text


async def test_a_paid_bill_is_found_by_either_id_or_its_barcode_and_its_receipt_printed_again(
    teller: Browser, office: Office
):
    office.virtual.set_auto("approve")
    assert "هنوز قبضی پرداخت نشده است" in (await teller.page("/bills/paid")).text
    at = await paid(teller, office)
    alone = parse_bill(*bill_of(7))
    await office.ends(await office.pay(alone))
    everyone = await teller.page("/bills/paid")
    for bill in (*BILLS, alone):
        assert bill.bill_id in everyone.text
    wanted = BILLS[2]
    for q in (wanted.barcode, wanted.bill_id, "0" + wanted.payment_id):
        found = await teller.page(f"/bills/paid?q={q}")
        assert wanted.bill_id in found.text
        assert BILLS[1].bill_id not in found.text
        assert alone.bill_id not in found.text
    (payment,) = office.box.queries.payments_of_group(at.rsplit("/", 1)[1])
    action = f"/payments/{payment.payment_id}/print"
    for count in (1, 2):
        hidden = (await teller.page(f"/bills/paid?q={wanted.bill_id}")).form(action)
        assert hidden["item"] == "2"
        answer = await teller.client.post(action, data=hidden)
        assert answer.headers["location"] == f"/bills/paid?q={wanted.bill_id}"
        assert len(office.box.queries.print_jobs_for(f"{payment.payment_id}/2")) == 1, count
    assert "چاپ رونوشت" in (await teller.page(f"/bills/paid?q={wanted.bill_id}")).text
    assert "پرداختی از این قبض این‌جا ثبت نشده است" in (await teller.page("/bills/paid?q=999999")).text
    assert "تنها رقم" in (await teller.page("/bills/paid?q=سلام")).text


async def test_who_follows_up_a_part_of_a_whole_is_led_to_the_payment_of_the_whole(teller: Browser, office: Office):
    office.virtual.set_auto("approve")
    whole, part = (parse_bill(*bill_of(number)) for number in (8, 9))
    covers = (bill_obligation(part.bill_id, part.payment_id),)
    paid_whole = await office.payments.request(
        msgspec.structs.replace(bill_wanted(whole), covers=covers), operator="sara"
    )
    await office.ends(paid_whole)
    page = await teller.page(f"/bills/paid?q={part.barcode}")
    assert f'href="/payments/{paid_whole}"' in page.source
    assert "ثبت نشده است" not in page.text


async def test_what_a_whole_holds_keeps_nobody_from_paying_the_rest_of_a_group_again(teller: Browser, office: Office):
    office.virtual.set_auto("decline")
    at = await paid(teller, office)
    office.virtual.set_auto("approve")
    part = BILLS[1]
    covers = (bill_obligation(part.bill_id, part.payment_id),)
    whole = msgspec.structs.replace(bill_wanted(parse_bill(*bill_of(8))), covers=covers)
    holder = await office.payments.request(whole, operator="sara")
    await office.ends(holder)
    page = await teller.page(at)
    assert f'href="/payments/{holder}"' in page.source
    answer = await teller.send(at, f"{at}/again", charge="one")
    assert answer.status_code == 303
    again = office.box.queries.payments_of_group(at.rsplit("/", 1)[1])[-1]
    assert await office.ends(again.payment_id) is PaymentState.APPROVED
    assert {item.bill_id for item in again.items} == {bill.bill_id for bill in BILLS} - {part.bill_id}


async def test_a_disputed_bill_is_asked_about_by_the_payment_that_is_disputed_and_the_rest_is_paid(
    teller: Browser, office: Office
):
    office.virtual.set_auto("decline")
    alone = await office.pay(BILLS[1])
    await office.ends(alone)
    at = await paid(teller, office)
    (dropped,) = office.box.queries.payments_of_group(at.rsplit("/", 1)[1])
    office.worker.stray_answer(office.charge_of(alone, amount_rial=1))
    await office.until(lambda: ("stray_approval", alone) in office.alarms())
    page = await teller.page(at)
    assert page.form(f"/payments/{alone}/check")["next"] == at
    assert f"/payments/{dropped.payment_id}/check" not in page.source, "nothing was said of that one"
    told = await teller.client.get(
        f"/api/v1/bill-groups/{at.rsplit('/', 1)[1]}", headers={"Authorization": "Bearer all"}
    )
    assert [bill["state"] for bill in told.json()["bills"]] == ["declined", "in_doubt", "declined", "declined"]
    office.virtual.set_auto("approve")
    assert (await teller.send(at, f"{at}/again", charge="one")).status_code == 303
    again = office.box.queries.payments_of_group(at.rsplit("/", 1)[1])[-1]
    assert await office.ends(again.payment_id) is PaymentState.APPROVED
    assert {item.bill_id for item in again.items} == {bill.bill_id for bill in BILLS} - {BILLS[1].bill_id}


async def test_older_paid_bills_are_a_page_further(teller: Browser, office: Office, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("edge.web.pages.paid_bills.ROWS_MAX", 2)
    office.virtual.set_auto("approve")
    for bill in BILLS[:3]:
        await office.ends(await office.pay(bill))
    first = await teller.page("/bills/paid")
    assert BILLS[0].bill_id not in first.text
    older = re.search(r'href="(/bills/paid\?before=[0-9]+)"', first.source)
    assert older
    second = await teller.page(older[1])
    assert BILLS[0].bill_id in second.text
    assert BILLS[2].bill_id not in second.text


async def test_programs_pay_a_group_by_the_api(teller: Browser, office: Office):
    office.virtual.set_auto("approve")
    client, api = teller.client, "/api/v1/bill-groups"
    headers = {"Authorization": "Bearer all", "Idempotency-Key": "k1"}
    bills = [{"barcode": code} for code in CODES[:2]] + [
        {"bill_id": BILLS[2].bill_id, "payment_id": BILLS[2].payment_id}
    ]
    asked = {"bills": bills, "one_charge": True}
    begun = [await client.post(api, json=asked, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in begun] == [201, 201]
    assert begun[0].json()["group_id"] == begun[1].json()["group_id"]
    at = begun[0].headers["location"]
    (payment,) = begun[0].json()["payments"]
    await office.ends(payment["payment_id"])
    group = (await client.get(at, headers=headers)).json()
    assert [bill["state"] for bill in group["bills"]] == ["paid"] * 3
    assert [item["bill_id"] for item in group["payments"][0]["items"]] == [bill.bill_id for bill in BILLS[:3]]
    again = await client.post(f"{at}/again", json={"one_charge": True}, headers={**headers, "Idempotency-Key": "k2"})
    assert (again.status_code, again.json()["code"]) == (409, "bill.nothing_left")
    assert (await client.post(f"{at}/slip", headers=headers)).status_code == 200
    assert (await client.post(f"{at}/stop", headers=headers)).status_code == 200
    no_key = await client.post(api, json=asked, headers={"Authorization": "Bearer all"})
    assert no_key.json()["code"] == "api.idempotency_key_needed"
