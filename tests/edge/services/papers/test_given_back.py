"""Papers that waited while their money went back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.devices.virtual.pna_terminal import VirtualPnaTerminal
from edge.devices.virtual.printer import VirtualPrinter
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.payment import PaymentState
from tests.edge.services.office import POWER, Office
from tests.edge.services.payments.test_give_back import agreed, giving_back, office_of, paid


@pytest.fixture
async def undoing() -> AsyncIterator[VirtualPnaTerminal]:
    """A terminal that undoes its newest sale when told to."""
    virtual = VirtualPnaTerminal(clock=SystemClock(), entropy=SystemEntropy())
    await virtual.start()
    yield virtual
    await virtual.stop()


def states(office: Office, about: str) -> list[tuple[str, bool]]:
    return [(job.state, job.copy) for job in office.box.queries.print_jobs_for(about)]


async def test_a_receipt_that_waited_does_not_come_out_once_its_money_went_back(
    tmp_path: Path, undoing: VirtualPnaTerminal
) -> None:
    printer = VirtualPrinter()
    await printer.start()
    async with office_of(tmp_path, undoing) as office:
        given_back = await paid(office)
        with giving_back(office) as back:
            await agreed(office, back, given_back)
        assert office.payment(given_back).state is PaymentState.REVERSED
        assert states(office, given_back) == [("waiting", False)]
        behind = await office.pay(POWER)
        await office.ends(behind)
        running = asyncio.create_task(office.printing(printer).run())
        try:
            await office.until(lambda: office.payment(behind).printed == 1)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await printer.close()
        assert states(office, given_back) == [("failed", False)]
        assert len(printer.pieces) == 1
