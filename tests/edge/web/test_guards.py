import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from shared.payment import PaymentState
from tests.edge.web.conftest import BILL_ID, PAYMENT_ID, Browser
from tests.edge.web.fake_counter import PASSWORD, TOKENS, FakeCounter

PUBLIC = {"GET /sign-in", "POST /sign-in", "POST /language", "GET /api/openapi.json", "GET /api"}
SCOPE_OF = {
    "POST /api/v1/bills/read": "payments:read",
    "POST /api/v1/payments": "payments:write",
    "GET /api/v1/payments": "payments:read",
    "GET /api/v1/payments/{payment_id:str}": "payments:read",
    "POST /api/v1/payments/{payment_id:str}/check": "payments:write",
    "POST /api/v1/payments/{payment_id:str}/cancel": "payments:write",
    "POST /api/v1/payments/{payment_id:str}/override": "payments:decide",
    "POST /api/v1/payments/{payment_id:str}/reversal-word": "payments:decide",
    "POST /api/v1/payments/{payment_id:str}/refunds": "refunds:write",
    "GET /api/v1/refunds": "payments:read",
    "GET /api/v1/refunds/{refund_id:str}": "payments:read",
    "POST /api/v1/refunds/{refund_id:str}/agree": "refunds:decide",
    "POST /api/v1/refunds/{refund_id:str}/drop": "refunds:write",
    "POST /api/v1/refunds/{refund_id:str}/retry": "refunds:write",
    "GET /api/v1/terminals": "payments:read",
    "POST /api/v1/inquiries": "inquiries:write",
    "GET /api/v1/inquiries/{inquiry_id:str}": "inquiries:write",
    "GET /api/v1/days": "payments:read",
    "POST /api/v1/days": "payments:write",
    "GET /api/v1/days/{close_id:str}": "payments:read",
    "GET /api/v1/status": "status:read",
    "GET /api/v1/events": "status:read",
}
"""Written by hand on purpose: a new route must be given its scope here as well, or the matrix fails."""


def routes_of(app: Litestar) -> list[str]:
    return sorted(
        f"{method} {route.path_format}"
        for route in app.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith("/assets")
        for method in route.methods - {"OPTIONS", "HEAD"}
    )


def address(route: str) -> tuple[str, str]:
    method, path = route.split(" ")
    return method, path.replace("{payment_id}", "p101").replace("{inquiry_id}", "q102").replace("{refund_id}", "r103")


def api_route(route: str) -> str:
    return route.replace("_id}", "_id:str}")


@pytest.fixture
def stocked(counter: FakeCounter) -> FakeCounter:
    assert counter.add_payment("91746395041240000012908190", PaymentState.IN_DOUBT).payment_id == "p101"
    assert counter.add_inquiry("water").inquiry_id == "q102"
    assert counter.add_refund("p101").refund_id == "r103"
    return counter


async def test_every_page_sends_a_stranger_to_sign_in_and_changes_nothing(
    app: Litestar, visitor: Browser, stocked: FakeCounter
):
    for route in routes_of(app):
        method, path = address(route)
        if route in PUBLIC or path.startswith("/api"):
            continue
        answer = await visitor.client.request(method, path)
        if path == "/events":
            assert answer.status_code == 401
        else:
            assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in"), route
    assert stocked.asked == []


async def test_every_api_route_needs_its_own_scope_and_no_cookie_opens_it(
    app: Litestar, operator: Browser, stocked: FakeCounter
):
    api = [route for route in routes_of(app) if route.split(" ")[1].startswith("/api/v1")]
    assert {api_route(route) for route in api} == set(SCOPE_OF)
    for route in api:
        method, path = address(route)
        for given in [None, "no such token", *TOKENS]:
            scopes = TOKENS.get(given or "", frozenset())
            headers = {} if given is None else {"authorization": f"Bearer {given}"}
            if SCOPE_OF[api_route(route)] in scopes:
                continue
            answer = await operator.client.request(method, path, headers=headers, json={})
            expected = 403 if given in TOKENS else 401
            assert answer.status_code == expected, (route, given)
            assert answer.headers["content-type"] == "application/problem+json"
    assert stocked.asked == []


@pytest.mark.parametrize("token", ["payments-read", "all"])
async def test_a_scope_opens_its_routes(visitor: Browser, stocked: FakeCounter, token: str):
    answer = await visitor.client.get("/api/v1/payments/p101", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


async def test_every_form_of_a_signed_in_operator_needs_its_token(
    app: Litestar, operator: Browser, stocked: FakeCounter
):
    posts = [address(route)[1] for route in routes_of(app) if route.startswith("POST /") and "/api/" not in route]
    assert len(posts) >= 8
    for path in posts:
        for data in ({}, {"csrf": ""}, {"csrf": "0" * 64}):
            answer = await operator.client.post(path, data=data)
            assert answer.status_code == 403, path
    assert stocked.asked == []


async def test_the_form_token_of_one_browser_is_no_use_in_another(app: Litestar, operator: Browser):
    token = (await operator.page("/")).form("/sign-out")["csrf"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://box.test") as client:  # type: ignore[arg-type]
        other = Browser(client)
        await other.sign_in()
        answer = await client.post(
            "/payments", data={"csrf": token, "key": "k", "bill_id": BILL_ID, "payment_id": PAYMENT_ID}
        )
    assert answer.status_code == 403


async def test_a_form_sent_by_another_site_is_refused_even_with_the_token(operator: Browser, counter: FakeCounter):
    hidden = (await operator.page(f"/bill?bill_id={BILL_ID}&payment_id={PAYMENT_ID}")).form("/payments")
    answer = await operator.client.post("/payments", data=hidden, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert counter.asked == []


async def test_cookies_are_for_this_box_only_and_out_of_reach_of_scripts(visitor: Browser):
    shown = await visitor.get("/sign-in")
    signed = await visitor.send("/sign-in", "/sign-in", username="reza", password=PASSWORD)
    spoken = await visitor.send("/", "/language", language="en")
    cookies = [cookie for answer in (shown, signed, spoken) for cookie in answer.headers.get_list("set-cookie")]
    assert {cookie.partition("=")[0] for cookie in cookies} == {"daftar_visit", "daftar_session", "daftar_language"}
    for cookie in cookies:
        if "Max-Age=0" not in cookie:
            assert "HttpOnly" in cookie
            assert "samesite=strict" in cookie.lower()


async def test_signing_out_ends_the_session_at_the_box(operator: Browser, counter: FakeCounter):
    session = operator.client.cookies["daftar_session"]
    answer = await operator.send("/", "/sign-out")
    assert answer.headers["location"] == "/sign-in"
    operator.client.cookies.set("daftar_session", session, domain="box.test")
    assert (await operator.get("/")).status_code == 303
    assert counter.sessions == {}
