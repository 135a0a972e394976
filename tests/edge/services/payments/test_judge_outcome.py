from collections.abc import Sequence
from typing import Literal, cast, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.terminals.outcome import DoubtReason, OutcomeKind, TerminalOutcome
from edge.journal.refunds import AcquirerAnswer
from edge.journal.views import AlarmView, PaymentView
from edge.services.payments.judge_acquirer import judge_acquirer
from edge.services.payments.judge_outcome import (
    SPEAKS_OF_CHARGE,
    charge_spoken_of,
    is_second_charge,
    judge,
    judge_not_found,
)
from shared.events import (
    AlarmRaised,
    Body,
    ChargeRuledOut,
    Evidence,
    PaymentInDoubt,
    PaymentNotCharged,
    PaymentOverridden,
)
from shared.payment import PaymentState, advance

PAYMENT = PaymentView(
    payment_id="p",
    obligation="bill:1:1",
    purpose="bill",
    amount_rial=10_000,
    state=PaymentState.SENT,
    method="pcpos",
    terminal="terminal-1",
    reference="000000000000000001",
    operator="sara",
    requested_at="2026-11-22T10:00:00Z",
    requested_index=1,
    terminal_number="00001234",
)
OF_TYPE = {
    "payment.approved": PaymentState.APPROVED,
    "payment.declined": PaymentState.DECLINED,
    "payment.cancelled": PaymentState.CANCELLED,
    "payment.in_doubt": PaymentState.IN_DOUBT,
    "payment.not_charged": PaymentState.NOT_CHARGED,
    "payment.overridden": PaymentState.OVERRIDDEN_NOT_CHARGED,
}
Said = Literal[
    "approved",
    "declined",
    "cancelled",
    "silence",
    "other_charge",
    "other_refusal",
    "not_found",
    "stray",
    "acquirer_no",
    "acquirer_other",
    "override_no",
]
NO_CHARGE: tuple[Said, ...] = ("declined", "cancelled", "not_found")


class Told(msgspec.Struct):
    """A payment and its alarms, as what is said of it is applied by the payment table."""

    state: PaymentState = PaymentState.SENT
    alarms: tuple[AlarmView, ...] = ()
    size: int = 0
    ruled_out_index: int | None = None

    def hear(self, said: Said) -> list[Body]:
        bodies = list(self._bodies(said))
        for body in bodies:
            self.size += 1
            if isinstance(body, AlarmRaised):
                alarm = AlarmView(index=self.size, kind=body.kind, detail=body.detail, raised_at="")
                self.alarms = (*self.alarms, alarm)
            elif isinstance(body, ChargeRuledOut):
                self.ruled_out_index = self.size
            else:
                self.state = advance(self.state, OF_TYPE[body.type])
        return bodies

    def _from_elsewhere(self, said: Said, payment: PaymentView) -> Sequence[Body]:
        if said == "override_no":
            word_of_reza = PaymentOverridden(payment_id="p", charged=False, operator="reza", reason="", slip_number="")
            return [word_of_reza] if self.state is PaymentState.IN_DOUBT else []
        word = AcquirerAnswer(
            number=1,
            payment_id="p",
            charged=said == "acquirer_other",
            source="settlement",
            acquirer="beh",
            amount_rial=1,
            received_index=self.size + 1,
        )
        return judge_acquirer(payment, self.alarms, [word])

    def _bodies(self, said: Said) -> Sequence[Body]:
        spoken = charge_spoken_of(self.alarms)
        payment = msgspec.structs.replace(PAYMENT, state=self.state, ruled_out_index=self.ruled_out_index)
        if said in ("acquirer_no", "acquirer_other", "override_no"):
            return self._from_elsewhere(said, payment)
        if said == "stray":
            return [AlarmRaised(kind="stray_approval", payment_id="p")]
        if said == "not_found":
            return judge_not_found(payment, spoken_before=spoken, asked_count=2, enough=True)
        doubt: dict[Said, tuple[DoubtReason, bool]] = {
            "silence": ("no_answer", False),
            "other_charge": ("mismatch", True),
            "other_refusal": ("mismatch", False),
        }
        if said in doubt:
            reason, speaks = doubt[said]
            outcome = TerminalOutcome(kind="in_doubt", reason=reason)
            return judge("p", self.state, outcome, spoken_before=spoken, speaks_of_charge=speaks)
        outcome = TerminalOutcome(
            kind=cast(OutcomeKind, said),
            evidence=Evidence(source="late_answer", response_code="00" if said == "approved" else "51"),
        )
        return judge("p", self.state, outcome, spoken_before=spoken)


@given(st.lists(st.sampled_from(get_args(Said))))
def test_once_a_charge_was_spoken_of_only_an_approval_or_an_override_ends_the_doubt(sequence: list[Said]) -> None:
    told = Told()
    for said in sequence:
        before, spoken = told.state, charge_spoken_of(told.alarms)
        told.hear(said)
        if before in (PaymentState.SENT, PaymentState.IN_DOUBT) and spoken and said not in ("approved", "override_no"):
            assert told.state in (PaymentState.SENT, PaymentState.IN_DOUBT)
        if said == "approved":
            assert told.state is PaymentState.APPROVED


@pytest.mark.parametrize("said", ["declined", "cancelled"])
def test_a_refusal_after_word_of_a_charge_is_kept_as_evidence_and_settles_nothing(said: Said) -> None:
    told = Told()
    told.hear("other_charge")
    (alarm,) = told.hear(said)
    assert told.state is PaymentState.IN_DOUBT
    assert isinstance(alarm, AlarmRaised)
    assert alarm.kind == "answers_disagree"
    assert "code 51" in alarm.detail
    assert said in alarm.detail


def test_a_refusal_of_a_sale_whose_charge_was_spoken_of_ends_in_doubt() -> None:
    told = Told()
    told.hear("stray")
    doubt, alarm = told.hear("declined")
    assert isinstance(doubt, PaymentInDoubt)
    assert doubt.evidence is not None
    assert doubt.evidence.response_code == "51"
    assert isinstance(alarm, AlarmRaised)


@pytest.mark.parametrize("said", NO_CHARGE)
def test_evidence_of_no_charge_settles_a_doubt_that_nobody_contradicted(said: Said) -> None:
    told = Told()
    told.hear("silence")
    told.hear("other_refusal")
    told.hear(said)
    assert told.state is OF_TYPE[f"payment.{'not_charged' if said == 'not_found' else said}"]


def test_not_founds_settle_only_what_is_in_doubt_and_only_when_there_are_enough() -> None:
    in_doubt = msgspec.structs.replace(PAYMENT, state=PaymentState.IN_DOUBT)
    assert judge_not_found(in_doubt, spoken_before=False, asked_count=1, enough=False) == []
    assert judge_not_found(in_doubt, spoken_before=True, asked_count=2, enough=True) == []
    assert judge_not_found(in_doubt, spoken_before=False, asked_count=2, enough=True) == [
        PaymentNotCharged(payment_id="p", asked_count=2)
    ]
    for state in set(PaymentState) - {PaymentState.IN_DOUBT}:
        other = msgspec.structs.replace(PAYMENT, state=state)
        assert judge_not_found(other, spoken_before=False, asked_count=2, enough=True) == []


@pytest.mark.parametrize("kind", sorted(SPEAKS_OF_CHARGE))
def test_each_alarm_that_speaks_of_a_charge_holds_the_doubt(kind: str) -> None:
    alarm = AlarmView(index=0, kind=kind, detail="", raised_at="")
    other = AlarmView(index=1, kind="answer_mismatch", detail="", raised_at="")
    assert charge_spoken_of([other, alarm])
    assert not charge_spoken_of([other])


@pytest.mark.parametrize("state", [PaymentState.APPROVED, PaymentState.REVERSED])
def test_an_approval_by_other_numbers_is_a_second_charge_of_a_sale_that_was_undone_too(state: PaymentState) -> None:
    known = msgspec.structs.replace(PAYMENT, state=state, stan="000007", rrn="700000000007")
    other = Evidence(source="late_answer", response_code="00", amount_rial=10_000, stan="000008", rrn="700000000008")
    assert is_second_charge(known, other)
    assert not is_second_charge(known, msgspec.structs.replace(other, stan="7", rrn=None))
