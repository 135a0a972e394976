"""How a slip and a page name a bill of a group, by the payment that it stands by."""

import msgspec
import pytest

from edge.services.bills.bill_group import lines_of
from shared.paper_facts import GroupState
from shared.payment import PaymentState
from tests.edge.services.office import WATER
from tests.edge.services.payments.test_judge_outcome import PAYMENT

S = PaymentState


@pytest.mark.parametrize(
    ("state", "unacknowledged", "named", "is_paid"),
    [
        (S.APPROVED, False, "paid", True),
        # Its terminal takes the sale back that it is not told to keep: no receipt yet.
        (S.APPROVED, True, "in_doubt", False),
        (S.REVERSAL_IN_DOUBT, False, "in_doubt", True),
    ],
)
def test_a_bill_is_called_paid_only_while_its_charge_certainly_stands(
    state: PaymentState, named: GroupState, *, unacknowledged: bool, is_paid: bool
) -> None:
    payment = msgspec.structs.replace(
        PAYMENT, state=state, unacknowledged=unacknowledged, bill_id=WATER.bill_id, bill_payment_id=WATER.payment_id
    )
    (line,) = lines_of(payment)
    assert (line.state, line.is_paid, line.is_free) == (named, is_paid, False)
