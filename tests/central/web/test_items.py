"""Pages of a charge for several bills: each bill and what became of it, in page, case, file and receipt."""

import csv

import httpx
import pytest

from central.ledger.booking import case_about
from central.ledger.cases import open_case
from central.ledger.store import load_payment, set_confirmation
from shared.events import Evidence, PaymentApproved, PaymentItem, PaymentRequested, PaymentSent, Split
from tests.central.ingest.offices import OFFICE
from tests.central.web.a_day import TERMINAL, Day

pytestmark = pytest.mark.postgres

BILLS = (("7748317800142", "1770160", 17_000), ("1234567800193", "5509", 23_000), ("9174639504124", "4509", 40_000))


@pytest.fixture
def charged(day: Day) -> str:
    """A charge for three bills, of which the provider took the first and refused the second; return its case."""
    items = tuple(
        PaymentItem(obligation=f"bill:{bill}", amount_rial=rial, bill_id=bill, bill_payment_id=payment)
        for bill, payment, rial in BILLS
    )
    evidence = Evidence(
        source="answer", response_code="00", amount_rial=80_000, rrn="800000000001", terminal_number=TERMINAL
    )
    day.pay(
        PaymentRequested(
            payment_id="many",
            obligation="group:many",
            purpose="bill",
            amount_rial=80_000,
            split=Split(gross_rial=80_000, company_rial=80_000),
            method="pcpos",
            terminal="counter-1",
            reference="9",
            operator="maryam",
            group_id="g-1",
            items=items,
        ),
        PaymentSent(payment_id="many", terminal_number=TERMINAL),
        PaymentApproved(payment_id="many", evidence=evidence),
    )
    day.sync()
    at = day.centre.clock.now()
    with day.web.engine.begin() as connection:
        book = load_payment(connection, OFFICE, "many")
        assert book is not None
        book = set_confirmation(
            connection, book, item=0, confirmation="confirmed", provider="billing", provider_reference="R-17", at=at
        )
        set_confirmation(connection, book, item=1, confirmation="refused", provider="billing", reason="expired", at=at)
        return open_case(connection, case_about(book, "refund", item=1, reason="expired"), at=at)


async def test_a_page_shows_each_bill_of_a_charge_and_where_it_stands(
    day: Day, mina: httpx.AsyncClient, charged: str
) -> None:
    shown = (await mina.get(f"/payments/{OFFICE}/many")).text
    for bill, payment, _ in BILLS:
        assert bill in shown
        assert payment in shown
    assert "۳ قبض با یک بار کارت" in shown
    assert "R-17" in shown
    assert f"/cases/{charged}" in shown
    case = (await mina.get(f"/cases/{charged}")).text
    assert "قبض ۲" in case
    assert BILLS[1][0] in case
    listed = (await mina.get(f"/payments?q={BILLS[2][0]}")).text
    assert f"/payments/{OFFICE}/many" in listed
    book = shown.partition('href="/r/')[2].partition('"')[0]
    receipt = (await mina.get(f"/r/{book}")).text
    assert all(bill in receipt for bill, _, _ in BILLS)


async def test_the_file_has_a_row_for_each_bill_and_their_sum_is_the_charge(
    day: Day, mina: httpx.AsyncClient, charged: str
) -> None:
    text = (await mina.get("/payments?as=csv")).content.decode("utf-8-sig")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["payment_id"] == "many"]
    assert [(row["item"], row["bill_id"], row["confirmation"]) for row in rows] == [
        ("0", BILLS[0][0], "confirmed"),
        ("1", BILLS[1][0], "refused"),
        ("2", BILLS[2][0], "queued"),
    ]
    assert sum(int(row["amount_rial"]) for row in rows) == 80_000
    assert {row["rrn"] for row in rows} == {"800000000001"}
