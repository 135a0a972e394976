"""Three terminals at one counter, in a real browser: chosen by a key, remembered, the queue seen and left."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Page, expect

from edge.devices.virtual.terminal import VirtualTerminal
from edge.settings import TerminalSettings
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from tests.browser.conftest import Picture, Window, sign_in
from tests.edge.test_terminals import PASSWORD, bill, free_port, port_of, serve, set_up

pytestmark = [pytest.mark.browser]

SOON_MS = 60_000
NAMES = ("باجه ۱", "باجه ۲", "باجه ۳")
T = TypeVar("T")


class Shop:
    """A box with three terminals. All methods block; the terminals live on a loop of their own."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="shop", daemon=True)
        self._thread.start()
        self.run(self._open(folder))

    async def _open(self, folder: Path) -> None:
        self.terminals = [
            VirtualTerminal(clock=SystemClock(), entropy=SystemEntropy(), terminal_number=f"7300002{number}")
            for number in range(3)
        ]
        for virtual in self.terminals:
            await virtual.start()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        settings = [
            TerminalSettings(name=name, host="127.0.0.1", port=port_of(virtual), profile="daftar/virtual")
            for name, virtual in zip(NAMES, self.terminals, strict=True)
        ]
        set_up(folder, settings, port=port)
        self._process = await serve(folder, port)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def at(self, number: int, do: Callable[[VirtualTerminal], object]) -> None:
        """Do something to a terminal, on its own loop."""

        async def hand() -> None:
            do(self.terminals[number])

        self.run(hand())

    def close(self) -> None:
        async def end() -> None:
            self._process.terminate()
            await self._process.wait()
            for virtual in self.terminals:
                await virtual.stop()

        self.run(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for all tests: the last of them switches a terminal off and charges at another one."""
    opened = Shop(tmp_path_factory.mktemp("shop") / "box")
    yield opened
    opened.close()


@pytest.fixture
def counter(window: Window, shop: Shop) -> Page:
    """The first page, newly signed in: nobody has chosen a terminal."""
    page = window.tab("counter")
    page.goto("about:blank")
    window.context.clear_cookies()
    sign_in(page, shop.url, ("op0", PASSWORD))
    expect(page.locator("#gauges")).to_be_visible()
    return page


def open_bill(counter: Page, shop: Shop, number: int) -> None:
    bill_id, payment_id = bill(number)
    counter.goto(f"{shop.url}/bill?bill_id={bill_id}&payment_id={payment_id}")


def chosen(counter: Page, name: str) -> None:
    expect(counter.locator("input[name=terminal]:checked")).to_have_value(name, timeout=SOON_MS)


def says(counter: Page, word: str) -> None:
    expect(counter.locator("#payment")).to_contain_text(word, timeout=SOON_MS)


def test_a_scanner_s_digits_choose_nothing(counter: Page, shop: Shop) -> None:
    open_bill(counter, shop, 2)
    chosen(counter, NAMES[0])
    # All in one moment, as no machine's load can stretch them.
    counter.evaluate(
        "for (const key of '2888') document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}))"
    )
    counter.wait_for_timeout(600)
    chosen(counter, NAMES[0])
    counter.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '۳', bubbles: true}))")
    chosen(counter, NAMES[2])


def test_the_pages_of_three_terminals_fit_a_counter_and_a_phone(counter: Page, shop: Shop, picture: Picture) -> None:
    counter.goto(shop.url + "/terminal")
    picture(counter, "terminals-idle")
    open_bill(counter, shop, 4)
    picture(counter, "bill-three-terminals")


def test_a_key_chooses_the_terminal_and_enter_pays_at_it(counter: Page, shop: Shop, picture: Picture) -> None:
    open_bill(counter, shop, 0)
    chosen(counter, NAMES[0])
    counter.keyboard.press("2")
    chosen(counter, NAMES[1])
    picture(counter, "choose-a-terminal")
    counter.keyboard.press("Enter")
    says(counter, "در انتظار کارت")
    assert [virtual.screen.waiting for virtual in shop.terminals] == [False, True, False]
    first = counter.url

    open_bill(counter, shop, 1)
    chosen(counter, NAMES[1])
    # The state of a terminal changes under the page: what was chosen stays chosen.
    counter.keyboard.press("3")
    chosen(counter, NAMES[2])
    shop.run(shop.terminals[0].stop())
    expect(counter.locator("#terminals")).to_contain_text("متصل نیست", timeout=SOON_MS)
    chosen(counter, NAMES[2])
    counter.keyboard.press("2")
    chosen(counter, NAMES[1])
    counter.keyboard.press("Enter")
    says(counter, "در صف کارتخوان")
    says(counter, "۱ نفر جلوتر است")
    picture(counter, "in-the-queue")
    expect(counter.locator("#gauges")).to_contain_text("۱ نفر در صف", timeout=SOON_MS)
    second = counter.url
    counter.goto(f"{shop.url}/terminal")
    picture(counter, "terminals")
    expect(counter.locator("#devices")).to_contain_text("در صف، نفر ۱")

    counter.goto(second)
    counter.get_by_role("button", name="لغو پرداخت").click()
    says(counter, "لغو شد. پولی برداشت نشد")
    shop.at(1, lambda virtual: virtual.press("approve"))
    counter.goto(first)
    says(counter, "پرداخت شد")
    assert [len(virtual.charges) for virtual in shop.terminals] == [0, 1, 0]
