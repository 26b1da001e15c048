"""The studio's database in PostgreSQL, for a team (extra ``postgres``)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from alo.database.connection import Connection, Row
from alo.database.joining import Joining
from alo.database.migrations import MIGRATIONS
from alo.errors import DatabaseError, UsageError
from alo.masking import masked

CONNECT_S = 10
PATIENCE_S = 20  # for whoever writes
SERIAL = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
WRITER = 0x616C6F75  # of the advisory lock that whoever writes has: as in SQLite, one at a time


class PostgresDatabase:
    """A database on a server.

    Args:
        url: ``postgresql://…``, as libpq reads it.
    Raises:
        UsageError: it cannot be reached, is of a newer version, or psycopg is not installed.
    """

    def __init__(self, url: str) -> None:
        try:
            import psycopg
        except ModuleNotFoundError as error:
            raise UsageError(
                "a PostgreSQL database needs psycopg, which is not installed here",
                fix="pip install 'open-alo[postgres]'",
            ) from error
        self._psycopg: Any = psycopg
        self._url, self._lock, self._joining = url, threading.Lock(), Joining()
        self._idle: list[Any] = []
        try:
            self._migrate()
        except DatabaseError as problem:
            raise UsageError(
                problem.what,
                where=masked(url),
                fix="see that the server runs, and that the URL is right",
            ) from problem

    @property
    def place(self) -> str:
        """See ``Database``."""
        return masked(self._url)

    def transaction(self) -> AbstractContextManager[Connection]:
        """See ``Database``."""
        return self._joining.join(self._begin)

    @contextmanager
    def _begin(self) -> Iterator[_Connection]:
        with self._borrowed() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock($1)", (WRITER,))
            yield _Connection(connection)

    def read(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """See ``Database``."""
        if self._joining.rows is not None:
            return self._joining.rows.execute(statement, values)
        with self._borrowed() as connection:
            return _Connection(connection).execute(statement, values)

    def close(self) -> None:
        """See ``Database``."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _borrowed(self) -> Iterator[Any]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        try:
            if connection is not None and not self._lives(connection):
                connection = None
            connection = connection or self._open()
            yield connection
        except self._psycopg.Error as error:
            if connection is not None:
                connection.close()
            raise DatabaseError(
                f"the studio's database cannot be used now: {masked(str(error)).strip()}",
                fix="see that the server runs",
            ) from error
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        with self._lock:
            self._idle.append(connection)

    def _lives(self, connection: Any) -> bool:
        """Whether a connection that was idle still is one: the server may have been restarted."""
        with suppress(self._psycopg.Error):
            connection.execute("SELECT 1")
            return True
        connection.close()
        return False

    def _open(self) -> Any:
        connection = self._psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=CONNECT_S,
            cursor_factory=self._psycopg.RawCursor,  # finds no values in a statement of thousands
        )
        connection.execute(f"SET lock_timeout = '{PATIENCE_S}s'")
        # A plan for whatever values compares each row with each of hundreds, one by one.
        connection.execute("SET plan_cache_mode = force_custom_plan")
        return connection

    def _migrate(self) -> None:
        with self.transaction() as rows:
            rows.execute("CREATE TABLE IF NOT EXISTS studio_version (version BIGINT NOT NULL)")
            if not rows.execute("SELECT version FROM studio_version"):
                rows.execute("INSERT INTO studio_version VALUES (0)")
        while True:
            with self.transaction() as rows:
                version = int(rows.execute("SELECT version FROM studio_version")[0][0])
                if version > len(MIGRATIONS):
                    known = len(MIGRATIONS)
                    raise UsageError(
                        f"the studio's database has version {version}; this ALO knows {known}",
                        where=masked(self._url),
                        fix="use the ALO that wrote it, or a newer one",
                    )
                if version == len(MIGRATIONS):
                    return
                for statement in MIGRATIONS[version]:
                    rows.execute(statement.format(serial=SERIAL))
                rows.execute("UPDATE studio_version SET version = ?", (version + 1,))


class _Connection:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """See ``Connection``."""
        cursor = self._connection.execute(_numbered(statement), values)
        return list(cursor.fetchall()) if cursor.description else []

    def execute_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """See ``Connection``."""
        with self._connection.cursor() as cursor:
            cursor.executemany(_numbered(statement), rows)


def _numbered(statement: str) -> str:
    """With the values as PostgreSQL itself names them."""
    first, *others = statement.split("?")
    return first + "".join(f"${at}{part}" for at, part in enumerate(others, 1))
