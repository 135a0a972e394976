"""Only money that is there is handed on to a provider, and a bill is paid with one payment only."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from central.ledger.cases import CaseKind, NewCase, open_case
from central.ledger.queries import payment
from central.providers.queries import subject_tasks
from central.providers.sandbox_state import made_bill
from central.providers.worker import WorkReport
from central.reconciliation.closing import agree_closing, closings, propose_closing
from central.reconciliation.queries import payment_cases
from central.store.books import provider_task
from shared.errors import OperatorError
from shared.events import (
    Evidence,
    PaymentAcknowledged,
    PaymentApproved,
    PaymentConfirmed,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentNotCharged,
    PaymentOverridden,
    PaymentRefused,
    PaymentReversed,
    PaymentSent,
    RefundAgreed,
    RefundProposed,
    ReversalRequested,
)
from tests.central.providers.worlds import BILL, OFFICE, World

pytestmark = pytest.mark.postgres

NOTHING = WorkReport(done=0, waiting=0, troubled=0)
HELD = WorkReport(done=0, waiting=1, troubled=0)
DONE = WorkReport(done=1, waiting=0, troubled=0)
REVERSED = Evidence(source="reversal", response_code="00")


def evidence(source: str = "late_answer") -> Evidence:
    return Evidence(
        source=source,  # type: ignore[arg-type]
        response_code="00",
        amount_rial=17_000,
        stan="000777",
        rrn="777777777777",
        terminal_number="11223344",
    )


def opened(world: World, payment_id: str) -> dict[str, str]:
    """The cases about a payment by kind, with their states."""
    with world.engine.connect() as connection:
        return {case.kind: case.state for case in payment_cases(connection, OFFICE, payment_id)}


def confirmation(world: World, payment_id: str) -> str:
    with world.engine.connect() as connection:
        row = payment(connection, OFFICE, payment_id)
    assert row is not None
    return row.confirmation


def begin_late(world: World, payment_id: str, obligation: str) -> None:
    """A payment that the terminal declined: its obligation is free for another."""
    world.post(
        world.request(payment_id, obligation=obligation),
        PaymentSent(payment_id=payment_id, terminal_number="11223344"),
        PaymentDeclined(payment_id=payment_id, evidence=Evidence(source="answer", response_code="51")),
    )


def test_a_late_approval_of_a_bill_nobody_paid_otherwise_is_confirmed_and_its_case_closes(world: World) -> None:
    begin_late(world, "pay-1", "bill:1")
    world.post(PaymentApproved(payment_id="pay-1", evidence=evidence()))
    assert opened(world, "pay-1") == {"late_approval": "open"}
    assert world.work() == DONE
    assert isinstance(world.told()[0], PaymentConfirmed)
    assert opened(world, "pay-1") == {"late_approval": "closed"}


def test_a_late_approval_of_a_bill_paid_since_is_owed_to_the_customer(world: World) -> None:
    begin_late(world, "pay-1", "bill:1")
    world.pay("pay-2", obligation="bill:1")
    world.post(PaymentApproved(payment_id="pay-1", evidence=evidence()))
    assert opened(world, "pay-1") == {"late_approval": "open", "refund": "open"}
    world.work()
    world.clock.wait(10)
    world.work()
    first, second = world.told()
    assert isinstance(first, PaymentConfirmed)
    assert isinstance(second, PaymentRefused)
    assert (first.payment_id, second.payment_id) == ("pay-2", "pay-1")
    assert world.balances() == {"receivable:11223344": 34_000, "biller:landline": 17_000, "refunds": 17_000}
    assert opened(world, "pay-1") == {"late_approval": "closed", "refund": "open"}
    # The provider, which takes a bill twice if it is told of it twice, never heard of the second payment.
    calls = world.control.get("/control/state").json()["calls"]
    assert sum(count for call, count in calls.items() if call.startswith("confirm:")) == 1


def test_the_second_of_two_payments_is_taken_when_the_first_one_is_not(world: World) -> None:
    other_bill = made_bill("electricity", "5566", 17_000)
    mark = {"bill_id": BILL[0], "payment_id": BILL[1], "state": "expired"}
    world.control.post("/control/bills", json=mark).raise_for_status()
    world.pay("pay-1", obligation="bill:1")
    world.pay("pay-2", other_bill, obligation="bill:1")
    assert opened(world, "pay-2") == {"refund": "open"}
    world.work()
    world.clock.wait(10)
    world.work()
    assert (confirmation(world, "pay-1"), confirmation(world, "pay-2")) == ("refused", "confirmed")
    assert opened(world, "pay-2") == {"refund": "closed"}


@pytest.mark.parametrize("stands", [True, False])
def test_a_bill_that_a_terminal_paid_by_its_ids_is_not_handed_on_a_second_time(world: World, *, stands: bool) -> None:
    world.post(
        world.request("pay-1", obligation="bill:1"),
        PaymentSent(payment_id="pay-1", terminal_number="11223344", pays_bill=True),
        PaymentApproved(payment_id="pay-1", evidence=evidence("answer")),
    )
    if not stands:
        world.post(
            ReversalRequested(payment_id="pay-1", refund_id="r", means="reversal"),
            PaymentReversed(payment_id="pay-1", evidence=REVERSED),
        )
    world.pay("pay-2", obligation="bill:1")
    assert world.work() == DONE
    assert confirmation(world, "pay-2") == ("refused" if stands else "confirmed")
    calls = world.control.get("/control/state").json()["calls"]
    assert any(call.startswith("confirm:") for call in calls) is not stands, "the acquirer paid the biller already"
    assert opened(world, "pay-2") == ({"refund": "open"} if stands else {})


@pytest.mark.parametrize("paid", [True, False])
def test_a_bill_that_a_terminal_may_have_paid_by_its_ids_waits_until_that_is_known(world: World, *, paid: bool) -> None:
    world.post(
        world.request("pay-1", obligation="bill:1"),
        PaymentSent(payment_id="pay-1", terminal_number="11223344", pays_bill=True),
    )
    world.pay("pay-2", obligation="bill:1")
    assert world.work() == HELD
    world.post(PaymentInDoubt(payment_id="pay-1", reason="no_answer"))
    world.clock.wait(10)
    assert world.work() == HELD
    if paid:
        world.post(PaymentApproved(payment_id="pay-1", evidence=evidence("status_query")))
    else:
        declined = Evidence(source="status_query", response_code="51")
        world.post(PaymentDeclined(payment_id="pay-1", evidence=declined))
    world.clock.wait(20)
    assert world.work() == DONE
    assert confirmation(world, "pay-2") == ("refused" if paid else "confirmed")
    calls = world.control.get("/control/state").json()["calls"]
    assert any(call.startswith("confirm:") for call in calls) is not paid, "the acquirer pays the biller"


def test_money_in_doubt_again_waits_and_money_given_back_is_not_handed_on(world: World) -> None:
    world.pay("pay-1")
    world.post(PaymentInDoubt(payment_id="pay-1", reason="restart"))
    assert world.work() == HELD
    world.clock.wait(10)
    world.post(
        PaymentApproved(payment_id="pay-1", evidence=evidence("status_query")),
        ReversalRequested(payment_id="pay-1", refund_id="r", means="reversal"),
    )
    assert world.work() == HELD
    world.post(PaymentReversed(payment_id="pay-1", evidence=REVERSED))
    world.clock.wait(20)
    assert world.work() == DONE
    assert (world.told(), world.balances(), confirmation(world, "pay-1")) == ([], {}, "none")
    with world.engine.connect() as connection:
        assert [task.outcome for task in subject_tasks(connection, OFFICE, "pay-1")] == ["withdrawn"]


def test_a_withdrawn_question_is_asked_when_the_money_is_there_after_all(world: World) -> None:
    world.pay("pay-1")
    world.post(
        PaymentInDoubt(payment_id="pay-1", reason="restart"),
        PaymentDeclined(payment_id="pay-1", evidence=Evidence(source="status_query", response_code="51")),
    )
    assert world.work() == DONE
    assert confirmation(world, "pay-1") == "none"
    world.post(PaymentApproved(payment_id="pay-1", evidence=evidence()))
    assert world.work() == DONE
    assert confirmation(world, "pay-1") == "confirmed"


def test_a_confirming_terminals_approval_counts_once_it_was_acknowledged(world: World) -> None:
    world.post(
        world.request("pay-1", obligation="bill:1"),
        PaymentSent(payment_id="pay-1", terminal_number="11223344", confirming=True),
        PaymentApproved(payment_id="pay-1", evidence=evidence("answer")),
    )
    assert world.work() == HELD
    world.clock.wait(10)
    world.post(PaymentAcknowledged(payment_id="pay-1"))
    assert world.work() == DONE
    assert confirmation(world, "pay-1") == "confirmed"


def test_money_that_finance_is_to_give_back_is_not_handed_on(world: World) -> None:
    world.pay("pay-1")
    world.post(
        RefundProposed(
            refund_id="r", payment_id="pay-1", means="central", amount_rial=17_000, operator="a", reason="wrong bill"
        ),
        RefundAgreed(refund_id="r", payment_id="pay-1", operator="b"),
    )
    assert world.work() == DONE
    assert isinstance(world.told()[0], PaymentRefused)
    assert world.balances() == {"receivable:11223344": 17_000, "refunds": 17_000}
    assert opened(world, "pay-1") == {"refund": "open"}


def test_a_bill_that_was_taken_and_then_given_back_is_a_case_and_stays_owed(world: World) -> None:
    world.pay("pay-1")
    assert world.work() == DONE
    world.post(
        ReversalRequested(payment_id="pay-1", refund_id="r", means="reversal"),
        PaymentReversed(payment_id="pay-1", evidence=REVERSED),
    )
    assert world.balances() == {"recoverable": 17_000, "biller:landline": 17_000}
    assert opened(world, "pay-1") == {"confirmed_uncharged": "open"}
    assert world.work() == NOTHING


@pytest.mark.parametrize("by_terminal", [True, False], ids=["given back", "not kept"])
def test_a_bill_that_its_terminal_paid_and_took_back_is_owed_to_no_biller(world: World, *, by_terminal: bool) -> None:
    told_to_pay = PaymentSent(payment_id="pay-1", terminal_number="11223344", pays_bill=True, confirming=True)
    world.post(world.request("pay-1"), told_to_pay, PaymentApproved(payment_id="pay-1", evidence=evidence("answer")))
    assert confirmation(world, "pay-1") == "confirmed"
    if by_terminal:
        world.post(
            PaymentAcknowledged(payment_id="pay-1"),
            ReversalRequested(payment_id="pay-1", refund_id="r", means="reversal"),
            PaymentReversed(payment_id="pay-1", evidence=REVERSED),
        )
    else:
        world.post(
            PaymentInDoubt(payment_id="pay-1", reason="no_answer"),
            PaymentNotCharged(payment_id="pay-1", asked_count=2),
        )
    # The acquirer answers for charge and bill together: nobody is to be asked for money that nobody holds.
    assert (world.balances(), opened(world, "pay-1")) == ({}, {})


def waits_too_long(world: World) -> str:
    """Let a question wait until that is a case; return the case."""
    world.clock.wait(7 * 3_600)
    world.work()
    with world.engine.connect() as connection:
        (overdue,) = payment_cases(connection, OFFICE, "pay-1")
    assert overdue.kind == "overdue"
    return overdue.case_id


def end(world: World, case_id: str, outcome: str) -> None:
    """Let two people end a case, or open it again."""
    propose_closing(world.engine, case_id, outcome=outcome, reason="x", by="mina", clock=world.clock)
    with world.engine.connect() as connection:
        newest = closings(connection, case_id)[-1]
    agree_closing(world.engine, case_id, newest.closing_id, by="sara", clock=world.clock)


def test_money_that_a_provider_may_be_taking_is_not_paid_back_as_well(world: World) -> None:
    world.bad_day("pending", times=0)
    world.pay("pay-1")
    assert world.work() == HELD
    case_id = waits_too_long(world)
    with pytest.raises(OperatorError, match=r"case\.answer_awaited"):
        end(world, case_id, "refunded")
    assert world.balances() == {"receivable:11223344": 17_000, "unconfirmed": 17_000}
    world.control.post("/control/good-day").raise_for_status()
    world.clock.wait(600)
    assert world.work() == DONE
    # The case is at its end by itself, and what was proposed of it with it.
    assert opened(world, "pay-1") == {"overdue": "closed"}
    assert world.balances() == {"receivable:11223344": 17_000, "biller:landline": 17_000}


def never_acknowledged(world: World) -> str:
    """Have a terminal approve and not be told to keep the sale, so that nobody is asked; return the wait's case."""
    world.post(
        world.request("pay-1"),
        PaymentSent(payment_id="pay-1", terminal_number="11223344", confirming=True),
        PaymentApproved(payment_id="pay-1", evidence=evidence("answer")),
    )
    assert world.work() == HELD
    return waits_too_long(world)


def test_what_was_paid_back_is_not_handed_on_until_that_is_taken_back(world: World) -> None:
    case_id = never_acknowledged(world)
    end(world, case_id, "refunded")
    assert world.balances() == {"receivable:11223344": 17_000, "paid_out": 17_000}
    world.post(PaymentAcknowledged(payment_id="pay-1"))
    world.clock.wait(600)
    assert (world.work(), confirmation(world, "pay-1")) == (DONE, "none")
    (told,) = world.told()
    assert isinstance(told, PaymentRefused)
    assert (told.payment_id, told.reason, told.case_id) == ("pay-1", "refused", case_id)
    end(world, case_id, "reopened")
    assert (confirmation(world, "pay-1"), world.work()) == ("queued", DONE)
    assert isinstance(world.told()[-1], PaymentConfirmed)
    assert world.balances() == {"receivable:11223344": 17_000, "biller:landline": 17_000}
    assert opened(world, "pay-1") == {"overdue": "closed"}


def test_nobody_pays_for_want_of_an_answer_where_nothing_was_asked(world: World) -> None:
    case_id = never_acknowledged(world)
    with pytest.raises(OperatorError, match=r"case\.no_answer_awaited"):
        end(world, case_id, "refunded_unanswered")
    assert world.balances() == {"receivable:11223344": 17_000, "unconfirmed": 17_000}


def pays_unanswered(world: World) -> str:
    """Pay a bill, let its provider say nothing for days, and have two people pay the customer; return the case."""
    world.bad_day("pending", times=0)
    world.pay("pay-1")
    assert world.work() == HELD
    case_id = waits_too_long(world)
    with pytest.raises(OperatorError, match=r"case\.answer_awaited"):
        end(world, case_id, "refunded_unanswered")
    world.clock.wait(65 * 3_600)
    # So long, but hardly asked: central may have been away itself.
    with pytest.raises(OperatorError, match=r"case\.answer_awaited"):
        agree_waiting(world, case_id)
    assert world.work() == HELD
    agree_waiting(world, case_id)
    assert world.balances() == {"receivable:11223344": 17_000, "paid_out": 17_000}
    return case_id


def agree_waiting(world: World, case_id: str) -> None:
    with world.engine.connect() as connection:
        newest = closings(connection, case_id)[-1]
    agree_closing(world.engine, case_id, newest.closing_id, by="sara", clock=world.clock)


def test_turns_before_the_question_left_are_not_taken_for_a_provider_that_does_not_answer(world: World) -> None:
    world.bad_day("pending", times=0)
    case_id = never_acknowledged(world)
    for _ in range(5):
        world.clock.wait(600)
        assert world.work() == HELD
    world.post(PaymentAcknowledged(payment_id="pay-1"))
    world.clock.wait(600)
    assert (world.work(), world.calls("confirm")) == (HELD, 1)
    # Now central is away itself: the biller was asked once, and may have taken the money at that.
    world.clock.wait(73 * 3_600)
    with pytest.raises(OperatorError, match=r"case\.answer_awaited"):
        end(world, case_id, "refunded_unanswered")
    for _ in range(2):
        assert world.work() == HELD
        world.clock.wait(600)
    agree_waiting(world, case_id)
    assert world.balances() == {"receivable:11223344": 17_000, "paid_out": 17_000}


def answers_now(world: World) -> None:
    world.control.post("/control/good-day").raise_for_status()
    world.clock.wait(600)
    assert world.work() == DONE


def test_a_customer_does_not_wait_for_ever_for_a_provider_that_never_answers(world: World) -> None:
    case_id = pays_unanswered(world)
    # The question goes on: nobody knows what became of it, and the office is told nothing that may be wrong.
    world.clock.wait(600)
    assert (world.work(), world.told(), confirmation(world, "pay-1")) == (HELD, [], "queued")
    with world.engine.connect() as connection:
        (row,) = payment_cases(connection, OFFICE, "pay-1")
    assert (row.case_id, row.state, row.outcome) == (case_id, "closed", "refunded_unanswered")


def test_a_provider_that_took_the_money_after_all_makes_a_case_of_what_is_paid_twice(world: World) -> None:
    case_id = pays_unanswered(world)
    answers_now(world)
    hole = {"receivable:11223344": 17_000, "biller:landline": 17_000, "paid_out": 17_000, "recoverable": 17_000}
    assert world.balances() == hole
    with world.engine.connect() as connection:
        twice = payment_cases(connection, OFFICE, "pay-1")[-1]
    assert (twice.kind, twice.state, twice.amount_rial) == ("had_twice", "open", 17_000)
    assert twice.facts["earlier_case"] == case_id
    with pytest.raises(OperatorError, match=r"case\.bad_outcome"):
        end(world, twice.case_id, "refunded")
    end(world, twice.case_id, "loss")
    del hole["recoverable"]
    assert world.balances() == {**hole, "losses": 17_000}
    assert opened(world, "pay-1") == {"overdue": "closed", "had_twice": "closed"}
    # The customer was never paid, it turns out: everything is as if nobody had said so.
    end(world, case_id, "reopened")
    assert world.balances() == {"receivable:11223344": 17_000, "biller:landline": 17_000}
    assert opened(world, "pay-1")["had_twice"] == "closed"


@pytest.mark.parametrize(("state", "looked_at"), [("expired", {}), ("paid", {"paid_twice": "open"})])
def test_a_provider_that_refuses_after_all_owes_the_customer_nothing_more(
    world: World, state: str, looked_at: dict[str, str]
) -> None:
    mark = {"bill_id": BILL[0], "payment_id": BILL[1], "state": state}
    world.control.post("/control/bills", json=mark).raise_for_status()
    case_id = pays_unanswered(world)
    answers_now(world)
    assert world.balances() == {"receivable:11223344": 17_000, "paid_out": 17_000}
    (told,) = world.told()
    assert isinstance(told, PaymentRefused)
    assert told.case_id == case_id
    # Paid already: with this money, it may be.
    assert opened(world, "pay-1") == {"overdue": "closed", **looked_at}
    with pytest.raises(OperatorError, match=r"case\.closed"):
        end(world, case_id, "refunded")


def test_what_finance_paid_and_the_terminal_gave_back_as_well_is_a_case(world: World) -> None:
    mark = {"bill_id": BILL[0], "payment_id": BILL[1], "state": "expired"}
    world.control.post("/control/bills", json=mark).raise_for_status()
    world.pay("pay-1")
    assert world.work() == DONE
    with world.engine.connect() as connection:
        (owed,) = payment_cases(connection, OFFICE, "pay-1")
    end(world, owed.case_id, "refunded")
    world.post(
        ReversalRequested(payment_id="pay-1", refund_id="r", means="reversal"),
        PaymentReversed(payment_id="pay-1", evidence=REVERSED),
    )
    assert world.balances() == {"paid_out": 17_000, "recoverable": 17_000}
    assert opened(world, "pay-1") == {"refund": "closed", "had_twice": "open"}


def test_a_part_that_finance_gave_back_is_a_loss_once_the_biller_took_all(world: World) -> None:
    world.pay("pay-1")
    part = NewCase(kind="tariff_differs", about="x", amount_rial=3_000, office_id=OFFICE, payment_id="pay-1")
    with world.engine.begin() as connection:
        open_case(connection, part, at=world.clock.now())
    end(world, part.case_id, "refunded")
    assert world.balances() == {"receivable:11223344": 17_000, "unconfirmed": 14_000, "paid_out": 3_000}
    assert world.work() == DONE
    whole = {"receivable:11223344": 17_000, "biller:landline": 17_000}
    assert world.balances() == {**whole, "losses": 3_000, "paid_out": 3_000}
    assert opened(world, "pay-1") == {"tariff_differs": "closed"}
    end(world, part.case_id, "reopened")
    assert world.balances() == whole


def on_the_wire(world: World, **values: object) -> None:
    """Let the one question there is be on the wire at this moment, in another process."""
    until = world.clock.now() + timedelta(minutes=1)
    with world.engine.begin() as connection:
        connection.execute(update(provider_task).values(state="asking", lease="x", lease_until=until, **values))


def owed_of(world: World, kind: CaseKind, amount_rial: int) -> str:
    new = NewCase(kind=kind, about=kind, amount_rial=amount_rial, office_id=OFFICE, payment_id="pay-1")
    with world.engine.begin() as connection:
        return open_case(connection, new, at=world.clock.now())


def test_nobody_is_paid_while_a_question_is_on_the_wire(world: World) -> None:
    world.pay("pay-1")
    whole = owed_of(world, "late_approval", 17_000)
    on_the_wire(world)
    with pytest.raises(OperatorError, match=r"case\.answer_awaited"):
        end(world, whole, "refunded")
    # However long and often it was asked: this time it may be answered.
    long_ago = world.clock.now() - timedelta(hours=100)
    on_the_wire(world, asked_at=long_ago, out_since=long_ago, attempts=9)
    again = owed_of(world, "paid_twice", 17_000)
    with pytest.raises(OperatorError, match=r"case\.answer_awaited"):
        end(world, again, "refunded_unanswered")
    # A part is beside what the bill is paid with: it waits for nobody.
    end(world, owed_of(world, "tariff_differs", 3_000), "refunded")
    assert world.balances() == {"receivable:11223344": 17_000, "unconfirmed": 14_000, "paid_out": 3_000}


def test_a_question_that_goes_again_and_again_is_out_since_it_went_first(world: World) -> None:
    # It is never heard of when its status is asked, and never answered when it is put: each time it leaves anew.
    world.bad_day("error_500", on="confirm", times=0)
    world.pay("pay-1")
    for hours in (0, 40, 32):
        world.clock.wait(hours * 3_600)
        assert world.work().troubled == 1
    with world.engine.connect() as connection:
        (overdue,) = payment_cases(connection, OFFICE, "pay-1")
    world.clock.wait(90)
    end(world, overdue.case_id, "refunded_unanswered")
    # Now its status is asked, nobody heard of it, and it does not go again: the office may take the bill anew.
    world.control.post("/control/good-day").raise_for_status()
    world.clock.wait(600)
    assert world.work() == DONE
    (told,) = world.told()
    assert isinstance(told, PaymentRefused)
    assert told.case_id == overdue.case_id
    assert world.balances() == {"receivable:11223344": 17_000, "paid_out": 17_000}


def test_a_second_charge_whose_customer_was_paid_is_owed_to_nobody_again_by_its_evidence(world: World) -> None:
    begin_late(world, "pay-1", "bill:1")
    world.pay("pay-2", obligation="bill:1")
    by_word = PaymentOverridden(payment_id="pay-1", charged=True, operator="op", reason="x", slip_number="7")
    world.post(by_word)
    with world.engine.connect() as connection:
        (owed,) = [case for case in payment_cases(connection, OFFICE, "pay-1") if case.kind == "refund"]
    end(world, owed.case_id, "refunded")
    world.post(PaymentApproved(payment_id="pay-1", evidence=evidence()))
    assert opened(world, "pay-1") == {"overridden": "open", "refund": "closed"}
    assert world.balances() == {"receivable:11223344": 34_000, "paid_out": 17_000, "unconfirmed": 17_000}
