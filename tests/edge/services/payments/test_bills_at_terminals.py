"""Bills that the terminal itself pays by their two ids, where the office's settings say so."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from edge.box_devices import make_terminals
from edge.devices.catalogue import load_catalogue
from edge.devices.virtual.sadad_terminal import VirtualSadadTerminal
from edge.devices.virtual.terminal import VirtualTerminal
from edge.services.payments.terminal_worker import _bill_of
from edge.services.payments.wanted import bill_wanted, bills_wanted
from edge.settings import TerminalSettings
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import DeviceError
from shared.events import PaymentApproved, PaymentOverridden
from shared.payment import PaymentState
from tests.edge.services.office import DEADLINE_S, POWER, WATER, Office

PATIENT = {"answer_timeout_ms": 10_000, "longest_ms": 10_000, "query_timeout_ms": 10_000, "ready_timeout_ms": 10_000}
MAKERS: dict[str, Any] = {"behpardakht": VirtualTerminal, "sadad": VirtualSadadTerminal}
IDS = (int(WATER.bill_id), int(WATER.payment_id))


@pytest.fixture(params=sorted(MAKERS))
async def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    virtual = MAKERS[request.param](clock=SystemClock(), entropy=SystemEntropy(), memory=tmp_path / "terminal.json")
    await virtual.start()
    virtual.set_auto("approve")
    yield virtual
    await virtual.stop()


def office_of(folder: Path, terminal: Any) -> Office:
    office = Office(folder, terminal, **PATIENT)
    office.bill_terminals = ("terminal-1",)
    return office


def sent(office: Office) -> list[bool]:
    """Whether each amount that was sent left as a bill's payment."""
    entries = [msgspec.json.decode(data) for data, _ in office.box.queries.entries(0, 1_000)]
    return [entry["body"]["pays_bill"] for entry in entries if entry["type"] == "payment.sent"]


async def test_a_single_bill_goes_by_its_ids_and_its_approval_is_its_confirmation(
    tmp_path: Path, terminal: Any
) -> None:
    async with office_of(tmp_path, terminal) as office:
        payment_id = await office.pay(WATER)
        assert await office.ends(payment_id) is PaymentState.APPROVED
        assert terminal.bills == (IDS,)
        assert [charge.amount_rial for charge in terminal.charges] == [WATER.amount_rial]
        payment = office.payment(payment_id)
        assert (payment.pays_bill, payment.confirmation, payment.is_taken) == (True, "confirmed", True)
        assert office.box.queries.status().unconfirmed_count == 0, "nothing waits for a provider's word"
        assert sent(office) == [True]


async def test_a_charge_whose_answer_is_lost_is_asked_for_as_any_other_and_confirmed_with_it(
    tmp_path: Path, terminal: Any
) -> None:
    terminal.set_fault("die_after_charging")
    async with office_of(tmp_path, terminal) as office:
        payment_id = await office.pay(WATER)
        assert await office.ends(payment_id) is PaymentState.IN_DOUBT
        assert office.payment(payment_id).confirmation == "none"
        terminal.set_fault("none")
        await terminal.restart()
        async with asyncio.timeout(DEADLINE_S):
            # Once, but for a machine so slow that a piece of the answer counts as noise.
            while (payment := await office.resolve.ask(payment_id, operator="sara")).state is PaymentState.IN_DOUBT:
                pass
        assert (payment.state, payment.confirmation) == (PaymentState.APPROVED, "confirmed")
    assert len(terminal.charges) == 1


async def test_a_persons_word_confirms_no_bill_until_evidence_does(tmp_path: Path, terminal: Any) -> None:
    terminal.set_fault("die_after_charging")
    async with office_of(tmp_path, terminal) as office:
        payment_id = await office.pay(WATER)
        assert await office.ends(payment_id) is PaymentState.IN_DOUBT
        word = PaymentOverridden(payment_id=payment_id, charged=True, operator="mina", reason="-", slip_number="1")
        await office.box.writer.commit(lambda _: [word])
        assert office.payment(payment_id).confirmation == "none"
        evidence = office.charge_of(payment_id, terminal_number=None)
        await office.box.writer.commit(lambda _: [PaymentApproved(payment_id=payment_id, evidence=evidence)])
        assert office.payment(payment_id).confirmation == "confirmed"


async def test_several_bills_in_one_charge_are_a_sale(tmp_path: Path, terminal: Any) -> None:
    async with office_of(tmp_path, terminal) as office:
        together = await office.payments.request(bills_wanted([WATER, POWER]), operator="sara")
        assert await office.ends(together) is PaymentState.APPROVED
        assert (office.payment(together).confirmation, sent(office)) == ("queued", [False])
    assert terminal.bills == ()


@pytest.mark.parametrize("other", [{"service": "car_fines_total"}, {"purpose": "inquiry_fee"}, {"bill_id": None}])
def test_what_a_provider_answered_and_what_is_no_bill_is_a_sale(other: dict[str, Any]) -> None:
    wanted = msgspec.structs.replace(bill_wanted(WATER), **other)
    request = wanted.request(payment_id="p", terminal="t", operator="sara", entropy=SystemEntropy())
    assert _bill_of(request) is None


async def test_without_the_setting_a_bill_is_a_sale(tmp_path: Path, terminal: Any) -> None:
    async with Office(tmp_path, terminal, **PATIENT) as office:
        payment_id = await office.pay(WATER)
        assert await office.ends(payment_id) is PaymentState.APPROVED
        assert (office.payment(payment_id).confirmation, sent(office)) == ("queued", [False])
    assert terminal.bills == ()


def test_a_model_that_pays_no_bills_is_refused_at_the_start() -> None:
    for model, can in (("daftar/virtual", True), ("daftar/virtual_zvt", False), ("asan_pardakht/pcpos", False)):
        settings = TerminalSettings(name="باجه ۱", host="127.0.0.1", port=1, profile=model, pays_bills=True)
        box = SimpleNamespace(terminals=(settings,))
        parts: Any = SimpleNamespace(settings=box, clock=SystemClock(), entropy=SystemEntropy(), hub=None)
        profiles = [load_catalogue().terminal(model)]
        if can:
            assert [driver.name for driver in make_terminals(parts, profiles)] == ["باجه ۱"]
            continue
        with pytest.raises(DeviceError) as refused:
            make_terminals(parts, profiles)
        assert (refused.value.code, refused.value.data["profile"]) == ("terminal.pays_no_bills", model)
