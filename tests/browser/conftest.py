"""A real Chromium in front of the real system. What it saw is kept as pictures for people, in `build/screens`.

Each page is kept twice, at the counter's width and at a phone's: `build/screens/<page>-1366.png` and `-390.png`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, ViewportSize, sync_playwright

from daftar.demo.world import FINANCE, MANAGER, OPERATOR
from tests.system.demo import Demo

SCREENS: Final = Path(__file__).parents[2] / "build" / "screens"
DESKTOP: Final = ViewportSize(width=1366, height=768)
PHONE: Final = ViewportSize(width=390, height=844)
Picture = Callable[[Page, str], None]
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium, for one module: while it is open its loop runs in this thread, where others want their own."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    """A window at the counter's size; a request to any other machine fails the test."""
    context = browser.new_context(
        viewport=DESKTOP,
        locale="fa-IR",
        # Drawn without a graphics card, moving pictures would cost more than the tests.
        reduced_motion="reduce",
    )
    context.set_default_timeout(60_000)
    elsewhere: list[str] = []

    def note_if_elsewhere(request: Request) -> None:
        if "//127.0.0.1:" not in request.url:
            elsewhere.append(request.url)

    context.on("request", note_if_elsewhere)
    yield context
    context.close()
    assert not elsewhere


@pytest.fixture
def desk(window: BrowserContext, demo: Demo) -> Page:
    """The demo desk."""
    page = window.new_page()
    page.goto(demo.world.url("desk"))
    return page


def sign_in(page: Page, site: str, person: tuple[str, str]) -> None:
    """Come in at the door of the box or of central, by keyboard."""
    page.goto(site)
    page.locator("input[name=username]").fill(person[0])
    page.locator("input[name=password]").fill(person[1])
    page.keyboard.press("Enter")
    page.locator("#search").wait_for()


@pytest.fixture
def counter(window: BrowserContext, demo: Demo) -> Page:
    """The box's first page, signed in."""
    page = window.new_page()
    sign_in(page, demo.world.url("box"), OPERATOR)
    page.locator("#barcode").wait_for()
    return page


@pytest.fixture
def office(window: BrowserContext, demo: Demo) -> Page:
    """The box's first page, as its manager sees it."""
    page = window.new_page()
    sign_in(page, demo.world.url("box"), MANAGER)
    page.locator("#barcode").wait_for()
    return page


@pytest.fixture
def finance(window: BrowserContext, demo: Demo) -> Page:
    """Central's first page, signed in."""
    page = window.new_page()
    sign_in(page, demo.world.url("central"), FINANCE)
    return page


def keep_screen(page: Page, name: str) -> None:
    """Keep what a page looks like now, at both widths, and fail where it is wider than the window."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    before = page.viewport_size or DESKTOP
    for size in (PHONE, DESKTOP) if before["width"] == PHONE["width"] else (DESKTOP, PHONE):
        if page.viewport_size != size:
            page.set_viewport_size(size)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"], f"{name} is {width} wide in a window of {size['width']}"
        # What lies over a page covers the window, not the page.
        whole = not page.locator("dialog[open]").count()
        kept = SCREENS / f"{name}-{size['width']}.png"
        page.screenshot(path=kept, full_page=whole, animations="disabled", timeout=120_000)
    page.set_viewport_size(before)


@pytest.fixture
def picture() -> Picture:
    """Keep what a page looks like now."""
    return keep_screen
