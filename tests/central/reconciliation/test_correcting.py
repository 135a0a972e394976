"""A corrected settlement file: nothing counts twice, ledger and cases follow, nothing is lost; on a real PostgreSQL."""

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

from central.fleet.keys import CentralKeys
from central.ledger.queries import payment, trial_balance
from central.reconciliation import queries
from central.reconciliation.acquirer_files.importing import import_settlement
from central.reconciliation.acquirer_files.neutral_csv import COLUMNS
from central.reconciliation.cases import assign_case, open_break
from central.reconciliation.closing import propose_closing
from central.reconciliation.correcting import Correction, correct_settlement
from central.store.books import money_case
from shared.errors import OperatorError
from tests.central.reconciliation.test_answering import answer, complete, doubtful, keys, told
from tests.central.reconciliation.test_running import CLOCK, OFFICE, approved, line, post, run_all

pytestmark = pytest.mark.postgres
__all__ = ["keys"]

A, B, C = "100000000001", "100000000002", "100000000003"


def data_of(*lines: str) -> bytes:
    return "\n".join([",".join(COLUMNS), *lines, ""]).encode()


def send(engine: Engine, *lines: str, adds: bool = False) -> queries.FileView:
    return import_settlement(
        engine, name="second.csv", data=data_of(*lines), imported_by="mina", clock=CLOCK, adds=adds
    )


def correct(engine: Engine, old: str, *lines: str, reason: str = "نسخهٔ دوم پذیرنده") -> Correction:
    return correct_settlement(
        engine, corrects=old, reason=reason, name="second.csv", data=data_of(*lines), by="mina", clock=CLOCK
    )


def code_of(attempt: object) -> tuple[str, dict[str, object]]:
    with pytest.raises(OperatorError) as caught:
        attempt()  # type: ignore[operator]
    return caught.value.code, caught.value.data


def settled(engine: Engine) -> int:
    with engine.connect() as connection:
        trial = trial_balance(connection)
    assert trial.debits_rial == trial.credits_rial
    return sum(account.balance_rial for account in trial.accounts if account.code == "settled")


def cases(engine: Engine) -> dict[str, tuple[str, str | None, str | None]]:
    """State, end and hands of every case, by kind."""
    table = money_case.c
    with engine.connect() as connection:
        rows = connection.execute(
            select(table.kind, table.state, table.outcome, table.assigned_to).order_by(table.ordinal)
        )
        return {kind: (state, outcome, hands) for kind, state, outcome, hands in rows}


# --- a second file is never simply beside the first ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "shared"),
    [
        ((line(A, 41_000), line(B, 20_000)), 2),
        ((line(C, 41_000),), 0),  # the same acquirer, day and cycle
        ((line(A, 41_000), line(C, 1_000, financial_date="2026-11-30")), 1),
    ],
)
def test_a_file_that_may_correct_another_is_refused_until_a_person_says_which(
    engine: Engine, second: tuple[str, ...], shared: int
) -> None:
    first = send(engine, line(A, 40_000), line(B, 20_000))
    code, data = code_of(lambda: send(engine, *second))
    assert (code, data["file_id"], data["shared"]) == ("settlement.overlaps", first.file_id, shared)
    send(engine, *second, adds=True)
    with engine.connect() as connection:
        assert len(queries.files(connection)) == 2


@pytest.mark.parametrize(
    "second",
    [
        line(C, 40_000, cycle="2"),
        line(C, 40_000, psp="other"),
        line(C, 40_000, financial_date="2026-11-24"),
        line(A, 40_000, psp="other"),
        line(A, 40_000, type="REVERSAL", cycle="2"),
    ],
)
def test_a_file_of_another_cycle_day_or_acquirer_is_simply_taken(engine: Engine, second: str) -> None:
    send(engine, line(A, 40_000))
    send(engine, second)


# --- what a correction does ------------------------------------------------------------------------------------------


def test_a_corrected_file_counts_instead_of_the_one_it_corrects(engine: Engine) -> None:
    post(engine, *approved("a", A, 40_000), *approved("b", B, 20_000), *approved("c", C, 7_000))
    first = send(engine, line(A, 40_000), line(B, 20_000), line("9", 5_000))
    run_all(engine)
    assert settled(engine) == 60_000
    done = correct(engine, first.file_id, line(A, 40_000), line(C, 7_000))
    assert (done.withdrawn_count, settled(engine)) == (2, 47_000)
    with engine.connect() as connection:
        view = queries.run(connection, done.run_id)
        a, b, c = (payment(connection, OFFICE, name) for name in "abc")
    assert view is not None
    assert (view.run.line_count, view.run.acquirer_rial) == (2, 47_000), "the old rows count for nothing"
    assert a
    assert b
    assert c
    assert (a.settled_file, b.settled_file, c.settled_file) == (done.file.file_id, None, done.file.file_id)
    assert cases(engine) == {"missing_at_acquirer": ("open", None, None)}, "what was settled and is not any more"
    later = run_all(engine)
    assert (later.run.settled_count, settled(engine)) == (0, 47_000)
    assert later.run.line_count == 0, "nothing of either file is open"


def test_rows_of_a_corrected_file_are_kept_and_the_correction_cannot_be_unmade(engine: Engine) -> None:
    first = send(engine, line(A, 40_000))
    correct(engine, first.file_id, line(A, 41_000))
    with engine.connect() as connection:
        assert [row.amount_rial for row in queries.file_lines(connection, first.file_id)] == [40_000]
    with pytest.raises(DBAPIError, match="never changed or deleted"), engine.begin() as connection:
        connection.execute(text("DELETE FROM settlement_correction"))


def test_a_wrong_correction_is_corrected_by_the_first_file_again(engine: Engine) -> None:
    post(engine, *approved("a", A, 40_000))
    first = send(engine, line(A, 40_000))
    run_all(engine)
    wrong = correct(engine, first.file_id, line(A, 99_000))
    assert settled(engine) == 0
    assert code_of(lambda: send(engine, line(A, 40_000)))[0] == "settlement.overlaps"
    back = correct(engine, wrong.file.file_id, line(A, 40_000))
    assert (back.file.sha256, settled(engine)) == (first.sha256, 40_000)
    assert back.file.file_id == f"{first.file_id}-2"
    assert code_of(lambda: send(engine, line(A, 40_000)))[0] == "settlement.same_file"


@pytest.mark.parametrize(
    ("row", "reason", "code"),
    [
        (line(A, 41_000), "  ", "settlement.no_reason"),
        (line(A, 41_000, psp="other"), "x", "settlement.other_acquirer"),
        (line(A, 40_000), "x", "settlement.same_file"),
    ],
)
def test_what_is_no_correction_changes_nothing(engine: Engine, row: str, reason: str, code: str) -> None:
    first = send(engine, line(A, 40_000))
    assert code_of(lambda: correct(engine, first.file_id, row, reason=reason))[0] == code
    assert code_of(lambda: correct(engine, "sf-none", line(A, 41_000)))[0] == "settlement.not_in_force"
    with engine.connect() as connection:
        assert len(queries.files(connection)) == 1
    correct(engine, first.file_id, line(A, 41_000))
    assert code_of(lambda: correct(engine, first.file_id, line(A, 42_000)))[0] == "settlement.not_in_force"


# --- cases and answers ------------------------------------------------------------------------------------------------


def broken(engine: Engine) -> tuple[str, str]:
    """A break of two amounts with its case; return file and case."""
    post(engine, *approved("a", A, 40_000))
    first = send(engine, line(A, 41_000))
    run = run_all(engine)
    case = open_break(engine, run.run.run_id, 1, by="mina", clock=CLOCK)
    return first.file_id, case


def test_the_case_of_a_difference_that_is_gone_ends(engine: Engine) -> None:
    file_id, _ = broken(engine)
    done = correct(engine, file_id, line(A, 40_000))
    assert (done.ended_count, done.opened_count) == (1, 0)
    assert cases(engine) == {"amount_differs": ("closed", "corrected", None)}
    assert settled(engine) == 40_000


def test_the_case_of_a_difference_that_stays_goes_on_in_the_same_hands(engine: Engine) -> None:
    file_id, case = broken(engine)
    assign_case(engine, case, to="sara", by="mina", clock=CLOCK)
    done = correct(engine, file_id, line(A, 42_000))
    assert (done.ended_count, done.opened_count) == (0, 1)
    with engine.connect() as connection:
        new, old = queries.cases(connection)
    assert (old.case_id, old.state, new.state, new.assigned_to) == (case, "closed", "assigned", "sara")
    assert (new.amount_rial, new.facts["earlier_case"]) == (2_000, case)


def test_a_closed_case_whose_difference_comes_again_goes_on_as_an_open_one(engine: Engine) -> None:
    file_id, case = broken(engine)
    propose_closing(engine, case, outcome="explained", reason="x", by="mina", clock=CLOCK)
    correct(engine, file_id, line(A, 42_000))
    with engine.connect() as connection:
        new, old = queries.cases(connection)
    assert (old.state, old.outcome, new.state) == ("closed", "explained", "open")


def test_a_case_of_a_missing_row_ends_when_the_corrected_file_has_it(engine: Engine) -> None:
    post(engine, *approved("a", A, 40_000))
    first = send(engine, line(B, 20_000))
    run = run_all(engine)
    with engine.connect() as connection:
        rows = queries.decisions(connection, run.run.run_id, bucket="missing_at_acquirer")
    open_break(engine, run.run.run_id, rows[0].number, by="mina", clock=CLOCK)
    correct(engine, first.file_id, line(A, 40_000), line(B, 20_000))
    assert cases(engine) == {"missing_at_acquirer": ("closed", "corrected", None)}


def test_a_row_that_a_correction_takes_away_again_opens_the_case_of_before_it_came(engine: Engine) -> None:
    post(engine, *approved("a", A, 40_000))
    send(engine, line(B, 20_000))
    run = run_all(engine)
    with engine.connect() as connection:
        rows = queries.decisions(connection, run.run.run_id, bucket="missing_at_acquirer")
    case = open_break(engine, run.run.run_id, rows[0].number, by="mina", clock=CLOCK)
    propose_closing(engine, case, outcome="explained", reason="it is to come", by="mina", clock=CLOCK)
    second = send(engine, line(A, 40_000), adds=True)
    run_all(engine)
    assert settled(engine) == 40_000
    assert correct(engine, second.file_id, line(C, 5_000)).opened_count == 1
    assert cases(engine) == {"missing_at_acquirer": ("open", None, None)}


def test_a_payment_that_loses_one_of_its_shares_in_a_correction_gets_its_case(engine: Engine) -> None:
    post(engine, *approved("a", A, 40_000))
    send(engine, line("100000000087", 30_000, share_of=A))
    second = send(engine, line("100000000088", 10_000, share_of=A), adds=True)
    run_all(engine)
    assert settled(engine) == 40_000
    assert correct(engine, second.file_id, line(C, 5_000)).opened_count == 1
    assert cases(engine) == {"amount_differs": ("open", None, None)}


def test_an_answer_that_loses_its_row_in_a_later_correction_becomes_a_case(engine: Engine, keys: CentralKeys) -> None:
    post(engine, *doubtful("doubt", 40_000, rrn=A))
    first = send(engine, line(A, 40_000), line(B, 1_000))
    assert answer(engine, keys) == 1
    assert correct(engine, first.file_id, line(A, 40_000), line(B, 2_000)).contradicted_count == 0
    with engine.connect() as connection:
        newest = queries.files(connection)[0].file_id
    assert correct(engine, newest, line(B, 2_000)).contradicted_count == 1


def test_an_answer_told_by_the_very_row_that_is_gone_becomes_a_case(engine: Engine, keys: CentralKeys) -> None:
    post(engine, *doubtful("doubt", 40_000, rrn=A))
    first = send(engine, line(A, 40_000), line(B, 1_000))
    answer(engine, keys)
    assert correct(engine, first.file_id, line(B, 1_000)).contradicted_count == 1
    with engine.connect() as connection:
        (case,) = queries.cases(connection, kind="answer_contradicted")
    assert (case.payment_id, case.amount_rial, case.facts["charged"]) == ("doubt", 40_000, True)
    assert answer(engine, keys) == 0


def test_not_charged_that_a_corrected_file_contradicts_becomes_a_case_and_is_told(
    engine: Engine, keys: CentralKeys
) -> None:
    post(engine, *doubtful("doubt", 40_000, rrn=A))
    complete(engine)
    assert answer(engine, keys) == 1
    with engine.connect() as connection:
        newest = queries.files(connection)[-1].file_id
    row = line("200000000001", 99_000, local_date="2026-11-22", financial_date="2026-11-22")
    assert correct(engine, newest, row, line(A, 40_000, financial_date="2026-11-22")).contradicted_count == 1
    assert answer(engine, keys) == 1
    assert [body.charged for body in told(engine)] == [False, True]


# --- money that an acquirer took back ---------------------------------------------------------------------------------


def test_what_a_later_row_takes_back_is_not_settled_any_more_and_is_again_without_that_row(engine: Engine) -> None:
    post(engine, *approved("a", A, 40_000), *approved("b", B, 20_000))
    send(engine, line(A, 40_000), line(B, 20_000))
    run_all(engine)
    assert settled(engine) == 60_000
    back = send(engine, line("9", 40_000, type="REVERSAL", original_rrn=A, cycle="2"), line(C, 1_000, cycle="2"))
    run_all(engine)
    assert settled(engine) == 20_000
    run_all(engine)
    assert settled(engine) == 20_000, "once"
    correct(engine, back.file_id, line(C, 1_000, cycle="2"))
    assert settled(engine) == 60_000
    with engine.connect() as connection:
        a = payment(connection, OFFICE, "a")
    assert a is not None
    assert a.settled_file is not None
