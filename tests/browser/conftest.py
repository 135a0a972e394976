"""A real Chromium in front of the real system. What it saw is kept as pictures for people.

Each page is kept twice, in the counter's window and in a phone's: `build/screens/<page>-1366.jpg` and `-390.jpg`. With
`DAFTAR_TEST_PICTURES=whole` in the environment it is the whole page, as `.png`: drawing and packing that takes longer
than looking a page over.

A module has one window, in which the counter, the desk and central stay open from test to test, as they do all day in
an office: a program that draws pages anew for each test would be most of what these tests cost.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, Request, ViewportSize, sync_playwright

from daftar.demo.world import FINANCE, MANAGER, OPERATOR
from tests.system.demo import Demo

SCREENS: Final = Path(__file__).parents[2] / "build" / "screens"
_WHOLE: Final = os.environ.get("DAFTAR_TEST_PICTURES", "") == "whole"
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


class Window:
    """A person's window: its tabs by name, and what it asked other machines for."""

    def __init__(self, browser: Browser) -> None:
        self.context = browser.new_context(
            viewport=DESKTOP,
            locale="fa-IR",
            # Drawn without a graphics card, moving pictures would cost more than the tests.
            reduced_motion="reduce",
        )
        self.context.set_default_timeout(60_000)
        self.context.on("request", self._note_if_elsewhere)
        self.elsewhere: list[str] = []
        self._tabs: dict[str, Page] = {}
        self._person = ("", "")

    def _note_if_elsewhere(self, request: Request) -> None:
        if "//127.0.0.1:" not in request.url:
            self.elsewhere.append(request.url)

    def tab(self, name: str) -> Page:
        """Return a tab, the same one for each name."""
        if name not in self._tabs:
            self._tabs[name] = self.context.new_page()
        return self._tabs[name]

    def seat(self, site: str, person: tuple[str, str]) -> Page:
        """Return the first page of box or central, in Persian and with a person signed in, who may be so still."""
        page = self.tab("counter")
        page.goto(site)
        if self._person != person or not page.locator("html[lang=fa] #search").count():
            # Away first: an open page that finds itself signed out goes to sign in by itself.
            page.goto("about:blank")
            self.context.clear_cookies()
            sign_in(page, site, person)
            self._person = person
        return page


@pytest.fixture(scope="module")
def kept_window(browser: Browser) -> Iterator[Window]:
    """A window at the counter's size, for one module."""
    window = Window(browser)
    yield window
    window.context.close()


@pytest.fixture
def window(kept_window: Window) -> Iterator[Window]:
    """The module's window; a request to any other machine fails the test."""
    yield kept_window
    elsewhere, kept_window.elsewhere = kept_window.elsewhere, []
    assert not elsewhere


@pytest.fixture
def desk(window: Window, demo: Demo) -> Page:
    """The demo desk."""
    page = window.tab("desk")
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
def counter(window: Window, demo: Demo) -> Page:
    """The box's first page, signed in."""
    page = window.seat(demo.world.url("box"), OPERATOR)
    page.locator("#barcode").wait_for()
    return page


@pytest.fixture
def office(window: Window, demo: Demo) -> Page:
    """The box's first page, as its manager sees it."""
    page = window.seat(demo.world.url("box"), MANAGER)
    page.locator("#barcode").wait_for()
    return page


@pytest.fixture
def finance(window: Window, demo: Demo) -> Page:
    """Central's first page, signed in."""
    return window.seat(demo.world.url("central"), FINANCE)


def keep_screen(page: Page, name: str) -> None:
    """Fail where a page is wider than the window, at both widths; keep what it looks like in both."""
    before = page.viewport_size or DESKTOP
    SCREENS.mkdir(parents=True, exist_ok=True)
    for size in (PHONE, DESKTOP) if before["width"] == PHONE["width"] else (DESKTOP, PHONE):
        if page.viewport_size != size:
            page.set_viewport_size(size)
        width, height, over = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.scrollHeight, "
            "document.querySelector('dialog[open]') !== null]"
        )
        assert width <= size["width"], f"{name} is {width} wide in a window of {size['width']}"
        kept = SCREENS / f"{name}-{size['width']}"
        if not _WHOLE:
            page.screenshot(path=kept.with_suffix(".jpg"), quality=70, type="jpeg", animations="disabled")
            continue
        # What lies over a page covers the window, not the page.
        if not over and height > size["height"]:
            page.set_viewport_size(ViewportSize(width=size["width"], height=height))
        page.screenshot(path=kept.with_suffix(".png"), animations="disabled", timeout=120_000)
    page.set_viewport_size(before)


@pytest.fixture
def picture() -> Picture:
    """Keep what a page looks like now."""
    return keep_screen
