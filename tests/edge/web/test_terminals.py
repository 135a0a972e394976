"""Several terminals on the pages and in the API: chosen, seen with their queues, refused one by one."""

import httpx
import msgspec
import pytest

from shared.payment import PaymentState
from tests.edge.web.conftest import BILL, BILL_ID, OTHER_BILL, PAYMENT_ID, Browser, Page
from tests.edge.web.fake_counter import FakeCounter, Terminal

REVIEW = f"/bill?bill_id={BILL_ID}&payment_id={PAYMENT_ID}"
THIRD_BILL = "20503276046130000001070189"


@pytest.fixture
def two(counter: FakeCounter) -> FakeCounter:
    counter.terminal_view = Terminal(name="باجه ۱")
    counter.more_terminals = [Terminal(name="باجه ۲", terminal_number="73000003")]
    return counter


def choices(page: Page) -> dict[str, bool]:
    return {field["value"]: "checked" in field for field in page.all("input", name="terminal", type="radio")}


async def test_one_terminal_is_not_asked_for(operator: Browser):
    page = await operator.page(REVIEW)
    assert not choices(page)
    assert "terminals" not in {tag[1].get("id") for tag in page.tags}


async def test_the_terminal_chosen_takes_the_payment_and_is_offered_again(operator: Browser, two: FakeCounter):
    assert choices(await operator.page(REVIEW)) == {"باجه ۱": True, "باجه ۲": False}
    answer = await operator.send(REVIEW, "/payments", terminal="باجه ۲")
    assert answer.status_code == 303
    (payment,) = two.queries.payments(None, 5)
    assert payment.terminal == "باجه ۲"
    other = f"/bill?barcode={OTHER_BILL}"
    assert choices(await operator.page(other)) == {"باجه ۱": False, "باجه ۲": True}
    kept = await operator.get("/terminal/choice?terminal=%D8%A8%D8%A7%D8%AC%D9%87%20%DB%B1&seen=")
    assert choices(Page(kept.text)) == {"باجه ۱": True, "باجه ۲": False}, "what is ticked on the page stays ticked"


async def test_a_locked_terminal_refuses_only_its_own_payments(operator: Browser, two: FakeCounter):
    doubt = two.add_payment(OTHER_BILL, PaymentState.IN_DOUBT, terminal="باجه ۱")
    two.terminal_view = msgspec.structs.replace(two.terminal_view, state="locked", locked_by=doubt.payment_id)
    page = await operator.page(REVIEW)
    assert page.all("form", action="/payments")
    assert "قفل" in page.text
    refused = await operator.send(REVIEW, "/payments", terminal="باجه ۱")
    assert refused.status_code == 409
    said = Page(refused.text)
    assert said.all("a", href=f"/payments/{doubt.payment_id}")
    assert choices(said) == {"باجه ۱": True, "باجه ۲": False}
    assert (await operator.send(REVIEW, "/payments", terminal="باجه ۲")).status_code == 303


async def test_who_waits_sees_the_place_and_who_is_ahead(operator: Browser, two: FakeCounter):
    at_it = two.add_payment(BILL, PaymentState.SENT, terminal="باجه ۱")
    first = two.add_payment(OTHER_BILL, PaymentState.REQUESTED, terminal="باجه ۱")
    second = two.add_payment(THIRD_BILL, PaymentState.REQUESTED, terminal="باجه ۱")
    two.terminal_view = msgspec.structs.replace(
        two.terminal_view, state="busy", payment_id=at_it.payment_id, queue=(first.payment_id, second.payment_id)
    )
    two.progress_words = {first.payment_id: "queued", second.payment_id: "queued"}
    page = await operator.page(f"/payments/{second.payment_id}")
    assert "در صف کارتخوان «باجه ۱»: ۲ نفر جلوتر است" in page.text
    assert page.all("a", href=f"/payments/{at_it.payment_id}")
    assert page.all("a", href=f"/payments/{first.payment_id}")
    assert page.all("form", action=f"/payments/{second.payment_id}/cancel")
    devices = await operator.page("/terminal")
    assert "۲ نفر در صف" in devices.text
    assert "پای کارتخوان" in devices.text
    assert "در صف، نفر ۲" in devices.text
    gauges = Page((await operator.get("/gauges")).text)
    assert "باجه ۱ در کار · ۲ نفر در صف" in gauges.text
    assert "باجه ۲ متصل" in gauges.text


async def test_many_terminals_are_summed_up_in_the_header(operator: Browser, two: FakeCounter):
    two.more_terminals += [
        Terminal(name="c", state="not_ready"),
        Terminal(name="d", state="locked", locked_by="p1", queue=("p2",)),
    ]
    text = Page((await operator.get("/gauges")).text).text
    assert "۴ کارتخوان ۲ آماده · ۱ قفل · ۱ از کار افتاده · ۱ نفر در صف" in text


async def test_a_terminal_that_was_taken_out_with_a_payment_in_doubt_is_shown(operator: Browser, counter: FakeCounter):
    doubt = counter.add_payment(BILL, PaymentState.IN_DOUBT, terminal="old")
    counter.more_terminals = [
        Terminal(name="old", state="removed", connected=False, address="", locked_by=doubt.payment_id)
    ]
    page = await operator.page("/terminal")
    assert "این کارتخوان دیگر در تنظیمات دستگاه نیست" in page.text
    assert page.all("a", href=f"/payments/{doubt.payment_id}")
    assert not choices(await operator.page(f"/bill?barcode={OTHER_BILL}")), "nothing can be paid at it"


async def test_programs_see_terminals_name_one_and_leave_a_queue(visitor: Browser, two: FakeCounter):
    api = httpx.AsyncClient(
        transport=visitor.client._transport, base_url="http://box.test", headers={"authorization": "Bearer all"}
    )
    async with api:
        asked = {"bill_id": BILL_ID, "payment_id": PAYMENT_ID, "terminal": "باجه ۲"}
        made = (await api.post("/api/v1/payments", json=asked, headers={"idempotency-key": "k"})).json()
        assert (made["terminal"], made["queue_place"]) == ("باجه ۲", None)
        two.more_terminals = [
            msgspec.structs.replace(two.more_terminals[0], state="busy", payment_id="px", queue=(made["payment_id"],))
        ]
        listed = (await api.get("/api/v1/terminals")).json()["terminals"]
        assert [(one["name"], one["state"], one["queue"]) for one in listed] == [
            ("باجه ۱", "idle", []),
            ("باجه ۲", "busy", [made["payment_id"]]),
        ]
        assert (await api.get(f"/api/v1/payments/{made['payment_id']}")).json()["queue_place"] == 1
        refused = await api.post(f"/api/v1/payments/{made['payment_id']}/cancel")
        assert (refused.status_code, refused.json()["code"]) == (409, "payment.not_waiting")
        two.progress_words[made["payment_id"]] = "queued"
        assert (await api.post(f"/api/v1/payments/{made['payment_id']}/cancel")).status_code == 200
        assert two.asked[-1] == ("cancel", made["payment_id"])
