from itertools import product
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events import Gate
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState
from shared.service_state import (
    PAYABLE_FEE,
    SEEN,
    ServiceFacts,
    ServiceOutcome,
    ServiceState,
    answer_of,
    awaits_print,
    fee_of,
    service_state,
)
from shared.service_words import SERVICE_STATUSES
from shared.text import Language

FEE = 175_000
FIRST = ServiceFacts(fee_rial=FEE, gate="fee_first", print_first=True)
AFTER = msgspec.structs.replace(FIRST, gate="answer_first", print_first=False)
FREE = ServiceFacts(fee_rial=0, gate="fee_first", print_first=False)
PAID = PaymentState.APPROVED

facts = st.builds(
    ServiceFacts,
    fee_rial=st.sampled_from([0, FEE]),
    gate=st.sampled_from(get_args(Gate)),
    print_first=st.booleans(),
    fee_state=st.none() | st.sampled_from(PaymentState),
    fee_kept=st.booleans(),
    fee_back=st.booleans(),
    outcome=st.none() | st.sampled_from(get_args(ServiceOutcome)),
    case_id=st.none() | st.just("c1"),
    readable=st.booleans(),
    printed=st.booleans(),
    released=st.booleans(),
    shown=st.booleans(),
)


def of(start: ServiceFacts, **known: object) -> ServiceState:
    return service_state(msgspec.structs.replace(start, **known))


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ({}, "fee_due"),
        ({"fee_state": PaymentState.SENT}, "fee_under_way"),
        ({"fee_state": PaymentState.IN_DOUBT}, "fee_in_doubt"),
        ({"fee_state": PaymentState.DECLINED}, "fee_failed"),
        ({"fee_state": PAID}, "waiting"),
        ({"fee_state": PAID, "printed": True}, "waiting"),
        ({"fee_state": PAID, "outcome": "done"}, "print_first"),
        ({"fee_state": PAID, "outcome": "nothing"}, "print_first"),
        ({"fee_state": PAID, "outcome": "done", "printed": True}, "ready"),
        ({"fee_state": PAID, "outcome": "done", "released": True}, "ready"),
        ({"fee_state": PAID, "outcome": "done", "printed": True, "shown": True}, "shown"),
        ({"fee_state": PAID, "outcome": "nothing", "printed": True}, "nothing"),
        ({"fee_state": PAID, "outcome": "done", "printed": True, "readable": False}, "needs_review"),
        ({"fee_state": PAID, "outcome": "refused"}, "needs_review"),
        ({"fee_state": PAID, "outcome": "wrong_parameter"}, "needs_review"),
        ({"fee_state": PAID, "outcome": "refused", "case_id": "c1"}, "refused"),
        # Two people agreed that finance gives it back: nobody is asked for it any more, and what came stays.
        ({"fee_state": PAID, "fee_back": True}, "refused"),
        ({"fee_state": PAID, "fee_back": True, "outcome": "wrong_parameter"}, "refused"),
        ({"fee_state": PAID, "fee_back": True, "outcome": "done", "printed": True}, "ready"),
        # A terminal that was not told to keep the sale may still take it back.
        ({"fee_state": PAID, "fee_kept": False, "outcome": "done", "printed": True}, "fee_under_way"),
        # Given back: whoever wants to see the answer pays again.
        ({"fee_state": PaymentState.REVERSED, "outcome": "done", "printed": True, "shown": True}, "fee_failed"),
    ],
)
def test_a_fee_that_comes_first(known: dict[str, object], state: str) -> None:
    assert of(FIRST, **known) == state


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ({}, "waiting"),
        ({"outcome": "done"}, "fee_due"),
        ({"outcome": "nothing"}, "fee_due"),
        ({"outcome": "refused"}, "refused"),
        ({"outcome": "done", "fee_state": PaymentState.CANCELLED}, "fee_failed"),
        ({"outcome": "done", "fee_state": PaymentState.IN_DOUBT}, "fee_in_doubt"),
        ({"outcome": "done", "fee_state": PAID}, "ready"),
    ],
)
def test_an_answer_that_comes_first_is_paid_before_it_is_shown(known: dict[str, object], state: str) -> None:
    assert of(AFTER, **known) == state


@pytest.mark.parametrize(
    ("outcome", "state"), [(None, "waiting"), ("done", "ready"), ("nothing", "nothing"), ("refused", "refused")]
)
def test_a_service_without_a_fee_waits_for_its_answer_only(outcome: str | None, state: str) -> None:
    assert of(FREE, outcome=outcome) == state


@given(facts)
def test_every_combination_has_a_state_and_the_answer_is_seen_only_behind_its_gate(known: ServiceFacts) -> None:
    state = service_state(known)
    if state in SEEN:
        assert known.readable
        assert known.outcome in ("done", "nothing")
        assert not known.fee_rial or (known.fee_state in CHARGED and known.fee_kept)
        assert not awaits_print(known)
    if known.shown and state in SEEN and known.outcome == "done":
        assert state is ServiceState.SHOWN


@given(facts)
def test_a_fee_is_taken_only_where_none_stands_and_something_is_got_for_it(known: ServiceFacts) -> None:
    if service_state(known) in PAYABLE_FEE:
        assert known.fee_rial
        assert known.fee_state is None or known.fee_state in CERTAINLY_UNCHARGED
        assert answer_of(known) != "no_result"
        assert known.gate == "fee_first" or known.outcome is not None


@given(facts)
def test_money_taken_without_a_result_is_never_forgotten(known: ServiceFacts) -> None:
    """Who has paid and cannot see an answer waits for it, has to print, is reviewed, or has a refund case."""
    if known.fee_rial and fee_of(known) == "settled":
        assert service_state(known) not in PAYABLE_FEE
        if service_state(known) is ServiceState.REFUSED:
            assert known.case_id or known.fee_back


def test_every_state_is_reached() -> None:
    states = {
        of(start, fee_state=fee, outcome=outcome, printed=printed, shown=shown)
        for start, fee, outcome, printed, shown in product(
            (FIRST, AFTER, FREE), (None, *PaymentState), (None, *get_args(ServiceOutcome)), (False, True), (False, True)
        )
    }
    assert states == set(ServiceState)


def test_every_state_has_a_status_in_both_languages() -> None:
    assert set(SERVICE_STATUSES) == set(ServiceState)
    for language in get_args(Language):
        words = [status.word(language) for status in SERVICE_STATUSES.values()]
        assert len(set(words)) == len(words)
