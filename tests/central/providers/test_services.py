"""Services of the catalogue worked end to end at central: fee, question, answer, order, picture; and on bad days."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine

from central.fleet.catalogues import catalogue_of
from central.fleet.keys import open_keys
from central.fleet.publishing import publish
from central.providers.connector import ServiceQuestion, ServiceReply
from central.providers.queries import tasks
from central.reconciliation.queries import cases
from shared.entropy import SystemEntropy
from shared.events import (
    ImageAnswered,
    ImageAsked,
    PaymentConfirmed,
    PaymentRefused,
    RefundAgreed,
    RefundProposed,
    ServiceAnswered,
    ServiceRetried,
)
from shared.identifiers import parse_bill
from tests.central.providers.service_worlds import CAR, OTHER_CAR, OWNER, ServiceWorld

pytestmark = pytest.mark.postgres

FINES = {"plate": CAR, **OWNER}
SHARES = {"company": 29_091, "office": 50_000, "vat": 15_909, "provider:car_fines_detail": 80_000}


@pytest.fixture
def world(engine: Engine, provider_url: str, tmp_path: Path) -> Iterator[ServiceWorld]:
    made = ServiceWorld(engine, provider_url, open_keys(tmp_path, SystemEntropy()))
    made.control.post("/control/forget").raise_for_status()
    made.post(made.data_key())
    yield made
    made.close()


def test_no_provider_is_told_of_a_customers_consent_to_a_message(
    world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, str]] = []
    serve = world.gateway.serve

    def hear(question: ServiceQuestion) -> ServiceReply:
        told.append(question.fields)
        return serve(question)

    monkeypatch.setattr(world.gateway, "serve", hear)
    world.post(world.ask("q1", "car_fines_detail", **FINES, notify="yes"), *world.fee("q1"))
    assert world.work_all().done == 1
    assert told == [FINES]


def test_fines_are_asked_once_their_fee_is_charged_and_shown_as_the_guide_has_them(world: ServiceWorld) -> None:
    world.post(world.ask("q1", "car_fines_detail", **FINES))
    assert world.work_all().done == 0
    assert world.heard("service") == 0
    world.post(*world.fee("q1"))
    assert world.work_all().done == 1
    told = world.answer()
    assert (told.outcome, told.provider, told.case_id) == ("done", "gateway", None)
    document = world.document(told)
    assert document.values == {"total": "1420000"}
    first = document.items[0]
    assert first.values == {
        "type": "توقف درمحل ایستادن ممنوع (توقف مطلقاً ممنوع)",
        "place": "تهران خ چهل و هفتم",
        "amount": "800000",
        "date": "2022-08-03T06:10:00.000Z",
        "recorded_as": "الصاقی",
        "serial": "9914010001",
        "code": "2077",
    }
    assert [item.payable.amount_rial for item in document.items if item.payable] == [800_000, 200_000, 420_000]
    for item in document.items:
        assert item.payable is not None
        assert item.payable.bill_id is not None
        assert item.payable.bill_payment_id is not None
        bill = parse_bill(item.payable.bill_id, item.payable.bill_payment_id)
        assert (bill.kind.word, bill.amount_rial, item.payable.key) == (
            "traffic_fine",
            item.payable.amount_rial,
            item.key,
        )
    assert {code: rial for code, rial in world.balances().items() if code in SHARES} == SHARES


@pytest.mark.parametrize("fee_at", ["before", "after", "twice"])
def test_the_fee_may_come_before_or_after_its_request(world: ServiceWorld, fee_at: str) -> None:
    request, fee = world.ask("q1", "car_fines_detail", **FINES), world.fee("q1")
    for body in (*fee, request) if fee_at == "before" else (request, *fee):
        world.post(body)
    if fee_at == "twice":
        world.work_all()
        world.post(world.ask("q2", "car_fines_detail", **FINES))
    world.work_all()
    assert [told.inquiry_id for told in world.told() if isinstance(told, ServiceAnswered)] == ["q1"]
    assert world.heard("drivingOffense") == 1


def test_a_fee_that_is_given_back_takes_the_question_back(world: ServiceWorld) -> None:
    world.post(world.ask("q1", "car_fines_detail", **FINES), *world.fee("q1"))
    proposal = RefundProposed(
        refund_id="r1", payment_id="fee-q1", means="central", amount_rial=175_000, operator="op", reason="x"
    )
    world.post(proposal, RefundAgreed(refund_id="r1", payment_id="fee-q1", operator="manager"))
    assert world.work_all().done == 0
    with world.engine.connect() as connection:
        (task,) = tasks(connection)
    assert (task.state, task.outcome) == ("done", "withdrawn")
    assert world.told() == []


def test_the_second_shape_tells_the_total_and_how_old_its_answer_is(world: ServiceWorld) -> None:
    fields = {"plate": OTHER_CAR, **OWNER}
    for inquiry_id in ("q1", "q2"):
        world.post(world.ask(inquiry_id, "car_fines_total", **fields), *world.fee(inquiry_id, "car_fines_total"))
    world.work_all()
    first, second = (told for told in world.told() if isinstance(told, ServiceAnswered))
    document = world.document(first)
    assert document.values["total"] == "20094000"
    assert document.items == ()
    assert document.payable is not None
    assert (document.payable.key, document.payable.amount_rial) == ("total", 20_094_000)
    assert world.document(second) == document
    # The provider allows its answer to be kept, so it was asked once; its own time is told.
    assert world.heard("service") == 1
    world.pay_order("pay-1", "q1", "car_fines_total", document.payable)
    world.work_all()
    (confirmed,) = (told for told in world.told() if isinstance(told, PaymentConfirmed))
    assert confirmed.provider == "rahvar"
    world.post(world.ask("q3", "car_fines_total", **fields), *world.fee("q3", "car_fines_total"))
    world.work_all()
    assert [told.outcome for told in world.told() if isinstance(told, ServiceAnswered)] == ["done", "done", "nothing"]


@pytest.mark.parametrize(
    ("kind", "on", "asked"),
    [
        ("lost", "service", 1),
        ("pending", "service", 1),
        ("unknown", "service", 1),
        ("error_500", "service", 2),
        ("html", "service", 2),
        ("wrong_json", "service", 2),
        ("busy", "service", 2),
        ("other_track", "service", 1),
    ],
)
def test_a_bad_day_ends_with_one_answer(world: ServiceWorld, kind: str, on: str, asked: int) -> None:
    world.bad_day(kind, on=on)
    world.post(world.ask("q1", "car_fines_detail", **FINES), *world.fee("q1"))
    assert world.work_all().done == 0
    world.clock.wait(40)
    assert world.work_all().done == 1
    assert world.answer().outcome == "done"
    assert world.heard("drivingOffense") == asked


def test_what_does_not_agree_with_its_ids_is_shown_and_not_paid(world: ServiceWorld) -> None:
    world.bad_day("wrong_amount", on="service")
    world.post(world.ask("q1", "car_fines_detail", **FINES), *world.fee("q1"))
    world.work_all()
    document = world.document(world.answer())
    assert [item.values["amount"] for item in document.items] == ["801000", "201000", "421000"]
    assert document.payables() == ()


def test_a_paid_request_that_is_refused_for_good_is_a_refund(world: ServiceWorld) -> None:
    world.bad_day("refused", on="service")
    world.post(world.ask("q1", "car_fines_detail", **FINES), *world.fee("q1"))
    world.work_all()
    told = world.answer()
    with world.engine.connect() as connection:
        (case,) = cases(connection)
    assert (told.outcome, told.reason, told.document) == ("refused", "service_disabled", None)
    assert (case.case_id, case.kind, case.payment_id, case.amount_rial) == (told.case_id, "refund", "fee-q1", 175_000)
    assert world.balances() == {"receivable:11223344": 175_000, "refunds": 175_000}
    # Asked again it is answered: no second fee, and nothing is owed back.
    world.post(ServiceRetried(inquiry_id="q1", operator="op"))
    world.work_all()
    again = [body for body in world.told() if isinstance(body, ServiceAnswered)][-1]
    with world.engine.connect() as connection:
        (case,) = cases(connection)
    assert (again.outcome, again.case_id, case.state) == ("done", None, "closed")
    assert again.track_id != told.track_id
    assert {code: rial for code, rial in world.balances().items() if code in SHARES} == SHARES


def test_wrong_parameters_are_a_persons_to_decide(world: ServiceWorld) -> None:
    plate = CAR[:4] + "999" + CAR[7:]
    world.post(world.ask("q1", "car_fines_detail", plate=plate, **OWNER), *world.fee("q1"))
    world.work_all()
    told = world.answer()
    with world.engine.connect() as connection:
        (case,) = cases(connection)
    assert (told.outcome, told.reason, told.case_id) == ("wrong_parameter", "owner_mismatch", None)
    assert (case.kind, case.payment_id, world.kept("q1").case_id) == ("no_result", "fee-q1", case.case_id)
    assert world.balances() == {"receivable:11223344": 175_000, "fees": 175_000}


def test_nothing_owed_is_a_result_and_the_fee_is_earned(world: ServiceWorld) -> None:
    plate = CAR[:4] + "111" + CAR[7:]
    world.post(world.ask("q1", "car_fines_detail", plate=plate, **OWNER), *world.fee("q1"))
    world.work_all()
    assert (world.answer().outcome, world.answer().case_id) == ("nothing", None)
    assert {code: rial for code, rial in world.balances().items() if code in SHARES} == SHARES


def test_retrying_what_waits_asks_at_once_and_once(world: ServiceWorld) -> None:
    world.bad_day("busy", on="service", times=2)
    world.post(world.ask("q1", "car_fines_detail", **FINES), *world.fee("q1"))
    world.work_all()
    world.post(ServiceRetried(inquiry_id="q1", operator="op"))
    assert world.work_all().waiting == 1
    world.post(ServiceRetried(inquiry_id="q1", operator="op"))
    assert world.work_all().done == 1
    assert world.answer().outcome == "done"


@pytest.mark.parametrize(
    ("code", "fields", "rows"),
    [
        ("licence_negative_score", {"licence_number": "9912345678", **OWNER}, {"score", "offense_count", "rule"}),
        ("active_plates", OWNER, {"count"}),
        ("plate_history", FINES, {"count"}),
        ("vehicle_documents", FINES, {"card_state", "document_state", "card_post_barcode"}),
        ("passport_post", OWNER, {"state", "number", "post_barcode", "posted_at"}),
        ("licence_post", OWNER, {"state", "kind", "post_barcode"}),
        ("motorcycle_fines", {"plate": "12345678", **OWNER}, {"total", "bill_id", "payment_id"}),
        ("civil_payment_id", {"matter": "smart_card", **OWNER}, {"payment_id", "matter", "amount", "expires_at"}),
    ],
)
def test_each_service_of_the_catalogue_is_answered_by_its_rows(
    world: ServiceWorld, code: str, fields: dict[str, str], rows: set[str]
) -> None:
    fee = world.fee("q1", code) if world.service(code).tariff.fee_rial else ()
    world.post(world.ask("q1", code, **fields), *fee)
    world.work_all()
    document = world.document(world.answer())
    named = {row.name for row in world.service(code).rows}
    assert rows <= document.values.keys() <= named
    assert (document.payable is not None) == (world.service(code).pay == "one")
    if world.service(code).item_rows:
        assert document.items
        assert all(item.values for item in document.items)


def test_a_top_up_is_ordered_paid_and_carried_out_once(world: ServiceWorld) -> None:
    fields = {"mobile": "09123456789", "operator": "mci", "amount": "100000"}
    world.post(world.ask("q1", "top_up", **fields))
    world.work_all()
    payable = world.document(world.answer()).payable
    assert payable is not None
    assert (payable.amount_rial, payable.order_id is not None, payable.expires_at is not None) == (100_000, True, True)
    world.bad_day("lost", on="approve")
    world.pay_order("pay-1", "q1", "top_up", payable)
    assert world.work_all().troubled == 1
    world.clock.wait(40)
    assert world.work_all().done == 1
    (confirmed,) = (told for told in world.told() if isinstance(told, PaymentConfirmed))
    assert confirmed.provider == "gateway"
    orders = world.control.get("/control/state").json()["orders"]
    assert [order["approvals"] for order in orders.values()] == [1]
    assert world.balances() == {"receivable:11223344": 100_000, "provider:top_up": 100_000}


@pytest.mark.parametrize(
    ("kind", "reason"), [("expired_offer", "expired"), ("changed_amount", "refused"), ("paid_already", "already_paid")]
)
def test_an_order_that_is_refused_is_a_refund(world: ServiceWorld, kind: str, reason: str) -> None:
    world.post(world.ask("q1", "top_up", mobile="09123456789", operator="mci", amount="100000"))
    world.work_all()
    payable = world.document(world.answer()).payable
    assert payable is not None
    world.bad_day(kind, on="approve")
    world.pay_order("pay-1", "q1", "top_up", payable)
    world.work_all()
    (refused,) = (told for told in world.told() if isinstance(told, PaymentRefused))
    with world.engine.connect() as connection:
        (case,) = cases(connection)
    assert (refused.reason, refused.case_id, case.kind, case.amount_rial) == (reason, case.case_id, "refund", 100_000)
    assert world.balances() == {"receivable:11223344": 100_000, "refunds": 100_000}


def test_an_order_paid_with_another_amount_is_not_carried_out(world: ServiceWorld) -> None:
    world.post(world.ask("q1", "top_up", mobile="09123456789", operator="mci", amount="100000"))
    world.work_all()
    payable = world.document(world.answer()).payable
    assert payable is not None
    world.pay_order("pay-1", "q1", "top_up", msgspec.structs.replace(payable, amount_rial=90_000))
    world.work_all()
    assert isinstance(world.told()[-1], PaymentRefused)
    assert world.heard("approve") == 0


def test_a_pin_comes_sealed_to_whoever_asked_for_it(world: ServiceWorld) -> None:
    world.post(world.ask("q1", "top_up_pin", mobile="09123456789", operator="mtn"))
    world.work_all()
    document = world.document(world.answer())
    assert [item.values["title"] for item in document.items] == [
        f"شارژ {toman} تومانی ایرانسل" for toman in ("۵٬۰۰۰", "۱۰٬۰۰۰", "۲۰٬۰۰۰")
    ]
    payable = document.items[1].payable
    assert payable is not None
    world.bad_day("lost", on="approve")
    world.pay_order("pay-1", "q1", "top_up_pin", payable)
    world.work_all()
    world.clock.wait(40)
    world.work_all()
    confirmed = world.told()[-1]
    assert isinstance(confirmed, PaymentConfirmed)
    assert world.bought(confirmed.fulfilment).keys() == {"pin", "serial"}
    assert world.control.get("/control/state").json()["pins_sold"] == 1


def test_a_package_is_ordered_and_approved_once_it_is_paid(world: ServiceWorld) -> None:
    world.post(world.ask("q1", "internet_package", mobile="09123456789", operator="rightel"))
    world.work_all()
    document = world.document(world.answer())
    assert document.items[0].values == {
        "title": "بستهٔ روزانه",
        "volume": "۱ گیگابایت",
        "days": "1",
        "amount": "120000",
    }
    payable = document.items[0].payable
    assert payable is not None
    world.bad_day("pending", on="status")
    world.pay_order("pay-1", "q1", "internet_package", payable)
    world.work_all()
    assert world.control.get("/control/state").json()["orders"] == {}, "what may be being ordered is not ordered again"
    world.bad_day("error_500", on="approve")
    for _ in range(2):
        world.clock.wait(40)
        world.work_all()
    assert isinstance(world.told()[-1], PaymentConfirmed)
    orders = world.control.get("/control/state").json()["orders"]
    assert [(order["amount_rial"], order["approvals"]) for order in orders.values()] == [(120_000, 1)]


def test_pictures_are_fetched_and_sealed(world: ServiceWorld) -> None:
    world.post(world.ask("q1", "car_fines_detail", **FINES), *world.fee("q1"))
    world.work_all()
    item = world.document(world.answer()).items[0]
    assert item.image_count == -1
    world.post(ImageAsked(inquiry_id="q1", item=item.key, operator="op"))
    assert world.work_all().done == 1
    pictures = [told for told in world.told() if isinstance(told, ImageAnswered)]
    assert [(one.item, one.number, one.label) for one in pictures] == [(item.key, 0, "vehicle"), (item.key, 1, "plate")]
    assert all(world.picture(one.image).startswith(b"\x89PNG") for one in pictures)


def test_a_service_nobody_knows_is_refused_with_words(world: ServiceWorld) -> None:
    world.post(world.ask("q1", "no_such_service", catalogue_id="catalogue-x", number="1"))
    world.work_all()
    assert (world.answer().outcome, world.answer().reason) == ("refused", "provider.unknown_service")
    with world.engine.connect() as connection:
        assert [case.kind for case in cases(connection)] == ["tariff_differs"]


NEW_SERVICE = """
[[services]]
code = "insurance_state"
category = "vehicle"
name = { fa = "بیمهٔ شخص ثالث", en = "Third-party insurance" }
provider = "gateway"
call = "insurance_state"
arguments = { product_line = "third_party" }
tariff = { fee_rial = 50_000, company_rial = 50_000 }
gate = "answer_first"
fields = [{ name = "plate", kind = "plate", label = { fa = "پلاک", en = "Plate" }, is_applicant = true }]
rows = [
    { name = "company", label = { fa = "شرکت", en = "Company" } },
    { name = "ends_at", label = { fa = "پایان", en = "Ends" }, kind = "date" },
]
"""


def test_a_service_is_added_by_publishing_it_and_by_nothing_else(world: ServiceWorld) -> None:
    body = catalogue_of(NEW_SERVICE.encode(), note="", by="mina", entropy=SystemEntropy())
    with world.engine.begin() as connection:
        publish(connection, None, body, world.desk.append_feed)
    answer = {"Company": "بیمهٔ ایران", "EndsAt": "1405/12/01", "OwnerName": "رضا محمدی"}
    world.control.post("/control/answers", json={"insuranceState": answer}).raise_for_status()
    world.post(world.ask("q1", "insurance_state", catalogue_id=body.catalogue_id, plate=CAR))
    world.work_all()
    assert world.document(world.answer()).values == {"company": "بیمهٔ ایران", "ends_at": "1405/12/01"}
    assert world.heard("insuranceState") == 1


def test_a_request_waits_for_its_data_key(engine: Engine, provider_url: str, tmp_path: Path) -> None:
    world = ServiceWorld(engine, provider_url, open_keys(tmp_path, SystemEntropy()))
    try:
        world.control.post("/control/forget").raise_for_status()
        world.post(world.ask("q1", "top_up", mobile="09123456789", operator="mci", amount="100000"))
        assert world.work_all().waiting == 1
        world.post(world.data_key())
        world.clock.wait(10)
        assert world.work_all().done == 1
    finally:
        world.close()
