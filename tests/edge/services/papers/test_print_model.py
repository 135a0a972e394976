"""The print spool against a small model: printed once unless nobody can say, and every later paper is a copy."""

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Literal
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.devices.catalogue import load_catalogue
from edge.devices.printers.driver import PrintResult
from edge.devices.printers.status import PrinterStatus
from edge.services.bills.ask_inquiry import AskInquiry
from edge.services.events import EventHub
from edge.services.papers import print_documents
from edge.services.papers.documents import Letterhead
from edge.services.papers.print_documents import PrintDocuments
from shared import receipt
from shared.entropy import SystemEntropy
from tests.edge.store.boxes import Box

End = Literal["printed", "not_printed", "uncertain_out", "uncertain_not_out", "hangs", "raises"]
ENDS: tuple[End, ...] = ("printed", "printed", "not_printed", "uncertain_out", "uncertain_not_out", "raises")
MEMORY = Path("/dev/shm")
"""Nothing here is about a real disk."""
HEAD = Letterhead(office_name="o", office_code="72101001", journal_id="j", verify_base="http://127.0.0.1:1", demo=True)


class Job(msgspec.Struct):
    state: str
    copy: bool


class Model:
    """What the spool holds, by what its papers are about, oldest first."""

    def __init__(self) -> None:
        self.jobs: dict[str, list[Job]] = {}

    def ask(self, about: str) -> None:
        jobs = self.jobs.setdefault(about, [])
        if not any(job.state == "waiting" for job in jobs):
            jobs.append(Job("waiting", any(job.state in ("printed", "uncertain") for job in jobs)))


class PrinterOfTheTest:
    def __init__(self) -> None:
        self.end: End = "printed"
        self.at_it = asyncio.Event()
        self.papers: list[receipt.Receipt] = []

    async def status(self) -> PrinterStatus:
        return PrinterStatus.OK

    async def print(self, data: bytes) -> PrintResult:
        if self.end in ("printed", "uncertain_out"):
            self.papers.append(receipt.decode(data))
        if self.end == "hangs":
            self.at_it.set()
            await asyncio.get_running_loop().create_future()
        if self.end == "raises":
            raise RuntimeError("a fault of the driver")
        kind: Literal["printed", "not_printed", "uncertain"] = (
            "uncertain" if self.end.startswith("uncertain") else "printed" if self.end == "printed" else "not_printed"
        )
        return PrintResult(kind=kind, status=PrinterStatus.OK)


class Spool(RuleBasedStateMachine):
    """Papers are asked for, come out or not, and the box goes down while one is at the printer."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.rendering = patch.object(print_documents, "render", lambda paper, _: receipt.encode(paper))
        self.rendering.start()
        self.runner = asyncio.Runner()
        self.box = Box(Path(self.folder.name))
        self.box.__enter__()
        self.printer, self.model = PrinterOfTheTest(), Model()
        self.order: list[str] = []
        self.documents = self._documents()

    def _documents(self) -> PrintDocuments:
        return PrintDocuments(
            writer=self.box.writer,
            queries=self.box.queries,
            printer=self.printer,
            profile=load_catalogue().printer("daftar/virtual_80mm"),
            head=HEAD,
            hub=EventHub(),
            entropy=SystemEntropy(),
        )

    @rule()
    def a_customer_asks(self) -> None:
        service = AskInquiry(self.box.writer, SystemEntropy())
        about = self.runner.run(service.request("electricity", "123456789", operator="sara"))
        self.order.append(about)
        self.model.ask(about)

    @precondition(lambda self: self.order)
    @rule(data=st.data())
    def somebody_wants_it_again(self, data: st.DataObject) -> None:
        about = data.draw(st.sampled_from(self.order))
        self.runner.run(self.documents.request_ticket(about))
        self.model.ask(about)

    @precondition(lambda self: self.order)
    @rule(end=st.sampled_from(ENDS))
    def the_printer_works(self, end: End) -> None:
        self.printer.end = end
        waiting = [job for job in self._in_spool_order() if job.state == "waiting"]
        self.runner.run(self.documents._print_waiting())
        for job in waiting:
            if end == "not_printed":
                return
            job.state = "printed" if end == "printed" else "uncertain"

    @precondition(lambda self: any(job.state == "waiting" for jobs in self.model.jobs.values() for job in jobs))
    @rule()
    def the_box_goes_down_at_the_printer(self) -> None:
        first = next(job for job in self._in_spool_order() if job.state == "waiting")
        self.printer.end = "hangs"
        self.runner.run(self._down_and_up())
        first.state = "uncertain"

    async def _down_and_up(self) -> None:
        self.printer.at_it.clear()
        task = asyncio.create_task(self.documents.run())
        await self.printer.at_it.wait()
        await _ended(task)
        self.documents = self._documents()
        self.printer.end = "not_printed"
        again = asyncio.create_task(self.documents.run())
        async with asyncio.timeout(60):
            while self.box.queries.print_jobs_in(("printing",)):  # noqa: ASYNC110 - the spool tells nobody
                await asyncio.sleep(0)
        await _ended(again)

    def _in_spool_order(self) -> list[Job]:
        """Return the model's jobs as the spool takes them: in the order in which they came."""
        mine = {about: iter(jobs) for about, jobs in self.model.jobs.items()}
        every = self.box.queries.print_jobs_in(("waiting", "printing", "printed", "uncertain", "failed"))
        return [next(mine[job.about]) for job in every]

    @invariant()
    def the_spool_is_what_the_model_says(self) -> None:
        if hasattr(self, "order"):
            for about, jobs in self.model.jobs.items():
                found = [(job.state, job.copy) for job in self.box.queries.print_jobs_for(about)]
                assert found == [(job.state, job.copy) for job in jobs]

    @invariant()
    def no_second_paper_is_without_the_mark_and_what_is_printed_is_journaled(self) -> None:
        if hasattr(self, "order"):
            originals = [str(paper.rows) for paper in self.printer.papers if not paper.copy]
            assert len(originals) == len(set(originals))
            printed = sum(job.state == "printed" for jobs in self.model.jobs.values() for job in jobs)
            kinds = [msgspec.json.decode(data)["type"] for data, _ in self.box.queries.entries(0, 10_000)]
            assert kinds.count("receipt.printed") == printed

    def teardown(self) -> None:
        if hasattr(self, "order"):
            self.box.__exit__()
            self.runner.close()
            self.rendering.stop()
            self.folder.cleanup()


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


TestSpool = pytest.mark.faults("print failed")(Spool.TestCase)
TestSpool.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
