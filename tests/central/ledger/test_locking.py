"""Transactions of the books that wait for each other: in one order, and done anew where they could not know it."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from central.ledger.cases import case_id, note_if_there
from central.ledger.locking import lock_obligations
from central.ledger.store import load_payment
from central.reconciliation.closing import agree_closing, propose_closing
from central.reconciliation.queries import cases
from central.store.transactions import in_transaction
from shared.clock import SystemClock
from shared.events import PaymentInDoubt, PaymentOverridden
from tests.central.ledger.test_receive import Journal, post, requested, sent

pytestmark = pytest.mark.postgres

DEADLINE_S = 60
_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


def until_waiting(engine: Engine, busy: Future[Any]) -> None:
    """Wait until another connection waits for a lock. Fails where the other one ended without."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for _ in range(100_000):
            if connection.execute(_WAITING).scalar_one():
                return
            assert not busy.done(), busy.exception()
    pytest.fail("nobody waits")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a deadlock be seen: nothing is done anew."""
    monkeypatch.setattr("central.store.transactions._GIVEN_UP", frozenset())


@pytest.mark.usefixtures("no_second_try")
def test_a_case_is_closed_while_an_entry_of_its_payment_is_booked(engine: Engine, threads: ThreadPoolExecutor) -> None:
    journal = Journal("72101001")
    doubt = PaymentInDoubt(payment_id="pay-1", reason="no_answer")
    word = PaymentOverridden(payment_id="pay-1", charged=True, slip_number="1", operator="op", reason="slip")
    post(engine, journal.entries(requested(), sent(), doubt, word))
    named = case_id("overridden", "72101001/pay-1")
    propose_closing(engine, named, outcome="loss", reason="x", by="mina", clock=SystemClock())
    with engine.begin() as exchange:
        load_payment(exchange, "72101001", "pay-1")
        closing = threads.submit(agree_closing, engine, named, 1, by="sara", clock=SystemClock())
        until_waiting(engine, closing)
        # Whoever closes waits for the payment and holds nothing: else PostgreSQL would give one of the two up here.
        assert note_if_there(exchange, named, "news", closes=False, at=SystemClock().now())
    closing.result(DEADLINE_S)
    with engine.connect() as connection:
        (case,) = cases(connection)
    assert (case.state, case.outcome) == ("closed", "loss")


def test_a_transaction_that_was_given_up_is_done_anew(engine: Engine, threads: ThreadPoolExecutor) -> None:
    both_hold = threading.Barrier(2)
    done: list[str] = []

    def locks(first: str, then: str) -> Callable[[Connection], None]:
        tries = []

        def work(connection: Connection) -> None:
            tries.append(first)
            connection.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
            lock_obligations(connection, [first])
            if len(tries) == 1:
                both_hold.wait(DEADLINE_S)
            lock_obligations(connection, [then])
            done.append(first)

        return work

    running = [threads.submit(in_transaction, engine, locks(*pair)) for pair in (("a", "b"), ("b", "a"))]
    for one in running:
        one.result(DEADLINE_S)
    assert sorted(done) == ["a", "b"]
