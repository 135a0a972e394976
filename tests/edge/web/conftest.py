import re
from collections.abc import AsyncIterator, Iterator
from html.parser import HTMLParser
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import sync_playwright

from edge.services.counter import Counter as RealCounter
from edge.web.ports.counter import Counter
from edge.web.router import create_app
from tests.edge.web.fake_counter import PASSWORD, FakeClock, FakeCounter, FakeEntropy

ORIGIN = "http://box.test"
BILL = "77483178001420000001770160"
BILL_ID = "7748317800142"
PAYMENT_ID = "1770160"
OTHER_BILL = "91746395041240000012908190"


def the_real_counter_is_one(real: RealCounter) -> Counter:
    """Type checkers hold the fake and the real one to the same port."""
    return real


class Page(HTMLParser):
    """What a browser would see of a page: tags with attributes, and the text between."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.source = text
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [found for name, found in self.tags if name == tag and all(found.get(k) == v for k, v in wanted.items())]

    def field(self, name: str) -> dict[str, str]:
        return self.all("input", name=name)[0]

    def form(self, action: str) -> dict[str, str]:
        """Return the hidden fields of the form with this action."""
        match = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', self.source, re.DOTALL)
        assert match, f"no form {action}"
        return {field["name"]: field["value"] for field in Page(match[0]).all("input", type="hidden")}


class Browser:
    """A person's browser: cookies kept, redirects shown, forms sent as the page has them."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def page(self, path: str) -> Page:
        return Page((await self.client.get(path)).text)

    async def send(self, on_page: str, action: str, **values: str) -> httpx.Response:
        """Fill the form of a page and press its button."""
        hidden = (await self.page(on_page)).form(action)
        return await self.client.post(action, data={**hidden, **values})

    async def sign_in(self) -> None:
        answer = await self.send("/sign-in", "/sign-in", username="reza", password=PASSWORD)
        assert answer.status_code == 303

    async def choose(self, language: str) -> None:
        await self.send("/sign-in", "/language", language=language)


class Present:
    """Stands for the object of the running test, so that one application serves all of them: building it takes long."""

    current: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.current, name)


THE_COUNTER, THE_CLOCK = Present(), Present()


@pytest.fixture(scope="session")
def app() -> Litestar:
    return create_app(cast("Counter", THE_COUNTER), clock=THE_CLOCK, entropy=FakeEntropy(), version="9.9.9")


@pytest.fixture
def counter() -> FakeCounter:
    THE_COUNTER.current = FakeCounter()
    return cast("FakeCounter", THE_COUNTER.current)


@pytest.fixture
def clock() -> FakeClock:
    THE_CLOCK.current = FakeClock()
    return cast("FakeClock", THE_CLOCK.current)


@pytest.fixture
async def visitor(app: Litestar, counter: FakeCounter, clock: FakeClock) -> AsyncIterator[Browser]:
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # the two libraries type ASGI differently
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield Browser(client)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Chromium]:
    """Chromium, for one module: while it is open its loop runs in this thread, where others want their own."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield launched
        launched.close()


@pytest.fixture
async def operator(visitor: Browser) -> Browser:
    await visitor.sign_in()
    return visitor
