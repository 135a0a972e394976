"""The board: sums by day, and what silent offices may hold."""

import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import insert, text, update

from central.ledger.queries import PaymentFilter, payments
from central.ledger.unsettled import LATE_AFTER_DAYS, Late, late
from central.reconciliation.queries import day_board
from central.store.books import money_case, office_payment
from central.web.board_reads import SILENT_AFTER, day_sums, office_states
from central.web.office_reads import offices
from central.web.pages_board import since_of
from shared.calendar import TEHRAN, tehran_date
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, OPEN, UNDOING, PaymentState
from shared.text import fold_number
from tests.central.web.a_day import Day, other_office

pytestmark = pytest.mark.postgres


def test_an_office_that_falls_silent_shows_what_it_may_hold(kept_day: Day) -> None:
    other_office(kept_day, "72101002", "دفتر بی‌جعبه")
    now = kept_day.centre.clock.now()
    with kept_day.web.engine.connect() as connection:
        boards = day_board(connection).offices
        rows = offices(connection, now=now)
    usual = 17_000 + 1_250_000 + 430_000 + 2_810_000
    assert [row.usual_day_rial for row in rows] == [usual, 0]
    heard = office_states(rows, boards, now=now)
    assert [state.silent for state in heard] == [False, False]

    silent = office_states(rows, boards, now=now + timedelta(days=2))
    assert silent[0].office.office_id == "72101001"
    assert silent[0].silent
    assert silent[0].may_hold_rial == pytest.approx(2 * usual, rel=0.01)
    assert not silent[1].silent
    assert timedelta(minutes=5) < SILENT_AFTER < timedelta(days=1)


def test_days_are_those_of_iran(kept_day: Day) -> None:
    today = tehran_date(kept_day.centre.clock.now())
    with kept_day.web.engine.connect() as connection:
        sums = day_sums(connection, first=today)
        none = day_sums(connection, first=today + timedelta(days=1))
    assert [(one.day, one.charged_rial, one.settled_rial) for one in sums] == [(today, 4_507_000, 0)]
    assert none == ()


def test_a_charge_that_no_file_names_for_days_is_said_to_be_late(kept_day: Day) -> None:
    today = tehran_date(kept_day.centre.clock.now())
    days_later = today + timedelta(days=LATE_AFTER_DAYS + 1)
    with kept_day.web.engine.connect() as connection:
        assert late(connection, days_later - timedelta(days=1)) is None
        found = late(connection, days_later)
        assert found == Late(count=4, rial=4_507_000, oldest=today)
        rows = payments(connection, PaymentFilter(late_on=days_later))
        assert sum(row.amount_rial for row in rows) == found.rial
        of_one = {"office_id": rows[0].office_id, "payment_id": rows[0].payment_id}
        case = {"amount_rial": 1, "facts": {}, "opened_at": kept_day.centre.clock.now(), "opened_by": "x"}
        case |= {"case_id": "c-late", "kind": "missing_at_acquirer", "state": "closed", **of_one}
        connection.execute(insert(money_case).values(case))
        left = late(connection, days_later)
        assert left
        assert left.count == len(rows) - 1, "what people have ended is nobody's concern any more"
        connection.rollback()
        connection.execute(
            update(office_payment).values(settled_file="f").where(office_payment.c.settled_file.is_(None))
        )
        assert late(connection, days_later) is None
        connection.rollback()


async def test_the_board_says_what_is_late_to_be_settled(day: Day, mina: httpx.AsyncClient) -> None:
    assert "settled=late" not in (await mina.get("/")).text
    long_ago = tehran_date(day.centre.clock.now()) - timedelta(days=LATE_AFTER_DAYS + 1)
    with day.web.engine.begin() as connection:
        connection.execute(update(office_payment).values(local_date=long_ago))
    assert 'href="/payments?settled=late"' in (await mina.get("/")).text
    assert "p-0001" in (await mina.get("/payments?settled=late")).text


def test_a_period_begins_at_midnight_in_iran(kept_day: Day) -> None:
    now = kept_day.centre.clock.now()
    begin = since_of("today", now)
    assert begin is not None
    assert begin.astimezone(TEHRAN).strftime("%H:%M") == "00:00"
    assert begin <= now
    assert since_of("week", now) == begin - timedelta(days=6)
    assert since_of("all", now) is None


def test_a_state_is_certain_or_on_the_board() -> None:
    """Charged for certain, not charged for certain, or counted among what nobody knows: nothing else."""
    kinds = (CHARGED - UNDOING, CERTAINLY_UNCHARGED, OPEN, UNDOING)
    assert sorted(state for kind in kinds for state in kind) == sorted(PaymentState)


async def test_what_nobody_knows_the_end_of_is_on_the_board_however_old(day: Day, mina: httpx.AsyncClient) -> None:
    old = day.centre.clock.now() - timedelta(days=60)
    ids = {state: day.charge(1_000 + number) for number, state in enumerate(PaymentState)}
    day.sync()
    with day.web.engine.begin() as connection:
        for state, payment_id in ids.items():
            told = {"state": str(state), "at": old, "id": payment_id}
            change = "UPDATE office_payment SET state = :state, received_at = :at WHERE payment_id = :id"
            connection.execute(text(change), told)
    with day.web.engine.connect() as connection:
        board = day_board(connection)
    page = (await mina.get("/")).text
    for name, states in (("in_doubt", OPEN), ("undoing", UNDOING)):
        (shown,) = re.findall(rf'<a class="tile[^"]*" href="/payments\?state={name}">.*?number">(.*?)</span>', page)
        listed = (await mina.get(f"/payments?state={name}")).text
        found = {state for state, payment_id in ids.items() if f'/{payment_id}"' in listed}
        assert states <= found
        assert int(fold_number(shown)) == getattr(board, f"{name}_count") >= len(states)
    (row,) = (office for office in board.offices if office.undoing_count)
    assert row.undoing_rial == sum(1_000 + list(PaymentState).index(state) for state in UNDOING)
