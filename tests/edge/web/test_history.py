import pytest

from edge.web.history import SCAN_ROWS_MAX, STATE_FILTERS, find_inquiries, find_payments
from shared.payment import PaymentState
from tests.edge.web.conftest import BILL, OTHER_BILL
from tests.edge.web.fake_counter import FakeCounter


@pytest.fixture
def counter() -> FakeCounter:
    counter = FakeCounter()
    counter.add_payment(BILL, PaymentState.APPROVED, stan="006441", rrn="700028889004")
    counter.add_payment(OTHER_BILL, PaymentState.DECLINED)
    counter.add_payment(OTHER_BILL, PaymentState.IN_DOUBT)
    counter.add_payment(OTHER_BILL, PaymentState.APPROVED, confirmation="refused")
    return counter


def names(counter: FakeCounter, text: str = "", narrow: str = "all") -> list[str]:
    return [row.payment_id for row in find_payments(counter.queries, text=text, narrow=narrow, before_index=None).rows]


def test_all_are_shown_newest_first(counter: FakeCounter):
    assert names(counter) == ["p104", "p103", "p102", "p101"]


@pytest.mark.parametrize("wanted", ["006441", "۰۰۶۴۴۱", "700028889004", "7748317800142", "1770160", "17,000", "۱٬۷۰۰"])
def test_a_payment_is_found_by_any_number_on_its_papers(counter: FakeCounter, wanted: str):
    assert names(counter, wanted) == ["p101"]


def test_the_history_is_narrowed_to_what_needs_somebody(counter: FakeCounter):
    assert names(counter, narrow="review") == ["p104", "p103"]
    assert names(counter, narrow="paid") == ["p104", "p101"]
    assert names(counter, narrow="failed") == ["p102"]
    assert names(counter, narrow="review", text="7748317800142") == []


def test_pages_follow_by_cursor_without_gap_or_repeat_while_new_rows_come():
    counter = FakeCounter()
    for _ in range(450):
        counter.add_payment(OTHER_BILL, PaymentState.DECLINED)
    wanted = [row.payment_id for row in counter.queries.payments(None, 1000)]
    seen: list[str] = []
    before = None
    while True:
        found = find_payments(counter.queries, text="", narrow="failed", before_index=before, limit=100)
        seen += [row.payment_id for row in found.rows]
        counter.add_payment(OTHER_BILL, PaymentState.DECLINED)
        if found.older is None:
            break
        before = found.older
    assert seen == wanted


def test_a_last_page_that_is_just_full_has_no_next():
    counter = FakeCounter()
    for _ in range(20):
        counter.add_payment(OTHER_BILL, PaymentState.DECLINED)
    assert find_payments(counter.queries, text="", narrow="all", before_index=None).older is None


def test_a_search_that_looks_back_no_further_says_where_it_stopped_and_goes_on_from_there():
    counter = FakeCounter()
    oldest = counter.add_payment(BILL, PaymentState.APPROVED, stan="006441")
    for _ in range(SCAN_ROWS_MAX):
        counter.add_payment(OTHER_BILL, PaymentState.DECLINED)
    found = find_payments(counter.queries, text="006441", narrow="all", before_index=None)
    assert (found.rows, found.older) == ([], None)
    assert found.stopped is not None
    again = find_payments(counter.queries, text="006441", narrow="all", before_index=found.stopped.before_index)
    assert [row.payment_id for row in again.rows] == [oldest.payment_id]
    assert again.stopped is None


def test_a_search_that_saw_everything_did_not_stop():
    counter = FakeCounter()
    for _ in range(SCAN_ROWS_MAX):
        counter.add_payment(OTHER_BILL, PaymentState.DECLINED)
    assert find_payments(counter.queries, text="1", narrow="paid", before_index=None).stopped is None
    assert find_payments(counter.queries, text="006441", narrow="all", before_index=None).stopped is None


def test_inquiries_are_found_by_ticket_or_by_the_whole_number_asked_about(counter: FakeCounter):
    counter.add_inquiry("water")
    counter.add_inquiry("gas", parameter_tail="777")
    for wanted, tickets in (("۲", [2]), ("12345777", [2]), ("", [2, 1]), ("99", [])):
        found = find_inquiries(counter.queries, text=wanted, before_index=None)
        assert [row.ticket for row in found.rows] == tickets


def test_every_state_is_under_one_filter_or_still_under_way():
    paid, failed = STATE_FILTERS["paid"], STATE_FILTERS["failed"]
    assert paid is not None
    assert failed is not None
    assert not paid & failed
    open_ones = {PaymentState.REQUESTED, PaymentState.SENT, PaymentState.IN_DOUBT}
    assert paid | failed | open_ones == set(PaymentState)


def test_what_is_in_doubt_on_its_way_back_needs_somebody(counter: FakeCounter):
    doubt = counter.add_payment(BILL, PaymentState.REVERSAL_IN_DOUBT)
    assert doubt.payment_id in names(counter, narrow="review")
