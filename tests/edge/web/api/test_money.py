from typing import Any

import httpx
import pytest

from edge.journal.views import AlarmView
from shared.payment import PaymentState
from tests.edge.web.conftest import BILL, Browser
from tests.edge.web.fake_counter import PASSWORD, FakeCounter

WORD = {"charged": True, "slip_number": "000412", "reason": "the slip is in my hand"}


async def call(
    visitor: Browser, path: str, body: dict[str, Any], caller: str = "all/sara", **headers: str
) -> httpx.Response:
    return await visitor.client.post(
        f"/api/v1{path}", json=body, headers={"authorization": f"Bearer {caller}", **headers}
    )


@pytest.fixture
def doubt(counter: FakeCounter) -> str:
    return counter.add_payment(BILL, PaymentState.IN_DOUBT, asked_count=2, last_answer="no_answer").payment_id


async def test_a_managers_word_decides_a_doubt_once(visitor: Browser, counter: FakeCounter, doubt: str):
    person = {"username": "mina", "password": PASSWORD}
    for body, status, code in (
        ({**WORD, **person, "password": "no"}, 401, "auth.wrong"),
        ({**WORD, **person, "username": "sara"}, 403, "auth.manager_needed"),
        ({**WORD, **person, "slip_number": ""}, 422, "statement.slip_missing"),
    ):
        answer = await call(visitor, f"/payments/{doubt}/override", body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    answer = await call(visitor, f"/payments/{doubt}/override", {**WORD, **person})
    assert answer.status_code == 200
    assert answer.json()["state"] == "overridden_charged"
    assert answer.json()["stated_by"] == "mina"
    assert (answer.json()["asked_count"], answer.json()["last_answer"]) == (2, "no_answer")
    again = await call(visitor, f"/payments/{doubt}/override", {**WORD, **person})
    assert (again.status_code, again.json()["code"]) == (409, "payment.not_in_doubt")
    assert counter.asked == [("charged", doubt)]


async def test_what_became_of_a_reversal_is_said_by_a_program_and_a_person(visitor: Browser, counter: FakeCounter):
    doubt = counter.add_payment(BILL, PaymentState.REVERSAL_IN_DOUBT).payment_id
    body = {"undone": True, "slip_number": "124", "reason": "the slip is in my hand"}
    person = {"username": "mina", "password": PASSWORD}
    short = await call(visitor, f"/payments/{doubt}/reversal-word", {**body, **person, "slip_number": ""})
    assert (short.status_code, short.json()["code"]) == (422, "statement.slip_missing")
    for token, code in (("all", "refund.nobody_asked"), ("all/mina", "refund.same_person")):
        alone = await call(visitor, f"/payments/{doubt}/reversal-word", {**body, **person}, token)
        assert (alone.status_code, alone.json()["code"]) == (403, code)
    answer = await call(visitor, f"/payments/{doubt}/reversal-word", {**body, **person})
    assert (answer.status_code, answer.json()["state"]) == (200, "reversed")
    again = await call(visitor, f"/payments/{doubt}/reversal-word", {**body, **person})
    assert (again.status_code, again.json()["code"]) == (409, "reversal.not_in_doubt")


async def test_a_disputed_bill_says_so_and_a_word_settles_it(visitor: Browser, counter: FakeCounter):
    tried = counter.add_payment(BILL, PaymentState.DECLINED).payment_id
    alarm = AlarmView(index=99, kind="charge_mismatch", payment_id=tried, detail="", raised_at="")
    counter.queries.alarms.append(alarm)
    bill = (await call(visitor, "/bills/read", {"barcode": BILL})).json()
    assert (bill["earlier"], bill["disputed"]["payment_id"]) == (None, tried)
    assert bill["disputed"]["words_taken"] == [True, False]
    person = {"username": "mina", "password": PASSWORD}
    answer = await call(visitor, f"/payments/{tried}/override", {**WORD, **person, "charged": False})
    assert (answer.json()["state"], answer.json()["words_taken"]) == ("declined", [])
    assert (await call(visitor, "/bills/read", {"barcode": BILL})).json()["disputed"] is None


@pytest.mark.parametrize(("token", "code"), [("all", "refund.nobody_asked"), ("all/mina", "refund.same_person")])
async def test_a_manager_with_a_token_is_not_two_people(
    visitor: Browser, counter: FakeCounter, token: str, code: str
) -> None:
    paid = counter.add_payment(BILL, PaymentState.APPROVED).payment_id
    wish = {"means": "central", "reason": "paid the wrong bill"}
    made = await call(visitor, f"/payments/{paid}/refunds", wish, token, **{"idempotency-key": "k1"})
    assert made.status_code == 201, "asking is free"
    path = f"/refunds/{made.json()['refund_id']}"
    for agreeing in (token, "all/sara"):
        answer = await call(visitor, f"{path}/agree", {"username": "mina", "password": PASSWORD}, agreeing)
        assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert counter.asked == [("refund", paid)]


async def test_money_back_by_a_program_and_a_person(visitor: Browser, counter: FakeCounter):
    paid = counter.add_payment(BILL, PaymentState.APPROVED).payment_id
    read = await visitor.client.get(f"/api/v1/payments/{paid}", headers={"authorization": "Bearer all"})
    assert read.json()["refund_means"] == ["reversal", "central"]
    wish = {"means": "central", "reason": "paid the wrong bill"}
    assert (await call(visitor, f"/payments/{paid}/refunds", wish)).status_code == 400, "a key is needed"
    made = await call(visitor, f"/payments/{paid}/refunds", wish, **{"idempotency-key": "k1"})
    assert made.status_code == 201
    same = await call(visitor, f"/payments/{paid}/refunds", wish, **{"idempotency-key": "k1"})
    refund = made.json()
    assert same.json() == refund
    assert (refund["state"], refund["asked_by"], refund["trouble"]) == ("proposed", "api:all/sara", None)
    listed = await visitor.client.get("/api/v1/refunds", headers={"authorization": "Bearer all"})
    assert listed.json() == {"refunds": [refund]}
    path = f"/refunds/{refund['refund_id']}"
    agreed = await call(visitor, f"{path}/agree", {"username": "mina", "password": PASSWORD})
    assert (agreed.json()["state"], agreed.json()["decided_by"]) == ("agreed", "mina")
    assert (await call(visitor, f"{path}/retry", {})).status_code == 200
    dropped = await call(visitor, f"{path}/drop", {"reason": "the customer will not"})
    assert dropped.json()["outcome_reason"] == "the customer will not"
    nobody = await visitor.client.get("/api/v1/refunds/r-nobody", headers={"authorization": "Bearer all"})
    assert (nobody.status_code, nobody.json()["code"]) == (404, "refund.unknown")
