"""Entries the books stumbled over, booked later: nothing twice, in the journal's order, and the alarms are closed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, select, text, update

from central.ingest.accepted import Accepted, JournalContext
from central.ingest.reposting import RepostReport, repost
from central.ledger.queries import payment, trial_balance
from central.ledger.receive import post_entries
from central.ledger.reopening import BOOKED_LATER
from central.reconciliation.queries import case, cases
from central.store import fleet, journals
from shared.events import Evidence, PaymentApproved, PaymentRequested, PaymentSent, Split
from tests.central.ingest.offices import OFFICE, Centre, exchange
from tests.sync.models import BoxModel

pytestmark = pytest.mark.postgres


def pay(box: BoxModel, payment_id: str) -> None:
    box.log.append(
        PaymentRequested(
            payment_id=payment_id,
            obligation=f"bill:{payment_id}",
            purpose="bill",
            amount_rial=17_000,
            split=Split(gross_rial=17_000, company_rial=17_000),
            method="pcpos",
            terminal="counter-1",
            reference="123456789012345678",
            operator="op-1",
            bill_id="7748317800142",
            bill_payment_id="1770160",
        )
    )
    box.log.append(PaymentSent(payment_id=payment_id, terminal_number="11223344"))
    evidence = Evidence(source="answer", response_code="00", amount_rial=17_000, rrn="1", terminal_number="11223344")
    box.log.append(PaymentApproved(payment_id=payment_id, evidence=evidence))


def stumbling(connection: Connection, journal: JournalContext, accepted: Sequence[Accepted]) -> None:
    """The books of a release with a fault: no request can be booked."""
    if any(isinstance(one.body, PaymentRequested) for one in accepted):
        connection.execute(text("SELECT 1 / 0"))
    post_entries(connection, journal, accepted)


def charged_rial(centre: Centre) -> int:
    with centre.engine.connect() as connection:
        trial = trial_balance(connection)
    assert trial.debits_rial == trial.credits_rial
    return trial.debits_rial


@pytest.mark.faults("posting failed")
def test_what_failed_is_booked_by_a_release_that_can_with_what_hung_on_it(centre: Centre) -> None:
    box = centre.box()
    pay(box, "pay-1")
    pay(box, "pay-2")
    exchange(box, centre.receiver(stumbling))
    assert [place for _, place in centre.dispositions()].count("posting_failed") == 2
    with centre.engine.connect() as connection:
        assert [one.kind for one in cases(connection)] == ["unposted"] * 4
    assert charged_rial(centre) == 0

    assert repost(centre.engine, stumbling, clock=centre.clock) == RepostReport(taken=4, failed=2)
    assert charged_rial(centre) == 0
    assert repost(centre.engine, post_entries, clock=centre.clock) == RepostReport(taken=6, failed=0)
    assert charged_rial(centre) == 34_000
    assert {place for _, place in centre.dispositions()} == {"accepted"}
    with centre.engine.connect() as connection:
        row = payment(connection, OFFICE, "pay-2")
        assert row is not None
        assert (row.state, row.confirmation) == ("approved", "queued")
        assert set(connection.execute(select(fleet.alarm.c.closed_by)).scalars()) == {"central"}
        for one in cases(connection):
            view = case(connection, one.case_id)
            assert view is not None
            assert [note.text for note in view.notes] == [BOOKED_LATER]
    assert repost(centre.engine, post_entries, clock=centre.clock) == RepostReport(taken=0, failed=0)


@pytest.mark.faults("posting failed")
def test_many_that_repost_at_once_and_a_box_that_goes_on_book_once(centre: Centre) -> None:
    box = centre.box()
    for number in range(5):
        pay(box, f"pay-{number}")
    exchange(box, centre.receiver(stumbling))
    pay(box, "later")
    request, receiver = box.request(), centre.receiver(post_entries)
    with ThreadPoolExecutor(5) as pool:
        reports = [pool.submit(repost, centre.engine, post_entries, clock=centre.clock) for _ in range(4)]
        pool.submit(receiver.receive, request).result(20)
        assert sum(report.result(20).taken for report in reports) == 15
    assert charged_rial(centre) == 6 * 17_000


def test_an_entry_of_a_type_that_is_known_by_now_is_booked(centre: Centre) -> None:
    box = centre.box()
    pay(box, "pay-1")
    exchange(box, centre.receiver(as_another_release))
    with centre.engine.begin() as connection:
        connection.execute(
            update(journals.journal_entry)
            .where(journals.journal_entry.c.entry_index == 1)
            .values(disposition="unknown_type")
        )
    assert charged_rial(centre) == 0
    assert repost(centre.engine, post_entries, clock=centre.clock) == RepostReport(taken=2, failed=0)
    assert charged_rial(centre) == 17_000


def as_another_release(connection: Connection, journal: JournalContext, accepted: Sequence[Accepted]) -> None:
    """The books of a release that did not know `payment.sent`."""
    unknown = [
        Accepted(
            office=one.office,
            journal=one.journal,
            index=one.index,
            leaf=one.leaf,
            entry=one.entry,
            body=None if isinstance(one.body, PaymentSent) else one.body,
            received_at=one.received_at,
        )
        for one in accepted
    ]
    post_entries(connection, journal, unknown)


def test_what_a_quarantined_box_says_is_not_booked(centre: Centre) -> None:
    box, receiver = centre.box(), centre.receiver(post_entries)
    pay(box, "pay-1")
    exchange(box, receiver)
    clone = box.image("B")
    pay(clone, "forged")
    pay(box, "pay-2")
    exchange(box, receiver)
    assert exchange(clone, receiver).status == "quarantined"
    pay(box, "held")
    assert exchange(box, receiver).status == "quarantined"
    assert charged_rial(centre) == 34_000
    assert repost(centre.engine, post_entries, clock=centre.clock) == RepostReport(taken=0, failed=0)
    with centre.engine.connect() as connection:
        assert payment(connection, OFFICE, "forged") is None
        assert payment(connection, OFFICE, "held") is None
        assert cases(connection) == ()
