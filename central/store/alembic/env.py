"""Alembic runs this. The connection comes from `central.store.migrations`; there is no offline mode."""

from alembic import context

from central.store.metadata import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
