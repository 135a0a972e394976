"""The operator's way through steps 1 to 4, by keyboard, scanner and mouse, with the desk beside."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import Page, TimeoutError, expect  # noqa: A004 - the browser's own

from shared.identifiers import parse_bill
from tests.browser.conftest import Picture
from tests.system.demo import Demo, made_bill

pytestmark = [pytest.mark.browser]

APPROVE, WAITING_CARD = "button.key--approve", "[data-terminal=waiting], [data-terminal=card]"


def scan(page: Page, number: int) -> tuple[str, str]:
    """Scan a bill's barcode: 26 digits and Enter, typed by a scanner wherever the page is. Return its ids.

    Scanned again, as a person would, when nothing happens: a computer under load may type slower than any scanner.
    """
    bill = parse_bill(*made_bill(number))
    for patience_ms in (4_000, 6_000, 20_000):
        page.keyboard.type(bill.barcode)
        page.keyboard.press("Enter")
        with suppress(TimeoutError):
            page.wait_for_url("**/bill?**", timeout=patience_ms)
            return bill.bill_id, bill.payment_id
    raise AssertionError(f"a scanned barcode opened nothing on {page.url}")


def ask_until_certain(page: Page) -> None:
    """Press «تأیید تراکنش» until it is gone; the box asks by itself as well, so it may go while it is pressed."""
    check = page.get_by_role("button", name="تأیید تراکنش")
    for _ in range(160):
        if not check.count():
            return
        with suppress(TimeoutError):
            check.click(timeout=2_000)
        page.wait_for_timeout(500)


def press_pay(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^پرداخت .*تومان")).click()
    page.wait_for_url("**/payments/**")


def card(demo: Demo, desk: Page) -> None:
    """Wait for the terminal to ask for a card, and press its green key on the desk's page."""
    demo.card_awaited()
    desk.locator(APPROVE).click()


def is_now(page: Page, word: str) -> None:
    """Wait for the payment's status to become a word, by itself: nothing reloads the page."""
    expect(page.locator("#payment .status--big")).to_contain_text(word, timeout=60_000)


def test_a_wrong_password_stays_at_the_door(demo: Demo, counter: Page, picture: Picture) -> None:
    # Away first: an open page that finds itself signed out goes to sign in by itself.
    counter.goto("about:blank")
    counter.context.clear_cookies()
    counter.goto(demo.world.url("box"))
    counter.locator("input[name=username]").fill("operator")
    counter.locator("input[name=password]").fill("not the password")
    counter.keyboard.press("Enter")
    expect(counter.get_by_role("alert")).to_contain_text("درست نیست")
    expect(counter.locator("input[name=username]")).to_have_value("operator")
    picture(counter, "sign-in-wrong")


def test_a_wrong_digit_is_named_at_its_field_and_what_was_typed_stays(counter: Page, picture: Picture) -> None:
    bill_id, payment_id = made_bill(9_000)
    wrong = bill_id[:-1] + str((int(bill_id[-1]) + 1) % 10)
    counter.locator("#bill_id").fill(wrong)
    counter.locator("#payment_id").fill(payment_id)
    counter.keyboard.press("Enter")
    expect(counter.locator("#bill_id")).to_have_attribute("aria-invalid", "true")
    expect(counter.locator("#bill_id")).to_have_value(wrong)
    expect(counter.locator("#bill_id-error")).to_be_visible()
    picture(counter, "wrong-digit")


def test_a_scanned_bill_is_paid_printed_confirmed_and_refused_a_second_time(
    demo: Demo, counter: Page, desk: Page, picture: Picture
) -> None:
    papers = demo.state()["printer"]["paper_count"]
    counter.goto(demo.world.url("box") + "/about")
    scan(counter, 9_001)
    expect(counter.locator(".amount__toman")).to_contain_text("۵٬۰۰۰")
    picture(counter, "bill")
    press_pay(counter)
    demo.card_awaited()
    expect(desk.locator("#screen")).to_contain_text("۵۰٬۰۰۰")
    picture(counter, "waiting-for-the-card")
    picture(desk, "desk-waiting-for-the-card")
    desk.locator(APPROVE).click()
    is_now(counter, "تأیید شد")
    demo.until("the receipt", lambda: demo.state()["printer"]["paper_count"] > papers)
    picture(counter, "confirmed")
    picture(desk, "desk-receipt")
    here = counter.url
    scan(counter, 9_001)
    expect(counter.get_by_role("alert")).to_be_visible()
    assert counter.get_by_role("button", name=re.compile("^پرداخت .*تومان")).count() == 0
    picture(counter, "paid-already")
    counter.locator("main a[href^='/payments/']").first.click()
    assert counter.url == here


def test_with_the_line_cut_a_question_waits_a_bill_is_paid_and_the_answer_comes_by_itself(
    demo: Demo, counter: Page, desk: Page, picture: Picture
) -> None:
    desk.locator("#rocker").click()
    expect(desk.locator("#rocker")).to_have_attribute("aria-checked", "false")
    counter.goto(demo.world.url("box") + "/inquiries/new")
    counter.locator("input[name=kind][value=electricity]").check(force=True)
    counter.locator("#parameter").fill("۹۴۰۳۲۷۲۱۱")
    counter.keyboard.press("Enter")
    counter.wait_for_url("**/inquiries/**")
    expect(counter.locator("#inquiry .ticket")).to_be_visible()
    picture(counter, "inquiry-waits")
    question = counter.url
    scan(counter, 9_002)
    press_pay(counter)
    card(demo, desk)
    is_now(counter, "در صف تأیید")
    picture(counter, "paid-offline")
    picture(desk, "desk-line-cut")
    counter.goto(question)
    desk.locator("#rocker").click()
    pay = counter.get_by_role("button", name=re.compile("^پرداخت .*تومان"))
    expect(pay).to_be_visible(timeout=60_000)
    picture(counter, "inquiry-answered")
    pay.click()
    counter.wait_for_url("**/payments/**")
    card(demo, desk)
    is_now(counter, "تأیید شد")


def test_a_bill_paid_while_the_line_dies_in_the_middle_of_answers_is_charged_once_and_confirmed(
    demo: Demo, counter: Page, desk: Page, picture: Picture
) -> None:
    charged = demo.state()["terminal"]["charged_count"]
    cut = demo.state()["line"]["cut_count"]
    scan(counter, 9_009)
    press_pay(counter)
    demo.card_awaited()
    # From here on, what the box says arrives at central and no answer comes back whole.
    desk.locator("[data-line-mode-key=cut_answers]").click()
    desk.locator(APPROVE).click()
    is_now(counter, "در صف تأیید")
    demo.until("an answer to be cut", lambda: demo.state()["line"]["cut_count"] > cut)
    expect(counter.locator("#gauges")).to_contain_text("بدون خط")
    picture(counter, "paid-with-the-line-cut-in-the-middle")
    desk.locator("[data-line-mode-key=good]").click()
    is_now(counter, "تأیید شد")
    assert demo.state()["terminal"]["charged_count"] == charged + 1


def test_a_terminal_that_dies_after_charging_is_in_doubt_until_asked(
    demo: Demo, counter: Page, desk: Page, picture: Picture
) -> None:
    scan(counter, 9_003)
    press_pay(counter)
    desk.locator("[data-terminal-mode=die_after_charging]").click()
    card(demo, desk)
    is_now(counter, "نامشخص")
    expect(counter.get_by_role("alert")).to_contain_text("شاید پول برداشت شده باشد")
    picture(counter, "in-doubt")
    picture(desk, "desk-terminal-dead")
    doubtful = counter.url
    scan(counter, 9_004)
    assert counter.get_by_role("button", name=re.compile("^پرداخت .*تومان")).count() == 0, "the terminal is locked"
    picture(counter, "terminal-locked")
    counter.goto(doubtful)
    desk.locator("[data-terminal-mode=none]").click()
    ask_until_certain(counter)
    is_now(counter, "تأیید شد")


def test_a_silent_terminal_was_not_charged_once_it_was_asked_twice_late_enough(
    demo: Demo, counter: Page, desk: Page, picture: Picture
) -> None:
    desk.locator("[data-terminal-mode=go_silent]").click()
    scan(counter, 9_005)
    press_pay(counter)
    card(demo, desk)
    is_now(counter, "نامشخص")
    desk.locator("[data-terminal-mode=none]").click()
    ask_until_certain(counter)
    picture(counter, "not-charged")
    counter.get_by_role("button", name=re.compile("پرداخت مجدد")).click()
    counter.wait_for_url("**/payments/**")
    card(demo, desk)
    is_now(counter, "تأیید شد")


def test_a_printer_that_is_off_delays_the_paper_and_not_the_payment(
    demo: Demo, counter: Page, desk: Page, picture: Picture
) -> None:
    desk.locator("[data-printer-fault=off]").click()
    papers = demo.state()["printer"]["paper_count"]
    scan(counter, 9_006)
    press_pay(counter)
    card(demo, desk)
    is_now(counter, "تأیید شد")
    picture(counter, "printer-off")
    desk.locator("[data-printer-fault=none]").click()
    demo.until("the receipt", lambda: demo.state()["printer"]["paper_count"] == papers + 1)
    counter.get_by_role("button", name="چاپ رونوشت").click()
    demo.until("the copy", lambda: demo.state()["printer"]["paper_count"] == papers + 2)
    picture(desk, "desk-copy")


def test_a_bill_paid_elsewhere_needs_review_and_has_a_case(
    demo: Demo, counter: Page, desk: Page, picture: Picture
) -> None:
    bill_id, payment_id = made_bill(9_007)
    mark = {"bill_id": bill_id, "payment_id": payment_id, "state": "paid"}
    demo.provider.post("/control/bills", json=mark).raise_for_status()
    scan(counter, 9_007)
    press_pay(counter)
    card(demo, desk)
    is_now(counter, "نیاز به بررسی")
    expect(counter.locator("main")).to_contain_text(re.compile("case-"))
    picture(counter, "needs-review")


def test_one_button_turns_the_counter_into_english(counter: Page, picture: Picture) -> None:
    picture(counter, "home")
    counter.get_by_role("button", name="English").click()
    expect(counter.locator("html")).to_have_attribute("dir", "ltr")
    expect(counter.locator("#barcode")).to_be_visible()
    picture(counter, "home-english")


def test_the_box_killed_under_an_open_page_comes_back_to_the_same_payment(
    demo: Demo, counter: Page, desk: Page, picture: Picture
) -> None:
    scan(counter, 9_008)
    press_pay(counter)
    demo.card_awaited()
    payment = counter.url
    demo.restart_box()
    desk.locator(APPROVE).click()
    counter.goto(payment)
    counter.locator("input[name=username]").fill("operator")
    counter.locator("input[name=password]").fill("demo-operator-1")
    counter.keyboard.press("Enter")
    counter.wait_for_url(payment)
    picture(counter, "after-the-power-cut")
    ask_until_certain(counter)
    is_now(counter, "تأیید شد")
