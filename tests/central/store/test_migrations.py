import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from central.store import answers, atms, books, fleet, journals, messages, people, services, settlements
from central.store.metadata import METADATA
from central.store.migrations import alembic_config, migrate, revision_of

pytestmark = pytest.mark.postgres


def test_the_tables_in_code_are_the_tables_the_migrations_make(engine: Engine) -> None:
    tables = (
        fleet.office,
        journals.journal,
        books.posted_entry,
        answers.acquirer_answer,
        services.service_request,
        messages.text_message,
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
