"""What a charge of several obligations holds, one by one."""

from typing import Any

import apsw
import pytest

from edge.journal.views import PaymentView
from edge.store.people import People
from edge.store.rebuild import rebuild_projections
from shared.errors import OperatorError
from shared.events import (
    Body,
    Evidence,
    InquiryAnswered,
    PaymentConfirmed,
    PaymentNotCharged,
    PaymentNotSent,
    PaymentRefused,
    PaymentRequested,
    PaymentReversed,
    ReceiptPrinted,
    RefundAgreed,
    RefundProposed,
    ReversalRequested,
)
from shared.ids import bill_obligation
from tests.edge.store.boxes import (
    BILL_ID,
    BILL_PAYMENT_ID,
    BILL_RIAL,
    OBLIGATION,
    OFFICE_FEED,
    Box,
    approved,
    asked,
    declined,
    in_doubt,
    requested,
    requested_of,
    sent,
)

THREE = (OBLIGATION, "bill:2:2", "bill:3:3")


def payment(box: Box, payment_id: str) -> PaymentView:
    found = box.queries.payment(payment_id)
    assert found
    return found


def say(box: Box, *bodies: Body) -> None:
    box.receive(OFFICE_FEED, [box.central.office.say(body) for body in bodies])


def confirmed(item: int | None, payment_id: str = "g") -> PaymentConfirmed:
    return PaymentConfirmed(
        payment_id=payment_id, provider="w", track_id="t", provider_reference=f"R-{item}", confirmed_at="", item=item
    )


def refused(item: int, payment_id: str = "g") -> PaymentRefused:
    return PaymentRefused(
        payment_id=payment_id, provider="w", track_id="t", reason="expired", case_id=f"case-{item}", item=item
    )


def words(box: Box) -> list[str]:
    return [item.confirmation for item in payment(box, "g").items]


@pytest.mark.parametrize("obligation", THREE)
def test_an_item_and_a_payment_of_its_own_keep_each_other_out(box: Box, obligation: str):
    box.write(requested_of("g", THREE))
    held = box.queries.payment_by_obligation(obligation)
    assert held is not None
    assert held.payment_id == "g"
    with pytest.raises(OperatorError, match=r"payment\.obligation_held") as caught:
        box.write(requested("p", obligation=obligation))
    assert caught.value.data == {"payment_id": "g"}
    box.write(PaymentNotSent(payment_id="g", reason="restart"))
    box.write(requested("p", obligation=obligation))
    with pytest.raises(OperatorError, match=r"payment\.obligation_held") as caught:
        box.write(requested_of("again", THREE))
    assert caught.value.data == {"payment_id": "p"}
    assert [one.payment_id for one in box.queries.payments_of(obligation)] == ["g", "p"]
    assert rebuild_projections(box.path) == []


def test_one_bill_is_no_two_items_of_a_charge(box: Box):
    with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
        box.write(requested_of("g", (OBLIGATION, "bill:2:2", OBLIGATION)))


def test_each_item_has_its_providers_word_and_the_payment_sums_them_up(box: Box):
    box.write(requested_of("g", THREE), sent("g"), approved("g"))
    assert words(box) == ["queued"] * 3
    assert unconfirmed(box) == (3, 3 * BILL_RIAL)
    say(box, confirmed(1))
    assert (words(box), payment(box, "g").confirmation) == (["queued", "confirmed", "queued"], "queued")
    assert unconfirmed(box) == (2, 2 * BILL_RIAL)
    say(box, refused(2))
    assert payment(box, "g").confirmation == "queued"
    say(box, confirmed(0))
    found = payment(box, "g")
    assert (found.confirmation, found.case_id, found.provider_reference) == ("refused", None, None)
    assert [item.provider_reference for item in found.items] == ["R-0", "R-1", None]
    assert [item.case_id for item in found.items] == [None, None, "case-2"]
    assert unconfirmed(box) == (0, 0)
    say(box, confirmed(2))
    assert payment(box, "g").confirmation == "confirmed"
    assert rebuild_projections(box.path) == []


def unconfirmed(box: Box) -> tuple[int, int]:
    status = box.queries.status()
    return status.unconfirmed_count, status.unconfirmed_rial


@pytest.mark.parametrize("item", [None, 3, 2**63 - 1])
def test_a_word_about_no_item_of_several_is_about_none_of_them(box: Box, item: int | None):
    box.write(requested_of("g", THREE), sent("g"), approved("g"))
    say(box, confirmed(item))
    assert words(box) == ["queued"] * 3


@pytest.mark.parametrize("item", [None, 0])
def test_a_payment_of_one_obligation_is_its_own_first_item(box: Box, item: int | None):
    box.write(requested("g"), sent("g"), approved("g"))
    say(box, confirmed(item))
    found = payment(box, "g")
    assert (found.confirmation, found.provider_reference, found.items) == ("confirmed", f"R-{item}", ())


def test_an_order_waits_for_its_provider_and_a_fee_for_nobody(box: Box):
    intent = requested("order")
    members: dict[str, Any] = {name: getattr(intent, name) for name in intent.__struct_fields__}
    members |= {"bill_id": None, "bill_payment_id": None}
    box.write(PaymentRequested(**members | {"purpose": "order", "obligation": "order:7", "service": "top_up"}))
    fee = {"purpose": "inquiry_fee", "obligation": "fee:q1", "payment_id": "fee", "reference": "1", "payable": ""}
    box.write(PaymentRequested(**members | fee | {"inquiry_id": "q1", "group_id": "g1"}))
    for name in ("order", "fee"):
        box.write(sent(name), approved(name))
    order, fee_paid = payment(box, "order"), payment(box, "fee")
    assert (order.confirmation, order.service, order.payable) == ("queued", "top_up", "")
    assert (fee_paid.confirmation, fee_paid.inquiry_id, fee_paid.group_id) == ("none", "q1", "g1")
    assert unconfirmed(box) == (1, BILL_RIAL)


def test_a_charge_proved_late_is_a_second_one_only_of_what_was_paid_again(box: Box):
    box.write(requested_of("g", THREE), sent("g"), declined("g"))
    box.write(requested("p", obligation="bill:2:2"), sent("p"), in_doubt("p"), approved("g"))
    late = payment(box, "g")
    assert (late.late, late.doubled, [item.doubled for item in late.items]) == (True, True, [False, True, False])
    for obligation, holder in zip(THREE, ("g", "p", "g"), strict=True):
        held = box.queries.payment_by_obligation(obligation)
        assert held is not None
        assert held.payment_id == holder
    box.write(PaymentNotCharged(payment_id="p", asked_count=2))
    late = payment(box, "g")
    assert (late.doubled, [item.doubled for item in late.items]) == (False, [False] * 3)
    assert rebuild_projections(box.path) == []


def test_a_group_given_back_frees_every_bill_and_waits_for_nobody(box: Box):
    box.write(requested_of("g", THREE), sent("g"), approved("g"))
    say(box, refused(1))
    refund: dict[str, Any] = {"refund_id": "r", "payment_id": "g", "operator": "sara"}
    amount_rial = 3 * BILL_RIAL
    box.write(
        RefundProposed(**refund, means="reversal", amount_rial=amount_rial, reason="r"),
        RefundAgreed(**refund),
        ReversalRequested(payment_id="g", refund_id="r", means="reversal"),
    )
    with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
        box.write(requested("p", obligation="bill:3:3"))
    assert unconfirmed(box) == (2, 2 * BILL_RIAL)
    box.write(PaymentReversed(payment_id="g", evidence=Evidence(source="reversal", response_code="00")))
    assert unconfirmed(box) == (0, 0)
    for number, obligation in enumerate(THREE):
        box.write(requested(f"p{number}", obligation=obligation))
    assert rebuild_projections(box.path) == []


def test_an_inquiry_shows_the_group_that_pays_its_bill(box: Box):
    box.write(asked("q1"))
    answer = InquiryAnswered(
        inquiry_id="q1",
        outcome="owed",
        amount_rial=BILL_RIAL,
        bill_id=BILL_ID,
        bill_payment_id=BILL_PAYMENT_ID,
        answered_at="2026-11-22T08:00:00.000Z",
    )
    say(box, answer)
    box.write(requested_of("g", (*THREE[1:], bill_obligation(BILL_ID, BILL_PAYMENT_ID))))
    inquiry = box.queries.inquiry("q1")
    assert inquiry is not None
    assert inquiry.payment_id == "g"


def test_payments_of_a_group_are_found_by_its_name(box: Box):
    box.write(requested("alone", obligation="bill:9:9"))
    box.write(requested_of("one", THREE[:1], group_id="g1"), requested_of("two", THREE[1:], group_id="g1"))
    assert [one.payment_id for one in box.queries.payments_of_group("g1")] == ["one", "two"]
    assert box.queries.payments_of_group("") == []


def test_the_receipt_of_an_item_is_counted_for_it_alone(box: Box):
    box.write(requested_of("g", THREE))
    for about in ("g/1", "g/1", "g/9", "g/x", "nobody/1"):
        box.write(ReceiptPrinted(job_id="j", document="bill_receipt", about=about, copy=False))
    found = payment(box, "g")
    assert ([item.printed for item in found.items], found.printed) == ([0, 2, 0], 0)
    assert rebuild_projections(box.path) == []


def test_a_refusal_that_is_kept_lets_the_journal_go_on(box: Box):
    people = People(box.path)
    box.write(requested("p1"))
    with pytest.raises(OperatorError, match=r"payment\.obligation_held") as refused:
        box.write(requested("p2"))
    # Another connection writes in between, as at every sign-in and button.
    people.save_operator("sara", name="sara", verifier="none", role="operator")
    people.close()
    assert box.write(sent("p1"))
    assert refused.tb is not None, "a log or a cycle of its traceback keeps it as long"
    connection = apsw.Connection(str(box.path))
    ((busy, _, _),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    assert not busy, "the WAL is brought into the file"
