"""A customer asks for a vehicle's fines and pays them, in a real browser before the real system."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Picture
from tests.system.demo import Demo

pytestmark = [pytest.mark.browser]

PLATE = ("99", "ل", "283", "88")
OWNER = ("0499370899", "09123456789")


def ask(counter: Page, demo: Demo, code: str) -> None:
    """Fill a form about the guide's own car, and send it."""
    counter.goto(demo.world.url("box") + f"/services/{code}")
    counter.locator("[name='plate.two']").fill(PLATE[0])
    counter.locator("[name='plate.letter']").select_option(PLATE[1])
    counter.locator("[name='plate.three']").fill(PLATE[2])
    counter.locator("[name='plate.province']").fill(PLATE[3])
    counter.locator("[name=national_code]").fill(OWNER[0])
    counter.locator("[name=mobile]").fill(OWNER[1])
    counter.locator("[name=rules_accepted]").check()
    counter.locator("main form .btn--main").click()
    counter.wait_for_url("**/requests/**")


def test_a_cars_fines_are_asked_for_shown_as_cards_and_paid(demo: Demo, counter: Page, picture: Picture) -> None:
    demo.terminal(auto=True)
    ask(counter, demo, "car_fines_detail")
    picture(counter, "fines-fee")
    counter.get_by_role("button", name="پرداخت و مشاهده استعلام").click()
    show = counter.get_by_role("button", name="مشاهده استعلام", exact=True)
    expect(show).to_be_enabled(timeout=90_000)
    picture(counter, "fines-ready")
    show.click()
    expect(counter.locator(".violation").first).to_be_visible()
    picture(counter, "fines-cards")
    card = counter.locator(".violation").first
    card.get_by_role("button", name=re.compile("^پرداخت خلافی")).click()
    expect(card).to_contain_text(re.compile("پرداخت شد|تأیید شد"), timeout=60_000)
    expect(card).to_contain_text("تأیید شد", timeout=90_000)
    picture(counter, "fines-paid")


def test_with_the_line_cut_the_fee_is_taken_and_the_answer_comes_with_the_line(
    demo: Demo, counter: Page, picture: Picture
) -> None:
    demo.terminal(auto=True)
    demo.line(up=False)
    ask(counter, demo, "car_fines_total")
    counter.get_by_role("button", name="پرداخت و مشاهده استعلام").click()
    expect(counter.locator("#request .ticket")).to_be_visible(timeout=60_000)
    expect(counter.locator("#request")).to_contain_text("کارمزد گرفته شد و دوباره گرفته نمی‌شود")
    picture(counter, "fines-wait")
    demo.line(up=True)
    show = counter.get_by_role("button", name="مشاهده استعلام", exact=True)
    expect(show).to_be_enabled(timeout=90_000)
    show.click()
    counter.get_by_role("button", name=re.compile("^پرداخت خلافی")).click()
    expect(counter.locator("#request")).to_contain_text("بازگشت به منوی اصلی", timeout=60_000)
    picture(counter, "fines-total-paid")
