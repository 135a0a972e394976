import re

import msgspec
import pytest

from edge.journal.services import Picture, ServiceImageView, ServiceRequestView
from edge.services.people.permissions import Permitted
from shared.answer_document import AnswerDocument, Item, Payable
from shared.catalogue import Catalogue, Field, Row, Service, Words
from shared.errors import OperatorError
from shared.payment import PaymentState
from shared.sealed import Sealed
from shared.service_state import ServiceState
from tests.edge.web.conftest import Browser, Page
from tests.edge.web.fake_counter import PASSWORD, FakeCounter
from tests.edge.web.fake_services import FINES, OWNER, TOTAL

FORM = "/services/car_fines_detail"
PLATE = {"plate.two": "۹۹", "plate.letter": "ل", "plate.three": "۲۸۳", "plate.province": "۸۸"}
TYPED = {**PLATE, "national_code": "۰۴۹۹۳۷۰۸۹۹", "mobile": "0912 345 6789", "rules_accepted": "yes"}


def ended(counter: FakeCounter, amount_rial: int, **members: object):
    return counter.service_payment(amount_rial, PaymentState.APPROVED, confirmation="queued", stan="006441", **members)


# --- asking


async def test_the_two_ways_stand_side_by_side_with_their_price_and_what_they_show(operator: Browser):
    page = await operator.page("/services/car_fines")
    for said in (
        "خلافی خودرو (پرداخت آنی)",
        "استعلام مجموع خلافی هزینه : ۱۷٬۵۰۰ تومان".replace(" :", ":"),
        "عدم نمایش جزئیات کامل خلافی",
        "استعلام جزئیات خلافی",
        "نمایش جزئیات کامل خلافی",
        "نمایش تصویر تخلفات",
        "تسویه آنی تخلفات",
        "بازگشت",
    ):
        assert said in page.text, said
    ways = [link for link in page.all("a") if "data-choice" in link]
    assert [(way["href"], way["data-choice"]) for way in ways] == [
        ("/services/car_fines_total", "1"),
        ("/services/car_fines_detail", "2"),
    ]
    assert "استعلام خلافی تجمیعی" in page.text
    assert "استعلام خلافی با جزئیات" in page.text


async def test_the_form_asks_for_plate_owner_and_rules(operator: Browser):
    page = await operator.page(FORM)
    for said in (
        "شماره پلاک",
        "انتخاب حرف",
        "شماره همراه",
        "قوانین را مطالعه نموده‌ام و می‌پذیرم",
        "استعلام جزئیات خلافی",
    ):
        assert said in page.text
    assert "کد ملی خود را وارد نمایید" in page.text
    assert {"plate.two", "plate.three", "plate.province", "national_code", "mobile", "rules_accepted"} <= {
        field.get("name") for field in page.all("input")
    }
    assert len(page.all("option")) == 26, "letters that are issued, and the words before one is chosen"
    assert [field["name"] for field in page.all("input") if "autofocus" in field] == ["plate.two"]


async def test_good_data_lead_to_the_fees_page_and_are_asked_in_their_one_form(operator: Browser, counter: FakeCounter):
    answer = await operator.send(FORM, FORM, **TYPED)
    (view,) = counter.service_views.values()
    assert (answer.status_code, answer.headers["location"]) == (303, f"/requests/{view.inquiry_id}")
    assert view.fields == OWNER
    assert view.operator == "reza"
    page = await operator.page(f"/requests/{view.inquiry_id}")
    assert "این سرویس ۱۷٬۵۰۰ تومان کارمزد دارد" in page.text
    assert "پرداخت و مشاهده استعلام" in page.text
    assert "۱۷۵٬۰۰۰ ریال" in page.text
    assert "۹۹ ل ۲۸۳ ایران ۸۸" in page.text
    assert page.all("a", href=FORM), "back"


async def test_each_wrong_field_is_named_at_its_place_and_everything_stays_typed(
    operator: Browser, counter: FakeCounter
):
    wrong = {**TYPED, "plate.province": "", "national_code": "0684159415", "mobile": "۰۲۱۷۷۶۸۹۳۶۱"}
    del wrong["rules_accepted"]
    answer = await operator.send(FORM, FORM, **wrong)
    page = Page(answer.text)
    assert answer.status_code == 422
    assert counter.asked == []
    for name in ("plate", "national_code", "mobile", "rules_accepted"):
        said = re.search(rf'id="{name}-error".*?</p>', answer.text, re.DOTALL)
        assert said, name
    assert page.field("plate.two")["value"] == "۹۹"
    assert page.field("national_code")["value"] == "0684159415"
    assert page.field("mobile")["value"] == "۰۲۱۷۷۶۸۹۳۶۱"
    assert page.field("national_code")["aria-invalid"] == "true"
    assert page.all("option", value="ل")[0].get("selected") is not None or 'value="ل" selected' in answer.text
    assert [field["name"] for field in page.all("input") if "autofocus" in field] == ["plate.two"]


async def test_a_plate_with_a_zero_is_taken_once_somebody_says_to_have_seen_it(operator: Browser, counter: FakeCounter):
    zero = {**TYPED, "plate.three": "203"}
    refused = await operator.send(FORM, FORM, **zero)
    assert refused.status_code == 422
    assert "واقعاً صفر دارد" in refused.text
    assert "plate.sure" not in (await operator.get(FORM)).text
    taken = await operator.send(FORM, FORM, **zero, **{"plate.sure": "yes"})
    assert taken.status_code == 303
    (view,) = counter.service_views.values()
    assert view.applicant == "992720388"


async def test_pressing_twice_asks_once(operator: Browser, counter: FakeCounter):
    hidden = (await operator.page(FORM)).form(FORM)
    first, second = [await operator.client.post(FORM, data={**hidden, **TYPED}) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    assert len(counter.asked) == 1


async def test_an_amount_is_typed_in_toman_and_kept_in_rial(operator: Browser, counter: FakeCounter):
    form = "/services/top_up"
    typed = {"mobile": "09123456789", "operator": "mci", "amount": "۲۰٬۰۰۰"}
    assert (await operator.send(form, form, **typed)).status_code == 303
    (view,) = counter.service_views.values()
    assert view.fields
    assert view.fields["amount"] == "200000"
    low = await operator.send(form, form, **{**typed, "amount": "5000"})
    assert low.status_code == 422
    assert Page(low.text).field("amount")["value"] == "5000"


async def test_an_operator_that_nobody_chose_is_shown_before_it_counts(operator: Browser, counter: FakeCounter):
    form = "/services/top_up"
    typed = {"mobile": "09353456789", "amount": "20000"}
    shown = await operator.send(form, form, **typed)
    page = Page(shown.text)
    assert (shown.status_code, counter.asked) == (200, [])
    assert "از روی آغاز شماره انتخاب شد" in page.text
    assert [one["value"] for one in page.all("input", name="operator") if "checked" in one] == ["mtn"]
    assert page.field("mobile")["value"] == typed["mobile"]
    sure = await operator.send(form, form, **typed, operator="rightel")
    assert sure.status_code == 303
    (view,) = counter.service_views.values()
    assert view.fields == {"mobile": "09353456789", "operator": "rightel", "amount": "200000"}
    unknown = await operator.send(form, form, **{**typed, "mobile": "09421234567"})
    assert unknown.status_code == 422
    assert not [one for one in Page(unknown.text).all("input", name="operator") if "checked" in one]


async def test_a_text_message_is_agreed_to_by_a_tick_that_nobody_has_to_make(operator: Browser, counter: FakeCounter):
    ticks = (await operator.page(FORM)).all("input", name="notify")
    assert [(tick["type"], tick["value"], "checked" in tick) for tick in ticks] == [("checkbox", "yes", False)]
    assert (await operator.send(FORM, FORM, **TYPED, notify="yes")).status_code == 303
    (view,) = counter.service_views.values()
    assert view.fields == {**OWNER, "notify": "yes"}
    page = await operator.page(f"/requests/{view.inquiry_id}")
    assert "آماده شدن پاسخ به این شماره پیامک شود" in page.text
    wrong = await operator.send(FORM, FORM, **{**TYPED, "mobile": "1"}, notify="yes")
    assert "checked" in Page(wrong.text).field("notify")


async def test_a_service_that_is_not_sold_is_not_there(operator: Browser):
    assert (await operator.get("/services/none_such")).status_code == 404


async def test_an_unknown_request_is_not_there(operator: Browser):
    assert (await operator.get("/requests/none")).status_code == 404


# --- the fee, the receipt, the answer


async def test_the_fee_is_paid_in_place_once(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_total", OWNER)
    place = f"/requests/{view.inquiry_id}"
    hidden = (await operator.page(place)).form(f"{place}/fee")
    answers = [await operator.client.post(f"{place}/fee", data=hidden) for _ in range(2)]
    assert [answer.headers["location"] for answer in answers] == [place, place]
    assert counter.asked == [("fee", view.inquiry_id)]
    page = await operator.page(place)
    assert "در انتظار کارت" in page.text
    assert f"{place}/fee" not in page.source, "nothing to press twice"


async def test_a_fee_that_failed_is_paid_again_where_it_failed(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_total", OWNER)
    fee = counter.service_payment(175_000, PaymentState.DECLINED, response_code="51")
    counter.change_request(view.inquiry_id, state=ServiceState.FEE_FAILED, fee=fee)
    page = await operator.page(f"/requests/{view.inquiry_id}")
    assert "پرداخت کارمزد ناموفق" in page.text
    assert "پولی برداشت نشد" in page.text
    assert "پرداخت مجدد" in page.text


async def test_a_fee_in_doubt_is_asked_about_in_place_and_not_charged_again(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_total", OWNER)
    fee = counter.service_payment(175_000, PaymentState.IN_DOUBT, in_doubt_reason="no_answer")
    counter.change_request(view.inquiry_id, state=ServiceState.FEE_IN_DOUBT, fee=fee)
    place = f"/requests/{view.inquiry_id}"
    page = await operator.page(place)
    assert "تأیید تراکنش" in page.text
    assert "دوباره نکشید" in page.text
    assert f"{place}/fee" not in page.source
    answer = await operator.send(place, f"/payments/{fee.payment_id}/check")
    assert answer.headers["location"] == place, "one stays where one was"


async def test_the_answer_is_seen_only_once_the_receipt_is_printed(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_total", OWNER)
    place = f"/requests/{view.inquiry_id}"
    counter.change_request(
        view.inquiry_id, state=ServiceState.PRINT_FIRST, fee=ended(counter, 175_000), may_release=True
    )
    page = await operator.page(place)
    assert "پرداخت با موفقیت انجام شد" in page.text
    assert "چاپ رسید خدمت" in page.text
    assert f'action="{place}/show"' not in page.source
    await operator.send(place, f"{place}/receipt")
    assert counter.asked == [("service receipt", view.inquiry_id)]
    counter.change_request(view.inquiry_id, state=ServiceState.READY)
    await operator.send(place, f"{place}/show")
    assert counter.asked[-1] == ("show", view.inquiry_id)


async def test_a_manager_lets_the_answer_be_seen_without_a_printer(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_total", OWNER, state=ServiceState.PRINT_FIRST, may_release=True)
    place = f"/requests/{view.inquiry_id}/release"
    wrong = await operator.send(place, place, reason="کاغذ نیست", username="mina", password="no")
    assert wrong.status_code == 422
    assert "کاغذ نیست" in wrong.text, "typed values stay"
    done = await operator.send(place, place, reason="کاغذ نیست", username="mina", password=PASSWORD)
    assert done.headers["location"] == f"/requests/{view.inquiry_id}"
    assert counter.asked == [("release", f"{view.inquiry_id} mina")]


@pytest.mark.parametrize(("line", "said"), [("good", "پاسخ همین‌جا می‌آید"), ("none", "خط قطع است")])
async def test_what_waits_has_a_ticket_and_says_what_for(operator: Browser, counter: FakeCounter, line: str, said: str):
    view = counter.add_request("car_fines_total", OWNER, state=ServiceState.WAITING, fee=ended(counter, 175_000))
    counter.line_view = type(counter.line_view)(state=line)  # type: ignore[arg-type]  # a word of the port's
    page = await operator.page(f"/requests/{view.inquiry_id}")
    assert said in page.text
    assert "نوبت ۱" in page.text
    assert "کارمزد گرفته شد و دوباره گرفته نمی‌شود" in page.text


async def test_paid_without_a_result_is_asked_again_without_a_fee(operator: Browser, counter: FakeCounter):
    view = counter.add_request(
        "car_fines_total", OWNER, state=ServiceState.NEEDS_REVIEW, fee=ended(counter, 175_000), may_retry=True
    )
    place = f"/requests/{view.inquiry_id}"
    assert "نیاز به بررسی" in (await operator.page(place)).text
    await operator.send(place, f"{place}/retry")
    assert counter.asked == [("ask again", view.inquiry_id)]


async def test_a_refusal_names_the_refund_case(operator: Browser, counter: FakeCounter):
    view = counter.add_request(
        "car_fines_total", OWNER, state=ServiceState.REFUSED, outcome="wrong_parameter", case_id="case-7"
    )
    text = (await operator.page(f"/requests/{view.inquiry_id}")).text
    assert "باید از آنِ یک نفر باشد" in text
    assert "case-7" in text


@pytest.mark.parametrize("state", [ServiceState.PRINT_FIRST, ServiceState.READY, ServiceState.SHOWN])
async def test_an_answer_whose_fee_goes_back_is_not_handed_over_unasked(
    operator: Browser, counter: FakeCounter, state: ServiceState
):
    view = counter.add_request("car_fines_total", OWNER, state=state, fee=ended(counter, 175_000))
    place, said = f"/requests/{view.inquiry_id}", "پیش از تحویل پاسخ از مدیر بپرسید"
    assert said not in (await operator.page(place)).text
    counter.change_request(view.inquiry_id, fee_back=True)
    assert said in (await operator.page(place)).text


# --- paying the answer


async def test_the_total_is_shown_with_its_time_and_paid_in_place(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_total", OWNER, fee=ended(counter, 175_000))
    counter.answer(view.inquiry_id, TOTAL)
    place = f"/requests/{view.inquiry_id}"
    page = await operator.page(place)
    for said in (
        "مبلغ خلافی",
        "۲٬۰۰۹٬۴۰۰ تومان",
        "۲۰٬۰۹۴٬۰۰۰ ریال",
        "5555555511094",
        "ندارد",
        "پاسخ مربوط به این زمان است",
    ):
        assert said in page.text, said
    assert "پرداخت خلافی · ۲٬۰۰۹٬۴۰۰ تومان" in page.text
    answer = await operator.send(place, f"{place}/pay", only="total")
    assert answer.headers["location"] == place
    assert counter.asked == [("pay answer", "total")]
    payment = next(iter(counter.service_views[view.inquiry_id].payments.values()))
    counter.change_payment(payment.payment_id, state=PaymentState.APPROVED, confirmation="queued")
    paid = counter.queries.all_payments[payment.payment_id]
    counter.change_request(view.inquiry_id, payments={"total": paid}, payable=frozenset())
    page = await operator.page(place)
    assert "برای ادامهٔ فرایند یکی از دکمه‌های زیر" in page.text
    assert "بازگشت به منوی اصلی" in page.text
    assert "چاپ رسید" in page.text
    assert f'action="{place}/pay"' not in page.source


async def test_each_violation_is_a_card_and_one_several_or_all_are_paid(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_detail", OWNER, fee=ended(counter, 175_000))
    counter.answer(view.inquiry_id, FINES)
    place = f"/requests/{view.inquiry_id}"
    page = await operator.page(place)
    for said in (
        "فهرست خلافی",
        "توقف در محل ایستادن ممنوع (توقف مطلقاً ممنوع)",
        "تهران خ چهل و هفتم",
        "۸۰٬۰۰۰ تومان",
        "۱۴۰۱/۰۵/۱۲",
        "8812044",
        "مشاهده عکس",
        "پرداخت همه (۳ مورد) · ۱۴۲٬۰۰۰ تومان",
        "پرداخت برگزیده‌ها",
    ):
        assert said in page.text, said
    assert [field["value"] for field in page.all("input", name="all")] == ["s1", "s2", "s3"]
    for pressed in (
        {"only": "s2"},
        {"ticked": "yes", "item": ["s1", "s3"]},
        {"every": "yes", "all": ["s1", "s2", "s3"]},
    ):
        hidden = (await operator.page(place)).form(f"{place}/pay")
        await operator.client.post(f"{place}/pay", data={**hidden, **pressed})
        counter.change_request(view.inquiry_id, payments={})
    assert counter.asked == [
        ("pay answer", "s2"),
        ("pay answer", "s1,s3"),
        ("pay answer", "s1,s2,s3"),
    ]


async def test_a_list_that_was_too_long_says_how_much_of_it_is_missing(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_detail", OWNER, fee=ended(counter, 175_000))
    counter.answer(view.inquiry_id, msgspec.structs.replace(FINES, values={**FINES.values, "items_left_out": "12"}))
    text = (await operator.page(f"/requests/{view.inquiry_id}")).text
    assert "پاسخ بلند بود: ۱۲ مورد دیگر در این فهرست نیست" in text
    counter.answer(view.inquiry_id, FINES)
    assert "پاسخ بلند بود" not in (await operator.page(f"/requests/{view.inquiry_id}")).text


async def test_each_card_says_how_its_payment_stands(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_detail", OWNER)
    failed = counter.service_payment(800_000, PaymentState.DECLINED)
    doubt = counter.service_payment(420_000, PaymentState.IN_DOUBT)
    done = ended(counter, 200_000, purpose="bill")
    counter.answer(view.inquiry_id, FINES, payments={"s1": failed, "s2": doubt, "s3": done}, payable=frozenset({"s1"}))
    cards = (await operator.get(f"/requests/{view.inquiry_id}")).text.split('class="card violation"')[1:]
    said = [Page(card).text for card in cards]
    assert "ناموفق" in said[0]
    assert "پرداخت مجدد · ۸۰٬۰۰۰ تومان" in said[0]
    assert "نامشخص" in said[1]
    assert "تأیید تراکنش" in said[1]
    assert "پرداخت مجدد" not in said[1]
    assert "پرداخت شد · در صف تأیید" in said[2]
    assert "چاپ رسید" in said[2]


async def test_what_stands_in_the_way_is_said_where_one_pressed(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_detail", OWNER)
    counter.answer(view.inquiry_id, FINES)
    place = f"/requests/{view.inquiry_id}"
    counter.service_error = OperatorError("payment.obligation_held", payment_id="p1")
    answer = await operator.send(place, f"{place}/pay", only="s1")
    assert answer.status_code == 409
    assert "پرداخت دیگری در راه است" in answer.text


async def test_photos_are_asked_for_and_shown_in_their_card(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_detail", OWNER)
    counter.answer(view.inquiry_id, FINES)
    place = f"/requests/{view.inquiry_id}"
    await operator.send(place, f"{place}/images", of="s1")
    assert counter.asked == [("image", f"{view.inquiry_id} s1")]
    counter.change_request(view.inquiry_id, images_asked=frozenset({"s1"}))
    assert "عکس خواسته شد" in (await operator.page(place)).text
    came = (ServiceImageView(item="s1", number=0, label="پلاک", there=True, feed="f", feed_index=3),)
    counter.change_request(view.inquiry_id, images={"s1": came})
    counter.pictures[("s1", 0)] = Picture(media_type="image/png", data=b"\x89PNG picture")
    picture = (await operator.page(place)).all("img")[0]
    answer = await operator.get(picture["src"])
    assert (answer.content, answer.headers["content-type"]) == (b"\x89PNG picture", "image/png")
    assert answer.headers["cache-control"] == "no-store"
    assert (await operator.get(f"{place}/image?item=s1&number=9")).status_code == 404
    assert (await operator.get(f"{place}/image?item=s1&number=x")).status_code == 404


async def test_nothing_found_is_an_answer(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_total", OWNER)
    counter.answer(view.inquiry_id, AnswerDocument(), state=ServiceState.NOTHING, outcome="nothing")
    assert "چیزی برای پرداخت نیست" in (await operator.page(f"/requests/{view.inquiry_id}")).text


OFFERS = AnswerDocument(
    items=tuple(
        Item(
            key=key,
            values={"title": title, "amount": str(amount)},
            payable=Payable(key=key, amount_rial=amount, order_id=f"o{key}"),
        )
        for key, title, amount in (("a", "رمز ۲۰ هزار تومانی", 200_000), ("b", "رمز ۵۰ هزار تومانی", 500_000))
    )
)


async def test_one_offer_is_chosen_and_its_code_is_shown_once_it_is_there(operator: Browser, counter: FakeCounter):
    view = counter.add_request("top_up_pin", {"mobile": "09123456789", "operator": "mci"})
    counter.answer(view.inquiry_id, OFFERS)
    place = f"/requests/{view.inquiry_id}"
    page = await operator.page(place)
    assert "یکی را برگزینید" in page.text
    assert not page.all("input", type="checkbox"), "one of them, not several"
    await operator.send(place, f"{place}/pay", only="b")
    bought = ended(counter, 500_000, purpose="order")
    counter.change_request(view.inquiry_id, payments={"b": bought}, payable=frozenset())
    assert "دوباره نخرید" in (await operator.page(place)).text
    counter.change_request(view.inquiry_id, fulfilments={"b": {"pin": "1234567890123456", "serial": "77"}})
    text = (await operator.page(place)).text
    assert "به مشتری بدهید" in text
    assert "1234567890123456" in text


async def test_an_order_that_hands_nothing_over_is_done_once_the_provider_says_so(
    operator: Browser, counter: FakeCounter
):
    view = counter.add_request("top_up_pin", {"mobile": "09123456789", "operator": "mci"})
    counter.answer(view.inquiry_id, OFFERS)
    bought = counter.service_payment(500_000, PaymentState.APPROVED, confirmation="confirmed", purpose="order")
    counter.change_request(view.inquiry_id, payments={"b": bought}, payable=frozenset())
    assert "دوباره نخرید" not in (await operator.page(f"/requests/{view.inquiry_id}")).text


async def test_a_total_whose_payment_failed_says_so_beside_paying_again(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_total", OWNER, fee=ended(counter, 175_000))
    counter.answer(view.inquiry_id, TOTAL)
    failed = counter.service_payment(20_094_000, PaymentState.DECLINED, response_code="51")
    counter.change_request(view.inquiry_id, payments={"total": failed})
    text = (await operator.page(f"/requests/{view.inquiry_id}")).text
    for said in ("ناموفق", "پولی برداشت نشد", "پرداخت مجدد"):
        assert said in text, said


async def test_what_another_inquiry_paid_is_warned_of_wherever_there_is_a_button_to_pay(
    operator: Browser, counter: FakeCounter
):
    view = counter.add_request("car_fines_total", OWNER, fee=ended(counter, 175_000))
    counter.answer(view.inquiry_id, TOTAL)
    other = counter.service_payment(1_000_000, PaymentState.APPROVED, confirmation="queued")
    counter.change_request(view.inquiry_id, paid_unseen=(other,))
    warning = "۱۰۰٬۰۰۰ تومان با استعلام دیگری در همین باجه پرداخت شده است"
    assert warning in (await operator.page(f"/requests/{view.inquiry_id}")).text
    for state, warned in ((PaymentState.DECLINED, True), (PaymentState.APPROVED, False)):
        paid = counter.service_payment(20_094_000, state)
        counter.change_request(view.inquiry_id, payments={"total": paid})
        assert (warning in (await operator.page(f"/requests/{view.inquiry_id}")).text) is warned, state


async def test_what_a_provider_says_back_of_a_choice_is_said_in_its_words(operator: Browser, counter: FakeCounter):
    fields = {"national_code": "0499370899", "mobile": "09123456789", "matter": "smart_card"}
    view = counter.add_request("civil_payment_id", fields)
    counter.answer(view.inquiry_id, AnswerDocument(values={"matter": "smart_card"}))
    text = (await operator.page(f"/requests/{view.inquiry_id}")).text
    assert "smart_card" not in text
    assert "کارت هوشمند ملی" in text


async def test_values_of_another_kind_than_promised_are_shown_as_they_came(operator: Browser, counter: FakeCounter):
    view = counter.add_request("active_plates", {"national_code": "0499370899", "mobile": "09123456789"})
    document = AnswerDocument(
        values={"count": "دو"},
        items=(Item(key="1", values={"plate": "992728388"}), Item(key="2", values={"plate": "<b>?</b>"})),
    )
    counter.answer(view.inquiry_id, document)
    answer = await operator.get(f"/requests/{view.inquiry_id}")
    text = Page(answer.text).text
    assert "۹۹ ل ۲۸۳ ایران ۸۸" in text
    assert "دو" in text
    assert "<b>?</b>" not in answer.text


async def test_a_number_without_end_breaks_no_page(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_total", OWNER)
    counter.answer(view.inquiry_id, AnswerDocument(values={"total": "9" * 5_000}))
    answer = await operator.get(f"/requests/{view.inquiry_id}")
    assert answer.status_code == 200
    assert "9" * 5_000 in answer.text


async def test_a_request_whose_data_are_forgotten_still_says_how_it_stood(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_total", OWNER)
    counter.change_request(
        view.inquiry_id, state=ServiceState.SHOWN, fields=None, applicant="388", document_state="forgotten"
    )
    text = (await operator.page(f"/requests/{view.inquiry_id}")).text
    assert "…388" in text
    assert "خواندنی نیست" in text


async def test_who_may_not_sell_a_service_is_refused_its_form_and_its_payments(operator: Browser, counter: FakeCounter):
    view = counter.add_request("car_fines_total", OWNER)
    place = f"/requests/{view.inquiry_id}"
    hidden = (await operator.page(place)).form(f"{place}/fee")
    counter.people.rows.set["reza"] = Permitted(frozenset({"bills", "service:car_fines_detail"}))
    assert (await operator.get("/services/car_fines_total")).status_code == 403
    assert (await operator.client.post(f"{place}/fee", data=hidden)).status_code == 403
    assert counter.asked == []
    choice = await operator.page("/services/car_fines")
    assert [link["href"] for link in choice.all("a") if "data-choice" in link] == ["/services/car_fines_detail"]
    assert (await operator.get("/services/top_up")).status_code == 403


async def test_the_home_page_lists_a_request_by_its_name_and_state_once(operator: Browser, counter: FakeCounter):
    counter.service_payment(175_000, PaymentState.APPROVED, service="car_fines_total", inquiry_id="q7")
    counter.queries.services.rows.append(
        ServiceRequestView(
            inquiry_id="q7",
            ticket=7,
            service="car_fines_total",
            catalogue_id="builtin",
            fields=Sealed(key_id="1405-09", ciphertext=""),
            applicant_tail="388",
            search_key="",
            fee_rial=175_000,
            gate="fee_first",
            print_first=True,
            rules_accepted=True,
            operator="reza",
            requested_at="2026-11-22T10:41:05.000Z",
            requested_index=900,
            fee_state=PaymentState.APPROVED,
        )
    )
    page = await operator.page("/")
    assert "استعلام خلافی تجمیعی شماره نوبت ۷" in page.text
    assert "در صف استعلام" in page.text
    assert [link["href"] for link in page.all("a") if link["href"].startswith(("/requests/", "/payments/"))] == [
        "/requests/q7"
    ]


NEW_SERVICE = Service(
    code="toll_total",
    category="vehicle",
    name=Words(fa="عوارض آزادراهی", en="Motorway tolls"),
    icon="car",
    search_words="آزادراه toll",
    fields=(
        Field(name="plate", kind="plate", label=Words(fa="شماره پلاک", en="Plate"), is_applicant=True),
        Field(name="since", kind="date", label=Words(fa="از تاریخ", en="Since")),
        Field(name="note", kind="text", label=Words(fa="توضیح", en="Note"), required=False),
    ),
    provider="gateway",
    call="toll_total",
    rows=(Row(name="total", label=Words(fa="جمع عوارض", en="Tolls"), kind="rial"),),
    pay="one",
    gate="answer_first",
)


async def test_a_service_that_is_published_is_in_the_menu_found_asked_for_and_answered_by_data_alone(
    operator: Browser, counter: FakeCounter
):
    counter.published = Catalogue.checked("c2", [NEW_SERVICE])
    assert "عوارض آزادراهی" in (await operator.page("/")).text
    assert (await operator.get("/services?q=آزادراه")).headers["location"] == "/services/toll_total"
    form = "/services/toll_total"
    wrong = await operator.send(form, form, **{**PLATE, "since": "1404/12/30"})
    assert "تاریخ درستی نیست" in wrong.text
    await operator.send(form, form, **{**PLATE, "since": "۱۴۰۵-۸-۳"})
    (view,) = counter.service_views.values()
    assert view.fields == {"plate": "992728388", "since": "1405/08/03"}
    document = AnswerDocument(
        values={"total": "420000"},
        payable=Payable(key="total", amount_rial=420_000, bill_id="8765432123192", bill_payment_id="42011241"),
    )
    counter.answer(view.inquiry_id, document)
    text = (await operator.page(f"/requests/{view.inquiry_id}")).text
    assert "جمع عوارض" in text
    assert "۴۲٬۰۰۰ تومان" in text
    assert (await operator.get("/services/car_fines")).status_code == 404, "what is published replaces whole"
