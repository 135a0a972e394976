"""Several bills in a row: scanned without leaving the page, paid, one of them failing, and followed up afterwards."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import Page, TimeoutError, expect  # noqa: A004 - the browser's own

from shared.identifiers import Bill, parse_bill
from tests.browser.conftest import Picture
from tests.drawn import drawn
from tests.system.demo import Demo, made_bill

pytestmark = [pytest.mark.browser]

ROWS = "#group table.data tbody tr"


def scan_in_a_row(page: Page, bills: list[Bill]) -> None:
    """Scan bills one after another; each again, as a person would, where nothing came of it."""
    for count, bill in enumerate(bills, start=1):
        for patience_ms in (4_000, 6_000, 20_000):
            page.keyboard.type(bill.barcode)
            page.keyboard.press("Enter")
            with suppress(TimeoutError):
                page.locator(ROWS).nth(count - 1).wait_for(timeout=patience_ms)
                break
        else:
            raise AssertionError(f"bill {count} of the row did not come")
        # The next one lands in the same page: nobody has to click.
        expect(page.locator(ROWS)).to_have_count(count)


def test_bills_are_scanned_paid_one_by_one_and_the_one_that_fails_is_paid_again(
    demo: Demo, counter: Page, picture: Picture
) -> None:
    demo.good_day()
    bills = [parse_bill(*made_bill(number)) for number in (7_100, 7_101, 7_102)]
    drawn(counter)
    counter.keyboard.press("g")
    counter.wait_for_url("**/bills/group")
    drawn(counter)
    scan_in_a_row(counter, bills)
    expect(counter.locator("#barcode")).to_be_focused()
    counter.keyboard.type(bills[1].barcode)
    counter.keyboard.press("Enter")
    expect(counter.locator("#barcode-error")).to_contain_text("در ردیف")
    expect(counter.locator(ROWS)).to_have_count(len(bills))
    picture(counter, "group")
    counter.keyboard.press("e")
    counter.wait_for_url("**/bills/groups/**")
    for count, key in enumerate(("approve", "decline", "approve"), start=1):
        demo.card_awaited()
        if count == 1:
            expect(counter.locator("#begun")).to_contain_text("نوبت قبض")
            picture(counter, "group-at-the-terminal")
        demo.terminal(press=key)
        demo.until("that card to be through", lambda count=count: ended(demo, bills) == count)  # type: ignore[misc]
    expect(counter.locator("#begun .lead")).to_contain_text("۲ از ۳", timeout=60_000)
    picture(counter, "group-one-failed")
    counter.get_by_role("button", name=re.compile("^پرداخت مجدد .*تومان")).click()
    demo.card_awaited()
    demo.terminal(press="approve")
    expect(counter.locator("#begun .lead")).to_contain_text("۳ از ۳", timeout=60_000)
    counter.goto(demo.world.url("box") + f"/bills/paid?q={bills[1].barcode}")
    expect(counter.locator("table.data tbody tr").first).to_contain_text(bills[1].bill_id)
    picture(counter, "paid-bill-found")


def ended(demo: Demo, bills: list[Bill]) -> int:
    """Return how many of these bills have been to the terminal and back."""
    wanted = {bill.bill_id for bill in bills}
    payments = demo.api("GET", "/payments")["payments"]
    return sum(one["bill_id"] in wanted and one["state"] in ("approved", "declined") for one in payments)


def test_one_card_pays_all_bills_and_each_has_its_own_receipt(demo: Demo, counter: Page, picture: Picture) -> None:
    demo.good_day()
    bills = [parse_bill(*made_bill(number)) for number in (7_110, 7_111)]
    counter.goto(demo.world.url("box") + "/bills/group?" + "&".join(f"bill={bill.barcode}" for bill in bills))
    counter.locator("h1").click()
    drawn(counter)
    counter.keyboard.press("p")
    counter.wait_for_url("**/bills/groups/**")
    demo.card_awaited()
    demo.terminal(press="approve")
    expect(counter.locator("#begun .lead")).to_contain_text("۲ از ۲", timeout=60_000)
    picture(counter, "group-paid")
    counter.get_by_role("link", name="جزئیات").first.click()
    expect(counter.locator("#items-title")).to_be_visible()
    picture(counter, "group-payment")
    counter.goto(demo.world.url("box") + "/bills/paid")
    picture(counter, "paid-bills")
