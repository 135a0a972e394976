"""Empty, migrated databases of a test server. One that a test is done with is emptied: making another takes longer."""

import contextlib
import itertools
from typing import Any, Final, LiteralString

import msgspec
import psycopg
from psycopg import sql
from sqlalchemy import Engine, QueuePool

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
_OTHERS: Final = """
    SELECT state FROM pg_stat_activity, pg_sleep(%s)
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
_ONE_PAGE: Final = 8192
_SIZE: Final = "SELECT pg_relation_size(%s::regclass)"
_LOOKS_MAX: Final = 200
"""How often we look whether the connections that a test closed are gone, ten milliseconds apart."""


class Database(msgspec.Struct, frozen=True):
    """One database, with what is kept open from one test to the next: a new connection has everything to learn anew."""

    name: str
    url: str
    engine: Engine
    keeper: Connection
    """Empties it. Not even the triggers that refuse to forget are asked."""

    def close(self) -> None:
        self.engine.dispose()
        self.keeper.close()


class Rows(msgspec.Struct, frozen=True):
    """Everything a test wrote, to be put into other databases."""

    of_tables: dict[str, bytes]
    sequences: list[tuple[Any, ...]]


class Databases:
    """Use from one thread; the server's end is theirs."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._numbers = itertools.count(1)
        self._empty: list[Database] = []
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
        engine = open_engine(server.url(_TEMPLATE))
        migrate(engine)
        engine.dispose()
        with contextlib.closing(psycopg.connect(server.url(_TEMPLATE), autocommit=True)) as connection:
            self._shape = _all(connection, _SHAPE)
            self._sequences = dict(_all(connection, _SEQUENCES))
            self._filled = _asking_for_filled([name for (name,) in _all(connection, _TABLES)])
            self._rows = {name: _rows_of(connection, name) for (name,) in connection.execute(self._filled)}

    def take(self) -> Database:
        """Return a database that is as the migrations make it."""
        if self._empty:
            return self._empty.pop()
        name = f"test_{next(self._numbers)}"
        making = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self._run(making.format(sql.Identifier(name), sql.Identifier(_TEMPLATE)))
        url = self._server.url(name)
        keeper = psycopg.connect(url, autocommit=True)
        keeper.execute("SET session_replication_role = replica")
        return Database(name, url, open_engine(url), keeper)

    def give_back(self, used: Database) -> None:
        """Empty a database for the next test; drop it when somebody is still in it or it has another shape now."""
        if _is_left(used) and self._emptied(used.keeper):
            self._empty.append(used)
            return
        used.close()
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(used.name)))

    def rows_of(self, used: Database) -> Rows:
        """Return all rows, and where the sequences stand."""
        rows = {}
        for (table,) in used.keeper.execute(self._filled):
            copying = sql.SQL("COPY {} TO STDOUT (FORMAT BINARY)").format(sql.Identifier(table))
            with used.keeper.cursor().copy(copying) as copied:
                rows[table] = b"".join(copied)
        return Rows(rows, _all(used.keeper, _SEQUENCES))

    def put(self, rows: Rows, taken: Database) -> None:
        """Put rows into a database that was just taken."""
        for table in self._rows:
            taken.keeper.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        for table, data in rows.of_tables.items():
            copying = sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(sql.Identifier(table))
            with taken.keeper.cursor().copy(copying) as copied:
                copied.write(data)
        for sequence, value in rows.sequences:
            taken.keeper.execute("SELECT setval(%s::regclass, %s)", [sequence, value])

    def close(self) -> None:
        """Let go of those that wait for a test."""
        for kept in self._empty:
            kept.close()

    def _emptied(self, connection: Connection) -> bool:
        if _all(connection, _SHAPE) != self._shape:
            return False
        for (table,) in connection.execute(self._filled):
            if _rows_of(connection, table) == self._rows.get(table):
                continue
            # A row that is deleted keeps its place until somebody sweeps: in the first page, rows still stand in the
            # order in which they came. Beyond it a later one may stand before an earlier one.
            short = _all(connection, _SIZE, table) <= [(_ONE_PAGE,)]
            emptying = sql.SQL("DELETE FROM {}" if short else "TRUNCATE {} CASCADE")
            connection.execute(emptying.format(sql.Identifier(table)))
        for table, rows in self._rows.items():
            if _rows_of(connection, table) != rows:
                filling = sql.SQL("INSERT INTO {0} SELECT * FROM jsonb_populate_recordset(NULL::{0}, %s)")
                connection.execute(filling.format(sql.Identifier(table)), [rows])
        for sequence, value in _all(connection, _SEQUENCES):
            if value != self._sequences.get(sequence):
                first = self._sequences.get(sequence)
                connection.execute("SELECT setval(%s::regclass, %s, %s)", [sequence, first or 1, first is not None])
        return True

    def _run(self, statement: sql.Composed) -> None:
        with contextlib.closing(psycopg.connect(self._server.url(), autocommit=True)) as connection:
            connection.execute(statement)


def _all(connection: Connection, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
    return connection.execute(query, values or None).fetchall()


def _asking_for_filled(tables: list[str]) -> sql.Composed:
    """Return the question which tables have rows."""
    asking = sql.SQL("SELECT {0} WHERE EXISTS (SELECT FROM {1})")
    return sql.SQL(" UNION ALL ").join(asking.format(sql.Literal(name), sql.Identifier(name)) for name in tables)


def _rows_of(connection: Connection, table: str) -> str:
    """Return all rows, as JSON."""
    asking = sql.SQL("SELECT coalesce(jsonb_agg(to_jsonb(one) ORDER BY one), '[]')::text FROM {} AS one")
    return str(connection.execute(asking.format(sql.Identifier(table))).fetchall()[0][0])


def _is_left(used: Database) -> bool:
    """Whether nobody is in a database but the idle connections we keep. One that was closed takes a moment to go."""
    pool = used.engine.pool
    assert isinstance(pool, QueuePool)
    for look in range(_LOOKS_MAX):
        others = _all(used.keeper, _OTHERS, 0.01 if look else 0)
        if pool.checkedout() == 0 and others == [("idle",)] * pool.checkedin():
            return True
    return False
