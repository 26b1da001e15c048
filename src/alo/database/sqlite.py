"""The studio's database in SQLite: ``studio/studio.sqlite`` of the project."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from alo.database.connection import Row
from alo.database.migrations import MIGRATIONS
from alo.errors import DatabaseError, UsageError
from alo.mounts import mount_of

PATIENCE_S = 20.0  # for another process that writes
SERIAL = "INTEGER PRIMARY KEY AUTOINCREMENT"


class SqliteDatabase:
    """A database file.

    Raises:
        UsageError: it is damaged, or of a newer version; nothing of it was changed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        try:
            path.parent.mkdir(exist_ok=True)
            self._migrate()
        except (sqlite3.Error, OSError) as error:
            raise UsageError(
                f"the studio's database cannot be used: {error}",
                where=str(path),
                fix="restore it from a backup, or move it away: the studio then makes a new one",
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[_Connection]:
        """See ``Database``."""
        with self._borrowed() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield _Connection(database)
            except BaseException:
                with suppress(sqlite3.Error):
                    database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")

    def read(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """See ``Database``."""
        with self._borrowed() as database:
            return database.execute(statement, values).fetchall()

    def close(self) -> None:
        """See ``Database``."""
        with self._lock:
            idle, self._idle = self._idle, []
        for database in idle:
            database.close()

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            database = self._idle.pop() if self._idle else None
        try:
            database = database or self._open()
            yield database
        except sqlite3.Error as error:
            if database is not None:
                database.close()
            raise DatabaseError(
                f"the studio's database cannot be used now: {error}",
                where=str(self._path),
                fix="see that no other program keeps it locked, and that it may be written to",
                is_full=self._is_full(error),
            ) from error
        except BaseException:
            if database is not None:
                database.close()
            raise
        with self._lock:
            self._idle.append(database)

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(
            self._path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        database.execute("PRAGMA synchronous = FULL")  # what people did is not made again
        database.execute("PRAGMA foreign_keys = ON")
        return database

    def _is_full(self, error: sqlite3.Error) -> bool:
        """Whether it is for want of room: files that SQLite cannot make are another error."""
        with suppress(OSError):
            return "disk is full" in str(error) or not os.statvfs(self._path.parent).f_bavail
        return False

    def _migrate(self) -> None:
        database = self._open()
        try:
            version = _version(database)
            if version > len(MIGRATIONS):
                known = len(MIGRATIONS)
                raise UsageError(
                    f"the studio's database has version {version}; this ALO knows {known}",
                    where=str(self._path),
                    fix="use the ALO that wrote it, or a newer one",
                )
            if database.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("it is damaged")
            if version == 0:
                # A log beside the file needs memory that all processes share.
                mode = "DELETE" if mount_of(self._path.parent).is_network else "WAL"
                database.execute(f"PRAGMA journal_mode = {mode}")
            while (version := _version(database)) < len(MIGRATIONS):
                _apply(database, version)
        finally:
            database.close()


class _Connection:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def execute(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """See ``Connection``."""
        return self._database.execute(statement, values).fetchall()


def _apply(database: sqlite3.Connection, version: int) -> None:
    database.execute("BEGIN IMMEDIATE")
    try:
        if _version(database) == version:  # no one else has been faster
            for statement in MIGRATIONS[version]:
                database.execute(statement.format(serial=SERIAL))
            database.execute(f"PRAGMA user_version = {version + 1}")
    except BaseException:
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _version(database: sqlite3.Connection) -> int:
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    return version
