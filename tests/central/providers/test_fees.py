"""Whose a service's fee is, when it is paid after its answer, given back after it, or never comes to stand."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine

from central.fleet.keys import open_keys
from central.ledger.cases import NewCase, open_case
from central.ledger.queries import payment
from central.providers.serving import ANSWERED_AS_WELL
from central.reconciliation.closing import agree_closing, closings, propose_closing
from central.reconciliation.queries import case as case_view
from central.reconciliation.queries import cases
from shared.entropy import SystemEntropy
from shared.events import (
    Evidence,
    PaymentAcknowledged,
    PaymentApproved,
    PaymentReversed,
    PaymentSent,
    RefundAgreed,
    RefundProposed,
    ReversalRefused,
    ReversalRequested,
    ServiceAnswered,
    ServiceRetried,
)
from tests.central.providers.service_worlds import ServiceWorld
from tests.central.providers.test_services import FINES, SHARES
from tests.central.providers.worlds import OFFICE

pytestmark = pytest.mark.postgres

FEE_RIAL = 175_000
RECEIVABLE = "receivable:11223344"


@pytest.fixture
def world(engine: Engine, provider_url: str, tmp_path: Path) -> Iterator[ServiceWorld]:
    made = ServiceWorld(engine, provider_url, open_keys(tmp_path, SystemEntropy()))
    made.control.post("/control/forget").raise_for_status()
    made.post(made.data_key())
    yield made
    made.close()


def ask_first(world: ServiceWorld) -> None:
    """Ask for a service whose fee is taken when its answer is there, and let it be answered."""
    world.post(msgspec.structs.replace(world.ask("q1", "car_fines_detail", **FINES), gate="answer_first"))
    assert world.work_all().done == 1


def test_a_fee_paid_after_its_answer_is_earned_at_once(world: ServiceWorld) -> None:
    ask_first(world)
    assert world.balances() == {}
    world.post(*world.fee("q1"))
    assert world.balances() == {RECEIVABLE: FEE_RIAL, **SHARES}


def test_a_fee_paid_for_what_was_refused_is_owed_back(world: ServiceWorld) -> None:
    world.bad_day("refused", on="service")
    ask_first(world)
    world.post(*world.fee("q1"))
    assert world.balances() == {RECEIVABLE: FEE_RIAL, "refunds": FEE_RIAL}
    with world.engine.connect() as connection:
        (case,) = cases(connection)
    assert (case.kind, case.payment_id, case.amount_rial) == ("refund", "fee-q1", FEE_RIAL)


def test_a_fee_given_back_after_its_answer_leaves_what_others_are_owed(world: ServiceWorld) -> None:
    ask_first(world)
    world.post(*world.fee("q1"))
    world.post(
        ReversalRequested(payment_id="fee-q1", refund_id="r1", means="void"),
        PaymentReversed(payment_id="fee-q1", evidence=Evidence(source="reversal", response_code="00")),
    )
    assert world.balances() == {"recoverable": FEE_RIAL, **SHARES}
    with world.engine.connect() as connection:
        assert [case.kind for case in cases(connection)] == ["confirmed_uncharged"]


def test_a_second_fee_of_what_was_refused_is_owed_back_too(world: ServiceWorld) -> None:
    world.bad_day("refused", on="service")
    ask_first(world)
    world.post(*world.fee("q1"))
    world.post(
        ReversalRequested(payment_id="fee-q1", refund_id="r1", means="void"),
        PaymentReversed(payment_id="fee-q1", evidence=Evidence(source="reversal", response_code="00")),
    )
    # The office has not heard of the refusal yet: the customer pays anew.
    request, sent, approved = world.fee("q1")
    assert isinstance(sent, PaymentSent)
    assert isinstance(approved, PaymentApproved)
    world.post(*(msgspec.structs.replace(body, payment_id="fee-2") for body in (request, sent, approved)))
    assert world.balances() == {RECEIVABLE: FEE_RIAL, "refunds": FEE_RIAL}
    with world.engine.connect() as connection:
        found = {case.payment_id: (case.kind, case.state) for case in cases(connection)}
    assert found == {"fee-q1": ("refund", "closed"), "fee-2": ("refund", "open")}


def test_an_answer_to_a_fee_that_finance_paid_back_meanwhile_is_had_beside_the_money(world: ServiceWorld) -> None:
    world.bad_day("wrong_parameter", on="service")
    world.post(world.ask("q1", "car_fines_detail", **FINES), *world.fee("q1"))
    world.work_all()
    with world.engine.connect() as connection:
        (case,) = cases(connection)
    world.bad_day("pending", on="service")
    world.post(ServiceRetried(inquiry_id="q1", operator="op"))
    assert world.work_all().waiting == 1
    end(world, case.case_id, "refunded")
    world.clock.wait(60)
    world.work_all()
    answers = [told.outcome for told in world.told() if isinstance(told, ServiceAnswered)]
    assert answers == ["wrong_parameter", "done"]
    # The provider did its part and is owed its share; the fee that was to pay for it is with the customer.
    hole = {RECEIVABLE: FEE_RIAL, **SHARES, "paid_out": FEE_RIAL, "recoverable": FEE_RIAL}
    assert world.balances() == hole
    assert found_cases(world) == {"no_result": "closed", "had_twice": "open"}


def found_cases(world: ServiceWorld) -> dict[str, str]:
    with world.engine.connect() as connection:
        return {case.kind: case.state for case in cases(connection)}


def asked_and_pending(world: ServiceWorld) -> None:
    """Have a paid request put to its provider, which has not answered it yet."""
    world.bad_day("pending", on="service")
    world.post(world.ask("q1", "car_fines_detail", **FINES), *world.fee("q1"))
    assert world.work_all().waiting == 1


def two_give_the_fee_back(world: ServiceWorld) -> None:
    refund = {"refund_id": "r1", "payment_id": "fee-q1"}
    world.post(
        RefundProposed(**refund, means="central", amount_rial=FEE_RIAL, operator="a", reason="waited too long"),
        RefundAgreed(**refund, operator="b"),
    )


def answered_now(world: ServiceWorld) -> None:
    world.clock.wait(60)
    assert world.work_all().done == 1
    assert (world.answer().outcome, world.kept("q1").outcome) == ("done", "done")


@pytest.mark.parametrize("answer_first", [True, False])
def test_a_fee_that_two_people_give_back_is_one_story_whichever_came_first(
    world: ServiceWorld, *, answer_first: bool
) -> None:
    asked_and_pending(world)
    for step in (answered_now, two_give_the_fee_back)[:: 1 if answer_first else -1]:
        step(world)
    # The answer is at the office: its provider is owed its share, and the case waits for finance, who knows of both.
    assert world.balances() == {RECEIVABLE: FEE_RIAL, **SHARES}
    assert found_cases(world) == {"refund": "open"}
    # Told again to a box that could not read it, it is no news.
    world.post(ServiceRetried(inquiry_id="q1", operator="op"))
    assert world.work_all().done == 1
    with world.engine.connect() as connection:
        (case,) = cases(connection)
        view = case_view(connection, case.case_id)
    assert view is not None
    assert [note.text for note in view.notes].count(ANSWERED_AS_WELL) == (0 if answer_first else 1)
    end(world, case.case_id, "refunded")
    assert world.balances() == {RECEIVABLE: FEE_RIAL, **SHARES, "paid_out": FEE_RIAL, "losses": FEE_RIAL}


@pytest.mark.parametrize("answer_first", [True, False])
def test_a_fee_that_its_terminal_gives_back_is_one_story_whenever_the_answer_comes(
    world: ServiceWorld, *, answer_first: bool
) -> None:
    asked_and_pending(world)
    ordered = ReversalRequested(payment_id="fee-q1", refund_id="r1", means="void")
    for step in (answered_now, lambda world: world.post(ordered))[:: 1 if answer_first else -1]:
        step(world)
    world.post(PaymentReversed(payment_id="fee-q1", evidence=Evidence(source="reversal", response_code="00")))
    assert world.balances() == {"recoverable": FEE_RIAL, **SHARES}
    assert found_cases(world) == {"confirmed_uncharged": "open"}


def refused_now(world: ServiceWorld) -> None:
    world.bad_day("refused", on="status")
    world.clock.wait(60)
    assert world.work_all().done == 1
    assert (newest(world).outcome, newest(world).reason) == ("refused", "service_disabled")


@pytest.mark.parametrize("refusal_first", [True, False])
def test_a_refusal_beside_two_people_who_give_the_fee_back_is_one_debt(
    world: ServiceWorld, *, refusal_first: bool
) -> None:
    asked_and_pending(world)
    for step in (refused_now, two_give_the_fee_back)[:: 1 if refusal_first else -1]:
        step(world)
    assert world.balances() == {RECEIVABLE: FEE_RIAL, "refunds": FEE_RIAL}
    assert found_cases(world) == {"refund": "open"}


def test_a_refusal_after_finance_paid_the_fee_back_names_the_case_and_is_owed_to_nobody(world: ServiceWorld) -> None:
    asked_and_pending(world)
    two_give_the_fee_back(world)
    with world.engine.connect() as connection:
        (case,) = cases(connection)
    end(world, case.case_id, "refunded")
    refused_now(world)
    assert newest(world).case_id == case.case_id
    assert world.balances() == {RECEIVABLE: FEE_RIAL, "paid_out": FEE_RIAL}
    assert found_cases(world) == {"refund": "closed"}


def test_an_answer_earns_the_fee_that_stands_and_no_other_that_goes_back(world: ServiceWorld) -> None:
    asked_and_pending(world)
    for body in world.fee("q1"):
        world.post(msgspec.structs.replace(body, payment_id="fee-2"))
    refund = {"refund_id": "r2", "payment_id": "fee-2"}
    world.post(
        RefundProposed(**refund, means="central", amount_rial=FEE_RIAL, operator="a", reason="paid twice"),
        RefundAgreed(**refund, operator="b"),
    )
    answered_now(world)
    assert world.balances() == {RECEIVABLE: 2 * FEE_RIAL, **SHARES, "fees": FEE_RIAL}
    with world.engine.connect() as connection:
        found = [(case.payment_id, case.kind, case.state) for case in cases(connection)]
        fees = [payment(connection, OFFICE, name) for name in ("fee-q1", "fee-2")]
    assert [fee and fee.confirmation for fee in fees] == ["confirmed", "none"]
    assert found == [("fee-2", "refund", "open")]


def test_a_fee_that_its_terminal_was_not_told_to_keep_is_not_earned_yet(world: ServiceWorld) -> None:
    world.post(msgspec.structs.replace(world.ask("q1", "car_fines_detail", **FINES), gate="answer_first"))
    request, sent, approved = world.fee("q1")
    world.post(request, msgspec.structs.replace(sent, confirming=True), approved)
    assert world.work_all().done == 1
    assert world.balances() == {RECEIVABLE: FEE_RIAL, "fees": FEE_RIAL}
    world.post(PaymentAcknowledged(payment_id="fee-q1"))
    assert world.balances() == {RECEIVABLE: FEE_RIAL, **SHARES}


def test_a_fee_that_its_terminal_did_not_give_back_is_earned_once(world: ServiceWorld) -> None:
    asked_and_pending(world)
    world.post(ReversalRequested(payment_id="fee-q1", refund_id="r1", means="void"))
    answered_now(world)
    world.post(ReversalRefused(payment_id="fee-q1", reason="refused"))
    assert (world.balances(), found_cases(world)) == ({RECEIVABLE: FEE_RIAL, **SHARES}, {})


def test_a_fee_given_back_before_its_answer_earns_nothing(world: ServiceWorld) -> None:
    asked_and_pending(world)
    world.post(
        ReversalRequested(payment_id="fee-q1", refund_id="r1", means="void"),
        PaymentReversed(payment_id="fee-q1", evidence=Evidence(source="reversal", response_code="00")),
    )
    answered_now(world)
    # The answer stays sealed at the office, where the fee may be paid anew.
    assert (world.balances(), found_cases(world)) == ({}, {})


def test_what_is_asked_anew_is_overdue_by_its_own_time(world: ServiceWorld) -> None:
    world.bad_day("wrong_parameter", on="service")
    world.post(world.ask("q1", "car_fines_detail", **FINES), *world.fee("q1"))
    world.work_all()
    world.clock.wait(7 * 3600)
    world.bad_day("pending", on="service")
    world.post(ServiceRetried(inquiry_id="q1", operator="op"))
    assert world.work_all().waiting == 1
    with world.engine.connect() as connection:
        assert [case.kind for case in cases(connection)] == ["no_result"]


def test_a_fee_without_a_result_that_its_terminal_gave_back_is_nobody_s_case(world: ServiceWorld) -> None:
    world.bad_day("wrong_parameter", on="service")
    world.post(world.ask("q1", "car_fines_detail", **FINES), *world.fee("q1"))
    world.work_all()
    world.post(
        ReversalRequested(payment_id="fee-q1", refund_id="r1", means="void"),
        PaymentReversed(payment_id="fee-q1", evidence=Evidence(source="reversal", response_code="00")),
    )
    with world.engine.connect() as connection:
        assert [(case.kind, case.state) for case in cases(connection)] == [("no_result", "closed")]


def end(world: ServiceWorld, case_id: str, outcome: str) -> None:
    if not propose_closing(world.engine, case_id, outcome=outcome, reason="x", by="mina", clock=world.clock):
        with world.engine.connect() as connection:
            newest = closings(connection, case_id)[-1].closing_id
        agree_closing(world.engine, case_id, newest, by="sara", clock=world.clock)


def refused_by_wrong_parameters(world: ServiceWorld) -> str:
    """Have a paid request answered without a result; return its case."""
    world.bad_day("wrong_parameter", on="service")
    world.post(world.ask("q1", "car_fines_detail", **FINES), *world.fee("q1"))
    world.work_all()
    with world.engine.connect() as connection:
        return cases(connection)[0].case_id


def newest(world: ServiceWorld) -> ServiceAnswered:
    return [told for told in world.told() if isinstance(told, ServiceAnswered)][-1]


def test_what_is_asked_again_after_a_person_ended_its_case_is_asked(world: ServiceWorld) -> None:
    end(world, refused_by_wrong_parameters(world), "explained")
    world.post(ServiceRetried(inquiry_id="q1", operator="op"))
    assert world.work_all().done == 1
    assert newest(world).outcome == "done"


def test_whoever_asks_again_is_told_that_finance_paid_the_fee_back(world: ServiceWorld) -> None:
    case_id = refused_by_wrong_parameters(world)
    end(world, case_id, "refunded")
    world.post(ServiceRetried(inquiry_id="q1", operator="op"))
    assert world.work_all().done == 1
    told = newest(world)
    assert (told.outcome, told.reason, told.case_id) == ("refused", "fee_paid_back", case_id)
    assert (world.kept("q1").outcome, world.kept("q1").case_id) == ("refused", case_id)
    assert world.balances() == {RECEIVABLE: FEE_RIAL, "paid_out": FEE_RIAL}
    # However often: nobody is asked, and the office does not wait.
    world.post(ServiceRetried(inquiry_id="q1", operator="op"))
    assert (world.work_all().done, newest(world).case_id) == (1, case_id)


def test_an_office_does_not_wait_for_what_nobody_is_asked_any_more(world: ServiceWorld) -> None:
    world.bad_day("busy", on="service", times=0)
    world.post(world.ask("q1", "car_fines_detail", **FINES), *world.fee("q1"))
    assert world.work_all().waiting == 1
    overdue = NewCase(kind="overdue", about="q1", amount_rial=FEE_RIAL, office_id=OFFICE, payment_id="fee-q1")
    with world.engine.begin() as connection:
        open_case(connection, overdue, at=world.clock.now())
    end(world, overdue.case_id, "refunded")
    world.clock.wait(600)
    assert world.work_all().done == 1
    assert (newest(world).outcome, newest(world).case_id) == ("refused", overdue.case_id)


def test_a_result_that_its_box_could_not_read_is_told_again(world: ServiceWorld) -> None:
    world.post(world.ask("q1", "car_fines_detail", **FINES), *world.fee("q1"))
    assert world.work_all().done == 1
    first = newest(world)
    world.post(ServiceRetried(inquiry_id="q1", operator="op"))
    assert world.work_all().done == 1
    answers = [told for told in world.told() if isinstance(told, ServiceAnswered)]
    assert [(told.outcome, told.track_id) for told in answers] == [("done", first.track_id)] * 2
    assert world.balances() == {RECEIVABLE: FEE_RIAL, **SHARES}
