import msgspec

from edge.journal.health_view import HealthView
from tests.edge.web.conftest import Browser, Page
from tests.edge.web.fake_counter import FakeCounter

HEADER_MENU = ("سرویس‌ها", "قوانین و مقررات", "پشتیبانی", "دانلود اپلیکیشن", "درباره ما")


def part_of(source: str, start: str, end: str) -> Page:
    return Page(source.split(start)[1].split(end, maxsplit=1)[0])


async def test_the_header_menu_and_the_office_box_hold_what_the_guide_says(operator: Browser):
    source = (await operator.get("/")).text
    menu = part_of(source, '<nav class="masthead__nav"', "</nav>")
    assert menu.text.endswith(" ".join(HEADER_MENU))
    for link in menu.all("a"):
        assert (await operator.get(link["href"])).status_code == 200
    box = part_of(source, '<div class="menu">', "</div>")
    assert box.text == "پروفایل کاربری سوابق خروج", "exactly three"


async def test_categories_come_out_of_the_catalogue_and_open_where_one_is(operator: Browser):
    side = part_of((await operator.get("/terminal")).text, '<div class="side">', "<main")
    for name in ("خدمات وسیله نقلیه", "خدمات ناجا", "شارژ و بسته اینترنتی", "ثبت احوال"):
        assert name in side.text
    assert "خلافی خودرو (پرداخت آنی)" in side.text
    assert side.all("a", href="/terminal")[0]["aria-current"] == "page"


async def test_the_home_page_has_quick_bill_payment_in_its_three_parts(operator: Browser):
    page = await operator.page("/")
    assert "پرداخت قبض تکی پرداخت قبض گروهی پیگیری قبوض پرداختی" in page.text
    assert {"/bills/group", "/bills/paid", "/services/car_fines"} <= {link["href"] for link in page.all("a")}


async def test_what_is_typed_is_suggested_and_found_without_a_script_too(operator: Browser):
    suggested = Page((await operator.get("/services/suggest?q=گذر")).text)
    assert suggested.all("a")[0]["href"] == "/services/passport_post"
    assert "سرویسی با این نام نیست" in Page((await operator.get("/services/suggest?q=ازدواج")).text).text
    assert (await operator.get("/services/suggest?q=%20")).text.strip() == ""
    alone = await operator.get("/services?q=گذرنامه")
    assert (alone.status_code, alone.headers["location"]) == (303, "/services/passport_post")
    assert (await operator.get("/services?q=ازدواج")).status_code == 200


async def test_support_says_whom_to_call_and_what_to_say(operator: Browser, counter: FakeCounter):
    assert "هنوز تنظیم نشده است" in (await operator.page("/support")).text
    counter.health_now = msgspec.structs.replace(HealthView(), support_line="پشتیبانی استان ۰۲۱۶۱۹۱۲۲۲۲")
    text = (await operator.page("/support")).text
    assert "پشتیبانی استان ۰۲۱۶۱۹۱۲۲۲۲" in text
    assert "72101001" in text


async def test_the_rules_of_each_service_are_read_beside_its_fee(operator: Browser):
    text = (await operator.page("/rules")).text
    assert "استعلام خلافی تجمیعی" in text
    assert "کارمزد: ۱۷٬۵۰۰ تومان" in text
