"""What is charged for a service is what its request asks for, whatever was put together outside the transaction."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from daftar.training.answers import training_bill
from edge.services.payments.wanted import Wanted, bill_wanted, bills_wanted
from shared.errors import OperatorError
from shared.events import Split
from shared.identifiers import BillType, parse_bill
from shared.ids import fee_obligation
from tests.edge.services.office import Office
from tests.edge.services.service_desk import FEE_RIAL, FINE_BILLS, Desk, desk_of

SERVICE = "car_fines"
NOT_OFFERED = parse_bill(*training_bill(BillType.TRAFFIC_FINE, 7, 1_420_000))


@pytest.fixture
async def desk(office: Office) -> AsyncIterator[Desk]:
    with desk_of(office) as opened:
        yield opened


async def refused(desk: Desk, wanted: Wanted) -> str:
    """Ask for a charge that is none; return the error's code."""
    before = desk.office.kinds()
    with pytest.raises(OperatorError) as caught:
        await desk.office.payments.request(wanted, operator="sara")
    assert desk.office.kinds() == before
    return caught.value.code


def fee(inquiry_id: str, amount_rial: int, of: str | None = None) -> Wanted:
    return Wanted(
        purpose="inquiry_fee",
        amount_rial=amount_rial,
        split=Split(gross_rial=amount_rial, company_rial=amount_rial),
        obligation=fee_obligation(of or inquiry_id),
        inquiry_id=inquiry_id,
        service=SERVICE,
    )


async def test_a_fee_is_the_one_that_the_customer_was_told(desk: Desk) -> None:
    inquiry_id, another = await desk.ask(), await desk.ask()
    assert await refused(desk, fee(inquiry_id, FEE_RIAL + 1)) == "service.no_fee_due"
    assert await refused(desk, fee(inquiry_id, FEE_RIAL, of=another)) == "service.no_fee_due"
    await desk.office.payments.request(fee(inquiry_id, FEE_RIAL), operator="sara")


async def test_of_an_answer_only_what_it_offers_is_charged_and_for_the_sum_it_says(desk: Desk) -> None:
    inquiry_id = await desk.paid_request()
    desk.printed(inquiry_id)
    desk.answer(inquiry_id)
    offered = bill_wanted(FINE_BILLS[1], inquiry_id=inquiry_id, service=SERVICE, payable="1")
    dearer = msgspec.structs.replace(offered, amount_rial=offered.amount_rial + 1)
    not_offered = bill_wanted(NOT_OFFERED, inquiry_id=inquiry_id, service=SERVICE, payable="1")
    beside_it = bills_wanted([FINE_BILLS[1], NOT_OFFERED], inquiry_id=inquiry_id, service=SERVICE)
    for wanted in (dearer, not_offered, beside_it):
        assert await refused(desk, wanted) == "service.payable_unknown"


async def test_of_a_shut_answer_nobody_learns_what_could_be_paid(desk: Desk) -> None:
    inquiry_id = await desk.paid_request()
    desk.answer(inquiry_id)
    for key in ("1", "none of its keys"):
        with pytest.raises(OperatorError, match=r"service\.answer_shut"):
            await desk.selling.pay_answer(inquiry_id, [key], operator="sara")
