"""Payments at terminals of the families that answer by our reference on a connection of its own for each request."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge.devices.virtual.asan_pardakht_terminal import VirtualAsanPardakhtTerminal
from edge.devices.virtual.sadad_terminal import MIDDLE_DIGITS, VirtualSadadTerminal
from edge.devices.virtual.terminal_machine import TerminalMachine
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.payment import PaymentState
from tests.edge.services.office import POWER, Office

# A sale before gives the terminal a last one to tell of, so answers have to have time; silence may be short.
PATIENT = {"answer_timeout_ms": 10_000, "longest_ms": 10_000, "query_timeout_ms": 10_000, "ready_timeout_ms": 10_000}
SHORT = PATIENT | {"answer_timeout_ms": 200, "longest_ms": 600}
MAKERS: dict[str, type[TerminalMachine[Any]]] = {
    "sadad": VirtualSadadTerminal,
    "asan_pardakht": VirtualAsanPardakhtTerminal,
}


@pytest.fixture(params=sorted(MAKERS))
async def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TerminalMachine[Any]]:
    maker = MAKERS[request.param]
    virtual = maker(clock=SystemClock(), entropy=SystemEntropy(), memory=tmp_path / "terminal.json")
    await virtual.start()
    virtual.set_auto("approve")
    yield virtual
    await virtual.stop()


async def sold_before(folder: Path, terminal: TerminalMachine[Any]) -> int:
    async with Office(folder, terminal, **PATIENT) as office:
        assert await office.ends(await office.pay()) is PaymentState.APPROVED
    return len(terminal.charges)


async def test_a_payment_is_approved_with_the_terminals_numbers_and_a_masked_card(
    tmp_path: Path, terminal: TerminalMachine[Any]
) -> None:
    async with Office(tmp_path, terminal, **PATIENT) as office:
        payment_id = await office.pay()
        assert await office.ends(payment_id) is PaymentState.APPROVED
        payment = office.payment(payment_id)
        (charge,) = terminal.charges
        assert (payment.rrn, payment.stan, payment.terminal_number) == (charge.rrn, charge.stan, "21009543")
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert charge.rrn.encode() in written
    assert (charge.bin6 + MIDDLE_DIGITS + charge.last4).encode() not in written


async def test_a_charge_whose_answer_is_lost_is_found_after_a_restart_of_both(
    tmp_path: Path, terminal: TerminalMachine[Any]
) -> None:
    before = await sold_before(tmp_path, terminal)
    async with Office(tmp_path, terminal, **PATIENT) as office:
        terminal.set_fault("die_after_charging")
        payment_id = await office.pay(POWER)
        assert await office.ends(payment_id) is PaymentState.IN_DOUBT
    terminal.set_fault("none")
    await terminal.restart()
    async with Office(tmp_path, terminal, **PATIENT) as office:
        payment = await office.resolve.ask(payment_id, operator="sara")
        assert payment.state is PaymentState.APPROVED
        assert payment.rrn == terminal.charges[before].rrn
        assert len(terminal.charges) == before + 1


async def test_silence_is_in_doubt_until_two_not_founds_past_the_longest_time(
    tmp_path: Path, terminal: TerminalMachine[Any]
) -> None:
    before = await sold_before(tmp_path, terminal)
    async with Office(tmp_path, terminal, **SHORT) as office:
        terminal.set_fault("go_silent")
        payment_id = await office.pay(POWER)
        assert await office.ends(payment_id) is PaymentState.IN_DOUBT
        await office.until(lambda: office.payments.waited_ms(payment_id) > SHORT["longest_ms"])
        once = await office.resolve.ask(payment_id, operator="sara")
        assert (once.state, once.counting_not_found) == (PaymentState.IN_DOUBT, 1)
        twice = await office.resolve.ask(payment_id, operator="sara")
        assert twice.state is PaymentState.NOT_CHARGED
        assert len(terminal.charges) == before


async def test_another_terminal_at_the_same_address_settles_nothing(
    tmp_path: Path, terminal: TerminalMachine[Any]
) -> None:
    await sold_before(tmp_path, terminal)
    async with Office(tmp_path, terminal, **PATIENT) as office:
        terminal.set_fault("die_after_charging")
        payment_id = await office.pay(POWER)
        assert await office.ends(payment_id) is PaymentState.IN_DOUBT
    await terminal.stop()
    host, port = terminal._address or ("", 0)
    other = type(terminal)(clock=SystemClock(), entropy=SystemEntropy(), terminal_number="99999999")
    await other.start(host, port)
    try:
        async with Office(tmp_path, other, **SHORT) as office:
            await office.until(lambda: office.payments.waited_ms(payment_id) > SHORT["longest_ms"])
            payment = await office.resolve.ask(payment_id, operator="sara")
            assert (payment.state, payment.counting_not_found) == (PaymentState.IN_DOUBT, 0)
    finally:
        await other.stop()
