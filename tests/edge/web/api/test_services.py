"""What the API gives of a request beside what a real box shows in `tests/edge/test_app_services.py`."""

from edge.web.schemas.services import service_out
from shared.payment import PaymentState
from tests.edge.web.fake_counter import FakeCounter
from tests.edge.web.fake_services import OWNER, TOTAL


def test_an_answer_comes_with_what_was_paid_of_the_same_applicant_elsewhere(counter: FakeCounter):
    view = counter.add_request("car_fines_total", OWNER)
    counter.answer(view.inquiry_id, TOTAL)
    other = counter.service_payment(1_000_000, PaymentState.APPROVED, confirmation="queued")
    counter.change_request(view.inquiry_id, paid_unseen=(other,))
    told = service_out(counter.service_view(view.inquiry_id), counter)
    assert [payment.payment_id for payment in told.paid_unseen] == [other.payment_id]
    assert told.payable == ["total"], "a program is warned, not refused"
