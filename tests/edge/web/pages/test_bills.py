import re

import msgspec
import pytest

from shared.payment import PaymentState
from tests.edge.web.conftest import BILL, BILL_ID, OTHER_BILL, PAYMENT_ID, Browser, Page
from tests.edge.web.fake_counter import FakeCounter

REVIEW = f"/bill?bill_id={BILL_ID}&payment_id={PAYMENT_ID}"


async def test_a_wrong_digit_names_its_field_and_keeps_what_was_typed(operator: Browser):
    answer = await operator.get("/bill?bill_id=۷۷۴۸۳۱۷۸۰۰۱۴۳&payment_id=1770160")
    page = Page(answer.text)
    assert answer.status_code == 422
    wrong = page.field("bill_id")
    assert wrong["value"] == "۷۷۴۸۳۱۷۸۰۰۱۴۳", "as typed, in the digits it was typed in"
    assert wrong["aria-invalid"] == "true"
    assert page.field("payment_id")["value"] == "1770160"
    assert "aria-invalid" not in page.field("payment_id")
    said = re.search(rf'id="{wrong["aria-describedby"]}".*?</p>', answer.text, re.DOTALL)
    assert said
    assert "رقم کنترل" in said[0]


async def test_the_payment_id_is_named_when_it_is_the_wrong_one(operator: Browser):
    page = await operator.page(f"/bill?bill_id={BILL_ID}&payment_id=1770161")
    assert page.field("payment_id")["aria-invalid"] == "true"
    assert "aria-invalid" not in page.field("bill_id")


@pytest.mark.parametrize(
    "address",
    [
        f"/bill?barcode={BILL}",
        f"/bill?bill_id={BILL}",
        "/bill?barcode=۷۷۴۸۳۱۷۸۰۰۱۴۲۰۰۰۰۰۰۱۷۷۰۱۶۰",
        REVIEW,
        "/bill?bill_id=٧٧٤٨٣١٧٨٠٠١٤٢&payment_id=0001770160",
    ],
)
async def test_a_bill_is_read_however_it_was_scanned_or_typed(operator: Browser, address: str):
    page = await operator.page(address)
    assert "قبض تلفن ثابت" in page.text
    assert "۱٬۷۰۰ تومان" in page.text
    assert "۱۷٬۰۰۰ ریال" in page.text
    assert "پرداخت ۱٬۷۰۰ تومان" in page.text, "the amount stands on the button"


async def test_paying_goes_to_the_payment_and_asks_once(operator: Browser, counter: FakeCounter):
    answer = await operator.send(REVIEW, "/payments")
    assert answer.status_code == 303
    assert [name for name, _ in counter.asked] == ["pay"]
    assert answer.headers["location"] == f"/payments/{counter.asked[0][1]}"
    assert counter.queries.all_payments[counter.asked[0][1]].operator == "reza"


async def test_pressing_twice_pays_once_and_both_presses_end_at_the_same_payment(
    operator: Browser, counter: FakeCounter
):
    hidden = (await operator.page(REVIEW)).form("/payments")
    first, second = [await operator.client.post("/payments", data=hidden) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    assert len(counter.asked) == 1


async def test_a_key_with_another_bill_is_refused(operator: Browser, counter: FakeCounter):
    hidden = (await operator.page(REVIEW)).form("/payments")
    await operator.client.post("/payments", data=hidden)
    other = {**hidden, "bill_id": "9174639504124", "payment_id": "12908190"}
    assert (await operator.client.post("/payments", data=other)).status_code == 409
    assert len(counter.asked) == 1


async def test_a_form_without_its_key_pays_nothing(operator: Browser, counter: FakeCounter):
    hidden = (await operator.page(REVIEW)).form("/payments")
    for key in ("", "k" * 65):
        assert (await operator.client.post("/payments", data={**hidden, "key": key})).status_code == 403
    assert counter.asked == []


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (PaymentState.APPROVED, "پیش‌تر همین‌جا پرداخت شده"),
        (PaymentState.SENT, "هم‌اکنون در جریان است"),
        (PaymentState.IN_DOUBT, "هنوز نامشخص است"),
    ],
)
async def test_a_bill_that_is_held_shows_the_earlier_payment_and_no_pay_button(
    operator: Browser, counter: FakeCounter, state: PaymentState, said: str
):
    earlier = counter.add_payment(BILL, state)
    page = await operator.page(REVIEW)
    assert said in page.text
    assert page.all("a", href=f"/payments/{earlier.payment_id}")
    assert not page.all("form", action="/payments")


async def test_losing_a_race_for_a_bill_shows_the_payment_that_won(operator: Browser, counter: FakeCounter):
    hidden = (await operator.page(REVIEW)).form("/payments")
    winner = counter.add_payment(BILL, PaymentState.SENT)
    answer = await operator.client.post("/payments", data=hidden)
    assert answer.status_code == 409
    assert Page(answer.text).all("a", href=f"/payments/{winner.payment_id}")
    assert counter.asked == []


async def test_a_locked_terminal_leads_to_the_payment_that_locks_it(operator: Browser, counter: FakeCounter):
    doubt = counter.add_payment(OTHER_BILL, PaymentState.IN_DOUBT)
    hidden = (await operator.page(REVIEW)).form("/payments")
    counter.terminal_view = msgspec.structs.replace(counter.terminal_view, state="locked", locked_by=doubt.payment_id)
    page = await operator.page(REVIEW)
    assert "قفل است" in page.text
    assert not page.all("form", action="/payments")
    answer = await operator.client.post("/payments", data=hidden)
    assert answer.status_code == 409
    assert f"/payments/{doubt.payment_id}" in answer.text


async def test_a_payment_in_doubt_says_so_and_offers_only_questions(operator: Browser, counter: FakeCounter):
    doubt = counter.add_payment(BILL, PaymentState.IN_DOUBT, in_doubt_reason="restart", asked_count=2)
    page = await operator.page(f"/payments/{doubt.payment_id}")
    assert "نامشخص · دوباره نکشید" in page.text
    assert "خاموش و روشن شد" in page.text
    assert "تأیید تراکنش" in page.text
    assert not page.all("form", action="/payments"), "never a second charge"
    answer = await operator.send(f"/payments/{doubt.payment_id}", f"/payments/{doubt.payment_id}/check")
    assert answer.headers["location"] == f"/payments/{doubt.payment_id}"
    assert counter.asked == [("check", doubt.payment_id)]


async def test_it_stands_on_the_home_page_and_in_the_header_until_settled(operator: Browser, counter: FakeCounter):
    doubt = counter.add_payment(BILL, PaymentState.IN_DOUBT)
    for _ in range(8):
        counter.add_payment(OTHER_BILL, PaymentState.DECLINED)
    page = await operator.page("/")
    assert len(page.all("a", href=f"/payments/{doubt.payment_id}")) == 2
    assert "۱ پرداخت نامشخص" in (await operator.page("/about")).text


async def test_cancel_is_offered_only_while_it_can_work(operator: Browser, counter: FakeCounter):
    sent = counter.add_payment(BILL, PaymentState.SENT)
    path = f"/payments/{sent.payment_id}"
    counter.progress_words[sent.payment_id] = "waiting_card"
    hidden = (await operator.page(path)).form(f"{path}/cancel")
    counter.progress_words[sent.payment_id] = "processing"
    assert not (await operator.page(path)).all("form", action=f"{path}/cancel")
    await operator.client.post(f"{path}/cancel", data=hidden)
    assert counter.asked == [("cancel", sent.payment_id)]


async def test_cancelling_what_has_just_ended_shows_how_it_ended(operator: Browser, counter: FakeCounter):
    sent = counter.add_payment(BILL, PaymentState.SENT)
    path = f"/payments/{sent.payment_id}"
    counter.progress_words[sent.payment_id] = "waiting_card"
    hidden = (await operator.page(path)).form(f"{path}/cancel")
    counter.progress_words.clear()
    answer = await operator.client.post(f"{path}/cancel", data=hidden)
    assert (answer.status_code, answer.headers["location"]) == (303, path)


async def test_a_failed_payment_turns_its_button_into_pay_again(operator: Browser, counter: FakeCounter):
    failed = counter.add_payment(BILL, PaymentState.DECLINED, response_code="51")
    path = f"/payments/{failed.payment_id}"
    page = await operator.page(path)
    assert "پرداخت مجدد ۱٬۷۰۰ تومان" in page.text
    assert "کد 51" in page.text
    answer = await operator.send(path, "/payments")
    assert answer.headers["location"] not in (path, "/")


async def test_a_receipt_is_printed_and_the_next_one_is_called_a_copy(operator: Browser, counter: FakeCounter):
    paid = counter.add_payment(BILL, PaymentState.APPROVED, confirmation="queued", outcome_index=9)
    path = f"/payments/{paid.payment_id}"
    assert "چاپ رسید" in (await operator.page(path)).text
    await operator.send(path, f"{path}/print")
    assert counter.asked == [("print", paid.payment_id)]
    counter.change_payment(paid.payment_id, printed=1)
    assert "چاپ رونوشت" in (await operator.page(path)).text


async def test_a_refused_confirmation_shows_its_case(operator: Browser, counter: FakeCounter):
    refused = counter.add_payment(
        BILL, PaymentState.APPROVED, confirmation="refused", refusal_reason="expired", case_id="case-12"
    )
    page = await operator.page(f"/payments/{refused.payment_id}")
    assert "نیاز به بررسی" in page.text
    assert "case-12" in page.text
    assert "مهلت این قبض گذشته" in page.text


async def test_the_live_part_answers_only_when_something_changed(operator: Browser, counter: FakeCounter):
    payment = counter.add_payment(BILL, PaymentState.SENT)
    counter.progress_words[payment.payment_id] = "waiting_card"
    page = await operator.page(f"/payments/{payment.payment_id}")
    address = page.all("div", id="payment")[0]["hx-get"]
    assert (await operator.get(address)).status_code == 204
    counter.change_payment(payment.payment_id, state=PaymentState.APPROVED, confirmation="queued")
    answer = await operator.get(address)
    assert answer.status_code == 200
    assert "پرداخت شد · در صف تأیید" in answer.text
    again = Page(answer.text).all("div", id="payment")[0]["hx-get"]
    assert again != address
    assert (await operator.get(again)).status_code == 204


async def test_a_page_without_script_reloads_itself_while_a_card_is_awaited(operator: Browser, counter: FakeCounter):
    payment = counter.add_payment(BILL, PaymentState.SENT)
    assert (await operator.page(f"/payments/{payment.payment_id}")).all("meta", **{"http-equiv": "refresh"})
    counter.change_payment(payment.payment_id, state=PaymentState.DECLINED)
    assert not (await operator.page(f"/payments/{payment.payment_id}")).all("meta", **{"http-equiv": "refresh"})


async def test_a_payment_of_another_place_is_an_unknown_page(operator: Browser):
    answer = await operator.get("/payments/p-of-elsewhere")
    assert answer.status_code == 404
