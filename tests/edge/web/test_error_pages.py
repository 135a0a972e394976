import json
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from edge.web.error_pages import STATUS_OF_CODE
from shared.error_texts import ERROR_TEXTS, describe
from shared.errors import BugError, DaftarError, DeviceError, IntegrityError, OperatorError, PeerError
from shared.text import Language
from tests.edge.web.conftest import BILL_ID, PAYMENT_ID, Browser, Page
from tests.edge.web.fake_counter import FakeCounter

REVIEW = f"/bill?bill_id={BILL_ID}&payment_id={PAYMENT_ID}"
FAULTS = [
    (OperatorError("payment.box_quarantined"), 409),
    (DeviceError("payment.terminal_locked", payment_id="p1"), 409),
    (PeerError("signature.wrong"), 502),
    (IntegrityError("journal.fork", known=7), 500),
    (BugError("payment.move_not_allowed", state="sent", to="sent"), 500),
    (OperatorError("a.code_without_words"), 422),
]


@pytest.fixture
def log() -> Iterator[list[MutableMapping[str, Any]]]:
    with capture_logs() as entries:
        yield entries


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize(("error", "status"), FAULTS[:1] + FAULTS[2:])
@pytest.mark.usefixtures("log")
@pytest.mark.faults("request failed")
async def test_every_fault_is_said_in_both_languages_with_money_and_what_to_do(
    operator: Browser, counter: FakeCounter, language: Language, error: DaftarError, status: int
):
    await operator.send("/", "/language", language=language)
    counter.fails_with = error
    answer = await operator.send(REVIEW, "/payments")
    page = Page(answer.text)
    assert answer.status_code == status
    assert page.all("html")[0]["lang"] == language
    said = describe(error, language)
    for sentence in (said.what, said.money, said.do, error.code):
        assert sentence in page.text


@pytest.mark.faults("request failed")
async def test_a_fault_of_ours_shows_a_reference_and_nothing_of_its_inside(
    operator: Browser, counter: FakeCounter, log: list[MutableMapping[str, Any]]
):
    counter.fails_with = RuntimeError("the password is swordfish")
    answer = await operator.send(REVIEW, "/payments")
    assert answer.status_code == 500
    assert "swordfish" not in answer.text
    assert "شاید پول جابه‌جا شده باشد" in answer.text, "nothing is promised about money"
    reference = Page(answer.text).source.partition("شمارهٔ رخداد برای پشتیبانی")[2].partition("</strong>")[0][-8:]
    assert [(entry["reference"], entry["path"]) for entry in log] == [(reference, "/payments")]
    assert log[0]["exc_info"] is counter.fails_with


async def test_an_unknown_page_keeps_the_frame_for_who_signed_in(visitor: Browser):
    stranger = await visitor.get("/no/such/page")
    assert stranger.status_code == 404
    assert "72101001" not in stranger.text, "an office's code is not for strangers"
    await visitor.sign_in()
    page = await visitor.page("/no/such/page")
    assert "چنین صفحه‌ای نیست" in page.text
    assert "72101001" in page.text
    assert (await visitor.send("/no/such/page", "/sign-out")).status_code == 303, "its forms work as on any page"


async def test_another_method_is_refused_calmly(operator: Browser):
    answer = await operator.client.put("/bill")
    assert answer.status_code == 405
    assert "صفحهٔ اصلی" in answer.text


async def test_a_live_part_of_somebody_signed_out_leads_the_whole_page_to_sign_in(visitor: Browser):
    answer = await visitor.get("/gauges", **{"hx-request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in"


async def test_after_the_box_restarted_a_live_page_leads_to_sign_in_and_back_to_itself(visitor: Browser):
    here = "http://box.test/payments/p7?from=home"
    answer = await visitor.get("/payments/p7/live", **{"hx-request": "true", "hx-current-url": here})
    assert answer.headers["hx-redirect"] == "/sign-in?next=%2Fpayments%2Fp7%3Ffrom%3Dhome"


async def test_programs_get_problems_with_code_money_and_field(visitor: Browser, counter: FakeCounter):
    headers = {"authorization": "Bearer all"}
    answer = await visitor.client.post(
        "/api/v1/bills/read", json={"bill_id": "7748317800143", "payment_id": "1770160"}, headers=headers
    )
    problem = json.loads(answer.text)
    assert answer.status_code == 422
    assert (problem["code"], problem["field"], problem["money"]) == ("bill.check_digit", "bill_id", "not_moved")
    assert problem["title"] == ERROR_TEXTS["bill.check_digit"].en
    persian = await visitor.client.get("/api/v1/payments/none", headers={**headers, "accept-language": "fa-IR"})
    assert json.loads(persian.text)["title"] == describe(OperatorError("payment.unknown", payment_id="none"), "fa").what


@pytest.mark.parametrize(
    ("body", "code"), [(b"{", "web.bad_request"), (b'{"bill": 1}', "web.bad_request"), (b"x" * 20_000, "web.too_large")]
)
async def test_programs_that_send_nonsense_are_told_so(visitor: Browser, body: bytes, code: str):
    answer = await visitor.client.post(
        "/api/v1/bills/read",
        content=body,
        headers={"authorization": "Bearer all", "content-type": "application/json"},
    )
    assert json.loads(answer.text)["code"] == code
    assert answer.status_code in (400, 413)


async def test_an_unknown_api_address_answers_as_the_api_does(visitor: Browser):
    answer = await visitor.get("/api/v1/nothing")
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.text)["code"] == "web.not_found"


def test_codes_with_a_status_of_their_own_have_words():
    assert [code for code in STATUS_OF_CODE if code not in ERROR_TEXTS] == []
