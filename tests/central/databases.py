"""Empty, migrated databases of a test server. One that a test is done with is emptied: making another takes longer."""

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

from central.store.embedded import EmbeddedPostgres
from central.store.engine import open_engine
from central.store.migrations import migrate

Connection = psycopg.Connection[Any]

_TEMPLATE: Final = "template_daftar"
_SHAPE: Final = """
    SELECT md5(string_agg(part, ',' ORDER BY part)) FROM (
        SELECT format('%s %s %s %s', relname, attname, atttypid, attnotnull) AS part
            FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
            WHERE relnamespace = 'public'::regnamespace AND attnum > 0
        UNION ALL SELECT tgenabled::text || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ) AS parts"""
"""Tables, triggers, constraints and functions: what a test may not leave changed in a database that another gets."""
_TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_SEQUENCES: Final = "SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"
_ALONE: Final = """
    SELECT count(*) = 0 FROM pg_stat_activity, pg_sleep(%s)
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
_LOOKS_MAX: Final = 200
"""How often we look whether the connections that a test closed are gone, ten milliseconds apart."""


class Databases:
    """Use from one thread; the server's end is theirs."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._numbers = itertools.count(1)
        self._empty: list[str] = []
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
        engine = open_engine(server.url(_TEMPLATE))
        migrate(engine)
        engine.dispose()
        with self._connected(_TEMPLATE) as connection:
            self._shape = _all(connection, _SHAPE)
            self._sequences = _all(connection, _SEQUENCES)
            self._rows = {name: _rows_of(connection, name) for name in _filled(connection)}

    def take(self) -> str:
        """Return the name of a database that is as the migrations make it."""
        if self._empty:
            return self._empty.pop()
        name = f"test_{next(self._numbers)}"
        making = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self._run(making.format(sql.Identifier(name), sql.Identifier(_TEMPLATE)))
        return name

    def give_back(self, name: str) -> None:
        """Empty a database for the next test; drop it when somebody is still in it or it has another shape now."""
        with self._connected(name) as connection:
            emptied = _is_left(connection) and self._emptied(connection)
        if emptied:
            self._empty.append(name)
        else:
            self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _emptied(self, connection: Connection) -> bool:
        if _all(connection, _SHAPE) != self._shape:
            return False
        # Not even the triggers that refuse to forget are asked.
        connection.execute("SET session_replication_role = replica")
        changed = [
            one for one in _filled(connection) if one not in self._rows or _rows_of(connection, one) != self._rows[one]
        ]
        if changed:
            names = sql.SQL(", ").join(map(sql.Identifier, changed))
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
        for table, rows in self._rows.items():
            if _rows_of(connection, table) != rows:
                filling = sql.SQL("INSERT INTO {0} SELECT * FROM jsonb_populate_recordset(NULL::{0}, %s)")
                connection.execute(filling.format(sql.Identifier(table)), [rows])
        for sequence, _ in _all(connection, _SEQUENCES):
            connection.execute("SELECT setval(%s::regclass, 1, false)", [sequence])
        for sequence, value in self._sequences:
            connection.execute("SELECT setval(%s::regclass, %s)", [sequence, value])
        return True

    @contextlib.contextmanager
    def _connected(self, name: str) -> Iterator[Connection]:
        connection = psycopg.connect(self._server.url(name), autocommit=True)
        try:
            yield connection
        finally:
            connection.close()

    def _run(self, statement: sql.Composed) -> None:
        with contextlib.closing(psycopg.connect(self._server.url(), autocommit=True)) as connection:
            connection.execute(statement)


def _all(connection: Connection, query: LiteralString) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()


def _filled(connection: Connection) -> list[str]:
    """Return the tables that have rows."""
    asking = sql.SQL("SELECT {0} WHERE EXISTS (SELECT FROM {1})")
    each = [asking.format(sql.Literal(name), sql.Identifier(name)) for (name,) in _all(connection, _TABLES)]
    return [name for (name,) in connection.execute(sql.SQL(" UNION ALL ").join(each)).fetchall()]


def _rows_of(connection: Connection, table: str) -> str:
    """Return all rows, as JSON."""
    asking = sql.SQL("SELECT coalesce(jsonb_agg(to_jsonb(one) ORDER BY one), '[]')::text FROM {} AS one")
    return str(connection.execute(asking.format(sql.Identifier(table))).fetchall()[0][0])


def _is_left(connection: Connection) -> bool:
    """Whether nobody else is in a database. A connection that was closed takes a moment to go."""
    return any(connection.execute(_ALONE, [0.01 if look else 0]).fetchall()[0][0] for look in range(_LOOKS_MAX))
