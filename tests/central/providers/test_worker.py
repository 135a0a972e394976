"""Questions worked against the sandbox provider over a real socket and a real PostgreSQL, on good days and bad ones."""

import socket
import threading
from typing import Any

import msgspec
import pytest
from sqlalchemy.exc import OperationalError

from central.ledger.queries import payment
from central.providers.gateway import GatewayConnector
from central.providers.queries import inquiry, task_counts, tasks
from central.providers.sandbox_state import made_bill
from central.providers.worker import WorkReport, work_provider_tasks
from central.reconciliation.queries import cases
from central.store.engine import open_engine
from shared.clock import SystemClock
from shared.events import (
    InquiryAnswered,
    PaymentConfirmed,
    PaymentRefused,
)
from shared.identifiers import parse_bill
from shared.sealed import Sealed
from tests.central.providers.worlds import BILL, OFFICE, World

pytestmark = pytest.mark.postgres

CONFIRMED = {"receivable:11223344": 17_000, "biller:landline": 17_000}


def test_a_paid_bill_is_confirmed_and_the_office_is_told(world: World) -> None:
    world.pay("pay-1")
    assert world.work() == WorkReport(done=1, waiting=0, troubled=0)
    (told,) = world.told()
    assert isinstance(told, PaymentConfirmed)
    assert (told.payment_id, told.provider) == ("pay-1", "billing")
    assert world.balances() == CONFIRMED
    with world.engine.connect() as connection:
        row = payment(connection, OFFICE, "pay-1")
        assert row is not None
        assert (row.confirmation, row.provider_reference) == ("confirmed", told.provider_reference)
        assert task_counts(connection).done == 1
    assert world.work() == WorkReport(done=0, waiting=0, troubled=0)


@pytest.mark.parametrize(("state", "reason"), [("paid", "already_paid"), ("expired", "expired")])
def test_a_refused_bill_opens_a_refund_case(world: World, state: str, reason: str) -> None:
    mark = {"bill_id": BILL[0], "payment_id": BILL[1], "state": state}
    world.control.post("/control/bills", json=mark).raise_for_status()
    world.pay("pay-1")
    assert world.work().done == 1
    (told,) = world.told()
    assert isinstance(told, PaymentRefused)
    with world.engine.connect() as connection:
        (case,) = cases(connection)
        row = payment(connection, OFFICE, "pay-1")
    assert row is not None
    assert (told.reason, told.case_id) == (reason, case.case_id)
    assert (case.kind, case.payment_id, case.amount_rial) == ("refund", "pay-1", 17_000)
    assert (row.confirmation, row.refusal_reason, row.open_case) == ("refused", reason, case.case_id)
    assert world.balances() == {"receivable:11223344": 17_000, "refunds": 17_000}


@pytest.mark.parametrize(
    ("kind", "first", "sent"),
    [
        # Done at the provider, though we could not know: the status tells, and the question goes once.
        ("lost", "troubled", 1),
        ("pending", "waiting", 1),
        ("unknown", "waiting", 1),
        # Not done: after the status says so, the question goes again.
        ("error_500", "troubled", 2),
        ("html", "troubled", 2),
        ("wrong_json", "troubled", 2),
        ("busy", "waiting", 2),
    ],
)
def test_a_bad_day_ends_confirmed_once(world: World, kind: str, first: str, sent: int) -> None:
    world.bad_day(kind, on="confirm")
    world.pay("pay-1")
    assert getattr(world.work(), first) == 1
    assert world.told() == []
    world.clock.wait(40)
    assert world.work().done == 1
    assert [type(told) for told in world.told()] == [PaymentConfirmed]
    assert world.calls("confirm") == sent
    assert world.balances() == CONFIRMED


def test_an_answer_that_comes_too_late_is_asked_for(world: World) -> None:
    # A payment and a bill of its own: the provider may still be at it when the next test speaks of others.
    world.bad_day("slow", on="confirm", ms=900)
    world.pay("pay-late", made_bill("landline", "55667788", 17_000))
    assert world.work().troubled == 1
    assert world.calls("confirm") == 1
    world.clock.wait(40)
    for _ in range(50):
        if world.work().done:
            break
        world.clock.wait(400)
    assert [type(told) for told in world.told()] == [PaymentConfirmed]
    assert world.balances() == CONFIRMED


def test_not_heard_of_is_not_believed_at_once(world: World) -> None:
    world.bad_day("error_500", on="confirm")
    world.pay("pay-1")
    world.work()
    world.clock.wait(5)
    assert world.work() == WorkReport(done=0, waiting=1, troubled=0)
    assert world.calls("confirm") == 1
    world.clock.wait(40)
    assert world.work().done == 1


def test_pending_is_asked_for_by_its_track_id_alone(world: World) -> None:
    world.bad_day("pending", on="any", times=3)
    world.pay("pay-1")
    for _ in range(3):
        assert world.work().waiting == 1
        world.clock.wait(400)
    assert world.work().done == 1
    assert (world.calls("confirm"), world.calls("status")) == (1, 3)


def test_a_provider_that_is_away_is_left_alone_for_a_while(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    away = GatewayConnector(f"http://127.0.0.1:{port}", clock=SystemClock(), deadline_ms=400)
    broken = msgspec.structs.replace(world.desk, connector=away)
    for number in range(5):
        world.pay(f"pay-{number}", BILL)
    report = work_provider_tasks(world.engine, broken)
    assert report == WorkReport(done=0, waiting=0, troubled=3)
    assert world.desk.breaker.view().state == "open"
    world.clock.wait(10)
    assert world.work() == WorkReport(done=0, waiting=0, troubled=0)
    # One tries the line; it is good, and all are asked: one bill, so one is taken and four were paid before.
    world.clock.wait(21)
    assert world.work().done == 5
    assert sorted(type(told).__name__ for told in world.told()) == ["PaymentConfirmed", *["PaymentRefused"] * 4]
    away.close()


def test_a_provider_that_stays_away_is_asked_less_and_less_often(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    away = GatewayConnector(f"http://127.0.0.1:{port}", clock=SystemClock(), deadline_ms=400)
    world.pay("pay-1")
    waits = []
    for _ in range(5):
        world.clock.wait(600)
        assert work_provider_tasks(world.engine, msgspec.structs.replace(world.desk, connector=away)).troubled == 1
        with world.engine.connect() as connection:
            (task,) = tasks(connection)
        waits.append((task.next_at - world.clock.now()).total_seconds())
    assert waits == sorted(waits)
    assert waits[-1] > 8 * waits[0]
    away.close()


def test_trouble_with_the_database_does_not_leave_the_breaker_half_open(world: World) -> None:
    world.pay("pay-1")
    for _ in range(3):
        world.desk.breaker.fail()
    world.clock.wait(31)
    elsewhere = open_engine("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(OperationalError):
        work_provider_tasks(elsewhere, world.desk)
    elsewhere.dispose()
    assert world.work().done == 1


def test_a_payment_that_waits_too_long_becomes_a_case_and_is_asked_on(world: World) -> None:
    world.bad_day("html", times=0)
    world.pay("pay-1")
    world.work()
    world.clock.wait(7 * 3600)
    world.work()
    with world.engine.connect() as connection:
        assert [case.kind for case in cases(connection)] == ["overdue"]
    world.control.post("/control/good-day")
    world.clock.wait(400)
    assert world.work().done == 1


def test_a_worker_that_died_is_followed_when_its_lease_ran_out(world: World) -> None:
    class Dies(GatewayConnector):
        def confirm(self, order: Any) -> Any:
            super().confirm(order)
            raise KeyboardInterrupt

    world.pay("pay-1")
    dying = Dies(str(world.control.base_url), clock=SystemClock())
    with pytest.raises(KeyboardInterrupt):
        work_provider_tasks(world.engine, msgspec.structs.replace(world.desk, connector=dying))
    dying.close()
    assert world.work() == WorkReport(done=0, waiting=0, troubled=0)
    world.clock.wait(world.desk.timing.lease_ms / 1000 + 1)
    assert world.work().done == 1
    assert world.calls("confirm") == 1
    assert world.balances() == CONFIRMED


def test_a_worker_that_was_held_up_past_its_lease_sends_nothing(world: World) -> None:
    class Dies(GatewayConnector):
        def confirm(self, _: Any) -> Any:
            raise KeyboardInterrupt

    class Stalls(GatewayConnector):
        def confirm_status(self, *, track_id: str) -> Any:
            said = super().confirm_status(track_id=track_id)
            world.clock.wait(world.desk.timing.lease_ms / 1000 + 1)
            return said

    world.pay("pay-1")
    dying, stalling = (kind(str(world.control.base_url), clock=SystemClock()) for kind in (Dies, Stalls))
    with pytest.raises(KeyboardInterrupt):
        work_provider_tasks(world.engine, msgspec.structs.replace(world.desk, connector=dying))
    world.clock.wait(world.desk.timing.lease_ms / 1000 + 1)
    # Finance may pay the customer as soon as the lease ran out: from then on the question may not leave.
    assert work_provider_tasks(world.engine, msgspec.structs.replace(world.desk, connector=stalling)).waiting == 1
    assert world.calls("confirm") == 0
    dying.close()
    stalling.close()
    world.clock.wait(world.desk.timing.lease_ms / 1000 + 1)
    assert world.work().done == 1
    assert world.calls("confirm") == 1


def test_two_workers_share_the_questions(world: World) -> None:
    for number in range(12):
        world.pay(f"pay-{number}")
    reports: list[WorkReport] = []
    threads = [threading.Thread(target=lambda: reports.append(world.work())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sum(report.done for report in reports) == 12
    assert len(world.told()) == 12
    assert sum(isinstance(told, PaymentConfirmed) for told in world.told()) == 1


def test_an_inquiry_is_answered_and_the_customer_is_sealed(world: World) -> None:
    world.post(world.data_key(), world.inquiry("inq-1", "1234567"))
    assert world.work().done == 1
    (told,) = world.told()
    assert isinstance(told, InquiryAnswered)
    assert told.outcome == "owed"
    assert told.bill_id is not None
    assert told.bill_payment_id is not None
    assert parse_bill(told.bill_id, told.bill_payment_id).amount_rial == told.amount_rial
    assert told.customer is not None
    assert set(world.open_customer(told.customer)) == {"name", "address"}
    with world.engine.connect() as connection:
        row = inquiry(connection, OFFICE, "inq-1")
        assert row is not None
        assert (row.outcome, row.amount_rial, row.bill_id) == ("owed", told.amount_rial, told.bill_id)


@pytest.mark.parametrize(
    ("parameter", "outcome", "reason"), [("1234500", "nothing_owed", "no_bill"), ("1234599", "wrong_parameter", "")]
)
def test_no_debt_and_no_subscriber_are_answers(world: World, parameter: str, outcome: str, reason: str) -> None:
    world.post(world.data_key(), world.inquiry("inq-1", parameter))
    assert world.work().done == 1
    (told,) = world.told()
    assert isinstance(told, InquiryAnswered)
    assert (told.outcome, told.reason, told.customer) == (outcome, reason, None)


@pytest.mark.parametrize("kind", ["pending", "html", "lost", "error_500", "busy"])
def test_an_inquiry_outlives_a_bad_day(world: World, kind: str) -> None:
    world.bad_day(kind, on="inquiry")
    world.post(world.data_key(), world.inquiry("inq-1", "1234567"))
    assert world.work().done == 0
    world.clock.wait(40)
    assert world.work().done == 1
    (told,) = world.told()
    assert isinstance(told, InquiryAnswered)
    assert told.outcome == "owed"


def test_an_inquiry_waits_for_its_data_key(world: World) -> None:
    world.post(world.inquiry("inq-1", "1234567"))
    assert world.work() == WorkReport(done=0, waiting=1, troubled=0)
    with world.engine.connect() as connection:
        (task,) = tasks(connection)
    assert (task.last_problem, task.asked_at) == ("provider.no_data_key", None)
    world.post(world.data_key())
    world.clock.wait(5)
    assert world.work().done == 1


@pytest.mark.parametrize("public_key", ["00" * 32, "00", "no hex"])
def test_personal_data_that_cannot_be_sealed_is_left_out_and_the_answer_given(world: World, public_key: str) -> None:
    world.post(msgspec.structs.replace(world.data_key(), public_key=public_key), world.inquiry("inq-1", "1234567"))
    assert world.work().done == 1
    (told,) = world.told()
    assert isinstance(told, InquiryAnswered)
    assert (told.outcome, told.customer) == ("owed", None)


def test_a_parameter_that_nobody_can_open_is_refused(world: World) -> None:
    world.post(world.data_key(), world.inquiry("inq-1", "1234567", Sealed(key_id="k1", ciphertext="AAAA")))
    assert world.work().done == 1
    (told,) = world.told()
    assert isinstance(told, InquiryAnswered)
    assert (told.outcome, told.reason) == ("refused", "sealed.cannot_open")
