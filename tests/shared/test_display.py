import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from shared.alarm_texts import ALARMS, alarm_text
from shared.display import (
    STATUSES,
    ago_text,
    clock_text,
    date_text,
    day_text,
    digits_text,
    inquiry_status_key,
    moment_text,
    payment_status,
    payment_status_key,
)
from shared.payment import CERTAINLY_UNCHARGED, PaymentState
from sync.central_session import AlarmKind

AT = "2022-08-21T10:47:34.000Z"
"""15:17:34 1401/05/30 in Iran, when it still had summer time."""


def test_every_payment_state_has_a_row_whatever_the_provider_said():
    for state in PaymentState:
        for confirmation in ("none", "queued", "confirmed", "refused"):
            status = payment_status(state, confirmation)
            assert status.fa
            assert status.en
            assert status.icon


def test_queued_and_confirmed_share_neither_word_nor_drawing():
    queued = payment_status(PaymentState.APPROVED, "queued")
    confirmed = payment_status(PaymentState.APPROVED, "confirmed")
    assert queued.fa != confirmed.fa
    assert queued.en != confirmed.en
    assert queued.icon != confirmed.icon
    assert (queued.tone, queued.weight) != (confirmed.tone, confirmed.weight)


def test_a_fee_waits_for_no_confirmation():
    assert payment_status_key(PaymentState.APPROVED, "none", purpose="inquiry_fee") == "paid"
    assert payment_status_key(PaymentState.IN_DOUBT, "none", purpose="inquiry_fee") == "in_doubt"
    assert payment_status_key(PaymentState.APPROVED, "queued", purpose="order") == "approved"


def test_no_two_payment_states_of_different_meaning_look_alike():
    drawn: dict[str, str] = {}
    for key, status in STATUSES.items():
        if key.startswith("inquiry_"):
            continue
        assert drawn.setdefault(status.fa, key) == key, "one word, one meaning"


def test_what_was_certainly_not_charged_is_never_green_and_doubt_never_grey():
    for state in CERTAINLY_UNCHARGED - {PaymentState.REVERSED}:
        assert payment_status(state).tone == "grey"
    assert payment_status(PaymentState.IN_DOUBT).tone == "amber"
    assert payment_status(PaymentState.REVERSED).tone == "violet"


def test_a_refused_confirmation_needs_review_but_an_unpaid_bill_does_not_become_confirmed():
    assert payment_status_key(PaymentState.APPROVED, "refused") == "needs_review"
    assert payment_status_key(PaymentState.DECLINED, "confirmed") == "declined"
    assert payment_status_key(PaymentState.REVERSED, "refused") == "reversed"


@pytest.mark.parametrize("outcome", [None, "owed", "nothing_owed", "wrong_parameter", "refused"])
def test_every_inquiry_outcome_has_a_row(outcome):
    assert inquiry_status_key(outcome) in STATUSES


def test_moments_are_jalali_and_in_iran():
    assert date_text(AT, "fa") == "۱۴۰۱/۰۵/۳۰"
    assert clock_text(AT, "fa") == "۱۵:۱۷"
    assert moment_text(AT, "en").split() == ["15:17:34", "1401/05/30"]


def test_a_text_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        moment_text("2022-08-21T10:47:34", "fa")


def test_digits_of_a_language():
    assert digits_text("12/34", "fa") == "۱۲/۳۴"
    assert digits_text("12/34", "en") == "12/34"


@pytest.mark.parametrize(
    ("passed", "fa", "en"),
    [
        (timedelta(seconds=-5), "هم‌اکنون", "just now"),
        (timedelta(seconds=9), "هم‌اکنون", "just now"),
        (timedelta(seconds=59), "۵۹ ثانیه پیش", "59 seconds ago"),
        (timedelta(minutes=1), "۱ دقیقه پیش", "1 minute ago"),
        (timedelta(hours=23, minutes=59), "۲۳ ساعت پیش", "23 hours ago"),
        (timedelta(days=2), "۲ روز پیش", "2 days ago"),
    ],
)
def test_how_long_ago(passed, fa, en):
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert ago_text(now - passed, now, "fa") == fa
    assert ago_text(now - passed, now, "en") == en


def test_a_day_a_provider_wrote_is_jalali_where_it_can_be_read_and_its_own_words_where_not() -> None:
    assert day_text("2026-11-22", "fa") == "۱۴۰۵/۰۹/۰۱"
    assert day_text("2026-11-22", "en") == "1405/09/01"
    assert day_text("1396/11/24 - 11:11", "fa") == "۱۳۹۶/۱۱/۲۴ - ۱۱:۱۱"


SOURCES = "\n".join(
    path.read_text("utf-8")
    for folder in ("edge", "central", "sync")
    for path in (Path(__file__).parents[2] / folder).rglob("*.py")
)
_RAISED = re.compile(r"""\b(?:AlarmRaised\(\s*kind=|_?(?:raise_)?alarm\((?:[a-z_]+, )*)(?:"([a-z_]+)"|([A-Z_]{3,}))""")


def raised_kinds() -> set[str]:
    """Return every kind of alarm that the sources raise, by name or by a constant."""
    kinds = set(get_args(AlarmKind))
    for name, constant in _RAISED.findall(SOURCES):
        found = re.search(rf"""^{constant}\b.*= "([a-z_]+)\"""", SOURCES, re.MULTILINE) if constant else None
        kinds.add(found[1] if found else name)
    return kinds


def test_every_alarm_has_words_and_says_what_to_do():
    assert {"late_approval", "posting_failed", "clone", "quarantined"} <= raised_kinds()
    assert raised_kinds() - set(ALARMS) == set()
    assert [kind for kind in ALARMS if f'"{kind}"' not in SOURCES] == [], "words for an alarm nobody raises"
    for text in ALARMS.values():
        for fa, en in ((text.fa, text.en), (text.do_fa, text.do_en)):
            assert re.search("[آ-ی]", fa)
            assert not re.search("[A-Za-z]", fa)
            assert not re.search("[آ-ی]", en)


def test_an_alarm_of_another_release_is_named_as_it_is():
    what, do = alarm_text("moon_fell", "fa")
    assert "moon_fell" in what
    assert "پشتیبانی" in do
