"""Files imported, payments posted, a run made: what finance reads of it, from a real PostgreSQL."""

import itertools
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, event, update
from sqlalchemy.exc import ProgrammingError

from central.ingest.accepted import Accepted
from central.ledger.queries import PaymentFilter, payment, payments, trial_balance
from central.ledger.receive import post_entries
from central.reconciliation import queries
from central.reconciliation.acquirer_files.importing import import_settlement
from central.reconciliation.acquirer_files.neutral_csv import COLUMNS
from central.reconciliation.cases import assign_case, note_case, open_break
from central.reconciliation.running import reconcile
from central.reconciliation.selecting import Scope
from central.store.books import office_payment
from central.store.settlements import recon_run
from shared.clock import ClockQuality
from shared.errors import IntegrityError, OperatorError
from shared.events import (
    Body,
    Evidence,
    PaymentApproved,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentRequested,
    PaymentReversed,
    PaymentSent,
    ReversalRequested,
    Split,
)
from shared.journal.entry import Entry, encode_body, encode_entry, leaf_hash

pytestmark = pytest.mark.postgres

AT = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
OFFICE = "72101001"
TERMINAL = "11223344"


class StillClock:
    def now(self) -> datetime:
        return AT

    def monotonic_ms(self) -> int:
        return 0

    def quality(self) -> ClockQuality:
        return "ntp"


CLOCK = StillClock()
_indexes = itertools.count()


def post(
    engine: Engine, *bodies: Body, office: str = OFFICE, clock: ClockQuality = "ntp", received_at: datetime = AT
) -> None:
    accepted = []
    for body in bodies:
        index = next(_indexes)
        entry = Entry(
            v=1,
            journal=f"daftar.journal/{office}/box-1/1",
            index=index,
            prev="0" * 64,
            boot="b",
            at="2026-11-22T10:00:00.000Z",
            monotonic_ms=index,
            clock=clock,
            type=body.type,
            body=encode_body(body),
        )
        accepted.append(
            Accepted(
                office=office,
                journal=entry.journal,
                index=index,
                leaf=leaf_hash(encode_entry(entry)),
                entry=entry,
                body=body,
                received_at=received_at,
            )
        )
    with engine.begin() as connection:
        post_entries(connection, object(), accepted)


def sent(payment_id: str, amount_rial: int) -> tuple[Body, ...]:
    return (
        PaymentRequested(
            payment_id=payment_id,
            obligation=f"bill:{payment_id}",
            purpose="bill",
            amount_rial=amount_rial,
            split=Split(gross_rial=amount_rial, company_rial=amount_rial),
            method="pcpos",
            terminal="counter-1",
            reference="1",
            operator="op",
            bill_id="7748317800142",
            bill_payment_id=None,
        ),
        PaymentSent(payment_id=payment_id, terminal_number=TERMINAL),
    )


def approved(payment_id: str, rrn: str, amount_rial: int) -> tuple[Body, ...]:
    evidence = Evidence(
        source="answer", response_code="00", amount_rial=amount_rial, stan=rrn[-6:], rrn=rrn, terminal_number=TERMINAL
    )
    return (*sent(payment_id, amount_rial), PaymentApproved(payment_id=payment_id, evidence=evidence))


def line(rrn: str, amount_rial: int, **cells: str) -> str:
    whole = {
        "psp": "behpardakht",
        "rrn": rrn,
        "stan": rrn[-6:],
        "terminal_id": TERMINAL,
        "amount": str(amount_rial),
        "currency": "IRR",
        "local_date": "2026-11-22",
        "financial_date": "2026-11-23",
        "type": "BILL",
        "status": "SUCCESS",
        **cells,
    }
    return ",".join(whole.get(name, "") for name in COLUMNS)


def upload(engine: Engine, *lines: str, name: str = "day.csv") -> queries.FileView:
    data = "\n".join([",".join(COLUMNS), *lines, ""]).encode()
    return import_settlement(engine, name=name, data=data, imported_by="mina", clock=CLOCK, adds=True)


def run_all(engine: Engine, scope: Scope | None = None) -> queries.RunView:
    return reconcile(engine, scope or Scope(), started_by="mina", clock=CLOCK)


def counts(run: queries.RunView) -> dict[str, int]:
    return {bucket.bucket: bucket.decision_count for bucket in run.buckets if bucket.decision_count}


def day_of_everything(engine: Engine) -> queries.FileView:
    """One payment for each thing that can happen, and the file that tells it."""
    post(engine, *approved("good", "100000000001", 17_000), *approved("less", "100000000002", 20_000))
    post(engine, *approved("lost", "100000000003", 30_000))
    post(engine, *sent("doubt", 40_000), PaymentInDoubt(payment_id="doubt", reason="no_answer"))
    declined = Evidence(source="answer", response_code="51", stan="000009", terminal_number=TERMINAL)
    post(engine, *sent("no", 50_000), PaymentDeclined(payment_id="no", evidence=declined))
    return upload(
        engine,
        line("100000000001", 17_000),
        line("100000000002", 2_000),
        line("100000000077", 77_000),
        line("100000000040", 40_000),
    )


def test_a_day_with_every_difference(engine: Engine) -> None:
    file = day_of_everything(engine)
    assert (file.line_count, file.total_rial, file.name, file.imported_by) == (4, 136_000, "day.csv", "mina")
    run = run_all(engine)
    assert counts(run) == {
        "matched": 1,
        "amount_differs": 1,
        "missing_at_acquirer": 1,
        "missing_at_office": 1,
        "in_doubt_settled": 1,
        "not_charged": 1,
    }
    assert (run.run.payment_count, run.run.line_count, run.run.break_count, run.run.settled_count) == (5, 4, 4, 1)
    assert (run.run.office_rial, run.run.acquirer_rial) == (107_000, 136_000)
    assert sum(bucket.difference_rial for bucket in run.buckets) == 136_000 - 107_000
    with engine.connect() as connection:
        by_bucket = {each.bucket: each for each in queries.decisions(connection, run.run.run_id)}
        assert by_bucket["amount_differs"].difference_rial == -18_000
        assert by_bucket["amount_differs"].payments[0].payment_id == "less"
        assert by_bucket["missing_at_office"].lines[0].rrn == "100000000077"
        assert by_bucket["in_doubt_settled"].rule == "doubt_window"
        assert by_bucket["matched"].rule == "rrn"
        breaks = queries.decisions(connection, run.run.run_id, only_breaks=True)
        assert len(breaks) == 4
        row = payment(connection, OFFICE, "good")
        assert row is not None
        assert (row.settled_file, row.settled_line) == (file.file_id, 2)
        trial = trial_balance(connection)
        balances = {account.code: account.balance_rial for account in trial.accounts if account.balance_rial}
        assert balances == {"settled": 17_000, f"receivable:{TERMINAL}": 50_000, "unconfirmed": 67_000}
        assert trial.debits_rial == trial.credits_rial
        assert [each.payment_id for each in payments(connection, PaymentFilter(settled=True))] == ["good"]
        board = queries.day_board(connection)
        assert (board.charged_rial, board.in_doubt_rial, board.settled_rial, board.unsettled_rial) == (
            67_000,
            40_000,
            17_000,
            50_000,
        )
        assert [office.office_id for office in board.offices] == [OFFICE]
        assert board.last_run == run
        (told,) = queries.payment_decisions(connection, OFFICE, "good")
        assert told.bucket == "matched"


def test_running_again_settles_nothing_twice_and_gives_the_same(engine: Engine) -> None:
    day_of_everything(engine)
    scope = Scope(financial_from=date(2026, 11, 23), financial_to=date(2026, 11, 23))
    first, second = run_all(engine, scope), run_all(engine, scope)
    assert counts(first) == counts(second)
    assert first.buckets == second.buckets
    assert first.run.result_sha256 == second.run.result_sha256
    assert (first.run.settled_count, second.run.settled_count) == (1, 0)
    with engine.connect() as connection:
        balances = {account.code: account.balance_rial for account in trial_balance(connection).accounts}
        assert balances["settled"] == 17_000


def test_what_is_settled_leaves_the_open_scope_until_a_row_repeats_it(engine: Engine) -> None:
    post(engine, *approved("good", "100000000001", 17_000))
    upload(engine, line("100000000001", 17_000))
    assert counts(run_all(engine)) == {"matched": 1}
    assert counts(run_all(engine)) == {}
    upload(engine, line("100000000001", 17_000, financial_date="2026-11-24"), name="again.csv")
    assert counts(run_all(engine)) == {"matched": 1, "duplicate": 1}


def test_a_payment_that_arrives_after_the_file_is_matched_then(engine: Engine) -> None:
    upload(engine, line("100000000001", 17_000))
    assert counts(run_all(engine)) == {"missing_at_office": 1}
    post(engine, *approved("good", "100000000001", 17_000))
    assert counts(run_all(engine)) == {"matched": 1}


def test_a_reversal_that_comes_days_later_finds_its_sale(engine: Engine) -> None:
    post(engine, *approved("good", "100000000001", 17_000))
    upload(engine, line("100000000001", 17_000))
    run_all(engine)
    upload(
        engine,
        line(
            "100000000500",
            17_000,
            type="REVERSAL",
            original_rrn="100000000001",
            local_date="2026-11-29",
            financial_date="2026-11-30",
        ),
        name="later.csv",
    )
    run = run_all(engine, Scope(financial_from=date(2026, 11, 30), financial_to=date(2026, 11, 30)))
    assert counts(run) == {"status_differs": 1}
    with engine.connect() as connection:
        (decision,) = queries.decisions(connection, run.run.run_id)
        assert [each.payment_id for each in decision.payments] == ["good"]
        assert sorted(each.type for each in decision.lines) == ["BILL", "REVERSAL"]


def test_a_later_claim_to_a_settled_row_is_a_duplicate_and_stops_no_run(engine: Engine) -> None:
    post(engine, *approved("b", "100000000001", 17_000))
    upload(engine, line("100000000001", 17_000))
    assert run_all(engine).run.settled_count == 1
    post(engine, *approved("a", "100000000001", 17_000), office="00000001")
    for scope in (None, Scope(financial_from=date(2026, 11, 23), financial_to=date(2026, 11, 23))):
        run = run_all(engine, scope)
        assert counts(run) == {"matched": 1, "duplicate": 1}
        assert run.run.settled_count == 0
        with engine.connect() as connection:
            first, second = queries.decisions(connection, run.run.run_id)
        assert [each.payment_id for each in first.payments] == ["b"]
        assert [each.payment_id for each in second.payments] == ["a"]


def test_a_row_that_settled_one_payment_settles_no_other(engine: Engine) -> None:
    post(engine, *approved("b", "100000000001", 17_000))
    upload(engine, line("100000000001", 17_000))
    run_all(engine)
    post(engine, *approved("a", "100000000001", 17_000))
    with engine.begin() as connection:
        # As if the first had been taken back since: the row is the second's by matching, and stays the first's in the
        # books until a person has decided.
        connection.execute(update(office_payment).where(office_payment.c.payment_id == "b").values(state="reversed"))
    run = run_all(engine)
    assert run.run.settled_count == 0
    with engine.connect() as connection:
        assert [each.payment_id for each in payments(connection, PaymentFilter(settled=True))] == ["b"]


@pytest.mark.parametrize("place", range(10))
def test_a_file_that_arrives_during_a_run_makes_nothing_missing(engine: Engine, place: int) -> None:
    post(engine, *approved("good", "100000000001", 17_000))
    upload(engine, line("100000000009", 9_000, local_date="2026-11-21", financial_date="2026-11-21"), name="old.csv")
    reads: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def another_uploads(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "settlement_" in statement or "office_payment" in statement:
            reads.append(statement)
            if len(reads) == place + 1:
                upload(engine, line("100000000001", 17_000), name="new.csv")

    try:
        assert "missing_at_acquirer" not in counts(run_all(engine))
    finally:
        event.remove(engine, "before_cursor_execute", another_uploads)


def test_sums_too_large_for_the_books_refuse_the_file(engine: Engine) -> None:
    lines = [line(f"{number:012}", 10**15) for number in range(1, 1_200)]
    with pytest.raises(OperatorError) as raised:
        upload(engine, *lines)
    assert (raised.value.code, raised.value.data["line"]) == ("settlement.sum_too_large", 1_002)


def test_the_same_file_twice_is_refused_with_when_and_by_whom(engine: Engine) -> None:
    upload(engine, line("100000000001", 17_000))
    with pytest.raises(OperatorError) as raised:
        upload(engine, line("100000000001", 17_000), name="other-name.csv")
    assert raised.value.code == "settlement.same_file"
    assert raised.value.data["imported_by"] == "mina"
    assert raised.value.data["imported_at"] == "1405/09/02 08:30:00"
    with engine.connect() as connection:
        assert len(queries.files(connection)) == 1


def test_a_bad_file_leaves_nothing_behind(engine: Engine) -> None:
    with pytest.raises(OperatorError):
        upload(engine, line("100000000001", 17_000), line("100000000002", 0))
    with engine.connect() as connection:
        assert queries.files(connection) == ()


def test_rows_of_a_file_are_read_in_pages(engine: Engine) -> None:
    file = upload(engine, *(line(f"{number:012}", 1_000) for number in range(1, 8)))
    with engine.connect() as connection:
        first = queries.file_lines(connection, file.file_id, limit=5)
        rest = queries.file_lines(connection, file.file_id, after=first[-1].line_number)
        assert [each.line_number for each in first + rest] == [2, 3, 4, 5, 6, 7, 8]
        assert queries.file(connection, file.file_id) == file


def test_a_break_becomes_one_case_however_often_it_is_found(engine: Engine) -> None:
    day_of_everything(engine)
    run_id = run_all(engine).run.run_id
    again = run_all(engine).run.run_id

    def numbers(of_run: int) -> dict[str, Any]:
        with engine.connect() as connection:
            return {each.bucket: each for each in queries.decisions(connection, of_run)}

    first = numbers(run_id)
    case_id = open_break(engine, run_id, first["amount_differs"].number, by="mina", clock=CLOCK)
    assert open_break(engine, again, numbers(again)["amount_differs"].number, by="ali", clock=CLOCK) == case_id
    assert numbers(again)["amount_differs"].case_id == case_id
    assign_case(engine, case_id, to="ali", by="mina", clock=CLOCK)
    note_case(engine, case_id, "از پذیرنده پرسیده شد", by="ali", clock=CLOCK)
    with engine.connect() as connection:
        view = queries.case(connection, case_id)
        assert view is not None
        assert (view.case.state, view.case.assigned_to, view.case.amount_rial) == ("assigned", "ali", 18_000)
        assert view.payment is not None
        assert view.payment.payment_id == "less"
        assert [note.text for note in view.notes] == ["→ ali", "از پذیرنده پرسیده شد"]
        assert [each.case_id for each in queries.cases(connection, state="assigned")] == [case_id]
        assert queries.day_board(connection).open_cases == {"amount_differs": 1}

    with pytest.raises(OperatorError) as raised:
        open_break(engine, run_id, first["matched"].number, by="mina", clock=CLOCK)
    assert raised.value.code == "case.not_a_break"
    with pytest.raises(OperatorError) as raised:
        open_break(engine, run_id, 999, by="mina", clock=CLOCK)
    assert raised.value.code == "recon.unknown_decision"
    with pytest.raises(OperatorError) as raised:
        note_case(engine, "case-nobody", "x", by="mina", clock=CLOCK)
    assert raised.value.code == "case.unknown"
    with pytest.raises(OperatorError) as raised:
        note_case(engine, case_id, "  ", by="mina", clock=CLOCK)
    assert raised.value.code == "case.empty_note"


def test_a_result_that_differs_over_the_same_inputs_is_refused(engine: Engine) -> None:
    post(engine, *approved("good", "100000000001", 17_000))
    scope = Scope(financial_from=date(2026, 11, 22), financial_to=date(2026, 11, 22))
    run_all(engine, scope)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE recon_run DISABLE TRIGGER recon_run_is_final")
        connection.execute(update(recon_run).values(result_sha256=b"\x00" * 32))
    with pytest.raises(IntegrityError) as raised:
        run_all(engine, scope)
    assert raised.value.code == "recon.not_repeatable"


def test_a_range_that_is_the_wrong_way_round_is_refused(engine: Engine) -> None:
    with pytest.raises(OperatorError) as raised:
        run_all(engine, Scope(financial_from=date(2026, 11, 23), financial_to=date(2026, 11, 22)))
    assert raised.value.code == "recon.bad_scope"


def test_settled_rows_cannot_be_changed(engine: Engine) -> None:
    upload(engine, line("100000000001", 17_000))
    with pytest.raises(ProgrammingError, match="never changed"), engine.begin() as connection:
        connection.exec_driver_sql("UPDATE settlement_line SET amount_rial = 1")


def test_a_bill_that_its_terminal_paid_is_settled_with_its_biller_and_not_with_us(engine: Engine) -> None:
    asked, told, said = approved("own", "100000000001", 20_000)
    post(engine, asked, msgspec.structs.replace(told, pays_bill=True), said)
    file = upload(engine, line("100000000001", 20_000))
    assert counts(run_all(engine)) == {"matched": 1}
    with engine.connect() as connection:
        assert {one.code: one.balance_rial for one in trial_balance(connection).accounts if one.balance_rial} == {}
        row = payment(connection, OFFICE, "own")
    assert row is not None
    assert row.settled_file == file.file_id
    # A row that takes it back leaves it as it was.
    upload(engine, line("100000000002", 20_000, type="REVERSAL", original_rrn="100000000001"), name="later.csv")
    run_all(engine)
    with engine.connect() as connection:
        standing = {one.code: one.balance_rial for one in trial_balance(connection).accounts if one.balance_rial}
    assert standing == {f"receivable:{TERMINAL}": 20_000, f"acquirer_pays:{TERMINAL}": 20_000}


def test_a_payment_is_due_in_the_files_of_its_own_terminals_acquirer(engine: Engine) -> None:
    post(engine, *approved("here", "100000000001", 20_000), *approved("late", "100000000002", 30_000))
    elsewhere = {"psp": "other", "terminal_id": "99"}
    upload(engine, line("500000000001", 1_000, **elsewhere), name="other.csv")
    # Whose the terminal is nobody knows yet: what is in no file is missing, whichever file that is.
    assert counts(run_all(engine)) == {"missing_at_acquirer": 2, "missing_at_office": 1}
    before = {"local_date": "2026-11-21", "financial_date": "2026-11-21"}
    upload(engine, line("100000000009", 5_000, **before), name="yesterday.csv")
    assert counts(run_all(engine)) == {"not_due": 2, "missing_at_office": 2}
    upload(engine, line("100000000001", 20_000), name="today.csv")
    assert counts(run_all(engine)) == {"matched": 1, "missing_at_acquirer": 1, "missing_at_office": 2}
    # Two acquirers name the terminal: whose it is nobody knows again, and the one that lags behind excuses nothing.
    post(engine, *approved("next", "100000000003", 4_000))
    upload(engine, line("600000000001", 6_000, psp="a-third", **before), name="third.csv")
    assert counts(run_all(engine))["missing_at_acquirer"] == 2


def test_what_an_acquirer_paid_and_the_office_gave_back_since_is_a_difference_until_the_row_goes_too(
    engine: Engine,
) -> None:
    post(engine, *approved("undone", "100000000001", 20_000))
    upload(engine, line("100000000001", 20_000))
    assert counts(run_all(engine)) == {"matched": 1}
    post(
        engine,
        ReversalRequested(payment_id="undone", refund_id="r", means="void"),
        PaymentReversed(payment_id="undone", evidence=Evidence(source="reversal", response_code="00")),
    )
    assert counts(run_all(engine)) == {"status_differs": 1}, "the customer may not have it"
    upload(engine, line("100000000002", 20_000, type="REVERSAL", original_rrn="100000000001"), name="later.csv")
    assert counts(run_all(engine)) == {"not_charged": 1}
