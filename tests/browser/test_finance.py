"""Step 5: finance at central, after the counter's day."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Picture
from tests.system.demo import Demo, made_bill

pytestmark = [pytest.mark.browser]


def upload(page: Page, demo: Demo, name: str, content: bytes) -> None:
    page.goto(demo.world.url("central") + "/files")
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    page.locator("form[enctype='multipart/form-data'] button").click()


def test_planted_differences_are_found_and_followed_to_a_payments_whole_life(
    demo: Demo, finance: Page, picture: Picture
) -> None:
    demo.terminal(auto=True)
    for number in (9_101, 9_102, 9_103):
        demo.confirmed(demo.pay(made_bill(number)))
    finance.reload()
    picture(finance, "board")
    planted = demo.desk.get("/settlement.csv", params={"planted": "yes"}).content
    upload(finance, demo, "settlement.csv", planted)
    finance.wait_for_url(re.compile(r"/files/"))
    picture(finance, "file")
    finance.goto(demo.world.url("central") + "/runs")
    finance.locator("form[action='/runs'] button").click()
    finance.wait_for_url(re.compile(r"/runs/\d+$"))
    main = finance.locator("main")
    expect(main).to_contain_text("مغایرت مبلغ")
    picture(finance, "run")
    for bucket in ("matched", "amount_differs", "missing_at_acquirer", "missing_at_office"):
        row = finance.locator(f"tr:has(a[href*='bucket={bucket}'])").first
        assert not re.match(r"^\s*[۰0]\s*$", row.locator("td").first.inner_text()), f"{bucket} is empty"
    finance.locator("a[href*='bucket=amount_differs']").first.click()
    finance.locator("#rows a[href^='/payments/']").first.click()
    expect(main).to_contain_text("تأیید کارتخوان")
    picture(finance, "payments-whole-life")


def test_wrong_files_are_refused_naming_line_and_column_and_nothing_is_imported(
    demo: Demo, finance: Page, picture: Picture
) -> None:
    good = demo.desk.get("/settlement.csv").content.decode()
    header, first, *rest = good.splitlines()
    finance.goto(demo.world.url("central") + "/files")
    before = finance.locator("table tbody tr").count()
    column = header.split(",").index("amount")
    cells = first.split(",")
    cells[column] = "12x"
    broken = "\r\n".join([header, ",".join(cells), *rest]) + "\r\n"
    for name, content, words in (
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x01\x02", ()),
        ("columns.csv", good.replace("amount,", "sum,", 1).encode(), ("sum",)),
        ("amount.csv", broken.encode(), ("۲", "amount")),
        ("cut.csv", good[: len(good) - 30].encode(), ()),
    ):
        upload(finance, demo, name, content)
        alert = finance.get_by_role("alert")
        expect(alert).to_be_visible()
        for word in words:
            expect(alert).to_contain_text(word)
    picture(finance, "wrong-file")
    upload(finance, demo, "today.csv", good.encode())
    # Another test may have sent a file of this day: then central asks whether this one corrects it or stands beside it.
    expect(finance.locator("input[name=adds], form[action$='/correction']").first).to_be_attached()
    if finance.locator("input[name=adds]").count():
        picture(finance, "second-file")
        finance.locator("input[name=adds]").check()
        finance.locator("input[type=file]").set_input_files(
            {"name": "today.csv", "mimeType": "text/csv", "buffer": good.encode()}
        )
        finance.locator("form[enctype='multipart/form-data'] button").click()
    finance.wait_for_url(re.compile(r"/files/"))
    upload(finance, demo, "again.csv", good.encode())
    expect(finance.get_by_role("alert")).to_be_visible()
    picture(finance, "same-file")
    finance.goto(demo.world.url("central") + "/files")
    assert finance.locator("table tbody tr").count() == before + 1


def test_the_receipts_code_leads_to_a_page_that_says_it_is_in_the_log(
    demo: Demo, finance: Page, picture: Picture, tmp_path: Path
) -> None:
    demo.terminal(auto=True)
    payment_id = demo.pay(made_bill(9_104))
    demo.until("central's cosignature", lambda: demo.payment(payment_id)["cosigned"])
    payment = demo.payment(payment_id)
    journal = demo.api("GET", "/status")["journal_id"]
    finance.context.clear_cookies()
    address = f"/r/{journal}/{payment['journal_index']}/{payment['journal_leaf'][:16]}"
    answer = finance.goto(demo.world.url("central") + address)
    assert answer is not None
    assert answer.ok
    picture(finance, "receipt-page")
    other = "0" * 16
    finance.goto(demo.world.url("central") + address.replace(payment["journal_leaf"][:16], other))
    picture(finance, "receipt-not-in-log")
