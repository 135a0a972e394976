"""The index of the history holds what the rows say, after every entry, and finds it in every way it is asked."""

import apsw
import pytest

from edge.journal.finding import (
    InquiryGroup,
    Sought,
    Term,
    amount_term,
    applicant_term,
    bill_term,
    card_tail_term,
    day_terms,
    group_term,
    listed_term,
    name_term,
    person_term,
    rrn_tail_term,
    rrn_term,
    stan_term,
    ticket_term,
    type_term,
)
from edge.journal.views import ListedPayment
from edge.store import finding_rows
from edge.store.rebuild import rebuild_projections
from shared.events import (
    AlarmRaised,
    InquiryAnswered,
    PaymentConfirmed,
    PaymentNotSent,
    PaymentRefused,
    PaymentRequested,
    ReceiptPrinted,
    ServiceAnswered,
    ServiceRequested,
    ServiceShown,
)
from shared.sealed import Sealed
from tests.edge.store.boxes import (
    BILL_ID,
    BILL_RIAL,
    OFFICE_FEED,
    Box,
    approved,
    asked,
    declined,
    in_doubt,
    requested,
    sent,
)


def sought(*terms: str) -> Sought:
    return tuple((Term(term),) for term in terms)


def found(box: Box, *terms: str) -> list[str]:
    indexes = box.queries.history.find(sought(listed_term("payment"), *terms), None, 50)
    payments = box.queries.history.payments_at(indexes)
    members = ListedPayment.__struct_fields__
    listed = [ListedPayment(**{name: getattr(payment, name) for name in members}) for payment in payments]
    assert box.queries.history.listed_at(indexes) == listed, "a list says of a payment what its page says"
    return [payment.payment_id for payment in payments]


def fee_request(inquiry_id: str = "q1") -> ServiceRequested:
    return ServiceRequested(
        inquiry_id=inquiry_id,
        ticket=7,
        service="car_fines_total",
        catalogue_id="builtin",
        fields=Sealed(key_id="k", ciphertext="AAAA"),
        applicant_tail="110",
        search_key="ab12",
        fee_rial=175_000,
        gate="fee_first",
        print_first=True,
        rules_accepted=True,
        operator="sara",
    )


def fee(payment_id: str = "f1", inquiry_id: str = "q1") -> PaymentRequested:
    of_bill = requested(payment_id, amount_rial=175_000)
    return PaymentRequested(
        payment_id=payment_id,
        obligation=f"fee:{inquiry_id}",
        purpose="inquiry_fee",
        amount_rial=175_000,
        split=of_bill.split,
        method="pcpos",
        terminal="terminal-1",
        reference=of_bill.reference,
        operator="sara",
        inquiry_id=inquiry_id,
        service="car_fines_total",
    )


def test_a_payment_is_found_by_what_the_terminal_said_once_it_said_it(box: Box):
    box.write(requested("p1"), sent("p1"))
    assert found(box, group_term("under_way"), bill_term(BILL_ID), amount_term(BILL_RIAL)) == ["p1"]
    assert found(box, rrn_term("123456789012")) == []
    box.write(approved("p1"))
    for term in (
        rrn_term("123456789012"),
        rrn_tail_term("789012"),
        stan_term("123"),
        stan_term("000123"),
        card_tail_term("8596"),
        group_term("paid"),
        name_term("bill_4"),
        person_term("sara"),
        day_terms(1405, 9, 1)[0],
        day_terms(1405, 9, 1)[1],
        day_terms(1405, 9, 1)[2],
    ):
        assert found(box, term) == ["p1"], term
    assert found(box, group_term("under_way")) == []
    assert found(box, day_terms(1405, 9, 2)[2]) == []


def test_each_payment_stands_in_the_groups_of_what_became_of_it(box: Box):
    for number, name in enumerate(("doubt", "failed", "refused", "alarmed", "not_sent"), start=10):
        box.write(requested(name, obligation=f"bill:77483178001{number}:1"))
        if name != "not_sent":
            box.write(sent(name))
    box.write(in_doubt("doubt"), declined("failed"), approved("refused"), declined("alarmed"))
    box.write(PaymentNotSent(payment_id="not_sent", reason="restart"))
    box.write(AlarmRaised(kind="second_charge", payment_id="alarmed"))
    refused = PaymentRefused(payment_id="refused", provider="p", track_id="t", reason="expired", case_id="c")
    box.receive(OFFICE_FEED, [box.central.office.say(refused)])
    assert found(box, group_term("review")) == ["alarmed", "refused", "doubt"]
    assert found(box, group_term("paid")) == ["refused"]
    assert found(box, group_term("failed")) == ["not_sent", "alarmed", "failed"]
    assert rebuild_projections(box.path) == []


def test_what_is_found_goes_back_by_cursor(box: Box):
    for number in range(12):
        name = f"p{number}"
        box.write(requested(name, obligation=f"bill:{7748317800142 + number}:1"), sent(name), declined(name))
    seen: list[int] = []
    before = None
    while page := box.queries.history.find(sought(group_term("failed")), before, 5):
        seen += page
        before = page[-1]
    assert len(seen) == 12
    assert seen == sorted(seen, reverse=True)


def test_any_of_a_demands_terms_is_enough_and_every_demand_has_to_be_met(box: Box):
    box.write(requested("p1"), sent("p1"), approved("p1"))
    either: Sought = ((Term(stan_term("999")), Term("r_123456", begins=True)), (Term(listed_term("payment")),))
    assert len(box.queries.history.find(either, None, 5)) == 1
    assert box.queries.history.find((*either, (Term(group_term("failed")),)), None, 5) == []
    assert box.queries.history.find((*either, ()), None, 5) == []


@pytest.mark.parametrize("text", ['" OR "k_payment', "'; DROP TABLE payment", "k_payment*", "", "NOT"])
def test_what_is_looked_for_is_a_term_whatever_it_looks_like(box: Box, text: str):
    box.write(requested("p1"))
    assert found(box, f"r_{text}") == []


def test_a_request_for_a_service_is_found_by_its_applicant_and_stands_where_its_fee_does(box: Box):
    def inquiries(*terms: str) -> list[str]:
        indexes = box.queries.history.find(sought(listed_term("inquiry"), *terms), None, 50)
        return [one.inquiry_id for one in box.queries.history.inquiries_at(indexes)]

    box.write(fee_request())
    assert inquiries(group_term("unpaid"), ticket_term(7), applicant_term("ab12")) == ["q1"]
    box.write(fee())
    assert found(box, applicant_term("ab12"), name_term("fee_car_fines_total")) == ["f1"]
    box.write(sent("f1"), approved("f1"))
    assert inquiries(group_term("unpaid")) == []
    assert inquiries(group_term("review"), group_term("waiting")) == ["q1"]
    assert rebuild_projections(box.path) == []


def standing(box: Box) -> dict[int, set[str]]:
    """Return what the index has of each entry that a page lists, and fail where it is not what the rows say."""
    connection = apsw.Connection(str(box.path))
    try:
        held: dict[int, set[str]] = {}
        for term, index in finding_rows.vocabulary(connection):
            held.setdefault(index, set()).add(term)
        payments = [str(one) for (one,) in connection.execute("SELECT payment_id FROM payment")]
        requests = [str(one) for (one,) in connection.execute("SELECT inquiry_id FROM service_request")]
        about = [PaymentNotSent(payment_id=one, reason="") for one in payments]
        for body in (*about, *map(_shown, requests)):
            for index, terms in finding_rows.documents_of(connection, body):
                assert held[index] == set(terms), body
        return held
    finally:
        connection.close()


def _shown(inquiry_id: str) -> ServiceShown:
    return ServiceShown(inquiry_id=inquiry_id, operator="sara")


@pytest.mark.parametrize(
    ("answer", "group"),
    [
        (ServiceAnswered(inquiry_id="q1", outcome="nothing"), "answered"),
        (ServiceAnswered(inquiry_id="q1", outcome="refused"), "review"),
        (ServiceAnswered(inquiry_id="q1", outcome="done"), "review"),
    ],
)
def test_a_request_stands_where_its_answer_and_its_paper_put_it(box: Box, answer: ServiceAnswered, group: InquiryGroup):
    box.write(fee_request(), fee(), sent("f1"), approved("f1"))
    asked_at = next(index for index, terms in standing(box).items() if group_term("waiting") in terms)
    box.receive(OFFICE_FEED, [box.central.office.say(answer)])
    assert group_term("waiting") not in standing(box)[asked_at]
    box.write(ReceiptPrinted(job_id="j", document="service_receipt", about="f1", copy=False))
    assert group_term(group) in standing(box)[asked_at]
    box.write(_shown("q1"))
    standing(box)
    assert rebuild_projections(box.path) == []


def test_an_inquiry_of_what_is_owed_waits_until_it_is_answered(box: Box):
    box.write(asked("q1"))
    history = box.queries.history
    waiting = sought(listed_term("inquiry"), group_term("waiting"), name_term("owed_electricity"))
    assert len(history.find(waiting, None, 5)) == 1
    answered = InquiryAnswered(inquiry_id="q1", outcome="owed", amount_rial=5, bill_id=BILL_ID, bill_payment_id="17")
    box.receive(OFFICE_FEED, [box.central.office.say(answered)])
    assert history.find(waiting, None, 5) == []
    assert len(history.find(sought(listed_term("inquiry"), bill_term(BILL_ID)), None, 5)) == 1
    assert rebuild_projections(box.path) == []


def test_acts_are_found_by_person_kind_and_day(box: Box):
    box.write(requested("p1"), sent("p1"), approved("p1"), asked("q1"))
    box.write(ReceiptPrinted(job_id="j", document="bill_receipt", about="p1", copy=False))
    history = box.queries.history

    def acts(*terms: str) -> list[str]:
        return [act.body.type for act in history.acts_at(history.find(sought(listed_term("act"), *terms), None, 50))]

    assert acts() == ["receipt.printed", "inquiry.requested", "payment.requested"]
    assert acts(person_term("sara")) == ["inquiry.requested", "payment.requested"]
    assert acts(type_term("receipt.printed"), day_terms(1405, 9, 1)[2]) == ["receipt.printed"]


def test_an_index_that_was_changed_by_hand_is_found(box: Box):
    box.write(requested("p1"), sent("p1"), approved("p1"))
    confirmed = PaymentConfirmed(
        payment_id="p1", provider="p", track_id="t", provider_reference="r", confirmed_at="2026-11-22T08:00:00Z"
    )
    box.receive(OFFICE_FEED, [box.central.office.say(confirmed)])
    connection = apsw.Connection(str(box.path))
    connection.execute("INSERT INTO finding (rowid, terms) VALUES (1, 's_invented')")
    connection.close()
    (difference,) = rebuild_projections(box.path)
    assert (difference.table, difference.key, difference.rebuilt) == ("finding", "s_invented 1", None)
