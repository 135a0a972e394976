"""Every page of box, central and desk: whole for every reader, in both languages, in light and dark, with no script."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, ViewportSize, expect

from daftar.demo.world import FINANCE, MANAGER, OPERATOR, free_ports
from shared.identifiers import parse_bill
from tests.browser.conftest import DESKTOP, PHONE, keep_screen
from tests.system.demo import Demo, made_bill

pytestmark = [pytest.mark.browser]

FAULTS: Final = (Path(__file__).parent / "page_faults.js").read_text("utf-8")

BOX: Final = {
    "home": "/",
    "inquiry-new": "/inquiries/new",
    "history-payments": "/history/payments",
    "history-payments-none": "/history/payments?amount=1",
    "history-calendar": "/history/payments?month_since=now",
    "history-inquiries": "/history/inquiries",
    "history-acts": "/history/acts",
    "refunds": "/refunds",
    "day": "/day",
    "terminal": "/terminal",
    "journal": "/journal",
    "services": "/services",
    "services-none": "/services?q=هیچ",
    "service-ways": "/services/car_fines",
    "service-form": "/services/car_fines_detail",
    "service-form-motorcycle": "/services/motorcycle_fines",
    "service-form-top-up": "/services/top_up",
    "service-form-civil": "/services/civil_payment_id",
    "atms": "/atms",
    "atm-new": "/atms/new",
    "rules": "/rules",
    "support": "/support",
    "app": "/app",
    "guide": "/guide",
    "about": "/about",
    "profile": "/profile",
    "password": "/password",
    "people": "/people",
    "devices": "/devices",
    "bill": f"/bill?barcode={parse_bill(*made_bill(1)).barcode}",
    "bill-wrong": "/bill?barcode=1",
    "group-empty": "/bills/group",
    "group": f"/bills/group?bill={parse_bill(*made_bill(1)).barcode}&bill={parse_bill(*made_bill(2)).barcode}",
    "group-wrong": "/bills/group?barcode=1",
    "bills-paid": "/bills/paid",
    "bills-paid-none": "/bills/paid?q=1",
    "no-such-page": "/no-such-page",
}
"""Each page's name among the kept pictures, and where it is. All of them as a manager sees them, who sees the most."""
CENTRAL: Final = {
    "home": "/",
    "payments": "/payments",
    "cases": "/cases",
    "files": "/files",
    "runs": "/runs",
    "ledger": "/ledger",
    "offices": "/offices",
    "days": "/days",
    "providers": "/providers",
    "inquiries": "/inquiries",
    "requests": "/requests",
    "atms": "/atms",
    "catalogue": "/catalogue",
    "quarantine": "/quarantine",
    "feeds": "/feeds",
    "policies": "/policies",
    "no-such-page": "/no-such-page",
}
BOX_LINKS: Final = {
    "payment": ("/history/payments", "/payments/"),
    "inquiry": ("/history/inquiries", "/inquiries/"),
    "request": ("/history/inquiries", "/requests/"),
    "day-closed": ("/day", "/days/"),
    "group-paid": ("/history/payments", "/bills/groups/"),
    "person": ("/people", "/people/"),
    "atm": ("/atms", "/atms/a"),
}
CENTRAL_LINKS: Final = {
    "payment": ("/payments", "/payments/"),
    "office": ("/offices", "/offices/"),
    "case": ("/cases", "/cases/"),
    "file": ("/files", "/files/"),
    "inquiry": ("/inquiries", "/inquiries/"),
    "request": ("/requests", "/requests/"),
    "account": ("/ledger", "/ledger/account"),
}
"""A page of each kind that a list leads to: its name, the list, how its address begins."""
KNOWN_LATIN: Final = ("OpenAPI", "OFL", "CSV", "Chrome, Linux")
"""Names of formats, licences and browsers: right in a page of any language."""

Look = tuple[str, str, tuple[ViewportSize, ...]]
PageOf = Callable[[Look], Page]
LOOKS: Final[list[Look]] = [("fa", "dark", (DESKTOP, PHONE)), ("en", "light", (PHONE,))]
"""Language and colours, and the widths: at the first one axe looks as well. English is tried where room is least."""


def opened(browser: Browser, look: Look) -> Page:
    """A window of its own. Drawn without a graphics card, moving pictures would cost more than the tests."""
    language, scheme, sizes = look
    context = browser.new_context(
        viewport=sizes[0],
        locale="fa-IR" if language == "fa" else "en-GB",
        color_scheme=scheme,  # type: ignore[arg-type] # light or dark
        reduced_motion="reduce",
    )
    context.set_default_timeout(60_000)
    return context.new_page()


@pytest.fixture(scope="module")
def page_of(browser: Browser) -> PageOf:
    """Give the page of a look, signed out: one for all tests, as a program that draws a page is long in starting."""
    pages: dict[str, Page] = {}

    def page_of(look: Look) -> Page:
        language, scheme, sizes = look
        if language not in pages:
            pages[language] = opened(browser, look)
        page = pages[language]
        page.goto("about:blank")
        page.context.clear_cookies()
        page.emulate_media(media="screen", color_scheme=scheme)  # type: ignore[arg-type] # light or dark
        page.set_viewport_size(sizes[0])
        return page

    return page_of


def enter(page: Page, site: str, person: tuple[str, str], language: str) -> None:
    page.goto(site + "/sign-in")
    if page.locator("html").get_attribute("lang") != language:
        page.locator("form[action='/language'] button").click()
        page.locator(f"html[lang={language}]").wait_for()
    page.locator("input[name=username]").fill(person[0])
    page.locator("input[name=password]").fill(person[1])
    page.keyboard.press("Enter")
    page.locator("#search").wait_for()


def faults(page: Page, name: str) -> list[str]:
    """What is wrong with the page that is open, by our own rules."""
    page.evaluate("document.fonts.ready")
    found: list[str] = page.evaluate(FAULTS)
    return [f"{name}: {fault}" for fault in found if not any(known in fault for known in KNOWN_LATIN)]


GRAVE: Final = ("serious", "critical")
_RUN_AXE: Final = """grave => axe.run({
    resultTypes: ["violations"],
    rules: Object.fromEntries(axe._audit.rules
        .filter(rule => rule.impact && !grave.includes(rule.impact)).map(rule => [rule.id, {enabled: false}])),
})"""
"""Only the rules whose breach is grave: the others cost as much and say nothing that anybody here looks at."""


def barriers(page: Page, name: str) -> list[str]:
    """What the page that is open puts in the way of people with disabilities, seriously, by axe's rules."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate(_RUN_AXE, GRAVE)["violations"]
    return [
        f"{name}: {rule['id']}: {node['target']}" for rule in found if rule["impact"] in GRAVE for node in rule["nodes"]
    ]


def look_over(page: Page, name: str, look: Look) -> list[str]:
    """What is wrong with the page that is open, at each width, from the one it has on; pictures are of the Persian."""
    language, _, sizes = look
    wrong: list[str] = []
    for size in sorted(sizes, key=lambda size: size != page.viewport_size):
        if size != page.viewport_size:
            page.set_viewport_size(size)
        wrong += faults(page, f"{name}, {size['width']} wide")
        if size == sizes[0]:
            wrong += barriers(page, name)
    if language == "fa":
        keep_screen(page, name)
    return wrong


def linked(page: Page, path: str, links: dict[str, tuple[str, str]]) -> dict[str, str]:
    """Return a page of each kind that this list leads to."""
    found = {}
    for name, (leads, start) in links.items():
        link = page.locator(f"main a[href^='{start}']")
        if leads == path and link.count():
            found[name] = link.first.get_attribute("href") or "/"
    return found


@pytest.fixture(scope="module")
def training(running_demo: Demo) -> Iterator[tuple[str, str]]:
    """Where the pages and the desk of the demo office's training are."""
    ports = free_ports()
    here = f"http://127.0.0.1:{ports.box}"
    command = [sys.executable, "-m", "daftar", "edge", "train", "--data", str(running_demo.world.data("box"))]
    process = subprocess.Popen(
        [*command, "--port", str(ports.box), "--desk-port", str(ports.desk)], stderr=subprocess.DEVNULL
    )
    try:
        with httpx.Client(base_url=here, trust_env=False, timeout=30) as client:
            running_demo.until("the training", lambda: answers(client))
        yield here, f"http://127.0.0.1:{ports.desk}"
    finally:
        process.terminate()
        process.wait()


def answers(client: httpx.Client) -> bool:
    with suppress(httpx.TransportError):
        return client.get("/health").is_success
    return False


@pytest.fixture(scope="module")
def busy_day(running_demo: Demo) -> Demo:
    """A day with a payment of each end, two bills on one card, a question, a request, and a case."""
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
    fields = {"national_code": "0499370899", "mobile": "09123456789"}
    asked = {"fields": fields, "rules_accepted": True}
    demo.api("POST", "/services/active_plates/requests", asked, key="the-request-of-every-page")
    demo.api("POST", "/days", key="the-day-of-every-page")
    demo.good_day()
    return demo


@pytest.mark.parametrize("look", LOOKS, ids=["-".join(look[:2]) for look in LOOKS])
@pytest.mark.parametrize("which", ["box", "central"])
def test_pages_are_whole_for_every_reader(page_of: PageOf, busy_day: Demo, which: str, look: Look) -> None:
    site = busy_day.world.url(which)
    page = page_of(look)
    paths, links, person = (BOX, BOX_LINKS, MANAGER) if which == "box" else (CENTRAL, CENTRAL_LINKS, FINANCE)
    page.goto(site + "/sign-in")
    wrong = look_over(page, f"{which}-sign-in", look)
    enter(page, site, person, look[0])
    found: dict[str, str] = {}
    for name, path in paths.items():
        page.goto(site + path)
        wrong += look_over(page, f"{which}-{name}", look)
        found |= linked(page, path, links)
    for name, path in found.items():
        page.goto(site + path)
        wrong += look_over(page, f"{which}-{name}", look)
    if which == "box":
        wrong += shut_and_refused(page, site, look)
    assert not wrong, "\n".join(wrong)


def shut_and_refused(page: Page, site: str, look: Look) -> list[str]:
    """Look over the lock, over a page and in front of one, and the page of somebody who may not."""
    page.goto(site + "/")
    page.locator("form[action='/lock'] button").first.click()
    expect(page.locator("#lock, #page-password").first).to_be_visible()
    wrong = look_over(page, "box-locked-over-a-page", look)
    page.goto(site + "/day")
    wrong += look_over(page, "box-locked", look)
    page.context.clear_cookies()
    enter(page, site, OPERATOR, look[0])
    page.goto(site + "/people")
    return wrong + look_over(page, "box-not-permitted", look)


@pytest.mark.parametrize("look", LOOKS, ids=["-".join(look[:2]) for look in LOOKS])
def test_the_pages_of_training_are_whole_and_say_that_they_are_training(
    page_of: PageOf, training: tuple[str, str], look: Look
) -> None:
    pages, desk = training
    page = page_of(look)
    page.goto(pages + "/sign-in")
    wrong = look_over(page, "training-sign-in", look)
    enter(page, pages, MANAGER, look[0])
    for name, path in {"home": "/", "bill": BOX["bill"], "terminal": "/terminal"}.items():
        page.goto(pages + path)
        expect(page.locator(".stripe").first).to_contain_text("آموزش" if look[0] == "fa" else "raining")
        wrong += look_over(page, f"training-{name}", look)
    page.goto(f"{desk}/?lang={look[0]}")
    page.locator("#say-terminal:not(:empty)").wait_for()
    wrong += look_over(page, "training-desk", look)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("look", LOOKS, ids=["fa", "en"])
def test_the_desk_is_whole_for_every_reader(page_of: PageOf, busy_day: Demo, look: Look) -> None:
    page = page_of(look)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESKTOP)
    page.goto(busy_day.world.url("desk") + f"/?lang={look[0]}")
    page.locator("#say-terminal:not(:empty)").wait_for()
    wrong = faults(page, "desk") + barriers(page, "desk")
    assert not wrong, "\n".join(wrong)


def test_a_bill_is_paid_in_a_browser_without_script(browser: Browser, busy_day: Demo) -> None:
    busy_day.terminal(auto=True)
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
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
    page_of: PageOf, busy_day: Demo
) -> None:
    page = page_of(LOOKS[0])
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
    busy_day.good_day()


@pytest.mark.parametrize("path", ["/history/payments", "/terminal"])
def test_a_printed_page_is_the_matter_alone(page_of: PageOf, busy_day: Demo, path: str) -> None:
    page = page_of(LOOKS[0])
    enter(page, busy_day.world.url("box"), OPERATOR, "fa")
    page.goto(busy_day.world.url("box") + path)
    page.emulate_media(media="print")
    for chrome in (".topbar", ".side", ".foot", ".filters"):
        for part in page.locator(chrome).all():
            expect(part).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert [fault for fault in page.evaluate(FAULTS) if fault.startswith("pale")] == []
