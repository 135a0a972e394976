import msgspec
import pytest

from edge.journal.views import PrintJob
from edge.web.payment_view import payment_page
from edge.web.texts import TEXTS
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState
from tests.edge.web.conftest import BILL
from tests.edge.web.fake_counter import FakeCounter


@pytest.mark.parametrize("state", PaymentState)
@pytest.mark.parametrize("confirmation", ["none", "queued", "confirmed", "refused"])
def test_every_state_has_something_to_say_and_never_offers_what_could_charge_twice(
    counter: FakeCounter, state: PaymentState, confirmation: str
):
    payment = counter.add_payment(BILL, state, confirmation=confirmation)
    page = payment_page(counter, payment)
    said = [key for key in (page.sentence_text, page.doubt_text, page.review_text) if key]
    assert said
    assert set(said) <= set(TEXTS)
    assert page.may_retry <= (state in CERTAINLY_UNCHARGED)
    assert page.may_print == (state in CHARGED)
    assert not (page.may_check and page.may_retry)


def test_what_is_queued_never_looks_finished(counter: FakeCounter):
    queued = payment_page(counter, counter.add_payment(BILL, PaymentState.APPROVED, confirmation="queued"))
    done = payment_page(counter, counter.add_payment(BILL, PaymentState.APPROVED, confirmation="confirmed"))
    assert [step.state for step in queued.steps] == ["done", "done", "done", "done", "queued"]
    assert [step.state for step in done.steps] == ["done"] * 5


def test_what_is_happening_now_is_said_while_it_happens(counter: FakeCounter):
    payment = counter.add_payment(BILL, PaymentState.SENT)
    for word, key in (("waiting_card", "say.waiting_card"), ("processing", "say.processing")):
        counter.progress_words[payment.payment_id] = word
        assert payment_page(counter, payment).sentence_text == key
    counter.progress_words[payment.payment_id] = "a word of a later release"
    assert payment_page(counter, payment).sentence_text == "say.waiting_card"


@pytest.mark.parametrize(
    ("members", "key"),
    [
        ({"state": PaymentState.DECLINED, "response_code": "FA"}, "say.declined_no_centre"),
        ({"state": PaymentState.NOT_SENT, "not_sent_reason": "restart"}, "say.not_sent_restart"),
        ({"state": PaymentState.NOT_SENT, "not_sent_reason": "operator_cancelled"}, "say.not_sent_cancelled"),
        ({"state": PaymentState.NOT_SENT, "not_sent_reason": "terminal.unreachable"}, "say.not_sent"),
        ({"state": PaymentState.APPROVED, "late": True}, "say.late"),
        ({"state": PaymentState.APPROVED, "late": True, "doubled": True}, "say.doubled"),
    ],
)
def test_the_sentence_says_why(counter: FakeCounter, members: dict[str, object], key: str):
    payment = msgspec.structs.replace(counter.add_payment(BILL, PaymentState.SENT), **members)
    assert payment_page(counter, payment).sentence_text == key


@pytest.mark.parametrize(
    "reason", ["no_answer", "link_lost", "restart", "mismatch", "unclear_code", "bad_answer", "another"]
)
def test_doubt_has_a_reason_in_words(counter: FakeCounter, reason: str):
    payment = counter.add_payment(BILL, PaymentState.IN_DOUBT, in_doubt_reason=reason)
    assert payment_page(counter, payment).doubt_text in TEXTS


@pytest.mark.parametrize("state", ["waiting", "printing", "printed", "uncertain", "failed"])
def test_the_paper_is_as_its_newest_job_has_it(counter: FakeCounter, state: str):
    payment = counter.add_payment(BILL, PaymentState.APPROVED)
    jobs = [("j1", "printed"), ("j2", state)]
    counter.queries.jobs = [
        PrintJob(job_id=job_id, document="bill_receipt", about=payment.payment_id, state=at)  # type: ignore[arg-type]
        for job_id, at in jobs
    ]
    page = payment_page(counter, payment)
    assert page.paper_text == f"print.{state}"
    assert page.printed_before


def test_a_payment_the_stopped_journal_left_open_says_what_to_do(counter: FakeCounter):
    payment = counter.add_payment(BILL, PaymentState.SENT)
    counter.journal_stopped_by = "journal.not_written"
    assert payment_page(counter, payment).sentence_text == "say.journal_stopped"
