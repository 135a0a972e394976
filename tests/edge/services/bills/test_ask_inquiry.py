import pytest

from shared.errors import OperatorError
from shared.events import INQUIRY_PARAMETER_PURPOSE
from shared.sealed import unseal
from tests.edge.services.office import Office

NUMBER = "9174639504124"


async def test_the_subscribers_number_is_nowhere_in_the_journal_but_can_be_opened(office: Office) -> None:
    inquiry_id = await office.inquiries.request("electricity", NUMBER, operator="sara")
    inquiry = office.box.queries.inquiry(inquiry_id)
    assert inquiry is not None
    assert not any(NUMBER.encode() in data for data, _ in office.box.queries.entries(0, 100))
    key = office.box.queries.private_key(inquiry.parameter.key_id)
    assert key is not None
    assert unseal(inquiry.parameter, private_key=key, purpose=INQUIRY_PARAMETER_PURPOSE) == NUMBER.encode()


async def test_tickets_count_up_and_one_months_key_serves_them(office: Office) -> None:
    for expected in (1, 2, 3):
        inquiry_id = await office.inquiries.request("mobile", "09123456789", operator="sara")
        inquiry = office.box.queries.inquiry(inquiry_id)
        assert inquiry is not None
        assert inquiry.ticket == expected
    assert office.kinds().count("data_key.made") == 1


async def test_a_number_this_kind_cannot_have_is_refused_at_its_field(office: Office) -> None:
    with pytest.raises(OperatorError) as refused:
        await office.inquiries.request("mobile", "02177689361", operator="sara")
    assert refused.value.field == "parameter"
    assert "inquiry.requested" not in office.kinds()
