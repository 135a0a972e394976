import msgspec
import pytest

from edge.journal.health_view import HealthView
from edge.journal.views import AlarmView, NoticeView
from edge.services.devices.try_devices import DeviceTest
from edge.web.pages.sign_in import own_path
from shared.errors import DeviceError
from shared.payment import PaymentState
from tests.edge.web.conftest import BILL, Browser, Page
from tests.edge.web.fake_counter import AT, PASSWORD, FakeCounter


async def test_after_sign_in_one_is_where_one_wanted_to_go(visitor: Browser):
    wanted = (await visitor.get("/history/payments?state=failed")).headers["location"]
    answer = await visitor.send(wanted, "/sign-in", username="reza", password=PASSWORD)
    assert answer.headers["location"] == "/history/payments?state=failed"
    assert (await visitor.get("/sign-in")).status_code == 303, "somebody signed in needs no form"


async def test_a_wrong_password_keeps_the_name_and_says_so_at_the_field(visitor: Browser):
    answer = await visitor.send("/sign-in", "/sign-in", username="reza", password="wrong")
    page = Page(answer.text)
    assert answer.status_code == 401
    assert page.field("username")["value"] == "reza"
    assert page.field("password").get("value") is None, "a password is never sent back"
    assert page.field("password")["aria-invalid"] == "true"
    assert "daftar_session" not in visitor.client.cookies


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.test/", "//evil.test/", "/\\evil.test", "\\\\evil.test", "javascript:x", "", "/a\r\nb"]
)
async def test_sign_in_never_leads_to_another_site(visitor: Browser, elsewhere: str):
    assert own_path(elsewhere) == "/"
    answer = await visitor.send("/sign-in", "/sign-in", username="reza", password=PASSWORD, next=elsewhere)
    assert answer.headers["location"] == "/"


async def test_the_language_is_kept_and_the_page_is_the_same_one(visitor: Browser):
    await visitor.sign_in()
    answer = await visitor.send("/terminal", "/language")
    assert answer.headers["location"] == "/terminal"
    page = await visitor.page("/terminal")
    assert page.all("html")[0]["lang"] == "en"
    assert "Terminal check" in page.text


async def test_the_header_shows_office_devices_line_queue_and_clock(operator: Browser, counter: FakeCounter):
    counter.add_payment(BILL, PaymentState.APPROVED, confirmation="queued")
    text = (await operator.page("/about")).text
    for said in (
        "72101001",
        "کارتخوان متصل",
        "چاپگر آماده",
        "خط برقرار",
        "۱ در صف · ۱٬۷۰۰ تومان",
        "۱۴:۱۷",
        "ساعت مرکز",
    ):
        assert said in text


async def test_the_header_warns_against_switching_off_only_while_the_terminal_is_busy(
    operator: Browser, counter: FakeCounter
):
    payment = counter.add_payment(BILL, PaymentState.SENT)
    assert "خاموش نکنید" in (await operator.page("/about")).text
    counter.change_payment(payment.payment_id, state=PaymentState.IN_DOUBT)
    assert "خاموش نکنید" not in (await operator.page("/about")).text
    counter.progress_words[payment.payment_id] = "asking"
    assert "خاموش نکنید" in (await operator.page("/about")).text
    counter.progress_words.clear()
    counter.change_payment(payment.payment_id, state=PaymentState.APPROVED)
    text = (await operator.page("/about")).text
    assert "خاموش نکنید" not in text
    assert "خاموش کردن بی‌خطر" in text


@pytest.mark.parametrize(
    ("view", "members", "said"),
    [
        ("terminal_view", {"state": "unreachable", "connected": False}, "متصل نیست"),
        ("terminal_view", {"state": "not_ready", "last_error": "terminal.not_ready"}, "پاسخ نمی‌دهد"),
        ("terminal_view", {"state": "busy", "payment_id": "p1", "queue": ("p2", "p3")}, "در کار · ۲ نفر در صف"),
        ("terminal_view", {"centre_link": False}, "بی‌ارتباط با مرکز خود"),
        ("printer_view", {"state": "paper_end", "waiting_jobs": 2}, "کاغذ ندارد · ۲ برگه در صف"),
        ("printer_view", {"state": "a state of a later release"}, "وضعیت نامعلوم"),
        ("line_view", {"state": "bad"}, "خط ناپایدار"),
        ("line_view", {"state": "none"}, "بدون خط"),
    ],
)
async def test_the_header_says_what_is_wrong(
    operator: Browser, counter: FakeCounter, view: str, members: dict[str, object], said: str
):
    live = (await operator.page("/about")).all("div", id="gauges")[0]["hx-get"]
    setattr(counter, view, msgspec.structs.replace(getattr(counter, view), **members))
    answer = await operator.get(live)
    assert said in Page(answer.text).text


async def test_a_clock_nobody_set_says_so(operator: Browser, counter: FakeCounter):
    counter.health_now = HealthView(clock="none")
    assert "ساعت تنظیم نیست" in (await operator.page("/about")).text


async def test_the_terminal_check_names_the_terminal_and_its_last_error_in_words(
    operator: Browser, counter: FakeCounter
):
    assert "دستگاه کارتخوان با شناسه 73000002 متصل است." in (await operator.page("/terminal")).text
    counter.terminal_view = msgspec.structs.replace(
        counter.terminal_view,
        state="unreachable",
        connected=False,
        last_error="payment.terminal_locked",
        last_seen_at=None,
    )
    text = (await operator.page("/terminal")).text
    assert "دستگاه کارتخوان متصل نیست." in text
    assert "payment.terminal_locked" not in text
    assert "10.100.38.104:1024" in text


async def test_alarms_notices_and_a_box_set_aside_are_on_the_home_page(operator: Browser, counter: FakeCounter):
    counter.queries.alarms = [AlarmView(index=4, kind="answer_mismatch", payment_id="p1", detail="", raised_at=AT)]
    counter.queries.all_notices = [NoticeView(notice_id="n", title="<b>تعطیلی", text="فردا", received_at=AT)]
    counter.queries.quarantined = True
    page = await operator.page("/")
    assert "پاسخ کارتخوان با پرداخت نمی‌خواند" in page.text
    assert "answer_mismatch" not in page.text
    assert page.all("a", href="/payments/p1")
    assert "<b>تعطیلی" in page.text, "what central wrote is text, never mark-up"
    assert "کنار گذاشته شده است" in page.text


async def test_of_many_alarms_the_newest_are_on_the_home_page(operator: Browser, counter: FakeCounter):
    counter.queries.alarms = [
        AlarmView(index=9 - place, kind="late_approval", payment_id=f"p{9 - place}", detail="", raised_at=AT)
        for place in range(5)
    ]
    page = await operator.page("/")
    shown = [link["href"] for link in page.all("a") if link["href"].startswith("/payments/p")]
    assert shown == ["/payments/p9", "/payments/p8", "/payments/p7"]


async def test_services_are_found_by_what_people_call_them(operator: Browser):
    assert "استعلام برق" in (await operator.page("/services?q=برق")).text
    assert "Payment history" not in (await operator.page("/services?q=water")).text
    assert "سرویسی با این نام نیست" in (await operator.page("/services?q=xyzzy")).text


async def test_a_barcode_scanned_into_the_search_opens_its_bill(operator: Browser):
    answer = await operator.client.get(f"/services?q={BILL}", follow_redirects=True)
    assert "قبض تلفن ثابت" in answer.text


async def test_the_profile_names_the_operator(operator: Browser):
    assert "رضا کریمی" in (await operator.page("/profile")).text


async def test_the_terminal_check_shows_all_that_the_guides_ask_for(operator: Browser, counter: FakeCounter):
    counter.terminal_view = msgspec.structs.replace(
        counter.terminal_view, state="unreachable", connected=False, last_error="terminal.unreachable"
    )
    text = (await operator.page("/terminal")).text
    for said in (
        "کارتخوان در نشانی 10.100.38.104:1024 پاسخ نمی‌دهد",
        "کد دفتر 72101001",
        "behpardakht/s90",
        "behpardakht 1.0",
        "شناسه کارتخوان 73000002",
        "ارتباط کارتخوان با مرکز خود برقرار",
    ):
        assert said in text


async def test_a_press_tests_a_terminal_and_its_result_stays_on_the_page(operator: Browser, counter: FakeCounter):
    answer = await operator.send("/terminal", "/terminal/test", terminal="counter-1")
    assert answer.headers["location"] == "/terminal#terminal-1"
    assert counter.asked == [("test", "counter-1")]
    running = DeviceTest(what="status", state="running", at=AT)
    counter.tests["counter-1"] = running
    assert "در حال بررسی ارتباط" in (await operator.page("/terminal")).text
    counter.tests["counter-1"] = msgspec.structs.replace(running, state="good", took_ms=1_240)
    assert "پاسخ داد و آماده است" in (await operator.page("/terminal/live")).text
    error = DeviceError("terminal.not_ready")
    counter.tests["counter-1"] = msgspec.structs.replace(running, state="bad", error=error)
    assert "کارتخوان آماده نیست" in (await operator.page("/terminal/live")).text


async def test_a_terminal_that_is_not_there_is_not_tested(operator: Browser, counter: FakeCounter):
    answer = await operator.send("/terminal", "/terminal/test", terminal="nobody's")
    assert answer.status_code == 422
    assert counter.asked == []
