"""No entry is passed over by oversight: each body has its place in the books, or a reason for none."""

import pytest
from sqlalchemy import Engine, select

from central.ledger.handled import FEED_FACTS, LIFE_FACTS, NO_POSTING, OFFICE_FACTS, OTHER_FACTS
from central.ledger.posting import PAYMENT_FACTS
from central.store.books import office_fact, payment_entry
from shared.events import FEED_BODIES, JOURNAL_BODIES, AlarmRaised, StatusQueried
from tests.central.reconciliation.test_running import approved, post

PLACES = {
    "payment": {body.type for body in PAYMENT_FACTS},
    "life": {body.type for body in LIFE_FACTS},
    "office": set(OFFICE_FACTS),
    "other": {body.type for body in OTHER_FACTS},
    "none": set(NO_POSTING),
}


@pytest.mark.parametrize("kind", sorted(JOURNAL_BODIES))
def test_each_body_of_the_journal_has_its_place(kind: str) -> None:
    places = [place for place, types in PLACES.items() if kind in types]
    assert places, f"what do the books do with {kind}? Say it in central/ledger/handled.py"
    assert len(places) == 1 or (kind, places) == (AlarmRaised.type, ["life", "office"])


def test_each_body_of_the_feed_is_booked_where_it_is_written_or_moves_nothing() -> None:
    assert FEED_BODIES.keys() - FEED_FACTS.keys() == set()


@pytest.mark.parametrize("reasons", [NO_POSTING, FEED_FACTS])
def test_a_reason_is_a_sentence(reasons: dict[str, str]) -> None:
    assert all(len(reason.split()) > 3 for reason in reasons.values())


@pytest.mark.postgres
def test_an_alarm_stands_at_its_office_and_in_the_life_of_its_payment(engine: Engine) -> None:
    post(engine, *approved("p", "100000000001", 40_000))
    post(
        engine,
        AlarmRaised(kind="second_charge", payment_id="p", detail="x"),
        AlarmRaised(kind="second_charge", payment_id="nobody"),
        AlarmRaised(kind="disk_full"),
        StatusQueried(payment_id="p", outcome="approved"),
    )
    with engine.connect() as connection:
        facts = connection.execute(select(office_fact.c.type)).scalars().all()
        life = connection.execute(select(payment_entry.c.payment_id).where(payment_entry.c.type == AlarmRaised.type))
        assert (list(facts), list(life.scalars())) == ([AlarmRaised.type] * 3, ["p"])
