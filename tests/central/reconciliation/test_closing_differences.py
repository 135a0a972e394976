"""What the end of a difference books, and who may end what at once; on PostgreSQL."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from central.ledger.cases import NewCase, close_case, open_case
from central.ledger.paying_out import paid_back
from central.ledger.store import load_payment
from central.reconciliation import queries
from central.reconciliation.cases import open_break
from central.reconciliation.closing import agree_closing
from central.reconciliation.correcting import correct_settlement
from shared.errors import OperatorError
from tests.central.ledger.test_overtaken import balances, case_of, close, proposed
from tests.central.reconciliation.test_correcting import data_of
from tests.central.reconciliation.test_running import AT, CLOCK, OFFICE, TERMINAL, approved, line, post, run_all, upload

pytestmark = pytest.mark.postgres

RRN = "100000000003"
RECEIVABLE = f"receivable:{TERMINAL}"


def broken(engine: Engine, bucket: str) -> str:
    """Open the case of the one break in a bucket of a new run."""
    run_id = run_all(engine).run.run_id
    with engine.connect() as connection:
        (found,) = queries.decisions(connection, run_id, bucket=bucket)
    return open_break(engine, run_id, found.number, by="mina", clock=CLOCK)


def test_what_the_acquirer_did_settle_of_a_short_row_is_not_owed_any_more(engine: Engine) -> None:
    post(engine, *approved("short", RRN, 30_000))
    first = upload(engine, line(RRN, 27_000), name="first.csv")
    case_id = broken(engine, "amount_differs")
    close(engine, case_id, "loss")
    assert balances(engine) == {"settled": 27_000, "losses": 3_000, "unconfirmed": 30_000}
    close(engine, case_id, "reopened")
    assert balances(engine) == {RECEIVABLE: 30_000, "unconfirmed": 30_000}
    close(engine, case_id, "recovered")
    assert balances(engine) == {"settled": 30_000, "unconfirmed": 30_000}
    # The acquirer's corrected file settles all of it: nothing is settled twice.
    correct_settlement(
        engine, corrects=first.file_id, reason="x", name="b.csv", data=data_of(line(RRN, 30_000)), by="m", clock=CLOCK
    )
    assert balances(engine) == {"settled": 30_000, "unconfirmed": 30_000}


def test_of_what_an_acquirer_paid_and_took_back_in_part_only_that_part_is_lost(engine: Engine) -> None:
    post(engine, *approved("less", RRN, 30_000))
    upload(engine, line(RRN, 30_000), name="first.csv")
    run_all(engine)
    upload(engine, line("100000000088", 3_000, type="REFUND", original_rrn=RRN), name="second.csv")
    case_id = broken(engine, "amount_differs")
    close(engine, case_id, "loss")
    assert balances(engine) == {"settled": 27_000, "losses": 3_000, "unconfirmed": 30_000}


def test_what_an_acquirer_took_beyond_a_payment_is_given_back_out_of_that_and_not_out_of_its_bill(
    engine: Engine,
) -> None:
    post(engine, *approved("tenfold", RRN, 30_000))
    upload(engine, line(RRN, 300_000), name="toman.csv")
    case_id = broken(engine, "amount_differs")
    assert case_of(engine, case_id).case.amount_rial == 270_000
    close(engine, case_id, "refunded")
    assert balances(engine) == {"settled": 300_000, "paid_out": 270_000, "unconfirmed": 30_000}
    with engine.begin() as connection:
        payment = load_payment(connection, OFFICE, "tenfold")
        assert payment is not None
        assert paid_back(connection, payment) is None, "its bill is still to be confirmed"
    close(engine, case_id, "reopened")
    assert balances(engine) == {RECEIVABLE: 30_000, "unconfirmed": 30_000}


def test_what_an_acquirer_does_not_have_beyond_a_payment_any_more_the_customer_has_too_much(engine: Engine) -> None:
    post(engine, *approved("tenfold", RRN, 30_000))
    first = upload(engine, line(RRN, 300_000), name="toman.csv")
    case_id = broken(engine, "amount_differs")
    close(engine, case_id, "refunded")
    data = data_of(line(RRN, 30_000))
    correct_settlement(engine, corrects=first.file_id, reason="x", name="b.csv", data=data, by="m", clock=CLOCK)
    settled = {"settled": 30_000, "unconfirmed": 30_000}
    assert balances(engine) == {**settled, "paid_out": 270_000, "recoverable": 270_000}
    with engine.connect() as connection:
        (twice,) = queries.cases(connection, kind="had_twice")
    assert (twice.state, twice.amount_rial, twice.payment_id) == ("open", 270_000, "tenfold")
    close(engine, twice.case_id, "loss")
    assert balances(engine) == {**settled, "paid_out": 270_000, "losses": 270_000}
    # The customer was never paid, it turns out.
    close(engine, case_id, "reopened")
    assert balances(engine) == settled
    assert case_of(engine, twice.case_id).case.state == "closed"
    with engine.begin() as connection:
        close_case(connection, case_id, outcome="by_central", by="central", at=AT)
    close(engine, case_id, "reopened")
    assert balances(engine) == settled, "taken back once"


def test_of_a_difference_that_is_gone_nothing_is_lost(engine: Engine) -> None:
    post(engine, *approved("shares", RRN, 30_000))
    upload(engine, line("100000000087", 27_000, share_of=RRN), name="first.csv")
    case_id = broken(engine, "amount_differs")
    upload(engine, line("100000000088", 3_000, share_of=RRN), name="second.csv")
    run_all(engine)
    settled = {"settled": 30_000, "unconfirmed": 30_000}
    assert balances(engine) == settled
    with pytest.raises(OperatorError, match=r"case\.difference_gone"):
        close(engine, case_id, "loss")
    assert balances(engine) == settled


def test_what_a_later_row_takes_back_of_what_a_customer_was_paid_is_recoverable(engine: Engine) -> None:
    post(engine, *approved("more", RRN, 30_000))
    upload(engine, line(RRN, 33_000), name="first.csv")
    case_id = broken(engine, "amount_differs")
    close(engine, case_id, "refunded")
    upload(engine, line("100000000088", 3_000, type="REFUND", original_rrn=RRN), name="second.csv")
    run_all(engine)
    assert case_of(engine, case_id).case.state == "open"
    with pytest.raises(OperatorError, match=r"case\.difference_gone"):
        close(engine, case_id, "refunded")
    paid = {"paid_out": 3_000, "recoverable": 3_000}
    assert balances(engine) == {"settled": 30_000, "unconfirmed": 30_000, **paid}


def test_a_case_that_is_open_again_pays_nobody_a_second_time(engine: Engine) -> None:
    post(engine, *approved("part", RRN, 30_000))
    part = NewCase(kind="tariff_differs", about="part", amount_rial=3_000, office_id=OFFICE, payment_id="part")
    with engine.begin() as connection:
        open_case(connection, part, at=AT)
    close(engine, part.case_id, "refunded")
    with engine.begin() as connection:
        open_case(connection, part, at=AT, again=True)
    with pytest.raises(OperatorError, match=r"case\.booked_already"):
        close(engine, part.case_id, "refunded")
    assert balances(engine) == {RECEIVABLE: 30_000, "unconfirmed": 27_000, "paid_out": 3_000}


def test_a_payment_that_claims_anothers_row_is_paid_back_by_the_rules_for_its_own_money(engine: Engine) -> None:
    post(engine, *approved("first", RRN, 30_000), *approved("second", RRN, 30_000))
    upload(engine, line(RRN, 30_000), name="first.csv")
    case_id = broken(engine, "duplicate")
    asked = {"at": CLOCK.now()}
    with engine.begin() as connection:
        connection.execute(text("UPDATE provider_task SET asked_at = :at, out_since = :at"), asked)
    with pytest.raises(OperatorError, match=r"case\.answer_awaited"):
        close(engine, case_id, "refunded")
    with engine.begin() as connection:
        connection.execute(text("UPDATE case_closing SET state = 'dropped', decided_by = 'x' WHERE state = 'proposed'"))
    close(engine, case_id, "loss")
    other = NewCase(kind="overdue", about="second", amount_rial=30_000, office_id=OFFICE, payment_id="second")
    with engine.begin() as connection:
        open_case(connection, other, at=AT)
    with pytest.raises(OperatorError, match=r"case\.booked_already"):
        close(engine, other.case_id, "loss")


@pytest.mark.parametrize("same_case", [True, False])
def test_two_people_who_agree_at_once_pay_a_customer_once(engine: Engine, *, same_case: bool) -> None:
    post(engine, *approved("owed", RRN, 30_000))
    cases = [
        NewCase(kind=kind, about="owed", amount_rial=30_000, office_id=OFFICE, payment_id="owed")
        for kind in ("refund", "overdue")
    ]
    with engine.begin() as connection:
        for new in cases:
            open_case(connection, new, at=AT)
    wanted = [(cases[0].case_id, proposed(engine, cases[0].case_id, "refunded"))]
    wanted.append(wanted[0] if same_case else (cases[1].case_id, proposed(engine, cases[1].case_id, "refunded")))
    together = threading.Barrier(2, timeout=60)

    def agree(case_id: str, closing_id: int, by: str) -> str:
        together.wait()
        try:
            agree_closing(engine, case_id, closing_id, by=by, clock=CLOCK)
        except OperatorError as error:
            return error.code
        return ""

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(agree, *one, by) for one, by in zip(wanted, ("sara", "reza"), strict=True)]
        codes = {done.result(timeout=60) for done in running}
    assert codes == {"", "case.no_closing" if same_case else "case.booked_already"}
    assert balances(engine) == {RECEIVABLE: 30_000, "paid_out": 30_000}
