"""Doubts and money back in a real browser: whole for every reader, at the counter's size and on a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from playwright.sync_api import Browser, Page, ViewportSize, expect

from edge.journal.views import AlarmView
from edge.store.people import OperatorView
from shared.payment import PaymentState
from tests.edge.web.conftest import BILL, OTHER_BILL
from tests.edge.web.fake_counter import AT, PASSWORD
from tests.edge.web.test_script import Box

pytestmark = pytest.mark.browser

FAULTS = (Path(__file__).parents[2] / "browser" / "page_faults.js").read_text("utf-8")
DESKTOP = ViewportSize(width=1366, height=768)
PHONE = ViewportSize(width=390, height=844)


@pytest.fixture(scope="module")
def box(app: Litestar) -> Iterator[Box]:
    served = Box(app)
    served.counter.sessions["s"] = OperatorView(username="reza", name="رضا", role="manager")
    yield served
    served.stop()


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="fa-IR", reduced_motion="reduce")
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(window: Page) -> Page:
    """The one window of all tests, in which nobody is signed in."""
    window.goto("about:blank")
    window.context.clear_cookies()
    return window


def faults(page: Page, where: str) -> list[str]:
    page.evaluate("document.fonts.ready")
    found: list[str] = page.evaluate(FAULTS)
    return [f"{where}: {fault}" for fault in found]


@pytest.mark.parametrize(("language", "size"), [("fa", DESKTOP), ("fa", PHONE), ("en", PHONE)])
def test_a_doubt_is_decided_and_money_asked_back(page: Page, box: Box, language: str, size: ViewportSize) -> None:
    counter = box.counter
    counter.queries.all_payments.clear()
    counter.queries.alarms.clear()
    doubt = counter.add_payment(BILL, PaymentState.IN_DOUBT, asked_count=3, last_answer="unclear", last_asked_at=AT)
    counter.queries.alarms.append(
        AlarmView(index=7, kind="charge_mismatch", payment_id=doubt.payment_id, detail="rrn 512345678901", raised_at=AT)
    )
    paid = counter.add_payment(OTHER_BILL, PaymentState.APPROVED, confirmation="confirmed", stan="006441")
    page.set_viewport_size(size)
    page.goto(box.address + "/sign-in")
    if language == "en":
        page.locator("form[action='/language'] button").click()
        page.locator("html[lang=en]").wait_for()
    page.context.add_cookies([{"name": "daftar_session", "value": "s", "url": box.address}])
    page.goto(f"{box.address}/payments/{doubt.payment_id}")
    wrong = faults(page, "doubt")
    page.locator("a[href$='/override']").click()
    page.locator("input[value=no]").check(force=True)
    page.locator("#reason").fill("کارتخوان سوخت و پیامکی نیامد")
    wrong += faults(page, "override")
    page.locator("main .btn--main").click()
    expect(page.locator("#username")).to_have_value("reza")
    page.locator("#password").fill(PASSWORD)
    wrong += faults(page, "confirm")
    page.locator("main .btn--main").click()
    expect(page.locator("#payment .status--big")).to_contain_text(
        "با گواهی سرپرست" if language == "fa" else "stated by a supervisor"
    )
    wrong += faults(page, "stated")
    page.goto(f"{box.address}/payments/{paid.payment_id}")
    page.locator("a[href$='/refund']").click()
    page.locator("#reason").fill("قبض مشتری دیگری بود")
    wrong += faults(page, "ask")
    page.locator("main .btn--main").click()
    page.locator("#password").wait_for()
    wrong += faults(page, "request")
    page.goto(f"{box.address}/refunds")
    wrong += faults(page, "requests")
    assert [fault for fault in wrong if not (language == "en" and "قبض" in fault)] == []
