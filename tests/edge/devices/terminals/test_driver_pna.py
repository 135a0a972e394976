"""The driver against the virtual confirming terminal, over real sockets: a connection for each request."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from edge.devices.catalogue import load_catalogue
from edge.devices.terminals.driver import StatusAnswer, TerminalDriver, TerminalOutcome
from edge.devices.virtual.pna_terminal import Quirk, VirtualPnaTerminal
from edge.devices.virtual.terminal_memory import Transaction
from edge.devices.virtual.terminal_screen import Fault
from firmware_profiles.addresses import TcpAddress
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import DeviceError

AMOUNT = 125_000
REFERENCE = "100200300400500600"
NUMBER = "21009543"


class Till:
    """A confirming terminal switched on, and a driver that owns it."""

    def __init__(self, folder: Path) -> None:
        self.terminal = VirtualPnaTerminal(
            clock=SystemClock(), entropy=SystemEntropy(), memory=folder / "terminal.json", on_change=self.changed
        )
        self._change = asyncio.Event()
        self.late: asyncio.Queue[tuple[str, TerminalOutcome]] = asyncio.Queue()
        self.baseline: str | None = None
        self.earlier = 0

    async def start(self, **times: int) -> None:
        port = await self.terminal.start()
        bundled = load_catalogue().terminal("daftar/virtual_pna")
        patient = {"answer_timeout_ms": 8_000, "longest_ms": 9_000, "query_timeout_ms": 3_000}
        profile = msgspec.structs.replace(bundled, times=msgspec.structs.replace(bundled.times, **(patient | times)))
        self.driver = TerminalDriver(
            name="counter",
            profile=profile,
            address=TcpAddress("127.0.0.1", port),
            clock=SystemClock(),
            entropy=SystemEntropy(),
        )
        self.driver.on_late_answer = lambda reference, outcome: self.late.put_nowait((reference, outcome))
        self.driver.on_change = self.changed

    def changed(self, _: object) -> None:
        self._change.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                self._change.clear()
                await self._change.wait()

    async def rests(self) -> None:
        """Wait until the terminal cannot be working on a sale any more: nothing but time says so."""
        async with asyncio.timeout(60):
            while self.driver.state.unanswered_reference is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def sell(self, amount_rial: int = AMOUNT) -> TerminalOutcome:
        self.baseline = await self.driver.prepare()
        return await self.driver.sale(
            amount_rial=amount_rial,
            reference=REFERENCE,
            terminal_number=self.driver.state.terminal_number,
            baseline_stan=self.baseline,
        )

    async def ask(self) -> StatusAnswer:
        return await self.driver.query(
            reference=REFERENCE, amount_rial=AMOUNT, terminal_number=NUMBER, baseline_stan=self.baseline
        )

    def stan(self) -> str:
        return self.terminal.transactions[-1].stan

    async def had_a_sale(self) -> None:
        """Let there have been an earlier sale, kept: a terminal in use has a last transaction."""
        assert (await self.sell(500)).kind == "approved"
        assert (await self.driver.acknowledge(amount_rial=500, stan=self.stan())).kind == "done"
        self.earlier = len(self.terminal.charges)

    @property
    def charges(self) -> tuple[Transaction, ...]:
        """What was charged since."""
        return self.terminal.charges[self.earlier :]


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[Till]:
    till = Till(tmp_path)
    await till.start()
    till.terminal.set_auto("approve")
    await till.had_a_sale()
    yield till
    await till.driver.close()
    await till.terminal.stop()


async def test_a_sale_is_prepared_made_and_acknowledged(till: Till) -> None:
    assert await till.driver.prepare() == till.stan()
    outcome = await till.sell()
    assert outcome.kind == "approved"
    assert outcome.evidence
    (charge,) = till.charges
    assert (outcome.evidence.stan, outcome.evidence.rrn) == (charge.stan, charge.rrn)
    assert (outcome.evidence.terminal_number, outcome.evidence.pan) == (NUMBER, f"621986******{charge.last4}")
    assert not charge.acknowledged
    kept = await till.driver.acknowledge(amount_rial=AMOUNT, stan=charge.stan, terminal_number=NUMBER)
    assert kept.kind == "done"
    assert till.charges[0].acknowledged
    assert await till.driver.prepare() == charge.stan
    state = till.driver.state
    assert (state.connected, state.answers, state.last_error, state.phase) == (True, True, None, "connected")


async def test_a_terminal_that_ends_each_connection_by_itself_is_no_trouble(till: Till) -> None:
    till.terminal.ends_connections = True
    assert (await till.sell()).kind == "approved"
    assert (await till.driver.acknowledge(amount_rial=AMOUNT, stan=till.stan())).kind == "done"
    assert till.driver.state.last_error is None


async def test_an_acknowledgement_waits_for_a_terminal_that_prints_its_slip(till: Till) -> None:
    assert (await till.sell()).kind == "approved"
    till.terminal.rest()
    told = asyncio.create_task(till.driver.acknowledge(amount_rial=AMOUNT, stan=till.stan()))
    await till.until(lambda: till.driver.state.phase == "asking")
    await till.terminal.wake()
    assert (await told).kind == "done"
    assert till.charges[0].acknowledged


async def test_what_nobody_acknowledges_is_taken_back_and_asking_says_so(till: Till) -> None:
    till.terminal.acknowledge_within_ms = 1
    assert (await till.sell()).kind == "approved"
    await till.until(lambda: till.charges == ())
    assert till.terminal.transactions[1].reversed_by == "itself"
    assert (await till.ask()).kind == "not_found"
    till.terminal.reversed_is_last = False
    assert (await till.ask()).kind == "not_found"
    kept = await till.driver.acknowledge(amount_rial=AMOUNT, stan=till.stan())
    assert kept.kind == "refused"


@pytest.mark.parametrize("quirk", ["hang_up_after_charging", "bare_approval"])
async def test_a_charge_without_a_good_answer_is_found_as_the_last_transaction(till: Till, quirk: Quirk) -> None:
    till.terminal.quirk = quirk
    outcome = await till.sell()
    assert outcome.kind == "in_doubt"
    found = await till.ask()
    assert found.kind == "approved"
    assert found.evidence
    assert (found.evidence.stan, found.evidence.source) == (till.stan(), "last_transaction")
    assert (await till.driver.acknowledge(amount_rial=AMOUNT, stan=till.stan())).kind == "done"


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_terminal_number", "wrong_reference", "bad_crc"])
async def test_a_wrong_answer_is_in_doubt_and_asking_finds_the_charge(till: Till, fault: Fault) -> None:
    till.terminal.set_fault(fault)
    assert (await till.sell()).kind == "in_doubt"
    till.terminal.set_fault("none")
    assert (await till.ask()).kind == "approved"


async def test_an_answer_in_pieces_counts(till: Till) -> None:
    till.terminal.set_fault("split_segments")
    assert (await till.sell()).kind == "approved"


@pytest.mark.parametrize(("key", "kind"), [("decline", "declined"), ("cancel", "cancelled")])
async def test_refused_at_the_terminal(till: Till, key: str, kind: str) -> None:
    till.terminal.set_auto("decline" if key == "decline" else "cancel")
    assert (await till.sell()).kind == kind
    assert till.charges == ()


async def test_no_link_to_the_centre_is_in_doubt_here(till: Till) -> None:
    till.terminal.set_fault("no_link_to_centre")
    assert (await till.sell()).kind == "in_doubt"
    assert till.driver.state.centre_link is False


async def test_an_unheard_sale_is_in_doubt_and_later_not_found(till: Till) -> None:
    await till.driver.close()
    await till.start(answer_timeout_ms=200, longest_ms=2_000)
    till.terminal.quirk = "sale_unheard"
    assert (await till.sell()).reason == "no_answer"
    # While its own link may still bring the answer, the terminal is not asked.
    assert (await till.ask()).kind == "no_answer"
    await till.rests()
    assert (await till.ask()).kind == "not_found"


async def test_a_late_answer_comes_on_the_sales_own_link(till: Till) -> None:
    await till.driver.close()
    await till.start(answer_timeout_ms=150)
    till.terminal.set_fault("answer_late", late_ms=600)
    assert (await till.sell()).reason == "no_answer"
    async with asyncio.timeout(60):
        reference, outcome = await till.late.get()
    assert (reference, outcome.kind) == (REFERENCE, "approved")
    assert (await till.driver.acknowledge(amount_rial=AMOUNT, stan=till.stan())).kind == "done"


async def test_a_sale_waiting_for_a_card_is_cancelled_on_its_own_link(till: Till) -> None:
    till.terminal.set_auto(None)
    sale = asyncio.create_task(till.sell())
    await till.until(lambda: till.terminal.screen.waiting)
    await till.driver.cancel()
    assert (await sale).kind == "cancelled"


async def test_a_dead_terminal_takes_back_what_was_not_acknowledged(till: Till) -> None:
    till.terminal.set_fault("die_after_charging")
    assert (await till.sell()).reason == "link_lost"
    assert (await till.ask()).kind == "no_answer"
    await till.terminal.restart()
    assert (await till.ask()).kind == "not_found"
    assert till.charges == ()


async def test_the_newest_sale_is_undone_once(till: Till) -> None:
    await till.sell()
    await till.driver.acknowledge(amount_rial=AMOUNT, stan=till.stan())
    undone = await till.driver.reverse(amount_rial=AMOUNT, stan=till.stan(), terminal_number=NUMBER)
    assert undone.kind == "done"
    assert undone.evidence
    assert (undone.evidence.source, undone.evidence.response_code) == ("reversal", "00")
    assert till.charges == ()
    again = await till.driver.reverse(amount_rial=AMOUNT, stan=till.stan())
    assert (again.kind, again.reason, again.evidence) == ("refused", "terminal.other_sale", None)
    assert (await till.ask()).kind == "not_found"


async def test_a_sale_that_is_not_the_newest_is_left_alone(till: Till) -> None:
    await till.sell()
    first = till.stan()
    await till.driver.acknowledge(amount_rial=AMOUNT, stan=first)
    await till.sell(7_000)
    for order in (till.driver.reverse, till.driver.acknowledge):
        answer = await order(amount_rial=AMOUNT, stan=first)
        assert (answer.kind, answer.reason) == ("refused", "terminal.other_sale")
    assert [one.reversed_by for one in till.terminal.transactions] == ["", "", ""]
    assert (await till.ask()).kind == "unclear"


@pytest.mark.parametrize(("quirk", "stands"), [("reversal_unheard", "approved"), ("reversal_unanswered", "not_found")])
async def test_an_order_without_an_answer_is_in_doubt_and_asking_tells(till: Till, quirk: Quirk, stands: str) -> None:
    await till.driver.close()
    await till.start(query_timeout_ms=1_000)
    await till.sell()
    till.terminal.quirk = quirk
    answer = await till.driver.reverse(amount_rial=AMOUNT, stan=till.stan())
    assert (answer.kind, answer.reason) == ("in_doubt", "no_answer")
    assert (await till.ask()).kind == stands


async def test_an_acknowledgement_after_a_restart_asks_first_which_sale_is_the_newest(till: Till) -> None:
    await till.sell()
    await till.driver.close()
    again = TerminalDriver(
        name="counter",
        profile=till.driver.profile,
        address=TcpAddress("127.0.0.1", int(till.driver.state.address.rpartition(":")[2])),
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )
    till.driver = again
    assert (await again.acknowledge(amount_rial=AMOUNT, stan=till.stan())).kind == "done"
    assert (await again.last_transaction()).kind == "known"


async def test_who_does_not_tell_its_last_transaction_is_not_ready(till: Till) -> None:
    await till.driver.close()
    await till.start(ready_timeout_ms=1_000)
    till.terminal.quirk = "last_unheard"
    with pytest.raises(DeviceError, match=r"terminal\.not_ready"):
        await till.driver.prepare()
    assert not till.driver.state.answers
    till.terminal.quirk = "none"
    await till.driver.prepare()
    assert till.driver.state.answers


async def test_a_terminal_that_is_off_is_unreachable_and_its_orders_never_left(till: Till) -> None:
    address = till.terminal._address
    assert address is not None
    await till.terminal.stop()
    # Nobody else may come to listen there.
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(address)
    with pytest.raises(DeviceError, match=r"terminal\.unreachable"):
        await till.driver.prepare()
    answer = await till.driver.acknowledge(amount_rial=1, stan="000001")
    assert (answer.kind, answer.reason) == ("refused", "terminal.unreachable")
    assert (await till.driver.last_transaction()).kind == "no_answer"
    state = till.driver.state
    assert (state.connected, state.phase, state.last_error) == (False, "unreachable", "terminal.unreachable")
    kept.close()


async def test_it_is_looked_for_unasked_by_a_bare_connection(till: Till) -> None:
    await till.driver.start()
    await till.until(lambda: till.driver.state.connected)
    assert len(till.terminal.transactions) == 1


async def test_the_first_sale_of_all_has_the_baseline_before_the_first(tmp_path: Path) -> None:
    till = Till(tmp_path / "new")
    await till.start()
    try:
        till.terminal.set_auto("approve")
        till.terminal.quirk = "hang_up_after_charging"
        assert (await till.sell()).reason == "link_lost"
        assert till.baseline == "000000"
        assert (await till.ask()).kind == "approved"
    finally:
        await till.driver.close()
        await till.terminal.stop()
