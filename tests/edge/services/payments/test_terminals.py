"""Several terminals at one box: who waits for which, in which order, and whom a bad one keeps waiting."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.devices.virtual.terminal import VirtualTerminal
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from shared.identifiers import Bill, parse_bill
from shared.payment import PaymentState
from tests.edge.services.office import Office
from tests.system.demo import made_bill

QUICK = {"answer_timeout_ms": 300, "longest_ms": 400, "query_timeout_ms": 500}


def bill(number: int) -> Bill:
    return parse_bill(*made_bill(700 + number, 10_000 * (number + 1)))


@pytest.fixture
async def second() -> AsyncIterator[VirtualTerminal]:
    """Another terminal that is on."""
    virtual = VirtualTerminal(clock=SystemClock(), entropy=SystemEntropy(), terminal_number="73000009")
    await virtual.start()
    yield virtual
    await virtual.stop()


def place_of(virtual: VirtualTerminal) -> tuple[str, int]:
    assert virtual._address is not None
    return virtual._address


async def test_bills_at_a_busy_terminal_wait_in_order_and_one_can_leave(office: Office) -> None:
    first = await office.pay(bill(0))
    await office.card_asked_for()
    waiting = [await office.pay(bill(number)) for number in (1, 2, 3)]
    assert [office.payments.queue_place(payment) for payment in (first, *waiting)] == [0, 1, 2, 3]
    assert {office.payments.progress(payment) for payment in waiting} == {"queued"}
    assert office.worker.waiting == tuple(waiting)
    await office.payments.cancel(waiting[1])
    gone = office.payment(waiting[1])
    assert (gone.state, gone.not_sent_reason) == (PaymentState.NOT_SENT, "operator_cancelled")
    assert office.payments.queue_place(waiting[1]) is None
    assert [office.payments.queue_place(payment) for payment in (first, waiting[0], waiting[2])] == [0, 1, 2]
    with pytest.raises(OperatorError, match=r"payment\.not_waiting"):
        await office.payments.cancel(waiting[1])
    assert office.virtual.screen.phase == "waiting_card", "who leaves the queue disturbs nobody at the terminal"
    office.virtual.set_auto("approve")
    office.virtual.press("approve")
    for payment in (first, waiting[0], waiting[2]):
        assert await office.ends(payment) is PaymentState.APPROVED
    assert [charge.amount_rial for charge in office.virtual.charges] == [10_000, 20_000, 40_000]


async def test_a_bill_that_left_the_queue_may_be_paid_again(office: Office) -> None:
    first = await office.pay(bill(0))
    await office.card_asked_for()
    left = await office.pay(bill(1))
    await office.payments.cancel(left)
    again = await office.pay(bill(1))
    office.virtual.set_auto("approve")
    office.virtual.press("approve")
    assert await office.ends(again) is PaymentState.APPROVED
    assert await office.ends(first) is PaymentState.APPROVED
    assert len(office.virtual.charges) == 2


async def test_those_who_wait_when_the_box_stops_were_not_sent(tmp_path: Path, terminal: VirtualTerminal) -> None:
    async with Office(tmp_path, terminal) as office:
        first = await office.pay(bill(0))
        await office.card_asked_for()
        waiting = await office.pay(bill(1))
    async with Office(tmp_path, terminal) as office:
        assert office.recovered.in_doubt == (first,)
        assert office.payment(waiting).not_sent_reason == "restart"


async def test_a_locked_terminal_refuses_its_own_and_nobody_else_s(
    tmp_path: Path, terminal: VirtualTerminal, second: VirtualTerminal
) -> None:
    async with Office(tmp_path, terminal, place_of(second), **QUICK) as office:
        terminal.set_auto("approve")
        terminal.set_fault("die_after_charging")
        second.set_auto("approve")
        doubt = await office.pay(bill(0), terminal="terminal-1")
        assert await office.ends(doubt) is PaymentState.IN_DOUBT
        with pytest.raises(OperatorError, match=r"payment\.terminal_locked"):
            await office.pay(bill(1), terminal="terminal-1")
        with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
            await office.pay(bill(0), terminal="terminal-2")
        other = await office.pay(bill(1), terminal="terminal-2")
        assert await office.ends(other) is PaymentState.APPROVED
        unnamed = await office.pay(bill(2), operator="api:kiosk")
        assert office.payment(unnamed).terminal == "terminal-2", "who named none is not sent to a locked one"
        assert await office.ends(unnamed) is PaymentState.APPROVED
        # The question goes to the terminal the amount went to, and finds what that one charged.
        terminal.set_fault("none")
        await terminal.restart()
        await office.until(lambda: office.terminal.state.answers)
        await office.resolve.ask_all()
        assert office.payment(doubt).state is PaymentState.APPROVED
        assert [len(one.charges) for one in (terminal, second)] == [1, 2]


async def test_who_names_no_terminal_gets_the_shortest_queue_and_then_the_same_again(
    tmp_path: Path, terminal: VirtualTerminal, second: VirtualTerminal
) -> None:
    for virtual in (terminal, second):
        virtual.set_auto("approve")
    async with Office(tmp_path, terminal, place_of(second)) as office:
        for driver in office.terminals:
            await driver.start()
        await office.until(lambda: all(worker.standing == "idle" for worker in office.payments.workers.values()))
        programs = [f"api:{number}" for number in range(8)]
        made = await asyncio.gather(*(office.pay(bill(i), operator=name) for i, name in enumerate(programs)))
        given = [office.payment(payment).terminal for payment in made]
        assert (given.count("terminal-1"), given.count("terminal-2")) == (4, 4)
        for payment in made:
            assert await office.ends(payment) is PaymentState.APPROVED
        again = await office.pay(bill(9), operator=programs[1])
        assert office.payment(again).terminal == given[1]
        await office.ends(again)
        named = await office.pay(bill(10), operator=programs[0], terminal="terminal-2")
        await office.ends(named)
    async with Office(tmp_path, terminal, place_of(second)) as office:
        assert office.payments.choosing.last_of(programs[0]) == "terminal-2", "the last choice outlives a restart"
        assert office.payments.choosing.last_of("nobody") is None
        size = office.box.queries.size()
        with pytest.raises(OperatorError, match=r"payment\.unknown_terminal"):
            await office.pay(bill(11), terminal="terminal-3")
        assert office.box.queries.size() == size


async def test_a_terminal_that_takes_connections_and_never_answers_is_never_said_to_be_there(
    tmp_path: Path, terminal: VirtualTerminal
) -> None:
    taken: set[asyncio.StreamWriter] = set()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.add(writer)

    hung = await asyncio.start_server(hang, "127.0.0.1", 0)
    host, port = hung.sockets[0].getsockname()
    late = VirtualTerminal(clock=SystemClock(), entropy=SystemEntropy())
    try:
        async with Office(tmp_path, terminal, (host, port), ready_timeout_ms=100) as office:
            driver, worker = office.terminals[1], office.payments.workers["terminal-2"]
            seen: set[str] = set()
            driver.on_change = lambda _: seen.add(worker.standing)
            await driver.start()
            # Through several links: a new one that was taken is no sign of life.
            await office.until(lambda: len(taken) >= 4)
            assert "not_ready" in seen
            assert not seen & {"idle", "busy"}
            payment = await office.pay(terminal="terminal-2")
            assert await office.ends(payment) is PaymentState.NOT_SENT
            assert office.payment(payment).not_sent_reason == "terminal.not_ready"
            hung.close()
            for writer in taken:
                writer.close()
            await late.start(host, port)
            await office.until(lambda: worker.standing == "idle")
    finally:
        for writer in taken:
            writer.close()
        hung.close()
        await late.stop()
