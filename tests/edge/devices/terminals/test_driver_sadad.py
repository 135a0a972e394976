"""The driver against the virtual Sadad terminal, over real sockets and a real pseudo terminal."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.devices.catalogue import load_catalogue
from edge.devices.terminals.session import TerminalBill
from edge.devices.virtual.sadad_terminal import NotFoundAs, Quirk, VirtualSadadTerminal
from edge.devices.virtual.terminal_screen import Fault, Key
from firmware_profiles.protocol_options import SadadOptions
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import DeviceError
from tests.edge.devices.terminals.till import AMOUNT, REFERENCE, Till

NUMBER = "21009543"
HASTY = SadadOptions(ack_timeout_ms=40)
"""Sends again at once what it may send again."""
PATIENT = SadadOptions(ack_timeout_ms=10_000)

SadadTill = Till[VirtualSadadTerminal]


def till_at(folder: Path) -> SadadTill:
    terminal = VirtualSadadTerminal(clock=SystemClock(), entropy=SystemEntropy(), memory=folder / "terminal.json")
    return Till(terminal, load_catalogue().terminal("daftar/virtual_sadad"))


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[SadadTill]:
    till = till_at(tmp_path)
    await till.start(options=PATIENT)
    till.terminal.set_auto("approve")
    await till.had_a_sale()
    yield till
    await till.stop()


@pytest.fixture
async def serial_till(tmp_path: Path) -> AsyncIterator[SadadTill]:
    till = till_at(tmp_path)
    till.terminal.line_feeds = True
    await till.start(serial=True, options=PATIENT)
    till.terminal.set_auto("approve")
    yield till
    await till.stop()


async def test_a_sale_is_prepared_and_made_and_its_card_is_masked(till: SadadTill) -> None:
    outcome = await till.sell()
    assert outcome.kind == "approved"
    assert outcome.evidence
    (charge,) = till.charges
    assert (outcome.evidence.stan, outcome.evidence.rrn) == (charge.stan, charge.rrn)
    assert (outcome.evidence.terminal_number, outcome.evidence.pan) == (NUMBER, f"621986******{charge.last4}")
    state = till.driver.state
    assert (state.terminal_number, state.centre_link, state.last_error) == (NUMBER, True, None)
    assert (state.connected, state.answers, state.unanswered_reference) == (True, True, None)


@pytest.mark.parametrize(("key", "kind"), [("approve", "approved"), ("decline", "declined"), ("cancel", "cancelled")])
async def test_a_sale_over_a_serial_line(serial_till: SadadTill, key: Key, kind: str) -> None:
    serial_till.terminal.set_auto(key)
    assert (await serial_till.sell()).kind == kind
    assert len(serial_till.charges) == (kind == "approved")


async def test_a_sale_in_doubt_over_a_serial_line_is_found_afterwards(serial_till: SadadTill) -> None:
    serial_till.terminal.quirk = "damaged_then_end"
    assert (await serial_till.sell()).kind == "in_doubt"
    serial_till.terminal.quirk = "none"
    assert (await serial_till.ask()).kind == "approved"


@pytest.mark.parametrize(("key", "kind"), [("approve", "approved"), ("decline", "declined")])
async def test_a_bill_is_paid_at_the_terminals_own_centre(till: SadadTill, key: Key, kind: str) -> None:
    till.terminal.set_auto(key)
    await till.driver.prepare()
    bill = TerminalBill(bill_id="6039628301226", payment_id="189840835")
    assert (await till.driver.sale(amount_rial=AMOUNT, reference=REFERENCE, bill=bill)).kind == kind
    assert len(till.charges) == (kind == "approved")


@pytest.mark.parametrize(("key", "kind"), [("decline", "declined"), ("cancel", "cancelled")])
async def test_refused_at_the_terminal(till: SadadTill, key: Key, kind: str) -> None:
    till.terminal.set_auto(key)
    assert (await till.sell()).kind == kind
    assert till.charges == ()


async def test_a_sale_waiting_for_a_card_is_cancelled_on_its_own_link(till: SadadTill) -> None:
    till.terminal.set_auto(None)
    sale = asyncio.create_task(till.sell())
    await till.until(lambda: till.terminal.screen.waiting)
    await till.driver.cancel()
    assert (await sale).kind == "cancelled"
    assert till.charges == ()


@pytest.mark.parametrize(
    ("quirk", "kind", "charges"),
    [
        ("request_refused", "declined", 0),
        ("taken_unsaid", "approved", 1),
        ("ends_midway", "cancelled", 0),
        ("damaged_once", "approved", 1),
        ("all_at_once", "approved", 1),
        ("says_old_first", "approved", 1),
    ],
)
async def test_what_goes_wrong_on_the_link_and_is_known(till: SadadTill, quirk: Quirk, kind: str, charges: int) -> None:
    till.terminal.quirk = quirk
    outcome = await till.sell()
    assert outcome.kind == kind
    assert len(till.charges) == charges
    if outcome.kind == "approved":
        assert outcome.evidence
        assert outcome.evidence.stan == till.charges[0].stan


@pytest.mark.parametrize("quirk", ["hang_up_after_charging", "damaged_then_end"])
async def test_a_charge_without_a_good_answer_is_found_by_our_reference(till: SadadTill, quirk: Quirk) -> None:
    till.terminal.quirk = quirk
    assert (await till.sell()).kind == "in_doubt"
    till.terminal.quirk = "none"
    found = await till.ask()
    assert found.kind == "approved"
    assert found.evidence
    assert (found.evidence.reference, found.evidence.terminal_number) == (REFERENCE, NUMBER)
    assert found.evidence.stan == till.charges[0].stan


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_terminal_number", "bad_crc"])
async def test_a_wrong_answer_is_in_doubt_and_asking_finds_the_charge(till: SadadTill, fault: Fault) -> None:
    till.terminal.send_again_ms = 20
    till.terminal.set_fault(fault)
    outcome = await till.sell()
    assert (outcome.kind, outcome.reason) == ("in_doubt", "bad_answer" if fault == "bad_crc" else "mismatch")
    till.terminal.set_fault("none")
    await till.drive_again(options=PATIENT)
    assert (await till.ask()).kind == "approved"


async def test_an_answer_in_pieces_counts(till: SadadTill) -> None:
    till.terminal.set_fault("split_segments")
    assert (await till.sell()).kind == "approved"


async def test_no_link_to_the_centre_is_declined_and_shown_apart(till: SadadTill) -> None:
    till.terminal.set_fault("no_link_to_centre")
    assert (await till.sell()).kind == "declined"
    assert till.driver.state.centre_link is False


async def test_silence_is_in_doubt_and_later_not_found(till: SadadTill) -> None:
    await till.drive_again(options=PATIENT, answer_timeout_ms=200, longest_ms=400)
    till.terminal.set_fault("go_silent")
    assert (await till.sell()).kind == "in_doubt"
    await till.rests()
    ways: tuple[NotFoundAs, ...] = ("code", "empty", "older")
    for till.terminal.not_found_as in ways:
        answer = await till.ask()
        assert answer.kind == "not_found"
        assert answer.evidence
        assert answer.evidence.terminal_number == NUMBER


async def test_a_late_answer_comes_on_the_sales_own_link(till: SadadTill) -> None:
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


async def test_a_dead_terminal_tells_when_it_is_back(till: SadadTill) -> None:
    await till.drive_again(options=PATIENT, connect_timeout_ms=1_000)
    till.terminal.set_fault("die_after_charging")
    assert (await till.sell()).reason == "link_lost"
    assert (await till.ask()).kind == "no_answer"
    await till.terminal.restart()
    assert (await till.ask()).kind == "approved"


async def test_not_found_first_and_found_later(till: SadadTill) -> None:
    till.terminal.quirk = "hang_up_after_charging"
    await till.sell()
    till.terminal.quirk = "search_lags"
    assert [(await till.ask()).kind for _ in range(2)] == ["not_found", "approved"]


async def test_another_sale_than_the_one_that_was_searched_for_proves_nothing(till: SadadTill) -> None:
    till.terminal.quirk = "search_other"
    assert (await till.ask()).kind == "unclear"


async def test_another_terminal_at_the_same_address_is_no_proof(till: SadadTill) -> None:
    till.terminal.quirk = "hang_up_after_charging"
    await till.sell()
    till.terminal.quirk = "none"
    number, till.terminal.terminal_number = till.terminal.terminal_number, "99999999"
    answer = await till.driver.query(reference="7" * 18, amount_rial=AMOUNT, terminal_number=number)
    assert answer.evidence
    # It is not found here, and who reads it sees that it was another terminal's word.
    assert (answer.kind, answer.evidence.terminal_number) in {("not_found", "99999999"), ("mismatch", "99999999")}
    found = await till.driver.query(reference=REFERENCE, amount_rial=AMOUNT, terminal_number=number)
    assert found.kind == "mismatch"


async def test_the_last_transaction_is_told_and_may_be_the_one_before(till: SadadTill) -> None:
    await till.sell()
    last = (await till.driver.last_transaction()).evidence
    assert last
    assert last.stan == till.charges[0].stan
    till.terminal.quirk = "last_lags"
    before = (await till.driver.last_transaction()).evidence
    assert before
    assert before.stan != till.charges[0].stan


async def test_who_does_not_answer_a_greeting_is_not_ready(till: SadadTill) -> None:
    await till.drive_again(options=HASTY)
    till.terminal.quirk = "greeting_unheard"
    with pytest.raises(DeviceError, match=r"terminal\.not_ready"):
        await till.driver.prepare()
    till.terminal.quirk = "none"
    await till.drive_again(options=PATIENT)
    await till.driver.prepare()
    assert till.driver.state.answers


async def test_who_takes_connections_and_ends_them_gets_no_amount(till: SadadTill) -> None:
    till.terminal.quirk = "closes"
    with pytest.raises(DeviceError, match=r"terminal\.(not_ready|unreachable)"):
        await till.driver.prepare()
    assert (await till.driver.sale(amount_rial=AMOUNT, reference=REFERENCE)).kind == "in_doubt"
    assert till.charges == ()


async def test_a_terminal_at_work_is_not_ready(till: SadadTill) -> None:
    till.terminal.set_auto(None)
    sale = asyncio.create_task(till.sell())
    await till.until(lambda: till.terminal.screen.waiting)
    other = Till(till.terminal, load_catalogue().terminal("daftar/virtual_sadad"))
    other.share(till)
    with pytest.raises(DeviceError, match=r"terminal\.not_ready"):
        await other.driver.prepare()
    await other.driver.close()
    till.terminal.press("approve")
    assert (await sale).kind == "approved"


async def test_a_terminal_that_is_off_is_unreachable(till: SadadTill) -> None:
    await till.drive_again(options=PATIENT, connect_timeout_ms=1_000)
    await till.terminal.stop()
    with pytest.raises(DeviceError, match=r"terminal\.unreachable"):
        await till.driver.prepare()


async def test_it_is_looked_for_unasked_by_a_bare_connection(till: SadadTill) -> None:
    await till.driver.start()
    await till.until(lambda: till.driver.state.connected)
    assert till.charges == ()
