"""Charges that a box does not know of, and reversals in doubt, as acquirers' files tell them; on a real PostgreSQL."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from central.fleet.keys import CentralKeys
from shared.events import (
    AlarmRaised,
    Body,
    ChargeRuledOut,
    Evidence,
    PaymentCancelled,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentNotCharged,
    PaymentOverridden,
    PaymentReversed,
    RefundAgreed,
    RefundProposed,
    ReversalInDoubt,
    ReversalRefused,
    ReversalRequested,
)
from tests.central.reconciliation.test_answering import DAY, LATER, NEXT, answer, complete, keys, told
from tests.central.reconciliation.test_running import AT, TERMINAL, approved, line, post, sent, upload

pytestmark = pytest.mark.postgres
__all__ = ["keys"]

RRN = "100000000040"
NUMBERS = Evidence(source="answer", response_code="51", stan="000040", rrn=RRN, terminal_number=TERMINAL)
PLAIN = Evidence(source="answer", response_code="51", terminal_number=TERMINAL)
DOUBT = PaymentInDoubt(payment_id="p", reason="unclear_code", evidence=NUMBERS)
OVERRIDE = {"payment_id": "p", "operator": "op", "reason": "r", "slip_number": ""}


@pytest.mark.parametrize(
    ("ends", "file_first"),
    [
        ((PaymentDeclined(payment_id="p", evidence=NUMBERS),), True),
        ((PaymentCancelled(payment_id="p", evidence=NUMBERS),), False),
        ((DOUBT, PaymentNotCharged(payment_id="p", asked_count=2)), True),
        ((DOUBT, PaymentOverridden(charged=False, **OVERRIDE)), False),
        ((DOUBT, PaymentOverridden(charged=True, **OVERRIDE)), True),
    ],
    ids=["declined", "cancelled", "not_charged", "overridden_not_charged", "overridden_charged"],
)
def test_a_charge_that_the_box_counts_as_none_is_told_once(
    engine: Engine, keys: CentralKeys, ends: tuple[Body, ...], *, file_first: bool
) -> None:
    if file_first:
        upload(engine, line(RRN, 40_000))
        answer(engine, keys)
    post(engine, *sent("p", 40_000), *ends)
    answer(engine, keys)
    if not file_first:
        upload(engine, line(RRN, 40_000))
        answer(engine, keys)
    assert answer(engine, keys) == 0
    (body,) = told(engine)
    assert (body.payment_id, body.charged, body.about, body.refund_id, body.rrn) == ("p", True, "sale", None, RRN)


@pytest.mark.parametrize(
    "row",
    [
        line(RRN, 41_000),
        line(RRN, 40_000, status="FAILED"),
        line("100000000999", 40_000, stan="000999"),
        line(RRN, 40_000, terminal_id="55"),
    ],
)
def test_what_does_not_name_an_uncharged_payment_in_full_is_not_told(
    engine: Engine, keys: CentralKeys, row: str
) -> None:
    post(engine, *sent("p", 40_000), PaymentDeclined(payment_id="p", evidence=NUMBERS))
    upload(engine, row)
    complete(engine)
    assert (answer(engine, keys), told(engine)) == (0, [])


def test_a_row_that_a_charged_payment_claims_says_nothing_of_a_declined_one(engine: Engine, keys: CentralKeys) -> None:
    post(engine, *sent("p", 40_000), PaymentDeclined(payment_id="p", evidence=NUMBERS), *approved("q", RRN, 40_000))
    upload(engine, line(RRN, 40_000))
    assert (answer(engine, keys), told(engine)) == (0, [])


def undoing(refund_id: str = "r", *, proposed: bool = True) -> tuple[Body, ...]:
    """A reversal of payment p that the terminal gave no clear answer to."""
    people: tuple[Body, ...] = (
        RefundProposed(
            refund_id=refund_id, payment_id="p", means="reversal", amount_rial=40_000, operator="a", reason="x"
        ),
        RefundAgreed(refund_id=refund_id, payment_id="p", operator="b"),
    )
    return (
        *(people if proposed else ()),
        ReversalRequested(payment_id="p", refund_id=refund_id, means="reversal"),
        ReversalInDoubt(payment_id="p", reason="no_answer"),
    )


def files_to(engine: Engine, *days: str) -> None:
    for number, day in enumerate(days, 1):
        upload(engine, line(f"20000000000{number}", 99_000, local_date=day, financial_date=day), name=f"{day}.csv")


PARTS = (("7", 10_000), ("8", 30_000))
REACHING = (DAY, NEXT, LATER, "2026-11-25", "2026-11-26")


@pytest.mark.parametrize(
    "row",
    [
        line("7", 40_000, type="REVERSAL", original_rrn=RRN),
        line("7", 40_000, type="REFUND", original_rrn="0" + RRN),
    ],
)
def test_a_reversal_that_stands_in_a_file_was_done(engine: Engine, keys: CentralKeys, row: str) -> None:
    post(engine, *approved("p", RRN, 40_000), *undoing())
    upload(engine, line(RRN, 40_000), row)
    assert (answer(engine, keys), answer(engine, keys)) == (1, 0)
    (body,) = told(engine)
    assert (body.charged, body.about, body.refund_id, body.amount_rial) == (False, "reversal", "r", 40_000)
    assert (body.rrn, body.row) == (RRN, 3)


@pytest.mark.parametrize(
    "rows",
    [
        [line(RRN, 40_000, status="REVERSED")],
        [line(f"7{rial}", rial, status="REVERSED", share_of=RRN) for rial in (15_000, 25_000)],
    ],
    ids=["one row", "in shares"],
)
def test_a_sale_marked_reversed_was_given_back(engine: Engine, keys: CentralKeys, rows: list[str]) -> None:
    post(engine, *approved("p", RRN, 40_000), *undoing())
    upload(engine, *rows)
    assert answer(engine, keys) == 1
    assert [(body.charged, body.refund_id, body.rrn) for body in told(engine)] == [(False, "r", RRN)]


def test_a_sale_that_stands_alone_stands_after_the_days_a_reversal_may_take(engine: Engine, keys: CentralKeys) -> None:
    post(engine, *approved("p", RRN, 40_000), *undoing())
    upload(engine, line(RRN, 40_000))
    files_to(engine, *REACHING[:-1])
    assert answer(engine, keys) == 0, "it may still come"
    files_to(engine, *REACHING[-1:])
    assert (answer(engine, keys), answer(engine, keys)) == (1, 0)
    assert [(body.charged, body.about, body.refund_id) for body in told(engine)] == [(True, "reversal", "r")]


def test_a_sale_in_no_complete_settlement_was_given_back_before_it(engine: Engine, keys: CentralKeys) -> None:
    post(engine, *approved("p", RRN, 40_000), *undoing())
    files_to(engine, *REACHING[:-1])
    assert answer(engine, keys) == 0
    files_to(engine, *REACHING[-1:])
    assert answer(engine, keys) == 1
    assert [(body.charged, body.file_sha256) for body in told(engine)] == [(False, None)]


@pytest.mark.parametrize(
    "rows",
    [
        # This amount is taken back, of a sale of nobody.
        [line(RRN, 40_000), line("7", 40_000, type="REVERSAL", original_rrn="555")],
        [line(RRN, 40_000), line("7", 10_000, type="REFUND", original_rrn=RRN)],
        [line(RRN, 40_000, type="ADVICE")],
        # All is back, by rows of which none is its reversal.
        [line(RRN, 40_000), *(line(rrn, rial, type="REFUND", original_rrn=RRN) for rrn, rial in PARTS)],
        # More is back than there was.
        [line(RRN, 40_000), *(line(rrn, 40_000, type="REVERSAL", original_rrn=RRN) for rrn in "78")],
    ],
    ids=["another sale", "in part", "advice", "in two parts", "twice"],
)
def test_rows_that_leave_a_reversal_open_are_a_persons(engine: Engine, keys: CentralKeys, rows: list[str]) -> None:
    post(engine, *approved("p", RRN, 40_000), *undoing())
    upload(engine, *rows)
    files_to(engine, *REACHING)
    assert (answer(engine, keys), told(engine)) == (0, [])


def test_each_reversal_of_a_sale_has_its_own_answer(engine: Engine, keys: CentralKeys) -> None:
    post(engine, *approved("p", RRN, 40_000), *undoing("r1"))
    upload(engine, line(RRN, 40_000))
    files_to(engine, *REACHING)
    assert answer(engine, keys) == 1
    post(engine, ReversalRefused(payment_id="p", reason="acquirer"), *undoing("r2"))
    upload(engine, line("7", 40_000, type="REVERSAL", original_rrn=RRN), name="later.csv")
    assert answer(engine, keys) == 1
    assert [(body.refund_id, body.charged) for body in told(engine)] == [("r1", True), ("r2", False)]


def test_what_the_terminal_told_meanwhile_is_not_asked_of_the_files(engine: Engine, keys: CentralKeys) -> None:
    done = PaymentReversed(payment_id="p", evidence=Evidence(source="reversal", response_code="00"))
    post(engine, *approved("p", RRN, 40_000), *undoing(), done)
    upload(engine, line(RRN, 40_000))
    files_to(engine, *REACHING)
    assert (answer(engine, keys), told(engine)) == (0, [])


SPOKEN = AlarmRaised(kind="charge_mismatch", payment_id="p", detail="amount 41000")


def test_not_charged_is_told_again_once_a_charge_was_spoken_of(engine: Engine, keys: CentralKeys) -> None:
    post(engine, *sent("p", 40_000), PaymentInDoubt(payment_id="p", reason="no_answer"))
    for number in (1, 2, 3):
        post(engine, *approved(f"q{number}", f"20000000000{number}", 99_000))
    files_to(engine, DAY, NEXT, LATER)
    assert answer(engine, keys) == 1
    post(engine, PaymentNotCharged(payment_id="p", asked_count=0, source="acquirer"))
    assert answer(engine, keys) == 0
    post(engine, SPOKEN, received_at=AT + timedelta(minutes=1))
    assert answer(engine, keys) == 1
    assert [body.charged for body in told(engine)] == [False, False]


@pytest.mark.parametrize("left_over", [False, True])
def test_a_charge_that_was_spoken_of_is_ruled_out_where_no_row_is_left_over(
    engine: Engine, keys: CentralKeys, *, left_over: bool
) -> None:
    post(engine, *sent("p", 40_000), PaymentDeclined(payment_id="p", evidence=PLAIN), SPOKEN)
    for number in (1, 2, 3):
        post(engine, *approved(f"q{number}", f"20000000000{number}", 99_000))
    files_to(engine, DAY, NEXT, LATER)
    if left_over:
        upload(engine, line("300000000009", 41_000), name="more.csv")
    assert answer(engine, keys) == (0 if left_over else 1)
    assert answer(engine, keys) == 0
    assert [(body.charged, body.about) for body in told(engine)] == ([] if left_over else [(False, "sale")])
    if not left_over:
        post(engine, ChargeRuledOut(payment_id="p", source="acquirer"))
        assert answer(engine, keys) == 0
