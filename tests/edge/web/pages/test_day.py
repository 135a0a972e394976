from typing import Any

import msgspec
import pytest

from edge.journal.standing import Exposure, ExposurePolicy
from shared.day import DayTotals
from shared.events import DayTotal, TerminalBatch
from shared.ids import NETWORK_FEED
from tests.edge.web.conftest import Browser
from tests.edge.web.fake_counter import FakeCounter

HOUR_MS = 3_600_000
POLICY = ExposurePolicy(
    policy_id="policy-1",
    feed=NETWORK_FEED,
    payment_max_rial=500_000_000,
    total_max_rial=1_000_000,
    count_max=10,
    running_hours_max=48,
    received_at="2026-11-22T08:00:00.000Z",
)
API = {"authorization": "Bearer all"}


def total(count: int, amount_rial: int, terminal: str = "counter-1") -> DayTotal:
    return DayTotal(method="pcpos", purpose="bill", terminal=terminal, count=count, amount_rial=amount_rial)


def a_day(counter: FakeCounter, **members: Any) -> None:
    counter.queries.day = msgspec.structs.replace(counter.queries.day, **members)


async def test_the_open_day_shows_what_was_taken(operator: Browser, counter: FakeCounter):
    a_day(
        counter,
        totals=DayTotals(totals=(total(31, 48_310_000),), undone=(total(1, 310_000),)),
        unconfirmed_count=2,
        unconfirmed_rial=1_900_000,
        under_way_count=1,
    )
    text = (await operator.page("/day")).text
    for said in (
        "۴٬۸۰۰٬۰۰۰ تومان",
        "۴۸٬۳۱۰٬۰۰۰",
        "۳۰ پرداخت",
        "کسر می‌شود",
        "۲ پرداخت · ۱۹۰٬۰۰۰ تومان",
    ):
        assert said in text
    assert "۱ پرداخت؛ در روز بعد می‌آید" in text
    assert "هنوز روزی بسته نشده است" in text


async def test_closing_leads_to_the_closed_day_and_pressing_twice_closes_once(operator: Browser, counter: FakeCounter):
    a_day(counter, in_doubt_count=1, in_doubt_rial=1_770_000, totals=DayTotals(totals=(total(2, 34_000),)))
    form = (await operator.page("/day")).form("/day")
    answers = [await operator.client.post("/day", data=form) for _ in range(2)]
    (one, two) = (answer.headers["location"] for answer in answers)
    assert [answer.status_code for answer in answers] == [303, 303]
    assert one == two
    assert counter.asked == [("close_day", "reza")]
    text = (await operator.page(one)).text
    for said in (
        "روز بستهٔ شمارهٔ ۱",
        "۱ پرداخت نامشخص · ۱۷۷٬۰۰۰ تومان",
        "دوباره کارت نکشید",
        "۳٬۴۰۰ تومان",
        "5c5c5c5c5c5c5c5c",
    ):
        assert said in text
    assert "۳٬۴۰۰" not in (await operator.page("/about")).text
    listed = await operator.page("/day")
    assert one in str(listed.all("a")), "the list of closed days leads to it"


async def test_what_a_terminals_paper_says_is_typed_at_the_close(operator: Browser, counter: FakeCounter):
    a_day(counter, totals=DayTotals(totals=(total(2, 34_000),)))
    form = (await operator.page("/day")).form("/day")
    typed = {"count-0": "۳", "total-0": "۵۱٬۰۰۰"}
    for half in ({"total-0": ""}, {"count-0": ""}, {"count-0": "-3"}, {"total-0": "x"}):
        refused = await operator.client.post("/day", data=form | typed | half)
        assert refused.status_code == 422
        assert 'aria-invalid="true"' in refused.text
        kept = {**typed, **half}.values()
        assert all(f'value="{one}"' in refused.text for one in kept), "what was typed is still there"
    assert counter.queries.days == []
    answer = await operator.client.post("/day", data=form | typed)
    assert answer.status_code == 303
    (day,) = counter.queries.days
    assert day.body.batches == (TerminalBatch(terminal="counter-1", count=3, amount_rial=51_000),)
    assert "نمی‌خواند: کارتخوان ۳ پرداخت" in (await operator.page(answer.headers["location"])).text


async def test_a_slip_is_printed_again(operator: Browser, counter: FakeCounter):
    closed = (await operator.send("/day", "/day")).headers["location"]
    answer = await operator.send(closed, f"{closed}/print")
    assert answer.headers["location"] == closed
    assert counter.asked[-1] == ("print_slip", closed.removeprefix("/days/"))


@pytest.mark.parametrize(
    ("own", "said"), [((2, 34_000), "با دفتر می‌خواند"), ((3, 51_000), "نمی‌خواند: کارتخوان ۳ پرداخت")]
)
async def test_a_terminals_own_report_stands_beside_the_journals_figures(
    operator: Browser, counter: FakeCounter, own: tuple[int, int], said: str
):
    a_day(counter, totals=DayTotals(totals=(total(2, 34_000),)))
    path = (await operator.send("/day", "/day")).headers["location"]
    (day,) = counter.queries.days
    batch = TerminalBatch(terminal="counter-1", count=own[0], amount_rial=own[1])
    body = msgspec.structs.replace(day.body, batches=(batch,))
    counter.queries.days[0] = msgspec.structs.replace(day, body=body)
    assert said in (await operator.page(path)).text


async def test_an_unknown_day_is_said_to_be_none(operator: Browser):
    answer = await operator.get("/days/d-nobody")
    assert answer.status_code == 404
    assert "چنین روز بسته‌ای" in answer.text


async def test_without_a_policy_the_pages_say_that_there_is_no_limit(operator: Browser):
    assert "مرکز سقفی نگذاشته است" in (await operator.page("/day")).text
    assert "بدون مرکز" not in (await operator.page("/")).text


@pytest.mark.parametrize(
    ("exposed", "said", "tone"),
    [
        (
            Exposure(charged_count=1, charged_rial=100_000),
            "تا ۹۰٬۰۰۰ تومان / ۹ پرداخت / ۴۸ ساعت کار دیگر بدون مرکز",
            None,
        ),
        (
            Exposure(charged_count=5, charged_rial=100_000),
            "تا ۹۰٬۰۰۰ تومان / ۵ پرداخت / ۴۸ ساعت کار دیگر",
            "tone-amber",
        ),
        (Exposure(running_ms=47 * HOUR_MS + HOUR_MS // 2), "۳۰ دقیقه کار دیگر بدون مرکز", "tone-red"),
        (Exposure(open_count=10, open_rial=10_000), "سقف کار بدون مرکز پر است", "tone-red"),
    ],
)
async def test_the_home_page_counts_down(
    operator: Browser, counter: FakeCounter, exposed: Exposure, said: str, tone: str | None
):
    counter.policy, counter.exposed = POLICY, exposed
    home = await operator.get("/")
    assert said in " ".join(home.text.split())
    assert (f'class="note {tone}"' in home.text) == (tone is not None)
    if tone:
        assert 'href="/day#limits"' in (await operator.get("/gauges")).text


async def test_at_the_limit_the_page_says_what_still_works_and_what_to_do(operator: Browser, counter: FakeCounter):
    counter.policy, counter.exposed = POLICY, Exposure(charged_count=2, charged_rial=1_000_000)
    text = (await operator.page("/")).text
    for said in ("استعلام", "بستن روز کار می‌کند", "USB", "خط را وصل کنید"):
        assert said in text


async def test_the_api_gives_the_same_numbers(operator: Browser, counter: FakeCounter):
    counter.policy, counter.exposed = POLICY, Exposure(charged_count=5, charged_rial=300_000, running_ms=HOUR_MS)
    status = (await operator.client.get("/api/v1/status", headers=API)).json()["exposure"]
    assert status == {
        "policy_id": "policy-1",
        "level": "amber",
        "reached": None,
        "payment_max_rial": 500_000_000,
        "total_rial": {"used": 300_000, "max": 1_000_000, "left": 700_000},
        "payment_count": {"used": 5, "max": 10, "left": 5},
        "running_ms": {"used": HOUR_MS, "max": 48 * HOUR_MS, "left": 47 * HOUR_MS},
    }


async def test_the_api_closes_a_day_once_for_a_key(operator: Browser, counter: FakeCounter):
    a_day(counter, totals=DayTotals(totals=(total(2, 34_000),)))
    assert (await operator.client.post("/api/v1/days", headers=API)).status_code == 400
    headers = API | {"idempotency-key": "evening"}
    one, two = [(await operator.client.post("/api/v1/days", headers=headers)).json() for _ in range(2)]
    assert one == two
    assert (one["number"], one["closed"]["totals"][0]["amount_rial"]) == (1, 34_000)
    assert one["batches"] == [
        {"terminal": "counter-1", "count": None, "amount_rial": None, "journal_count": 2, "journal_rial": 34_000}
    ]
    assert counter.asked == [("close_day", "api:all")]
    days = (await operator.client.get("/api/v1/days", headers=API)).json()
    assert [day["close_id"] for day in days["days"]] == [one["close_id"]]
    assert days["open"]["totals"][0]["count"] == 2
    read = await operator.client.get(f"/api/v1/days/{one['close_id']}", headers=API)
    assert read.json() == one


async def test_the_api_takes_what_a_terminal_says_of_its_day(operator: Browser, counter: FakeCounter):
    a_day(counter, totals=DayTotals(totals=(total(2, 34_000),)))
    headers = API | {"idempotency-key": "evening"}
    said = {"reports": {"counter-1": {"count": 3, "amount_rial": 51_000}}}
    closed = await operator.client.post("/api/v1/days", headers=headers, json=said)
    assert closed.json()["batches"] == [
        {"terminal": "counter-1", "count": 3, "amount_rial": 51_000, "journal_count": 2, "journal_rial": 34_000}
    ]
    said["reports"]["counter-1"]["count"] = 2
    assert (await operator.client.post("/api/v1/days", headers=headers, json=said)).status_code == 409


@pytest.mark.parametrize("said", [{"count": 3}, {"count": -1, "amount_rial": 1}, {"total": 1}])
async def test_the_api_takes_no_half_of_a_report(operator: Browser, counter: FakeCounter, said: dict[str, Any]):
    headers = API | {"idempotency-key": "evening"}
    body = {"reports": {"counter-1": said}}
    assert (await operator.client.post("/api/v1/days", headers=headers, json=body)).status_code == 400
    assert counter.asked == []
