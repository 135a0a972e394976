"""What another box of the office holds is not charged here, by whatever moment central has told of it."""

import pytest

from shared.errors import OperatorError
from shared.identifiers import parse_bill
from shared.ids import bill_obligation
from shared.payment import PaymentState
from tests.edge.services.office import WATER, Office
from tests.edge.services.payments.test_exposure import hear
from tests.edge.store.test_elsewhere import THERE, there, told

HELD = bill_obligation(WATER.bill_id, WATER.payment_id)


async def test_a_bill_that_another_box_took_is_refused_by_that_payments_name(office: Office) -> None:
    hear(office.box, told(there("o1", "in_doubt", HELD)))
    with pytest.raises(OperatorError) as refused:
        await office.pay(WATER)
    assert refused.value.code == "payment.held_elsewhere"
    assert refused.value.data == {"obligation": HELD, "payment_id": "o1", "state": "in_doubt", "journal": THERE}
    assert "payment.requested" not in office.kinds()


async def test_a_bill_that_another_box_took_while_it_waited_for_the_terminal_is_not_sent(office: Office) -> None:
    before = await office.pay(parse_bill("7748317800142", "1770160"))
    await office.card_asked_for()
    waiting = await office.pay(WATER)
    hear(office.box, told(there("o1", "approved", HELD)))
    office.virtual.press("approve")
    assert await office.ends(before) is PaymentState.APPROVED
    assert await office.ends(waiting) is PaymentState.NOT_SENT
    assert office.payment(waiting).not_sent_reason == "payment.held_elsewhere"
    assert len(office.virtual.charges) == 1
