"""What is known of a terminal's profile without the terminal: its model driven against a virtual one.

Each trial has a virtual terminal and a driver of its own and holds the driver's word against the truth that the virtual
terminal keeps: what was charged. What only hardware can prove is said beside it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from edge.devices.findings import Finding, Findings
from edge.devices.terminal_bench import AMOUNT_RIAL, BILL, LATE_MS, SETTLE_WITHIN_MS, Bench, NotSo, hold
from edge.devices.terminals.driver import TerminalOutcome
from edge.devices.terminals.session import TerminalBill
from edge.devices.virtual.simulators import SIMULATORS
from edge.devices.virtual.terminal_screen import Fault, Key
from firmware_profiles.links import LinkKind
from firmware_profiles.profile import TerminalProfile
from shared.events import Evidence

TRIAL_TIMEOUT_S: Final = 60
AT_A_TIME: Final = 4

HARDWARE_ONLY: Final = (
    "that this model speaks this protocol in this version, on this port or at this speed",
    "that its codes mean what the table says, above all those that say nothing was charged",
    "that it gives an answer within the profile's times, with a slow centre and a slow customer",
    "what it does when the line breaks between card and answer, and what it then tells when asked",
    "what stands on its slip, and in which calendar its dates are",
    "where it pays bills by their ids: that the contract has it, and that the biller then has the money",
)


# --- the trials ------------------------------------------------------------------------------------------------------


async def _key(bench: Bench, key: Key, wanted: str, bill: TerminalBill | None = None) -> None:
    bench.terminal.set_auto(key)
    outcome = await bench.sale(bill=bill)
    hold(outcome.kind == wanted, f"{outcome.kind} ({outcome.reason or 'no reason'})")
    hold(bench.charged == (wanted == "approved"), f"{outcome.kind}, and charged: {bench.charged}")
    if wanted == "approved":
        said = outcome.evidence
        hold(said is not None and said.amount_rial == AMOUNT_RIAL, "the evidence does not carry the amount")


async def _approve(bench: Bench) -> None:
    await _key(bench, "approve", "approved")


async def _decline(bench: Bench) -> None:
    await _key(bench, "decline", "declined")


async def _cancel_there(bench: Bench) -> None:
    told_apart = any(meaning.outcome == "cancelled" for meaning in bench.profile.codes.values())
    await _key(bench, "cancel", "cancelled" if told_apart else "declined")


async def _cancel_here(bench: Bench) -> None:
    cancelling: list[asyncio.Task[None]] = []

    def cancel(word: str) -> None:
        if word == "waiting_card":
            cancelling.append(asyncio.create_task(_cancel_when_waiting(bench)))

    outcome = await bench.sale(on_progress=cancel)
    await asyncio.gather(*cancelling)
    hold(outcome.kind in {"cancelled", "declined"}, f"{outcome.kind} ({outcome.reason})")
    hold(not bench.charged, "the card is charged")


async def _cancel_when_waiting(bench: Bench) -> None:
    async with asyncio.timeout(SETTLE_WITHIN_MS / 1000):
        await bench.waiting.wait()
    await bench.driver.cancel()


async def _fault(bench: Bench, fault: Fault, bill: TerminalBill | None = None) -> TerminalOutcome:
    bench.terminal.set_auto("approve")
    bench.terminal.set_fault(fault, late_ms=LATE_MS)
    return await bench.sale(bill=bill)


async def _silent(bench: Bench) -> None:
    outcome = await _fault(bench, "go_silent")
    hold(outcome.kind == "in_doubt", outcome.kind)
    bench.terminal.set_fault("none")
    if bench.can_ask:
        await bench.settles(None)


async def _no_centre(bench: Bench) -> None:
    outcome = await _fault(bench, "no_link_to_centre")
    hold(outcome.kind != "approved" and not bench.charged, outcome.kind)
    hold(bench.driver.state.centre_link is not True, "the terminal's own line is shown as working")


async def _dies(bench: Bench, bill: TerminalBill | None = None) -> None:
    await bench.sell_before()
    outcome = await _fault(bench, "die_after_charging", bill)
    hold(outcome.kind == "in_doubt", outcome.kind)
    bench.terminal.set_fault("none")
    await bench.terminal.restart()
    if bench.can_ask:
        await bench.settles("approved" if bench.charged else "not_found")


async def _late(bench: Bench) -> None:
    await bench.sell_before()
    outcome = await _fault(bench, "answer_late")
    hold(outcome.kind == "in_doubt", outcome.kind)
    if bench.can_ask:
        asking = asyncio.create_task(bench.settles("approved"))
        told = asyncio.create_task(bench.late.get())
        await asyncio.wait({asking, told}, return_when=asyncio.FIRST_COMPLETED)
        if told.done():
            asking.cancel()
            hold(told.result().kind == "approved", f"the late answer was taken as {told.result().kind}")
        else:
            told.cancel()
            asking.result()
        await asyncio.gather(asking, told, return_exceptions=True)


async def _wrong_amount(bench: Bench) -> None:
    outcome = await _fault(bench, "wrong_amount")
    hold(outcome.kind == "in_doubt", f"{outcome.kind} for an answer of another amount")


async def _bad_bytes(bench: Bench) -> None:
    outcome = await _fault(bench, "bad_crc")
    hold(outcome.kind == "in_doubt" or bench.charged, f"{outcome.kind}, and nothing is charged")


async def _split(bench: Bench) -> None:
    outcome = await _fault(bench, "split_segments")
    hold(outcome.kind == "approved", f"{outcome.kind} ({outcome.reason})")


async def _heartbeat(bench: Bench) -> None:
    for _ in range(3):
        await bench.driver.probe()
    hold(not bench.terminal.screen.waiting and not bench.charged, "asking whether it is there began a sale")


async def _sold(bench: Bench) -> Evidence:
    """Sell, have the terminal keep it where it wants to be told so, and return what the approval said."""
    bench.terminal.set_auto("approve")
    outcome = await bench.sale()
    said = outcome.evidence
    if said is None or said.stan is None:
        raise NotSo(f"{outcome.kind}, without a trace")
    if bench.profile.capabilities.confirming:
        answer = await bench.driver.acknowledge(amount_rial=AMOUNT_RIAL, stan=said.stan)
        hold(answer.kind == "done", f"told to keep it: {answer.kind} ({answer.reason})")
    return said


async def _acknowledge(bench: Bench) -> None:
    await _sold(bench)
    hold(bench.charged, "the sale is gone")


async def _reverse(bench: Bench) -> None:
    said = await _sold(bench)
    answer = await bench.driver.reverse(amount_rial=AMOUNT_RIAL, stan=said.stan or "")
    hold(answer.kind == "done", f"{answer.kind} ({answer.reason})")
    hold(not bench.charged, "the sale stands")


async def _void(bench: Bench) -> None:
    said = await _sold(bench)
    hold(said.receipt_number, "an approval without the number of its receipt")
    answer = await bench.driver.void(
        amount_rial=AMOUNT_RIAL, stan=said.stan or "", receipt_number=said.receipt_number or ""
    )
    hold(answer.kind == "done", f"{answer.kind} ({answer.reason})")
    hold(not bench.charged, "the sale stands")


def _paid_bills(bench: Bench, *wanted: TerminalBill) -> None:
    """Hold the terminal's own word on the bills that it paid against what it should have."""
    ids = tuple((int(bill.bill_id), int(bill.payment_id)) for bill in wanted)
    hold(bench.terminal.bills == ids, f"it paid the bills {bench.terminal.bills or 'none'}")


async def _bill(bench: Bench) -> None:
    await _key(bench, "approve", "approved", BILL)
    _paid_bills(bench, BILL)


async def _bill_declined(bench: Bench) -> None:
    await _key(bench, "decline", "declined", BILL)
    _paid_bills(bench)


async def _bill_dies(bench: Bench) -> None:
    await _dies(bench, BILL)
    _paid_bills(bench, BILL)


class Trial(NamedTuple):
    """What is tried, how, over which link, and whether it is one in which nothing is answered."""

    what: str
    run: Callable[[Bench], Awaitable[None]]
    link_kind: LinkKind = "tcp"
    hurried: bool = False


def trials(profile: TerminalProfile) -> list[Trial]:
    """Return what is tried of a model."""
    can = profile.capabilities
    told = ", and told when it is back" if profile_asks(profile) else ""
    every = [
        (Trial("approved: charged once, with the amount as evidence", _approve), True),
        (Trial("declined: nothing charged", _decline), True),
        (Trial("cancelled at the terminal: nothing charged", _cancel_there), True),
        (Trial("cancelled from the box: nothing charged", _cancel_here), can.cancel_while_waiting),
        (Trial("no link to its centre: not taken for ours, nothing charged", _no_centre), True),
        (Trial("silent: in doubt", _silent, hurried=True), True),
        (Trial("charged and dead: in doubt" + told, _dies, hurried=True), True),
        (Trial("a late answer is not lost", _late, hurried=True), True),
        (Trial("an answer of another amount: in doubt", _wrong_amount), True),
        (Trial("an answer that was damaged is not believed", _bad_bytes, hurried=True), True),
        (Trial("an answer in pieces of one byte is one answer", _split), True),
        (Trial("asking whether it is there makes no transaction", _heartbeat), True),
        (Trial("told to keep a sale, it keeps it", _acknowledge), can.confirming),
        (Trial("told to undo its newest sale, it undoes it", _reverse), can.reverse),
        (Trial("told to undo a sale by its receipt, it undoes it", _void), can.void),
        (Trial("a bill by its two ids: charged once, that very bill paid", _bill), can.bill),
        (Trial("a bill that is refused: nothing charged, no bill paid", _bill_declined), can.bill),
        (Trial("a bill paid and dead: in doubt" + told, _bill_dies, hurried=True), can.bill),
        (Trial("approved over a serial line", _approve, "serial"), profile.serial is not None),
        (Trial("approved when it connects to the box", _approve, "listen"), profile.listen is not None),
    ]
    return [trial for trial, can_it in every if can_it]


def profile_asks(profile: TerminalProfile) -> bool:
    """Return whether a model can be asked what became of a sale."""
    return profile.capabilities.query_by_reference or profile.capabilities.query_last


async def _try(profile: TerminalProfile, trial: Trial) -> Finding:
    what = trial.what
    try:
        async with asyncio.timeout(TRIAL_TIMEOUT_S), Bench(profile, trial.link_kind, hurried=trial.hurried) as bench:
            await trial.run(bench)
    except NotSo as seen:
        return Finding(what=what, held=False, seen=str(seen))
    except Exception as error:  # noqa: BLE001 - a trial that fails in any way is a finding, the others go on
        return Finding(what=what, held=False, seen=repr(error))
    return Finding(what=what, held=True)


async def check_terminals(profiles: Sequence[TerminalProfile]) -> list[Findings]:
    """Check several models, a few at a time: what each is given to answer in has to be there for it."""
    turn = asyncio.Semaphore(AT_A_TIME)

    async def check(profile: TerminalProfile) -> Findings:
        async with turn:
            return await check_terminal(profile)

    return await asyncio.gather(*(check(profile) for profile in profiles))


async def check_terminal(profile: TerminalProfile) -> Findings:
    """Drive a model against a virtual terminal of its protocol, every trial at the same time."""
    if profile.protocol not in SIMULATORS:
        nobody = Finding(what=f"there is a virtual terminal of {profile.protocol}", held=False, seen="there is none")
        return Findings(profile=profile.name, findings=(nobody,), hardware_only=HARDWARE_ONLY)
    findings = await asyncio.gather(*(_try(profile, trial) for trial in trials(profile)))
    return Findings(profile=profile.name, findings=tuple(findings), hardware_only=HARDWARE_ONLY)
