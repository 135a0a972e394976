"""Closing a case: who may, what is booked, and taking it back; through the pages, on a real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from central.ledger.cases import NewCase, open_case
from central.ledger.queries import trial_balance
from central.reconciliation import queries
from central.reconciliation.views import CaseView
from tests.central.ingest.offices import OFFICE
from tests.central.web.a_day import PASSWORD, Day
from tests.central.web.conftest import send, sign_in

pytestmark = pytest.mark.postgres

REASON = {"reason": "رسید واریز شمارهٔ ۱۲"}
REFUND = NewCase(kind="refund", about="x", amount_rial=17_000, office_id=OFFICE, payment_id="p-0001")
OVERDUE = NewCase(kind="overdue", about="y", amount_rial=17_000, office_id=OFFICE, payment_id="p-0001")


@pytest.fixture
async def sara(day: Day) -> AsyncIterator[httpx.AsyncClient]:
    """A second person of finance."""
    day.web.people.add("sara", name="سارا", password=PASSWORD)
    async with day.client() as client:
        assert (await sign_in(client, "sara")).status_code == 303
        yield client


def opened(day: Day, new: NewCase, *, again: bool = False) -> str:
    with day.web.engine.begin() as connection:
        return f"/cases/{open_case(connection, new, at=day.centre.clock.now(), again=again)}"


def seen(day: Day, path: str) -> CaseView:
    with day.web.engine.connect() as connection:
        found = queries.case(connection, path.rpartition("/")[2])
    assert found is not None
    return found


def balances(day: Day) -> dict[str, int]:
    with day.web.engine.connect() as connection:
        trial = trial_balance(connection)
    assert trial.debits_rial == trial.credits_rial
    return {account.code: account.balance_rial for account in trial.accounts if account.balance_rial}


async def test_what_moves_money_takes_another_person_and_is_booked_with_the_agreement(
    day: Day, mina: httpx.AsyncClient, sara: httpx.AsyncClient
) -> None:
    case, before = opened(day, REFUND), balances(day)
    assert (await send(mina, f"{case}/closings", {"outcome": "refunded", **REASON})).status_code == 303
    assert seen(day, case).case.state == "open"
    own = await send(mina, f"{case}/closings/1/agree")
    assert own.status_code == 422
    assert "کس دیگری باید موافقت کند" in own.text
    assert "closings/1/agree" not in (await mina.get(case)).text
    assert (await send(mina, f"{case}/closings", {"outcome": "loss", **REASON})).status_code == 422, "one at a time"
    assert balances(day) == before

    assert "closings/1/agree" in (await sara.get(case)).text
    assert (await send(sara, f"{case}/closings/1/agree")).status_code == 303
    closed = seen(day, case).case
    assert (closed.state, closed.outcome, closed.closed_by) == ("closed", "refunded", "mina + sara")
    after = balances(day)
    assert (after["paid_out"], after["unconfirmed"]) == (17_000, before["unconfirmed"] - 17_000)
    assert (await send(sara, f"{case}/closings/1/agree")).status_code == 422
    assert balances(day) == after, "once"
    assert [note.by for note in seen(day, case).notes] == ["mina", "sara"]
    assert "رسید واریز شمارهٔ ۱۲" in (await mina.get(case)).text


async def test_the_database_itself_holds_that_two_are_two(day: Day, mina: httpx.AsyncClient) -> None:
    case = opened(day, REFUND)
    await send(mina, f"{case}/closings", {"outcome": "loss", **REASON})
    alone = "UPDATE case_closing SET state = 'agreed', decided_by = 'mina', decided_at = now()"
    with pytest.raises(IntegrityError, match="two_people"), day.web.engine.begin() as connection:
        connection.execute(text(alone))


async def test_an_explanation_is_one_persons_where_no_money_is_owed(day: Day, mina: httpx.AsyncClient) -> None:
    case, owed = opened(day, OVERDUE), opened(day, REFUND)
    assert (await send(mina, f"{case}/closings", {"outcome": "explained", "reason": " "})).status_code == 422
    assert (await send(mina, f"{case}/closings", {"outcome": "else", **REASON})).status_code == 422
    for path in (case, owed):
        assert (await send(mina, f"{path}/closings", {"outcome": "explained", **REASON})).status_code == 303
    assert (seen(day, case).case.state, seen(day, owed).case.state) == ("closed", "open")
    assert (await send(mina, f"{case}/notes", {"text": "x"})).status_code == 422
    assert (await send(mina, f"{case}/closings", {"outcome": "loss", **REASON})).status_code == 422


async def test_a_proposal_may_be_dropped_and_an_auditor_only_looks(
    day: Day, mina: httpx.AsyncClient, sara: httpx.AsyncClient
) -> None:
    case = opened(day, REFUND)
    await send(mina, f"{case}/closings", {"outcome": "written_off", **REASON})
    async with day.client() as reza:
        await sign_in(reza, "reza")
        for path in ("closings", "closings/1/agree", "closings/1/drop"):
            assert (await send(reza, f"{case}/{path}", {"outcome": "loss", **REASON})).status_code == 403
        assert "<form" not in (await reza.get(case)).text.partition('id="closing"')[2].partition("</section>")[0]
    assert (await send(mina, f"{case}/closings/1/drop")).status_code == 303
    assert (await send(sara, f"{case}/closings/1/agree")).status_code == 422
    assert seen(day, case).case.state == "open"


async def test_a_close_by_mistake_is_taken_back_by_two_with_what_it_booked(
    day: Day, mina: httpx.AsyncClient, sara: httpx.AsyncClient
) -> None:
    case, before = opened(day, REFUND), balances(day)
    await send(mina, f"{case}/closings", {"outcome": "loss", **REASON})
    assert (await send(mina, f"{case}/closings", {"outcome": "reopened", **REASON})).status_code == 422
    await send(sara, f"{case}/closings/1/agree")
    assert balances(day)["losses"] == 17_000
    assert (await send(sara, f"{case}/closings", {"outcome": "reopened", **REASON})).status_code == 303
    assert (await send(sara, f"{case}/closings/2/agree")).status_code == 422
    assert (await send(mina, f"{case}/closings/2/agree")).status_code == 303
    assert balances(day) == before
    assert seen(day, case).case.state == "open"


async def test_the_money_of_a_payment_is_booked_away_once_whatever_cases_it_has(
    day: Day, mina: httpx.AsyncClient, sara: httpx.AsyncClient
) -> None:
    first, other, before = opened(day, REFUND), opened(day, OVERDUE), balances(day)
    for case in (first, other):
        await send(mina, f"{case}/closings", {"outcome": "loss", **REASON})
    assert (await send(sara, f"{first}/closings/1/agree")).status_code == 303
    refused = await send(sara, f"{other}/closings/2/agree")
    assert refused.status_code == 422
    assert "بیش از مبلغ پرداخت" in refused.text
    assert (balances(day)["losses"], seen(day, other).case.state) == (17_000, "open")
    # The customer is another side of it: what is paid out is not what was owed to the centre.
    await send(sara, f"{other}/closings/2/drop")
    await send(mina, f"{other}/closings", {"outcome": "refunded", **REASON})
    assert (await send(sara, f"{other}/closings/3/agree")).status_code == 303
    assert balances(day)["paid_out"] == 17_000
    # Taken back, it can be booked otherwise.
    await send(mina, f"{first}/closings", {"outcome": "reopened", **REASON})
    await send(sara, f"{first}/closings/4/agree")
    assert balances(day).get("losses", 0) == before.get("losses", 0)
    await send(mina, f"{first}/closings", {"outcome": "written_off", **REASON})
    assert (await send(sara, f"{first}/closings/5/agree")).status_code == 303


async def test_a_closed_case_with_a_new_reason_is_open_again(
    day: Day, mina: httpx.AsyncClient, sara: httpx.AsyncClient
) -> None:
    case = opened(day, REFUND)
    await send(mina, f"{case}/closings", {"outcome": "explained", **REASON})
    await send(sara, f"{case}/closings/1/agree")
    assert opened(day, REFUND) == case
    assert seen(day, case).case.state == "closed", "the same reason, told again"
    opened(day, REFUND, again=True)
    assert seen(day, case).case.state == "open"
    assert "دوباره پیش آمد" in (await mina.get(case)).text


async def test_a_pay_out_without_the_billers_answer_is_offered_once_that_is_so_and_by_its_own_name(
    day: Day, mina: httpx.AsyncClient
) -> None:
    case = opened(day, OVERDUE)
    plain, knowing = 'value="refunded"', 'value="refunded_unanswered"'
    page = (await mina.get(case)).text
    assert plain in page
    assert knowing not in page
    long_ago = day.centre.clock.now() - timedelta(hours=72)
    with day.web.engine.begin() as connection:
        out = "state = 'waiting', outcome = NULL, attempts = 3, asked_at = :at, out_since = :at"
        connection.execute(text(f"UPDATE provider_task SET {out} WHERE subject = 'p-0001'"), {"at": long_ago})  # noqa: S608 - no input
    page = (await mina.get(case)).text
    assert plain not in page
    assert "پول بی پاسخ صادرکننده برگردانده شد" in page
    assert (await send(mina, f"{case}/closings", {"outcome": "refunded_unanswered", **REASON})).status_code == 303
    assert seen(day, case).case.waits
