"""Questions whose answer cannot be used or written: they wait and become a case; other offices' questions go on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from central.fleet.keys import open_keys
from central.ledger.questions import task_id
from central.providers import worker
from central.providers.asking import Question, question_of
from central.providers.connector import ServiceQuestion, ServiceReply
from central.providers.desk import Reply
from central.providers.queries import tasks
from central.providers.text_messages import queue_messages
from central.reconciliation.queries import cases
from shared.entropy import SystemEntropy
from shared.events import (
    ImageAsked,
    PaymentAcknowledged,
    PaymentConfirmed,
    PaymentItem,
    PaymentRefused,
    PaymentRequested,
    PaymentSent,
    RefundAgreed,
    RefundDropped,
    RefundProposed,
    ServiceAnswered,
    ServiceRequested,
    Split,
)
from tests.central.providers.service_worlds import OWNER, ServiceWorld
from tests.central.providers.test_services import FINES

pytestmark = pytest.mark.postgres


@pytest.fixture
def world(engine: Engine, provider_url: str, tmp_path: Path) -> Iterator[ServiceWorld]:
    made = ServiceWorld(engine, provider_url, open_keys(tmp_path, SystemEntropy()))
    made.control.post("/control/forget").raise_for_status()
    made.post(made.data_key())
    yield made
    made.close()


def first_asked(world: ServiceWorld, inquiry_id: str = "q1") -> ServiceRequested:
    return msgspec.structs.replace(world.ask(inquiry_id, "car_fines_detail", **FINES), gate="answer_first")


def problems(world: ServiceWorld) -> dict[str, tuple[str, str | None]]:
    with world.engine.connect() as connection:
        return {task.task_id: (task.state, task.last_problem) for task in tasks(connection)}


@pytest.mark.faults("answer cannot be written")
def test_an_answer_that_cannot_be_sealed_waits_and_the_next_question_is_answered(world: ServiceWorld) -> None:
    broken = msgspec.structs.replace(world.data_key(), key_id="k2", public_key="no key")
    request = first_asked(world)
    world.post(broken)
    # Sealed as every request is, so that its fields open; the answer cannot be sealed to a key that is none.
    fields = msgspec.structs.replace(request.fields, key_id="k2")
    world.post(msgspec.structs.replace(request, fields=fields), first_asked(world, "q2"))
    world.work_all()
    assert problems(world)[task_id("serve", "q1")] == ("waiting", "cannot be written: sealed.cannot_open")
    assert [told.inquiry_id for told in world.told() if isinstance(told, ServiceAnswered)] == ["q2"]


@pytest.mark.faults("question failed")
def test_a_connector_that_fails_unforeseen_stops_one_question(
    world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.post(first_asked(world), first_asked(world, "q2"))
    serve, failed = world.gateway.serve, list[ServiceQuestion]()

    def serve_but_the_first(question: ServiceQuestion) -> ServiceReply:
        if not failed:
            failed.append(question)
            raise TypeError("an answer nobody thought of")
        return serve(question)

    monkeypatch.setattr(world.gateway, "serve", serve_but_the_first)
    world.work_all()
    assert problems(world)[task_id("serve", "q1")] == ("waiting", "TypeError")
    assert [told.inquiry_id for told in world.told() if isinstance(told, ServiceAnswered)] == ["q2"]
    world.clock.wait(60)
    world.work_all()
    assert world.heard("drivingOffense") == 2


@pytest.mark.faults("answer cannot be written")
def test_a_picture_of_a_request_with_an_odd_name_stops_nobody(world: ServiceWorld) -> None:
    world.post(first_asked(world, "q/1"), ImageAsked(inquiry_id="q/1", item="9914010001", operator="op"))
    world.post(first_asked(world, "q2"))
    world.work_all()
    assert "q2" in [told.inquiry_id for told in world.told() if isinstance(told, ServiceAnswered)]


def test_a_request_of_an_endless_name_is_set_aside_and_holds_up_no_message(world: ServiceWorld) -> None:
    consent = {"notify": "yes", **FINES}
    for name in ("q" * 201, "q2"):
        asked = world.ask(name, "car_fines_detail", **consent)
        world.post(msgspec.structs.replace(asked, gate="answer_first"))
    world.work_all()
    assert queue_messages(world.engine, world.desk.data_keys, clock=world.clock) == 1
    with world.engine.connect() as connection:
        (case,) = cases(connection)
    assert (case.kind, case.facts["code"]) == ("unposted", "books.not_storable")


def test_an_order_of_a_service_with_an_endless_code_is_booked(world: ServiceWorld) -> None:
    world.post(world.ask("q1", "top_up", mobile="09123456789", operator="mci", amount="100000"))
    world.work_all()
    payable = world.document(world.answer()).payable
    assert payable is not None
    world.pay_order("pay-1", "q1", SystemEntropy().token_bytes(4_000).hex(), payable)
    assert world.work_all().done == 1
    assert [code.partition(":")[0] for code in sorted(world.balances())] == ["provider", "receivable"]


def test_an_order_nobody_offered_is_refused_only_once_its_charge_stands(world: ServiceWorld) -> None:
    request, sent, approved = world.fee("q1")
    assert isinstance(request, PaymentRequested)
    assert isinstance(sent, PaymentSent)
    order = msgspec.structs.replace(request, purpose="order", obligation="order:none", inquiry_id=None)
    world.post(order, msgspec.structs.replace(sent, confirming=True), approved)
    assert world.work_all().waiting == 1
    assert world.told() == []
    world.post(PaymentAcknowledged(payment_id="fee-q1"))
    world.clock.wait(60)
    assert world.work_all().done == 1
    (refused,) = world.told()
    assert isinstance(refused, PaymentRefused)


@pytest.mark.parametrize("purpose", ["order", "inquiry_fee"])
def test_only_bills_are_put_together_in_one_charge(world: ServiceWorld, purpose: Any) -> None:
    items = tuple(PaymentItem(obligation=f"{purpose}:{number}", amount_rial=500) for number in (1, 2))
    world.post(
        PaymentRequested(
            payment_id="pay-1",
            obligation="group:pay-1",
            purpose=purpose,
            amount_rial=1_000,
            split=Split(gross_rial=1_000, company_rial=1_000),
            method="pcpos",
            terminal="counter-1",
            reference="1",
            operator="op",
            items=items,
        )
    )
    with world.engine.connect() as connection:
        (case,) = cases(connection)
    assert (case.kind, case.facts["code"]) == ("unposted", "books.bad_items")


@pytest.mark.parametrize("inquiry_id", [None, "q-unknown"])
def test_a_pin_is_told_whatever_its_payment_says_of_the_request(world: ServiceWorld, inquiry_id: str | None) -> None:
    world.post(world.ask("q1", "top_up_pin", operator="mci", **OWNER))
    world.work_all()
    payable = world.document(world.answer()).items[0].payable
    assert payable is not None
    world.desks["billing"] = msgspec.structs.replace(world.desks["billing"], connector=world.gateway)
    world.pay_order("pay-1", inquiry_id, "top_up_pin", payable)
    world.work_all()
    (confirmed,) = (told for told in world.told() if isinstance(told, PaymentConfirmed))
    assert set(world.bought(confirmed.fulfilment)) == {"pin", "serial"}


def test_a_fee_that_stands_again_while_its_question_is_taken_back_is_asked_about(
    world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.post(world.ask("q1", "car_fines_detail", **FINES), *world.fee("q1"))
    proposed = RefundProposed(
        refund_id="r1", payment_id="fee-q1", means="central", amount_rial=175_000, operator="op", reason="x"
    )
    agreed = RefundAgreed(refund_id="r1", payment_id="fee-q1", operator="manager")
    dropped = RefundDropped(refund_id="r1", payment_id="fee-q1", operator="op", reason="x")

    class Interrupted:
        """A question whose fee is given back before it is looked at, and is not any more right after."""

        def __init__(self, question: Question) -> None:
            self._question = question
            self.send, self.status = question.send, question.status

        def stopped(self) -> Reply | None:
            world.post(proposed, agreed)
            found = self._question.stopped()
            world.post(dropped)
            return found

    monkeypatch.setattr(worker, "question_of", lambda *about: Interrupted(question_of(*about)))
    world.work_all()
    monkeypatch.undo()
    world.clock.wait(60)
    world.work_all()
    assert world.answer().outcome == "done"
