"""Payments at terminals of the open families: ZVT keeps what it is told to, Telium can be asked nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.devices.virtual.telium_e_terminal import VirtualTeliumETerminal
from edge.devices.virtual.zvt_terminal import MIDDLE_DIGITS, VirtualZvtTerminal
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from shared.payment import PaymentState
from tests.edge.services.office import POWER, WATER, Office
from tests.edge.services.office_people import PASSWORD
from tests.edge.services.payments.test_give_back import REASON, giving_back

S = PaymentState
PATIENT = {"answer_timeout_ms": 10_000, "longest_ms": 10_000, "query_timeout_ms": 10_000, "ready_timeout_ms": 10_000}
SHORT = PATIENT | {"answer_timeout_ms": 400, "longest_ms": 600}


@pytest.fixture
async def zvt(tmp_path: Path) -> AsyncIterator[VirtualZvtTerminal]:
    virtual = VirtualZvtTerminal(clock=SystemClock(), entropy=SystemEntropy(), memory=tmp_path / "terminal.json")
    await virtual.start()
    virtual.set_auto("approve")
    virtual.sell_by_hand(500)
    yield virtual
    await virtual.stop()


@pytest.fixture
async def telium() -> AsyncIterator[VirtualTeliumETerminal]:
    virtual = VirtualTeliumETerminal(clock=SystemClock(), entropy=SystemEntropy())
    await virtual.start()
    virtual.set_auto("approve")
    yield virtual
    await virtual.stop()


async def test_an_approval_is_journaled_then_kept(tmp_path: Path, zvt: VirtualZvtTerminal) -> None:
    async with Office(tmp_path, zvt, **PATIENT) as office:
        payment_id = await office.pay()
        assert await office.ends(payment_id) is S.ACKNOWLEDGED
        payment, charge = office.payment(payment_id), zvt.charges[-1]
        assert (payment.stan, payment.receipt_number, payment.rrn) == (charge.stan, charge.receipt, None)
        assert (payment.pan, payment.terminal_number) == (f"621986******{charge.last4}", "21009543")
        assert charge.acknowledged
        assert payment.baseline_stan == zvt.transactions[0].stan
        kinds = office.kinds()
        assert kinds.index("payment.sent") < kinds.index("payment.approved") < kinds.index("payment.acknowledged")


async def test_a_whole_card_number_is_written_nowhere(tmp_path: Path, zvt: VirtualZvtTerminal) -> None:
    zvt.quirk = "full_numbers"
    folder = tmp_path / "box"
    folder.mkdir()
    async with Office(folder, zvt, **PATIENT) as office:
        assert await office.ends(await office.pay()) is S.ACKNOWLEDGED
        charge = zvt.charges[-1]
        written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert f"{charge.bin6}******{charge.last4}".encode() in written
    whole = charge.bin6 + MIDDLE_DIGITS + charge.last4
    assert whole.encode() not in written
    assert bytes.fromhex(whole) not in written


async def test_what_the_terminal_took_back_is_settled_as_not_charged(tmp_path: Path, zvt: VirtualZvtTerminal) -> None:
    async with Office(tmp_path, zvt, **(PATIENT | {"query_timeout_ms": 300, "longest_ms": 10_000})) as office:
        zvt.quirk, zvt.keep_within_ms = "yes_unheard", 100
        payment_id = await office.pay()
        assert await office.ends(payment_id) is S.IN_DOUBT
    assert len(zvt.charges) == 1
    zvt.quirk = "none"
    async with Office(tmp_path, zvt, **(PATIENT | {"answer_timeout_ms": 100, "longest_ms": 100})) as office:
        await office.until(lambda: office.payments.waited_ms(payment_id) > 100)
        once = await office.resolve.ask(payment_id, operator="sara")
        assert (once.state, once.counting_not_found) == (S.IN_DOUBT, 1)
        assert (await office.resolve.ask(payment_id, operator="sara")).state is S.NOT_CHARGED


async def test_a_charge_without_a_report_is_found_after_a_restart(tmp_path: Path, zvt: VirtualZvtTerminal) -> None:
    async with Office(tmp_path, zvt, **SHORT) as office:
        zvt.quirk = "charged_unsaid"
        payment_id = await office.pay(POWER)
        assert await office.ends(payment_id) is S.IN_DOUBT
        await office.until(lambda: len(zvt.charges) == 2)
    zvt.quirk = "none"
    async with Office(tmp_path, zvt, **PATIENT) as office:
        payment = await office.resolve.ask(payment_id, operator="sara")
        assert payment.state is S.ACKNOWLEDGED
        assert payment.stan == zvt.charges[-1].stan
        assert len(zvt.charges) == 2


async def test_an_older_sale_is_voided_and_frees_its_bill(tmp_path: Path, zvt: VirtualZvtTerminal) -> None:
    async with Office(tmp_path, zvt, **PATIENT) as office:
        first = await office.pay(WATER)
        assert await office.ends(first) is S.ACKNOWLEDGED
        assert await office.ends(await office.pay(POWER)) is S.ACKNOWLEDGED
        with giving_back(office) as back:
            assert back.means_of(office.payment(first)) == ("void", "central")
            refund_id = await back.propose(first, means="void", reason=REASON, operator="sara")
            await back.agree(refund_id, username="reza", password=PASSWORD)
            await office.until(lambda: not back.under_way(first))
        assert office.payment(first).state is S.REVERSED
        assert [one.amount_rial for one in zvt.charges[1:]] == [POWER.amount_rial]
        assert await office.ends(await office.pay(WATER)) is S.ACKNOWLEDGED


async def test_a_sale_is_known_by_our_number_alone(tmp_path: Path, telium: VirtualTeliumETerminal) -> None:
    async with Office(tmp_path, telium, **PATIENT) as office:
        payment_id = await office.pay()
        assert await office.ends(payment_id) is S.APPROVED
        payment = office.payment(payment_id)
        assert (payment.stan, payment.rrn, payment.terminal_number) == (None, None, None)
        assert telium.charges[0].reference == payment.reference[-10:]


async def test_nobody_but_people_settles_a_lost_answer(tmp_path: Path, telium: VirtualTeliumETerminal) -> None:
    async with Office(tmp_path, telium, **SHORT) as office:
        telium.set_fault("go_silent")
        payment_id = await office.pay()
        assert await office.ends(payment_id) is S.IN_DOUBT
        telium.set_fault("none")
        await office.resolve.ask_all()
        with pytest.raises(OperatorError, match=r"payment\.terminal_locked"):
            await office.pay(POWER)
        assert office.payment(payment_id).state is S.IN_DOUBT
        assert telium.requests == 1
