"""Every page of box, central and desk: whole for every reader, in both languages, in light and dark, with no script."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from daftar.demo.world import FINANCE, OPERATOR
from shared.identifiers import parse_bill
from tests.browser.conftest import DESKTOP, PHONE
from tests.system.demo import Demo, made_bill

pytestmark = [pytest.mark.browser]

FAULTS: Final = (Path(__file__).parent / "page_faults.js").read_text("utf-8")

BOX: Final = (
    "/",
    "/inquiries/new",
    "/history/payments",
    "/history/payments?q=nothing",
    "/history/inquiries",
    "/refunds",
    "/day",
    "/terminal",
    "/services",
    "/services?q=هیچ",
    "/services/car_fines",
    "/services/car_fines_detail",
    "/services/motorcycle_fines",
    "/services/top_up",
    "/rules",
    "/support",
    "/app",
    "/about",
    "/profile",
    "/password",
    "/bill?barcode=1",
    "/bills/group",
    f"/bills/group?bill={parse_bill(*made_bill(1)).barcode}&bill={parse_bill(*made_bill(2)).barcode}",
    "/bills/group?barcode=1",
    "/bills/paid",
    "/bills/paid?q=1",
    "/no-such-page",
)
CENTRAL: Final = (
    "/",
    "/payments",
    "/cases",
    "/files",
    "/runs",
    "/ledger",
    "/offices",
    "/days",
    "/providers",
    "/inquiries",
    "/feeds",
    "/policies",
    "/no-such-page",
)
BOX_LINKS: Final = {"/history/payments": "/payments/", "/history/inquiries": "/inquiries/", "/day": "/days/"}
CENTRAL_LINKS: Final = {
    "/payments": "/payments/",
    "/offices": "/offices/",
    "/cases": "/cases/",
    "/files": "/files/",
    "/inquiries": "/inquiries/",
    "/ledger": "/ledger/account",
}
KNOWN_LATIN: Final = ("OpenAPI", "OFL", "CSV", "Chrome, Linux")
"""Names of formats, licences and browsers: right in a page of any language."""

LOOKS: Final = [("fa", "dark", PHONE), ("en", "light", PHONE)]


def enter(page: Page, site: str, person: tuple[str, str], language: str) -> None:
    page.goto(site + "/sign-in")
    if page.locator("html").get_attribute("lang") != language:
        page.locator("form[action='/language'] button").click()
        page.locator(f"html[lang={language}]").wait_for()
    page.locator("input[name=username]").fill(person[0])
    page.locator("input[name=password]").fill(person[1])
    page.keyboard.press("Enter")
    page.locator("#search").wait_for()


def faults(page: Page, site: str, path: str) -> list[str]:
    page.goto(site + path, wait_until="load")
    page.evaluate("document.fonts.ready")
    found: list[str] = page.evaluate(FAULTS)
    return [f"{path}: {fault}" for fault in found if not any(name in fault for name in KNOWN_LATIN)]


def barriers(page: Page, path: str) -> list[str]:
    """What the page that is open puts in the way of people with disabilities, seriously, by axe's rules."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{path}: {rule['id']}: {node['target']}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def linked(page: Page, site: str, links: dict[str, str]) -> Iterator[str]:
    """Yield a page of each kind that lists lead to."""
    for path, start in links.items():
        page.goto(site + path)
        link = page.locator(f"main a[href^='{start}']")
        if link.count():
            yield link.first.get_attribute("href") or "/"


@pytest.fixture(scope="module")
def busy_day(running_demo: Demo) -> Demo:
    """A day with a payment of each end, a question and a case."""
    demo = running_demo
    demo.good_day()
    demo.terminal(auto=True)
    demo.confirmed(demo.pay(made_bill(9_500)))
    taken = made_bill(9_501)
    paid = {"bill_id": taken[0], "payment_id": taken[1], "state": "paid"}
    demo.provider.post("/control/bills", json=paid).raise_for_status()
    refused = demo.pay(taken)
    demo.until("the refusal", lambda: demo.payment(refused)["confirmation"] == "refused")
    demo.api("POST", "/inquiries", {"kind": "gas", "parameter": "2050327604"})
    demo.api("POST", "/days", key="the-day-of-every-page")
    demo.good_day()
    return demo


@pytest.mark.parametrize("look", LOOKS, ids=["-".join(look[:2]) for look in LOOKS])
@pytest.mark.parametrize("which", ["box", "central"])
def test_pages_are_whole_for_every_reader(
    browser: Browser, busy_day: Demo, which: str, look: tuple[str, str, dict[str, int]]
) -> None:
    language, scheme, size = look
    site = busy_day.world.url(which)
    context = browser.new_context(
        viewport=size,  # type: ignore[arg-type] # two whole numbers
        locale="fa-IR",
        color_scheme=scheme,  # type: ignore[arg-type] # light or dark
    )
    page = context.new_page()
    paths, links, person = (BOX, BOX_LINKS, OPERATOR) if which == "box" else (CENTRAL, CENTRAL_LINKS, FINANCE)
    wrong = faults(page, site, "/sign-in") + barriers(page, "/sign-in")
    enter(page, site, person, language)
    for path in (*paths, *linked(page, site, links)):
        wrong += faults(page, site, path) + barriers(page, path)
    context.close()
    assert wrong == []


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_desk_is_whole_for_every_reader(browser: Browser, busy_day: Demo, language: str) -> None:
    context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type] # two whole numbers
    page = context.new_page()
    page.goto(busy_day.world.url("desk") + f"/?lang={language}")
    page.locator("#say-terminal:not(:empty)").wait_for()
    wrong = [fault for fault in page.evaluate(FAULTS) if not any(name in fault for name in KNOWN_LATIN)]
    wrong += barriers(page, "desk")
    context.close()
    assert wrong == []


def test_a_bill_is_paid_in_a_browser_without_script(browser: Browser, busy_day: Demo) -> None:
    busy_day.terminal(auto=True)
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)  # type: ignore[arg-type] # whole numbers
    context.set_default_timeout(60_000)
    page = context.new_page()
    enter(page, busy_day.world.url("box"), OPERATOR, "fa")
    page.locator("#barcode").fill(parse_bill(*made_bill(9_510)).barcode)
    page.keyboard.press("Enter")
    page.locator(".btn--pay").click()
    # The page asks for itself anew until the payment has ended.
    expect(page.locator("#payment .status--big")).to_contain_text(re.compile("پرداخت شد|تأیید شد"), timeout=60_000)
    context.close()
    busy_day.good_day()


def test_pressing_enter_twice_by_keyboard_alone_pays_once_and_shows_where_one_is(
    browser: Browser, busy_day: Demo
) -> None:
    context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type] # two whole numbers
    page = context.new_page()
    enter(page, busy_day.world.url("box"), OPERATOR, "fa")
    expect(page.locator("#barcode")).to_be_focused()
    bill_id, payment_id = made_bill(9_511)
    page.keyboard.press("Tab")
    page.keyboard.type(bill_id, delay=20)
    page.keyboard.press("Tab")
    page.keyboard.type(payment_id, delay=20)
    page.keyboard.press("Enter")
    page.wait_for_url("**/bill?**")
    for _ in range(40):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            """() => {
                const style = getComputedStyle(document.activeElement);
                return {pay: document.activeElement.matches(".btn--pay"), outline: parseFloat(style.outlineWidth),
                        drawn: style.outlineStyle, shadow: style.boxShadow};
            }"""
        )
        nowhere = page.evaluate("document.activeElement === document.body")
        assert nowhere or focus["drawn"] != "none" or focus["shadow"] != "none", "the focus is to be seen"
        if focus["pay"]:
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_url("**/payments/**")
    rows = busy_day.api("GET", "/payments?limit=50")["payments"]
    assert len([row for row in rows if row["bill_id"] == bill_id]) == 1
    context.close()
    busy_day.good_day()


@pytest.mark.parametrize("path", ["/history/payments", "/terminal"])
def test_a_printed_page_is_the_matter_alone(browser: Browser, busy_day: Demo, path: str) -> None:
    context = browser.new_context(viewport=DESKTOP, color_scheme="dark")  # type: ignore[arg-type] # whole numbers
    page = context.new_page()
    enter(page, busy_day.world.url("box"), OPERATOR, "fa")
    page.goto(busy_day.world.url("box") + path)
    page.emulate_media(media="print")
    for chrome in (".topbar", ".side", ".foot", ".filters"):
        for part in page.locator(chrome).all():
            expect(part).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert [fault for fault in page.evaluate(FAULTS) if fault.startswith("pale")] == []
    context.close()
