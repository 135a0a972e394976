import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from edge.box_devices import make_documents
from edge.box_parts import BoxParts
from edge.box_services import service_views
from edge.devices.catalogue import load_catalogue
from edge.devices.printers.driver import PrintResult
from edge.devices.printers.escpos_encoder import END_OF_JOB
from edge.devices.printers.status import PrinterStatus
from edge.devices.virtual.printer import VirtualPrinter
from edge.journal.views import PrintJob
from edge.services.papers.print_documents import PrintDocuments
from edge.settings import PrinterSettings, Settings, TerminalSettings
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from shared.identifiers import Bill
from shared.payment import PaymentState
from shared.receipt import Receipt
from tests.edge.services.office import POWER, WATER, Office


@pytest.fixture
async def printer() -> AsyncIterator[VirtualPrinter]:
    virtual = VirtualPrinter()
    await virtual.start()
    yield virtual
    await virtual.close()


@asynccontextmanager
async def at_work(documents: PrintDocuments) -> AsyncIterator[PrintDocuments]:
    task = asyncio.create_task(documents.run())
    try:
        yield documents
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def paid(office: Office, bill: Bill = WATER) -> str:
    office.virtual.set_auto("approve")
    payment_id = await office.pay(bill)
    assert await office.ends(payment_id) is PaymentState.APPROVED
    return payment_id


def states(office: Office, about: str) -> list[tuple[str, bool]]:
    return [(job.state, job.copy) for job in office.box.queries.print_jobs_for(about)]


async def test_a_receipt_is_printed_and_the_next_one_is_a_copy(office: Office, printer: VirtualPrinter) -> None:
    payment_id = await paid(office)
    async with at_work(office.printing(printer)) as documents:
        await office.until(lambda: office.payment(payment_id).printed == 1)
        await documents.request_receipt(payment_id)
        await office.until(lambda: office.payment(payment_id).printed == 2)
    assert states(office, payment_id) == [("printed", False), ("printed", True)]
    assert len(printer.pieces) == 2
    assert office.kinds().count("receipt.printed") == 2


async def test_a_printer_that_is_off_keeps_the_receipt_waiting_and_the_payment_stands(
    office: Office, printer: VirtualPrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.services.papers.print_documents.LOOK_AGAIN_S", 0.05)
    printer.set_fault("off")
    payment_id = await paid(office)
    async with at_work(office.printing(printer)) as documents:
        await office.until(lambda: documents.view().state == "offline")
        assert office.payment(payment_id).state is PaymentState.APPROVED
        waiting = await documents.request_receipt(payment_id)
        assert states(office, payment_id) == [("waiting", False)], "asking again spools no second paper"
        assert [job.job_id for job in office.box.queries.print_jobs_for(payment_id)] == [waiting]
        printer.set_fault(None)
        await office.until(lambda: office.payment(payment_id).printed == 1)
    assert states(office, payment_id) == [("printed", False)]


class HangingPrinter:
    """Takes a job and neither prints nor fails until it is let go."""

    def __init__(self) -> None:
        self.took = asyncio.Event()
        self.released = asyncio.Event()

    async def status(self) -> PrinterStatus:
        return PrinterStatus.OK

    async def print(self, data: bytes) -> PrintResult:  # noqa: ARG002 - a printer's own signature
        self.took.set()
        await self.released.wait()
        return PrintResult(kind="printed", status=PrinterStatus.OK)


async def test_a_printer_that_hangs_holds_back_no_payment(office: Office, printer: VirtualPrinter) -> None:
    documents = office.printing(printer)
    documents._printer = hanging = HangingPrinter()
    first = await paid(office)
    async with at_work(documents):
        async with asyncio.timeout(30):
            await hanging.took.wait()
        second = await paid(office, POWER)
        documents.wake()
        assert office.payment(second).state is PaymentState.APPROVED
        assert (states(office, first), states(office, second)) == ([("printing", False)], [("waiting", False)])
        assert not hanging.released.is_set()
        hanging.released.set()
        await office.until(lambda: office.payment(second).printed == 1)
    assert office.payment(first).printed == 1


async def test_a_paper_that_may_have_come_out_is_only_printed_again_as_a_copy(
    office: Office, printer: VirtualPrinter
) -> None:
    printer.set_fault("die_mid_job")
    payment_id = await paid(office)
    async with at_work(office.printing(printer)) as documents:
        await office.until(lambda: states(office, payment_id) == [("uncertain", False)])
        printer.set_fault(None)
        await documents.request_receipt(payment_id)
        await office.until(lambda: office.payment(payment_id).printed == 1)
    assert states(office, payment_id) == [("uncertain", False), ("printed", True)]


async def test_a_box_that_went_down_while_printing_says_uncertain(
    tmp_path: Path, office: Office, printer: VirtualPrinter
) -> None:
    payment_id = await paid(office)
    (job,) = office.box.queries.print_jobs_for(payment_id)

    def cut(view: object) -> list[object]:
        view.mark_print(job.job_id, "printing")  # type: ignore[attr-defined] # what a run does before it sends
        return []

    office.box.writer.commit_blocking(cut)  # type: ignore[arg-type] # a decision
    async with at_work(office.printing(printer)):
        await office.until(lambda: states(office, payment_id) == [("uncertain", False)])
    assert not printer.pieces


def parts_of(office: Office, printer: str) -> BoxParts:
    box = office.box
    printing = PrinterSettings(profile="daftar/virtual_80mm", address=printer)
    there = (TerminalSettings(name="terminal-1", profile="daftar/virtual", address="tcp://127.0.0.1:1"),)
    base = "http://127.0.0.1:1"
    return BoxParts(
        settings=Settings(office_name="o", printer=printing, terminals=there, verify_base=base),
        identity=box.identity,
        writer=box.writer,
        queries=box.queries,
        hub=office.hub,
        clock=box.clock,
        entropy=SystemEntropy(),
        service_views=service_views(box.queries, box.identity, box.clock),
    )


async def test_the_end_of_a_paper_from_before_a_restart_is_not_the_end_of_the_next(
    office: Office,
) -> None:
    first, second = await paid(office), await paid(office, POWER)
    (job,) = office.box.queries.print_jobs_for(first)
    office.box.within(lambda view: view.mark_print(job.job_id, "printing"))

    async def goes_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Be well again, tell the end of the paper before, and stop in the next."""
        for _ in range(4):
            await reader.readexactly(3)
            writer.write(b"\x12")
        asked = await reader.readuntil(END_OF_JOB)
        writer.write(b"\0\0" if asked == END_OF_JOB else b"\0")
        await reader.read()
        writer.close()

    profile = load_catalogue().printer("daftar/virtual_80mm")
    times = {"end_of_job_timeout_ms": 400, "status_timeout_ms": 400}
    profile = msgspec.structs.replace(profile, times=msgspec.structs.replace(profile.times, **times))
    server = await asyncio.start_server(goes_on, "127.0.0.1", 0, limit=2**24)
    async with server:
        address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with at_work(make_documents(parts_of(office, address), profile)):
            await office.until(lambda: states(office, second)[0][0] in ("printed", "uncertain"))
    assert (states(office, first), states(office, second)) == ([("uncertain", False)], [("uncertain", False)])


async def test_nothing_is_printed_for_what_was_not_charged(office: Office, printer: VirtualPrinter) -> None:
    office.virtual.set_auto("decline")
    payment_id = await office.pay()
    await office.ends(payment_id)
    documents = office.printing(printer)
    with pytest.raises(OperatorError, match=r"payment\.no_receipt"):
        await documents.request_receipt(payment_id)
    with pytest.raises(OperatorError, match=r"inquiry\.unknown"):
        await documents.request_ticket("q-nobody")


async def test_an_inquiry_gets_its_ticket(office: Office, printer: VirtualPrinter) -> None:
    inquiry_id = await office.inquiries.request("electricity", "۹۱۷۴۶۳۹", operator="sara")
    async with at_work(office.printing(printer)):
        await office.until(lambda: len(printer.pieces) == 1)
    inquiry = office.box.queries.inquiry(inquiry_id)
    assert inquiry is not None
    assert (inquiry.ticket, inquiry.parameter_tail) == (1, "639")


@pytest.mark.faults("paper not made")
async def test_a_paper_that_cannot_be_made_does_not_hold_back_the_next(
    office: Office, printer: VirtualPrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await paid(office)
    second = await office.pay(POWER)
    assert await office.ends(second) is PaymentState.APPROVED
    documents = office.printing(printer)
    make = documents._receipt

    def fail_once(job: PrintJob) -> Receipt:
        if job.about == first:
            raise ValueError("a fault nobody thought of")
        return make(job)

    monkeypatch.setattr(documents, "_receipt", fail_once)
    async with at_work(documents):
        await office.until(lambda: office.payment(second).printed == 1)
    assert states(office, first) == [("failed", False)]


@pytest.mark.faults("print failed")
async def test_a_fault_while_a_paper_is_at_the_printer_leaves_it_uncertain_and_the_next_a_copy(
    office: Office, printer: VirtualPrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment_id = await paid(office)
    documents = office.printing(printer)
    real = documents._printer.print

    async def print_and_fail(data: bytes) -> PrintResult:
        await real(data)
        raise RuntimeError("a fault nobody thought of")

    monkeypatch.setattr(documents._printer, "print", print_and_fail)
    async with at_work(documents):
        await office.until(lambda: states(office, payment_id) == [("uncertain", False)])
        monkeypatch.setattr(documents._printer, "print", real)
        await documents.request_receipt(payment_id)
        await office.until(lambda: office.payment(payment_id).printed == 1)
    assert states(office, payment_id) == [("uncertain", False), ("printed", True)]


async def test_two_who_ask_for_a_paper_at_once_get_one(office: Office, printer: VirtualPrinter) -> None:
    payment_id = await paid(office)
    documents = office.printing(printer)
    (job,) = office.box.queries.print_jobs_for(payment_id)
    office.box.within(lambda view: view.mark_print(job.job_id, "failed"))
    jobs = await asyncio.gather(*(documents.request_receipt(payment_id) for _ in range(8)))
    assert len(set(jobs)) == 1
    assert states(office, payment_id) == [("failed", False), ("waiting", False)]
