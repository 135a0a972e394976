"""A real Chromium in front of the real system. What it saw is kept as pictures for people: tests/output/screens."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from daftar.demo.world import FINANCE, OPERATOR
from tests.system.demo import Demo

SCREENS = Path(__file__).parents[1] / "output" / "screens"
DESKTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
_FLAGS = (
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
        viewport=DESKTOP,  # type: ignore[arg-type] # two whole numbers
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


@pytest.fixture
def counter(window: BrowserContext, demo: Demo) -> Page:
    """The box's first page, signed in."""
    page = window.new_page()
    page.goto(demo.world.url("box"))
    page.locator("input[name=username]").fill(OPERATOR[0])
    page.locator("input[name=password]").fill(OPERATOR[1])
    page.keyboard.press("Enter")
    page.locator("#barcode").wait_for()
    return page


@pytest.fixture
def finance(window: BrowserContext, demo: Demo) -> Page:
    """Central's first page, signed in."""
    page = window.new_page()
    page.goto(demo.world.url("central"))
    page.locator("input[name=username]").fill(FINANCE[0])
    page.locator("input[name=password]").fill(FINANCE[1])
    page.keyboard.press("Enter")
    page.wait_for_url(demo.world.url("central") + "/")
    return page


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keep what a page looks like now."""
    SCREENS.mkdir(parents=True, exist_ok=True)

    def keep(page: Page, name: str) -> None:
        page.screenshot(path=SCREENS / f"{name}.png", full_page=True)

    return keep
