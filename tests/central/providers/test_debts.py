"""One debt under several answers: the whole of a car's fines and one of them, asked for by two requests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from central.fleet.keys import open_keys
from central.providers.queries import subject_tasks
from central.reconciliation.queries import cases
from shared.answer_document import Payable
from shared.entropy import SystemEntropy
from shared.events import PaymentConfirmed, PaymentRefused, ServiceAnswered
from shared.ids import bill_obligation
from tests.central.providers.service_worlds import CAR, OWNER, ServiceWorld
from tests.central.providers.worlds import OFFICE

pytestmark = pytest.mark.postgres

SERVICES = {"whole": "car_fines_total", "part": "car_fines_detail"}


@pytest.fixture
def world(engine: Engine, provider_url: str, tmp_path: Path) -> Iterator[ServiceWorld]:
    made = ServiceWorld(engine, provider_url, open_keys(tmp_path, SystemEntropy()))
    made.control.post("/control/forget").raise_for_status()
    made.post(made.data_key())
    yield made
    made.close()


@pytest.fixture
def offered(world: ServiceWorld) -> dict[str, Payable]:
    """What can be paid of the two answers: the whole, a part of it, and another part."""
    for inquiry_id, code in SERVICES.items():
        world.post(world.ask(inquiry_id, code, plate=CAR, **OWNER), *world.fee(inquiry_id, code))
    world.work_all()
    answers = {told.inquiry_id: world.document(told) for told in world.told() if isinstance(told, ServiceAnswered)}
    whole, (part, other, *_) = answers["whole"].payable, [item.payable for item in answers["part"].items]
    assert whole
    assert part
    assert other
    return {"whole": whole, "part": part, "other": other}


def pay(world: ServiceWorld, offered: dict[str, Payable], name: str) -> None:
    payable, of = offered[name], "whole" if name == "whole" else "part"
    named = bill_obligation(payable.bill_id or "", payable.bill_payment_id or "")
    world.pay_order(f"pay-{name}", of, SERVICES[of], payable, obligation=named)


@pytest.mark.parametrize(("first", "second"), [("whole", "part"), ("part", "whole")])
@pytest.mark.parametrize("meanwhile", [True, False])
def test_the_whole_and_a_part_of_two_requests_are_settled_once(
    world: ServiceWorld, offered: dict[str, Payable], first: str, second: str, *, meanwhile: bool
) -> None:
    pay(world, offered, first)
    if meanwhile:
        world.work_all()
    pay(world, offered, second)
    with world.engine.connect() as connection:
        (owed,) = cases(connection)
    assert (owed.kind, owed.payment_id, owed.facts["reason"]) == ("refund", f"pay-{second}", "charged_twice")
    for _ in range(3):
        world.work_all()
        world.clock.wait(60)
    (taken,) = [told for told in world.told() if isinstance(told, PaymentConfirmed)]
    (refused,) = [told for told in world.told() if isinstance(told, PaymentRefused)]
    assert (taken.payment_id, refused.payment_id) == (f"pay-{first}", f"pay-{second}")
    assert (refused.reason, refused.case_id) == ("already_paid", owed.case_id)
    with world.engine.connect() as connection:
        (task,) = subject_tasks(connection, OFFICE, f"pay-{second}")
    # Its provider was never told of it.
    assert task.asked_at is None


def test_two_parts_are_two_debts(world: ServiceWorld, offered: dict[str, Payable]) -> None:
    pay(world, offered, "part")
    pay(world, offered, "other")
    world.work_all()
    with world.engine.connect() as connection:
        assert cases(connection) == ()
    assert [told.payment_id for told in world.told() if isinstance(told, PaymentConfirmed)] == ["pay-part", "pay-other"]
