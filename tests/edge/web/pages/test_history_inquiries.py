import re

import msgspec
import pytest

from edge.journal.services import ServiceRequestView
from shared.catalogue_files import built_in_catalogue
from shared.payment import PaymentState
from shared.plates import parse_plate
from shared.sealed import Sealed
from tests.edge.web.conftest import Browser, Page
from tests.edge.web.fake_counter import AT, FakeCounter
from tests.edge.web.fake_history import Applicant
from tests.edge.web.pages.test_history import cells

PLATE = parse_plate("67 و 341 - 10")


def add_request(counter: FakeCounter, code: str = "car_fines_detail", **members: object) -> ServiceRequestView:
    index = counter.next_index()
    service = built_in_catalogue().service(code)
    assert service is not None
    view = ServiceRequestView(
        inquiry_id=f"q{index}",
        ticket=index,
        service=code,
        catalogue_id="builtin",
        fields=Sealed(key_id="k", ciphertext=""),
        applicant_tail=PLATE[-3:],
        search_key="ab",
        fee_rial=175_000,
        gate="fee_first",
        print_first=True,
        rules_accepted=True,
        operator="reza",
        requested_at=AT,
        requested_index=index,
    )
    view = msgspec.structs.replace(view, **members)
    counter.history.requests[view.inquiry_id] = view
    counter.history.whom[view.inquiry_id] = Applicant(service.applicant, PLATE, PLATE[-3:])
    return view


def shown(page: Page) -> list[str]:
    """Return the inquiries of a page's table, in order, each once."""
    table = "".join(re.findall(r"<tbody>.*</tbody>", page.source, re.DOTALL))
    return list(dict.fromkeys(re.findall(r'href="/(?:requests|inquiries)/(\w+)"', table)))


@pytest.fixture
def requests(counter: FakeCounter) -> dict[str, ServiceRequestView]:
    """Put requests of each kind into the history: fee failed, paid and waiting, answered, never answered."""
    paid = {"fee_state": PaymentState.APPROVED, "fee_payment_id": "p1"}
    return {
        "failed": add_request(counter, fee_state=PaymentState.DECLINED, fee_payment_id="p0"),
        "waiting": add_request(counter, **paid),
        "shown": add_request(counter, **paid, outcome="done", fee_printed=True, shown_at=AT),
        "no_result": add_request(counter, **paid, outcome="refused"),
        "police": add_request(counter, code="licence_negative_score"),
    }


async def test_inquiries_show_ticket_kind_and_only_the_end_of_a_bills_number(operator: Browser, counter: FakeCounter):
    counter.add_inquiry("landline")
    text = (await operator.page("/history/inquiries")).text
    for cell in ("استعلام تلفن ثابت", "…۱۲۴", "در صف استعلام"):
        assert cell in text


async def test_a_category_has_three_parts_and_the_vehicles_are_called_as_in_the_guide(operator: Browser):
    page = await operator.page("/history/inquiries?category=vehicle")
    for name in ("استعلام جدید", "استعلامات راهور", "استعلامات نیاز به بررسی راهور"):
        assert name in page.text
    assert page.all("a", href="/history/inquiries?category=vehicle&state=review")
    police = await operator.page("/history/inquiries?category=police")
    assert "استعلام‌های انجام‌شده" in police.text
    assert "راهور" not in police.text.split("بیاب")[0].split("سوابق استعلامات")[-1]


async def test_each_part_holds_its_own(operator: Browser, requests: dict[str, ServiceRequestView]):
    made = await operator.page("/history/inquiries?category=vehicle")
    assert shown(made) == [requests[name].inquiry_id for name in ("no_result", "shown", "waiting", "failed")]
    review = await operator.page("/history/inquiries?category=vehicle&state=review")
    assert shown(review) == [requests[name].inquiry_id for name in ("no_result", "waiting")]


async def test_a_fee_that_failed_is_paid_again_on_the_requests_page(
    operator: Browser, requests: dict[str, ServiceRequestView]
):
    page = await operator.page("/history/inquiries?category=vehicle")
    assert page.source.count("پرداخت مجدد") == 1
    assert page.all("a", href=f"/requests/{requests['failed'].inquiry_id}")
    assert "کارمزد: ناموفق" in page.text


async def test_whom_it_is_about_is_opened_while_the_key_is_kept_and_found_by(
    operator: Browser, counter: FakeCounter, requests: dict[str, ServiceRequestView]
):
    page = await operator.page("/history/inquiries?category=vehicle")
    assert "۶۷ و ۳۴۱ ایران ۱۰" in page.text
    gone = requests["shown"].inquiry_id
    counter.history.whom[gone] = Applicant(None, None, PLATE[-3:])
    page = await operator.page("/history/inquiries?category=vehicle")
    assert "…۱۱۰" in page.text
    assert "تنها مرکز می‌تواند بخواند" in page.text


async def test_inquiries_are_found_by_ticket_and_name(operator: Browser, requests: dict[str, ServiceRequestView]):
    found = await operator.page(f"/history/inquiries?q={requests['shown'].ticket}")
    assert shown(found) == [requests["shown"].inquiry_id]
    assert len(shown(await operator.page("/history/inquiries?q=جزییات"))) == 4


async def test_inquiries_are_a_workbook_too_with_the_same_search(
    operator: Browser, requests: dict[str, ServiceRequestView]
):
    answer = await operator.send("/history/inquiries", "/history/inquiries", q="جزییات", state="review")
    page = await operator.page(answer.headers["location"])
    (workbook,) = [one["href"] for one in page.all("a") if ".xlsx" in one["href"]]
    _, rows = cells((await operator.get(workbook)).content)
    assert rows[0][:6] == ["ردیف", "نوبت", "متقاضی", "نام استعلام", "تاریخ و ساعت", "مبلغ (ریال)"]
    assert [row[1] for row in rows[1:]] == [str(requests[name].ticket) for name in ("no_result", "waiting")]
    assert rows[1][2] == "۶۷ و ۳۴۱ ایران ۱۰"
    assert rows[1][5] == 175_000
    assert rows[1][-1] == requests["no_result"].inquiry_id
    lost = await operator.get("/history/inquiries.xlsx?find=sgone")
    assert lost.headers["location"] == "/history/inquiries?find=sgone"
    assert "دیگر نگه داشته نشده" in (await operator.page(lost.headers["location"])).text


async def test_an_empty_history_says_what_will_be_there(operator: Browser):
    assert "هنوز استعلامی ثبت نشده" in (await operator.page("/history/inquiries")).text
