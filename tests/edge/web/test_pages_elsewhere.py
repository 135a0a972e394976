"""Payments of the office's other boxes on the pages: what is refused because of them, and what is shown of them."""

import pytest

from edge.journal.elsewhere import ElsewherePayment, HeardJournal
from edge.journal.views import ItemView
from shared.ids import bill_obligation
from shared.payment import PaymentState
from tests.edge.web.conftest import BILL, BILL_ID, PAYMENT_ID, Browser
from tests.edge.web.fake_counter import AT, FakeCounter

THERE = "daftar.journal/72101001/1/1"


def hold(counter: FakeCounter, state: PaymentState) -> None:
    item = ItemView(
        obligation=bill_obligation(BILL_ID, PAYMENT_ID), amount_rial=17_000, bill_id=BILL_ID, bill_payment_id=PAYMENT_ID
    )
    counter.queries.others.payments["old"] = ElsewherePayment(
        payment_id="old",
        journal=THERE,
        state=state,
        terminal="counter-1",
        requested_at=AT,
        stan="000123",
        rrn="012345678901",
        pan=None,
        heard_at=AT,
        items=(item,),
    )


@pytest.mark.parametrize(
    ("state", "heading", "sentence"),
    [
        (PaymentState.APPROVED, "این قبض را پرداخت کرده است", "دوباره کارت نکشید"),
        (PaymentState.IN_DOUBT, "نامشخص مانده است", "مرکز از بانک می‌پرسد"),
        (PaymentState.SENT, "نامشخص مانده است", "مرکز از بانک می‌پرسد"),
    ],
)
async def test_a_bill_that_another_box_holds_has_no_button_and_leads_to_that_payment(
    operator: Browser, counter: FakeCounter, state: PaymentState, heading: str, sentence: str
):
    hold(counter, state)
    bill = (await operator.get(f"/bill?bill_id={BILL_ID}&payment_id={PAYMENT_ID}")).text
    assert heading in bill
    assert sentence in bill
    assert 'href="/payments/old"' in bill
    assert 'action="/payments"' not in bill
    shown = (await operator.get("/payments/old")).text
    assert all(fact in shown for fact in (THERE, "012345678901", BILL_ID, "فقط دیده می‌شود"))
    assert "<form" not in shown.split("<main", 1)[1].split("</main", 1)[0], "it is read only"
    group = (await operator.get(f"/bills/group?barcode={BILL}")).text
    assert heading in group
    assert 'href="/payments/old"' in group


async def test_an_answer_whose_bill_another_box_paid_offers_no_payment(operator: Browser, counter: FakeCounter):
    answer = {"outcome": "owed", "amount_rial": 17_000, "bill_id": BILL_ID, "bill_payment_id": PAYMENT_ID}
    at = f"/inquiries/{counter.add_inquiry('landline', **answer).inquiry_id}"
    assert 'action="/payments"' in (await operator.get(at)).text
    hold(counter, PaymentState.APPROVED)
    page = (await operator.get(at)).text
    assert 'action="/payments"' not in page
    assert 'href="/payments/old"' in page


@pytest.mark.parametrize("sought", [BILL, BILL_ID, PAYMENT_ID])
async def test_who_follows_up_a_bill_that_another_box_paid_is_led_to_that_payment(
    operator: Browser, counter: FakeCounter, sought: str
):
    hold(counter, PaymentState.APPROVED)
    page = (await operator.get(f"/bills/paid?q={sought}")).text
    assert "این قبض را پرداخت کرده است" in page
    assert 'href="/payments/old"' in page
    assert "ثبت نشده است" not in page


async def test_a_box_that_still_waits_to_hear_of_its_predecessor_says_so(operator: Browser, counter: FakeCounter):
    counter.queries.others.awaited = True
    assert "پرداخت هنوز باز نشده است" in (await operator.page("/")).text


async def test_until_when_central_heard_of_the_predecessor_is_told(operator: Browser, counter: FakeCounter):
    heard = HeardJournal(journal=THERE, is_predecessor=True, heard_size=9, heard_at=AT, held_count=3)
    counter.queries.others.heard.append(heard)
    page = (await operator.page("/about")).text
    assert THERE in page
    assert "۳ پرداخت آن این‌جا دوباره کشیده نمی‌شود" in page
