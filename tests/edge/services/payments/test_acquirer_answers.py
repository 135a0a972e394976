import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from edge.devices.virtual.terminal import VirtualTerminal
from edge.services.payments.acquirer_answers import AcquirerAnswers
from shared.entropy import SystemEntropy
from shared.events import AcquirerAnswered
from shared.payment import PaymentState
from tests.edge.services.office import POWER, Office
from tests.edge.store.boxes import OFFICE_FEED

QUICK = {"answer_timeout_ms": 200, "longest_ms": 400, "query_timeout_ms": 500}


def answers_of(office: Office) -> AcquirerAnswers:
    return AcquirerAnswers(
        writer=office.box.writer,
        queries=office.box.queries,
        entropy=SystemEntropy(),
        on_charged=office.payments.call_back_others,
    )


async def in_doubt(office: Office) -> str:
    """Pay at a terminal that charges and dies: nobody here can tell."""
    office.virtual.set_fault("die_after_charging")
    office.virtual.set_auto("approve")
    payment_id = await office.pay()
    assert await office.ends(payment_id) is PaymentState.IN_DOUBT
    return payment_id


def tell(office: Office, payment_id: str, *, charged: bool, **members: Any) -> None:
    """Let central's feed bring the acquirer's word."""
    payment = office.payment(payment_id)
    said = AcquirerAnswered(
        payment_id=payment_id,
        charged=charged,
        source="settlement",
        acquirer="beh",
        amount_rial=members.get("amount_rial", payment.amount_rial if charged else None),
        rrn="000000000777" if charged else None,
        terminal_number=payment.terminal_number if charged else None,
        file_sha256="ab" * 32,
        row=7,
        answered_at="2026-11-22T10:00:00.000Z",
    )
    office.box.receive(OFFICE_FEED, [office.box.central.office.say(said)])


async def test_the_acquirers_yes_settles_a_doubt_of_a_dead_terminal_and_prints(
    tmp_path: Path, terminal: VirtualTerminal
) -> None:
    async with Office(tmp_path, terminal, **QUICK) as office:
        payment_id = await in_doubt(office)
        tell(office, payment_id, charged=True)
        await answers_of(office).judge_all()
        payment = office.payment(payment_id)
        assert (payment.state, payment.rrn, payment.confirmation) == (
            PaymentState.APPROVED,
            "000000000777",
            "queued",
        )
        assert [job.document for job in office.box.queries.print_jobs_for(payment_id)] == ["bill_receipt"]
        size = office.box.queries.size()
        await answers_of(office).judge_all()
        assert office.box.queries.size() == size, "the same word adds nothing twice"


async def test_the_acquirers_no_frees_bill_and_terminal_unless_a_charge_was_spoken_of(
    tmp_path: Path, terminal: VirtualTerminal
) -> None:
    async with Office(tmp_path, terminal, **QUICK) as office:
        terminal.set_fault("go_silent")
        first = await office.pay()
        assert await office.ends(first) is PaymentState.IN_DOUBT
        tell(office, first, charged=False)
        await answers_of(office).judge_all()
        assert office.payment(first).state is PaymentState.NOT_CHARGED
        assert office.payment(first).not_charged_by == "acquirer"
        terminal.set_fault("none")
        await terminal.restart()
        terminal.set_fault("wrong_amount")
        terminal.set_auto("approve")
        second = await office.pay(POWER)
        assert await office.ends(second) is PaymentState.IN_DOUBT
        tell(office, second, charged=False)
        await answers_of(office).judge_all()
        assert office.payment(second).state is PaymentState.IN_DOUBT
        assert ("answers_disagree", second) in office.alarms()


async def test_an_answer_of_before_a_restart_is_judged_at_the_start(tmp_path: Path, terminal: VirtualTerminal) -> None:
    async with Office(tmp_path, terminal, **QUICK) as office:
        payment_id = await in_doubt(office)
        tell(office, payment_id, charged=True, amount_rial=1)
        central = office.box.central
    async with Office(tmp_path, terminal, **QUICK) as office:
        office.box.central = central
        answers = answers_of(office)
        office.box.writer.subscribe(answers.heard)
        running = asyncio.create_task(answers.run())
        try:
            await office.until(lambda: ("charge_mismatch", payment_id) in office.alarms())
            assert office.payment(payment_id).state is PaymentState.IN_DOUBT
            # Woken by the feed: nobody asks.
            tell(office, payment_id, charged=True)
            await office.until(lambda: office.payment(payment_id).state is PaymentState.APPROVED)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


@pytest.mark.parametrize("charged", [True, False])
async def test_an_answer_about_a_payment_of_another_box_is_nobodys(office: Office, charged: bool) -> None:  # noqa: FBT001
    said = AcquirerAnswered(
        payment_id="p-elsewhere", charged=charged, source="acquirer", acquirer="beh", answered_at=""
    )
    office.box.receive(OFFICE_FEED, [office.box.central.office.say(said)])
    size = office.box.queries.size()
    await answers_of(office).judge_all()
    assert office.box.queries.size() == size
