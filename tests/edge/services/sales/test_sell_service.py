import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from edge.journal.data_keys import search_key
from edge.store.rebuild import rebuild_projections
from shared.answer_document import AnswerDocument, Payable
from shared.errors import OperatorError
from shared.events import ServiceAnswered, ServiceRequested
from shared.payment import PaymentState
from shared.service_state import ServiceState
from tests.edge.services.office import Office
from tests.edge.services.office_people import PASSWORD
from tests.edge.services.service_desk import ASKED, DOCUMENT, FEE_RIAL, FINE_BILLS, Desk, desk_of, payable

S = ServiceState
CUSTOMER = {"mobile": "09123456789"}
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)


@pytest.fixture
async def desk(office: Office) -> AsyncIterator[Desk]:
    with desk_of(office) as opened:
        yield opened


async def seen(desk: Desk) -> str:
    """Return a request whose answer may be seen."""
    inquiry_id = await desk.paid_request()
    desk.printed(inquiry_id)
    desk.answer(inquiry_id)
    assert desk.view(inquiry_id).state is S.READY
    return inquiry_id


# --- asking ---


async def test_what_a_customer_asks_is_sealed_and_found_by_its_search_key(desk: Desk) -> None:
    inquiry_id = await desk.ask()
    entries = b"".join(data for data, _ in desk.box.queries.entries(0, 100))
    assert b"0084575948" not in entries
    assert "ل".encode() not in entries
    view = desk.view(inquiry_id)
    assert view.fields == {"plate": "992728388", "national_code": "0084575948"}
    assert (view.applicant, view.state, view.ticket) == ("992728388", S.FEE_DUE, 1)
    (key,) = desk.box.queries.services.private_keys()
    asked = desk.box.queries.services.request(inquiry_id)
    assert asked is not None
    assert asked.search_key == search_key(key, "992728388") != search_key(key, "112728388")


async def test_a_wrong_field_is_refused_at_the_field_and_nothing_is_written(desk: Desk) -> None:
    for fields, field in (
        (ASKED | {"national_code": "0084575947"}, "national_code"),
        ({"plate": ASKED["plate"]}, "national_code"),
        (ASKED | {"shoe": "42"}, "shoe"),
    ):
        with pytest.raises(OperatorError) as refused:
            await desk.ask(fields=fields)
        assert refused.value.field == field
    assert "service.requested" not in desk.office.kinds()


async def test_rules_permission_and_the_catalogue_are_asked_first(desk: Desk) -> None:
    with pytest.raises(OperatorError, match=r"service\.rules_not_accepted"):
        await desk.selling.request("car_fines", ASKED, rules_accepted=False, operator="sara")
    with pytest.raises(OperatorError, match=r"service\.not_sold"):
        await desk.ask("moon_landing")
    inquiry_id = await desk.ask()
    desk.permissions.denied.add(("sara", "car_fines"))
    with pytest.raises(OperatorError, match=r"auth\.not_permitted"):
        await desk.ask()
    with pytest.raises(OperatorError, match=r"auth\.not_permitted"):
        await desk.selling.pay_fee(inquiry_id, operator="sara")


async def test_the_same_request_twice_is_one_and_tickets_count_over_all_inquiries(desk: Desk) -> None:
    assert await desk.ask(inquiry_id="qsame") == await desk.ask(inquiry_id="qsame")
    await desk.office.inquiries.request("mobile", "09123456789", operator="sara")
    assert desk.view(await desk.ask()).ticket == 3
    assert desk.office.kinds().count("service.requested") == 2


async def test_what_was_made_is_the_answer_to_its_repeated_request_whatever_is_sold_by_then(desk: Desk) -> None:
    desk.office.virtual.set_auto("approve")
    inquiry_id = await desk.ask(inquiry_id="qsame")
    fee = await desk.selling.pay_fee(inquiry_id, operator="sara", payment_id="pfee")
    await desk.office.ends(fee)
    desk.answer(inquiry_id)
    desk.printed(inquiry_id)
    fine = await desk.selling.pay_answer(inquiry_id, ["1"], operator="sara", payment_id="pfine")
    await desk.office.ends(fine)
    desk.permissions.denied.add(("sara", "car_fines"))
    assert await desk.ask(inquiry_id="qsame") == inquiry_id
    assert await desk.selling.pay_fee(inquiry_id, operator="sara", payment_id="pfee") == fee
    assert await desk.selling.pay_answer(inquiry_id, ["1"], operator="sara", payment_id="pfine") == fine
    assert desk.office.kinds().count("payment.requested") == 2


async def test_without_a_line_the_customer_gets_a_ticket_at_once(desk: Desk) -> None:
    with_line = await desk.ask()
    desk.has_line = False
    without = await desk.ask("top_up", CUSTOMER)
    jobs = desk.box.queries.print_jobs_for
    assert (jobs(with_line), [job.document for job in jobs(without)]) == ([], ["service_ticket"])
    paper = desk.papers.makers["service_ticket"](jobs(without)[0])
    assert f"http://127.0.0.1:1/status/{without}" in str(paper.rows)
    assert "09123456789" not in str(paper.rows)


# --- the fee, the print and the answer ---


async def test_fee_then_print_then_answer(desk: Desk) -> None:
    desk.office.virtual.set_auto("approve")
    inquiry_id = await desk.ask()
    fee = await desk.pay_fee(inquiry_id)
    payment = desk.office.payment(fee)
    assert (payment.purpose, payment.amount_rial, payment.confirmation) == ("inquiry_fee", FEE_RIAL, "none")
    jobs = desk.box.queries.print_jobs_for(fee)
    assert [(job.document, job.copy) for job in jobs] == [("service_receipt", False)]
    assert desk.view(inquiry_id).state is S.WAITING
    desk.answer(inquiry_id)
    view = desk.view(inquiry_id)
    assert (view.state, view.document, view.document_state) == (S.PRINT_FIRST, None, "shut")
    assert view.missing == {"print"}
    assert (view.outcome, view.payable, view.payments) == (None, frozenset(), {})
    desk.printed(inquiry_id)
    view = desk.view(inquiry_id)
    assert (view.state, view.document) == (S.READY, DOCUMENT)
    assert view.payable == {"1", "2", "total"}
    await desk.selling.show(inquiry_id, operator="sara")
    await desk.selling.show(inquiry_id, operator="sara")
    assert desk.view(inquiry_id).state is S.SHOWN
    assert desk.office.kinds().count("service.shown") == 1


async def test_the_papers_of_a_fee_say_what_it_was_for(desk: Desk) -> None:
    inquiry_id = await desk.paid_request()
    fee = desk.views.known(inquiry_id).fee_payment_id or ""
    (job,) = desk.box.queries.print_jobs_for(fee)
    rows = str(desk.papers.makers[job.document](job).rows)
    assert "کارمزد استعلام خلافی" in rows
    assert "0084575948" not in rows
    assert "'99'" in rows or "two='99'" in rows


async def test_a_declined_fee_is_paid_again_and_one_in_doubt_is_not(desk: Desk) -> None:
    office = desk.office
    office.virtual.set_auto("decline")
    inquiry_id = await desk.ask()
    await desk.pay_fee(inquiry_id)
    assert desk.view(inquiry_id).state is S.FEE_FAILED
    office.virtual.set_auto(None)
    office.virtual.set_fault("go_silent")
    await desk.pay_fee(inquiry_id)
    assert desk.view(inquiry_id).state is S.FEE_IN_DOUBT
    with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
        await desk.selling.pay_fee(inquiry_id, operator="sara")


async def test_a_fee_is_taken_once_and_only_for_a_request_that_has_one(desk: Desk) -> None:
    inquiry_id = await desk.paid_request()
    with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
        await desk.selling.pay_fee(inquiry_id, operator="sara")
    free = await desk.ask("top_up", CUSTOMER)
    with pytest.raises(OperatorError, match=r"service\.no_fee_due"):
        await desk.selling.pay_fee(free, operator="sara")
    early = await desk.ask("score", {"national_code": ASKED["national_code"]})
    with pytest.raises(OperatorError, match=r"service\.no_fee_due"):
        await desk.selling.pay_fee(early, operator="sara")
    with pytest.raises(OperatorError, match=r"inquiry\.unknown"):
        await desk.selling.pay_fee("qnobody", operator="sara")


async def test_an_answer_that_comes_first_is_paid_for_before_it_is_seen(desk: Desk) -> None:
    desk.office.virtual.set_auto("approve")
    inquiry_id = await desk.ask("score", {"national_code": ASKED["national_code"]})
    assert desk.view(inquiry_id).state is S.WAITING
    desk.answer(inquiry_id, AnswerDocument(values={"score": "3"}))
    assert (desk.view(inquiry_id).state, desk.view(inquiry_id).document) == (S.FEE_DUE, None)
    with pytest.raises(OperatorError, match=r"service\.answer_shut"):
        await desk.selling.show(inquiry_id, operator="sara")
    await desk.pay_fee(inquiry_id)
    assert desk.view(inquiry_id).document == AnswerDocument(values={"score": "3"})


async def test_a_manager_lets_an_answer_be_shown_that_the_printer_holds_back(desk: Desk) -> None:
    inquiry_id = await desk.paid_request()
    desk.answer(inquiry_id)
    release = desk.selling.release
    with pytest.raises(OperatorError, match=r"auth\.wrong"):
        await release(inquiry_id, reason="چاپگر خراب است", username="reza", password="not this one")
    with pytest.raises(OperatorError, match=r"statement\.reason_short"):
        await release(inquiry_id, reason="", username="reza", password=PASSWORD)
    await release(inquiry_id, reason="چاپگر خراب است", username="reza", password=PASSWORD)
    view = desk.view(inquiry_id)
    assert (view.state, view.released_by, view.may_release) == (S.READY, "reza", False)
    with pytest.raises(OperatorError, match=r"service\.nothing_to_release"):
        await release(inquiry_id, reason="چاپگر خراب است", username="reza", password=PASSWORD)


async def test_paid_without_a_result_is_asked_again_without_a_second_fee(desk: Desk) -> None:
    inquiry_id = await desk.paid_request()
    with pytest.raises(OperatorError, match=r"service\.nothing_to_retry"):
        await desk.selling.retry(inquiry_id, operator="sara")
    desk.answer(inquiry_id, None, outcome="refused", reason="upstream")
    view = desk.view(inquiry_id)
    assert (view.state, view.may_retry, view.reason) == (S.NEEDS_REVIEW, True, "upstream")
    await desk.selling.retry(inquiry_id, operator="sara")
    assert (desk.view(inquiry_id).state, desk.view(inquiry_id).retried) == (S.WAITING, 1)
    desk.answer(inquiry_id)
    desk.printed(inquiry_id)
    assert desk.view(inquiry_id).document == DOCUMENT
    assert desk.office.kinds().count("payment.requested") == 1
    # A stray refusal of the first asking takes no result away.
    desk.answer(inquiry_id, None, outcome="refused")
    assert desk.view(inquiry_id).document == DOCUMENT


async def test_refused_for_good_is_a_refund_case(desk: Desk) -> None:
    inquiry_id = await desk.paid_request()
    desk.answer(inquiry_id, None, outcome="wrong_parameter", case_id="c7")
    view = desk.view(inquiry_id)
    assert (view.state, view.outcome, view.case_id, view.may_retry) == (S.REFUSED, "wrong_parameter", "c7", False)


# --- paying the answer ---


async def test_several_of_an_answer_are_one_charge_and_their_whole_is_paid_with_them(desk: Desk) -> None:
    inquiry_id = await seen(desk)
    payment_id = await desk.pay(inquiry_id, "1", "2")
    payment = desk.office.payment(payment_id)
    assert (payment.state, payment.purpose, payment.service) == (PaymentState.APPROVED, "bill", "car_fines")
    assert payment.amount_rial == FINE_BILLS[1].amount_rial + FINE_BILLS[2].amount_rial
    assert [item.bill_id for item in payment.items] == [FINE_BILLS[1].bill_id, FINE_BILLS[2].bill_id]
    view = desk.view(inquiry_id)
    assert view.payable == frozenset()
    assert {key: held.payment_id for key, held in view.payments.items()} == {"1": payment_id, "2": payment_id}
    for again in ("1", "total"):
        with pytest.raises(OperatorError) as refused:
            await desk.pay(inquiry_id, again)
        assert (refused.value.code, refused.value.data["payment_id"]) == ("payment.obligation_held", payment_id)


async def test_who_paid_the_whole_owes_no_part_of_it(desk: Desk) -> None:
    inquiry_id = await seen(desk)
    payment_id = await desk.pay(inquiry_id, "total")
    with pytest.raises(OperatorError) as refused:
        await desk.pay(inquiry_id, "2")
    assert (refused.value.code, refused.value.data["payment_id"]) == ("payment.obligation_held", payment_id)


async def test_the_whole_and_a_part_pressed_in_one_moment_are_one_payment(desk: Desk) -> None:
    inquiry_id = await seen(desk)
    pressed = (desk.selling.pay_answer(inquiry_id, [key], operator="sara") for key in ("total", "1", "2", "total"))
    made = await asyncio.gather(*pressed, return_exceptions=True)
    refused = [one for one in made if isinstance(one, OperatorError)]
    assert {one.code for one in refused} == {"payment.obligation_held"}
    held = [one for one in made if isinstance(one, str)]
    assert len(held) == 1 or "total" not in {desk.office.payment(one).payable for one in held}
    for one in held:
        await desk.office.ends(one)


async def test_a_declined_part_can_be_paid_again(desk: Desk) -> None:
    inquiry_id = await seen(desk)
    desk.office.virtual.set_auto("decline")
    declined = await desk.pay(inquiry_id, "1")
    view = desk.view(inquiry_id)
    assert (view.payments["1"].payment_id, "1" in view.payable) == (declined, True)
    desk.office.virtual.set_auto("approve")
    assert desk.office.payment(await desk.pay(inquiry_id, "1")).state is PaymentState.APPROVED


async def test_only_what_the_answer_offers_is_charged(desk: Desk) -> None:
    inquiry_id = await seen(desk)
    for keys, code in (
        ((), "service.pay_nothing"),
        (("1", "1"), "service.pay_one"),
        (("total", "1"), "service.pay_whole_or_items"),
        (("7",), "service.payable_unknown"),
    ):
        with pytest.raises(OperatorError) as refused:
            await desk.selling.pay_answer(inquiry_id, keys, operator="sara")
        assert refused.value.code == code
    assert desk.office.kinds().count("payment.requested") == 1


async def test_what_a_provider_wrote_wrongly_is_never_charged(desk: Desk) -> None:
    late = payable("x", FINE_BILLS[0], expires_at="2020-01-01T00:00:00Z")
    inquiry_id = ""
    for offered, code in (
        (payable("x", FINE_BILLS[0], amount_rial=1_000), "service.payable_wrong"),
        (payable("x", FINE_BILLS[0], bill_id="2050327604614"), "service.payable_wrong"),
        (payable("x", FINE_BILLS[0], order_id="1"), "service.payable_wrong"),
        (Payable(key="x", amount_rial=1_000), "service.payable_wrong"),
        (Payable(key="x", amount_rial=1_000, order_id="../x"), "service.payable_wrong"),
        (late, "service.offer_expired"),
    ):
        inquiry_id = await desk.ask("top_up", CUSTOMER)
        desk.answer(inquiry_id, AnswerDocument(payable=offered))
        assert desk.view(inquiry_id).payable == frozenset()
        with pytest.raises(OperatorError) as refused:
            await desk.selling.pay_answer(inquiry_id, ["x"], operator="sara")
        assert refused.value.code == code
    assert desk.view(inquiry_id).expired == {"x"}
    # A clock that nobody vouches for ends no offer: the provider has the last word.
    desk.clock.vouched = "floor"
    assert desk.view(inquiry_id).payable == {"x"}


async def test_an_order_is_bought_once_and_hands_over_what_was_bought(desk: Desk) -> None:
    desk.office.virtual.set_auto("approve")
    offer = AnswerDocument(payable=Payable(key="pack", amount_rial=200_000, order_id="7350112"))
    inquiry_id = await desk.ask("top_up", CUSTOMER)
    desk.answer(inquiry_id, offer)
    payment_id = await desk.pay(inquiry_id, "pack")
    payment = desk.office.payment(payment_id)
    assert (payment.purpose, payment.obligation, payment.confirmation) == ("order", "order:7350112", "queued")
    # The same order answered to another request is the same order.
    again = await desk.ask("top_up", CUSTOMER)
    desk.answer(again, offer)
    with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
        await desk.pay(again, "pack")
    # Another one is another thing to buy, and nothing that may be paid already.
    another = await desk.ask("top_up", CUSTOMER)
    desk.answer(another, AnswerDocument(payable=Payable(key="pack", amount_rial=200_000, order_id="7350113")))
    assert desk.view(another).paid_unseen == ()
    assert desk.view(another).payable == {"pack"}
    desk.confirm(payment_id, inquiry_id, {"pin": "1234567890", "serial": "S1"})
    assert desk.view(inquiry_id).fulfilments == {"pack": {"pin": "1234567890", "serial": "S1"}}
    assert desk.view(again).fulfilments == {}
    (job,) = desk.box.queries.print_jobs_for(payment_id)
    assert job.document == "order_receipt"
    assert "1234567890" in str(desk.papers.makers[job.document](job).rows)
    assert b"1234567890" not in b"".join(data for data, _ in desk.box.queries.entries(0, 100))


# --- pictures ---


async def test_pictures_are_asked_for_once_and_shown_behind_the_gate(desk: Desk) -> None:
    inquiry_id = await desk.paid_request()
    desk.answer(inquiry_id)
    with pytest.raises(OperatorError, match=r"service\.answer_shut"):
        await desk.selling.ask_image(inquiry_id, "1", operator="sara")
    desk.printed(inquiry_id)
    for _ in range(2):
        await desk.selling.ask_image(inquiry_id, "1", operator="sara")
    assert desk.office.kinds().count("service.image_asked") == 1
    assert desk.box.queries.services.awaits_images()
    with pytest.raises(OperatorError, match=r"service\.no_images"):
        await desk.selling.ask_image(inquiry_id, "2", operator="sara")
    desk.picture(inquiry_id, "1", 0, JPEG)
    desk.picture(inquiry_id, "1", 1, b"<script>alert(1)</script>")
    assert not desk.box.queries.services.awaits_images()
    assert [image.number for image in desk.view(inquiry_id).images["1"]] == [0, 1]
    picture = desk.selling.image(inquiry_id, "1", 0)
    assert (picture.media_type, picture.data) == ("image/jpeg", JPEG)
    for number in (1, 2):
        with pytest.raises(OperatorError, match=r"service\.no_images"):
            desk.selling.image(inquiry_id, "1", number)


# --- what is hostile, and what is gone ---


HOSTILE = [
    b"",
    b"null",
    b"[" * 30_000,
    b'{"items": [{"key": "1", "values": {}}, {"key": "1", "values": {}}]}',
    b'{"payable": {"key": "x", "amount_rial": -5}}',
    b'{"values": {"a": 7}}',
    b'{"values": {"a": "\\ud800"}}',
    bytes(range(256)),
]


async def test_an_answer_that_is_none_is_reviewed_and_breaks_no_page(desk: Desk) -> None:
    inquiry_id = await desk.paid_request()
    desk.printed(inquiry_id)
    for data in HOSTILE:
        desk.answer(inquiry_id, data)
        view = desk.view(inquiry_id)
        assert (view.state, view.document, view.document_state) == (S.NEEDS_REVIEW, None, "unreadable"), data[:20]
        await desk.selling.retry(inquiry_id, operator="sara")
        assert desk.view(inquiry_id).state is S.WAITING


async def test_an_answer_sealed_to_somebody_else_is_reviewed(desk: Desk) -> None:
    inquiry_id = await desk.paid_request()
    desk.printed(inquiry_id)
    good = desk.sealed(inquiry_id, msgspec.json.encode(DOCUMENT), "service.answer")
    for wrong in (
        msgspec.structs.replace(good, key_id="another"),
        msgspec.structs.replace(good, ciphertext="not base64 ÿ"),
        msgspec.structs.replace(good, ciphertext=""),
        desk.sealed(inquiry_id, msgspec.json.encode(DOCUMENT), "service.fields"),
    ):
        desk.tell(ServiceAnswered(inquiry_id=inquiry_id, outcome="done", document=wrong))
        assert desk.view(inquiry_id).state is S.NEEDS_REVIEW
        await desk.selling.retry(inquiry_id, operator="sara")


async def test_once_the_months_key_is_forgotten_nothing_is_opened_and_nothing_breaks(desk: Desk) -> None:
    inquiry_id = await seen(desk)
    payment_id = await desk.pay(inquiry_id, "1")
    desk.box.within(lambda view: view._connection.execute("DELETE FROM private_key"))  # type: ignore[attr-defined]
    view = desk.view(inquiry_id)
    assert (view.fields, view.document, view.document_state) == (None, None, "forgotten")
    assert (view.state, view.applicant) == (S.READY, "388")
    with pytest.raises(OperatorError, match=r"service\.answer_shut"):
        await desk.selling.pay_answer(inquiry_id, ["2"], operator="sara")
    fee = desk.views.known(inquiry_id).fee_payment_id or ""
    for about in (fee, payment_id):
        for job in desk.box.queries.print_jobs_for(about):
            if job.document in desk.papers.makers:
                desk.papers.makers[job.document](job)


async def test_what_the_journal_says_of_services_is_rebuilt_identically(desk: Desk) -> None:
    inquiry_id = await seen(desk)
    await desk.selling.show(inquiry_id, operator="sara")
    await desk.selling.ask_image(inquiry_id, "1", operator="sara")
    desk.picture(inquiry_id, "1", 0, JPEG)
    desk.confirm(await desk.pay(inquiry_id, "2"), inquiry_id, {"pin": "1"})
    assert rebuild_projections(desk.box.path) == []


async def test_lists_are_newest_first_by_cursor(desk: Desk) -> None:
    asked = [await desk.ask() for _ in range(3)]
    reads = desk.box.queries.services
    first = reads.requests(None, 2)
    rest = reads.requests(first[-1].requested_index, 2)
    assert [one.inquiry_id for one in (*first, *rest)] == asked[::-1]
    assert isinstance(first[0].requested_index, int)
    assert ServiceRequested.type in desk.office.kinds()
