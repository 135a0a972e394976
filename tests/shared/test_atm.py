from typing import get_args

import pytest

from shared.atm import (
    TICKET_MOVES,
    Holding,
    TicketMove,
    TicketState,
    after_cash,
    counted,
    difference_of,
    difference_rial,
    differs,
    expected_rial,
    level_of,
    may_move,
    move_ticket,
    sum_rial,
)
from shared.atm_words import (
    ATM_STATES,
    FAULT_KINDS,
    FAULT_OUTCOMES,
    LEVELS,
    SOURCES,
    TICKET_ANSWERS,
    TICKET_STATES,
)
from shared.banks import bank_text, banks
from shared.errors import BugError
from shared.events import (
    AtmCashCounted,
    AtmCashLoaded,
    AtmCashReported,
    AtmCassette,
    AtmState,
    CassetteNotes,
    FaultKind,
    FaultOutcome,
    TicketAnswer,
)

NOTE, CHEQUE = 1_000_000, 500_000
CASSETTES = [
    AtmCassette(cassette=1, denomination_rial=NOTE, capacity=2_500),
    AtmCassette(cassette=2, denomination_rial=CHEQUE, capacity=2_500),
]
ABOUT = {"report_id": "a-1", "atm_id": "a-0", "operator": "sara"}


def lines(first: int, second: int) -> tuple[CassetteNotes, ...]:
    return (
        CassetteNotes(cassette=1, denomination_rial=NOTE, notes=first),
        CassetteNotes(cassette=2, denomination_rial=CHEQUE, notes=second),
    )


def test_what_should_be_there_follows_from_the_report_and_the_load_after_it():
    held = after_cash({}, AtmCashReported(**ABOUT, cassettes=lines(200, 300)))
    held = after_cash(held, AtmCashLoaded(**ABOUT, how="added", cassettes=lines(1_000, 0)))
    assert [(one.notes, one.source) for one in held.values()] == [(1_200, "loaded"), (300, "loaded")]
    found = counted(CASSETTES, {1: 1_198, 2: 300}, held)
    assert [difference_of(line) for line in found] == [-2, 0]
    assert sum_rial(found) == 1_198 * NOTE + 300 * CHEQUE
    assert (expected_rial(found), difference_rial(found)) == (1_200 * NOTE + 300 * CHEQUE, -2 * NOTE)
    held = after_cash(held, AtmCashCounted(**ABOUT, cassettes=tuple(found)))
    assert held[1] == Holding(denomination_rial=NOTE, notes=1_198, source="counted")


def test_a_full_load_needs_to_know_nothing_of_before_and_an_added_one_does():
    full = after_cash({}, AtmCashLoaded(**ABOUT, how="replaced", cassettes=lines(2_000, 2_000)))
    assert full[1].notes == 2_000
    assert after_cash({}, AtmCashLoaded(**ABOUT, how="added", cassettes=lines(2_000, 2_000))) == {}


def test_other_banknotes_in_a_cassette_leave_it_unknown_never_a_wrong_sum():
    held = {1: Holding(denomination_rial=CHEQUE, notes=100, source="counted")}
    assert 1 not in after_cash(held, AtmCashLoaded(**ABOUT, how="added", cassettes=lines(5, 5)))
    assert counted(CASSETTES, {1: 100, 2: 0}, held)[0].expected is None


def test_too_much_here_does_not_hide_what_is_missing_there():
    held = after_cash({}, AtmCashReported(**ABOUT, cassettes=lines(10, 10)))
    found = counted(CASSETTES, {1: 9, 2: 12}, held)
    assert difference_rial(found) == 0
    assert differs(found)


def test_without_a_figure_there_is_a_sum_and_no_difference():
    found = counted(CASSETTES, {1: 9, 2: 12}, {})
    assert (sum_rial(found), expected_rial(found), difference_rial(found)) == (9 * NOTE + 12 * CHEQUE, None, None)
    assert not differs(found)


@pytest.mark.parametrize(
    ("notes", "capacity", "level"),
    [(None, 100, "unknown"), (0, 100, "empty"), (24, 100, "low"), (25, 100, "good"), (1, 0, "good")],
)
def test_levels(notes, capacity, level):
    assert level_of(notes, capacity) == level


def test_a_ticket_is_open_until_the_office_closes_it_and_closed_for_good():
    assert set(TICKET_MOVES) == set(get_args(TicketState))
    for state, moves in TICKET_MOVES.items():
        for answer in get_args(TicketAnswer):
            assert moves[answer] == ("closed" if state == "closed" else answer)
        assert may_move(state, "closed") == (state != "closed")
    with pytest.raises(BugError, match="move_not_allowed"):
        move_ticket("closed", "noted")


def test_the_offices_word_after_the_banks_asks_the_bank_again():
    assert move_ticket("resolved", "noted") == "open"
    assert move_ticket("technician", "noted") == "technician"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (ATM_STATES, AtmState),
        (TICKET_STATES, TicketState),
        (FAULT_KINDS, FaultKind),
        (FAULT_OUTCOMES, FaultOutcome),
        (TICKET_ANSWERS, TicketAnswer),
    ],
)
def test_every_word_is_said_in_both_languages(table, words):
    assert set(table) == set(get_args(words))
    assert all(row.word("fa") and row.word("en") for row in table.values())
    assert set(LEVELS) == {"unknown", "empty", "low", "good"}
    assert set(SOURCES) == {"reported", "loaded", "counted"}
    assert set(get_args(TicketMove)) == {"noted", "closed", *get_args(TicketAnswer)}


def test_a_merged_bank_keeps_its_name_and_says_whose_it_is_now():
    assert bank_text("062", "fa") == "آینده (اکنون ملی)"
    assert bank_text("017", "en") == "Melli"
    assert bank_text("999", "fa") == "999"
    assert banks()["062"].merged_on == "1404/08/03"
    table = banks()
    assert all(bank.merged_into is None or bank.merged_into in table for bank in table.values())
    assert next(iter(reversed(table.values()))).merged_into is not None
