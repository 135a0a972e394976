"""The one script of our own, in a real browser: scanner, keys, live parts, one press."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from litestar import Litestar
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Route, ViewportSize, expect

from edge.store.people import OperatorView
from shared.payment import PaymentState
from shared.service_state import ServiceState
from tests.drawn import drawn
from tests.edge.web.conftest import BILL, OTHER_BILL, THE_CLOCK, THE_COUNTER
from tests.edge.web.fake_counter import PASSWORD, FakeClock, FakeCounter
from tests.edge.web.fake_services import FINES, OWNER

pytestmark = pytest.mark.browser

DEADLINE_S = 60
DESKTOP = ViewportSize(width=1280, height=720)


class Box:
    """The application of all tests, served; `do` runs something in its own thread, where its loop is."""

    def __init__(self, app: Litestar) -> None:
        self.begin()
        self.gone = False
        self._listener = listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=lambda: self._loop.run_until_complete(self._server.serve(sockets=[listener]))
        )
        self._thread.start()

    def begin(self) -> None:
        """Forget all that happened; somebody is signed in."""
        self.counter = THE_COUNTER.current = FakeCounter()
        THE_CLOCK.current = FakeClock()
        self.counter.sessions["s"] = OperatorView(username="reza", name="رضا", role="operator")

    def do(self, action: Callable[[], object]) -> None:
        done = threading.Event()

        def act() -> None:
            action()
            done.set()

        self._loop.call_soon_threadsafe(act)
        assert done.wait(DEADLINE_S)

    def kill(self) -> None:
        """Be gone as a program that was killed is: streams end in the middle, and nobody answers from then on."""

        def abort() -> None:
            for server in self._server.servers:
                server.close()
            for connection in list(self._server.server_state.connections):
                connection.transport.abort()

        self.gone = True
        self.do(abort)

    def pull_plug(self) -> None:
        """Be gone as a box without power is: streams stay open, and nothing is said on them any more."""

        def freeze() -> None:
            self._loop.remove_reader(self._listener)
            for connection in list(self._server.server_state.connections):
                connection.transport.pause_reading()
                vars(connection.transport)["write"] = lambda _: None

        self.gone = True
        self.do(freeze)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(DEADLINE_S)
        if not self._loop.is_closed():
            self._loop.close()


@pytest.fixture(scope="module")
def boxes(app: Litestar) -> Iterator[list[Box]]:
    """The boxes that were needed: another one only after one is gone."""
    opened = [Box(app)]
    yield opened
    for box in opened:
        box.stop()


@pytest.fixture
def box(app: Litestar, boxes: list[Box]) -> Box:
    if boxes[-1].gone:
        boxes.append(Box(app))
    boxes[-1].begin()
    return boxes[-1]


@pytest.fixture(scope="module")
def windows(browser: Browser) -> Iterator[dict[str, Page]]:
    """A page for each box that was needed: a window for each test would take longer than what the tests do in it."""
    opened: dict[str, Page] = {}
    yield opened
    for page in opened.values():
        page.context.close()


@pytest.fixture
def page(box: Box, browser: Browser, windows: dict[str, Page]) -> Iterator[Page]:
    if box.address not in windows:
        # Drawn without a graphics card, moving pictures would cost more than the tests.
        context = browser.new_context(base_url=box.address, reduced_motion="reduce")
        context.set_default_timeout(DEADLINE_S * 1000)
        windows[box.address] = context.new_page()
    page = windows[box.address]
    page.context.add_cookies([{"name": "daftar_session", "value": "s", "url": box.address}])
    page.set_viewport_size(DESKTOP)
    complaints: list[str] = []

    def note_error(error: Error) -> None:
        complaints.append(str(error))

    def note_refusal(said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            complaints.append(said.text)

    page.on("pageerror", note_error)
    page.on("console", note_refusal)
    yield page
    # Nothing of this test is to go on during the next one.
    page.unroute_all()
    page.goto("about:blank")
    page.context.clear_cookies()
    page.remove_listener("pageerror", note_error)
    page.remove_listener("console", note_refusal)
    assert complaints == []


def scan(
    page: Page,
    digits: str,
    *,
    letters: str = "0123456789",
    code: str = "",
    end: str | None = "Enter",
    stall_ms: int = 0,
) -> None:
    """Type as a scanner does: a key every ten milliseconds by the keys' own times, however busy the machine is.

    `letters` are what the layout makes of the digits; `stall_ms` is how long the computer holds the tenth key back.

    The browser does with a key what it would do, unless the page prevents it.
    """
    keys = [{"key": letters[int(digit)], "code": code and f"{code}{digit}", "shiftKey": False} for digit in digits]
    page.evaluate(
        """([keys, end, stall]) => {
            const target = document.activeElement || document.body;
            let at = performance.now(), count = 0;
            const press = (key) => {
                at += ++count === 10 ? 10 + stall : 10;
                const event = new KeyboardEvent("keydown", {...key, bubbles: true, cancelable: true});
                Object.defineProperty(event, "timeStamp", {value: at});
                return target.dispatchEvent(event);
            };
            for (const key of keys) press(key);
            if (end && press({key: end}) && end === "Enter" && target.matches("button, a")) target.click();
        }""",
        [keys, end, stall_ms],
    )


@pytest.mark.parametrize("end", ["Enter", "Tab", None])
@pytest.mark.parametrize("path", ["/history/payments", "/terminal"])
def test_a_barcode_scanned_on_any_page_opens_its_bill(page: Page, path: str, end: str | None):
    page.goto(path)
    scan(page, BILL, end=end)
    page.wait_for_url("**/bill?barcode=*")
    expect(page.get_by_role("heading", level=1)).to_contain_text("قبض تلفن ثابت")


def test_a_busy_computer_that_holds_one_key_back_does_not_break_a_barcode(page: Page):
    page.goto("/terminal")
    scan(page, BILL, stall_ms=800)
    page.wait_for_url("**/bill?barcode=*")


LAYOUTS = {
    "persian": ("۰۱۲۳۴۵۶۷۸۹", ""),
    "arabic": ("٠١٢٣٤٥٦٧٨٩", "Digit"),
    "french": ("à&é\"'(-è_ç", "Digit"),
    "shifted": (")!@#$%^&*(", "Digit"),
    "number pad": ("۰۱۲۳۴۵۶۷۸۹", "Numpad"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_barcode_scanned_under_any_layout_while_a_field_has_the_focus(page: Page, layout: str):
    page.goto("/")
    page.focus("#bill_id")
    letters, code = LAYOUTS[layout]
    scan(page, BILL, letters=letters, code=code)
    page.wait_for_url(f"**/bill?barcode={BILL}")


def test_real_keys_into_a_field_open_the_bill_however_slow_the_machine_is(page: Page):
    page.goto("/")
    page.focus("#payment_id")
    page.keyboard.type(BILL)
    page.keyboard.press("Enter")
    page.wait_for_url("**/bill?*")
    expect(page.get_by_role("heading", level=1)).to_contain_text("قبض تلفن ثابت")


def test_what_is_scanned_and_is_no_bill_presses_no_button(page: Page, box: Box):
    page.goto(f"/bill?barcode={OTHER_BILL}")
    page.get_by_role("button", name="پرداخت ۱۲٬۹۰۰ تومان").focus()
    scan(page, "6260106113110")
    scan(page, BILL)
    page.wait_for_url(f"**/bill?barcode={BILL}")
    assert box.counter.asked == []


def test_typing_at_a_person_s_pace_is_left_alone(page: Page):
    page.goto("/")
    page.focus("#barcode")
    page.keyboard.type(BILL, delay=150)
    expect(page.locator("#barcode")).to_have_value(BILL)
    page.keyboard.press("Enter")
    page.wait_for_url("**/bill?barcode=*")


def test_keys_go_places_but_not_while_typing(page: Page):
    page.goto("/about")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("hb?")
    expect(page.locator("#search")).to_have_value("hb?")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_payment_s_page_follows_it_without_a_reload(page: Page, box: Box):
    payment = box.counter.add_payment(BILL, PaymentState.SENT)
    box.counter.progress_words[payment.payment_id] = "waiting_card"
    page.goto(f"/payments/{payment.payment_id}")
    expect(page.locator("#payment")).to_contain_text("در انتظار کارت")
    page.evaluate("window.stayed = true")
    expect(page.locator("#lost")).to_be_hidden()
    box.do(
        lambda: box.counter.change_payment(
            payment.payment_id, state=PaymentState.APPROVED, confirmation="queued", stan="006441", outcome_index=200
        )
    )
    expect(page.locator("#payment")).to_contain_text("پرداخت شد · در صف تأیید")
    expect(page.locator("#announce")).to_have_text("پرداخت شد · در صف تأیید")
    assert page.title().startswith("پرداخت شد")
    box.do(lambda: box.counter.change_payment(payment.payment_id, confirmation="confirmed"))
    expect(page.locator("#payment .status--solid")).to_have_text("تأیید شد")
    assert page.evaluate("window.stayed")


def test_what_changed_before_the_page_began_to_listen_is_seen_at_once(page: Page, box: Box):
    payment = box.counter.add_payment(BILL, PaymentState.REQUESTED)

    def before_it_listens(route: Route) -> None:
        box.do(lambda: box.counter.change_payment(payment.payment_id, state=PaymentState.SENT))
        route.continue_()

    page.route("**/events", before_it_listens)
    page.goto(f"/payments/{payment.payment_id}")
    # Well before the timer that looks every ten seconds in case the stream is dead.
    expect(page.locator("#payment")).to_contain_text("در انتظار کارت", timeout=9_500)


def test_pressing_pay_twice_quickly_pays_once(page: Page, box: Box):
    page.goto(f"/bill?barcode={OTHER_BILL}")
    page.get_by_role("button", name="پرداخت ۱۲٬۹۰۰ تومان").dblclick()
    page.wait_for_url("**/payments/*")
    assert [name for name, _ in box.counter.asked] == ["pay"]


@pytest.mark.parametrize("gone", [Box.kill, Box.pull_plug])
def test_a_lost_link_to_the_box_is_said(page: Page, box: Box, gone: Callable[[Box], None]):
    with page.expect_response("**/events"):
        page.goto("/")
    expect(page.locator("#lost")).to_be_hidden()
    gone(box)
    # A box that fell silent is missed after twelve seconds.
    expect(page.locator("#lost")).to_be_visible(timeout=60_000)


def test_no_page_is_wider_than_its_window(page: Page, box: Box):
    box.counter.add_payment(OTHER_BILL, PaymentState.IN_DOUBT)
    for path in ("/", f"/bill?barcode={BILL}", "/payments/p101", "/history/payments", "/terminal", "/about"):
        page.goto(path)
        for width in (390, 683, 1366):
            page.set_viewport_size({"width": width, "height": 768})
            assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, (path, width)


def test_what_is_pressed_is_large_enough_for_a_thumb(page: Page, box: Box):
    box.counter.add_payment(OTHER_BILL, PaymentState.IN_DOUBT)
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/", "/history/payments", "/payments/p101"):
        page.goto(path)
        small = page.evaluate(
            """(pressed) => [...document.querySelectorAll(pressed)]
                .filter((found) => found.offsetParent && found.getBoundingClientRect().height < 43.5)
                .map((found) => found.outerHTML.slice(0, 80))""",
            "a.btn, button:not(.btn-link, .unseen), select, summary, .side a, .gauge[href], .choices label,"
            "input:not([type=hidden], [type=radio])",
        )
        assert small == [], path


# --- time to serve, counted in keys ---------------------------------------------------------------------------------


def press(page: Page, *keys: str) -> int:
    """Press single keys one after another, as a person does; return how many."""
    for key in keys:
        # A person is slower than this; what is shorter counts as a burst.
        page.keyboard.press(key, delay=20)
    return len(keys)


def test_a_scanned_bill_is_at_the_terminal_after_one_key(page: Page, box: Box):
    page.goto("/services")
    scan(page, OTHER_BILL)
    page.wait_for_url("**/bill?barcode=*")
    drawn(page)
    keys = press(page, "p")
    page.wait_for_url("**/payments/*")
    assert [name for name, _ in box.counter.asked] == ["pay"]
    assert keys <= 3


def test_a_fine_inquiry_asks_for_no_field_that_the_guide_does_not_ask_for(page: Page, box: Box):
    page.goto("/")
    keys = press(page, "f")
    page.wait_for_url("**/services/car_fines")
    drawn(page)
    keys += press(page, "2")
    page.wait_for_url("**/services/car_fines_detail")
    drawn(page)
    form = page.locator("main form")
    asked_for = [name for name in form.evaluate("form => [...form.elements].map((one) => one.name)") if name]
    plate = ["plate.two", "plate.letter", "plate.three", "plate.province"]
    assert asked_for == ["csrf", "key", *plate, "national_code", "mobile", "notify", "rules_accepted"], (
        "the guide's, and a tick"
    )
    # Each part that is full leads on to the next: nothing but the plate and the numbers is typed.
    # At a person's pace: from the plate's digits on they are as many as a bill's barcode has.
    page.keyboard.type("99")
    expect(page.locator("[name='plate.letter']")).to_be_focused()
    page.locator("[name='plate.letter']").select_option("ل")
    expect(page.locator("[name='plate.three']")).to_be_focused()
    page.keyboard.type("28388", delay=150)
    expect(page.locator("[name=national_code]")).to_be_focused()
    page.keyboard.type("0499370899", delay=150)
    expect(page.locator("[name=mobile]")).to_be_focused()
    page.keyboard.type("09123456789", delay=150)
    keys += press(page, "Tab", "Tab", "Tab", "Space", "Enter")
    page.wait_for_url("**/requests/*")
    drawn(page)
    (view,) = box.counter.service_views.values()
    assert view.fields == OWNER
    # The old page shows what comes of a key, too, and what is pressed on it then is lost.
    with page.expect_navigation():
        keys += press(page, "p")
    expect(page.locator("#request")).to_contain_text("در انتظار کارت")
    paid = box.counter.service_payment(175_000, PaymentState.APPROVED, confirmation="queued")
    box.do(lambda: box.counter.change_request(view.inquiry_id, state=ServiceState.READY, fee=paid))
    expect(page.locator("#request")).to_contain_text("پرداخت با موفقیت انجام شد")
    with page.expect_navigation():
        keys += press(page, "v")
    drawn(page)
    expect(page.locator("form[action$='/show']")).to_be_attached()
    box.do(lambda: box.counter.answer(view.inquiry_id, FINES))
    expect(page.locator(".violation")).to_have_count(3)
    keys += press(page, "p")
    expect(page.locator(".violation").first).to_contain_text("در انتظار کارت")
    assert box.counter.asked[-1] == ("pay answer", "s1,s2,s3")
    # To the receipt, besides the eight of the plate and the two numbers: this many, and none by the mouse.
    assert keys <= 10


def test_the_operator_follows_the_number_until_somebody_chooses(page: Page):
    page.goto("/services/top_up")
    chosen = page.locator("[name=operator]:checked")
    number = page.locator("[name=mobile]")
    number.focus()
    page.keyboard.type("۰۹۳۵")
    expect(chosen).to_have_value("mtn")
    expect(page.locator("#announce")).to_have_text("ایرانسل")
    number.fill("+98 912 345 6789")
    expect(chosen).to_have_value("mci")
    number.fill("0999")
    expect(chosen).to_have_count(0)
    page.locator("label", has_text="رایتل").click()
    number.fill("09123456789")
    expect(chosen).to_have_value("rightel")
    page.goto("/services/top_up")
    number.fill("0912")
    page.locator("label", has_text="همراه اول").click()
    number.fill("09351234567")
    expect(chosen).to_have_value("mci")


def test_nothing_that_a_scanner_types_presses_a_button(page: Page, box: Box):
    page.goto(f"/bill?barcode={OTHER_BILL}")
    page.evaluate(
        """() => {
            let at = performance.now();
            for (const key of ["p", "1", "p", "x", "p"]) {
                at += 10;
                const event = new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true});
                Object.defineProperty(event, "timeStamp", {value: at});
                document.body.dispatchEvent(event);
            }
        }"""
    )
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    assert page.url.endswith(OTHER_BILL)
    assert box.counter.asked == []


def test_a_service_is_found_while_one_types_its_name(page: Page):
    page.goto("/about")
    page.keyboard.press("/")
    page.keyboard.type("گذر")
    expect(page.locator("#suggestions a")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/services/passport_post")


def test_a_newer_list_of_services_leaves_the_chosen_one_chosen(page: Page):
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.goto("/about")
    page.keyboard.press("/")
    page.keyboard.type("گ")
    expect(page.locator("#suggestions a").first).to_be_visible()
    page.route("**/services/suggest?*", hold)
    with page.expect_request("**/services/suggest?*"):
        page.keyboard.type("ذر")
    page.keyboard.press("ArrowDown")
    page.locator("#suggestions a[href='/services/passport_post']").focus()
    held[-1].continue_()
    page.unroute("**/services/suggest?*")
    expect(page.locator("#suggestions a")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/services/passport_post")


def test_a_locked_page_is_covered_keeps_what_was_typed_and_opens_with_the_password(box: Box, page: Page):
    page.goto("/")
    page.locator("#search").fill("آب")
    page.locator("h1").evaluate("() => document.activeElement.blur()")
    page.keyboard.press("l")
    lock = page.locator("#lock")
    expect(lock).to_be_visible()
    expect(lock.locator("[name=password]")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Escape")
    scan(page, BILL)
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(lock.locator("[role=alert]")).to_contain_text("کلمهٔ رمز درست نیست")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(lock).to_be_hidden()
    expect(page.locator("#search")).to_have_value("آب")
    assert box.counter.people.locked == set()
    # The box locks by itself: the next part that keeps itself new is told so.
    box.do(lambda: box.counter.people.locked.add("s"))
    box.do(lambda: box.counter.publish("terminal"))
    expect(lock).to_be_visible()
    box.do(box.counter.sessions.clear)
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in**")
