"""When a person would press the next key: once the page is on the screen."""

from playwright.sync_api import Page


def drawn(page: Page) -> None:
    """Wait until the page is on the screen: a key that is pressed before may be lost, and nobody presses one then."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    # The page takes what comes within a burst's gap of its beginning for the rest of a burst.
    # (Waited for in the page: it forbids the `eval` by which Playwright asks a second time.)
    page.evaluate("() => new Promise((done) => setTimeout(done, Math.max(0, 200 - performance.now())))")
