"""The studio's database in SQLite: ``studio/studio.sqlite`` of the project."""

from __future__ import annotations

import errno
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from alo.database.connection import Connection, Row
from alo.database.joining import Joining
from alo.database.migrations import MIGRATIONS
from alo.errors import DatabaseError, UsageError
from alo.layout import PRIVATE
from alo.mounts import mount_of
from alolib.disk import fix_of, fix_of_full, is_full

PATIENCE_S = 20.0  # for another process that writes
REFUSED = ("readonly", "unable to open", "disk I/O error", "access permission denied")
SERIAL = "INTEGER PRIMARY KEY AUTOINCREMENT"


class SqliteDatabase:
    """A database file.

    Raises:
        UsageError: it is damaged, or of a newer version; nothing of it was changed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock, self._joining = threading.Lock(), Joining()
        self._idle: list[sqlite3.Connection] = []
        try:
            path.parent.mkdir(PRIVATE, exist_ok=True)
            self._migrate()
        except (sqlite3.Error, OSError) as error:
            what, fix, _ = _trouble(path, error)
            raise UsageError(
                f"the studio's database cannot be used: {what}", where=str(path), fix=fix
            ) from error

    @property
    def place(self) -> str:
        """See ``Database``."""
        return self._path.name  # a project may be moved

    def transaction(self) -> AbstractContextManager[Connection]:
        """See ``Database``."""
        return self._joining.join(self._begin)

    @contextmanager
    def _begin(self) -> Iterator[_Connection]:
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
        if self._joining.rows is not None:
            return self._joining.rows.execute(statement, values)
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
            what, fix, is_full = _trouble(self._path, error)
            raise DatabaseError(
                f"the studio's database cannot be used now: {what}",
                where=str(self._path),
                fix=fix,
                is_full=is_full,
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
        try:
            database.execute("PRAGMA synchronous = FULL")  # what people did is not made again
            database.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            database.close()
            raise
        return database

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

    def execute_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """See ``Connection``."""
        self._database.executemany(statement, rows)


def _trouble(path: Path, error: sqlite3.Error | OSError) -> tuple[str, str, bool]:
    """What is wrong, what mends it, and whether it is for want of room."""
    text = str(error)
    if "locked" in text:
        return text, "end the program that keeps it locked, and try again", False
    # Files beside its own that SQLite has no room for are another error to it.
    if is_full(error) or "disk is full" in text or fix_of_full(path.parent):
        return "the disk is full", fix_of(OSError(errno.ENOSPC, "")), True
    if isinstance(error, OSError) or any(each in text for each in REFUSED):
        return text, f"see that {path.parent} and what is in it may be read and written to", False
    fix = "restore it from a backup, or move it away: the studio then makes a new one"
    return text, fix, False


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
