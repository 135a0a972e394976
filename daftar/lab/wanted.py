"""What the lab's customers want, drawn from a chance: bills alone and together, fees, orders; and what others paid.

Facts only: what becomes of them is the workload's.
"""

from collections.abc import Sequence
from typing import Final

from daftar.lab.chance import Chance
from shared.entropy import random_digits, random_name
from shared.events import (
    ObligationElsewhere,
    ObligationsHeld,
    PaymentElsewhere,
    PaymentItem,
    PaymentRequested,
    Purpose,
    ServiceRequested,
    Split,
)
from shared.ids import bill_obligation, fee_obligation, group_obligation, order_obligation
from shared.payment import PaymentState
from shared.sealed import Sealed

BILLS: Final = tuple((f"77483178{number:05}", f"17701{number:02}", 10_000 * number) for number in range(1, 6))
ORDERS: Final = ("order-1", "order-2")
FEE_RIAL: Final = 30_000
_ELSEWHERE: Final = "daftar.journal/72101001/7/1"
_AT: Final = "2026-11-22T08:00:00.000Z"
_TOLD: Final = ("approved", "in_doubt", "requested", "not_charged", "reversed", "declined")


def bill_wanted(chance: Chance) -> PaymentRequested:
    """Return the intent of paying one of the bills."""
    bill_id, bill_payment_id, amount_rial = chance.pick(BILLS)
    return _wanted(
        chance,
        bill_obligation(bill_id, bill_payment_id),
        amount_rial,
        bill_id=bill_id,
        bill_payment_id=bill_payment_id,
    )


def bills_wanted(chance: Chance) -> PaymentRequested:
    """Return the intent of paying two bills or three by one charge."""
    first, count = chance.below(len(BILLS)), 2 + chance.below(2)
    items = tuple(
        PaymentItem(
            obligation=bill_obligation(bill_id, bill_payment_id),
            amount_rial=amount_rial,
            bill_id=bill_id,
            bill_payment_id=bill_payment_id,
        )
        for bill_id, bill_payment_id, amount_rial in (BILLS[(first + place) % len(BILLS)] for place in range(count))
    )
    return _wanted(chance, None, sum(item.amount_rial for item in items), items=items)


def fee_wanted(chance: Chance, inquiry_id: str) -> PaymentRequested:
    """Return the intent of paying the fee of a request."""
    return _wanted(
        chance, fee_obligation(inquiry_id), FEE_RIAL, purpose="inquiry_fee", inquiry_id=inquiry_id, service="lab"
    )


def order_wanted(chance: Chance, inquiry_id: str) -> PaymentRequested:
    """Return the intent of paying one of the orders: whichever request's answer named it."""
    order = chance.pick(ORDERS)
    return _wanted(
        chance,
        order_obligation(order),
        2 * FEE_RIAL,
        purpose="order",
        inquiry_id=inquiry_id,
        service="lab",
        payable=order,
    )


def service_asked(inquiry_id: str, ticket: int, fee_rial: int) -> ServiceRequested:
    """Return a request for a service of the catalogue."""
    return ServiceRequested(
        inquiry_id=inquiry_id,
        ticket=ticket,
        service="lab",
        catalogue_id="lab",
        fields=Sealed(key_id="lab", ciphertext=""),
        applicant_tail="388",
        search_key="",
        fee_rial=fee_rial,
        gate="fee_first",
        print_first=False,
        rules_accepted=True,
        operator="sara",
    )


def told_of_another_box(chance: Chance, number: int) -> ObligationsHeld:
    """Return central's word that a payment of another box pays one of the bills, or does so no more."""
    place = chance.below(len(BILLS))
    bill_id, bill_payment_id, amount_rial = BILLS[place]
    held = ObligationElsewhere(
        obligation=bill_obligation(bill_id, bill_payment_id),
        amount_rial=amount_rial,
        bill_id=bill_id,
        bill_payment_id=bill_payment_id,
    )
    payment = PaymentElsewhere(
        payment_id=f"elsewhere-{place}",
        state=PaymentState(chance.pick(_TOLD)),
        terminal="terminal-1",
        requested_at=_AT,
        obligations=(held,),
    )
    return ObligationsHeld(journal=_ELSEWHERE, heard_size=number, heard_at=_AT, payments=(payment,))


def obligations_of(wanted: PaymentRequested) -> Sequence[str]:
    """Return all that an intent pays."""
    return tuple(item.obligation for item in wanted.items) or (wanted.obligation,)


def _wanted(
    chance: Chance,
    obligation: str | None,
    amount_rial: int,
    *,
    purpose: Purpose = "bill",
    items: tuple[PaymentItem, ...] = (),
    **more: str,
) -> PaymentRequested:
    payment_id = random_name(chance, "p")
    return PaymentRequested(
        payment_id=payment_id,
        obligation=obligation or group_obligation(payment_id),
        purpose=purpose,
        amount_rial=amount_rial,
        split=Split(gross_rial=amount_rial, company_rial=amount_rial),
        method="pcpos",
        terminal=chance.pick(("terminal-1", "terminal-2")),
        reference=random_digits(chance, 18),
        operator="sara",
        items=items,
        covers=(),
        group_id=f"g{payment_id}" if items else "",
        **more,
    )
