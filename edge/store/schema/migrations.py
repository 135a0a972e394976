"""The steps by which the box's file grew, in order. A released step never changes: a new need is a new step.

Steps run on a copy (edge.store.upgrade) inside sqlite-utils' own transaction, so they use single statements only.
A step that rebuilds a table (`table.transform`) drops its triggers silently: it must make them again, and the check
after the migration finds it if not.
"""

from sqlite_utils import Database, Migrations

from edge.store.schema.tables import VERSION_1

MIGRATIONS = Migrations("daftar-edge")


@MIGRATIONS(name="0001_box")
def first_box(database: Database) -> None:
    """Make everything a new box has."""
    for statement in VERSION_1:
        database.execute(statement)
