"""What a settlement file says of a payment in doubt, from a real PostgreSQL to the office's feed."""

import functools
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, insert, select

from central.fleet import feed
from central.fleet.keys import CentralKeys, open_keys
from central.reconciliation.answering import answer_doubts
from central.reconciliation.evidence import is_complete
from central.reconciliation.statements import answers
from central.store.answers import acquirer_answer
from central.store.fleet import box, office
from central.store.journals import journal
from shared.entropy import SystemEntropy
from shared.events import (
    FEED_BODIES,
    AcquirerAnswered,
    Body,
    Evidence,
    PaymentApproved,
    PaymentInDoubt,
    PaymentSent,
    ReversalRequested,
    decode_body,
)
from shared.ids import OfficeId, office_feed
from shared.journal.entry import decode_entry
from tests.central.reconciliation.test_running import (
    CLOCK,
    OFFICE,
    TERMINAL,
    approved,
    line,
    post,
    run_all,
    sent,
    upload,
)

pytestmark = pytest.mark.postgres

DAY, NEXT, LATER = "2026-11-22", "2026-11-23", "2026-11-24"


@pytest.fixture
def keys(tmp_path: Path) -> CentralKeys:
    return open_keys(tmp_path / "keys", SystemEntropy())


def answer(engine: Engine, keys: CentralKeys) -> int:
    append_feed = functools.partial(feed.append, clock=CLOCK, signer=keys.feed)
    return answer_doubts(engine, append_feed, clock=CLOCK)


def told(engine: Engine) -> list[AcquirerAnswered]:
    with engine.connect() as connection:
        signed = feed.read(connection, office_feed(OfficeId(OFFICE)), 0, 100)
    entries = [decode_entry(each.data) for each in signed]
    bodies = [decode_body(entry.type, bytes(entry.body), FEED_BODIES) for entry in entries]
    return [body for body in bodies if isinstance(body, AcquirerAnswered)]


def doubtful(payment_id: str, amount_rial: int, **known: str) -> tuple[Body, ...]:
    """A payment in doubt of which the terminal told nothing, or its numbers without a clear code."""
    evidence = Evidence(source="answer", response_code="FF", terminal_number=TERMINAL, **known) if known else None  # type: ignore[arg-type]
    reason = "unclear_code" if known else "no_answer"
    return (*sent(payment_id, amount_rial), PaymentInDoubt(payment_id=payment_id, reason=reason, evidence=evidence))


def complete(engine: Engine, *, without: str = "") -> None:
    """The acquirer's files of the day, the next and one later, each with a row of the terminal."""
    for number, day in enumerate((DAY, NEXT, LATER), 1):
        if day != without:
            upload(engine, line(f"20000000000{number}", 99_000, local_date=day, financial_date=day), name=f"{day}.csv")


@pytest.mark.parametrize("known", [{"rrn": "100000000040"}, {"stan": "000040"}])
def test_a_line_that_names_the_payment_is_told_as_charged_once(
    engine: Engine, keys: CentralKeys, known: dict[str, str]
) -> None:
    post(engine, *doubtful("doubt", 40_000, **known), *approved("good", "100000000001", 40_000))
    assert answer(engine, keys) == 0
    # An acquirer may write its numbers without their leading zeros: the box is told them as it knows them.
    file = upload(
        engine, line("100000000001", 40_000), line("100000000040", 40_000, stan="40", terminal_id="0" + TERMINAL)
    )
    assert answer(engine, keys) == 1
    assert answer(engine, keys) == 0
    (body,) = told(engine)
    assert (body.payment_id, body.charged, body.source, body.acquirer) == ("doubt", True, "settlement", "behpardakht")
    assert (body.rrn, body.stan, body.amount_rial) == ("100000000040", known.get("stan", "40"), 40_000)
    assert (body.file_sha256, body.row, body.terminal_number) == (file.sha256.hex(), 3, TERMINAL)
    with engine.connect() as connection:
        (kept,) = answers(connection, OFFICE, "doubt")
    assert (kept.rule, kept.file_id, kept.line_number) == ("rrn" if "rrn" in known else "stan", file.file_id, 3)


def test_a_line_that_was_in_before_the_doubt_is_found_when_the_doubt_comes(engine: Engine, keys: CentralKeys) -> None:
    upload(engine, line("100000000040", 40_000))
    post(engine, *doubtful("doubt", 40_000, rrn="100000000040"))
    assert answer(engine, keys) == 1


@pytest.mark.parametrize(
    "rows",
    [
        [line("100000000099", 40_000)],  # only could be it: the same terminal, amount and day
        [line("100000000040", 41_000)],  # its number, with another amount
        [line("100000000040", 40_000, status="FAILED")],
        [line("100000000040", 40_000), line("7", 40_000, type="REVERSAL", original_rrn="100000000040")],
        [line("100000000040", 40_000, terminal_id="55")],
    ],
)
def test_what_does_not_prove_a_charge_is_left_to_a_person(engine: Engine, keys: CentralKeys, rows: list[str]) -> None:
    post(engine, *doubtful("doubt", 40_000, **({} if "0099" in rows[0] else {"rrn": "100000000040"})))
    upload(engine, *rows)
    complete(engine)
    answer(engine, keys)
    assert [body for body in told(engine) if body.charged] == []
    if "55" not in rows[0]:
        assert told(engine) == [], "a line that names it, or could be it, is no proof of the contrary either"


def test_a_complete_settlement_without_it_is_told_as_not_charged(engine: Engine, keys: CentralKeys) -> None:
    post(engine, *doubtful("doubt", 40_000), *approved("other", "100000000001", 40_000))
    upload(engine, line("100000000001", 40_000))
    complete(engine, without=LATER)
    assert answer(engine, keys) == 0, "the files do not reach far enough past the day"
    upload(engine, line("200000000003", 99_000, local_date=LATER, financial_date=LATER), name="later.csv")
    assert answer(engine, keys) == 1
    assert answer(engine, keys) == 0
    (body,) = told(engine)
    assert (body.payment_id, body.charged, body.acquirer, body.file_sha256) == ("doubt", False, "behpardakht", None)


def test_files_that_list_no_bill_that_a_terminal_paid_prove_nothing_of_one(engine: Engine, keys: CentralKeys) -> None:
    def by_its_ids(facts: Sequence[Body]) -> list[Body]:
        return [
            msgspec.structs.replace(each, pays_bill=True) if isinstance(each, PaymentSent) else each for each in facts
        ]

    post(engine, *by_its_ids(doubtful("doubt", 40_000)), *approved("plain", "100000000001", 30_000))
    upload(engine, line("100000000001", 30_000))
    complete(engine)
    assert answer(engine, keys) == 0, (
        "its money goes to the biller: it may stand in no file though the card was charged"
    )
    # Once the files name such a payment of the terminal, one that they do not name was none.
    post(engine, *by_its_ids(approved("bill", "100000000002", 20_000)))
    upload(engine, line("100000000002", 20_000), name="bills.csv")
    run_all(engine)
    assert answer(engine, keys) == 1
    assert [(body.payment_id, body.charged) for body in told(engine)] == [("doubt", False)]


def test_doubts_that_no_file_decides_keep_no_other_waiting(
    engine: Engine, keys: CentralKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("central.reconciliation.doubts.ASKED_MAX", 2)
    for number in range(5):
        post(engine, *doubtful(f"old-{number}", 1_000 + number))
    post(engine, *doubtful("new", 40_000, rrn="100000000040"))
    upload(engine, line("100000000040", 40_000))
    looks = [answer(engine, keys) for _ in range(4)]
    assert sum(looks) == 1
    assert [body.payment_id for body in told(engine)] == ["new"]
    # And the first of them have their turn again.
    complete(engine)
    assert sum(answer(engine, keys) for _ in range(4)) == 5


def close_journal(engine: Engine) -> None:
    """Let the journal that the payments stand in have ended."""
    named = {"office_id": OFFICE, "journal_id": f"daftar.journal/{OFFICE}/box-1/1", "box_id": "1"}
    at, nothing = CLOCK.now(), bytes(32)
    keys = {"public_key": nothing, "root": nothing, "token": nothing, "first_token": nothing}
    sizes = {"size": 0, "cosigned_size": 0, "cosigned_at_s": 0, "cosigned_note": ""}
    with engine.begin() as connection:
        connection.execute(insert(office).values(office_id=OFFICE, name="x", added_at=at))
        connection.execute(
            insert(box).values(office_id=OFFICE, box_id="1", public_key=nothing, software="", enrolled_at=at)
        )
        connection.execute(insert(journal).values(**named, **keys, **sizes, opened_at=at, closed_at=at))


def test_what_a_box_that_is_gone_had_sent_is_in_doubt(engine: Engine, keys: CentralKeys) -> None:
    undone = (
        *approved("undone", "100000000009", 30_000),
        ReversalRequested(payment_id="undone", refund_id="r", means="reversal"),
    )
    post(engine, *sent("left", 40_000), *undone)
    upload(engine, line("100000000009", 30_000), line("9", 30_000, type="REVERSAL", original_rrn="100000000009"))
    complete(engine)
    assert answer(engine, keys) == 0, "its box may still tell"
    close_journal(engine)
    assert answer(engine, keys) == 2
    assert answer(engine, keys) == 0
    assert {(body.payment_id, body.about, body.charged) for body in told(engine)} == {
        ("left", "sale", False),
        ("undone", "reversal", False),
    }


def test_a_charge_is_told_after_its_contrary_and_nothing_after_a_charge(engine: Engine, keys: CentralKeys) -> None:
    post(engine, *doubtful("doubt", 40_000, rrn="100000000040"))
    complete(engine)
    assert answer(engine, keys) == 1
    upload(engine, line("100000000040", 40_000), name="corrected.csv")
    assert answer(engine, keys) == 1
    assert answer(engine, keys) == 0
    assert [body.charged for body in told(engine)] == [False, True]


def test_what_is_not_in_doubt_any_more_is_not_told(engine: Engine, keys: CentralKeys) -> None:
    evidence = Evidence(source="status_query", response_code="00", rrn="100000000040", terminal_number=TERMINAL)
    post(engine, *doubtful("doubt", 40_000), PaymentApproved(payment_id="doubt", evidence=evidence))
    upload(engine, line("100000000040", 40_000))
    complete(engine)
    assert (answer(engine, keys), told(engine)) == (0, [])


@pytest.mark.parametrize("doubt_about", ["clock", "next file", "own file", "two acquirers"])
def test_without_all_of_its_conditions_not_charged_is_not_told(
    engine: Engine, keys: CentralKeys, doubt_about: str
) -> None:
    post(engine, *doubtful("doubt", 40_000), clock="floor" if doubt_about == "clock" else "ntp")
    complete(engine, without={"next file": NEXT, "own file": DAY}.get(doubt_about, ""))
    if doubt_about == "two acquirers":
        upload(engine, line("300000000001", 1_000, psp="other"), name="other.csv")
    assert (answer(engine, keys), told(engine)) == (0, [])


def test_an_answer_that_cannot_be_put_on_the_feed_is_not_taken_for_told(engine: Engine, keys: CentralKeys) -> None:
    post(engine, *doubtful("doubt", 40_000, rrn="100000000040"))
    upload(engine, line("100000000040", 40_000))

    def broken(*_: object) -> int:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        answer_doubts(engine, broken, clock=CLOCK)
    with engine.connect() as connection:
        assert connection.execute(select(acquirer_answer)).all() == []
    assert answer(engine, keys) == 1


@pytest.mark.parametrize(
    ("days", "whole"),
    [((22, 23, 24), True), ((22, 23), False), ((22, 24), False), ((23, 24), False), ((22, 23, 30), True)],
)
def test_a_settlement_is_complete_with_its_day_the_next_and_one_past(days: tuple[int, ...], *, whole: bool) -> None:
    dates = {date(2026, 11, day) for day in days}
    assert is_complete(dates, day=date(2026, 11, 22), reach=date(2026, 11, 24)) is whole
