from pathlib import Path

import msgspec
import pytest

from edge.devices.virtual.terminal import VirtualTerminal
from shared.errors import OperatorError
from shared.payment import PaymentState
from tests.edge.services.office import Office
from tests.edge.store.boxes import SteppingClock

QUICK = {"answer_timeout_ms": 200, "longest_ms": 400, "query_timeout_ms": 500}


async def in_doubt(office: Office) -> str:
    payment_id = await office.pay()
    assert await office.ends(payment_id) is PaymentState.IN_DOUBT
    return payment_id


async def test_a_charge_the_terminal_could_not_tell_of_is_found_by_asking(
    tmp_path: Path, terminal: VirtualTerminal
) -> None:
    async with Office(tmp_path, terminal, **QUICK) as office:
        terminal.set_fault("die_after_charging")
        terminal.set_auto("approve")
        payment_id = await in_doubt(office)
        terminal.set_fault("none")
        await terminal.restart()
        payment = await office.resolve.ask(payment_id, operator="sara")
        assert payment.state is PaymentState.APPROVED
        (charge,) = terminal.charges
        assert payment.rrn == charge.rrn
        assert [job.document for job in office.box.queries.print_jobs_for(payment_id)] == ["bill_receipt"]


async def test_not_found_counts_only_past_the_longest_time_and_twice(tmp_path: Path, terminal: VirtualTerminal) -> None:
    async with Office(tmp_path, terminal, **(QUICK | {"longest_ms": 1_500})) as office:
        terminal.set_fault("go_silent")
        terminal.set_auto("approve")
        payment_id = await in_doubt(office)
        early = await office.resolve.ask(payment_id, operator="sara")
        assert (early.state, early.asked_count, early.counting_not_found) == (PaymentState.IN_DOUBT, 1, 0)
        await office.until(lambda: office.payments.waited_ms(payment_id) > 1_500)
        once = await office.resolve.ask(payment_id, operator="sara")
        assert (once.state, once.counting_not_found) == (PaymentState.IN_DOUBT, 1)
        twice = await office.resolve.ask(payment_id, operator="sara")
        assert twice.state is PaymentState.NOT_CHARGED
        assert not terminal.charges
        terminal.set_fault("none")
        assert await office.ends(await office.pay()) is PaymentState.APPROVED


async def test_a_restart_does_not_shorten_the_wait_of_a_not_found(tmp_path: Path, terminal: VirtualTerminal) -> None:
    async with Office(tmp_path, terminal, **QUICK) as office:
        terminal.set_fault("go_silent")
        terminal.set_auto("approve")
        payment_id = await in_doubt(office)
    async with Office(tmp_path, terminal, **(QUICK | {"longest_ms": 60_000})) as office:
        payment = await office.resolve.ask(payment_id, operator="sara")
        assert (payment.state, payment.counting_not_found) == (PaymentState.IN_DOUBT, 0)


async def test_asking_a_terminal_that_is_off_settles_nothing_and_is_journaled(
    tmp_path: Path, terminal: VirtualTerminal
) -> None:
    async with Office(tmp_path, terminal, **QUICK) as office:
        terminal.set_fault("die_after_charging")
        terminal.set_auto("approve")
        payment_id = await in_doubt(office)
        await office.resolve.ask_all()
        payment = office.payment(payment_id)
        assert (payment.state, payment.asked_count) == (PaymentState.IN_DOUBT, 1)
        assert "payment.status_queried" in office.kinds()


async def test_a_payment_that_is_settled_is_not_asked_about(office: Office) -> None:
    office.virtual.set_auto("approve")
    payment_id = await office.pay()
    await office.ends(payment_id)
    size = office.box.queries.size()
    assert (await office.resolve.ask(payment_id, operator="sara")).state is PaymentState.APPROVED
    assert office.box.queries.size() == size
    with pytest.raises(OperatorError, match=r"payment\.unknown"):
        await office.resolve.ask("p-nobody", operator="sara")


async def test_unasked_questions_wait_twice_as_long_each_time(tmp_path: Path, terminal: VirtualTerminal) -> None:
    async with Office(tmp_path, terminal, **(QUICK | {"longest_ms": 600_000})) as office:
        terminal.set_fault("go_silent")
        terminal.set_auto("approve")
        payment_id = await in_doubt(office)
        clock = SteppingClock()
        office.resolve._clock = clock
        asked = []
        for _ in range(8):
            await office.resolve.ask_all()
            asked.append(office.payment(payment_id).asked_count)
            clock.step(seconds=1)
        assert asked == [1, 2, 2, 3, 3, 3, 3, 4]


async def test_a_payment_of_a_terminal_that_is_gone_is_not_asked_of_another(
    tmp_path: Path, terminal: VirtualTerminal
) -> None:
    async with Office(tmp_path, terminal, **QUICK) as office:
        terminal.set_fault("go_silent")
        terminal.set_auto("approve")
        payment_id = await in_doubt(office)
        office.payments.workers["terminal-2"] = office.payments.workers.pop("terminal-1")
        await office.resolve.ask_all()
        assert office.payment(payment_id).asked_count == 0
        with pytest.raises(OperatorError, match=r"payment\.other_terminal"):
            await office.resolve.ask(payment_id, operator="sara")


async def test_a_terminal_that_tells_nothing_is_not_asked_and_whoever_asks_hears_so(office: Office) -> None:
    office.virtual.set_fault("go_silent")
    payment_id = await office.pay()
    assert await office.ends(payment_id) is PaymentState.IN_DOUBT
    mute = msgspec.structs.replace(office.profile.capabilities, query_by_reference=False, query_last=False)
    office.terminal.profile = msgspec.structs.replace(office.profile, capabilities=mute)
    size = office.box.queries.size()
    await office.resolve.ask_all()
    with pytest.raises(OperatorError, match=r"payment\.cannot_be_asked"):
        await office.resolve.ask(payment_id, operator="sara")
    assert office.box.queries.size() == size
