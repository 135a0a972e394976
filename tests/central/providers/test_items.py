"""One charge for several bills: each is asked about, refused, owed back and closed by itself; the charge stays one."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from central.ledger.cases import NewCase, open_case
from central.ledger.item_queries import payment_items
from central.ledger.queries import PaymentFilter, payment, payment_transfers, payments, same_obligation
from central.providers.answers import REFUND_INSTEAD, TAKEN_AFTER_ALL
from central.providers.queries import subject_tasks
from central.providers.sandbox_state import made_bill
from central.providers.worker import work_provider_tasks
from central.reconciliation.closing import agree_closing, closings, propose_closing
from central.reconciliation.queries import case, day_board, payment_cases
from central.reconciliation.views import CaseRow
from central.store.books import provider_task
from shared.errors import OperatorError
from shared.events import (
    Evidence,
    PaymentApproved,
    PaymentConfirmed,
    PaymentDeclined,
    PaymentItem,
    PaymentRefused,
    PaymentRequested,
    PaymentReversed,
    PaymentSent,
    RefundAgreed,
    RefundProposed,
    ReversalRequested,
    Split,
)
from shared.identifiers import parse_bill
from tests.central.providers.worlds import BILL, OFFICE, World
from tests.central.reconciliation.test_running import CLOCK, line, run_all, upload

pytestmark = pytest.mark.postgres

BILLS = (BILL, made_bill("electricity", "5566", 23_000), made_bill("water", "77", 40_000))
TOTAL = 80_000
RECEIVABLE = "receivable:11223344"
DECLINED = Evidence(source="answer", response_code="51")


def charge(
    world: World, payment_id: str = "pay-1", bills: tuple[tuple[str, str], ...] = BILLS, *, late: bool = False
) -> None:
    """Take one charge for these bills; `late`: its terminal said first that it was declined."""
    items = tuple(
        PaymentItem(
            obligation=f"bill:{bill[0]}:{bill[1]}",
            amount_rial=parse_bill(*bill).amount_rial,
            bill_id=bill[0],
            bill_payment_id=bill[1],
        )
        for bill in bills
    )
    amount_rial = sum(item.amount_rial for item in items)
    world.post(
        PaymentRequested(
            payment_id=payment_id,
            obligation=f"group:{payment_id}",
            purpose="bill",
            amount_rial=amount_rial,
            split=Split(gross_rial=amount_rial, company_rial=amount_rial),
            method="pcpos",
            terminal="counter-1",
            reference="1",
            operator="op",
            group_id="group-1",
            items=items,
        ),
        PaymentSent(payment_id=payment_id, terminal_number="11223344"),
        *([PaymentDeclined(payment_id=payment_id, evidence=DECLINED)] if late else []),
        PaymentApproved(
            payment_id=payment_id,
            evidence=Evidence(
                source="late_answer" if late else "answer",
                response_code="00",
                amount_rial=amount_rial,
                stan="000123",
                rrn="123456789012",
                terminal_number="11223344",
            ),
        ),
    )


def expire(world: World, bill: tuple[str, str]) -> None:
    mark = {"bill_id": bill[0], "payment_id": bill[1], "state": "expired"}
    world.control.post("/control/bills", json=mark).raise_for_status()


def words(world: World, payment_id: str = "pay-1") -> tuple[str, list[str]]:
    """What the provider said of the payment as a whole, and of each item."""
    with world.engine.connect() as connection:
        row = payment(connection, OFFICE, payment_id)
        assert row is not None
        return row.confirmation, [item.confirmation for item in payment_items(connection, OFFICE, payment_id)]


def cases_of(world: World, payment_id: str) -> list[CaseRow]:
    with world.engine.connect() as connection:
        return list(payment_cases(connection, OFFICE, payment_id))


def test_each_bill_of_a_charge_is_asked_about_and_answered_by_itself(world: World) -> None:
    expire(world, BILLS[1])
    charge(world)
    assert words(world) == ("queued", ["queued"] * 3)
    assert world.balances() == {RECEIVABLE: TOTAL, "unconfirmed": TOTAL}
    assert world.work().done == 3
    assert words(world) == ("refused", ["confirmed", "refused", "confirmed"])
    told = {body.item: body for body in world.told() if isinstance(body, PaymentConfirmed | PaymentRefused)}
    assert [type(told[item]) for item in (0, 1, 2)] == [PaymentConfirmed, PaymentRefused, PaymentConfirmed]
    assert len({body.track_id for body in told.values()}) == 3
    (owed,) = cases_of(world, "pay-1")
    assert (owed.kind, owed.item, owed.amount_rial) == ("refund", 1, 23_000)
    refused = told[1]
    assert isinstance(refused, PaymentRefused)
    assert (refused.case_id, refused.reason) == (owed.case_id, "expired")
    assert world.balances() == {
        RECEIVABLE: TOTAL,
        "biller:landline": 17_000,
        "biller:water": 40_000,
        "refunds": 23_000,
    }
    with world.engine.connect() as connection:
        items = payment_items(connection, OFFICE, "pay-1")
        assert [item.open_case for item in items] == [None, owed.case_id, None]
        assert [task.item for task in subject_tasks(connection, OFFICE, "pay-1")] == [0, 1, 2]
        board = day_board(connection)
        assert (board.charged_count, board.charged_rial) == (1, TOTAL)
        assert (board.confirmed_count, board.confirmed_rial) == (2, 57_000)
        assert (board.refused_count, board.refused_rial, board.unconfirmed_rial) == (1, 23_000, 0)
        # A bill of the charge leads to it, by either of its numbers.
        for name in BILLS[2]:
            assert [row.payment_id for row in payments(connection, PaymentFilter(text=name))] == ["pay-1"]


@pytest.mark.parametrize(("expired", "says"), [(None, TAKEN_AFTER_ALL), (0, REFUND_INSTEAD), (1, REFUND_INSTEAD)])
def test_a_late_approval_of_several_bills_ends_with_the_last_of_them(
    world: World, expired: int | None, says: str
) -> None:
    if expired is not None:
        expire(world, BILLS[expired])
    charge(world, bills=BILLS[:2], late=True)
    (approval,) = [each.case_id for each in cases_of(world, "pay-1") if each.kind == "late_approval"]
    found = []
    for _ in range(2):
        assert work_provider_tasks(world.engine, world.desk, limit=1).done == 1
        with world.engine.connect() as connection:
            view = case(connection, approval)
        assert view is not None
        found.append((view.case.state, [note.text for note in view.notes]))
    assert found == [("open", []), ("closed", [says])], "of the other bill nobody had said anything yet"


def test_the_acquirer_settles_the_charge_as_one(world: World) -> None:
    charge(world)
    world.work()
    upload(world.engine, line("123456789012", TOTAL, local_date="2026-11-22"), name="one.csv")
    run = run_all(world.engine)
    assert {each.bucket for each in run.buckets if each.decision_count} == {"matched"}
    with world.engine.connect() as connection:
        settled = [each for each in payment_transfers(connection, OFFICE, "pay-1") if each.reason == "settled"]
    assert [each.amount_rial for each in settled] == [TOTAL]
    balances = world.balances()
    assert (balances["settled"], RECEIVABLE in balances) == (TOTAL, False)


def test_a_charge_given_back_says_of_each_bill_what_is_owed_on(world: World) -> None:
    charge(world)
    world.control.post("/control/bad-day", json={"kind": "lost", "count": 2}).raise_for_status()
    world.work()
    _, said = words(world)
    taken = [item for item, word in enumerate(said) if word == "confirmed"]
    assert 0 < len(taken) < 3, "one bill is taken, others wait"
    world.post(
        ReversalRequested(payment_id="pay-1", refund_id="r1", means="void"),
        PaymentReversed(payment_id="pay-1", evidence=Evidence(source="reversal", response_code="00")),
    )
    lost = [case for case in cases_of(world, "pay-1") if case.kind == "confirmed_uncharged"]
    assert [case.item for case in lost] == taken
    owed = sum(parse_bill(*BILLS[item]).amount_rial for item in taken)
    assert world.balances()["recoverable"] == owed
    assert RECEIVABLE not in world.balances()
    # Those whose answers were lost were taken too: the status says so, and each becomes a case of its own.
    world.clock.wait(60)
    world.work()
    assert words(world) == ("confirmed", ["confirmed"] * 3)
    lost = [case for case in cases_of(world, "pay-1") if case.kind == "confirmed_uncharged"]
    assert (sorted(case.item or 0 for case in lost), sum(case.amount_rial for case in lost)) == ([0, 1, 2], TOTAL)
    assert world.balances()["recoverable"] == TOTAL


def test_a_charge_given_back_before_anybody_was_asked_is_asked_about_no_more(world: World) -> None:
    charge(world)
    world.post(
        ReversalRequested(payment_id="pay-1", refund_id="r1", means="void"),
        PaymentReversed(payment_id="pay-1", evidence=Evidence(source="reversal", response_code="00")),
    )
    assert world.work().done == 3
    assert (words(world), world.balances()) == (("none", ["none"] * 3), {})
    with world.engine.connect() as connection:
        assert {task.outcome for task in subject_tasks(connection, OFFICE, "pay-1")} == {"withdrawn"}
    assert "confirm" not in "".join(world.control.get("/control/state").json()["calls"])


@pytest.mark.parametrize("alone_first", [True, False])
def test_a_bill_paid_twice_is_found_in_a_charge_and_alone(world: World, *, alone_first: bool) -> None:
    obligation = f"bill:{BILLS[1][0]}:{BILLS[1][1]}"
    if alone_first:
        world.pay("alone", BILLS[1], obligation=obligation)
        charge(world)
    else:
        charge(world)
        world.pay("alone", BILLS[1], obligation=obligation)
    second, item = ("pay-1", 1) if alone_first else ("alone", None)
    (twice,) = cases_of(world, second)
    assert (twice.kind, twice.item, twice.amount_rial, twice.facts["reason"]) == (
        "refund",
        item,
        23_000,
        "charged_twice",
    )
    world.work()
    world.clock.wait(10)
    world.work()
    # One of the two is handed on to the biller; the other is refused here, and the rest of the charge goes its way.
    whole, said = words(world)
    assert said == ["confirmed", "refused" if alone_first else "confirmed", "confirmed"]
    assert whole == ("refused" if alone_first else "confirmed")
    assert words(world, "alone")[0] == ("confirmed" if alone_first else "refused")
    with world.engine.connect() as connection:
        row = payment(connection, OFFICE, second)
        assert row is not None
        assert len(same_obligation(connection, row)) == 1


def test_a_charge_that_two_people_give_back_is_one_case_and_one_payment_out(world: World) -> None:
    charge(world)
    world.post(
        RefundProposed(
            refund_id="r1", payment_id="pay-1", means="central", amount_rial=TOTAL, operator="op", reason="x"
        ),
        RefundAgreed(refund_id="r1", payment_id="pay-1", operator="manager"),
    )
    assert world.work().done == 3
    assert (words(world), world.balances()) == (
        ("refused", ["refused"] * 3),
        {RECEIVABLE: TOTAL, "refunds": TOTAL},
    )
    (owed,) = cases_of(world, "pay-1")
    assert (owed.kind, owed.item, owed.amount_rial) == ("refund", None, TOTAL)
    assert {body.case_id for body in world.told() if isinstance(body, PaymentRefused)} == {owed.case_id}
    propose_closing(world.engine, owed.case_id, outcome="refunded", reason="کارت", by="mina", clock=CLOCK)
    agree_closing(world.engine, owed.case_id, 1, by="sara", clock=CLOCK)
    assert world.balances() == {RECEIVABLE: TOTAL, "paid_out": TOTAL}


def test_a_charge_that_its_terminal_gave_back_leaves_no_bill_to_be_given_back(world: World) -> None:
    expire(world, BILLS[0])
    charge(world)
    world.work()
    world.post(
        ReversalRequested(payment_id="pay-1", refund_id="r1", means="void"),
        PaymentReversed(payment_id="pay-1", evidence=Evidence(source="reversal", response_code="00")),
    )
    found = {(one.kind, one.item): one.state for one in cases_of(world, "pay-1")}
    taken = {("confirmed_uncharged", 1): "open", ("confirmed_uncharged", 2): "open"}
    assert found == {("refund", 0): "closed", **taken}


def test_a_whole_charge_is_given_back_out_of_what_nobody_else_has(world: World) -> None:
    expire(world, BILLS[0])
    charge(world)
    world.work()
    late = NewCase(kind="late_approval", about="x", amount_rial=TOTAL, office_id=OFFICE, payment_id="pay-1")
    with world.engine.begin() as connection:
        whole = open_case(connection, late, at=datetime(2026, 11, 22, tzinfo=UTC))
    propose_closing(world.engine, whole, outcome="refunded", reason="کارت", by="mina", clock=CLOCK)
    agree_closing(world.engine, whole, 1, by="sara", clock=CLOCK)
    # Two bills were taken: their billers are owed still, so that much is a loss.
    assert (world.balances()["losses"], world.balances()["paid_out"]) == (63_000, TOTAL)
    assert "refunds" not in world.balances()
    propose_closing(world.engine, whole, outcome="reopened", reason="اشتباه", by="mina", clock=CLOCK)
    agree_closing(world.engine, whole, 2, by="sara", clock=CLOCK)
    assert world.balances() == {
        RECEIVABLE: TOTAL,
        "biller:electricity": 23_000,
        "biller:water": 40_000,
        "refunds": 17_000,
    }


def test_cases_of_single_bills_end_one_by_one_and_never_give_back_more_than_the_bill(world: World) -> None:
    for bill in BILLS[:2]:
        expire(world, bill)
    charge(world)
    world.work()
    first, second = cases_of(world, "pay-1")
    for each in (first, second):
        propose_closing(world.engine, each.case_id, outcome="refunded", reason="کارت", by="mina", clock=CLOCK)
        with world.engine.connect() as connection:
            (waiting,) = closings(connection, each.case_id)
        agree_closing(world.engine, each.case_id, waiting.closing_id, by="sara", clock=CLOCK)
    assert world.balances() == {RECEIVABLE: TOTAL, "biller:water": 40_000, "paid_out": 40_000}
    with world.engine.connect() as connection:
        seen = case(connection, second.case_id)
    assert seen is not None
    assert seen.item is not None
    assert (seen.item.item, seen.item.bill_id, seen.case.state) == (1, BILLS[1][0], "closed")


def test_what_one_bill_gave_back_is_not_given_back_again_under_another_case(world: World) -> None:
    expire(world, BILLS[0])
    charge(world)
    world.work()
    (owed,) = cases_of(world, "pay-1")
    new = NewCase(kind="paid_twice", about="item/0", amount_rial=17_000, office_id=OFFICE, payment_id="pay-1", item=0)
    with world.engine.begin() as connection:
        again = open_case(connection, new, at=datetime(2026, 11, 22, tzinfo=UTC))
    for case_id in (owed.case_id, again):
        propose_closing(world.engine, case_id, outcome="refunded", reason="کارت", by="mina", clock=CLOCK)
    agree_closing(world.engine, owed.case_id, 1, by="sara", clock=CLOCK)
    with pytest.raises(OperatorError, match=r"case\.booked_already"):
        agree_closing(world.engine, again, 2, by="sara", clock=CLOCK)


def test_what_is_had_twice_of_two_bills_is_not_booked_away_where_it_is_of_one(world: World) -> None:
    world.bad_day("pending", times=0)
    charge(world, bills=BILLS[:2])
    world.work()
    paying = [
        NewCase(kind="overdue", about=f"{item}", amount_rial=rial, office_id=OFFICE, payment_id="pay-1", item=item)
        for item, rial in enumerate((17_000, 23_000))
    ]
    long_ago = world.clock.now() - timedelta(hours=100)
    with world.engine.begin() as connection:
        for new in paying:
            open_case(connection, new, at=long_ago)
        # The second question was never put: its customer gets nothing for want of an answer to the first.
        first = provider_task.c.item == 0
        connection.execute(update(provider_task).values(asked_at=long_ago, out_since=long_ago, attempts=9).where(first))
        connection.execute(update(provider_task).values(asked_at=None, out_since=None).where(~first))
    with pytest.raises(OperatorError, match=r"case\.no_answer_awaited"):
        end(world, paying[1].case_id, "refunded_unanswered")
    with world.engine.begin() as connection:
        connection.execute(update(provider_task).values(asked_at=long_ago, out_since=long_ago, attempts=9))
    end(world, paying[0].case_id, "refunded_unanswered")
    agree_newest(world, paying[1].case_id)
    world.control.post("/control/good-day").raise_for_status()
    world.clock.wait(600)
    world.work()
    cases = sorted(cases_of(world, "pay-1"), key=lambda one: one.amount_rial)
    twice = [one.case_id for one in cases if one.kind == "had_twice"]
    assert len(twice) == 2
    assert world.balances()["recoverable"] == 40_000
    end(world, paying[0].case_id, "reopened")
    assert world.balances()["recoverable"] == 23_000
    end(world, twice[1], "loss")
    with pytest.raises(OperatorError, match=r"case\.booked_already"):
        end(world, twice[0], "loss")
    assert "recoverable" not in world.balances()


def end(world: World, case_id: str, outcome: str) -> None:
    propose_closing(world.engine, case_id, outcome=outcome, reason="x", by="mina", clock=world.clock)
    agree_newest(world, case_id)


def agree_newest(world: World, case_id: str) -> None:
    with world.engine.connect() as connection:
        newest = closings(connection, case_id)[-1].closing_id
    agree_closing(world.engine, case_id, newest, by="sara", clock=world.clock)
