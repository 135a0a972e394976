import json
import re

import pytest
from litestar import Litestar

from edge.journal.views import AlarmView
from edge.web.templating import assets_folder
from shared.answer_document import AnswerDocument, Item, Payable
from shared.payment import PaymentState
from tests.edge.web.conftest import BILL, OTHER_BILL, Browser, Page
from tests.edge.web.fake_counter import AT, FakeCounter

WATER = "20503276046130000001070189"
VIOLATION = AnswerDocument(
    values={"total": "420000"},
    items=(
        Item(
            key="s1",
            values={"type": "Speed", "place": "Here", "amount": "420000", "date": "1401/12/02", "serial": "8812045"},
            payable=Payable(key="s1", amount_rial=420_000, bill_id="8765432123192", bill_payment_id="42011241"),
            image_count=1,
        ),
    ),
)
PLATE_LETTERS = r"(?<!\S)(?:[آ-ی]|الف|تشریفات)(?!\S)"
VOID = {"meta", "link", "input", "br", "use", "path"}


@pytest.fixture
def pages(counter: FakeCounter) -> list[str]:
    """Every page there is, with something on it."""
    paid = counter.add_payment(OTHER_BILL, PaymentState.APPROVED, confirmation="queued", stan="006441", outcome_index=9)
    doubt = counter.add_payment(BILL, PaymentState.IN_DOUBT, in_doubt_reason="no_answer", asked_count=1)
    reversing = counter.add_payment(OTHER_BILL, PaymentState.REVERSAL_IN_DOUBT)
    disputed = counter.add_payment(WATER, PaymentState.DECLINED)
    spoken = AlarmView(index=99, kind="second_charge", payment_id=disputed.payment_id, detail="", raised_at=AT)
    counter.queries.alarms.append(spoken)
    waiting = counter.add_inquiry("electricity")
    owed = counter.add_inquiry(
        "water",
        outcome="owed",
        amount_rial=975_000,
        bill_id="1064348103115",
        bill_payment_id="97570237",
        answered_at=AT,
    )
    fee = counter.add_request("car_fines_total", {})
    fines = counter.add_request("car_fines_detail", {})
    counter.answer(fines.inquiry_id, VIOLATION)
    return [
        "/",
        "/bill?barcode=11177532001400000012070160",
        f"/bill?barcode={BILL}",
        "/bill?bill_id=12&payment_id=3",
        f"/payments/{paid.payment_id}",
        f"/payments/{doubt.payment_id}",
        f"/payments/{doubt.payment_id}/override",
        f"/payments/{reversing.payment_id}",
        f"/payments/{reversing.payment_id}/reversal",
        f"/payments/{disputed.payment_id}",
        f"/bill?barcode={WATER}",
        f"/payments/{paid.payment_id}/refund",
        "/refunds",
        f"/refunds/{counter.add_refund(paid.payment_id).refund_id}",
        "/inquiries/new",
        f"/inquiries/{waiting.inquiry_id}",
        f"/inquiries/{owed.inquiry_id}",
        "/history/payments",
        "/history/payments?q=nothing-like-it",
        "/history/inquiries",
        "/terminal",
        "/services",
        "/services?q=قبض",
        "/services?q=wedding",
        "/services/car_fines",
        "/services/car_fines_detail",
        "/services/top_up",
        f"/requests/{fee.inquiry_id}",
        f"/requests/{fines.inquiry_id}",
        f"/requests/{fines.inquiry_id}/release",
        "/rules",
        "/support",
        "/app",
        "/profile",
        "/about",
        "/journal",
        "/payments/unknown",
        "/no/such/page",
    ]


@pytest.mark.parametrize("language", ["fa", "en"])
async def test_no_page_has_a_script_or_a_style_of_its_own(operator: Browser, pages: list[str], language: str):
    await operator.send("/", "/language", language=language)
    for path in [*pages, "/gauges", "/live", "/terminal/live", "/services/suggest?q=قبض"]:
        page = await operator.page(path)
        for tag, attributes in page.tags:
            assert tag != "style", path
            assert tag != "script" or attributes.get("src", "").startswith("/assets/"), path
            assert not [name for name in attributes if name == "style" or name.startswith(("on", "hx-on"))], path
            for name in ("src", "href", "action", "hx-get"):
                assert attributes.get(name, "/").startswith(("/", "#")), (path, tag, attributes)


async def test_browsers_are_given_nothing_to_keep(operator: Browser, pages: list[str]):
    for script in assets_folder().glob("*.js"):
        kept = re.findall(r"localStorage|sessionStorage|indexedDB|serviceWorker|caches\b", script.read_text("utf-8"))
        assert kept == [], script.name
    for path in pages:
        (config,) = (await operator.page(path)).all("meta", name="htmx-config")
        assert json.loads(config["content"])["historyCacheSize"] == 0, path


@pytest.mark.parametrize(("language", "direction"), [("fa", "rtl"), ("en", "ltr")])
async def test_each_page_says_its_language_and_has_one_heading(
    operator: Browser, pages: list[str], language: str, direction: str
):
    await operator.send("/", "/language", language=language)
    for path in pages:
        page = await operator.page(path)
        assert page.all("html") == [{"lang": language, "dir": direction}], path
        assert len(page.all("h1")) == 1, path
        assert len(page.all("main")) == 1, path
        names = {found["for"] for found in page.all("label") if "for" in found}
        typed = [found for found in page.all("input") if found.get("type") not in ("hidden", "radio")]
        assert {found.get("id") for found in typed} <= names, path
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids)), path


async def test_an_english_page_has_no_persian_words_but_names_and_the_way_back(operator: Browser, pages: list[str]):
    await operator.send("/", "/language", language="en")
    for path in pages:
        page = await operator.page(path)
        words = re.sub(PLATE_LETTERS + "|فارسی|رضا کریمی|رضا|سارا محمدی|قبض", "", page.text)
        assert not re.search(r"[آ-ی۰-۹]", words), path


async def test_a_persian_page_reads_in_persian_digits(operator: Browser, counter: FakeCounter):
    payment = counter.add_payment(OTHER_BILL, PaymentState.APPROVED, stan="006441", confirmation="confirmed")
    page = await operator.page(f"/payments/{payment.payment_id}")
    assert "۱۲٬۹۰۰ تومان" in page.text
    assert "۱۲۹٬۰۰۰ ریال" in page.text
    assert "006441" in page.text, "what is compared with paper stays in Latin digits"


async def test_every_answer_carries_the_security_headers(visitor: Browser):
    for path in ("/sign-in", "/", "/no/such", "/api/v1/status", "/api/openapi.json", "/assets/daftar.css"):
        answer = await visitor.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_pages_are_not_kept_by_browsers_but_assets_are(operator: Browser):
    assert (await operator.get("/")).headers["cache-control"] == "no-store"
    page = await operator.page("/")
    sheet = page.all("link", rel="stylesheet")[0]["href"]
    answer = await operator.get(sheet)
    assert answer.status_code == 200
    assert "max-age" in answer.headers["cache-control"]
    for asset in [*page.all("script"), *page.all("link", rel="icon")]:
        assert (await operator.get(asset.get("src") or asset["href"])).status_code == 200


async def test_every_icon_that_a_page_draws_is_in_the_sprite(operator: Browser, pages: list[str]):
    drawn = set(re.findall(r'<symbol id="([^"]+)"', assets_folder().joinpath("icons.svg").read_text("utf-8")))
    for path in pages:
        used = {found["href"].rpartition("#")[2] for found in (await operator.page(path)).all("use")}
        assert used <= drawn, path


async def test_the_api_s_document_describes_every_route_of_it_and_no_page(visitor: Browser, app: Litestar):
    answer = await visitor.get("/api/openapi.json")
    document = json.loads(answer.text)
    assert document["openapi"].startswith("3.1")
    assert {path for path in document["paths"] if not path.startswith("/api/v1")} == set()
    assert set(document["paths"]) == {
        "/api/v1/bill-groups",
        "/api/v1/bill-groups/{group_id}",
        "/api/v1/bill-groups/{group_id}/again",
        "/api/v1/bill-groups/{group_id}/slip",
        "/api/v1/bill-groups/{group_id}/stop",
        "/api/v1/bills/read",
        "/api/v1/payments",
        "/api/v1/payments/{payment_id}",
        "/api/v1/payments/{payment_id}/check",
        "/api/v1/payments/{payment_id}/cancel",
        "/api/v1/payments/{payment_id}/override",
        "/api/v1/payments/{payment_id}/reversal-word",
        "/api/v1/payments/{payment_id}/refunds",
        "/api/v1/refunds",
        "/api/v1/refunds/{refund_id}",
        "/api/v1/refunds/{refund_id}/agree",
        "/api/v1/refunds/{refund_id}/drop",
        "/api/v1/refunds/{refund_id}/retry",
        "/api/v1/terminals",
        "/api/v1/inquiries",
        "/api/v1/inquiries/{inquiry_id}",
        "/api/v1/days",
        "/api/v1/days/{close_id}",
        "/api/v1/status",
        "/api/v1/events",
        "/api/v1/service-requests",
        "/api/v1/service-requests/{inquiry_id}",
        "/api/v1/service-requests/{inquiry_id}/fee",
        "/api/v1/service-requests/{inquiry_id}/images",
        "/api/v1/service-requests/{inquiry_id}/images/{item}/{number}",
        "/api/v1/service-requests/{inquiry_id}/payments",
        "/api/v1/service-requests/{inquiry_id}/receipt",
        "/api/v1/service-requests/{inquiry_id}/release",
        "/api/v1/service-requests/{inquiry_id}/retry",
        "/api/v1/service-requests/{inquiry_id}/shown",
        "/api/v1/service-requests/{inquiry_id}/ticket",
        "/api/v1/services",
        "/api/v1/services/{code}/requests",
        "/api/v1/atm-tickets/{ticket_id}",
        "/api/v1/atm-tickets/{ticket_id}/close",
        "/api/v1/atms",
        "/api/v1/atms/{atm_id}",
        "/api/v1/atms/{atm_id}/cash",
        "/api/v1/atms/{atm_id}/faults",
        "/api/v1/atms/{atm_id}/state",
    }
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


async def test_every_reference_inside_the_api_s_document_leads_somewhere(visitor: Browser):
    document = json.loads((await visitor.get("/api/openapi.json")).text)
    references = set(re.findall(r'"\$ref": ?"#/([^"]+)"', json.dumps(document)))
    assert references
    for reference in references:
        place = document
        for step in reference.split("/"):
            place = place[step]
    pay = document["paths"]["/api/v1/payments"]["post"]
    assert [found["name"] for found in pay["parameters"] if found["in"] == "header"] == ["Idempotency-Key"]
    assert pay["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


async def test_no_page_of_the_api_s_document_loads_anything_from_elsewhere(visitor: Browser):
    for path in ("/api", "/api/swagger", "/api/redoc", "/schema"):
        answer = await visitor.get(path)
        assert answer.status_code in (303, 404) or answer.headers["content-type"].startswith("application/"), path


async def test_a_form_larger_than_any_of_ours_is_refused(operator: Browser):
    answer = await operator.client.post("/payments", data={"csrf": "x" * 100_000})
    assert answer.status_code == 413


def test_the_test_reader_reads_pages():
    page = Page('<main id="a"><input name="x" value="1"><p>one  two</p></main>')
    assert page.field("x")["value"] == "1"
    assert page.text == "one two"
