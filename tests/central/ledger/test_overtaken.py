"""What comes after a case had booked money away: nothing is lost twice, and nobody has to notice; on PostgreSQL."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from central.ledger.cases import NewCase, open_again, open_case
from central.ledger.overtaken import MOVED_SINCE, PROPOSED_BEFORE, SETTLED_AFTER_ALL, TAKEN_BACK_SINCE
from central.ledger.queries import trial_balance
from central.reconciliation import queries
from central.reconciliation.cases import open_break
from central.reconciliation.closing import agree_closing, closings, propose_closing
from central.reconciliation.correcting import correct_settlement
from central.reconciliation.views import CaseView
from shared.errors import OperatorError
from shared.events import (
    Evidence,
    PaymentApproved,
    PaymentInDoubt,
    PaymentOverridden,
    PaymentReversed,
    ReversalRequested,
)
from tests.central.reconciliation.test_correcting import data_of
from tests.central.reconciliation.test_running import (
    AT,
    CLOCK,
    OFFICE,
    TERMINAL,
    approved,
    line,
    post,
    run_all,
    sent,
    upload,
)

pytestmark = pytest.mark.postgres

RRN, OTHER = "100000000003", "100000000001"
RECEIVABLE = f"receivable:{TERMINAL}"


def balances(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        trial = trial_balance(connection)
    assert trial.debits_rial == trial.credits_rial
    return {account.code: account.balance_rial for account in trial.accounts if account.balance_rial}


def missing(engine: Engine) -> str:
    """The case of a payment of 30 000 that the first file does not have."""
    post(engine, *approved("lost", RRN, 30_000))
    upload(engine, line(OTHER, 1_000), name="first.csv")
    run = run_all(engine)
    with engine.connect() as connection:
        (lost,) = queries.decisions(connection, run.run.run_id, bucket="missing_at_acquirer")
    return open_break(engine, run.run.run_id, lost.number, by="mina", clock=CLOCK)


def proposed(engine: Engine, case_id: str, outcome: str) -> int:
    """Propose an end and return the closing."""
    propose_closing(engine, case_id, outcome=outcome, reason="پیگیری شد", by="mina", clock=CLOCK)
    with engine.connect() as connection:
        return closings(connection, case_id)[-1].closing_id


def close(engine: Engine, case_id: str, outcome: str) -> None:
    agree_closing(engine, case_id, proposed(engine, case_id, outcome), by="sara", clock=CLOCK)


def case_of(engine: Engine, case_id: str) -> CaseView:
    with engine.connect() as connection:
        found = queries.case(connection, case_id)
    assert found is not None
    return found


@pytest.mark.parametrize("outcome", ["loss", "written_off", "recovered"])
def test_a_late_settlement_takes_the_closing_back_and_opens_the_case(engine: Engine, outcome: str) -> None:
    case_id = missing(engine)
    close(engine, case_id, outcome)
    assert RECEIVABLE not in balances(engine)
    upload(engine, line(RRN, 30_000), name="late.csv")
    run_all(engine)
    assert balances(engine) == {"settled": 30_000, "unconfirmed": 30_000}
    seen = case_of(engine, case_id)
    assert (seen.case.state, seen.case.outcome, seen.notes[-1].text) == ("open", None, SETTLED_AFTER_ALL)
    # Nothing is turned round twice, and the case may end again.
    run_all(engine)
    assert len(case_of(engine, case_id).notes) == len(seen.notes)
    propose_closing(engine, case_id, outcome="explained", reason="دیر رسید", by="mina", clock=CLOCK)
    assert case_of(engine, case_id).case.state == "closed"
    assert balances(engine) == {"settled": 30_000, "unconfirmed": 30_000}


def test_what_a_customer_was_paid_stays_paid(engine: Engine) -> None:
    case_id = missing(engine)
    close(engine, case_id, "refunded")
    upload(engine, line(RRN, 30_000), name="late.csv")
    run_all(engine)
    assert balances(engine) == {"settled": 30_000, "paid_out": 30_000}
    assert (case_of(engine, case_id).case.state, case_of(engine, case_id).case.outcome) == ("closed", "refunded")


def test_a_closing_that_two_people_took_back_already_is_not_taken_back_again(engine: Engine) -> None:
    case_id = missing(engine)
    close(engine, case_id, "loss")
    close(engine, case_id, "reopened")
    upload(engine, line(RRN, 30_000), name="late.csv")
    run_all(engine)
    assert balances(engine) == {"settled": 30_000, "unconfirmed": 30_000}


@pytest.mark.parametrize(("last", "stands_on"), [("recovered", "settled"), ("explained", RECEIVABLE)])
def test_taking_the_last_end_back_leaves_what_an_earlier_one_paid_the_customer(
    engine: Engine, last: str, stands_on: str
) -> None:
    case_id = missing(engine)
    close(engine, case_id, "refunded")
    with engine.begin() as connection:
        open_again(connection, case_id)  # as news of it does
    if not propose_closing(engine, case_id, outcome=last, reason="x", by="mina", clock=CLOCK):
        with engine.connect() as connection:
            waiting = closings(connection, case_id)[-1].closing_id
        agree_closing(engine, case_id, waiting, by="sara", clock=CLOCK)
    assert balances(engine) == {stands_on: 30_000, "paid_out": 30_000}
    close(engine, case_id, "reopened")
    assert balances(engine) == {RECEIVABLE: 30_000, "paid_out": 30_000}


def test_what_waits_to_be_agreed_of_the_closed_case_is_dropped(engine: Engine) -> None:
    case_id = missing(engine)
    close(engine, case_id, "loss")
    proposed(engine, case_id, "reopened")
    upload(engine, line(RRN, 30_000), name="late.csv")
    run_all(engine)
    with engine.connect() as connection:
        assert [each.state for each in closings(connection, case_id)] == ["agreed", "dropped"]
    close(engine, case_id, "loss")
    assert balances(engine) == {"losses": 30_000, "unconfirmed": 30_000}


def test_a_settlement_that_is_withdrawn_takes_back_what_was_booked_off_it(engine: Engine) -> None:
    post(engine, *approved("lost", RRN, 30_000))
    first = upload(engine, line(RRN, 30_000), line(OTHER, 1_000), name="first.csv")
    run_all(engine)
    new = NewCase(kind="overdue", about="1/lost", amount_rial=30_000, office_id=OFFICE, payment_id="lost")
    with engine.begin() as connection:
        case_id = open_case(connection, new, at=AT)
    close(engine, case_id, "loss")
    assert balances(engine) == {"losses": 30_000, "unconfirmed": 30_000}
    correct_settlement(
        engine,
        corrects=first.file_id,
        reason="نسخهٔ دوم پذیرنده",
        name="second.csv",
        data=data_of(line(OTHER, 1_000)),
        by="mina",
        clock=CLOCK,
    )
    assert balances(engine) == {RECEIVABLE: 30_000, "unconfirmed": 30_000}
    seen = case_of(engine, case_id)
    assert (seen.case.state, seen.notes[-1].text) == ("open", TAKEN_BACK_SINCE)


def test_a_closing_and_a_settlement_at_once_lose_nothing(engine: Engine) -> None:
    case_id = missing(engine)
    closing_id = proposed(engine, case_id, "loss")
    upload(engine, line(RRN, 30_000), name="late.csv")
    together = threading.Barrier(2, timeout=60)

    def agree() -> None:
        together.wait()
        with contextlib.suppress(OperatorError):
            agree_closing(engine, case_id, closing_id, by="sara", clock=CLOCK)

    def run() -> None:
        together.wait()
        run_all(engine)

    with ThreadPoolExecutor(2) as pool:
        for done in (pool.submit(agree), pool.submit(run)):
            done.result(timeout=60)
    # Whichever came first: the loss was taken back, or nobody could agree to it any more.
    assert balances(engine) == {"settled": 30_000, "unconfirmed": 30_000}
    assert case_of(engine, case_id).case.state == "open"


def test_what_was_proposed_before_the_money_came_cannot_be_agreed_to_after(engine: Engine) -> None:
    case_id = missing(engine)
    closing_id = proposed(engine, case_id, "loss")
    upload(engine, line(RRN, 30_000), name="late.csv")
    run_all(engine)
    with pytest.raises(OperatorError, match=r"case\.no_closing"):
        agree_closing(engine, case_id, closing_id, by="sara", clock=CLOCK)
    assert balances(engine) == {"settled": 30_000, "unconfirmed": 30_000}
    assert (case_of(engine, case_id).case.state, case_of(engine, case_id).notes[-1].text) == ("open", PROPOSED_BEFORE)


def in_doubt_loss(engine: Engine) -> str:
    """The case of a payment that a supervisor said was charged, closed as a loss off that word."""
    post(
        engine,
        *sent("said", 30_000),
        PaymentInDoubt(payment_id="said", reason="no_answer"),
        PaymentOverridden(payment_id="said", charged=True, operator="boss", reason="slip", slip_number="9"),
    )
    with engine.connect() as connection:
        (case,) = queries.cases(connection)
    close(engine, case.case_id, "written_off")
    assert balances(engine) == {"losses": 30_000, "unconfirmed": 30_000}
    return case.case_id


def test_evidence_after_a_loss_takes_the_closing_back(engine: Engine) -> None:
    case_id = in_doubt_loss(engine)
    evidence = Evidence(source="late_answer", response_code="00", amount_rial=30_000, terminal_number=TERMINAL)
    post(engine, PaymentApproved(payment_id="said", evidence=evidence))
    assert balances(engine) == {RECEIVABLE: 30_000, "unconfirmed": 30_000}
    assert (case_of(engine, case_id).case.state, case_of(engine, case_id).notes[-1].text) == ("open", MOVED_SINCE)


def test_money_given_back_after_a_loss_takes_the_closing_back(engine: Engine) -> None:
    case_id = missing(engine)
    close(engine, case_id, "loss")
    post(
        engine,
        ReversalRequested(payment_id="lost", refund_id="r1", means="void"),
        PaymentReversed(payment_id="lost", evidence=Evidence(source="reversal", response_code="00")),
    )
    assert balances(engine) == {}
    assert case_of(engine, case_id).case.state == "open"
