from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.journal.refunds import AcquirerAnswer
from edge.journal.views import AlarmView, PaymentView
from edge.services.payments.disagreement import disagreement_stands
from edge.services.payments.judge_acquirer import judge_acquirer
from shared.events import AlarmRaised, Body, ChargeRuledOut, PaymentApproved
from shared.payment import CHARGED, LATE, TRANSITIONS, PaymentState, advance
from tests.edge.services.payments.test_judge_outcome import PAYMENT

S = PaymentState
TO = {
    "payment.approved": S.APPROVED,
    "payment.not_charged": S.NOT_CHARGED,
    "payment.reversed": S.REVERSED,
    "payment.reversal_refused": S.APPROVED,
}


NO = AcquirerAnswer(number=1, payment_id="p", charged=False, source="settlement", acquirer="beh", received_index=9)
YES = msgspec.structs.replace(NO, charged=True, amount_rial=10_000, terminal_number="00001234", rrn="000000000777")
STANDS = msgspec.structs.replace(YES, number=3, about="reversal")
UNDONE = msgspec.structs.replace(NO, number=4, about="reversal")


def at(state: PaymentState, **members: Any) -> PaymentView:
    return msgspec.structs.replace(PAYMENT, state=state, **members)


def kinds(bodies: list[Body]) -> list[str]:
    return [body.kind if isinstance(body, AlarmRaised) else body.type for body in bodies]


def alarm(kind: str, detail: str = "") -> AlarmView:
    return AlarmView(index=1, kind=kind, payment_id="p", detail=detail, raised_at="")


@pytest.mark.parametrize("state", sorted(LATE))
def test_a_charge_of_what_counted_as_uncharged_is_applied_and_is_an_alarm(state: PaymentState) -> None:
    assert kinds(judge_acquirer(at(state), [], [YES])) == ["payment.approved", "late_approval"]


@pytest.mark.parametrize("state", [S.IN_DOUBT, S.OVERRIDDEN_CHARGED])
def test_a_charge_that_agrees_approves_with_its_numbers(state: PaymentState) -> None:
    (approved,) = judge_acquirer(at(state), [alarm("charge_mismatch")], [YES])
    assert isinstance(approved, PaymentApproved)
    assert (approved.evidence.source, approved.evidence.rrn) == ("acquirer", "000000000777")


@pytest.mark.parametrize(
    "other", [{"amount_rial": 10_001}, {"amount_rial": None}, {"terminal_number": "00009999"}, {"rrn": "000000000778"}]
)
@pytest.mark.parametrize("state", [S.IN_DOUBT, S.DECLINED, S.OVERRIDDEN_NOT_CHARGED])
def test_a_charge_that_does_not_agree_is_an_alarm_and_moves_nothing(state: PaymentState, other: dict[str, Any]) -> None:
    said = msgspec.structs.replace(YES, **other)
    assert kinds(judge_acquirer(at(state, rrn="777"), [], [said])) == ["charge_mismatch"]


def test_leading_zeros_make_no_other_number() -> None:
    assert kinds(judge_acquirer(at(S.IN_DOUBT, rrn="777"), [], [YES])) == ["payment.approved"]


def test_not_charged_settles_a_doubt_that_nobody_contradicted_and_no_other() -> None:
    assert kinds(judge_acquirer(at(S.IN_DOUBT), [], [NO])) == ["payment.not_charged"]
    assert kinds(judge_acquirer(at(S.IN_DOUBT), [alarm("stray_approval")], [NO])) == ["answers_disagree"]
    for state in LATE:
        assert judge_acquirer(at(state), [], [NO]) == []


@pytest.mark.parametrize("state", [S.APPROVED, S.ACKNOWLEDGED, S.OVERRIDDEN_CHARGED])
def test_not_charged_of_what_is_charged_is_for_a_person_to_see(state: PaymentState) -> None:
    assert kinds(judge_acquirer(at(state), [], [NO])) == ["answers_disagree"]
    assert judge_acquirer(at(state, late=True), [], [NO]) == []


def test_a_reversal_in_doubt_ends_by_words_about_the_reversal_and_not_by_old_ones_about_the_sale() -> None:
    doubt = at(S.REVERSAL_IN_DOUBT)
    assert kinds(judge_acquirer(doubt, [], [STANDS])) == ["payment.reversal_refused"]
    assert kinds(judge_acquirer(doubt, [], [UNDONE])) == ["payment.reversed"]
    assert judge_acquirer(doubt, [], [YES, NO]) == []
    partly = msgspec.structs.replace(UNDONE, amount_rial=9_999)
    assert kinds(judge_acquirer(doubt, [], [partly])) == ["answer_mismatch"]


def test_a_sale_that_stands_after_all_holds_its_bill_and_one_undone_unasked_is_for_a_person_to_see() -> None:
    (alarm_raised,) = judge_acquirer(at(S.REVERSED), [], [YES, STANDS])
    assert isinstance(alarm_raised, AlarmRaised)
    assert alarm_raised.kind == "charge_mismatch"
    raised = alarm("charge_mismatch", alarm_raised.detail)
    assert disagreement_stands(at(S.REVERSED), [raised])
    assert judge_acquirer(at(S.REVERSED, ruled_out_index=9), [raised], [YES, STANDS]) == []
    assert kinds(judge_acquirer(at(S.APPROVED), [], [UNDONE])) == ["answers_disagree"]
    assert judge_acquirer(at(S.APPROVED), [], [STANDS]) == []


@pytest.mark.parametrize("state", [S.REQUESTED, S.SENT, S.REVERSAL_REQUESTED, S.REVERSED])
def test_while_the_terminal_has_the_word_the_acquirer_waits(state: PaymentState) -> None:
    assert judge_acquirer(at(state), [], [YES, NO]) == []


def test_a_second_charge_of_a_charged_payment_is_an_alarm() -> None:
    assert kinds(judge_acquirer(at(S.APPROVED, rrn="000000000001"), [], [YES])) == ["second_charge"]


def test_a_no_that_was_taken_back_counts_for_nothing() -> None:
    both = [NO, msgspec.structs.replace(YES, number=2)]
    assert kinds(judge_acquirer(at(S.IN_DOUBT), [], both)) == ["payment.approved"]
    assert judge_acquirer(at(S.APPROVED, rrn="777"), [], both) == []


ANSWERS = st.lists(
    st.builds(
        msgspec.structs.replace,
        st.sampled_from([YES, NO, STANDS, UNDONE]),
        amount_rial=st.sampled_from([10_000, 10_001, None]),
        rrn=st.sampled_from([None, "777", "778"]),
        terminal_number=st.sampled_from([None, "00001234", "00009999"]),
    ),
    max_size=4,
)


@given(
    st.sampled_from(sorted(S)),
    st.sampled_from([None, "777"]),
    ANSWERS,
    st.sampled_from([(), (alarm("charge_mismatch"),), (alarm("answer_mismatch"),)]),
)
def test_judging_comes_to_an_end_and_by_the_payment_table(
    state: PaymentState, rrn: str | None, answers: list[AcquirerAnswer], alarms: tuple[AlarmView, ...]
) -> None:
    payment, spoken = at(state, rrn=rrn), alarms and alarms[0].kind == "charge_mismatch"
    for _ in range(2 * len(answers) + 2):
        bodies = judge_acquirer(payment, alarms, answers)
        if not bodies:
            break
        for body in bodies:
            if isinstance(body, AlarmRaised):
                alarms = (*alarms, alarm(body.kind, body.detail))
                continue
            if isinstance(body, ChargeRuledOut):
                assert disagreement_stands(payment, alarms)
                payment = msgspec.structs.replace(payment, ruled_out_index=10)
                continue
            to = TO[body.type]
            assert to in TRANSITIONS[payment.state]
            assert not (to is S.NOT_CHARGED and spoken)
            late = payment.state in LATE and to is S.APPROVED
            payment = msgspec.structs.replace(payment, state=advance(payment.state, to), late=late or payment.late)
    assert judge_acquirer(payment, alarms, answers) == [], "nothing is judged twice"
    if state in CHARGED - {S.REVERSAL_IN_DOUBT}:
        assert payment.state in CHARGED
