"""A medium that takes nothing for a while: what was said meanwhile is written once it does, and nothing stays open."""

import apsw
import pytest

from edge.devices.virtual.terminal import VirtualTerminal
from shared.payment import PaymentState
from tests.edge.services.office import POWER, WATER, Office

TIMES = 3
"""Commits that fail before the medium is well."""


def sicken(office: Office, monkeypatch: pytest.MonkeyPatch, times: int = TIMES) -> None:
    """Have the next commits fail before they happened."""
    commit = office.box.store.commit
    left = [times]

    def failing() -> None:
        if left[0]:
            left[0] -= 1
            raise apsw.IOError("the card was pulled out")
        commit()

    monkeypatch.setattr(office.box.store, "commit", failing)


async def test_an_approval_that_came_while_the_disk_was_sick_is_journaled_with_its_evidence(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment_id = await office.pay()
    await office.until(lambda: office.virtual.screen.amount_rial is not None)
    sicken(office, monkeypatch)
    office.virtual.press("approve")
    assert await office.ends(payment_id) is PaymentState.APPROVED
    (charge,) = office.virtual.charges
    assert office.payment(payment_id).rrn == charge.rrn
    assert len(office.box.queries.print_jobs_for(payment_id)) == 1


async def test_one_that_left_the_queue_while_the_disk_was_sick_is_not_left_open(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await office.pay(WATER)
    waiting = await office.pay(POWER)
    await office.until(lambda: office.virtual.screen.amount_rial is not None)
    sicken(office, monkeypatch)
    await office.payments.cancel(waiting)
    assert await office.ends(waiting) is PaymentState.NOT_SENT
    office.virtual.press("approve")
    assert await office.ends(first) is PaymentState.APPROVED
    assert len(office.virtual.charges) == 1


@pytest.mark.faults("not journaled")
async def test_a_box_that_stops_while_its_disk_is_sick_stops(
    office: Office, terminal: VirtualTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment_id = await office.pay()
    await office.until(lambda: terminal.screen.amount_rial is not None)
    sicken(office, monkeypatch, 1_000)
    terminal.press("approve")
    await office.until(lambda: office.box.writer.failure is not None)
    await office.payments.finish()
    assert office.payment(payment_id).state is PaymentState.SENT
