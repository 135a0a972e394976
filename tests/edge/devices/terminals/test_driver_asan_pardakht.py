"""The driver against the virtual Asan Pardakht terminal, over real sockets and a real pseudo terminal."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.devices.catalogue import load_catalogue
from edge.devices.virtual.asan_pardakht_terminal import VirtualAsanPardakhtTerminal
from edge.devices.virtual.terminal_screen import Fault, Key
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import DeviceError
from tests.edge.devices.terminals.till import REFERENCE, Till

NUMBER = "21009543"

AsanTill = Till[VirtualAsanPardakhtTerminal]


def till_at(folder: Path) -> AsanTill:
    terminal = VirtualAsanPardakhtTerminal(
        clock=SystemClock(), entropy=SystemEntropy(), memory=folder / "terminal.json"
    )
    return Till(terminal, load_catalogue().terminal("daftar/virtual_asan_pardakht"))


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[AsanTill]:
    till = till_at(tmp_path)
    await till.start()
    till.terminal.set_auto("approve")
    await till.had_a_sale()
    yield till
    await till.stop()


@pytest.fixture
async def serial_till(tmp_path: Path) -> AsyncIterator[AsanTill]:
    till = till_at(tmp_path)
    await till.start(serial=True)
    till.terminal.set_auto("approve")
    yield till
    await till.stop()


async def test_a_sale_is_prepared_and_made(till: AsanTill) -> None:
    assert await till.driver.prepare() == till.terminal.charges[0].stan
    outcome = await till.sell()
    assert outcome.kind == "approved"
    assert outcome.evidence
    (charge,) = till.charges
    assert charge.reference == REFERENCE[-9:]
    assert (outcome.evidence.stan, outcome.evidence.reference) == (charge.stan, REFERENCE)
    assert (outcome.evidence.terminal_number, outcome.evidence.pan) == (NUMBER, f"603799******{charge.last4}")
    assert (till.driver.state.centre_link, till.driver.state.last_error) == (True, None)


@pytest.mark.parametrize(("key", "kind"), [("approve", "approved"), ("decline", "declined"), ("cancel", "cancelled")])
async def test_a_sale_over_a_serial_line(serial_till: AsanTill, key: Key, kind: str) -> None:
    serial_till.terminal.set_auto(key)
    assert (await serial_till.sell()).kind == kind
    assert len(serial_till.charges) == (kind == "approved")


async def test_a_sale_in_doubt_over_a_serial_line_is_found_afterwards(serial_till: AsanTill) -> None:
    serial_till.terminal.set_fault("wrong_amount")
    assert (await serial_till.sell()).reason == "mismatch"
    serial_till.terminal.set_fault("none")
    assert (await serial_till.ask()).kind == "approved"


@pytest.mark.parametrize(("key", "kind"), [("decline", "declined"), ("cancel", "cancelled")])
async def test_refused_at_the_terminal(till: AsanTill, key: Key, kind: str) -> None:
    till.terminal.set_auto(key)
    assert (await till.sell()).kind == kind
    assert till.charges == ()
    assert (await till.ask()).kind == "not_found"


async def test_the_box_cannot_cancel(till: AsanTill) -> None:
    till.terminal.set_auto(None)
    sale = asyncio.create_task(till.sell())
    await till.until(lambda: till.terminal.screen.waiting)
    await till.driver.cancel()
    assert till.terminal.screen.waiting
    till.terminal.press("cancel")
    assert (await sale).kind == "cancelled"


async def test_a_charge_without_an_answer_is_the_last_purchase(till: AsanTill) -> None:
    till.terminal.quirk = "hang_up_after_charging"
    assert (await till.sell()).reason == "link_lost"
    found = await till.ask()
    assert found.kind == "approved"
    assert found.evidence
    assert (found.evidence.stan, found.evidence.source) == (till.charges[0].stan, "status_query")


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_terminal_number", "wrong_reference"])
async def test_an_answer_that_does_not_agree_is_in_doubt_and_asking_finds_the_charge(
    till: AsanTill, fault: Fault
) -> None:
    till.terminal.set_fault(fault)
    assert (await till.sell()).reason == "mismatch"
    till.terminal.set_fault("none")
    assert (await till.ask()).kind == "approved"


async def test_a_damaged_answer_is_in_doubt_and_asking_finds_the_charge(till: AsanTill) -> None:
    await till.drive_again(longest_ms=20_000)
    till.terminal.set_fault("bad_crc")
    assert (await till.sell()).reason == "bad_answer"
    await till.drive_again()
    assert (await till.ask()).kind == "approved"


async def test_an_answer_in_pieces_counts_and_one_said_twice_counts_once(till: AsanTill) -> None:
    till.terminal.set_fault("split_segments")
    assert (await till.sell()).kind == "approved"
    till.terminal.set_fault("none")
    till.terminal.quirk = "all_at_once"
    assert (await till.sell(reference="222222222222222222")).kind == "approved"
    assert till.stray.empty()


async def test_an_unheard_purchase_is_in_doubt_and_later_not_found(till: AsanTill) -> None:
    await till.drive_again(answer_timeout_ms=200, longest_ms=400)
    till.terminal.quirk = "purchase_unheard"
    assert (await till.sell()).kind == "in_doubt"
    await till.rests()
    # Its last purchase is still the one of before our amount left.
    assert (await till.ask()).kind == "not_found"
    # Nobody knows any more what was last before: then another purchase proves nothing.
    till.baseline = None
    assert (await till.ask()).kind == "unclear"


async def test_a_purchase_hidden_behind_another_proves_nothing(till: AsanTill) -> None:
    till.terminal.quirk = "hang_up_after_charging"
    await till.sell()
    baseline = till.baseline
    till.terminal.quirk = "none"
    assert (await till.sell(7_000, "222222222222222222")).kind == "approved"
    till.baseline = baseline
    assert (await till.ask()).kind == "unclear"


async def test_told_the_purchase_before_first_and_ours_later(till: AsanTill) -> None:
    till.terminal.quirk = "hang_up_after_charging"
    await till.sell()
    till.terminal.quirk = "last_lags"
    assert [(await till.ask()).kind for _ in range(2)] == ["not_found", "approved"]


async def test_a_late_answer_comes_on_the_sales_own_link(till: AsanTill) -> None:
    till.terminal.set_auto(None)
    sale = asyncio.create_task(till.sell())
    await till.until(lambda: till.terminal.screen.waiting)
    sale.cancel()
    await asyncio.gather(sale, return_exceptions=True)
    assert till.driver.state.unanswered_reference == REFERENCE
    # While its own link may still bring the answer, the terminal is not asked.
    assert (await till.ask()).kind == "no_answer"
    till.terminal.press("approve")
    async with asyncio.timeout(60):
        reference, outcome = await till.late.get()
    assert (reference, outcome.kind) == (REFERENCE, "approved")


async def test_a_dead_terminal_tells_when_it_is_back(till: AsanTill) -> None:
    await till.drive_again(connect_timeout_ms=1_000)
    till.terminal.set_fault("die_after_charging")
    assert (await till.sell()).reason == "link_lost"
    assert (await till.ask()).kind == "no_answer"
    await till.terminal.restart()
    assert (await till.ask()).kind == "approved"


async def test_the_very_first_purchase_has_no_baseline(tmp_path: Path) -> None:
    till = till_at(tmp_path / "new")
    await till.start()
    try:
        till.terminal.set_auto("approve")
        till.terminal.quirk = "hang_up_after_charging"
        assert (await till.sell()).reason == "link_lost"
        assert till.baseline is None
        assert (await till.ask()).kind == "approved"
    finally:
        await till.stop()


@pytest.mark.parametrize("quirk", ["inquiry_unheard", "closes"])
async def test_who_does_not_tell_its_last_purchase_is_not_ready(till: AsanTill, quirk: str) -> None:
    await till.drive_again(ready_timeout_ms=300)
    till.terminal.quirk = "inquiry_unheard" if quirk == "inquiry_unheard" else "closes"
    with pytest.raises(DeviceError, match=r"terminal\.(not_ready|unreachable)"):
        await till.driver.prepare()
    till.terminal.quirk = "none"
    await till.drive_again()
    await till.driver.prepare()
    assert till.driver.state.answers


async def test_it_is_looked_for_unasked_by_a_bare_connection(till: AsanTill) -> None:
    await till.driver.start()
    await till.until(lambda: till.driver.state.connected)
    assert till.charges == ()
