from collections.abc import Sequence

import pytest

from edge.journal.views import PrintJob, PrintState
from edge.journal.writer import StoreView
from shared.errors import BugError
from shared.events import Body, ReceiptPrinted
from tests.edge.store.boxes import Box, approved, requested, sent


def job(job_id: str, about: str = "p1") -> PrintJob:
    return PrintJob(job_id=job_id, document="bill_receipt", about=about)


def spooled(bodies: Sequence[Body], *jobs: PrintJob):
    def decide(view: StoreView) -> Sequence[Body]:
        for each in jobs:
            view.spool_print(each)
        return bodies

    return decide


def test_an_approval_and_its_paper_are_one_commit(box: Box):
    box.write(requested("p1"), sent("p1"))
    with pytest.raises(BugError):
        box.writer.commit_blocking(spooled([approved("nobody")], job("j0")))
    assert box.queries.print_job("j0") is None
    box.writer.commit_blocking(spooled([approved("p1")], job("j1")))
    assert box.queries.print_jobs_for("p1") == [job("j1")]


def test_papers_wait_in_the_order_they_came(box: Box):
    box.writer.commit_blocking(spooled([], job("j9"), job("j1", "q1"), job("j5")))
    assert [each.job_id for each in box.queries.print_jobs_in(("waiting",))] == ["j9", "j1", "j5"]
    assert [each.job_id for each in box.queries.print_jobs_for("p1")] == ["j9", "j5"]


def test_each_time_at_the_printer_is_an_attempt(box: Box):
    box.writer.commit_blocking(spooled([], job("j1")))

    def mark(state: PrintState, status: str | None) -> None:
        box.within(lambda view: view.mark_print("j1", state, last_status=status))

    mark("printing", None)
    mark("waiting", "paper_end")
    mark("printing", None)
    mark("uncertain", "offline")
    found = box.queries.print_job("j1")
    assert found
    assert (found.state, found.attempts, found.last_status) == ("uncertain", 2, "offline")
    assert box.queries.print_jobs_in(("waiting", "printing")) == []


def test_the_printers_word_and_its_fact_are_one_commit(box: Box):
    box.write(requested("p1"))
    box.writer.commit_blocking(spooled([], job("j1")))

    def printed(view: StoreView) -> Sequence[Body]:
        view.mark_print("j1", "printed")
        return [ReceiptPrinted(job_id="j1", document="bill_receipt", about="p1", copy=False)]

    box.writer.commit_blocking(printed)
    payment, found = box.queries.payment("p1"), box.queries.print_job("j1")
    assert payment
    assert found
    assert (payment.printed, found.state) == (1, "printed")


def test_a_paper_that_is_not_there_cannot_be_moved(box: Box):
    with pytest.raises(BugError) as caught:
        box.within(lambda view: view.mark_print("no", "printed"))
    assert caught.value.code == "print.no_such_job"
