import asyncio
from pathlib import Path

import msgspec
import pytest

from edge.devices.virtual.printer import VirtualPrinter
from edge.devices.virtual.terminal import VirtualTerminal
from edge.journal.standing import ClosedDay
from edge.services.close_day import CloseDay, check_last_close
from edge.services.papers.documents import DAY_SLIP
from edge.store.rebuild import rebuild_projections
from shared.entropy import SystemEntropy
from shared.errors import IntegrityError, OperatorError
from shared.events import DayTotal, TerminalBatch
from shared.journal.tree import root
from shared.payment import PaymentState
from tests.edge.services.office import POWER, WATER, Office

WATER_RIAL, POWER_RIAL = WATER.amount_rial, POWER.amount_rial


def closing(office: Office) -> CloseDay:
    return CloseDay(
        writer=office.box.writer, queries=office.box.queries, entropy=SystemEntropy(), terminals=["terminal-1"]
    )


async def close(office: Office, *reports: TerminalBatch, close_id: str | None = None) -> ClosedDay:
    service = closing(office)
    return service.closed(await service.close(operator="sara", close_id=close_id, reports=reports))


async def test_a_day_says_what_was_taken_and_what_the_journal_was(office: Office) -> None:
    office.virtual.set_auto("approve")
    assert await office.ends(await office.pay(WATER)) is PaymentState.APPROVED
    assert await office.ends(await office.pay(POWER)) is PaymentState.APPROVED
    size = office.box.queries.size()
    day = await close(office)
    total = DayTotal(
        method="pcpos", purpose="bill", terminal="terminal-1", count=2, amount_rial=WATER_RIAL + POWER_RIAL
    )
    body = day.body
    assert (body.first, body.size, body.totals, day.number, day.index) == (0, size, (total,), 1, size)
    assert body.root == root(size, office.box.queries.node).hex()
    assert (body.unsent_count, body.unsent_rial) == (size, WATER_RIAL + POWER_RIAL)
    assert (body.unconfirmed_count, body.unconfirmed_rial) == (2, WATER_RIAL + POWER_RIAL)
    assert (body.in_doubt_count, body.batches) == (0, (TerminalBatch(terminal="terminal-1"),))
    (job,) = office.box.queries.print_jobs_for(body.close_id)
    assert (job.document, job.copy) == (DAY_SLIP, False)
    following = await close(office)
    assert (following.body.first, following.body.totals, following.number) == (day.index + 1, (), 2)


async def test_closing_twice_by_one_name_closes_once_even_at_the_same_moment(office: Office) -> None:
    days = await asyncio.gather(*(close(office, close_id="d-evening") for _ in range(5)))
    assert len({day.index for day in days}) == 1
    assert office.kinds().count("day.closed") == 1
    assert len(office.box.queries.print_jobs_for("d-evening")) == 1


async def test_it_works_with_things_in_doubt_and_says_so(office: Office) -> None:
    office.virtual.set_fault("go_silent")
    payment_id = await office.pay(WATER)
    assert await office.ends(payment_id) is PaymentState.IN_DOUBT
    day = await close(office)
    assert (day.body.in_doubt_count, day.body.in_doubt_rial, day.body.totals) == (1, WATER_RIAL, ())


async def test_a_payment_that_is_under_way_falls_into_the_next_day(office: Office) -> None:
    payment_id = await office.pay(WATER)
    await office.card_asked_for()
    first = await close(office)
    office.virtual.press("approve")
    assert await office.ends(payment_id) is PaymentState.APPROVED
    second = await close(office)
    assert first.body.totals == ()
    assert [total.count for total in second.body.totals] == [1]


@pytest.mark.parametrize(
    ("count", "amount_rial", "alarms"),
    [(1, WATER_RIAL, 0), (2, 2 * WATER_RIAL, 1), (2, WATER_RIAL, 1), (1, WATER_RIAL + 1, 1), (0, 0, 1)],
    ids=["agrees", "one more", "another number", "another amount", "nothing"],
)
async def test_a_terminals_own_report_is_compared(office: Office, count: int, amount_rial: int, alarms: int) -> None:
    office.virtual.set_auto("approve")
    assert await office.ends(await office.pay(WATER)) is PaymentState.APPROVED
    report = TerminalBatch(terminal="terminal-1", count=count, amount_rial=amount_rial)
    day = await close(office, report)
    assert day.body.batches == (report,)
    assert [total.amount_rial for total in day.body.totals] == [WATER_RIAL]
    assert office.alarms().count(("batch_differs", None)) == alarms


async def test_a_report_of_a_terminal_that_is_not_here_closes_nothing(office: Office) -> None:
    with pytest.raises(OperatorError, match=r"payment\.unknown_terminal"):
        await close(office, TerminalBatch(terminal="terminal-9", count=0, amount_rial=0))
    assert "day.closed" not in office.kinds()


async def test_the_slip_comes_out_and_the_next_one_is_a_copy(office: Office) -> None:
    printer = VirtualPrinter()
    await printer.start()
    documents = office.printing(printer)
    running = asyncio.create_task(documents.run())
    try:
        close_id = (await close(office)).body.close_id
        documents.wake()
        await office.until(lambda: (day := office.box.queries.closed_day(close_id)) is not None and day.printed == 1)
        await documents.request_slip(close_id)
        await office.until(lambda: (day := office.box.queries.closed_day(close_id)) is not None and day.printed == 2)
        assert [job.copy for job in office.box.queries.print_jobs_for(close_id)] == [False, True]
        assert rebuild_projections(office.box.path) == []
        with pytest.raises(OperatorError, match=r"day\.unknown"):
            await documents.request_slip("d-nobody")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await printer.close()


async def test_days_are_listed_newest_first(office: Office) -> None:
    for _ in range(3):
        await close(office)
    assert [day.number for day in office.box.queries.closed_days(None, 2)] == [3, 2]
    assert [day.number for day in office.box.queries.closed_days(2, 2)] == [1]


async def test_a_restart_goes_on_with_the_open_day(tmp_path: Path, terminal: VirtualTerminal) -> None:
    terminal.set_auto("approve")
    async with Office(tmp_path, terminal) as office:
        await close(office)
        assert await office.ends(await office.pay(WATER)) is PaymentState.APPROVED
    async with Office(tmp_path, terminal) as office:
        day = await close(office)
        assert [total.amount_rial for total in day.body.totals] == [WATER_RIAL]
        check_last_close(office.box.queries, day)


async def test_a_journal_that_is_not_what_its_last_close_testified_is_found(office: Office) -> None:
    day = await close(office)
    check_last_close(office.box.queries, None)
    check_last_close(office.box.queries, day)
    for other in (
        msgspec.structs.replace(day.body, root="00" * 32),
        msgspec.structs.replace(day.body, size=day.body.size + 5),
    ):
        with pytest.raises(IntegrityError, match=r"journal\.close_differs"):
            check_last_close(office.box.queries, msgspec.structs.replace(day, body=other))
