"""The driver against the virtual Telium terminal: over a real socket, and over a serial line (a pseudo terminal)."""

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest

from edge.devices.catalogue import load_catalogue
from edge.devices.terminals.driver import TerminalDriver, TerminalOutcome
from edge.devices.virtual.lines import Cable
from edge.devices.virtual.telium_e_terminal import Quirk, VirtualTeliumETerminal
from edge.devices.virtual.terminal_screen import Fault
from firmware_profiles.addresses import Address, SerialAddress, TcpAddress
from firmware_profiles.protocol_options import TeliumEOptions
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import DeviceError
from shared.events import Evidence

AMOUNT = 125_000
REFERENCE = "100200300400500600"
BUNDLED = load_catalogue().terminal("daftar/virtual_telium_e")


class Till:
    """A terminal switched on, and a driver that owns it."""

    driver: TerminalDriver

    def __init__(self, *, line: bool) -> None:
        self.terminal = VirtualTeliumETerminal(clock=SystemClock(), entropy=SystemEntropy(), on_change=self.changed)
        self.late: asyncio.Queue[tuple[str, TerminalOutcome]] = asyncio.Queue()
        self._line = line
        self._cable: Cable | None = None
        self._address: Address | None = None
        self._change = asyncio.Event()

    async def start(self, *, full_answer: bool = False, answer_ms: int = 20_000, **times: int) -> None:
        """Switch on; again, with another driver, when it is on."""
        if self._address is None:
            port = await self.terminal.start()
            self._address = TcpAddress("127.0.0.1", port)
            if self._line:
                self._cable = Cable("127.0.0.1", port)
                self._address = SerialAddress(self._cable.plug_in())
        else:
            await self.driver.close()
        patient = {"longest_ms": 20_000, "ready_timeout_ms": 8_000, "reconnect_first_ms": 20} | times
        profile = msgspec.structs.replace(
            BUNDLED,
            times=msgspec.structs.replace(BUNDLED.times, heartbeat_every_ms=600_000, **patient),
            telium_e=TeliumEOptions(full_answer=full_answer, answer_ms=answer_ms),
        )
        self.driver = TerminalDriver(
            name="counter", profile=profile, address=self._address, clock=SystemClock(), entropy=SystemEntropy()
        )
        self.driver.on_late_answer = lambda reference, outcome: self.late.put_nowait((reference, outcome))
        self.driver.on_change = self.changed

    async def stop(self) -> None:
        await self.driver.close()
        await self.terminal.stop()
        if self._cable is not None:
            await self._cable.unplug()

    def changed(self, _: object) -> None:
        self._change.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                self._change.clear()
                await self._change.wait()

    async def sell(self, reference: str = REFERENCE) -> TerminalOutcome:
        await self.driver.prepare()
        return await self.driver.sale(amount_rial=AMOUNT, reference=reference)


@pytest.fixture(params=["tcp", "serial"])
async def till(request: pytest.FixtureRequest) -> AsyncIterator[Till]:
    till = Till(line=request.param == "serial")
    await till.start()
    till.terminal.set_auto("approve")
    yield till
    await till.stop()


@pytest.fixture
async def near() -> AsyncIterator[Till]:
    """Over the network, where it does not matter which link it is."""
    till = Till(line=False)
    await till.start()
    till.terminal.set_auto("approve")
    yield till
    await till.stop()


async def test_a_sale_is_made_and_known_by_our_number(till: Till) -> None:
    outcome = await till.sell()
    assert outcome.kind == "approved"
    assert outcome.evidence == Evidence(source="answer", response_code="0", amount_rial=AMOUNT, reference=REFERENCE)
    (charge,) = till.terminal.charges
    assert (charge.reference, charge.amount_rial) == (REFERENCE[-10:], AMOUNT)
    assert (await till.sell(REFERENCE[:-1] + "1")).kind == "approved"
    state = till.driver.state
    assert (state.connected, state.answers, state.centre_link, state.unanswered_reference) == (True, True, True, None)


@pytest.mark.parametrize("quirk", ["none", "full_numbers"])
async def test_a_report_gives_a_masked_card_number_and_no_more(near: Till, quirk: Quirk) -> None:
    await near.start(full_answer=True)
    near.terminal.quirk = quirk
    outcome = await near.sell()
    (charge,) = near.terminal.charges
    assert outcome.evidence
    assert outcome.evidence.pan == f"621986******{charge.last4}"


@pytest.mark.parametrize("key", ["decline", "cancel"])
async def test_refused_at_the_terminal(till: Till, key: str) -> None:
    till.terminal.set_auto("decline" if key == "decline" else "cancel")
    assert (await till.sell()).kind == "declined"
    assert till.terminal.charges == ()


async def test_the_box_cannot_cancel_ask_or_undo(near: Till) -> None:
    near.terminal.set_auto(None)
    sale = asyncio.create_task(near.sell())
    await near.until(lambda: near.terminal.screen.waiting)
    await near.driver.cancel()
    near.terminal.press("approve")
    assert (await sale).kind == "approved"
    assert (await near.driver.query(reference=REFERENCE, amount_rial=AMOUNT)).kind == "no_answer"
    assert (await near.driver.last_transaction()).kind == "no_answer"
    undone = await near.driver.reverse(amount_rial=AMOUNT, stan="000001")
    assert (undone.kind, undone.reason) == ("refused", "terminal.cannot")
    assert len(near.terminal.charges) == 1


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_reference", "bad_crc", "no_link_to_centre"])
async def test_a_wrong_answer_is_in_doubt(till: Till, fault: Fault) -> None:
    till.terminal.set_fault(fault)
    assert (await till.sell()).kind == "in_doubt"


@pytest.mark.parametrize("quirk", ["damaged_once", "says_twice", "request_refused_once"])
async def test_what_is_said_again_counts_once(till: Till, quirk: Quirk) -> None:
    till.terminal.quirk = quirk
    assert (await till.sell()).kind == "approved"
    assert (len(till.terminal.charges), till.terminal.requests) == (1, 1)


async def test_an_answer_in_pieces_counts(till: Till) -> None:
    till.terminal.set_fault("split_segments")
    assert (await till.sell()).kind == "approved"


async def test_an_answer_that_names_no_sale_is_in_doubt(near: Till) -> None:
    near.terminal.quirk = "blank_private"
    assert (await near.sell()).reason == "mismatch"


async def test_a_request_that_is_not_taken_is_not_charged(near: Till) -> None:
    near.terminal.quirk = "request_refused"
    outcome = await near.sell()
    assert outcome.kind == "declined"
    assert outcome.evidence
    assert outcome.evidence.response_code == "NAK"
    assert near.terminal.requests == 0


async def test_a_request_that_is_not_acknowledged_is_said_once_and_its_answer_taken(near: Till) -> None:
    await near.start(answer_ms=50)
    near.terminal.set_auto(None)
    near.terminal.quirk = "taken_unsaid"
    sale = asyncio.create_task(near.sell())
    await near.until(lambda: near.terminal.screen.waiting)
    near.terminal.press("approve")
    assert (await sale).kind == "approved"
    assert near.terminal.requests == 1


async def test_silence_is_in_doubt_and_stays_so(till: Till) -> None:
    await till.start(answer_timeout_ms=300)
    till.terminal.set_fault("go_silent")
    assert (await till.sell()).reason == "no_answer"
    assert till.driver.state.unanswered_reference == REFERENCE
    assert (await till.driver.query(reference=REFERENCE, amount_rial=AMOUNT)).kind == "no_answer"
    assert till.terminal.requests <= 1


async def test_a_late_answer_settles_the_sale(till: Till) -> None:
    await till.start(answer_timeout_ms=300)
    till.terminal.set_fault("answer_late", late_ms=600)
    assert (await till.sell()).reason == "no_answer"
    async with asyncio.timeout(60):
        reference, outcome = await till.late.get()
    assert (reference, outcome.kind) == (REFERENCE, "approved")
    assert len(till.terminal.charges) == 1


async def test_a_dead_terminal_is_in_doubt(near: Till) -> None:
    near.terminal.set_fault("die_after_charging")
    assert (await near.sell()).reason == "link_lost"
    near.terminal.set_fault("none")
    await near.terminal.restart()
    assert (await near.driver.query(reference=REFERENCE, amount_rial=AMOUNT)).kind == "no_answer"
    assert len(near.terminal.charges) == 1


async def test_a_terminal_that_does_not_give_the_line_gets_no_amount(near: Till) -> None:
    await near.start(answer_ms=50)
    near.terminal.quirk = "line_unheard"
    with pytest.raises(DeviceError, match=r"terminal\.not_ready"):
        await near.driver.prepare()
    near.terminal.quirk = "none"
    await near.driver.prepare()
    near.terminal.quirk = "line_unheard"
    outcome = await near.driver.sale(amount_rial=AMOUNT, reference=REFERENCE)
    assert outcome.kind == "declined"
    assert outcome.evidence
    assert outcome.evidence.response_code == "ENQ"
    assert near.terminal.requests == 0


async def test_looking_after_it_makes_no_transaction(till: Till) -> None:
    for _ in range(3):
        await till.driver.probe()
    assert till.terminal.requests == 0
    assert till.driver.state.answers
