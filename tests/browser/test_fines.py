"""A car's fines, by keyboard: with the line, without it, and with the line dying in the middle of answers.

The cars, the amounts and what of them failed are the rows of the guide's own history of payments.
"""

import re
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser.asking import LAM, PATIENCE_MS, VAV, Car, ask_for_fines, show_answer
from tests.browser.conftest import Picture
from tests.drawn import drawn
from tests.system.demo import Demo

pytestmark = [pytest.mark.browser]

FEE_OF_TOTAL: Final = "کارمزد استعلام خلافی تجمیعی خودرو"
FINE: Final = "جریمه خلافی با جزئیات خودرو"


def charged(demo: Demo) -> int:
    """How many amounts the terminal has charged."""
    return int(demo.state()["terminal"]["charged_count"])


def first_row(page: Page, demo: Demo, words: str) -> list[str]:
    """Return the cells of the newest payment that the history finds by some words."""
    page.goto(demo.world.url("box") + "/history/payments")
    page.locator("#q").fill(words)
    page.keyboard.press("Enter")
    page.wait_for_url("**find=*")
    row = page.locator("table.data tbody tr").first
    return [" ".join(cell.split()) for cell in row.locator("td, th").all_inner_texts()]


def test_online_each_violation_is_a_card_and_the_one_that_failed_is_paid_again(
    demo: Demo, counter: Page, picture: Picture
) -> None:
    drawn(counter)
    counter.keyboard.press("f")
    counter.wait_for_url("**/services/car_fines")
    picture(counter, "fines-two-ways")
    counter.goto(demo.world.url("box"))
    ask_for_fines(counter, LAM, "2")
    expect(counter.locator("#request")).to_contain_text("کارمزد")
    picture(counter, "fines-fee")
    counter.keyboard.press("p")
    demo.card_awaited()
    expect(counter.locator("#request")).to_contain_text("در انتظار کارت")
    picture(counter, "fines-fee-at-the-terminal")
    demo.terminal(press="approve")
    expect(counter.locator("form[action$='/show'] button")).to_be_enabled(timeout=PATIENCE_MS)
    picture(counter, "fines-ready")
    show_answer(counter)
    cards = counter.locator(".violation")
    expect(cards).to_have_count(3)
    for card, toman in zip(cards.all(), ("۸۰٬۰۰۰", "۲۰٬۰۰۰", "۴۲٬۰۰۰"), strict=True):
        expect(card).to_contain_text(toman)
    cards.nth(0).get_by_role("button", name="مشاهده عکس").click()
    expect(cards.nth(0).locator("img")).to_have_count(2, timeout=PATIENCE_MS)
    picture(counter, "fines-cards")

    # The third, of 420,000 rial, fails first, as in the guide's history.
    third = cards.nth(2)
    third.get_by_role("button", name=re.compile("^پرداخت خلافی")).click()
    demo.card_awaited()
    demo.terminal(press="decline")
    again = third.get_by_role("button", name=re.compile("^پرداخت مجدد"))
    expect(again).to_be_visible(timeout=PATIENCE_MS)
    expect(third).to_contain_text("ناموفق")
    picture(counter, "fines-one-failed")
    before = charged(demo)
    demo.terminal(auto=True)
    again.click()
    expect(third).to_contain_text("تأیید شد", timeout=PATIENCE_MS)
    counter.keyboard.press("p")
    for card in cards.all():
        expect(card).to_contain_text("تأیید شد", timeout=PATIENCE_MS)
    picture(counter, "fines-paid")
    assert charged(demo) == before + 2, "one for the third, one for the other two"
    found = first_row(counter, demo, "۴۲۰٬۰۰۰")
    assert (found[2], found[4]) == (FINE, "۴۲۰٬۰۰۰")
    counter.locator("table.data tbody tr").nth(1).locator("text=ناموفق").wait_for()
    picture(counter, "history-of-fines")


def test_offline_the_fee_is_taken_a_ticket_given_and_the_answer_comes_with_the_line(
    demo: Demo, counter: Page, picture: Picture
) -> None:
    demo.line(up=False)
    demo.terminal(auto=True)
    ask_for_fines(counter, VAV, "1")
    here = counter.url
    counter.keyboard.press("p")
    expect(counter.locator("#request .ticket")).to_be_visible(timeout=PATIENCE_MS)
    expect(counter.locator("#request")).to_contain_text("کارمزد گرفته شد و دوباره گرفته نمی‌شود")
    picture(counter, "fines-wait-for-the-line")

    # The row and the detail of the guide: 175,000 rial in the history, 17,500 toman on the payment's own page.
    row = first_row(counter, demo, "175000")
    assert (row[2], row[4]) == (FEE_OF_TOTAL, "۱۷۵٬۰۰۰")
    assert re.search("۶۷.*و.*۳۴۱.*۱۰", row[1]), row[1]
    counter.locator("table.data tbody tr").first.get_by_role("link").click()
    main = counter.locator("main")
    for words in (FEE_OF_TOTAL, "۱۷٬۵۰۰"):
        expect(main).to_contain_text(words)
    picture(counter, "payment-of-a-fee")

    demo.line(up=True)
    demo.terminal(auto=False)
    counter.goto(here)
    show_answer(counter)
    expect(counter.locator("#request")).to_contain_text("۲٬۰۰۹٬۴۰۰")
    picture(counter, "fines-total")
    counter.keyboard.press("p")
    demo.card_awaited()
    demo.terminal(press="decline")
    again = counter.get_by_role("button", name=re.compile("^پرداخت مجدد"))
    expect(again).to_be_visible(timeout=PATIENCE_MS)
    picture(counter, "fines-total-failed")
    # Digits of three scripts in one amount, as the guide's own row has it.
    row = first_row(counter, demo, "٢0,٠٩۴,۰۰۰")
    assert row[4] == "۲۰٬۰۹۴٬۰۰۰"
    assert "ناموفق" in row[5]


def test_a_line_that_dies_in_the_middle_of_answers_takes_the_fee_and_the_fines_once(
    demo: Demo, counter: Page, picture: Picture
) -> None:
    before, cut = charged(demo), demo.state()["line"]["cut_count"]
    ask_for_fines(counter, Car("12", "ب", "345", "67"), "1")
    counter.keyboard.press("p")
    demo.card_awaited()
    # The customer's card is in the terminal when the line begins to die under every answer.
    demo.line(mode="cut_answers")
    demo.terminal(press="approve")
    expect(counter.locator("#request .ticket")).to_be_visible(timeout=PATIENCE_MS)
    demo.until("an answer to be cut", lambda: demo.state()["line"]["cut_count"] > cut)
    picture(counter, "fines-wait-with-answers-cut")
    demo.line(mode="good")
    show_answer(counter)

    cut = demo.state()["line"]["cut_count"]
    counter.keyboard.press("p")
    demo.card_awaited()
    demo.line(mode="cut_answers")
    demo.terminal(press="approve")
    expect(counter.locator("#request")).to_contain_text("در صف تأیید", timeout=PATIENCE_MS)
    demo.until("an answer to be cut", lambda: demo.state()["line"]["cut_count"] > cut)
    demo.line(mode="good")
    expect(counter.locator("#request")).to_contain_text("تأیید شد", timeout=PATIENCE_MS)
    expect(counter.locator("#request")).to_contain_text("بازگشت به منوی اصلی")
    picture(counter, "fines-total-paid")
    assert charged(demo) == before + 2, "the fee once, the fines once"
