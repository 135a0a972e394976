from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.exc import DBAPIError

from central.ledger.items import words_of
from central.ledger.questions import ask_provider
from central.ledger.store import load_payment
from central.store import answers, atms, books, elsewhere, fleet, journals, messages, people, services, settlements
from central.store.embedded import EmbeddedPostgres
from central.store.engine import open_engine
from central.store.metadata import METADATA
from central.store.migrations import alembic_config, migrate, revision_of

pytestmark = pytest.mark.postgres

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
_OLDER_ROWS = (
    """INSERT INTO office_payment (office_id, payment_id, journal_id, obligation, purpose, method, amount_rial, split,
        terminal, reference, operator, bill_id, bill_payment_id, state, requested_index, requested_claim, local_date,
        received_at, changed_at, confirmation)
    VALUES ('72101001', 'pay-1', 'j', 'bill:1', 'bill', 'pcpos', 1000, '{}', 't', 'r', 'op', '1', '2', 'approved', 1,
        '2026-11-22T10:00:00Z', '2026-11-22', now(), now(), 'queued')""",
    """INSERT INTO provider_task (office_id, task_id, kind, subject, track_id, state, next_at, made_at)
    VALUES ('72101001', 'confirm/pay-1', 'confirm', 'pay-1', 'c1', 'waiting', now(), now())""",
    "INSERT INTO ledger_account VALUES ('fees', 'fees', '', 'credit') ON CONFLICT DO NOTHING",
    """INSERT INTO money_case (case_id, kind, state, office_id, payment_id, amount_rial, facts, opened_at, opened_by)
    VALUES ('case-a', 'refund', 'open', '72101001', 'pay-1', 1000, '{}', now(), 'central')""",
)
"""What a central of the release before charges of several bills holds."""


def test_the_tables_in_code_are_the_tables_the_migrations_make(engine: Engine) -> None:
    tables = (
        fleet.office,
        journals.journal,
        books.posted_entry,
        answers.acquirer_answer,
        services.service_request,
        messages.text_message,
        elsewhere.told_payment,
        atms.office_atm,
        settlements.recon_run,
        people.person,
    )
    assert all(table.metadata is METADATA for table in tables)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_the_chain_has_one_end_and_a_migrated_database_is_at_it(engine: Engine) -> None:
    heads = ScriptDirectory.from_config(alembic_config()).get_heads()
    with engine.connect() as connection:
        assert [revision_of(connection)] == heads


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    migrate(engine)


@pytest.mark.parametrize(
    "statement", ["DELETE FROM feed_entry", "UPDATE feed_entry SET data = ''", "TRUNCATE feed_entry"]
)
def test_what_central_signed_cannot_be_changed_by_sql(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO feed VALUES ('f', 1, 'h', now())"))
        connection.execute(text("INSERT INTO feed_entry VALUES ('f', 0, 't', 'd', 's', now())"))
    with pytest.raises(DBAPIError, match="never changed or deleted"), engine.begin() as connection:
        connection.execute(text(statement))


def test_a_database_with_payments_is_brought_to_the_newest_release(postgres: EmbeddedPostgres) -> None:
    url = postgres.url().replace("postgresql://", "postgresql+psycopg://")
    administrator = create_engine(url, isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.execute(text("CREATE DATABASE older_release"))
    older = open_engine(postgres.url("older_release"))
    migrate(older, "0006_decisions")
    with older.begin() as connection:
        for statement in _OLDER_ROWS:
            connection.execute(text(statement))
    migrate(older)
    with older.begin() as connection:
        payment = load_payment(connection, "72101001", "pay-1")
        assert payment is not None
        assert (payment.items, payment.service, words_of(payment)) == ((), "", {None: "queued"})
        ask_provider(connection, "confirm", "72101001", "pay-1", NOW)
        asked = connection.execute(select(books.provider_task.c.route, books.provider_task.c.item)).all()
    assert asked == [("billing", None)]
    older.dispose()
    with administrator.connect() as connection:
        connection.execute(text("DROP DATABASE older_release WITH (FORCE)"))
    administrator.dispose()
