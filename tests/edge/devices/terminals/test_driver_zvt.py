"""The driver against the virtual ZVT terminal: over a real socket, and over a serial line (a pseudo terminal)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.devices.catalogue import load_catalogue
from edge.devices.terminals.driver import StatusAnswer, TerminalDriver, TerminalOutcome
from edge.devices.virtual.lines import Cable
from edge.devices.virtual.terminal_memory import Transaction
from edge.devices.virtual.terminal_screen import Fault
from edge.devices.virtual.zvt_terminal import Quirk, VirtualZvtTerminal
from firmware_profiles.addresses import Address, SerialAddress, TcpAddress
from firmware_profiles.profile import TerminalProfile
from firmware_profiles.protocol_options import ZvtOptions
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import DeviceError
from shared.events import Evidence

AMOUNT = 125_000
REFERENCE = "100200300400500600"
NUMBER = "21009543"
BUNDLED = load_catalogue().terminal("daftar/virtual_zvt")


def quick(times: dict[str, int], options: dict[str, Any]) -> TerminalProfile:
    """The virtual terminal's profile with times for tests: long where a thing should happen, short where not."""
    patient = {
        "answer_timeout_ms": 20_000,
        "longest_ms": 30_000,
        "query_timeout_ms": 10_000,
        "ready_timeout_ms": 8_000,
        "reconnect_first_ms": 20,
        "heartbeat_every_ms": 600_000,
    }
    calm = {"accept_ms": 20_000, "frame_answer_ms": 20_000}
    section = {**msgspec.structs.asdict(BUNDLED.zvt or ZvtOptions()), **calm, **options}
    return msgspec.structs.replace(
        BUNDLED,
        times=msgspec.structs.replace(BUNDLED.times, **(patient | times)),
        zvt=msgspec.convert(section, ZvtOptions),
    )


class Till:
    """A terminal switched on, and a driver that owns it."""

    driver: TerminalDriver

    def __init__(self, folder: Path, *, line: bool) -> None:
        self.terminal = VirtualZvtTerminal(
            clock=SystemClock(), entropy=SystemEntropy(), memory=folder / "terminal.json", on_change=self.changed
        )
        self.late: asyncio.Queue[tuple[str, TerminalOutcome]] = asyncio.Queue()
        self.strays: list[Evidence] = []
        self.baseline: str | None = None
        self.earlier = 0
        self._line = line
        self._cable: Cable | None = None
        self._address: Address | None = None
        self._change = asyncio.Event()

    async def start(self, *, options: dict[str, Any] | None = None, **times: int) -> None:
        """Switch on; again, with another driver, when it is on."""
        if self._address is None:
            port = await self.terminal.start()
            self._address = TcpAddress("127.0.0.1", port)
            if self._line:
                self._cable = Cable("127.0.0.1", port)
                self._address = SerialAddress(self._cable.plug_in())
        else:
            await self.driver.close()
        self.driver = TerminalDriver(
            name="counter",
            profile=quick(times, options or {}),
            address=self._address,
            clock=SystemClock(),
            entropy=SystemEntropy(),
        )
        self.driver.on_late_answer = lambda reference, outcome: self.late.put_nowait((reference, outcome))
        self.driver.on_stray_answer = self.strays.append
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

    async def told(self) -> StatusAnswer:
        """Ask until it answers: a terminal that was cut off may need a moment."""
        async with asyncio.timeout(60):
            while (answer := await self.ask()).kind == "no_answer":
                pass
        return answer

    async def keep(self, amount_rial: int = AMOUNT) -> str:
        return (await self.driver.acknowledge(amount_rial=amount_rial, stan=self.stan())).kind

    def stan(self) -> str:
        return self.terminal.transactions[-1].stan

    async def had_a_sale(self) -> None:
        """Let there have been an earlier sale, kept: a terminal in use has a last transaction."""
        self.terminal.sell_by_hand(500)
        self.earlier = len(self.terminal.charges)

    @property
    def charges(self) -> tuple[Transaction, ...]:
        """What was charged since."""
        return self.terminal.charges[self.earlier :]


async def switched_on(folder: Path, *, line: bool) -> Till:
    till = Till(folder, line=line)
    await till.start()
    till.terminal.set_auto("approve")
    await till.had_a_sale()
    return till


@pytest.fixture(params=["tcp", "serial"])
async def till(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Till]:
    till = await switched_on(tmp_path, line=request.param == "serial")
    yield till
    await till.stop()


@pytest.fixture
async def near(tmp_path: Path) -> AsyncIterator[Till]:
    """Over the network, where it does not matter which link it is."""
    till = await switched_on(tmp_path, line=False)
    yield till
    await till.stop()


async def test_a_sale_is_prepared_made_and_kept(till: Till) -> None:
    before = till.stan()
    assert (await till.sell()).kind == "approved"
    assert till.baseline == before
    (charge,) = till.charges
    assert not charge.acknowledged
    assert await till.keep() == "done"
    assert till.charges[0].acknowledged
    assert till.terminal.identifiers == [till.terminal.transactions[0].receipt]
    state = till.driver.state
    assert (state.connected, state.answers, state.last_error, state.terminal_number) == (True, True, None, NUMBER)


async def test_what_an_approval_says_is_evidence(near: Till) -> None:
    outcome = await near.sell()
    (charge,) = near.charges
    assert outcome.evidence == Evidence(
        source="answer",
        response_code="00",
        amount_rial=AMOUNT,
        stan=charge.stan,
        receipt_number=charge.receipt,
        terminal_number=NUMBER,
        merchant_number=near.terminal.merchant_number,
        pan=f"621986******{charge.last4}",
        terminal_time=f"{charge.date} {charge.time}",
    )


@pytest.mark.parametrize(("key", "kind"), [("decline", "declined"), ("cancel", "cancelled")])
async def test_refused_at_the_terminal(till: Till, key: str, kind: str) -> None:
    till.terminal.set_auto("decline" if key == "decline" else "cancel")
    assert (await till.sell()).kind == kind
    assert till.charges == ()
    till.terminal.set_auto("approve")
    assert (await till.sell()).kind == "approved"


async def test_a_sale_waiting_for_a_card_is_cancelled(till: Till) -> None:
    till.terminal.set_auto(None)
    sale = asyncio.create_task(till.sell())
    await till.until(lambda: till.terminal.screen.waiting)
    await till.driver.cancel()
    assert (await sale).kind == "cancelled"
    assert till.charges == ()


async def test_what_nobody_journals_in_time_is_taken_back(till: Till) -> None:
    await till.start(options={"report_answer_ms": 20, "keep_within_ms": 60})
    till.terminal.ask_again_ms = 20
    assert (await till.sell()).kind == "approved"
    await till.until(lambda: till.charges == ())
    assert (await till.told()).kind == "not_found"
    assert await till.keep() == "refused"


async def test_the_terminal_waits_as_long_as_it_is_asked_to(till: Till) -> None:
    await till.start(options={"report_answer_ms": 20, "keep_within_ms": 60_000})
    till.terminal.ask_again_ms = 20
    assert (await till.sell()).kind == "approved"
    assert await till.keep() == "done"
    assert len(till.charges) == 1


async def test_a_terminal_that_does_not_hear_the_yes_takes_it_back_and_asking_says_so(near: Till) -> None:
    await near.start(query_timeout_ms=200)
    near.terminal.quirk = "yes_unheard"
    near.terminal.keep_within_ms = 200
    assert (await near.sell()).kind == "approved"
    assert await near.keep() == "in_doubt"
    await near.until(lambda: near.charges == ())
    near.terminal.quirk = "none"
    assert (await near.told()).kind == "not_found"


async def test_a_link_lost_before_the_yes_takes_it_back(near: Till) -> None:
    assert (await near.sell()).kind == "approved"
    await near.start()
    await near.until(lambda: near.charges == ())
    assert (await near.told()).kind == "not_found"
    assert await near.keep() == "refused"


async def test_an_order_to_keep_that_nobody_confirms_is_settled_by_asking(near: Till) -> None:
    await near.start(query_timeout_ms=200, longest_ms=20_000)
    near.terminal.quirk = "yes_unconfirmed"
    assert (await near.sell()).kind == "approved"
    assert await near.keep() == "in_doubt"
    assert (await near.told()).kind == "approved"
    assert await near.keep() == "done"
    assert len(near.charges) == 1


@pytest.mark.parametrize("quirk", ["charged_unsaid", "ended_unsaid"])
async def test_a_charge_without_a_report_is_found_as_the_last_transaction(till: Till, quirk: Quirk) -> None:
    await till.start(answer_timeout_ms=600, longest_ms=700)
    till.terminal.quirk = quirk
    assert (await till.sell()).kind == "in_doubt"
    await till.until(lambda: len(till.charges) == 1)
    till.terminal.quirk = "none"
    found = await till.told()
    assert found.kind == "approved"
    assert found.evidence
    assert (found.evidence.stan, found.evidence.source) == (till.stan(), "last_transaction")
    assert await till.keep() == "done"


async def test_a_terminal_that_does_not_wait_has_kept_the_sale(near: Till) -> None:
    near.terminal.quirk = "does_not_wait"
    assert (await near.sell()).kind == "approved"
    assert await near.keep() == "done"


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_terminal_number", "wrong_reference"])
async def test_a_wrong_report_is_in_doubt_and_its_sale_taken_back(till: Till, fault: Fault) -> None:
    till.terminal.set_fault(fault)
    outcome = await till.sell()
    assert (outcome.kind, outcome.reason) == ("in_doubt", "mismatch")
    await till.until(lambda: till.charges == ())
    till.terminal.set_fault("none")
    assert (await till.told()).kind == "not_found"


async def test_a_report_that_stays_broken_is_in_doubt(till: Till) -> None:
    till.terminal.keep_within_ms = 200
    till.terminal.set_fault("bad_crc")
    assert (await till.sell()).kind == "in_doubt"
    await till.until(lambda: till.charges == ())


async def test_a_report_in_pieces_counts(till: Till) -> None:
    till.terminal.set_fault("split_segments")
    till.terminal.quirk = "prints"
    assert (await till.sell()).kind == "approved"
    assert await till.keep() == "done"


async def test_frames_said_twice_count_once(tmp_path: Path) -> None:
    till = await switched_on(tmp_path, line=True)
    till.terminal.quirk = "says_twice"
    assert (await till.sell()).kind == "approved"
    assert await till.keep() == "done"
    assert len(till.charges) == 1
    await till.stop()


async def test_no_link_to_the_centre_is_in_doubt_and_shown(near: Till) -> None:
    near.terminal.set_fault("no_link_to_centre")
    assert (await near.sell()).kind == "in_doubt"
    assert near.driver.state.centre_link is False
    assert (await near.told()).kind == "not_found"


async def test_silence_is_in_doubt_and_asking_finds_no_sale(till: Till) -> None:
    await till.start(answer_timeout_ms=400, longest_ms=500)
    till.terminal.set_fault("go_silent")
    assert (await till.sell()).reason == "no_answer"
    assert (await till.told()).kind == "not_found"


async def test_a_late_report_settles_the_sale_and_can_be_kept(till: Till) -> None:
    await till.start(answer_timeout_ms=300)
    till.terminal.set_fault("answer_late", late_ms=600)
    assert (await till.sell()).reason == "no_answer"
    async with asyncio.timeout(60):
        reference, outcome = await till.late.get()
    assert (reference, outcome.kind) == (REFERENCE, "approved")
    till.terminal.set_fault("none")
    assert await till.keep() == "done"
    assert len(till.charges) == 1


async def test_a_dead_terminal_takes_back_what_was_not_kept(near: Till) -> None:
    near.terminal.set_fault("die_after_charging")
    assert (await near.sell()).reason == "link_lost"
    near.terminal.set_fault("none")
    await near.terminal.restart()
    assert (await near.told()).kind == "not_found"
    assert near.charges == ()


async def test_a_busy_terminal_gets_no_amount(near: Till) -> None:
    near.terminal.quirk = "busy"
    with pytest.raises(DeviceError, match=r"terminal\.not_ready"):
        await near.driver.prepare()
    near.terminal.quirk = "none"
    near.terminal.status = "f0"
    with pytest.raises(DeviceError, match=r"terminal\.not_ready"):
        await near.driver.prepare()
    assert near.charges == ()


async def test_looking_after_it_makes_no_transaction(till: Till) -> None:
    for _ in range(3):
        await till.driver.probe()
    assert len(till.terminal.transactions) == 1
    assert till.driver.state.answers


@pytest.mark.parametrize("quirk", ["last_empty", "last_lags"])
async def test_a_terminal_that_does_not_tell_its_last_transaction_settles_nothing(near: Till, quirk: Quirk) -> None:
    near.terminal.quirk = quirk
    await near.start(answer_timeout_ms=400, longest_ms=500)
    near.terminal.set_fault("go_silent")
    outcome = await near.sell()
    assert near.baseline in {None, "000000"}
    assert outcome.kind == "in_doubt"
    assert (await near.told()).kind in {"unclear", "not_found"}
    assert near.charges == ()


async def test_another_sale_since_hides_the_one_that_is_asked_for(near: Till) -> None:
    assert (await near.sell()).kind == "approved"
    assert await near.keep() == "done"
    near.terminal.sell_by_hand(AMOUNT + 1)
    assert (await near.told()).kind == "unclear"


async def test_the_newest_sale_is_undone_and_asking_says_so(till: Till) -> None:
    assert (await till.sell()).kind == "approved"
    assert await till.keep() == "done"
    undone = await till.driver.reverse(amount_rial=AMOUNT, stan=till.stan(), terminal_number=NUMBER)
    assert undone.kind == "done"
    assert till.charges == ()
    assert (await till.told()).kind == "not_found"
    again = await till.driver.reverse(amount_rial=AMOUNT, stan=till.stan(), terminal_number=NUMBER)
    assert (again.kind, again.reason) == ("refused", "terminal.other_sale")


async def test_an_older_sale_is_voided_by_its_receipt(till: Till) -> None:
    assert (await till.sell()).kind == "approved"
    assert await till.keep() == "done"
    first = till.terminal.transactions[-1]
    assert (await till.sell(7_000)).kind == "approved"
    assert await till.keep(7_000) == "done"
    void = await till.driver.void(
        amount_rial=AMOUNT, stan=first.stan, receipt_number=first.receipt, terminal_number=NUMBER
    )
    assert void.kind == "done"
    assert [one.amount_rial for one in till.charges] == [7_000]
    again = await till.driver.void(
        amount_rial=AMOUNT, stan=first.stan, receipt_number=first.receipt, terminal_number=NUMBER
    )
    assert again.kind == "refused"
    assert again.evidence
    assert again.evidence.response_code == "B4"


@pytest.mark.parametrize(("quirk", "stands"), [("undo_unheard", "approved"), ("undo_unanswered", "not_found")])
async def test_an_undoing_without_an_answer_is_in_doubt_and_asking_tells(near: Till, quirk: Quirk, stands: str) -> None:
    assert (await near.sell()).kind == "approved"
    assert await near.keep() == "done"
    sold = near.terminal.transactions[-1]
    await near.start(query_timeout_ms=200)
    near.terminal.quirk = quirk
    void = await near.driver.void(amount_rial=AMOUNT, stan=sold.stan, receipt_number=sold.receipt)
    assert (void.kind, void.reason) == ("in_doubt", "no_answer")
    near.terminal.quirk = "none"
    assert (await near.told()).kind == stands


async def test_a_reversal_that_is_not_marked_settles_nothing_where_marks_are_not_known(near: Till) -> None:
    await near.start(options={"marks_reversals": False})
    near.terminal.quirk = "reversal_unmarked"
    assert (await near.sell()).kind == "approved"
    assert await near.keep() == "done"
    assert (await near.driver.reverse(amount_rial=AMOUNT, stan=near.stan())).kind == "done"
    assert (await near.told()).kind == "unclear"
