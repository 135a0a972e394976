import json
from typing import Any

import httpx
import pytest

from shared.payment import PaymentState
from tests.edge.web.conftest import BILL, BILL_ID, OTHER_BILL, PAYMENT_ID, Browser
from tests.edge.web.fake_counter import FakeCounter
from tests.edge.web.test_pages_elsewhere import THERE, hold

HEADERS = {"authorization": "Bearer all"}
PAY = {"bill_id": BILL_ID, "payment_id": PAYMENT_ID}


@pytest.fixture
def api(visitor: Browser) -> httpx.AsyncClient:
    visitor.client.headers.update(HEADERS)
    return visitor.client


def body(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.text)
    return found


@pytest.mark.parametrize(
    "asked", [{"barcode": BILL}, {"bill_id": BILL}, PAY, {"bill_id": "۷۷۴۸۳۱۷۸۰۰۱۴۲", "payment_id": " 1770160 "}]
)
async def test_a_bill_is_read(api: httpx.AsyncClient, asked: dict[str, str]):
    answer = await api.post("/api/v1/bills/read", json=asked)
    assert answer.status_code == 200
    assert body(answer) == {
        "bill_id": BILL_ID,
        "payment_id": PAYMENT_ID,
        "barcode": BILL,
        "company": "landline",
        "amount_rial": 17_000,
        "year_digit": 7,
        "period": "01",
        "earlier": None,
        "elsewhere": None,
        "disputed": None,
    }


async def test_a_payment_is_begun_once_for_a_key(api: httpx.AsyncClient, counter: FakeCounter):
    answers = [await api.post("/api/v1/payments", json=PAY, headers={"idempotency-key": "k1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert body(answers[0]) == body(answers[1])
    assert len(counter.asked) == 1
    payment_id = body(answers[0])["payment_id"]
    assert answers[0].headers["location"] == f"/api/v1/payments/{payment_id}"
    assert counter.queries.all_payments[payment_id].operator == "api:all"


async def test_the_same_key_with_another_body_is_a_conflict(api: httpx.AsyncClient, counter: FakeCounter):
    await api.post("/api/v1/payments", json=PAY, headers={"idempotency-key": "k1"})
    other = {"bill_id": "9174639504124", "payment_id": "12908190"}
    answer = await api.post("/api/v1/payments", json=other, headers={"idempotency-key": "k1"})
    assert answer.status_code == 409
    assert body(answer)["code"] == "api.idempotency_conflict"
    assert len(counter.asked) == 1


async def test_keys_of_two_programs_do_not_meet(api: httpx.AsyncClient, counter: FakeCounter):
    await api.post("/api/v1/payments", json=PAY, headers={"idempotency-key": "k1"})
    answer = await api.post(
        "/api/v1/payments",
        json={"bill_id": "9174639504124", "payment_id": "12908190"},
        headers={"idempotency-key": "k1", "authorization": "Bearer payments-write"},
    )
    assert answer.status_code == 201
    assert len(counter.asked) == 2


@pytest.mark.parametrize("key", [None, "", "k" * 129, "a b"])
async def test_paying_needs_a_usable_key(api: httpx.AsyncClient, counter: FakeCounter, key: str | None):
    headers = {} if key is None else {"idempotency-key": key}
    answer = await api.post("/api/v1/payments", json=PAY, headers=headers)
    assert (answer.status_code, body(answer)["code"]) == (400, "api.idempotency_key_needed")
    assert counter.asked == []


async def test_a_held_bill_names_the_payment_that_holds_it(api: httpx.AsyncClient, counter: FakeCounter):
    holder = counter.add_payment(BILL, PaymentState.IN_DOUBT)
    answer = await api.post("/api/v1/payments", json=PAY, headers={"idempotency-key": "k1"})
    assert answer.status_code == 409
    assert body(answer)["data"]["payment_id"] == holder.payment_id
    read = body(await api.post("/api/v1/bills/read", json=PAY))
    assert (read["earlier"]["payment_id"], read["earlier"]["status"]) == (holder.payment_id, "in_doubt")


@pytest.mark.parametrize(
    ("state", "status"), [(PaymentState.SENT, "in_doubt"), (PaymentState.OVERRIDDEN_CHARGED, "stated_charged")]
)
async def test_a_bill_says_that_another_box_holds_it(
    api: httpx.AsyncClient, counter: FakeCounter, state: PaymentState, status: str
):
    hold(counter, state)
    held = body(await api.post("/api/v1/bills/read", json=PAY))["elsewhere"]
    assert (held["payment_id"], held["journal"], held["status"], held["rrn"]) == ("old", THERE, status, "012345678901")


async def test_a_payment_in_doubt_is_checked(api: httpx.AsyncClient, counter: FakeCounter):
    doubt = counter.add_payment(BILL, PaymentState.IN_DOUBT)
    answer = await api.post(f"/api/v1/payments/{doubt.payment_id}/check")
    assert (answer.status_code, body(answer)["state"]) == (200, "in_doubt")
    assert counter.asked == [("check", doubt.payment_id)]


async def test_payments_are_listed_by_cursor_and_state(api: httpx.AsyncClient, counter: FakeCounter):
    for _ in range(3):
        counter.add_payment(OTHER_BILL, PaymentState.DECLINED)
    counter.add_payment(BILL, PaymentState.SENT)
    first = body(await api.get("/api/v1/payments?limit=2"))
    assert [row["payment_id"] for row in first["payments"]] == ["p104", "p103"]
    rest = body(await api.get(f"/api/v1/payments?limit=9&before={first['before']}"))
    assert [row["payment_id"] for row in rest["payments"]] == ["p102", "p101"]
    assert rest["before"] is None
    only = body(await api.get("/api/v1/payments?state=sent&state=approved"))
    assert [row["payment_id"] for row in only["payments"]] == ["p104"]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "before=-1", "state=paid", "limit=x"])
async def test_a_list_asked_wrongly_is_refused(api: httpx.AsyncClient, query: str):
    assert (await api.get(f"/api/v1/payments?{query}")).status_code == 400


async def test_an_inquiry_is_asked_and_read_and_a_key_keeps_it_single(api: httpx.AsyncClient, counter: FakeCounter):
    asked = {"kind": "gas", "parameter": "12345678"}
    answers = [await api.post("/api/v1/inquiries", json=asked, headers={"idempotency-key": "q"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len(counter.asked) == 1
    found = body(await api.get(answers[0].headers["location"]))
    assert (found["ticket"], found["parameter_tail"], found["status"]) == (1, "678", "inquiry_waiting")
    assert "parameter" not in found
    assert (await api.post("/api/v1/inquiries", json=asked)).status_code == 201
    assert len(counter.asked) == 2


async def test_the_status_says_how_everything_stands(api: httpx.AsyncClient, counter: FakeCounter):
    counter.add_payment(BILL, PaymentState.APPROVED, confirmation="queued")
    found = body(await api.get("/api/v1/status"))
    assert (found["office"], found["software"], found["unconfirmed_rial"]) == ("72101001", "9.9.9", 17_000)
    (terminal,) = found["terminals"]
    assert (terminal["state"], found["printer_state"], found["line"]["state"]) == ("idle", "ok", "good")


@pytest.mark.parametrize(
    "content", [b"[" * 9_000, b'{"a":' * 2_000, b"\xff\xfe", b"", b"null", b'{"bill_id":"\\ud800"}']
)
async def test_a_body_that_is_none_of_ours_is_the_sender_s_mistake(api: httpx.AsyncClient, content: bytes):
    headers = {"content-type": "application/json", "idempotency-key": "k"}
    for path in ("/api/v1/bills/read", "/api/v1/payments", "/api/v1/inquiries"):
        answer = await api.post(path, content=content, headers=headers)
        assert (answer.status_code, body(answer)["money"]) == (400, "not_moved"), path


async def test_an_index_that_no_journal_has_is_the_sender_s_mistake(api: httpx.AsyncClient):
    assert (await api.get("/api/v1/payments?before=99999999999999999999")).status_code == 400
