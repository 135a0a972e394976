"""Which bucket, by which rule; and that no input is ever lost, doubled or worth something else."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.reconciliation.breaks import BREAKS, BUCKET_TEXTS, Bucket
from central.reconciliation.conservation import break_key, check_conservation, result_sha256
from central.reconciliation.inputs import LineInput, PaymentInput, inputs_sha256
from central.reconciliation.matching import Decision, Rules, match
from shared.errors import BugError, IntegrityError
from shared.payment import PaymentState

DAY = date(2026, 11, 22)
NEXT = DAY + timedelta(days=1)
S = PaymentState


def pay(payment_id: str = "p1", **changes: Any) -> PaymentInput:
    whole = PaymentInput(
        office_id="72101001",
        payment_id=payment_id,
        amount_rial=17_000,
        state=S.APPROVED,
        local_date=DAY,
        terminal_number="11223344",
        rrn="123456789012",
        stan="000123",
    )
    return msgspec.structs.replace(whole, **changes)


def row(line_number: int = 2, **changes: Any) -> LineInput:
    whole = LineInput(
        file_id="sf-1",
        line_number=line_number,
        terminal_id="11223344",
        rrn="123456789012",
        stan="000123",
        amount_rial=17_000,
        local_date=DAY,
        financial_date=NEXT,
        type="BILL",
        status="SUCCESS",
    )
    return msgspec.structs.replace(whole, **changes)


def decide(payments: list[PaymentInput], lines: list[LineInput], covered_to: date | None = NEXT) -> list[Decision]:
    decisions = match(payments, lines, covered_to=covered_to, rules=Rules())
    check_conservation(payments, lines, decisions)
    return list(decisions)


def buckets(
    payments: list[PaymentInput], lines: list[LineInput], covered_to: date | None = NEXT
) -> list[tuple[str, str]]:
    return [(str(decision.bucket), decision.rule) for decision in decide(payments, lines, covered_to)]


IN_DOUBT: dict[str, Any] = {"state": S.IN_DOUBT, "rrn": None, "stan": None}
UNCHARGED: dict[str, Any] = {"state": S.NOT_CHARGED, "rrn": None, "stan": None}

CASES: dict[str, tuple[list[PaymentInput], list[LineInput], list[tuple[str, str]]]] = {
    "same": ([pay()], [row()], [("matched", "rrn")]),
    "leading zeros": (
        [pay(rrn="12", terminal_number="1")],
        [row(rrn="000000000012", terminal_id="00000001")],
        [("matched", "rrn")],
    ),
    "acquirer has no RRN": ([pay()], [row(rrn="")], [("matched", "stan")]),
    "office has no RRN": ([pay(rrn=None)], [row()], [("matched", "stan")]),
    "STAN of another day is another": (
        [pay(rrn=None)],
        [row(local_date=DAY - timedelta(days=9))],
        [("missing_at_acquirer", "no_line"), ("missing_at_office", "no_payment")],
    ),
    "same STAN, two RRNs": (
        [pay()],
        [row(rrn="999")],
        [("missing_at_acquirer", "no_line"), ("missing_at_office", "no_payment")],
    ),
    "other terminal": (
        [pay()],
        [row(terminal_id="99")],
        [("missing_at_acquirer", "no_line"), ("missing_at_office", "no_payment")],
    ),
    "amount": ([pay()], [row(amount_rial=71_000)], [("amount_differs", "rrn_other_amount")]),
    "amount by STAN": ([pay()], [row(rrn="0", amount_rial=71_000)], [("amount_differs", "stan_other_amount")]),
    "row unknown": ([], [row()], [("missing_at_office", "no_payment")]),
    "row unknown, twice": ([], [row(), row(3)], [("missing_at_office", "no_payment"), ("duplicate", "row_again")]),
    "row twice": ([pay()], [row(), row(3)], [("matched", "rrn"), ("duplicate", "rrn_again")]),
    "claimed twice": ([pay(), pay("p2")], [row()], [("matched", "rrn"), ("duplicate", "rrn_claimed_twice")]),
    "claimed by a charged and a declined": (
        [pay("a", state=S.DECLINED), pay("b")],
        [row()],
        [("matched", "rrn"), ("not_charged", "no_line_not_charged")],
    ),
    "no row": ([pay()], [], [("missing_at_acquirer", "no_line")]),
    "not due": ([pay(local_date=NEXT + timedelta(days=1))], [], [("not_due", "no_file_yet")]),
    "declined": ([pay(state=S.DECLINED)], [], [("not_charged", "no_line_not_charged")]),
    "both say no": ([pay(state=S.DECLINED)], [row(status="FAILED")], [("not_charged", "rrn")]),
    "declined but settled": ([pay(state=S.DECLINED)], [row()], [("status_differs", "rrn")]),
    "approved but failed": ([pay()], [row(status="FAILED")], [("status_differs", "rrn")]),
    "approved but reversed": (
        [pay()],
        [row(), row(3, rrn="55", type="REVERSAL", original_rrn="123456789012")],
        [("status_differs", "rrn")],
    ),
    "failed try, then success that was reversed": (
        [pay()],
        [row(status="FAILED"), row(3), row(4, rrn="55", type="REVERSAL", original_rrn="123456789012")],
        [("status_differs", "rrn"), ("not_settled", "rrn_again")],
    ),
    "reversed on both sides": (
        [pay(state=S.REVERSED)],
        [row(), row(3, rrn="55", type="REVERSAL", original_rrn="123456789012")],
        [("not_charged", "rrn")],
    ),
    "part refunded": (
        [pay()],
        [row(), row(3, rrn="55", type="REFUND", original_rrn="123456789012", amount_rial=5_000)],
        [("amount_differs", "rrn")],
    ),
    "reversal without its sale": (
        [pay()],
        [row(3, rrn="55", type="REVERSAL", original_rrn="123456789012")],
        [("status_differs", "rrn")],
    ),
    "failed try, then success": (
        [pay()],
        [row(status="FAILED"), row(3)],
        [("matched", "rrn"), ("not_settled", "rrn_again")],
    ),
    "failed row of nobody": ([], [row(status="FAILED")], [("not_settled", "row_without_effect")]),
    "in shares": (
        [pay()],
        [row(amount_rial=15_000, share_of="123456789012"), row(3, amount_rial=2_000, share_of="123456789012")],
        [("matched", "rrn")],
    ),
    "a share is missing": (
        [pay()],
        [row(amount_rial=15_000, share_of="123456789012")],
        [("amount_differs", "rrn_other_amount")],
    ),
    "in doubt, settled": ([pay(**IN_DOUBT)], [row()], [("in_doubt_settled", "doubt_window")]),
    "in doubt, settled with its RRN": ([pay(state=S.IN_DOUBT)], [row()], [("in_doubt_settled", "rrn")]),
    "in doubt, nothing": ([pay(**IN_DOUBT)], [], [("in_doubt", "no_line_in_doubt")]),
    "in doubt, failed there": ([pay(state=S.IN_DOUBT)], [row(status="FAILED")], [("in_doubt", "rrn")]),
    "in doubt, row of a week before": (
        [pay(**IN_DOUBT)],
        [row(local_date=DAY - timedelta(days=7))],
        [("missing_at_office", "no_payment"), ("in_doubt", "no_line_in_doubt")],
    ),
    "two in doubt, one row: nobody guesses": (
        [pay(**IN_DOUBT), pay("p2", **IN_DOUBT)],
        [row()],
        [("missing_at_office", "no_payment"), ("in_doubt", "no_line_in_doubt"), ("in_doubt", "no_line_in_doubt")],
    ),
    "not charged, but settled": ([pay(**UNCHARGED)], [row()], [("status_differs", "uncharged_window")]),
    "never sent cannot be charged": (
        [pay(**{**UNCHARGED, "state": S.NOT_SENT})],
        [row()],
        [("missing_at_office", "no_payment"), ("not_charged", "no_line_not_charged")],
    ),
    "a supervisor's word": (
        [pay(state=S.OVERRIDDEN_CHARGED, rrn=None, stan=None, slip_number="000123")],
        [row(local_date=DAY - timedelta(days=5))],
        [("in_doubt_settled", "slip")],
    ),
    "a supervisor's no": (
        [pay(state=S.OVERRIDDEN_NOT_CHARGED, rrn=None, stan=None, slip_number="123")],
        [row()],
        [("status_differs", "slip")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bucket_and_rule(name: str) -> None:
    payments, lines, expected = CASES[name]
    assert buckets(payments, lines) == expected


@pytest.mark.parametrize(("days", "bucket"), [(0, "missing_at_acquirer"), (1, "not_due")])
def test_an_early_cutover_gives_payments_a_day_more(days: int, bucket: str) -> None:
    (decision,) = match([pay()], [], covered_to=DAY, rules=Rules(due_after_days=days))
    assert decision.bucket == bucket


def test_without_any_file_nothing_is_due() -> None:
    assert buckets([pay()], [], covered_to=None) == [("not_due", "no_file_yet")]


def test_differences_add_up_to_the_difference_of_the_sides() -> None:
    payments = [pay(), pay("p2", rrn="2", stan="2"), pay("p3", **UNCHARGED)]
    lines = [row(amount_rial=71_000), row(3, rrn="9", stan="9", amount_rial=5_000)]
    decisions = decide(payments, lines)
    assert sum(decision.difference_rial for decision in decisions) == 76_000 - 34_000


def test_an_input_given_twice_is_refused() -> None:
    with pytest.raises(BugError):
        match([pay(), pay()], [], covered_to=None, rules=Rules())


@pytest.mark.parametrize("spoil", ["lost", "doubled", "worth_else"])
def test_a_result_that_lost_something_is_refused(spoil: str) -> None:
    payments, lines = [pay(), pay("p2", rrn="2")], [row()]
    decisions = list(match(payments, lines, covered_to=NEXT, rules=Rules()))
    if spoil == "lost":
        decisions.pop()
    elif spoil == "doubled":
        decisions.append(decisions[0])
    else:
        decisions[0] = msgspec.structs.replace(decisions[0], acquirer_rial=16_999)
    with pytest.raises(IntegrityError) as raised:
        check_conservation(payments, lines, decisions)
    assert raised.value.code == "recon.not_conserved"


def test_every_bucket_has_its_texts() -> None:
    assert set(BUCKET_TEXTS) == set(Bucket)
    assert set(Bucket) >= BREAKS


# A few values for each member, so that generated rows meet.
_NUMBERS = st.sampled_from([None, "", "0", "1", "01", "2", "3"])
_DAYS = st.integers(0, 3).map(lambda days: DAY + timedelta(days=days))
_AMOUNTS = st.sampled_from([1_000, 2_000, 3_000])
_PAYMENTS = st.lists(
    st.builds(
        PaymentInput,
        office_id=st.sampled_from(["o1", "o2"]),
        payment_id=st.sampled_from([f"p{number}" for number in range(6)]),
        amount_rial=_AMOUNTS,
        state=st.sampled_from(list(S)),
        local_date=_DAYS,
        terminal_number=st.sampled_from([None, "1", "2"]),
        rrn=_NUMBERS,
        stan=_NUMBERS,
        slip_number=_NUMBERS,
    ),
    max_size=8,
    unique_by=lambda payment: payment.key,
)
_LINES = st.lists(
    st.builds(
        LineInput,
        file_id=st.sampled_from(["f1", "f2"]),
        line_number=st.integers(2, 6),
        terminal_id=st.sampled_from(["1", "2"]),
        rrn=_NUMBERS.map(lambda number: number or ""),
        stan=_NUMBERS.map(lambda number: number or ""),
        amount_rial=_AMOUNTS,
        local_date=_DAYS,
        financial_date=_DAYS,
        type=st.sampled_from(["SALE", "BILL", "REVERSAL", "REFUND", "ADVICE"]),
        status=st.sampled_from(["SUCCESS", "FAILED", "REVERSED"]),
        original_rrn=st.sampled_from(["", "1", "2"]),
        share_of=st.sampled_from(["", "1"]),
    ),
    max_size=8,
    unique_by=lambda line: line.key,
)


@given(payments=_PAYMENTS, lines=_LINES, covered_to=st.none() | _DAYS, data=st.data())
def test_nothing_is_lost_and_order_does_not_matter(
    payments: list[PaymentInput], lines: list[LineInput], covered_to: date | None, data: st.DataObject
) -> None:
    decisions = match(payments, lines, covered_to=covered_to, rules=Rules())
    totals = check_conservation(payments, lines, decisions)
    assert sum(total.decision_count for total in totals.buckets) == len(decisions)

    shuffled_payments = data.draw(st.permutations(payments))
    shuffled_lines = data.draw(st.permutations(lines))
    again = match(shuffled_payments, shuffled_lines, covered_to=covered_to, rules=Rules())
    assert again == decisions
    assert result_sha256(again) == result_sha256(decisions)
    assert inputs_sha256(shuffled_payments) == inputs_sha256(payments)
    assert inputs_sha256(shuffled_lines) == inputs_sha256(lines)
    assert len({break_key(decision) for decision in decisions}) == len(decisions)


@given(payments=_PAYMENTS, lines=_LINES)
def test_matched_means_both_sides_say_one_amount(payments: list[PaymentInput], lines: list[LineInput]) -> None:
    for decision in match(payments, lines, covered_to=NEXT, rules=Rules()):
        if decision.bucket is Bucket.MATCHED:
            assert decision.difference_rial == 0
            assert len(decision.payments) == 1
            assert decision.lines
        if decision.difference_rial:
            assert decision.bucket not in (Bucket.MATCHED, Bucket.NOT_CHARGED, Bucket.IN_DOUBT_SETTLED)
