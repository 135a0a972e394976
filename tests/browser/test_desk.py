"""Every switch of the demo desk, thrown by hand: each shows at the box by itself, on a page that nobody reloads."""

import re
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from daftar.demo.desk.line import LINE_MODES
from daftar.demo.desk.state import SHOWN_PRINTER_FAULTS, SHOWN_TERMINAL_FAULTS
from tests.browser.test_counter import card, is_now, press_pay, scan
from tests.system.demo import Demo

pytestmark = [pytest.mark.browser]

SOON_MS: Final = 60_000
LATE_MS: Final = 6_000
"""Later than the box waits for an answer."""

TERMINAL_DAYS: Final[dict[str, tuple[str, str]]] = {
    "none": ("پرداخت شد", "پول از کارت برداشت شد"),
    "go_silent": ("نامشخص", "پاسخی نیامد"),
    "answer_late": ("پرداخت شد", "پول از کارت برداشت شد"),
    "die_after_charging": ("نامشخص", "قطع شد"),
    "no_link_to_centre": ("ناموفق", "کارتخوان به مرکز خود وصل نبود"),
    "wrong_amount": ("نامشخص", "نمی‌خواند"),
    "wrong_reference": ("نامشخص", "نمی‌خواند"),
}
"""What the payment's page says on each of the terminal's days: status, and a piece of the sentence."""

KEYS: Final = {"decline": ("ناموفق", "پولی برداشت نشد"), "cancel": ("لغو شد", "پولی برداشت نشد")}

PRINTER_GAUGE: Final = {
    "no_paper": "کاغذ ندارد",
    "cover_open": "در آن باز است",
    "off": "خاموش یا قطع",
    "die_mid_job": "خاموش یا قطع",
}
LINE_GAUGE: Final = {"good": "خط برقرار", "slow": "خط برقرار", "cut_answers": "بدون خط"}


def says(page: Page, status: str, sentence: str) -> None:
    is_now(page, status)
    expect(page.locator("main")).to_contain_text(sentence, timeout=SOON_MS)


def gauge(page: Page, word: str) -> None:
    """Wait for the header to say a word, by itself."""
    expect(page.locator("#gauges")).to_contain_text(word, timeout=SOON_MS)


def to_be_sent(demo: Demo) -> None:
    """Have something for the line: it is judged by what goes over it."""
    demo.api("POST", "/inquiries", {"kind": "gas", "parameter": "2050327604"})


def test_every_switch_has_its_sign_here() -> None:
    assert set(TERMINAL_DAYS) == set(SHOWN_TERMINAL_FAULTS)
    assert set(PRINTER_GAUGE) == set(SHOWN_PRINTER_FAULTS)
    assert set(LINE_GAUGE) == set(LINE_MODES)


@pytest.mark.parametrize("day", TERMINAL_DAYS)
def test_what_kind_of_day_the_terminal_has_is_told_at_the_payment(
    demo: Demo, counter: Page, desk: Page, day: str
) -> None:
    demo.terminal(mode="none", late_ms=LATE_MS)
    desk.locator(f"[data-terminal-mode={day}]").click()
    expect(desk.locator(f"[data-terminal-mode={day}]")).to_have_attribute("aria-pressed", "true")
    scan(counter, 9_300 + list(TERMINAL_DAYS).index(day))
    press_pay(counter)
    # Promptly: the page began to listen only after the terminal had asked for the card.
    expect(counter.locator("#payment .status--big")).to_contain_text("در انتظار کارت", timeout=60_000)
    card(demo, desk)
    if day == "answer_late":
        # In doubt for as long as nobody asks, which the box may do at once.
        is_now(counter, "پرداخت شد")
        assert demo.payment(counter.url.rsplit("/", 1)[1])["in_doubt_reason"] == "no_answer"
    else:
        says(counter, *TERMINAL_DAYS[day])


@pytest.mark.parametrize("key", KEYS)
def test_the_red_and_the_yellow_key_end_a_payment_without_a_charge(
    demo: Demo, counter: Page, desk: Page, key: str
) -> None:
    charged = demo.state()["terminal"]["charged_count"]
    scan(counter, 9_310 + list(KEYS).index(key))
    press_pay(counter)
    demo.card_awaited()
    desk.locator(f"button.key--{key}").click()
    says(counter, *KEYS[key])
    assert demo.state()["terminal"]["charged_count"] == charged


def test_a_terminal_left_to_itself_approves_without_a_hand(counter: Page, desk: Page) -> None:
    desk.locator("#auto").click()
    expect(desk.locator("#auto")).to_have_attribute("aria-pressed", "true")
    scan(counter, 9_315)
    press_pay(counter)
    is_now(counter, "تأیید شد")


def test_what_the_printer_lacks_is_in_the_header_and_its_paper_waits(demo: Demo, counter: Page, desk: Page) -> None:
    counter.evaluate("window.stayed = true")
    for fault in ("no_paper", "cover_open", "off"):
        desk.locator(f"[data-printer-fault={fault}]").click()
        gauge(counter, PRINTER_GAUGE[fault])
    desk.locator("[data-printer-fault=none]").click()
    gauge(counter, "آماده")
    assert counter.evaluate("window.stayed")
    desk.locator("[data-printer-fault=die_mid_job]").click()
    demo.terminal(auto=True)
    scan(counter, 9_320)
    press_pay(counter)
    is_now(counter, "تأیید شد")
    gauge(counter, PRINTER_GAUGE["die_mid_job"])
    desk.locator("[data-printer-fault=none]").click()
    gauge(counter, "آماده")


def test_a_torn_paper_is_gone_and_a_printed_one_opens_whole(demo: Demo, counter: Page, desk: Page) -> None:
    demo.terminal(auto=True)
    papers = demo.state()["printer"]["paper_count"]
    scan(counter, 9_321)
    press_pay(counter)
    demo.until("the receipt", lambda: demo.state()["printer"]["paper_count"] > papers)
    desk.locator(".paper__open").click()
    sheet = desk.locator("#paper-sheet")
    expect(sheet).to_be_visible()
    picture = sheet.locator("img")
    assert picture.evaluate(
        "async (image) => { await image.decode(); return image.clientWidth === image.naturalWidth; }"
    )
    close = sheet.get_by_role("button")
    expect(close).to_be_in_viewport()
    picture.evaluate("(image) => image.scrollIntoView({block: 'end'})")
    expect(close).to_be_in_viewport()
    close.click()
    desk.locator(".tape--tear").click()
    expect(desk.locator("body")).to_have_attribute("data-paper", "")


def test_how_the_line_behaves_is_in_the_header(demo: Demo, counter: Page, desk: Page) -> None:
    counter.evaluate("window.stayed = true")
    for up in ("false", "true"):
        desk.locator("#rocker").click()
        # A click turns round what the rocker shows.
        expect(desk.locator("#rocker")).to_have_attribute("aria-checked", up)
        to_be_sent(demo)
        gauge(counter, "خط برقرار" if up == "true" else "بدون خط")
    for mode in ("cut_answers", "slow", "good"):
        desk.locator(f"[data-line-mode-key={mode}]").click()
        expect(desk.locator(f"[data-line-mode-key={mode}]")).to_have_attribute("aria-pressed", "true")
        to_be_sent(demo)
        gauge(counter, LINE_GAUGE[mode])
    assert counter.evaluate("window.stayed")


def test_a_sample_bill_of_the_notes_is_paid_as_it_stands(demo: Demo, counter: Page, desk: Page) -> None:
    demo.terminal(auto=True)
    desk.get_by_text(re.compile("قبض‌های نمونه")).click()
    ids = desk.locator(".sticky-note li").first.locator("[data-copy]").all_inner_texts()
    counter.locator("#bill_id").fill(ids[0])
    counter.locator("#payment_id").fill(ids[1])
    counter.keyboard.press("Enter")
    press_pay(counter)
    is_now(counter, "تأیید شد")
