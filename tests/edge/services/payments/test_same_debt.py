"""One debt under two answers about the same car: what the journal can know is refused, of the rest a page warns."""

from collections.abc import AsyncIterator
from typing import Any, Literal

import msgspec
import pytest

from daftar.training.answers import training_bill
from edge.services.bills.read_bill import read_bill
from edge.services.payments import same_debt
from edge.services.sales.open_answer import OpenDocument, open_document
from edge.store.rebuild import rebuild_projections
from shared.answer_document import AnswerDocument, Item, Payable
from shared.errors import OperatorError
from shared.events import (
    AlarmRaised,
    ObligationElsewhere,
    ObligationsHeld,
    PaymentApproved,
    PaymentConfirmed,
    PaymentElsewhere,
    PaymentRefused,
)
from shared.identifiers import Bill, BillType, parse_bill
from shared.ids import bill_obligation
from shared.payment import PaymentState
from tests.edge.services.office import Office
from tests.edge.services.service_desk import FINE_BILLS, Desk, desk_of, payable

WHOLE, ONE, OTHER = FINE_BILLS
ANOTHER = parse_bill(*training_bill(BillType.TRAFFIC_FINE, 7, 1_420_000))
"""The whole of them in another answer."""


@pytest.fixture
async def desk(office: Office) -> AsyncIterator[Desk]:
    with desk_of(office) as opened:
        yield opened


def listed(*serials: str, whole: bool = False) -> AnswerDocument:
    """An answer with one item, its bill another than any; its whole where it is wanted."""
    return AnswerDocument(
        items=tuple(
            Item(key=f"i{serial}", values={"serial": serial}, payable=payable(f"i{serial}", bill))
            for serial, bill in zip(serials, (ONE, OTHER), strict=False)
        ),
        payable=payable("total", WHOLE) if whole else None,
    )


TOTAL = AnswerDocument(values={"total": str(WHOLE.amount_rial)}, payable=payable("total", WHOLE))


async def answered(desk: Desk, document: AnswerDocument, plate: str | None = None) -> str:
    fields = None if plate is None else {"plate": plate, "national_code": "0084575948"}
    inquiry_id = await desk.paid_request(fields=fields)
    desk.printed(inquiry_id)
    desk.answer(inquiry_id, document)
    return inquiry_id


async def test_the_whole_by_one_request_and_a_part_by_another_are_one_debt(desk: Desk) -> None:
    first = await answered(desk, listed("9914010001", "9914010002", whole=True))
    # The other answer names one of them by another bill.
    other = AnswerDocument(items=(Item(key="x", values={"serial": "9914010002"}, payable=payable("x", ONE)),))
    second = await answered(desk, other)
    paid = await desk.pay(first, "total")
    assert desk.view(second).payable == frozenset()
    with pytest.raises(OperatorError) as refused:
        await desk.pay(second, "x")
    assert (refused.value.code, refused.value.data["payment_id"]) == ("payment.obligation_held", paid)
    assert desk.view(second).paid_unseen == ()


async def test_a_debt_whose_money_the_provider_refused_is_paid_under_a_new_answer(desk: Desk) -> None:
    first = await answered(desk, listed("9914010001"))
    paid = await desk.pay(first, "i9914010001")
    again = await answered(
        desk, AnswerDocument(items=(Item(key="x", values={"serial": "9914010001"}, payable=payable("x", OTHER)),))
    )
    assert desk.view(again).payable == frozenset()
    desk.tell(PaymentRefused(payment_id=paid, provider="gateway", track_id="t2", reason="expired", case_id="c1"))
    assert desk.view(again).payable == frozenset({"x"})
    assert desk.view(first).payable == frozenset(), "the very same bill stays held until its money is back"
    await desk.pay(again, "x")
    assert len(desk.office.virtual.charges) == 4, "two fees, the refused charge and this one"


async def test_a_whole_that_is_paid_as_an_order_pays_its_parts_too(desk: Desk) -> None:
    """A provider whose total has no ids of a bill is paid by its own order; central counts it as its parts as well."""
    order = Payable(key="total", amount_rial=WHOLE.amount_rial, order_id="7350112")
    (one,) = listed("9914010001").items
    # The second can be paid by the whole only.
    whole = AnswerDocument(items=(one, Item(key="2", values={"serial": "9914010002"})), payable=order)
    paid = await desk.pay(await answered(desk, whole), "total")
    other = AnswerDocument(items=(Item(key="x", values={"serial": "9914010002"}, payable=payable("x", ANOTHER)),))
    again = await answered(desk, other)
    assert desk.view(again).payable == frozenset()
    for pressed in (desk.office.pay(ONE), desk.pay(again, "x")):
        with pytest.raises(OperatorError) as refused:
            await pressed
        assert (refused.value.code, refused.value.data["payment_id"]) == ("payment.obligation_held", paid)


async def test_of_bills_charged_together_only_the_refused_one_is_paid_under_a_new_answer(desk: Desk) -> None:
    first = await answered(desk, listed("9914010001", "9914010002"))
    paid = await desk.pay(first, "i9914010001", "i9914010002")
    again = await answered(
        desk,
        AnswerDocument(
            items=(
                Item(key="x", values={"serial": "9914010001"}, payable=payable("x", ANOTHER)),
                Item(key="y", values={"serial": "9914010002"}, payable=payable("y", WHOLE)),
            )
        ),
    )
    words: dict[str, Any] = {"payment_id": paid, "provider": "gateway", "track_id": "t2"}
    desk.tell(PaymentRefused(**words, reason="expired", case_id="c1", item=0))
    desk.tell(PaymentConfirmed(**words, provider_reference="881", confirmed_at="", item=1))
    assert desk.view(again).payable == {"x"}
    with pytest.raises(OperatorError) as refused:
        await desk.pay(again, "y")
    assert (refused.value.code, refused.value.data["payment_id"]) == ("payment.obligation_held", paid)
    assert await desk.office.ends(await desk.pay(again, "x")) is PaymentState.APPROVED


async def test_what_is_another_violation_or_another_car_is_paid(desk: Desk) -> None:
    first = await answered(desk, listed("9914010001"))
    second = await answered(
        desk, AnswerDocument(items=(Item(key="x", values={"serial": "9914010002"}, payable=payable("x", OTHER)),))
    )
    another = await answered(desk, TOTAL, plate="۹۹ ل ۲۸۳ ایران ۸۹")
    for inquiry_id, key in ((first, "i9914010001"), (second, "x"), (another, "total")):
        assert desk.view(inquiry_id).paid_unseen == ()
        await desk.pay(inquiry_id, key)


async def test_a_paper_of_one_violation_is_refused_once_the_whole_is_paid(desk: Desk) -> None:
    """The paper names no answer: what the whole was made of stands in its own entry."""
    asked = await answered(desk, listed("9914010001", "9914010002", whole=True))
    paid = await desk.pay(asked, "total")
    queries = desk.office.box.queries
    for part in (ONE, OTHER):
        reading = read_bill(queries, part.barcode)
        assert reading.earlier is not None
        assert reading.earlier.payment_id == paid
        with pytest.raises(OperatorError) as refused:
            await desk.office.pay(part)
        assert (refused.value.code, refused.value.data["payment_id"]) == ("payment.obligation_held", paid)
    desk.tell(PaymentRefused(payment_id=paid, provider="gateway", track_id="t2", reason="expired", case_id="c1"))
    assert desk.view(asked).payable == frozenset()
    with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
        await desk.pay(asked, "i9914010001")
    assert read_bill(queries, ONE.barcode).earlier is None, (
        "its money is owed back, and the violation is owed as before"
    )
    assert await desk.office.ends(await desk.office.pay(ONE)) is PaymentState.APPROVED
    assert rebuild_projections(desk.office.box.path) == []


async def test_a_part_that_waits_is_not_sent_once_the_whole_turns_out_to_be_charged(desk: Desk) -> None:
    asked = await answered(desk, listed("9914010001", whole=True))
    desk.office.virtual.set_auto("decline")
    whole = await desk.pay(asked, "total")
    assert desk.office.payment(whole).state is PaymentState.DECLINED
    async with desk.office.worker.lock:
        waiting = await desk.office.pay(ONE)
        late = PaymentApproved(payment_id=whole, evidence=desk.office.charge_of(whole))
        await desk.office.box.writer.commit(lambda _: [late])
    assert await desk.office.ends(waiting) is PaymentState.NOT_SENT
    assert desk.office.payment(waiting).not_sent_reason == "payment.obligation_held"


async def two_wholes(desk: Desk) -> tuple[str, str]:
    """Two answers whose wholes share a part, and nothing tells that they are about one car: the month's key is new."""
    first = await answered(desk, listed("9914010001", "9914010002", whole=True))
    later = listed("9914010001", "9914010002")
    later = msgspec.structs.replace(later, payable=payable("total", ANOTHER))
    return first, await answered(desk, later, plate="۹۹ ل ۲۸۳ ایران ۸۹")


async def test_two_wholes_that_share_a_part_are_one_debt_though_the_month_has_turned(desk: Desk) -> None:
    first, second = await two_wholes(desk)
    assert desk.view(second).payable == {"total", "i9914010001", "i9914010002"}
    paid = await desk.pay(first, "total")
    assert desk.view(second).payable == frozenset()
    for key in ("total", "i9914010002"):
        with pytest.raises(OperatorError) as refused:
            await desk.pay(second, key)
        assert (refused.value.code, refused.value.data["payment_id"]) == ("payment.obligation_held", paid)
    desk.tell(PaymentRefused(payment_id=paid, provider="gateway", track_id="t2", reason="expired", case_id="c1"))
    assert desk.view(second).payable == {"total", "i9914010001", "i9914010002"}
    assert (await desk.office.ends(await desk.pay(second, "total"))) is PaymentState.APPROVED


async def test_a_whole_that_waits_is_not_sent_once_another_of_a_part_turns_out_to_be_charged(desk: Desk) -> None:
    first, second = await two_wholes(desk)
    desk.office.virtual.set_auto("decline")
    earlier = await desk.pay(first, "total")
    desk.office.virtual.set_auto("approve")
    async with desk.office.worker.lock:
        waiting = await desk.selling.pay_answer(second, ["total"], operator="sara")
        late = PaymentApproved(payment_id=earlier, evidence=desk.office.charge_of(earlier))
        await desk.office.box.writer.commit(lambda _: [late])
    assert await desk.office.ends(waiting) is PaymentState.NOT_SENT
    assert desk.office.payment(waiting).not_sent_reason == "payment.obligation_held"


async def test_a_paper_of_a_part_waits_while_a_charge_of_the_whole_is_disputed(desk: Desk) -> None:
    asked = await answered(desk, listed("9914010001", "9914010002", whole=True))
    desk.office.virtual.set_auto("decline")
    whole = await desk.pay(asked, "total")
    spoken = AlarmRaised(kind="charge_mismatch", payment_id=whole, detail="another amount")
    await desk.office.box.writer.commit(lambda _: [spoken])
    with pytest.raises(OperatorError) as refused:
        await desk.office.pay(ONE)
    assert (refused.value.code, refused.value.data["payment_id"]) == ("payment.charge_disputed", whole)


async def test_a_page_opens_each_answer_once_however_long_they_are(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening takes a private key's work, and the page of an answer is made anew at each change."""
    for _ in range(2):
        await answered(desk, listed("9914010001", "9914010002", whole=True))
    last = await answered(desk, listed("9914010001", "9914010002", whole=True))
    opened: list[str] = []

    def opening(reader: Any, asked: Any) -> OpenDocument:
        opened.append(asked.inquiry_id)
        return open_document(reader, asked)

    monkeypatch.setattr(same_debt, "open_document", opening)
    assert desk.view(last).payable == {"total", "i9914010001", "i9914010002"}
    assert len(opened) == len(set(opened)) == 2


async def test_a_total_without_parts_is_warned_of_and_not_refused(desk: Desk) -> None:
    details = await answered(desk, listed("9914010001"))
    total = await answered(desk, TOTAL)
    paid = await desk.pay(total, "total")
    view = desk.view(details)
    assert ([held.payment_id for held in view.paid_unseen], view.payable) == ([paid], frozenset({"i9914010001"}))
    later = await answered(desk, listed("9914010001"))
    assert [held.payment_id for held in desk.view(later).paid_unseen] == [paid], "its provider may not know of it yet"
    # Asked for after that payment was confirmed, an answer knows of it.
    desk.confirm(paid, total)
    assert [held.payment_id for held in desk.view(details).paid_unseen] == [paid]
    assert desk.view(await answered(desk, listed("9914010001"))).paid_unseen == ()


async def test_who_paid_in_detail_is_warned_of_at_a_total_and_at_a_list_without_serial_numbers(desk: Desk) -> None:
    details = await answered(desk, listed("9914010001"))
    total = await answered(desk, TOTAL)
    nameless = await answered(desk, AnswerDocument(items=(Item(key="x", values={}, payable=payable("x", OTHER)),)))
    paid = await desk.pay(details, "i9914010001")
    for inquiry_id, key in ((total, "total"), (nameless, "x")):
        view = desk.view(inquiry_id)
        assert [held.payment_id for held in view.paid_unseen] == [paid]
        assert view.payable == {key}, "warned of, and not refused"


def held_elsewhere(paid: Bill, *parts: Bill, said: Literal["none", "refused"] = "none") -> ObligationsHeld:
    """Central's word that another box of the office charged a bill, and of which it was the whole."""
    obligation, *covers = (bill_obligation(bill.bill_id, bill.payment_id) for bill in (paid, *parts))
    held = ObligationElsewhere(obligation=obligation, amount_rial=paid.amount_rial, confirmation=said)
    payment = PaymentElsewhere(
        payment_id="theirs",
        state=PaymentState.APPROVED,
        terminal="their-terminal",
        requested_at="2026-11-22T08:00:00.000Z",
        obligations=(held,),
        covers=tuple(covers),
    )
    return ObligationsHeld(journal="daftar.journal/72101001/other/1", heard_size=9, payments=(payment,))


@pytest.mark.parametrize("whole_is_theirs", [True, False])
async def test_the_whole_at_one_box_and_a_part_at_another_are_one_debt(desk: Desk, *, whole_is_theirs: bool) -> None:
    both = await answered(desk, listed("9914010001", "9914010002", whole=True))
    assert desk.view(both).payable == {"total", "i9914010001", "i9914010002"}
    if whole_is_theirs:
        desk.tell(held_elsewhere(WHOLE, ONE, OTHER))
        # Their whole went by another bill than this answer's, and the paper of a part names no answer at all.
        part = await answered(desk, listed("9914010001"), plate="۹۹ ل ۲۸۳ ایران ۸۹")
        assert desk.view(part).payable == frozenset()
        found = read_bill(desk.office.box.queries, ONE.bill_id, ONE.payment_id)
        assert (found.earlier, found.elsewhere and found.elsewhere.payment_id) == (None, "theirs")
        with pytest.raises(OperatorError, match=r"payment\.held_elsewhere"):
            await desk.office.pay(ONE)
        wanted = [(both, "total"), (both, "i9914010002"), (part, "i9914010001")]
    else:
        desk.tell(held_elsewhere(ONE))
        wanted = [(both, "total"), (both, "i9914010001")]
    for inquiry_id, key in wanted:
        with pytest.raises(OperatorError) as refused:
            await desk.pay(inquiry_id, key)
        assert (refused.value.code, refused.value.data["payment_id"]) == ("payment.held_elsewhere", "theirs")
    assert desk.view(both).payable == (frozenset() if whole_is_theirs else {"i9914010002"})


async def test_a_debt_whose_money_was_refused_at_another_box_is_paid_here_under_a_new_answer(desk: Desk) -> None:
    first = await answered(desk, listed("9914010001"))
    again = await answered(
        desk, AnswerDocument(items=(Item(key="x", values={"serial": "9914010001"}, payable=payable("x", OTHER)),))
    )
    desk.tell(held_elsewhere(ONE, said="refused"))
    assert desk.view(first).payable == frozenset()
    assert desk.view(again).payable == {"x"}
    with pytest.raises(OperatorError) as refused:
        await desk.pay(first, "i9914010001")
    assert (refused.value.code, refused.value.data["payment_id"]) == ("payment.held_elsewhere", "theirs")
    assert await desk.office.ends(await desk.pay(again, "x")) is PaymentState.APPROVED


async def test_a_whole_that_waits_is_not_sent_once_another_box_took_a_part(desk: Desk) -> None:
    asked = await answered(desk, listed("9914010001", "9914010002", whole=True))
    async with desk.office.worker.lock:
        waiting = await desk.selling.pay_answer(asked, ["total"], operator="sara")
        desk.tell(held_elsewhere(ONE))
    assert await desk.office.ends(waiting) is PaymentState.NOT_SENT
    assert desk.office.payment(waiting).not_sent_reason == "payment.held_elsewhere"


@pytest.mark.parametrize("said", ["obligation_held", "charge_disputed", "held_elsewhere"])
async def test_a_violation_that_waits_under_another_answer_is_not_sent_once_it_may_be_charged(
    desk: Desk, said: str
) -> None:
    first = await answered(desk, listed("9914010001"))
    other = AnswerDocument(items=(Item(key="x", values={"serial": "9914010001"}, payable=payable("x", OTHER)),))
    again = await answered(desk, other)
    desk.office.virtual.set_auto("decline")
    declined = await desk.pay(first, "i9914010001")
    desk.office.virtual.set_auto("approve")
    async with desk.office.worker.lock:
        waiting = await desk.selling.pay_answer(again, ["x"], operator="sara")
        if said == "obligation_held":
            desk.box.write(PaymentApproved(payment_id=declined, evidence=desk.office.charge_of(declined)))
        elif said == "charge_disputed":
            desk.box.write(AlarmRaised(kind="charge_mismatch", payment_id=declined, detail="another amount"))
        else:
            desk.tell(held_elsewhere(ONE))
    assert await desk.office.ends(waiting) is PaymentState.NOT_SENT
    assert desk.office.payment(waiting).not_sent_reason == f"payment.{said}"
    assert desk.view(again).payable == frozenset()
    with pytest.raises(OperatorError) as refused:
        await desk.pay(again, "x")
    assert refused.value.code == f"payment.{said}"
