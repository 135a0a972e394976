"""What pages ask of the books: the right rows in the right order, by an index that a million rows do not slow down."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from central.ledger.obligations import holders
from central.ledger.queries import PaymentFilter, account_transfers, payments
from central.providers.queries import subject_tasks
from central.reconciliation.queries import day_board, decisions
from shared.payment import PaymentState
from tests.central.ledger.test_receive import AT, BILL, Journal, approved, post, requested, sent

pytestmark = pytest.mark.postgres

UNCONFIRMED = "unconfirmed"


def three_payments(engine: Engine) -> None:
    for number in range(1, 4):
        name, rrn = f"pay-{number}", f"{number}" * 12
        post(engine, Journal(f"7210100{number}").entries(requested(name), sent(name), approved(name, rrn=rrn)))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("pay-2", ["pay-2"]),
        ("222222222222", ["pay-2"]),
        ("11223344", ["pay-3", "pay-2", "pay-1"]),
        ("000123", ["pay-3", "pay-2", "pay-1"]),
        (BILL[0], ["pay-3", "pay-2", "pay-1"]),
        (BILL[1], ["pay-3", "pay-2", "pay-1"]),
        ("123456789012345678", ["pay-3", "pay-2", "pay-1"]),
        ("pay", []),
        ("%", []),
        ("{pay-1}", []),
        ('"', []),
        ("nobody\x00", []),
    ],
)
def test_a_payment_is_found_by_any_of_its_whole_names(engine: Engine, typed: str, found: list[str]) -> None:
    three_payments(engine)
    with engine.connect() as connection:
        assert [row.payment_id for row in payments(connection, PaymentFilter(text=typed))] == found


def test_transfers_of_an_account_are_read_in_pages_newest_first(engine: Engine) -> None:
    three_payments(engine)
    with engine.connect() as connection:
        whole = account_transfers(connection, UNCONFIRMED)
        assert [each.ordinal for each in whole] == sorted((each.ordinal for each in whole), reverse=True)
        assert len(whole) == 6
        paged = account_transfers(connection, UNCONFIRMED, limit=2)
        while len(paged) < 6:
            paged += account_transfers(connection, UNCONFIRMED, before=paged[-1].ordinal, limit=2)
        assert paged == whole
        assert account_transfers(connection, "settled") == ()


@pytest.mark.parametrize(
    ("read", "index"),
    [
        (lambda it: payments(it, PaymentFilter(text="nobody")), "office_payment_by_name"),
        (lambda it: payments(it, PaymentFilter(text="nobody")), "office_payment_item_by_bill_id"),
        (lambda it: payments(it, PaymentFilter(text="nobody")), "office_payment_item_by_bill_payment_id"),
        (lambda it: holders(it, ["bill:1"]), "office_payment_by_obligation"),
        (lambda it: holders(it, ["bill:1"]), "office_payment_item_by_obligation"),
        (lambda it: payments(it, PaymentFilter(office_id="1")), "office_payment_of_office"),
        (lambda it: payments(it, PaymentFilter(states=(PaymentState.REVERSED,))), "office_payment_by_state"),
        (lambda it: payments(it, PaymentFilter(confirmation="refused")), "office_payment_by_confirmation"),
        (lambda it: day_board(it, since=AT), "office_payment_by_received_at"),
        (lambda it: account_transfers(it, UNCONFIRMED), "ledger_transfer_by_debit"),
        (lambda it: account_transfers(it, UNCONFIRMED), "ledger_transfer_by_credit"),
        (lambda it: subject_tasks(it, "1", "pay-1"), "uq_provider_task_office_id_kind_subject_item"),
        (lambda it: decisions(it, 1, only_breaks=True), "recon_decision_breaks"),
    ],
)
def test_a_page_reads_by_an_index(engine: Engine, read: Callable[[Connection], object], index: str) -> None:
    used = text("SELECT pg_stat_force_next_flush(), idx_scan FROM pg_stat_user_indexes WHERE indexrelname = :index")
    with engine.connect() as connection:
        # The tables are empty, and reading all of nothing is cheapest: let it not be.
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_bitmapscan = on"))
        read(connection)
        connection.execute(used, {"index": index})
        connection.commit()
        assert connection.execute(used, {"index": index}).one().idx_scan > 0


def test_what_a_statement_was_given_stands_in_no_error(engine: Engine) -> None:
    with pytest.raises(DBAPIError) as raised, engine.connect() as connection:
        connection.execute(text("SELECT 1 / (length(:card) - length(:card))"), {"card": "610433******8596"})
    assert "8596" not in str(raised.value)
