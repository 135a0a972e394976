"""What the acquirer said of a payment in doubt, stated by two people of finance; and what a payment's page tells."""

import httpx
import msgspec
import pytest

from central.fleet import feed
from central.fleet.enrolment import issue_code
from central.ledger.left_behind import open_left_behind
from shared.events import (
    FEED_BODIES,
    AcquirerAnswered,
    AlarmRaised,
    DayClosed,
    Evidence,
    PaymentRequested,
    PaymentReversed,
    PaymentSent,
    RefundAgreed,
    RefundProposed,
    ReversalInDoubt,
    ReversalRequested,
    Split,
    decode_body,
)
from shared.ids import office_feed
from shared.journal.entry import decode_entry
from tests.central.ingest.offices import OFFICE
from tests.central.web.a_day import TERMINAL, Day
from tests.central.web.conftest import send, sign_in

pytestmark = pytest.mark.postgres

DOUBT = f"/payments/{OFFICE}/p-0007"
HEARD = {"charged": "yes", "rrn": "۷۰۰۰۱", "reason": "تلفنی از پذیرنده"}


def told(day: Day) -> list[AcquirerAnswered]:
    with day.web.engine.connect() as connection:
        signed = feed.read(connection, office_feed(OFFICE), 0, 100)
    entries = [decode_entry(each.data) for each in signed]
    bodies = [decode_body(entry.type, bytes(entry.body), FEED_BODIES) for entry in entries]
    return [body for body in bodies if isinstance(body, AcquirerAnswered)]


async def test_one_person_proposes_another_agrees_and_the_office_is_told(day: Day, mina: httpx.AsyncClient) -> None:
    day.web.people.add("sara", name="سارا", password="a-password-for-tests")
    assert (await send(mina, f"{DOUBT}/statements", HEARD)).status_code == 303
    own = await send(mina, f"{DOUBT}/statements/1/agree")
    assert own.status_code == 422
    assert "کسی دیگر باید تأیید کند" in own.text
    assert (await send(mina, f"{DOUBT}/statements", HEARD)).status_code == 422, "one at a time"
    assert told(day) == []
    async with day.client() as sara:
        await sign_in(sara, "sara")
        assert "/statements/1/agree" in (await sara.get(DOUBT)).text
        assert (await send(sara, f"{DOUBT}/statements/1/agree")).status_code == 303
        again = await send(sara, f"{DOUBT}/statements/1/agree")
    assert again.status_code == 422
    (answer,) = told(day)
    assert (answer.payment_id, answer.charged, answer.source, answer.rrn) == ("p-0007", True, "acquirer", "70001")
    assert answer.amount_rial == 770_000
    page = (await mina.get(DOUBT)).text
    assert "به گفتهٔ دو نفر از مالی" in page
    assert "پذیرنده: برداشت شده است" in page


async def test_a_proposal_can_be_dropped_and_nothing_is_told(day: Day, mina: httpx.AsyncClient) -> None:
    await send(mina, f"{DOUBT}/statements", {**HEARD, "charged": "no", "rrn": ""})
    assert (await send(mina, f"{DOUBT}/statements/1/drop")).status_code == 303
    assert told(day) == []
    assert "کنار گذاشته شد" in (await mina.get(DOUBT)).text


@pytest.mark.parametrize(
    "wrong", [{"rrn": ""}, {"rrn": "12a"}, {"rrn": "000"}, {"reason": "  "}, {"reason": "x" * 501}]
)
async def test_what_is_not_complete_is_refused_and_kept_as_typed(
    day: Day, mina: httpx.AsyncClient, wrong: dict[str, str]
) -> None:
    answer = await send(mina, f"{DOUBT}/statements", {**HEARD, **wrong})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert (await send(mina, f"/payments/{OFFICE}/p-0001/statements", HEARD)).status_code == 422, "not in doubt"


async def test_a_refund_of_two_people_and_a_closed_day_are_shown(day: Day, mina: httpx.AsyncClient) -> None:
    day.pay(
        RefundProposed(
            refund_id="r", payment_id="p-0001", means="reversal", amount_rial=17_000, operator="علی", reason="اشتباه"
        ),
        RefundAgreed(refund_id="r", payment_id="p-0001", operator="سارا"),
        ReversalRequested(payment_id="p-0001", refund_id="r", means="reversal"),
        PaymentReversed(payment_id="p-0001", evidence=Evidence(source="reversal", response_code="00")),
        msgspec.convert(
            {
                "close_id": "d1",
                "first": 0,
                "size": 3,
                "root": "00",
                "totals": [],
                "operator": "علی",
                **dict.fromkeys(("in_doubt_count", "in_doubt_rial", "unsent_count", "unsent_rial"), 0),
                **dict.fromkeys(("unconfirmed_count", "unconfirmed_rial"), 0),
            },
            type=DayClosed,
        ),
    )
    day.sync()
    page = (await mina.get(f"/payments/{OFFICE}/p-0001")).text
    for words in ("برگشت با کارتخوان", "علی", "سارا", "پول به کارت برگشت"):
        assert words in page
    assert "روز بسته شد" in (await mina.get(f"/offices/{OFFICE}")).text


async def test_a_charge_of_a_declined_payment_may_be_said_and_only_that(day: Day, mina: httpx.AsyncClient) -> None:
    declined = f"/payments/{OFFICE}/p-0005"
    refused = await send(mina, f"{declined}/statements", {**HEARD, "charged": "no", "rrn": ""})
    assert refused.status_code == 422
    assert (await send(mina, f"{declined}/statements", HEARD)).status_code == 303
    day.web.people.add("sara", name="سارا", password="a-password-for-tests")
    async with day.client() as sara:
        await sign_in(sara, "sara")
        assert (await send(sara, f"{declined}/statements/1/agree")).status_code == 303
    (answer,) = told(day)
    assert (answer.payment_id, answer.charged, answer.about, answer.refund_id) == ("p-0005", True, "sale", None)


async def test_what_became_of_a_reversal_in_doubt_may_be_said(day: Day, mina: httpx.AsyncClient) -> None:
    day.pay(
        ReversalRequested(payment_id="p-0001", refund_id="r", means="reversal"),
        ReversalInDoubt(payment_id="p-0001", reason="no_answer"),
    )
    day.sync()
    payment = f"/payments/{OFFICE}/p-0001"
    assert "پذیرنده: پول برگشته است" in (await mina.get(payment)).text
    assert (await send(mina, f"{payment}/statements", {**HEARD, "charged": "no", "rrn": ""})).status_code == 303
    day.web.people.add("sara", name="سارا", password="a-password-for-tests")
    async with day.client() as sara:
        await sign_in(sara, "sara")
        assert (await send(sara, f"{payment}/statements/1/agree")).status_code == 303
    (answer,) = told(day)
    assert (answer.payment_id, answer.charged, answer.about, answer.refund_id) == ("p-0001", False, "reversal", "r")


async def test_that_it_was_not_charged_may_be_said_where_its_box_spoke_of_a_charge(
    day: Day, mina: httpx.AsyncClient
) -> None:
    day.pay(AlarmRaised(kind="charge_mismatch", payment_id="p-0005", detail="x"))
    day.sync()
    declined = f"/payments/{OFFICE}/p-0005"
    assert "پذیرنده: برداشت نشده است" in (await mina.get(declined)).text
    assert (await send(mina, f"{declined}/statements", {**HEARD, "charged": "no", "rrn": ""})).status_code == 303
    day.web.people.add("sara", name="سارا", password="a-password-for-tests")
    async with day.client() as sara:
        await sign_in(sara, "sara")
        assert (await send(sara, f"{declined}/statements/1/agree")).status_code == 303
    assert [(body.payment_id, body.charged) for body in told(day)] == [("p-0005", False)]


def left_open(day: Day) -> str:
    """Put an amount under way at the box; return the payment's page."""
    day.pay(
        PaymentRequested(
            payment_id="p-left",
            obligation="bill:7748317800142:99",
            purpose="bill",
            amount_rial=50_000,
            split=Split(gross_rial=50_000, company_rial=50_000),
            method="pcpos",
            terminal="counter-1",
            reference="000000000000000099",
            operator="maryam",
            bill_id="7748317800142",
            bill_payment_id="99",
        ),
        PaymentSent(payment_id="p-left", terminal_number=TERMINAL),
    )
    day.sync()
    return f"/payments/{OFFICE}/p-left"


def replace_box(day: Day) -> None:
    centre = day.centre
    code = issue_code(centre.engine, OFFICE, clock=centre.clock, entropy=centre.entropy, replaces="1")
    centre.enrol("next", code=code, replaced=open_left_behind)


async def test_what_a_box_that_is_gone_had_under_way_may_be_said(day: Day, mina: httpx.AsyncClient) -> None:
    payment = left_open(day)
    heard_none = {**HEARD, "charged": "no", "rrn": ""}
    for heard in (HEARD, heard_none):
        refused = await send(mina, f"{payment}/statements", heard)
        assert (refused.status_code, "دستگاهش هنوز خودش می‌گوید" in refused.text) == (422, True), (
            "its box may still tell"
        )
    assert 'name="charged"' not in (await mina.get(payment)).text
    replace_box(day)
    page = (await mina.get(payment)).text
    assert "خودش نمی‌گوید چه شد" in page
    assert page.count('<option value="no"') == 1
    day.web.people.add("sara", name="سارا", password="a-password-for-tests")
    async with day.client() as sara:
        await sign_in(sara, "sara")
        for number, heard in enumerate((heard_none, HEARD, heard_none), 1):
            assert (await send(mina, f"{payment}/statements", heard)).status_code == 303
            assert (await send(sara, f"{payment}/statements/{number}/agree")).status_code == 303
    # A charge that is found out later is told, too; that there was none is not said after it.
    assert [(body.payment_id, body.about, body.charged) for body in told(day)] == [
        ("p-left", "sale", False),
        ("p-left", "sale", True),
    ]


async def test_that_a_box_that_is_gone_had_given_money_back_may_be_said(day: Day, mina: httpx.AsyncClient) -> None:
    payment = f"/payments/{OFFICE}/p-0001"
    day.pay(ReversalRequested(payment_id="p-0001", refund_id="r", means="reversal"))
    day.sync()
    assert (await send(mina, f"{payment}/statements", HEARD)).status_code == 422
    replace_box(day)
    assert "پذیرنده: پول برگشته است" in (await mina.get(payment)).text
    assert (await send(mina, f"{payment}/statements", {**HEARD, "charged": "no", "rrn": ""})).status_code == 303
    day.web.people.add("sara", name="سارا", password="a-password-for-tests")
    async with day.client() as sara:
        await sign_in(sara, "sara")
        assert (await send(sara, f"{payment}/statements/1/agree")).status_code == 303
    (answer,) = told(day)
    assert (answer.payment_id, answer.charged, answer.about, answer.refund_id) == ("p-0001", False, "reversal", "r")
