"""Closes of the day at central: the list, one of them beside central's own sums, and as a file."""

from typing import Any

import httpx
import msgspec
import pytest

from central.web.day_reads import days
from shared.events import DayClosed
from shared.journal.tree import root
from tests.central.ingest.offices import OFFICE
from tests.central.web.a_day import Day
from tests.central.web.conftest import send

pytestmark = pytest.mark.postgres

ZEROS = dict.fromkeys(
    ("in_doubt_count", "in_doubt_rial", "unsent_count", "unsent_rial", "unconfirmed_count", "unconfirmed_rial"), 0
)


def close(day: Day, **members: Any) -> None:
    """Let the box close its day with these figures."""
    size = day.box.log.size()
    body = {
        "close_id": f"d{size}",
        "first": 0,
        "size": size,
        "root": root(size, day.box.log.node).hex(),
        "totals": [],
        "operator": "علی",
    }
    day.pay(msgspec.convert({**body, **ZEROS, **members}, type=DayClosed))
    day.sync()


TRUE = {
    "totals": [
        {"method": "pcpos", "purpose": "bill", "terminal": "counter-1", "count": 4, "amount_rial": 4_507_000},
    ],
    "in_doubt_count": 1,
    "in_doubt_rial": 770_000,
    "unsent_count": 3,
    "batches": [{"terminal": "counter-1", "count": 4, "amount_rial": 4_507_000}],
}


async def test_a_close_that_agrees_is_listed_with_who_closed_it_and_its_sums(day: Day, mina: httpx.AsyncClient) -> None:
    close(day, **TRUE)
    listed = (await mina.get(f"/days?office={OFFICE}")).text
    for words in ("علی", "۴٬۵۰۷٬۰۰۰", "۴ پرداخت", "می‌خواند"):
        assert words in listed
    assert "نمی‌خواند" not in listed
    assert f"/days?office={OFFICE}" in (await mina.get(f"/offices/{OFFICE}")).text
    with day.web.engine.connect() as connection:
        (row,) = days(connection)
    assert (row.differs, row.batch, row.count("totals"), row.body.unsent_count) == (None, "agrees", 4, 3)
    one = (await mina.get(f"/days/{row.ordinal}")).text
    assert one.count("۴٬۵۰۷٬۰۰۰") >= 3, "the office's, central's, the terminal's"
    assert "نمی‌خواند" not in one
    cells = (await mina.get("/days?as=csv")).text.splitlines()
    assert len(cells) == 2
    assert ",4,4507000," in cells[1]


async def test_a_close_that_says_otherwise_shows_both_figures(day: Day, mina: httpx.AsyncClient) -> None:
    less = {**TRUE["totals"][0], "count": 3, "amount_rial": 4_490_000}  # type: ignore[index]
    close(day, **{**TRUE, "totals": [less]})
    with day.web.engine.connect() as connection:
        (row,) = days(connection, office_id=OFFICE)
        assert days(connection, office_id="none") == ()
        assert days(connection, before=row.ordinal) == ()
    assert row.batch == "differs"
    one = (await mina.get(f"/days/{row.ordinal}")).text
    assert "نمی‌خواند" in one
    assert "۴٬۴۹۰٬۰۰۰" in one
    assert "۴٬۵۰۷٬۰۰۰" in one
    assert (await mina.get("/days/999999")).status_code == 404
    assert (await send(mina, "/language", {"language": "en", "next": "/days"})).status_code == 303
    assert "differs" in (await mina.get("/days")).text
