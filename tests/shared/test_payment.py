"""The payment table, cell by cell, against the design's own lines."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.errors import BugError
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, LATE, TRANSITIONS, PaymentState, advance

DESIGN = """
requested → not_sent sent
sent → approved declined cancelled in_doubt
in_doubt → approved declined cancelled not_charged overridden_charged overridden_not_charged
declined → approved overridden_charged
cancelled → approved overridden_charged
not_sent → approved overridden_charged
not_charged → approved overridden_charged
overridden_charged → approved
overridden_not_charged → approved overridden_charged
approved → acknowledged reversal_requested in_doubt
acknowledged → reversal_requested
reversal_requested → reversed reversal_in_doubt approved
reversal_in_doubt → reversed approved
reversed →
"""
ALLOWED = {
    (state.strip(), to) for state, _, row in (line.partition("→") for line in DESIGN.split("\n")) for to in row.split()
}


@pytest.mark.parametrize("state", PaymentState)
@pytest.mark.parametrize("to", PaymentState)
def test_every_cell_is_the_design_s(state, to):
    if (state.value, to.value) in ALLOWED:
        assert advance(state, to) is to
    else:
        with pytest.raises(BugError) as caught:
            advance(state, to)
        assert (caught.value.code, caught.value.data) == ("payment.move_not_allowed", {"state": state, "to": to})


def test_every_state_has_its_row():
    assert set(TRANSITIONS) == set(PaymentState)


def test_late_evidence_of_a_charge_is_taken_from_every_uncharged_state():
    assert LATE | {PaymentState.REVERSED} == CERTAINLY_UNCHARGED
    for state in LATE:
        assert advance(state, PaymentState.APPROVED) is PaymentState.APPROVED


def test_no_state_both_holds_the_money_and_frees_the_obligation():
    assert not CHARGED & CERTAINLY_UNCHARGED
    waiting = set(PaymentState) - CHARGED - CERTAINLY_UNCHARGED
    assert waiting == {PaymentState.REQUESTED, PaymentState.SENT, PaymentState.IN_DOUBT}


def test_an_override_is_not_evidence():
    assert PaymentState.APPROVED in TRANSITIONS[PaymentState.OVERRIDDEN_CHARGED]
    assert PaymentState.REVERSAL_REQUESTED not in TRANSITIONS[PaymentState.OVERRIDDEN_CHARGED]


class OnePayment(RuleBasedStateMachine):
    """Any walk: once the amount may have left, only evidence, a status answer or a person frees the obligation."""

    def __init__(self) -> None:
        super().__init__()
        self.state = PaymentState.REQUESTED
        self.path = [self.state]

    @rule(to=st.sampled_from(PaymentState))
    def move(self, to: PaymentState) -> None:
        if to in TRANSITIONS[self.state]:
            self.state = advance(self.state, to)
            self.path.append(self.state)
        else:
            with pytest.raises(BugError):
                advance(self.state, to)

    @invariant()
    def not_sent_is_never_said_after_sending(self) -> None:
        if PaymentState.SENT in self.path:
            assert PaymentState.NOT_SENT not in self.path

    @invariant()
    def a_payment_is_sent_once(self) -> None:
        assert self.path.count(PaymentState.SENT) <= 1

    @invariant()
    def money_that_was_approved_comes_back_only_by_a_reversal(self) -> None:
        if PaymentState.APPROVED in self.path and self.state in CERTAINLY_UNCHARGED - {PaymentState.REVERSED}:
            # Or by a terminal that never had our word for it: then it was in doubt again before it was settled.
            after = self.path[self.path.index(PaymentState.APPROVED) :]
            assert PaymentState.IN_DOUBT in after


TestOnePayment = OnePayment.TestCase
