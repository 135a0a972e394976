"""What a close says against what the journal's entries give: pure."""

import msgspec
import pytest

from central.ledger.days import Mirror, differences
from shared.day import DayBook
from shared.events import Body, DayClosed, PaymentReversed, RefundProposed, ReversalRequested
from tests.edge.store.boxes import BILL_RIAL, approved, declined, evidence, in_doubt, requested, sent

ROOT = "ab" * 32
BEFORE: list[Body] = [requested("a"), sent("a"), approved("a"), requested("b"), sent("b"), in_doubt("b")]
DAY: list[Body] = [
    RefundProposed(refund_id="r", payment_id="a", means="void", amount_rial=BILL_RIAL, operator="z", reason="x"),
    ReversalRequested(refund_id="r", payment_id="a", means="void"),
    PaymentReversed(payment_id="a", evidence=evidence()),
    requested("c"),
    sent("c"),
    approved("c"),
    requested("d"),
    sent("d"),
    declined("d"),
]
FIRST, INDEX = 10, 10 + len(DAY)
MIRROR = Mirror(
    first=FIRST,
    entries=(*enumerate(BEFORE, start=1), *enumerate(DAY, start=FIRST), (INDEX + 1, approved("b"))),
    root=ROOT,
)


def true_close() -> DayClosed:
    book = DayBook()
    for body in BEFORE:
        book.add(body)
    book.close()
    for body in DAY:
        book.add(body)
    totals = book.totals()
    return DayClosed(
        close_id="d",
        first=FIRST,
        size=INDEX,
        root=ROOT,
        totals=totals.totals,
        undone=totals.undone,
        in_doubt_count=1,
        in_doubt_rial=BILL_RIAL,
        unsent_count=0,
        unsent_rial=0,
        unconfirmed_count=0,
        unconfirmed_rial=0,
        operator="sara",
    )


def test_a_true_close_agrees_whatever_came_before_and_after_it() -> None:
    close = true_close()
    assert ([total.count for total in close.totals], [total.count for total in close.undone]) == ([1], [1])
    assert differences(close, INDEX, MIRROR) == []


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"totals": ()}, "totals"),
        ({"undone": ()}, "undone"),
        ({"in_doubt_count": 0}, "in doubt"),
        ({"in_doubt_rial": 1}, "in doubt"),
        ({"root": "cd" * 32}, "root"),
        ({"first": FIRST + 1}, "first"),
        ({"size": INDEX - 1}, "size"),
    ],
)
def test_each_figure_that_is_not_true_is_named(changed: dict[str, object], named: str) -> None:
    (found,) = differences(msgspec.structs.replace(true_close(), **changed), INDEX, MIRROR)
    assert found.startswith(f"{named}: says ")
