"""From an acquirer's file at central to an approved payment at a real box: over HTTP, a journal and a feed."""

import functools

import msgspec
import pytest
from sqlalchemy import select

from central.fleet import feed
from central.ledger.queries import payment, trial_balance
from central.reconciliation.acquirer_files.importing import import_settlement
from central.reconciliation.acquirer_files.neutral_csv import COLUMNS
from central.reconciliation.answering import answer_doubts
from central.store.books import money_case
from edge.services.payments.acquirer_answers import AcquirerAnswers
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.events import (
    Evidence,
    PaymentApproved,
    PaymentDeclined,
    PaymentInDoubt,
    RefundAgreed,
    RefundProposed,
    ReversalInDoubt,
    ReversalRequested,
)
from shared.payment import PaymentState
from tests.central.ingest.offices import OFFICE
from tests.central.ingest.test_real_box import Site, site
from tests.edge.store.boxes import BILL_RIAL, requested, sent

pytestmark = pytest.mark.postgres
__all__ = ["site"]

UNCLEAR = Evidence(source="answer", response_code="FF", stan="000123", rrn="123456789012", terminal_number="00001234")


def settlement_file(day: str, *, also: dict[str, str] | None = None) -> bytes:
    """A file with the row of this payment, and with another one that is like it but for some cells."""
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
    rows = [cells, *([{**cells, **also}] if also else [])]
    lines = [",".join(row.get(name, "") for name in COLUMNS) for row in rows]
    return "\n".join([",".join(COLUMNS), *lines, ""]).encode()


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


async def test_a_reversal_in_doubt_ends_given_back_by_the_acquirers_file(site: Site) -> None:
    engine, clock = site.centre.engine, site.centre.clock
    append_feed = functools.partial(feed.append, clock=clock, signer=site.centre.keys.feed)
    box = site.start()
    seen = Evidence(
        source="answer", response_code="00", amount_rial=BILL_RIAL, stan="000123", rrn="123456789012",
        terminal_number="00001234",
    )  # fmt: skip
    box.write(requested("p1"), sent("p1"), PaymentApproved(payment_id="p1", evidence=seen))
    box.write(
        RefundProposed(
            refund_id="r1", payment_id="p1", means="reversal", amount_rial=BILL_RIAL, operator="a", reason="x"
        ),
        RefundAgreed(refund_id="r1", payment_id="p1", operator="b"),
        ReversalRequested(payment_id="p1", refund_id="r1", means="reversal"),
        ReversalInDoubt(payment_id="p1", reason="no_answer"),
    )
    assert (await box.uplink.exchange_once()).kind == "ok"
    back = {"type": "REVERSAL", "rrn": "5", "stan": "", "original_rrn": "123456789012"}
    data = settlement_file(str(box.clock.now().date()), also=back)
    import_settlement(engine, name="acquirer.csv", data=data, imported_by="mina", clock=clock)
    assert answer_doubts(engine, append_feed, clock=clock) == 1
    await box.uplink.exchange_once()

    async def nothing(_: str) -> None:
        raise AssertionError("nobody was charged")

    judging = AcquirerAnswers(writer=box.writer, queries=box.queries, entropy=SystemEntropy(), on_charged=nothing)
    await judging.judge_all()
    there = box.queries.payment("p1")
    assert there is not None
    assert there.state is PaymentState.REVERSED
    assert (await box.uplink.exchange_once()).kind == "ok"
    with engine.connect() as connection:
        row = payment(connection, OFFICE, "p1")
        assert row is not None
        assert row.state is PaymentState.REVERSED
        assert [account.code for account in trial_balance(connection).accounts if account.balance_rial] == []
    await box.stop()


async def test_a_charge_of_a_declined_payment_ends_as_a_late_approval_and_its_case(site: Site) -> None:
    engine, clock = site.centre.engine, site.centre.clock
    append_feed = functools.partial(feed.append, clock=clock, signer=site.centre.keys.feed)
    box = site.start()
    declined = msgspec.structs.replace(UNCLEAR, response_code="51")
    box.write(requested("p1"), sent("p1"), PaymentDeclined(payment_id="p1", evidence=declined))
    assert (await box.uplink.exchange_once()).kind == "ok"
    data = settlement_file(str(box.clock.now().date()))
    import_settlement(engine, name="acquirer.csv", data=data, imported_by="mina", clock=clock)
    assert answer_doubts(engine, append_feed, clock=clock) == 1
    await box.uplink.exchange_once()
    charged: list[str] = []

    async def on_charged(payment_id: str) -> None:
        charged.append(payment_id)

    judging = AcquirerAnswers(writer=box.writer, queries=box.queries, entropy=SystemEntropy(), on_charged=on_charged)
    await judging.judge_all()
    there = box.queries.payment("p1")
    assert there is not None
    assert (there.state, charged) == (PaymentState.APPROVED, ["p1"])
    assert (await box.uplink.exchange_once()).kind == "ok"
    with engine.connect() as connection:
        kinds = connection.execute(select(money_case.c.kind)).scalars().all()
        assert (list(kinds), trial_balance(connection).debits_rial) == (["late_approval"], BILL_RIAL)
    await box.stop()
