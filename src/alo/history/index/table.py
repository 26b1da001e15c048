"""A table of all runs in SQLite, so that ten thousand of them are listed at once.

The folders are the truth: whoever asks brings the table up to date first, and a table that is
damaged, deleted or of another version is made again. Where none can be written, it is in memory.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from alo.history.entries.names import RECORD, is_entry, is_hidden, names_in
from alo.layout import KINDS, Workspace
from alo.named_tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from alo.history.filters import Filters
    from alo.history.index.counts import Counts
    from alo.history.record import RunRecord

T = TypeVar("T")

VERSION = 2  # of the tables; another one's are made again
PATIENCE_S = 20.0  # for another reader who brings ten thousand runs up to date
SETTLED_NS = 2_000_000_000  # the coarsest clock of a file system
TICK_NS = 20_000_000  # longer than the clock of a file system that records more than seconds
MEMORY = ":memory:"
LAST_CHARACTER = "\U0010ffff"

TABLES = f"""
DROP TABLE IF EXISTS folders;
DROP TABLE IF EXISTS runs;
DROP TABLE IF EXISTS records;
DROP TABLE IF EXISTS params;
CREATE TABLE folders (kind TEXT PRIMARY KEY, mtime_ns INTEGER);
CREATE TABLE runs (
    run INTEGER PRIMARY KEY, kind TEXT, name TEXT, mtime_ns INTEGER, size INTEGER,
    id TEXT, status TEXT, start_time TEXT, seconds REAL, score REAL, result TEXT, note TEXT,
    train_id TEXT,
    UNIQUE (kind, name)
);
CREATE INDEX runs_by_start ON runs (start_time, name);
CREATE INDEX runs_by_id ON runs (id);
CREATE INDEX runs_by_kind ON runs (kind, start_time, name);
CREATE TABLE records (run INTEGER PRIMARY KEY, record TEXT);
CREATE TABLE params (run INTEGER, step TEXT, key TEXT, value TEXT);
CREATE INDEX params_by_value ON params (step, key, value);
CREATE INDEX params_by_run ON params (run);
PRAGMA user_version = {VERSION};
"""


class Line(NamedTuple):
    """A run as the list shows it."""

    kind: str
    name: str  # of its folder in history/<kind>/; empty: it has none yet
    mtime_ns: int  # of its record when that was read, and its size
    size: int
    id: str
    status: str
    start_time: str
    seconds: float
    score: float | None
    result: str
    note: str
    train_id: str = ""  # whose model an inference used


COLUMNS = ", ".join(Line._fields)
NEWEST_FIRST = "ORDER BY start_time DESC, name DESC"


def newest(workspace: Workspace, limit: int | None) -> list[Line]:
    """The newest runs of a project, also just after a run without a look through its history.

    Args:
        limit: so many at most; None: all.
    """
    from alo.history.filters import Filters

    def question(index: Index) -> list[Line]:
        found = index.newest(limit)
        if found is None:
            index.update()
            found = index.lines(Filters(), limit)
        return found

    return _put(workspace, question)


def ask(workspace: Workspace, question: "Callable[[Index], T]") -> T:
    """Put a question to the index of a project, which is up to date then."""
    return _put(workspace, lambda index: answer(index, question))


def answer(index: "Index", question: "Callable[[Index], T]") -> T:
    """The answer of an open index, which is brought up to date first."""
    index.update()
    return question(index)


def _put(workspace: Workspace, question: "Callable[[Index], T]") -> T:
    for place in (workspace.index, workspace.index):
        try:
            place.parent.mkdir(exist_ok=True)
            return _ask(workspace, os.fspath(place), question)
        except (sqlite3.Error, OSError) as error:
            if "locked" in str(error) or not _discard(place):
                break
    return _ask(workspace, MEMORY, question)


def _ask(workspace: Workspace, place: str, question: "Callable[[Index], T]") -> T:
    with closing(connect(place)) as database:
        return question(Index(workspace, database))


def connect(place: "str | Path") -> sqlite3.Connection:
    """A connection to an index, for one thread at a time."""
    return sqlite3.connect(place, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)


def _discard(place: "Path") -> bool:
    try:
        for suffix in ("", "-wal", "-shm"):
            place.with_name(place.name + suffix).unlink(missing_ok=True)
    except OSError:
        return False
    return True


class Index:
    """An open index.

    Args:
        counts: of this connection, where it stays open.
    """

    def __init__(
        self, workspace: Workspace, database: sqlite3.Connection, counts: "Counts | None" = None
    ) -> None:
        self._workspace, self._db = workspace, database
        self._counts = counts
        if self._version() != VERSION:
            from alo.mounts import mount_of

            # A log next to the file needs memory that all processes share, of all machines.
            mode = "DELETE" if mount_of(workspace.internal).is_network else "WAL"
            database.execute(f"PRAGMA journal_mode = {mode}")
            with self._writing():
                if self._version() != VERSION:  # no one else has been faster
                    for statement in filter(str.strip, TABLES.split(";")):
                        database.execute(statement)

    def lines(self, filters: "Filters", limit: int | None) -> list[Line]:
        """The newest runs first.

        Args:
            limit: so many at most; None: all.
        """
        from alo.history.filters import condition_of

        while True:
            looked_at, found = self._newest(*condition_of(filters), limit)
            if not self.renew(looked_at):
                return found

    def newest(self, limit: int | None) -> list[Line] | None:
        """The newest runs, as the index has them and as runs have noted them since; None: that
        may not be all, or not as it is."""
        from alo.history.new_runs import rows_since

        noted: list[Line] = []
        for kind, seen_ns in self._seen().items():
            mtime_ns = _mtime_ns(self._folder(kind))
            if seen_ns != mtime_ns and not _is_new(mtime_ns):
                return None
            rows = rows_since(self._workspace, kind, seen_ns)
            if rows is None:
                return None
            noted += (Line(*row) for row in rows)
        _, known = self._newest("1", (), limit)
        lines = {line[:2]: line for line in (*noted, *known)}.values()
        found = sorted(lines, key=lambda line: (line.start_time, line.name), reverse=True)[:limit]
        is_same = all(line[2:4] == self._stamp(line.kind, line.name) for line in found)
        return found if is_same else None

    def named(self, prefix: str) -> list[Line]:
        """The runs whose id begins like this."""
        prefix = _printable(prefix)
        condition, values = "id >= ? AND id < ?", (prefix, f"{prefix}{LAST_CHARACTER}")
        lines = self._select(condition, values)
        return self._select(condition, values) if self.renew(lines) else lines

    def ids(self) -> list[str]:
        """The ids of all runs in the index, the oldest first."""
        return [row[0] for row in self._db.execute("SELECT id FROM runs ORDER BY id")]

    def records(self, lines: Iterable[Line]) -> "list[RunRecord]":
        """All that is known of the runs in these lines."""
        from alo.history.record import RunRecord
        from alo.json_text import json_value

        query = "SELECT record FROM records JOIN runs USING (run) WHERE kind = ? AND name = ?"
        found = (self._db.execute(query, line[:2]).fetchone() for line in lines)
        return [RunRecord.from_json(json_value(row[0])) for row in found if row]

    def args(self, lines: Sequence[Line]) -> "dict[str, Mapping[str, Mapping[str, object]]]":
        """The args of the runs in these lines, by the ids of the runs: without the rest of their
        records, which takes longer to read than a page of them takes in all."""
        from alo.json_text import json_value

        # A cross join is done as it is written: from the lines, not through all runs.
        query = (
            f"WITH wanted (kind, name) AS (VALUES {', '.join(['(?, ?)'] * len(lines))})"  # noqa: S608
            " SELECT id, json_extract(record, '$.args') FROM wanted"
            " CROSS JOIN runs USING (kind, name) CROSS JOIN records USING (run)"
        )
        names = [part for line in lines for part in line[:2]]
        found = self._db.execute(query, names) if lines else ()
        return {run: json_value(args) if args else {} for run, args in found}

    def update(self) -> None:
        """Take in what has come and gone since the last time."""
        seen = self._seen()
        changed = [kind for kind in KINDS if seen[kind] != _mtime_ns(self._folder(kind))]
        if changed:
            with self._writing():
                for kind in changed:
                    self._take_in(kind)

    def _seen(self) -> dict[str, int]:
        """When the folder of each kind had changed as its entries were taken in; -1: unknown."""
        seen = dict(self._db.execute("SELECT kind, mtime_ns FROM folders"))
        return {kind: seen.get(kind, -1) for kind in KINDS}

    def _take_in(self, kind: str) -> None:
        folder = self._folder(kind)
        now, mtime_ns = time.time_ns(), _mtime_ns(folder)
        names = names_in(folder)
        if any(map(is_hidden, names)):
            from alo.history.entries.folders import sweep

            sweep(folder)
        there = set(filter(is_entry, names))
        rows = self._db.execute("SELECT name FROM runs WHERE kind = ?", (kind,))
        known = {name for (name,) in rows}
        for name in known - there:
            self._forget(kind, name)
        for name in there - known:
            self._read(kind, name)
        # Within the clock's tick more may come or go, and the folder's time would stay the same.
        settled = mtime_ns if now - mtime_ns > SETTLED_NS else -1
        self._db.execute("REPLACE INTO folders VALUES (?, ?)", (kind, settled))

    def renew(self, lines: Sequence[Line]) -> bool:
        """Read the records again that have changed since; returns whether any has."""
        changed = [line for line in lines if line[2:4] != self._stamp(line.kind, line.name)]
        if not changed:
            return False
        with self._writing():
            for line in changed:
                self._read(line.kind, line.name)
        return True

    def _read(self, kind: str, name: str) -> None:
        from alo.history.entries.names import read_record

        self._forget(kind, name)
        stamp = self._stamp(kind, name)
        try:
            record = read_record(self._folder(kind) / name)
        except OSError:  # removed meanwhile, or no folder
            return
        self._write(kind, name, stamp, record)

    def _write(self, kind: str, name: str, stamp: tuple[int, int], record: "RunRecord") -> None:
        import json

        from alo.history.filters import value_text
        from alo.history.new_runs import columns_of

        cursor = self._db.execute(
            f"INSERT INTO runs ({COLUMNS}) VALUES ({', '.join('?' * len(Line._fields))})",  # noqa: S608
            columns_of(kind, name, stamp, record),
        )
        run = cursor.lastrowid
        self._db.execute("INSERT INTO records VALUES (?, ?)", (run, json.dumps(record.to_json())))
        self._db.executemany(
            "INSERT INTO params VALUES (?, ?, ?, ?)",
            [
                (run, _printable(step), _printable(str(key)), value_text(value))
                for step, args in record.args.items()
                for key, value in args.items()
            ],
        )

    def _forget(self, kind: str, name: str) -> None:
        run = "SELECT run FROM runs WHERE kind = ? AND name = ?"
        for table in ("params", "records"):
            self._db.execute(f"DELETE FROM {table} WHERE run IN ({run})", (kind, name))  # noqa: S608
        self._db.execute("DELETE FROM runs WHERE kind = ? AND name = ?", (kind, name))

    def _newest(
        self, condition: str, values: Sequence[str], limit: int | None
    ) -> tuple[list[Line], list[Line]]:
        """The lines that were looked at, any of which may meet the condition by now or no longer,
        and those of them that met it when their records were read.

        From the newest on, and no further than it takes: each record that was looked at is to be
        compared with its file.
        """
        looked_at: list[Line] = []
        found: list[Line] = []
        query = f"SELECT {COLUMNS}, {condition} FROM runs {NEWEST_FIRST}"  # noqa: S608
        for *columns, meets in self._ask(query, values):
            if len(found) == limit:
                break
            looked_at.append(Line(*columns))
            if meets:
                found.append(looked_at[-1])
        return looked_at, found

    def count(self, condition: str, values: Sequence[object]) -> int:
        """How many runs meet a condition."""
        from alo.history.index.counts import Counts

        return (self._counts or Counts()).count(self._db, condition, values)

    def select(self, query: str, values: Sequence[object]) -> "list[Sequence[Any]]":
        """The rows that a query finds in the tables of this module."""
        return self._db.execute(query, values).fetchall()

    def _select(self, condition: str, values: Sequence[str]) -> list[Line]:
        query = f"SELECT {COLUMNS} FROM runs WHERE {condition} {NEWEST_FIRST}"  # noqa: S608
        return [Line(*row) for row in self._ask(query, values)]

    def _ask(self, query: str, values: Sequence[str]) -> "Iterable[Sequence[Any]]":
        if values:
            from alo.json_text import bad_character

            if any(map(bad_character, values)):
                return ()  # no run has such a value; SQLite would not take it
        return self._db.execute(query, values)

    def _folder(self, kind: str) -> "Path":
        return self._workspace.history / kind

    def _stamp(self, kind: str, name: str) -> tuple[int, int]:
        """Time and size of an entry's record."""
        try:
            status = os.stat(f"{self._workspace.history}/{kind}/{name}/{RECORD}")
        except OSError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_size)

    def _version(self) -> int:
        version: int = self._db.execute("PRAGMA user_version").fetchone()[0]
        return version

    @contextmanager
    def _writing(self) -> "Iterator[None]":
        self._db.execute("PRAGMA synchronous = OFF")  # the index can always be made again
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite may have done it by itself
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _is_new(mtime_ns: int) -> bool:
    """Whether a change is too new for the folder to be taken in for good, but so old, by a clock
    that fine, that none after it has the same time."""
    return mtime_ns % TICK_NS != 0 and TICK_NS < time.time_ns() - mtime_ns <= SETTLED_NS


def _mtime_ns(folder: "Path") -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


def _printable(text: str) -> str:
    """SQLite takes no lone surrogates."""
    return text.encode(errors="replace").decode()
