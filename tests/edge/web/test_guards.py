import httpx
import pytest
from litestar import Litestar

from shared.payment import PaymentState
from tests.edge.web.conftest import BILL_ID, PAYMENT_ID, Browser
from tests.edge.web.fake_counter import PASSWORD, FakeCounter


@pytest.fixture
def stocked(counter: FakeCounter) -> FakeCounter:
    assert counter.add_payment("91746395041240000012908190", PaymentState.IN_DOUBT).payment_id == "p101"
    assert counter.add_inquiry("water").inquiry_id == "q102"
    assert counter.add_refund("p101").refund_id == "r103"
    return counter


@pytest.mark.parametrize("token", ["payments-read", "all"])
async def test_a_scope_opens_its_routes(visitor: Browser, stocked: FakeCounter, token: str):
    answer = await visitor.client.get("/api/v1/payments/p101", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


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
