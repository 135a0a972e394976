"""Every route of the box with every kind of asker, against the table of `edge.web.access`. None can be forgotten."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from structlog.testing import capture_logs

from edge.services.events import BoxEvent
from edge.services.people.permissions import Permitted
from edge.store.people import MANAGER, OPERATOR, ApiCaller, OperatorView
from edge.web.access import API, PAGES, Access, read_access
from edge.web.guards import SCOPES
from edge.web.help import health_route
from edge.web.router import create_app as create_web
from shared.payment import PaymentState
from tests.edge.web.conftest import ORIGIN, OTHER_BILL
from tests.edge.web.fake_counter import FakeClock, FakeCounter, FakeEntropy

NOTHING: Final = Permitted(frozenset())
PEOPLE: Final = {
    "operator": OperatorView(username="sara", name="سارا", role=OPERATOR),
    "operator without permissions": OperatorView(username="bahar", name="بهار", role=OPERATOR),
    "manager": OperatorView(username="mina", name="مینا", role=MANAGER),
    "locked": OperatorView(username="mina", name="مینا", role=MANAGER),
    "has to change the password": OperatorView(username="ali", name="علی", role=MANAGER, must_change=True),
}
"""Who asks for pages, by the token of their session. There are two more: nobody, and who has a session that is over."""
SESSIONS: Final = ("", "over", *PEOPLE)
TOKENS: Final = {
    **{scope: ApiCaller(name="one", scopes=frozenset({scope})) for scope in SCOPES},
    "no scope": ApiCaller(name="none", scopes=frozenset()),
    "every scope": ApiCaller(name="every", scopes=SCOPES),
    "in the name of sara": ApiCaller(name="every", scopes=SCOPES, person="sara"),
    "in the name of bahar": ApiCaller(name="every", scopes=SCOPES, person="bahar"),
}
"""Programs, by their token. Bahar is permitted nothing."""
NAMES: Final = {
    "payment_id": "p101",
    "inquiry_id": "q102",
    "refund_id": "r103",
    "code": "car_fines",
    "field": "since",
    "number": "1",
}
REFUSALS: Final = (
    "auth.sign_in_needed",
    "auth.manager_needed",
    "auth.not_permitted",
    "auth.locked",
    "auth.password_must_change",
    "api.token_needed",
    "api.scope_needed",
)


class Everybody(FakeCounter):
    """A counter to which everybody has come. Nothing happens there: its stream of changes ends at once."""

    def __init__(self) -> None:
        super().__init__()
        self.sessions.update(PEOPLE)
        self.people.known = {person.username: person for person in PEOPLE.values()}
        self.people.locked.add("locked")
        self.people.rows.set["bahar"] = NOTHING
        self.add_payment(OTHER_BILL, PaymentState.IN_DOUBT)
        self.add_inquiry("water")
        self.add_refund("p101")
        self.asked.clear()

    def operator_of_api_token(self, token: str) -> ApiCaller | None:
        return TOKENS.get(token)

    async def subscribe(self) -> AsyncIterator[BoxEvent]:
        nothing: tuple[BoxEvent, ...] = ()
        for event in nothing:
            yield event


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What a page says to who may see it is its own tests' matter; drawing each fault of a fake would take minutes."""
    with capture_logs():
        yield


@pytest.fixture(scope="module")
def counter() -> Everybody:
    return Everybody()


@pytest.fixture(scope="module")
def app(counter: Everybody) -> Litestar:
    served = create_web(counter, clock=FakeClock(), entropy=FakeEntropy(), version="1")
    # `edge.app` registers it beside the pages.
    served.register(health_route(counter, support_line=""))
    return served


def routes_of(app: Litestar) -> set[str]:
    return {
        f"{method} {route.path_format}"
        for route in app.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith("/assets")
        for method in route.methods - {"OPTIONS", "HEAD"}
    }


def address(route: str) -> tuple[str, str]:
    method, path = route.split(" ")
    return method, re.sub(r"\{(\w+)\}", lambda name: NAMES.get(name[1], "x1"), path)


async def answer(app: Litestar, route: str, *, session: str = "", token: str = "") -> str:
    """Return the code with which somebody is refused, or `passed`, or `form` for one stopped at the form's own token.

    No form is ever sent with the token that proves it is ours: whoever passes all else must be stopped by that.
    """
    method, path = address(route)
    headers = {"authorization": f"Bearer {token}"} if token else {"cookie": f"daftar_session={session}"}
    body: dict[str, Any] = {"json": {}} if path.startswith("/api") and method == "POST" else {}
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # the two libraries type ASGI differently
    request = httpx.Request(method, ORIGIN + path, headers=headers, **body)
    said = await transport.handle_async_request(request)
    await said.aread()
    if said.headers.get("location", "").startswith("/sign-in") or (path == "/events" and said.status_code == 401):
        return "auth.sign_in_needed"
    if said.headers.get("location") == "/password":
        return "auth.password_must_change"
    if said.status_code == 423:
        return "auth.locked"
    if said.status_code == 403 and "auth.form_expired" in said.text:
        return "form"
    return next((code for code in REFUSALS if code in said.text and said.status_code in (401, 403)), "passed")


def expected_of_person(access: Access, who: str, *, is_post: bool) -> str:
    """Return what the table says that a person is answered who asks for a page."""
    passed = "form" if is_post else "passed"
    if who in ("", "over"):
        return passed if access.who == "anybody" else "auth.sign_in_needed"
    if who == "locked" and not access.even_locked:
        # What was typed is kept for after the lock, so that a form that is not ours is stopped before it.
        return "form" if is_post else "auth.locked"
    if who == "has to change the password" and not access.before_password:
        return "auth.password_must_change"
    if who == "operator without permissions" and access.act:
        return "auth.not_permitted"
    if access.who == "manager" and PEOPLE[who].role != MANAGER:
        return "auth.manager_needed"
    return passed


def expected_of_program(access: Access, token: str) -> str:
    """Return what the table says that a program is answered."""
    caller = TOKENS.get(token)
    if access.who == "anybody":
        return "passed"
    if caller is None:
        return "api.token_needed"
    if access.scope not in caller.scopes:
        return "api.scope_needed"
    return "auth.not_permitted" if access.act and caller.person == "bahar" else "passed"


def test_the_table_has_each_route_and_no_other(app: Litestar):
    assert routes_of(app) == PAGES.keys() | API.keys()


@pytest.mark.faults("request failed")
async def test_every_page_answers_everybody_as_the_table_says(app: Litestar, counter: Everybody):
    wrong: list[str] = []
    for route, words in PAGES.items():
        access = read_access(words)
        # The address for supervisors is no page: it looks at nobody.
        for who in SESSIONS if route != "GET /health" else ("",):
            expected = expected_of_person(access, who, is_post=route.startswith("POST"))
            found = await answer(app, route, session=who)
            if found != expected:
                wrong.append(f"{route} for {who or 'nobody'}: {found}, and the table says {expected}")
    assert wrong == []
    assert counter.asked == [], "nothing was done, whoever asked: no form was ours"


async def test_no_token_of_a_program_opens_a_page(app: Litestar, counter: Everybody):
    for route, words in PAGES.items():
        if read_access(words).who != "anybody":
            assert await answer(app, route, token="every scope") == "auth.sign_in_needed", route
    assert counter.asked == []


@pytest.mark.faults("request failed")
async def test_every_route_of_the_api_answers_every_program_as_the_table_says(app: Litestar):
    wrong: list[str] = []
    for route, words in API.items():
        access = read_access(words)
        for token in ("", "revoked", *TOKENS):
            expected = expected_of_program(access, token)
            found = await answer(app, route, token=token)
            if found != expected:
                wrong.append(f"{route} for {token or 'no token'}: {found}, and the table says {expected}")
    assert wrong == []


async def test_no_session_of_a_person_opens_the_api(app: Litestar, counter: Everybody):
    counter.asked.clear()
    for route, words in API.items():
        if read_access(words).who != "anybody":
            assert await answer(app, route, session="manager") == "api.token_needed", route
    assert counter.asked == []


@pytest.mark.parametrize("words", ["somebody", "token", "person payments:read", "person bills refunds", "person sells"])
def test_a_row_of_other_words_is_refused(words: str):
    with pytest.raises(ValueError, match=words):
        read_access(words)


async def test_a_denial_holds_with_the_next_request_of_a_page_that_is_open(app: Litestar, counter: Everybody):
    assert await answer(app, "POST /payments", session="operator") == "form"
    counter.people.rows.set["sara"] = Permitted(frozenset({"*"}), frozenset({"bills"}))
    assert await answer(app, "POST /payments", session="operator") == "auth.not_permitted"
    assert await answer(app, "POST /api/v1/payments", token="in the name of sara") == "auth.not_permitted"
    counter.people.rows.set.pop("sara")
    counter.sessions["operator"] = msgspec.structs.replace(PEOPLE["operator"], role=MANAGER)
    counter.people.rows.set["sara"] = NOTHING
    assert await answer(app, "POST /payments", session="operator") == "form", "a manager may do everything"
    counter.sessions["operator"] = PEOPLE["operator"]
    counter.people.rows.set.pop("sara")
