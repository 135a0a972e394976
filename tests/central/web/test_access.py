"""Who may do what at central: every address with every role, and forms that are not of our own page."""

from collections.abc import Iterator

import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from structlog.testing import capture_logs

from tests.central.web.a_day import PASSWORD, Day
from tests.central.web.conftest import sign_in, token_of

pytestmark = pytest.mark.postgres

ANYBODY, LOOKS, CHANGES = "anybody", "who signed in", "finance"
ACCESS = {
    "GET /": LOOKS,
    "GET /atms": LOOKS,
    "GET /atms/{office}/tickets/{ticket_id}": LOOKS,
    "GET /atms/{office}/{atm_id}": LOOKS,
    "GET /cases": LOOKS,
    "GET /cases/{case_id}": LOOKS,
    "GET /catalogue": LOOKS,
    "GET /days": LOOKS,
    "GET /days/{ordinal}": LOOKS,
    "GET /feeds": LOOKS,
    "GET /files": LOOKS,
    "GET /files/{file_id}": LOOKS,
    "GET /inquiries": LOOKS,
    "GET /inquiries/{office_id}/{inquiry_id}": LOOKS,
    "GET /journal": LOOKS,
    "GET /ledger": LOOKS,
    "GET /ledger/account": LOOKS,
    "GET /offices": LOOKS,
    "GET /offices/{office_id}": LOOKS,
    "GET /payments": LOOKS,
    "GET /payments/{office_id}/{payment_id}": LOOKS,
    "GET /policies": LOOKS,
    "GET /proof/{name}": ANYBODY,
    "GET /providers": LOOKS,
    "GET /quarantine": LOOKS,
    "GET /r/{name}": ANYBODY,
    "GET /requests": LOOKS,
    "GET /requests/{office_id}/{inquiry_id}": LOOKS,
    "GET /runs": LOOKS,
    "GET /runs/{run_id}": LOOKS,
    "GET /sign-in": ANYBODY,
    "GET /status/{inquiry_id}": ANYBODY,
    "POST /atms/{office}/tickets/{ticket_id}/answers": CHANGES,
    "POST /cases/{case_id}/closings": CHANGES,
    "POST /cases/{case_id}/closings/{closing_id}/agree": CHANGES,
    "POST /cases/{case_id}/closings/{closing_id}/drop": CHANGES,
    "POST /cases/{case_id}/notes": CHANGES,
    "POST /cases/{case_id}/take": CHANGES,
    "POST /files": CHANGES,
    "POST /files/{file_id}/correction": CHANGES,
    "POST /language": ANYBODY,
    "POST /payments/{office_id}/{payment_id}/statements": CHANGES,
    "POST /payments/{office_id}/{payment_id}/statements/{statement_id}/agree": CHANGES,
    "POST /payments/{office_id}/{payment_id}/statements/{statement_id}/drop": CHANGES,
    "POST /policies": CHANGES,
    "POST /quarantine": CHANGES,
    "POST /quarantine/{decision_id}/agree": CHANGES,
    "POST /quarantine/{decision_id}/drop": CHANGES,
    "POST /runs": CHANGES,
    "POST /runs/{run_id}/cases": CHANGES,
    "POST /sign-in": ANYBODY,
    "POST /sign-out": LOOKS,
}
BOXES = {"POST /exchange", "POST /enrol", "GET /health"}
"""Signed by themselves, or saying nothing of anybody."""
LASTS = [route for route in ACCESS if route != "POST /sign-out"]
NUMBERS = {"ordinal", "run_id", "closing_id", "statement_id", "decision_id"}
FORBIDDEN, TO_SIGN_IN = 403, (303, "/sign-in")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with capture_logs():
        yield


def routes_of(app: Litestar) -> set[str]:
    return {
        f"{method} {route.path_format}"
        for route in app.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith("/assets")
        for method in route.methods - {"OPTIONS", "HEAD"}
    }


def address(route: str, name: str = "none", number: str = "999999") -> tuple[str, str]:
    method, path = route.split(" ")
    parts = [part.strip("{}") if part.startswith("{") else None for part in path.split("/")]
    filled = [
        number if part in NUMBERS else name if part else kept for part, kept in zip(parts, path.split("/"), strict=True)
    ]
    return method, "/".join(filled)


def where(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.headers.get("location", "").partition("?")[0]


@pytest.fixture
async def mina(kept_mina: httpx.AsyncClient) -> tuple[httpx.AsyncClient, str]:
    return kept_mina, token_of((await kept_mina.get("/runs")).text)


@pytest.fixture
async def reza(kept_reza: httpx.AsyncClient) -> tuple[httpx.AsyncClient, str]:
    return kept_reza, token_of((await kept_reza.get("/cases")).text)


def test_every_address_says_who_may_ask_for_it(kept_day: Day) -> None:
    assert routes_of(kept_day.app) - BOXES == ACCESS.keys()


async def test_who_did_not_sign_in_sees_only_what_is_everybodys(visitor: httpx.AsyncClient) -> None:
    for route, who in ACCESS.items():
        method, path = address(route)
        answer = await visitor.request(method, path)
        if who == ANYBODY and method == "GET":
            assert answer.status_code in (200, 404), route
        else:
            assert where(answer) == TO_SIGN_IN or (who == ANYBODY and answer.status_code == FORBIDDEN), route


async def test_an_auditor_looks_and_changes_nothing(reza: tuple[httpx.AsyncClient, str]) -> None:
    client, token = reza
    for route in LASTS:
        method, path = address(route)
        answer = await client.request(method, path, data={"csrf": token} if method == "POST" else None)
        if ACCESS[route] == CHANGES:
            assert answer.status_code == FORBIDDEN, route
        else:
            assert answer.status_code in (200, 303, 401, 404, 422), (route, answer.status_code)
            assert where(answer) != TO_SIGN_IN, route


async def test_finance_changes_by_forms_of_our_own_page_only(
    mina: tuple[httpx.AsyncClient, str], reza: tuple[httpx.AsyncClient, str]
) -> None:
    client, token = mina
    for route in LASTS:
        method, path = address(route)
        if method == "GET":
            continue
        forged = [
            await client.post(path),
            await client.post(path, data={"csrf": reza[1]}),
            await client.post(path, data={"csrf": token}, headers={"sec-fetch-site": "cross-site"}),
        ]
        assert [answer.status_code for answer in forged] == [FORBIDDEN] * 3, route
        answer = await client.post(path, data={"csrf": token})
        assert answer.status_code in (303, 401, 404, 409, 422), (route, answer.status_code)
        assert answer.status_code != 401 or route == "POST /sign-in", route


@pytest.mark.parametrize("name", ["%00", "%ED%A0%80", "a" * 3000, "'--", "%F0%9F%98%80", ".."])
async def test_no_address_is_a_fault_of_ours(mina: tuple[httpx.AsyncClient, str], name: str) -> None:
    client, token = mina
    for route in LASTS:
        method, path = address(route, name, "9" * 30)
        answer = await client.request(method, path, data={"csrf": token} if method == "POST" else None)
        assert answer.status_code < 500, (route, answer.status_code)
        if method == "GET" and not path.endswith(name):
            answer = await client.get(path, params={"q": "\x00", "before": "9" * 30, "office": "\x00", "state": name})
            assert answer.status_code < 500, (route, answer.status_code)


async def test_a_name_that_nothing_can_hold_signs_nobody_in(visitor: httpx.AsyncClient) -> None:
    for username in ("a\x00b", "x" * 50_000, "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")):
        assert (await sign_in(visitor, username)).status_code in (401, 404)
    assert (await sign_in(visitor, "x" * 70_000)).status_code == 413


async def test_every_answer_forbids_what_pages_do_not_need(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/sign-in")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == ("nosniff", "no-store")
    signed = await sign_in(visitor, "mina", PASSWORD)
    cookie = next(line for line in signed.headers.get_list("set-cookie") if line.startswith("daftar_central_session"))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
