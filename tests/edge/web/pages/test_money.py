"""What people decide about a charge, as they see and press it."""

import pytest

from edge.journal.refunds import AcquirerAnswer
from edge.journal.views import AlarmView
from shared.identifiers import read_bill
from shared.payment import PaymentState
from tests.edge.web.conftest import BILL, OTHER_BILL, Browser, Page
from tests.edge.web.fake_counter import AT, PASSWORD, FakeCounter

NO = {"charged": "no", "slip_number": "", "reason": "مشتری پیامکی ندارد"}


@pytest.fixture
def doubt(counter: FakeCounter) -> str:
    return counter.add_payment(
        BILL,
        PaymentState.IN_DOUBT,
        in_doubt_reason="no_answer",
        asked_count=3,
        last_answer="unclear",
        last_answer_code="96",
        last_asked_at=AT,
    ).payment_id


def alarm(payment_id: str, kind: str = "charge_mismatch") -> AlarmView:
    return AlarmView(index=7, kind=kind, payment_id=payment_id, detail="rrn 512345678901", raised_at=AT)


async def test_the_page_shows_what_was_said_before_it_offers_a_word(
    operator: Browser, counter: FakeCounter, doubt: str
):
    counter.queries.alarms.append(alarm(doubt))
    counter.queries.answers.append(
        AcquirerAnswer(number=1, payment_id=doubt, charged=False, source="settlement", acquirer="beh", received_index=5)
    )
    assert f"/payments/{doubt}/override" in (await operator.page(f"/payments/{doubt}")).source
    page = await operator.page(f"/payments/{doubt}/override")
    for words in ("۳ بار", "پاسخ ناروشن", "96", "کارتخوان از برداشتی گفت", "گفتهٔ پذیرندهٔ کارت", "برداشت نشده است"):
        assert words in page.text, words
    assert "رسید کارتخوان و گردش حساب مشتری را ببینید" in page.text


async def test_a_word_goes_by_a_page_that_says_what_happens_and_a_managers_password(
    operator: Browser, counter: FakeCounter, doubt: str
):
    action = f"/payments/{doubt}/override"
    sure = Page((await operator.send(action, action, **NO)).text)
    assert "قبض دوباره قابل پرداخت می‌شود" in sure.text
    assert "مشتری دو بار می‌پردازد" in sure.text
    assert counter.asked == []
    hidden = sure.form(action)
    assert hidden["reason"] == NO["reason"]
    wrong = await operator.client.post(action, data={**hidden, "username": "mina", "password": "no"})
    assert wrong.status_code == 401
    assert Page(wrong.text).field("username")["value"] == "mina"
    assert "no" not in {field.get("value") for field in Page(wrong.text).all("input", type="password")}
    refused = await operator.client.post(action, data={**hidden, "username": "sara", "password": PASSWORD})
    assert refused.status_code == 403
    done = await operator.client.post(action, data={**hidden, "username": "mina", "password": PASSWORD})
    assert (done.status_code, done.headers["location"]) == (303, f"/payments/{doubt}")
    assert counter.asked == [("not charged", doubt)]
    page = await operator.page(f"/payments/{doubt}")
    assert "ناموفق · با گواهی سرپرست" in page.text
    assert NO["reason"] in page.text
    assert "پرداخت مجدد" in page.text


async def test_a_charged_word_needs_the_slip_and_keeps_what_was_typed(
    operator: Browser, counter: FakeCounter, doubt: str
):
    action = f"/payments/{doubt}/override"
    answer = await operator.send(action, action, charged="yes", slip_number="", reason="رسید را دیدم")
    assert answer.status_code == 422
    page = Page(answer.text)
    assert page.field("slip_number")["aria-invalid"] == "true"
    assert "رسید را دیدم" in page.text
    nothing = await operator.send(action, action, slip_number="1", reason="رسید را دیدم")
    assert nothing.status_code == 422
    assert "یکی از این دو را برگزینید" in nothing.text
    sure = Page((await operator.send(action, action, charged="yes", slip_number="۰۰۰۴۱۲", reason="رسید را دیدم")).text)
    assert "این قبض دیگر در این دفتر پرداخت نمی‌شود" in sure.text
    assert counter.asked == []


@pytest.mark.parametrize("state", [PaymentState.APPROVED, PaymentState.DECLINED, PaymentState.SENT])
async def test_no_word_is_taken_for_what_is_not_in_doubt(
    operator: Browser, counter: FakeCounter, doubt: str, state: PaymentState
):
    action = f"/payments/{doubt}/override"
    hidden = (await operator.page(action)).form(action)
    counter.change_payment(doubt, state=state)
    answer = await operator.client.post(action, data={**hidden, **NO})
    assert answer.status_code == 409
    assert "دیگر نامشخص نیست" in answer.text
    assert "/override" not in (await operator.page(f"/payments/{doubt}")).source
    assert "<form" not in Page((await operator.get(action)).text).source.split('id="content"')[1].split("</main>")[0]


async def test_a_bill_of_which_a_charge_was_spoken_is_not_offered_again_until_a_word_settles_it(
    operator: Browser, counter: FakeCounter
):
    tried = counter.add_payment(BILL, PaymentState.DECLINED, response_code="51").payment_id
    assert "پرداخت مجدد" in (await operator.page(f"/payments/{tried}")).text
    counter.queries.alarms.append(alarm(tried))
    own = await operator.page(f"/payments/{tried}")
    assert "گفته‌ها نمی‌خواند" in own.text
    assert "پرداخت مجدد" not in own.text
    assert own.form(f"/payments/{tried}/check") is not None
    bill = await operator.page(f"/bill?barcode={BILL}")
    assert "معلوم نیست پرداخت پیشین این قبض برداشت شده است" in bill.text
    assert f"/payments/{tried}" in bill.source
    assert not [form for form in bill.all("form") if form.get("action") == "/payments"]
    action = f"/payments/{tried}/override"
    assert action in own.source
    sure = Page((await operator.send(action, action, **NO)).text)
    assert "کارتخوان برای پرداخت‌های دیگر آزاد می‌شود" not in sure.text, "it was never locked"
    hidden = sure.form(action)
    await operator.client.post(action, data={**hidden, "username": "mina", "password": PASSWORD})
    again = await operator.page(f"/payments/{tried}")
    assert "پرداخت مجدد" in again.text
    assert "ناموفق" in again.text


async def test_of_a_sale_that_was_given_back_another_charge_is_only_ruled_out(operator: Browser, counter: FakeCounter):
    back = counter.add_payment(BILL, PaymentState.REVERSED).payment_id
    counter.queries.alarms.append(alarm(back, "second_charge"))
    action = f"/payments/{back}/override"
    page = await operator.page(action)
    assert [field["value"] for field in page.all("input", type="radio", name="charged")] == ["no"]
    refused = await operator.send(action, action, charged="yes", slip_number="1", reason="رسید را دیدم")
    assert refused.status_code == 409
    assert "نمی‌شود گواهی داد" in refused.text


async def test_what_became_of_a_reversal_in_doubt_takes_whoever_serves_and_another_manager(
    operator: Browser, counter: FakeCounter
):
    doubt = counter.add_payment(BILL, PaymentState.REVERSAL_IN_DOUBT).payment_id
    action = f"/payments/{doubt}/reversal"
    assert action in (await operator.page(f"/payments/{doubt}")).source
    missing = await operator.send(action, action, undone="yes", slip_number="", reason="رسید را دیدم")
    assert missing.status_code == 422
    word = {"undone": "yes", "slip_number": "۱۲۴", "reason": "رسید برگشت را دیدم"}
    sure = Page((await operator.send(action, action, **word)).text)
    assert "پول برگشته شمرده می‌شود" in sure.text
    assert "باید بپذیرد" in sure.text
    hidden = sure.form(action)
    own = await operator.client.post(action, data={**hidden, "username": "reza", "password": PASSWORD})
    assert own.status_code == 403
    done = await operator.client.post(action, data={**hidden, "username": "mina", "password": PASSWORD})
    assert (done.status_code, done.headers["location"]) == (303, f"/payments/{doubt}")
    assert counter.asked == [("undone", doubt)]
    assert "دیگر نامشخص نیست" in (await operator.page(action)).text


async def test_confirm_transaction_is_wherever_a_doubt_is_shown(operator: Browser, counter: FakeCounter, doubt: str):
    for path in ("/", "/history/payments", f"/payments/{doubt}"):
        answer = await operator.send(path, f"/payments/{doubt}/check")
        assert answer.status_code == 303, path
    assert counter.asked == [("check", doubt)] * 3


async def test_money_back_is_asked_by_one_and_agreed_to_by_another(operator: Browser, counter: FakeCounter):
    paid = counter.add_payment(OTHER_BILL, PaymentState.APPROVED, confirmation="queued", stan="006441").payment_id
    ask = f"/payments/{paid}/refund"
    assert ask in (await operator.page(f"/payments/{paid}")).source
    short = await operator.send(ask, ask, means="reversal", reason="")
    assert short.status_code == 422
    made = await operator.send(ask, ask, means="reversal", reason="قبض مشتری دیگری بود")
    refund = made.headers["location"]
    page = await operator.page(refund)
    assert "به کارتخوان گفته می‌شود" in page.text
    assert "قبض مشتری دیگری بود" in page.text
    assert ask not in (await operator.page(f"/payments/{paid}")).source, "one request at a time"
    assert refund in (await operator.page("/refunds")).source
    assert "۱ درخواست برگشت پول" in (await operator.page("/")).text
    own = await operator.send(refund, f"{refund}/agree", username="reza", password=PASSWORD)
    assert own.status_code == 403
    assert "سرپرست دیگری باید بپذیرد" in own.text
    agreed = await operator.send(refund, f"{refund}/agree", username="mina", password=PASSWORD)
    assert (agreed.status_code, agreed.headers["location"]) == (303, f"/payments/{paid}")
    refund_id = refund.rsplit("/", 1)[1]
    assert counter.asked == [("refund", paid), ("agree", refund_id)]


async def test_a_terminal_that_could_not_be_told_is_told_again_or_the_request_dropped(
    operator: Browser, counter: FakeCounter
):
    paid = counter.add_payment(BILL, PaymentState.APPROVED).payment_id
    refund = counter.add_refund(paid, state="agreed", decided_by="mina", decided_at=AT).refund_id
    counter.troubles[refund] = "terminal.unreachable"
    page = await operator.page(f"/refunds/{refund}")
    assert "هنوز به کارتخوان گفته نشده است" in page.text
    assert (await operator.send(f"/refunds/{refund}", f"/refunds/{refund}/retry")).status_code == 303
    short = await operator.send(f"/refunds/{refund}", f"/refunds/{refund}/drop", reason="نه")
    assert short.status_code == 422
    off = await operator.send(f"/refunds/{refund}", f"/refunds/{refund}/drop", reason="مشتری پشیمان شد")
    assert off.status_code == 303
    assert counter.asked == [("retry", refund), ("drop", refund)]
    assert "کنار گذاشته شد" in (await operator.page(f"/refunds/{refund}")).text


@pytest.mark.parametrize(
    ("state", "words"), [("done", "پول به کارت برگشت"), ("refused", "کارتخوان هنوز این پرداخت را دارد")]
)
async def test_a_request_says_how_it_ended_and_its_slip_is_printed(
    operator: Browser, counter: FakeCounter, state: str, words: str
):
    paid = counter.add_payment(BILL, PaymentState.APPROVED).payment_id
    refund = counter.add_refund(paid, state=state, outcome_reason="stands", decided_by="m", decided_at=AT).refund_id
    assert words in (await operator.page(f"/refunds/{refund}")).text
    await operator.send(f"/refunds/{refund}", f"/refunds/{refund}/print")
    assert counter.asked == [("slip", refund)]
    assert (await operator.get("/refunds/r-nobody")).status_code == 404


@pytest.mark.parametrize("state", sorted(PaymentState))
async def test_pay_again_is_offered_only_of_what_was_certainly_not_charged(
    operator: Browser, counter: FakeCounter, state: PaymentState
):
    certainly = {"not_sent", "declined", "cancelled", "not_charged", "overridden_not_charged", "reversed"}
    payment = counter.add_payment(BILL, state).payment_id
    page = await operator.page(f"/payments/{payment}")
    assert ("پرداخت مجدد" in page.text) == (state in certainly)
    bill = await operator.page(f"/bill?barcode={BILL}")
    assert ("پرداخت مجدد" in bill.text) == (state in certainly)
    assert bool(bill.all("form", action="/payments")) == (state in certainly)


async def test_pay_again_waits_while_a_charge_was_spoken_of_or_another_time_was_charged(
    operator: Browser, counter: FakeCounter
):
    spoken = counter.add_payment(BILL, PaymentState.DECLINED).payment_id
    counter.queries.alarms.append(alarm(spoken, "stray_approval"))
    page = await operator.page(f"/payments/{spoken}")
    assert "پرداخت مجدد" not in page.text
    assert "برداشتی که از این دستگاه نیست" in page.text
    first = counter.add_payment(OTHER_BILL, PaymentState.DECLINED).payment_id
    counter.add_payment(OTHER_BILL, PaymentState.APPROVED)
    assert "پرداخت مجدد" not in (await operator.page(f"/payments/{first}")).text


async def test_a_reversal_in_doubt_is_asked_about_and_says_that_the_bill_counts_as_paid(
    operator: Browser, counter: FakeCounter
):
    payment = counter.add_payment(BILL, PaymentState.REVERSAL_IN_DOUBT, in_doubt_reason="no_answer").payment_id
    page = await operator.page(f"/payments/{payment}")
    assert "معلوم نیست پول برگشته است یا نه" in page.text
    assert (await operator.send(f"/payments/{payment}", f"/payments/{payment}/check")).status_code == 303
    assert payment in (await operator.page("/history/payments?state=review")).source


async def test_an_answered_inquiry_offers_to_pay_again_only_a_bill_that_was_tried(
    operator: Browser, counter: FakeCounter
):
    bill = read_bill(BILL)
    ids = {"bill_id": bill.bill_id, "bill_payment_id": bill.payment_id, "amount_rial": bill.amount_rial}
    inquiry = counter.add_inquiry("landline", outcome="owed", answered_at=AT, **ids).inquiry_id
    assert "پرداخت مجدد" not in (await operator.page(f"/inquiries/{inquiry}")).text
    counter.add_payment(BILL, PaymentState.DECLINED)
    assert "پرداخت مجدد" in (await operator.page(f"/inquiries/{inquiry}")).text
