import msgspec
import pytest

from shared.payment import PaymentState
from tests.edge.web.conftest import Browser, Page
from tests.edge.web.fake_counter import AT, FakeCounter

OWED = {
    "outcome": "owed",
    "amount_rial": 975_000,
    "bill_id": "1064348103115",
    "bill_payment_id": "97570237",
    "answered_at": AT,
}


async def test_an_inquiry_is_taken_and_shows_its_ticket(operator: Browser, counter: FakeCounter):
    answer = await operator.send("/inquiries/new", "/inquiries", kind="electricity", parameter="۹۱۷۴۶۳۹۵۰۴۱۲۴")
    asked = counter.asked[0][1]
    assert answer.headers["location"] == f"/inquiries/{asked}"
    page = await operator.page(f"/inquiries/{asked}")
    assert "در صف استعلام" in page.text
    assert "شماره نوبت ۱" in page.text
    assert "9174639504124" not in page.source, "only the last digits are shown"


async def test_pressing_ask_twice_asks_once(operator: Browser, counter: FakeCounter):
    hidden = (await operator.page("/inquiries/new")).form("/inquiries")
    data = {**hidden, "kind": "gas", "parameter": "12345678"}
    first, second = [await operator.client.post("/inquiries", data=data) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    assert len(counter.asked) == 1


@pytest.mark.parametrize(
    ("kind", "parameter", "field"), [("mobile", "۰۲۱۸۸", "parameter"), ("gas", "", "parameter"), ("", "12345", "kind")]
)
async def test_what_cannot_be_asked_names_its_field_and_keeps_what_was_typed(
    operator: Browser, counter: FakeCounter, kind: str, parameter: str, field: str
):
    answer = await operator.send("/inquiries/new", "/inquiries", kind=kind, parameter=parameter)
    page = Page(answer.text)
    assert answer.status_code == 422
    assert page.field("parameter")["value"] == parameter
    assert [found["value"] for found in page.all("input", name="kind") if "checked" in found] == (
        [kind] if kind else []
    )
    assert f'id="{field}-error"' in answer.text
    assert counter.asked == []


async def test_without_a_line_it_says_that_the_customer_need_not_wait(operator: Browser, counter: FakeCounter):
    waiting = counter.add_inquiry("water")
    counter.line_view = msgspec.structs.replace(counter.line_view, state="none")
    page = await operator.page(f"/inquiries/{waiting.inquiry_id}")
    assert "اکنون خط نیست" in page.text


async def test_the_answer_arrives_in_the_open_page_and_is_paid_in_place(operator: Browser, counter: FakeCounter):
    waiting = counter.add_inquiry("water")
    path = f"/inquiries/{waiting.inquiry_id}"
    live = (await operator.page(path)).all("div", id="inquiry")[0]["hx-get"]
    assert (await operator.get(live)).status_code == 204
    counter.queries.all_inquiries[waiting.inquiry_id] = msgspec.structs.replace(waiting, **OWED)
    part = Page((await operator.get(live)).text)
    assert "پرداخت ۹۷٬۵۰۰ تومان" in part.text
    answer = await operator.client.post("/payments", data=part.form("/payments"))
    payment = counter.queries.all_payments[answer.headers["location"].rpartition("/")[2]]
    assert (payment.inquiry_id, payment.bill_id) == (waiting.inquiry_id, "1064348103115")


async def test_once_its_bill_is_being_paid_it_shows_that_payment_instead_of_a_button(
    operator: Browser, counter: FakeCounter
):
    payment = counter.add_payment("10643481031150000097570237", PaymentState.SENT)
    inquiry = counter.add_inquiry("water", payment_id=payment.payment_id, **OWED)
    page = await operator.page(f"/inquiries/{inquiry.inquiry_id}")
    assert page.all("a", href=f"/payments/{payment.payment_id}")
    assert not page.all("form", action="/payments")


@pytest.mark.parametrize(
    ("outcome", "said"),
    [("nothing_owed", "بدهی ندارد"), ("wrong_parameter", "نمی‌شناسد"), ("refused", "نیاز به بررسی")],
)
async def test_other_answers_say_what_to_do_and_offer_no_payment(
    operator: Browser, counter: FakeCounter, outcome: str, said: str
):
    inquiry = counter.add_inquiry("gas", outcome=outcome)
    page = await operator.page(f"/inquiries/{inquiry.inquiry_id}")
    assert said in page.text
    assert not page.all("form", action="/payments")


async def test_a_ticket_is_printed_again(operator: Browser, counter: FakeCounter):
    inquiry = counter.add_inquiry("gas")
    path = f"/inquiries/{inquiry.inquiry_id}"
    await operator.send(path, f"{path}/print")
    assert counter.asked == [("ticket", inquiry.inquiry_id)]


async def test_an_unknown_inquiry_is_an_unknown_page(operator: Browser):
    assert (await operator.get("/inquiries/q-none")).status_code == 404


async def test_the_kind_of_a_service_is_chosen_already(operator: Browser):
    page = await operator.page("/inquiries/new?kind=landline")
    assert [found["value"] for found in page.all("input", name="kind") if "checked" in found] == ["landline"]
