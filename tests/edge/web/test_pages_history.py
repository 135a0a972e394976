import csv
import io

import msgspec
import pytest

from edge.journal.views import AlarmView
from edge.web import history, pages_history
from edge.web.ports import PaymentView
from shared.payment import PaymentState
from tests.edge.web.conftest import BILL, OTHER_BILL, Browser
from tests.edge.web.fake_counter import FakeCounter


async def test_the_table_has_the_columns_of_the_offices(operator: Browser, counter: FakeCounter):
    counter.add_payment(OTHER_BILL, PaymentState.APPROVED, confirmation="confirmed", stan="006441")
    text = (await operator.page("/history/payments")).text
    for column in ("ردیف", "نام تراکنش", "تاریخ و ساعت", "مبلغ (ریال)", "وضعیت پرداخت", "جزئیات"):
        assert column in text
    for cell in ("قبض برق", "۱۲۹٬۰۰۰", "تأیید شد", "006441", "۱۴۰۵/۰۹/۰۱"):
        assert cell in text


async def test_a_payment_that_waits_for_its_terminal_says_so_and_its_place(operator: Browser, counter: FakeCounter):
    at_it = counter.add_payment(OTHER_BILL, PaymentState.REQUESTED)
    waits = counter.add_payment(BILL, PaymentState.REQUESTED)
    counter.progress_words = {at_it.payment_id: "connecting", waits.payment_id: "queued"}
    counter.terminal_view = msgspec.structs.replace(
        counter.terminal_view, payment_id=at_it.payment_id, queue=(waits.payment_id,)
    )
    text = (await operator.page("/history/payments")).text
    for words in ("در صف کارتخوان", "۱ نفر جلوتر", "در حال اتصال به کارتخوان"):
        assert text.count(words) == 1, words
    answer = await operator.get("/history/payments.csv")
    _, first, second = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (first[4], second[4]) == ("در صف کارتخوان", "در حال اتصال به کارتخوان")


async def test_what_is_to_be_reviewed_holds_a_payment_of_which_a_charge_was_spoken(
    operator: Browser, counter: FakeCounter
):
    disputed = counter.add_payment(OTHER_BILL, PaymentState.DECLINED)
    counter.add_payment(BILL, PaymentState.DECLINED)
    spoken = AlarmView(index=1, kind="second_charge", payment_id=disputed.payment_id, detail="", raised_at="")
    counter.queries.alarms.append(spoken)
    page = await operator.page("/history/payments?state=review")
    assert [link["href"] for link in page.all("a") if link.get("href", "").startswith("/payments/")] == [
        f"/payments/{disputed.payment_id}"
    ]


async def test_rows_keep_their_numbers_from_page_to_page(operator: Browser, counter: FakeCounter):
    for _ in range(25):
        counter.add_payment(OTHER_BILL, PaymentState.DECLINED)
    first = await operator.page("/history/payments?state=failed")
    older = first.all("a", rel="next")[0]["href"]
    second = await operator.page(older)
    numbers = [word.strip() for word in second.words if word.strip() in ("۲۱", "۲۵")]
    assert numbers == ["۲۱", "۲۵"]
    assert "state=failed" in older
    assert not second.all("a", rel="next")


async def test_empty_histories_say_what_will_be_there(operator: Browser):
    assert "هنوز پرداختی ثبت نشده" in (await operator.page("/history/payments")).text
    assert "هنوز استعلامی ثبت نشده" in (await operator.page("/history/inquiries")).text
    assert "پیدا نشد" in (await operator.page("/history/payments?q=1")).text


async def test_a_cursor_that_is_none_shows_the_first_page(operator: Browser, counter: FakeCounter):
    counter.add_payment(BILL, PaymentState.SENT)
    for cursor in ("x", "-1", "9" * 40, "۵۰۰"):
        assert (await operator.get(f"/history/payments?before={cursor}&row={cursor}")).status_code == 200


async def test_the_spreadsheet_keeps_zeros_and_whole_amounts(operator: Browser, counter: FakeCounter):
    counter.add_payment(BILL, PaymentState.APPROVED, stan="006441", rrn="700028889004")
    answer = await operator.get("/history/payments.csv")
    assert answer.headers["content-disposition"].startswith("attachment")
    header, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert header[3] == "مبلغ (ریال)"
    assert row[3] == "17000"
    assert row[5] == '="006441"'
    assert answer.content.startswith("\ufeff".encode())


@pytest.fixture
def long_history(counter: FakeCounter, monkeypatch: pytest.MonkeyPatch) -> PaymentView:
    """Return the oldest payment of a history that is longer than one search looks back."""
    monkeypatch.setattr(history, "SCAN_ROWS_MAX", 400)
    monkeypatch.setattr(pages_history, "SCAN_ROWS_MAX", 400)
    oldest = counter.add_payment(BILL, PaymentState.APPROVED, stan="006441")
    for _ in range(400):
        counter.add_payment(OTHER_BILL, PaymentState.DECLINED)
    return oldest


async def test_a_search_that_stopped_does_not_say_that_there_is_nothing(operator: Browser, long_history: PaymentView):
    page = await operator.page("/history/payments?q=006441")
    assert "جستجو پس از ۴۰۰ ردیف ایستاد" in page.text
    assert "پیدا نشد" not in page.text
    going_on = await operator.page(page.all("a", rel="next")[0]["href"])
    assert going_on.all("a", href=f"/payments/{long_history.payment_id}")


@pytest.mark.usefixtures("long_history")
async def test_a_spreadsheet_that_stopped_says_so_in_its_last_row(operator: Browser):
    rows = (await operator.get("/history/payments.csv")).content.decode("utf-8-sig").splitlines()
    assert len(rows) == 1 + 400 + 1
    assert "ایستاده است" in rows[-1]
    shorter = (await operator.get("/history/payments.csv?state=paid")).content.decode("utf-8-sig")
    assert "ایستاده است" not in shorter


async def test_inquiries_show_ticket_kind_and_only_the_end_of_the_number(operator: Browser, counter: FakeCounter):
    counter.add_inquiry("landline")
    text = (await operator.page("/history/inquiries")).text
    for cell in ("استعلام تلفن ثابت", "پایان با ۱۲۴", "در صف استعلام"):
        assert cell in text
