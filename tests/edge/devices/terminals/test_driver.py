"""The driver against the virtual terminal, over real sockets: what the customer paid and what we say of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from edge.devices.terminals.driver import StatusAnswer, TerminalDriver, TerminalOutcome, TerminalState
from edge.devices.terminals.session import SaleEnded
from edge.devices.virtual.terminal import Fault, VirtualTerminal
from firmware_profiles.addresses import TcpAddress
from firmware_profiles.profile import TerminalProfile
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import DeviceError
from shared.events import Evidence

AMOUNT = 125_000
REFERENCE = "100200300400500600"
OTHER = "900800700600500400"

Quick = Callable[..., TerminalProfile]


class Office:
    """A virtual terminal, a driver that owns it, and what the driver called back."""

    def __init__(self, tmp_path: Path) -> None:
        self.terminal = VirtualTerminal(
            clock=SystemClock(), entropy=SystemEntropy(), memory=tmp_path / "terminal.json", on_change=self.shown
        )
        self.port = 0
        self.drivers: list[TerminalDriver] = []
        self.late: asyncio.Queue[tuple[str, TerminalOutcome]] = asyncio.Queue()
        self.stray: asyncio.Queue[Evidence] = asyncio.Queue()
        self.states: list[TerminalState] = []
        self.progress: list[str] = []
        self._change = asyncio.Event()

    def shown(self, _what: object) -> None:
        self._change.set()

    def changed(self, state: TerminalState) -> None:
        self.states.append(state)
        self._change.set()

    def driver(self, profile: TerminalProfile, port: int | None = None) -> TerminalDriver:
        driver = TerminalDriver(
            name="counter",
            profile=profile,
            address=TcpAddress("127.0.0.1", port or self.port),
            clock=SystemClock(),
            entropy=SystemEntropy(),
        )
        driver.on_late_answer = lambda reference, outcome: self.late.put_nowait((reference, outcome))
        driver.on_stray_answer = self.stray.put_nowait
        driver.on_change = self.changed
        self.drivers.append(driver)
        return driver

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                self._change.clear()
                await self._change.wait()

    async def sale(self, driver: TerminalDriver, reference: str = REFERENCE) -> TerminalOutcome:
        await driver.prepare()
        return await driver.sale(amount_rial=AMOUNT, reference=reference, on_progress=self.progress.append)

    async def next_late(self) -> tuple[str, TerminalOutcome]:
        async with asyncio.timeout(30):
            return await self.late.get()


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    office = Office(tmp_path)
    office.port = await office.terminal.start()
    office.terminal.set_auto("approve")
    yield office
    for driver in office.drivers:
        await driver.close()
    await office.terminal.stop()


def agrees(evidence: Evidence | None, office: Office) -> bool:
    """Whether evidence is of the one charge the terminal made."""
    (charge,) = office.terminal.charges
    assert evidence
    return (
        (evidence.amount_rial, evidence.reference, evidence.stan, evidence.rrn, evidence.terminal_number)
        == (charge.amount_rial, charge.reference, charge.stan, charge.rrn, charge.terminal_number)
        and evidence.pan == f"{charge.bin6}******{charge.last4}"
        and evidence.terminal_time == f"{charge.date} {charge.time}"
    )


async def test_approved(office: Office, quick: Quick) -> None:
    outcome = await office.sale(office.driver(quick()))
    assert outcome.kind == "approved"
    assert agrees(outcome.evidence, office)
    assert office.progress == ["waiting_card"]


async def test_the_terminals_number_is_known_before_the_first_amount_leaves(office: Office, quick: Quick) -> None:
    driver = office.driver(quick())
    await driver.prepare()
    assert driver.state.terminal_number == office.terminal.terminal_number
    assert office.terminal.charges == ()


@pytest.mark.parametrize(("key", "kind", "code"), [("decline", "declined", "51"), ("cancel", "cancelled", "17")])
async def test_refused_at_the_terminal(office: Office, quick: Quick, key: str, kind: str, code: str) -> None:
    office.terminal.set_auto("decline" if key == "decline" else "cancel")
    outcome = await office.sale(office.driver(quick()))
    assert (outcome.kind, outcome.reason) == (kind, "")
    assert outcome.evidence
    assert outcome.evidence.response_code == code
    assert office.terminal.charges == ()


async def test_no_link_to_the_centre_is_declined_and_shown_until_it_is_back(office: Office, quick: Quick) -> None:
    driver = office.driver(quick())
    office.terminal.set_fault("no_link_to_centre")
    outcome = await office.sale(driver)
    assert outcome.kind == "declined"
    assert outcome.evidence
    assert outcome.evidence.response_code == "FA"
    seen = [driver.state.centre_link]
    office.terminal.set_fault("none")
    assert (await office.sale(driver, OTHER)).kind == "approved"
    assert [*seen, driver.state.centre_link] == [False, True]
    assert len(office.terminal.charges) == 1


async def test_silence_is_in_doubt_at_the_deadline_and_then_not_found(office: Office, quick: Quick) -> None:
    driver = office.driver(quick(answer_timeout_ms=300, longest_ms=300))
    office.terminal.set_fault("go_silent")
    async with asyncio.timeout(15):
        outcome = await office.sale(driver)
    assert outcome == TerminalOutcome(kind="in_doubt", reason="no_answer")
    assert driver.state.connected
    status = await driver.query(reference=REFERENCE, amount_rial=AMOUNT)
    assert (status.kind, status.response_code) == ("not_found", "EA")
    assert office.terminal.charges == ()


async def test_a_late_answer_is_delivered(office: Office, quick: Quick) -> None:
    driver = office.driver(quick(answer_timeout_ms=200))
    office.terminal.set_fault("answer_late", late_ms=500)
    assert (await office.sale(driver)).reason == "no_answer"
    assert driver.state.unanswered_reference == REFERENCE
    reference, outcome = await office.next_late()
    assert (reference, outcome.kind) == (REFERENCE, "approved")
    assert agrees(outcome.evidence, office)
    assert driver.state.unanswered_reference is None


async def test_a_late_answer_is_delivered_on_the_next_link_too(office: Office, quick: Quick) -> None:
    driver = office.driver(quick())
    office.terminal.set_fault("answer_late", late_ms=400)
    await driver.prepare()
    sale = asyncio.create_task(driver.sale(amount_rial=AMOUNT, reference=REFERENCE))
    await office.until(lambda: office.terminal.screen.phase == "processing")
    driver._wire.drop()
    assert (await sale).reason == "link_lost"
    assert (await office.next_late())[1].kind == "approved"


async def test_dead_after_charging_is_in_doubt_and_found_after_its_restart(office: Office, quick: Quick) -> None:
    driver = office.driver(quick())
    office.terminal.set_fault("die_after_charging")
    assert await office.sale(driver) == TerminalOutcome(kind="in_doubt", reason="link_lost")
    assert len(office.terminal.charges) == 1
    assert (await driver.query(reference=REFERENCE, amount_rial=AMOUNT)) == StatusAnswer(kind="no_answer")
    await office.terminal.restart()
    status = await driver.query(reference=REFERENCE, amount_rial=AMOUNT)
    assert status.kind == "approved"
    assert agrees(status.evidence, office)


async def test_another_program_start_finds_the_charge(office: Office, quick: Quick) -> None:
    first = office.driver(quick())
    office.terminal.set_fault("die_after_charging")
    await office.sale(first)
    await first.close()
    await office.terminal.restart()
    second = office.driver(quick())
    number = office.terminal.terminal_number
    status = await second.query(reference=REFERENCE, amount_rial=AMOUNT, terminal_number=number)
    assert status.kind == "approved"
    other = await second.query(reference=REFERENCE, amount_rial=AMOUNT, terminal_number="11111111")
    assert other.kind == "mismatch"


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_reference", "wrong_terminal_number"])
async def test_an_answer_that_does_not_agree_is_in_doubt_and_the_query_settles(
    office: Office, quick: Quick, fault: Fault
) -> None:
    driver = office.driver(quick())
    office.terminal.set_fault(fault)
    outcome = await office.sale(driver)
    assert (outcome.kind, outcome.reason) == ("in_doubt", "mismatch")
    assert not agrees(outcome.evidence, office)
    status = await driver.query(reference=REFERENCE, amount_rial=AMOUNT)
    assert status.kind == "approved"
    assert agrees(status.evidence, office)


async def test_a_query_with_another_amount_is_a_mismatch(office: Office, quick: Quick) -> None:
    driver = office.driver(quick())
    await office.sale(driver)
    assert (await driver.query(reference=REFERENCE, amount_rial=AMOUNT + 1)).kind == "mismatch"


async def test_a_wrong_checksum_is_in_doubt_and_the_query_settles(office: Office, quick: Quick) -> None:
    driver = office.driver(quick(frame_gap_ms=100))
    office.terminal.set_fault("bad_crc")
    assert await office.sale(driver) == TerminalOutcome(kind="in_doubt", reason="bad_answer")
    assert (await driver.query(reference=REFERENCE, amount_rial=AMOUNT)).kind == "approved"


async def test_an_answer_in_pieces_is_read(office: Office, quick: Quick) -> None:
    office.terminal.set_fault("split_segments")
    assert (await office.sale(office.driver(quick()))).kind == "approved"


async def test_the_operator_cancels_while_the_terminal_waits_for_the_card(office: Office, quick: Quick) -> None:
    driver = office.driver(quick())
    office.terminal.set_auto(None)
    sale = asyncio.create_task(office.sale(driver))
    await office.until(lambda: office.terminal.screen.waiting)
    await driver.cancel()
    outcome = await sale
    assert outcome.kind == "cancelled"
    assert outcome.evidence
    assert outcome.evidence.response_code == "FU"
    assert office.progress == ["waiting_card", "cancelling"]
    await driver.cancel()  # nothing to cancel now: nothing happens
    office.terminal.set_auto("approve")
    assert (await office.sale(driver, OTHER)).kind == "approved"


async def test_who_waits_may_go_away_and_the_answer_still_comes(office: Office, quick: Quick) -> None:
    driver = office.driver(quick())
    office.terminal.set_auto(None)
    sale = asyncio.create_task(office.sale(driver))
    await office.until(lambda: office.terminal.screen.waiting)
    sale.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sale
    assert office.terminal.press("approve")
    reference, outcome = await office.next_late()
    assert (reference, outcome.kind) == (REFERENCE, "approved")
    office.terminal.set_auto("approve")
    assert (await office.sale(driver, OTHER)).kind == "approved"


async def test_who_goes_away_in_the_very_moment_of_the_answer_loses_nothing(office: Office, quick: Quick) -> None:
    driver = office.driver(quick())
    office.terminal.set_auto(None)
    sale = asyncio.create_task(office.sale(driver))
    await office.until(lambda: office.terminal.screen.waiting)
    end = driver._exchange._waits[SaleEnded]
    assert not end.done()
    end.add_done_callback(lambda _: sale.cancel())
    office.terminal.press("approve")
    with contextlib.suppress(asyncio.CancelledError):
        assert (await sale).kind == "approved"
        return
    assert (await office.next_late())[1].kind == "approved"


async def test_an_error_of_who_watches_does_not_end_a_sale(
    office: Office, quick: Quick, caplog: pytest.LogCaptureFixture
) -> None:
    driver = office.driver(quick())
    await driver.prepare()

    def fall(_word: str) -> None:
        raise RuntimeError("the page is gone")

    outcome = await driver.sale(amount_rial=AMOUNT, reference=REFERENCE, on_progress=fall)
    assert outcome.kind == "approved"
    assert "the page is gone" in caplog.text


async def test_one_operation_at_a_time(office: Office, quick: Quick) -> None:
    driver = office.driver(quick(query_timeout_ms=100))
    office.terminal.set_auto(None)
    sale = asyncio.create_task(office.sale(driver))
    await office.until(lambda: office.terminal.screen.waiting)
    assert await driver.query(reference=OTHER, amount_rial=1) == StatusAnswer(kind="no_answer")
    second = asyncio.create_task(driver.sale(amount_rial=1, reference=OTHER))
    await asyncio.sleep(0)
    assert office.terminal.screen.amount_rial == AMOUNT
    office.terminal.set_auto("approve")
    office.terminal.press("approve")
    assert (await sale).kind == "approved"
    assert (await second).kind == "approved"
    assert [charge.amount_rial for charge in office.terminal.charges] == [AMOUNT, 1]


async def test_values_the_protocol_cannot_carry_are_refused_with_nothing_sent(office: Office, quick: Quick) -> None:
    driver = office.driver(quick())
    with pytest.raises(ValueError, match="amount_rial"):
        await driver.sale(amount_rial=0, reference=REFERENCE)
    with pytest.raises(ValueError, match="reference"):
        await driver.query(amount_rial=1, reference="")
    await driver.prepare()
    assert office.terminal.screen.phase == "idle"


# --- links and readiness ---------------------------------------------------------------------------------------------


async def free_port() -> int:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


@contextlib.asynccontextmanager
async def mute_terminal(heard: asyncio.Queue[bytes], *, says_ready: bool = False) -> AsyncIterator[int]:
    """A terminal that takes everything and says nothing, or no more than that it is idle."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1_000):
            heard.put_nowait(data)
            if says_ready and data.endswith(b"Ready?"):
                writer.write(b"OK")
        heard.put_nowait(b"")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


def incurious(profile: TerminalProfile) -> TerminalProfile:
    """The profile of a terminal that cannot be asked by reference, so not for its number either."""
    capabilities = msgspec.structs.replace(profile.capabilities, query_by_reference=False)
    return msgspec.structs.replace(profile, capabilities=capabilities)


async def test_nobody_there_is_told_at_once_and_sends_nothing(office: Office, quick: Quick) -> None:
    driver = office.driver(quick(connect_timeout_ms=60_000), port=await free_port())
    async with asyncio.timeout(30):
        with pytest.raises(DeviceError, match=r"terminal\.unreachable"):
            await driver.prepare()
    assert (driver.state.phase, driver.state.last_error) == ("unreachable", "terminal.unreachable")
    assert await driver.query(reference=REFERENCE, amount_rial=1) == StatusAnswer(kind="no_answer")
    outcome = await driver.sale(amount_rial=1, reference=REFERENCE)
    assert outcome == TerminalOutcome(kind="in_doubt", reason="link_lost")


async def test_a_terminal_that_does_not_say_it_is_idle_gets_no_amount(office: Office, quick: Quick) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with mute_terminal(heard) as port:
        driver = office.driver(quick(ready_timeout_ms=100), port=port)
        async with asyncio.timeout(30):
            with pytest.raises(DeviceError, match=r"terminal\.not_ready"):
                await driver.prepare()
            said = b""
            while data := await heard.get():
                said += data
        assert said.endswith(b"Ready?")
        assert b"\xb0" not in said
        await driver.close()


async def test_a_terminal_in_the_middle_of_a_sale_is_not_ready(office: Office, quick: Quick) -> None:
    driver = office.driver(quick(ready_timeout_ms=700, answer_timeout_ms=200))
    office.terminal.set_auto(None)
    assert (await office.sale(driver)).reason == "no_answer"
    with pytest.raises(DeviceError, match=r"terminal\.not_ready"):
        await driver.prepare()
    assert driver.state.connected, "the link is kept: the answer may still come on it"
    office.terminal.press("approve")
    assert (await office.next_late())[1].kind == "approved"


async def test_a_sale_on_a_terminal_that_falls_silent_ends_by_the_deadline(office: Office, quick: Quick) -> None:
    async with mute_terminal(asyncio.Queue(), says_ready=True) as port:
        driver = office.driver(incurious(quick(answer_timeout_ms=300, longest_ms=300)), port=port)
        await driver.prepare()
        async with asyncio.timeout(15):
            outcome = await driver.sale(amount_rial=1, reference=REFERENCE)
        assert outcome == TerminalOutcome(kind="in_doubt", reason="no_answer")
        await driver.close()


async def test_a_new_link_is_asked_whether_it_is_idle_before_an_amount_leaves(office: Office, quick: Quick) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with mute_terminal(heard, says_ready=True) as port:
        driver = office.driver(incurious(quick(answer_timeout_ms=600)), port=port)
        await driver.prepare()
        driver._wire.drop()
        async with asyncio.timeout(30):
            while await heard.get() != b"":
                pass
            await driver.sale(amount_rial=1, reference=REFERENCE)
        said = b""
        while not heard.empty():
            said += heard.get_nowait()
        assert 0 <= said.find(b"Ready?") < said.find(b"\xb0\x01\x01")
        await driver.close()


async def test_the_link_comes_back_by_itself(office: Office, quick: Quick) -> None:
    driver = office.driver(quick())
    await driver.start()
    await office.until(lambda: driver.state.connected)
    await office.terminal.stop()
    await office.until(lambda: driver.state.phase == "unreachable")
    await office.terminal.restart()
    await office.until(lambda: driver.state.phase == "connected" and driver.state.last_error is None)
    assert (await office.sale(driver)).kind == "approved"


async def test_a_link_that_died_unnoticed_costs_one_refusal_and_no_restart(office: Office, quick: Quick) -> None:
    """A night without a word: something on the way forgot the connection and lets what is said on it vanish."""
    links: list[asyncio.Task[None]] = []
    vanishes = False

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        forgotten = len(links) <= 2  # both ways of the first connection
        while data := await reader.read(1_000):
            if not (vanishes and forgotten):
                writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, thither = await asyncio.open_connection("127.0.0.1", office.port)
        links.extend((asyncio.create_task(pass_on(reader, thither)), asyncio.create_task(pass_on(there, writer))))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as between:
        driver = office.driver(quick(ready_timeout_ms=300), port=between.sockets[0].getsockname()[1])
        assert (await office.sale(driver)).kind == "approved"
        vanishes = True
        with pytest.raises(DeviceError, match=r"terminal\.not_ready"):
            await office.sale(driver, OTHER)
        assert len(office.terminal.charges) == 1
        assert (await office.sale(driver, OTHER)).kind == "approved"
        assert (len(office.terminal.charges), len(links)) == (2, 4)
        await driver.close()
        await asyncio.gather(*links, return_exceptions=True)


async def test_links_lost_again_and_again_leave_nothing_behind(office: Office, quick: Quick) -> None:
    driver = office.driver(quick(reconnect_first_ms=1))
    await driver.prepare()

    def held() -> int:
        return len(list(Path("/proc/self/fd").iterdir())) + len(asyncio.all_tasks())

    before = held()
    for _ in range(100):
        driver._wire.drop()
        await driver.probe()
    assert held() < before + 50, "the last of them may be on their way out"
    assert (await office.sale(driver)).kind == "approved"


async def test_another_terminal_behind_the_address_is_noticed(office: Office, quick: Quick) -> None:
    driver = office.driver(quick())
    office.terminal.set_fault("die_after_charging")
    await office.sale(driver)
    number = driver.state.terminal_number
    other = VirtualTerminal(clock=SystemClock(), entropy=SystemEntropy(), terminal_number="77777777")
    await other.start("127.0.0.1", office.port)
    status = await driver.query(reference=REFERENCE, amount_rial=AMOUNT, terminal_number=number)
    assert status.kind == "mismatch"
    await driver.prepare()
    assert driver.state.terminal_number == "77777777"
    await driver.close()
    await other.stop()


async def test_the_heartbeat_asks_only_an_idle_terminal(office: Office, quick: Quick) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with mute_terminal(heard, says_ready=True) as port:
        driver = office.driver(incurious(quick(heartbeat_every_ms=30, answer_timeout_ms=400)), port=port)
        await driver.prepare()
        await driver.sale(amount_rial=1, reference=REFERENCE)
        said = b""
        while not heard.empty():
            said += heard.get_nowait()
        after_the_amount = said[said.index(b"\xb0\x01\x01") :]
        assert b"Ready?" not in after_the_amount
        await driver.close()


async def test_a_dead_link_is_found_by_the_heartbeat_and_replaced(office: Office, quick: Quick) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with mute_terminal(heard) as port, asyncio.timeout(30):
        driver = office.driver(quick(heartbeat_every_ms=30, ready_timeout_ms=50), port=port)
        await driver.start()
        ends = 0
        while ends < 2:
            ends += await heard.get() == b""
        await driver.close()


async def test_closing_ends_a_sale_in_doubt_and_every_wait(office: Office, quick: Quick) -> None:
    driver = office.driver(quick())
    office.terminal.set_auto(None)
    sale = asyncio.create_task(office.sale(driver))
    await office.until(lambda: office.terminal.screen.waiting)
    await driver.close()
    assert await sale == TerminalOutcome(kind="in_doubt", reason="link_lost")
    assert driver.state.phase == "closed"
    with pytest.raises(DeviceError, match=r"terminal\.closed"):
        await driver.prepare()
    assert await driver.query(reference=REFERENCE, amount_rial=1) == StatusAnswer(kind="no_answer")


async def test_a_charge_of_a_sale_nobody_knows_is_handed_to_a_person(office: Office, quick: Quick) -> None:
    first = office.driver(quick())
    office.terminal.set_fault("answer_late", late_ms=300)
    await first.prepare()
    sale = asyncio.create_task(first.sale(amount_rial=AMOUNT, reference=REFERENCE))
    await office.until(lambda: office.terminal.screen.phase == "processing")
    await first.close()
    await sale
    await office.driver(quick()).start()
    async with asyncio.timeout(30):
        assert agrees(await office.stray.get(), office)


async def test_what_is_shown_while_a_sale_runs(office: Office, quick: Quick) -> None:
    driver = office.driver(quick())
    await office.sale(driver)
    await office.until(lambda: office.states[-1].phase == "connected")
    phases = [state.phase for state in office.states]
    assert "preparing" in phases
    assert "waiting_card" in phases
    assert driver.state.last_seen_at
    assert driver.state.address == f"127.0.0.1:{office.port}"


async def test_the_last_transaction_is_told_whosever_it_was(office: Office, quick: Quick) -> None:
    driver = office.driver(quick())
    assert (await driver.last_transaction()).kind == "none"
    await office.sale(driver)
    last = await driver.last_transaction()
    assert last.kind == "known"
    assert agrees(last.evidence, office)
    assert last.evidence
    assert last.evidence.source == "last_transaction"


async def test_orders_a_model_does_not_know_never_leave(office: Office, quick: Quick) -> None:
    driver = office.driver(quick())
    await office.sale(driver)
    (charge,) = office.terminal.charges
    for order in (driver.acknowledge, driver.reverse):
        answer = await order(amount_rial=AMOUNT, stan=charge.stan)
        assert (answer.kind, answer.reason, answer.evidence) == ("refused", "terminal.cannot", None)
    assert office.terminal.charges == (charge,)
