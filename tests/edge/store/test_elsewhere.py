"""What central tells of the office's other journals holds its obligations here, whatever comes in which order."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.store.creation import create_box
from edge.store.rebuild import rebuild_projections
from shared.errors import OperatorError
from shared.events import (
    AcquirerAnswered,
    Body,
    ObligationElsewhere,
    ObligationsHeld,
    PaymentConfirmed,
    PaymentElsewhere,
    PaymentNotSent,
    PaymentRefused,
)
from shared.payment import CERTAINLY_UNCHARGED, PaymentState
from tests.edge.store.boxes import OBLIGATION, OFFICE_FEED, Box, approved, declined, requested, sent

THERE: Final = "daftar.journal/72101001/0/1"
AT: Final = "2026-11-22T08:00:00.000Z"
OTHER: Final = "bill:2:2"
_S = PaymentState


def told(*payments: PaymentElsewhere, journal: str = THERE, at: str | None = AT) -> ObligationsHeld:
    return ObligationsHeld(journal=journal, heard_size=7, heard_at=at, payments=payments)


def there(payment_id: str = "o1", state: str = "approved", *obligations: str, **more: Any) -> PaymentElsewhere:
    items = tuple(
        ObligationElsewhere(
            obligation=one, amount_rial=17_000, bill_id=one.split(":")[1], bill_payment_id=one.split(":")[2]
        )
        for one in obligations or (OBLIGATION,)
    )
    facts = {"terminal": "terminal-1", "requested_at": AT, "rrn": "000000000001"} | more
    return PaymentElsewhere(payment_id=payment_id, state=PaymentState(state), obligations=items, **facts)


def acquirer(*, charged: bool, about: Any = "sale", payment_id: str = "o1") -> AcquirerAnswered:
    return AcquirerAnswered(
        payment_id=payment_id, charged=charged, about=about, source="settlement", acquirer="psp", answered_at=AT
    )


def say(box: Box, *bodies: Body) -> None:
    box.receive(OFFICE_FEED, [box.central.office.say(body) for body in bodies])


def state(box: Box, payment_id: str = "o1") -> PaymentState:
    found = box.queries.others.payment(payment_id)
    assert found
    return found.state


def is_free(box: Box, obligation: str = OBLIGATION) -> bool:
    """Return whether nobody holds it, by every way of asking."""
    own, other = box.queries.payment_by_obligation(obligation), box.queries.others.holder_of(obligation)
    return own is None and other is None


def holds_together(box: Box) -> None:
    assert rebuild_projections(box.path) == []


def test_what_another_journal_charged_cannot_be_charged_here(box: Box):
    say(box, told(there("o1", "approved", OBLIGATION, OTHER)))
    held = box.queries.others.holder_of(OTHER)
    assert held
    assert (held.payment_id, held.journal, held.amount_rial, held.heard_at) == ("o1", THERE, 34_000, AT)
    assert box.queries.payment_by_obligation(OTHER) is None
    with pytest.raises(OperatorError, match=r"payment\.obligation_held") as refused:
        box.write(requested("p1"))
    assert refused.value.data == {"payment_id": "o1"}
    (heard,) = box.queries.others.journals()
    assert (heard.journal, heard.heard_size, heard.heard_at, heard.held_count) == (THERE, 7, AT, 1)
    holds_together(box)


def test_a_bill_is_followed_up_by_either_number_while_it_is_held_there(box: Box):
    say(
        box,
        told(there("o1", "approved", OTHER), there("o2", "in_doubt", "bill:7:3"), there("o3", "declined", "bill:7:4")),
    )
    found = {
        numbers: [held.payment_id for held in box.queries.others.payments_by_paper(numbers)]
        for numbers in (("2",), ("7",), ("3",), ("4",), ("7", "3"), ("9",))
    }
    assert found == {("2",): ["o1"], ("7",): ["o2"], ("3",): ["o2"], ("4",): [], ("7", "3"): ["o2"], ("9",): []}


def test_what_is_told_of_this_journal_itself_teaches_nothing(box: Box):
    say(box, told(there(), journal=box.identity.journal_id))
    assert is_free(box)
    assert box.queries.others.journals() == []


def test_a_payment_told_again_holds_or_frees_what_it_did(box: Box):
    say(box, told(there(state="in_doubt")))
    assert not is_free(box)
    say(box, told(there(state="not_charged")))
    assert is_free(box)
    say(box, told(there(state="approved")))
    assert not is_free(box)
    holds_together(box)


@pytest.mark.parametrize(
    ("before", "word", "after"),
    [
        ("in_doubt", acquirer(charged=False), "not_charged"),
        ("in_doubt", acquirer(charged=True), "approved"),
        ("requested", acquirer(charged=False), "not_charged"),
        ("sent", acquirer(charged=True), "approved"),
        ("approved", acquirer(charged=False), "approved"),
        ("declined", acquirer(charged=True), "approved"),
        ("declined", acquirer(charged=False), "declined"),
        ("reversal_in_doubt", acquirer(charged=False, about="reversal"), "reversed"),
        ("reversal_in_doubt", acquirer(charged=True, about="reversal"), "approved"),
        ("reversed", acquirer(charged=True), "reversed"),
    ],
)
@pytest.mark.parametrize("first", ["told", "word"])
def test_the_acquirers_word_settles_what_its_own_box_left_open(
    box: Box, before: str, word: AcquirerAnswered, after: str, first: str
):
    facts: list[Body] = [told(there(state=before)), word]
    for fact in facts if first == "told" else facts[::-1]:
        say(box, fact)
    assert state(box) == after
    assert is_free(box) is (PaymentState(after) in CERTAINLY_UNCHARGED)
    holds_together(box)


def test_a_charge_of_ours_that_another_box_made_too_is_marked_and_fits(box: Box):
    box.write(requested("p1"), sent("p1"), approved("p1"))
    say(box, told(there()))
    own = box.queries.payment("p1")
    assert own
    assert not own.doubled
    assert box.queries.others.holder_of(OBLIGATION)
    holds_together(box)


def test_a_late_approval_of_ours_is_a_second_charge_of_what_another_box_charged(box: Box):
    box.write(requested("p1"), sent("p1"), declined("p1"))
    say(box, told(there()))
    box.write(approved("p1"))
    own = box.queries.payment("p1")
    assert own
    assert own.doubled
    say(box, told(there(state="reversed")))
    own = box.queries.payment("p1")
    assert own
    assert not own.doubled, "it is the only one now"
    holds_together(box)


def test_a_providers_word_about_another_boxs_payment_is_kept(box: Box):
    say(box, told(there(), there("o2", "approved", OTHER, "bill:3:3")))
    for payment_id, item in (("o1", None), ("o2", 1)):
        word = PaymentConfirmed(
            payment_id=payment_id, provider="w", track_id="t", provider_reference="r", confirmed_at=AT, item=item
        )
        say(box, word)
    words = [
        [item.confirmation for item in found.items]
        for name in ("o1", "o2")
        if (found := box.queries.others.payment(name))
    ]
    assert words == [["confirmed"], ["none", "confirmed"]]
    holds_together(box)


def test_a_part_is_held_there_while_its_whole_is_and_was_not_refused(box: Box):
    part = "bill:3:3"

    def holder() -> str | None:
        whole = box.queries.others.whole_of(part)
        return None if whole is None else whole.payment_id

    def whole(state: str) -> ObligationsHeld:
        return told(there("o1", state, OTHER, covers=(part,)))

    for state, by in (("declined", None), ("in_doubt", "o1"), ("not_charged", None), ("approved", "o1")):
        say(box, whole(state))
        assert holder() == by, state
    say(box, PaymentRefused(payment_id="o1", provider="w", track_id="t", reason="expired", case_id="c"))
    assert holder() is None
    assert not is_free(box, OTHER), "the whole itself stays held until its money is back"
    holds_together(box)


def test_a_payment_that_names_an_obligation_twice_holds_it_once_and_holds_up_no_feed(box: Box):
    say(box, told(there("o1", "approved", OBLIGATION, OBLIGATION, OTHER)), told(there("o2", "declined", "bill:3:3")))
    held = box.queries.others.holder_of(OTHER)
    assert held
    assert [item.obligation for item in held.items] == [OBLIGATION, OTHER]
    assert not is_free(box)
    say(box, told(there("o1", "not_charged", OBLIGATION, OBLIGATION, OTHER)))
    assert is_free(box)
    holds_together(box)


def test_a_journal_that_begins_behind_others_waits_for_the_feed(tmp_path: Path):
    box = Box(tmp_path)
    box.path.unlink()
    create_box(
        box.path,
        box.identity,
        signer=box.signer,
        clock=box.clock,
        entropy=box.entropy,
        software="test",
        token=b"first token",
        predecessor=THERE,
        predecessor_cosigned_size=7,
        feed_size=2,
    )
    with box:
        assert box.queries.others.predecessor() == THERE
        assert box.queries.others.are_awaited()
        say(box, told(at=None))
        assert box.queries.others.are_awaited()
        say(box, told(at=None))
        assert not box.queries.others.are_awaited()
        (heard,) = box.queries.others.journals()
        assert (heard.is_predecessor, heard.heard_at, heard.held_count) == (True, None, 0)
        holds_together(box)


STEP = st.one_of(
    st.tuples(st.just("told"), st.sampled_from(("o1", "o2")), st.sampled_from(sorted(PaymentState))),
    st.tuples(st.just("word"), st.sampled_from(("o1", "o2")), st.booleans()),
    st.tuples(st.just("pay"), st.sampled_from((OBLIGATION, OTHER)), st.sampled_from(("keep", "free", "late"))),
)
OF: Final = {"o1": (OBLIGATION, OTHER), "o2": (OTHER,)}


@settings(max_examples=12, deadline=None)
@given(st.lists(STEP, max_size=12))
def test_one_charge_holds_an_obligation_whoever_made_it(tmp_path_factory: pytest.TempPathFactory, steps: Sequence[Any]):
    """Whatever is told and paid in whichever order: who may not charge is refused, and the facts always fit."""
    with Box(tmp_path_factory.mktemp("model")) as box:
        for number, (kind, name, value) in enumerate(steps):
            if kind == "told":
                say(box, told(there(name, value, *OF[name])))
            elif kind == "word":
                say(box, acquirer(charged=value, payment_id=name))
            else:
                _pay(box, f"p{number}", name, value)
        for obligation in (OBLIGATION, OTHER):
            held = box.queries.others.holder_of(obligation)
            there_now = [
                payment_id
                for payment_id, pays in OF.items()
                if obligation in pays
                and (found := box.queries.others.payment(payment_id))
                and found.state not in CERTAINLY_UNCHARGED
            ]
            assert (held is not None) is bool(there_now)
        holds_together(box)


def _pay(box: Box, payment_id: str, obligation: str, end: str) -> None:
    if not is_free(box, obligation):
        with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
            box.write(requested(payment_id, obligation=obligation))
        return
    box.write(requested(payment_id, obligation=obligation))
    if end == "free":
        box.write(PaymentNotSent(payment_id=payment_id, reason="terminal.unreachable"))
    else:
        box.write(sent(payment_id), *((declined(payment_id),) if end == "late" else ()), approved(payment_id))
