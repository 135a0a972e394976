"""From an acquirer's file at central to an approved payment at a real box: over HTTP, a journal and a feed."""

import functools

import pytest

from central.fleet import feed
from central.ledger.queries import payment, trial_balance
from central.reconciliation.acquirer_files.importing import import_settlement
from central.reconciliation.acquirer_files.neutral_csv import COLUMNS
from central.reconciliation.answering import answer_doubts
from edge.services.acquirer_answers import AcquirerAnswers
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.events import Evidence, PaymentInDoubt
from shared.payment import PaymentState
from tests.central.ingest.offices import OFFICE
from tests.central.ingest.test_real_box import Site, site
from tests.edge.store.boxes import BILL_RIAL, requested, sent

pytestmark = pytest.mark.postgres
__all__ = ["site"]

UNCLEAR = Evidence(source="answer", response_code="FF", stan="000123", rrn="123456789012", terminal_number="00001234")


def settlement_file(day: str) -> bytes:
    cells = {
        "psp": "behpardakht",
        "rrn": "123456789012",
        "stan": "000123",
        "terminal_id": "1234",
        "amount": str(BILL_RIAL),
        "currency": "IRR",
        "local_date": day,
        "financial_date": day,
        "type": "SALE",
        "status": "SUCCESS",
    }
    return "\n".join([",".join(COLUMNS), ",".join(cells.get(name, "") for name in COLUMNS), ""]).encode()


async def test_a_doubt_ends_approved_by_the_acquirers_file(site: Site) -> None:
    engine, clock = site.centre.engine, site.centre.clock
    append_feed = functools.partial(feed.append, clock=clock, signer=site.centre.keys.feed)
    box = site.start()
    box.write(requested("p1"), sent("p1"))
    box.write(PaymentInDoubt(payment_id="p1", reason="unclear_code", evidence=UNCLEAR))
    assert (await box.uplink.exchange_once()).kind == "ok"
    with engine.connect() as connection:
        row = payment(connection, OFFICE, "p1")
        assert row is not None
        assert trial_balance(connection).debits_rial == 0
    assert answer_doubts(engine, append_feed, clock=clock) == 0

    data = settlement_file(str(box.clock.now().date()))
    import_settlement(engine, name="acquirer.csv", data=data, imported_by="mina", clock=clock)
    assert answer_doubts(engine, append_feed, clock=clock) == 1
    assert (await box.uplink.exchange_once()).received_count == 2

    charged: list[str] = []

    async def on_charged(payment_id: str) -> None:
        charged.append(payment_id)

    judging = AcquirerAnswers(writer=box.writer, queries=box.queries, entropy=SystemEntropy(), on_charged=on_charged)
    await judging.judge_all()
    await judging.judge_all()
    there = box.queries.payment("p1")
    assert there is not None
    assert (there.state, there.rrn, charged) == (PaymentState.APPROVED, "123456789012", ["p1"])

    assert (await box.uplink.exchange_once()).kind == "ok"
    with engine.connect() as connection:
        row = payment(connection, OFFICE, "p1")
        assert row is not None
        assert (row.state, row.confirmation) == (PaymentState.APPROVED, "queued")
        assert trial_balance(connection).debits_rial == BILL_RIAL
    assert answer_doubts(engine, append_feed, clock=SystemClock()) == 0
    await box.stop()
