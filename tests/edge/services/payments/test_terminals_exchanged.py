"""A terminal put in another's place and back: whose word counts about what was sent meanwhile."""

from pathlib import Path
from typing import Any

import pytest

from edge.devices.virtual.sadad_terminal import VirtualSadadTerminal
from edge.devices.virtual.terminal import VirtualTerminal
from edge.devices.virtual.terminal_bytes import BILL, SALE, Request
from edge.devices.virtual.terminal_machine import TerminalMachine
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.payment import PaymentState
from tests.edge.services.office import POWER, WATER, Office

S = PaymentState
OWN, OTHER = "11111111", "22222222"
TIMES = {"answer_timeout_ms": 3_000, "longest_ms": 3_000, "query_timeout_ms": 1_000, "ready_timeout_ms": 1_000}


class Mute(VirtualTerminal):
    """It takes sales, and answers no question; so it does not tell its number."""

    def _hear_request(self, request: Request) -> None:
        if request.service in {SALE, BILL}:
            super()._hear_request(request)


def made(maker: type[TerminalMachine[Any]], number: str) -> TerminalMachine[Any]:
    virtual = maker(clock=SystemClock(), entropy=SystemEntropy(), terminal_number=number)
    virtual.set_auto("approve")
    return virtual


@pytest.mark.parametrize(
    ("maker", "other_maker", "other_number"),
    [(VirtualTerminal, Mute, OTHER), (VirtualSadadTerminal, VirtualSadadTerminal, "")],
    ids=["behpardakht", "sadad"],
)
async def test_the_terminal_that_is_back_does_not_free_what_another_one_charged(
    tmp_path: Path, maker: type[TerminalMachine[Any]], other_maker: type[TerminalMachine[Any]], other_number: str
) -> None:
    own, other = made(maker, OWN), made(other_maker, other_number)
    await own.start()
    async with Office(tmp_path, own, **TIMES) as office:
        first = await office.pay(POWER)
        assert await office.ends(first) is S.APPROVED
        assert office.terminal.state.terminal_number == OWN
        assert own._address is not None
        await own.stop()
        await other.start(*own._address)
        if office.profile.connection == "kept":
            await office.until(lambda: other.screen.connections > 0)
        other.set_fault("die_after_charging")
        second = await office.pay(WATER)
        assert await office.ends(second) is S.IN_DOUBT
        assert (len(other.charges), office.payment(second).terminal_number) == (1, None)
        await other.stop()
        await own.start(*own._address)
        await office.until(lambda: office.payments.waited_ms(second) > TIMES["longest_ms"])
        for _ in range(3):
            await office.resolve.ask(second, operator="sara")
        payment = office.payment(second)
        assert (payment.state, payment.counting_not_found) == (S.IN_DOUBT, 0)
        assert office.alarms() == [("not_found_unproved", second)]
    await own.stop()


async def test_an_amount_does_not_leave_for_another_terminal_than_the_journal_names(
    tmp_path: Path, terminal: VirtualTerminal
) -> None:
    other = made(VirtualTerminal, OTHER)
    async with Office(tmp_path, terminal, **TIMES) as office:
        await office.terminal.prepare()
        number = office.terminal.state.terminal_number
        assert number not in {None, OTHER}
        assert terminal._address is not None
        await terminal.stop()
        await office.until(lambda: not office.terminal.state.connected)
        await other.start(*terminal._address)
        outcome = await office.terminal.sale(
            amount_rial=WATER.amount_rial, reference="123456789012345678", terminal_number=number
        )
        assert (outcome.kind, outcome.reason, other.charges) == ("in_doubt", "link_lost", ())
    await other.stop()
