"""A CSV or TSV by pages: none reads more than itself, whatever the file has in it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from threading import Lock, Thread
from typing import NamedTuple

from alo.tables.encodings import SAMPLE, UTF8, WIDE, Encoding, encoding_of
from alo.tables.reading import names_once
from alo.tables.records import MOST_RECORD, Dialect, Record, cells, dialect_of, records
from alo.ui.readers.cache import FileCache
from alo.ui.readers.table_index import (
    SMALL,
    Mark,
    Piece,
    TableIndex,
    load_index,
    make_index,
    row_start,
)

MOST_SHOWN = 2000  # characters of a cell
MOST_NOTES = 20
NUL, SHOWN_NUL = "\0", "\u2400"


class Table(NamedTuple):
    """A table that was opened."""

    path: Path
    source: Path  # the file, or a copy of it in UTF-8 where it is in UTF-16
    dialect: Dialect
    encoding: str
    columns: Sequence[str]  # each name once
    begin: int  # where its rows begin
    size: int  # of the source
    notes: Sequence[str]


class TableRows(NamedTuple):
    """Some rows, where the next one is, and what is odd about them."""

    rows: list[list[str]]
    following: Mark | None
    notes: list[str]


class Tables:
    """The tables of a project's runs.

    Args:
        cache: of the marks of large ones.
    """

    def __init__(self, cache: FileCache) -> None:
        self.cache = cache
        self._lock = Lock()
        self._counting: dict[Path, Thread] = {}

    def open(self, path: Path) -> Table:
        """A table, by its first lines.

        Raises:
            OSError: it cannot be read.
        """
        encoding = encoding_of(path)
        source, notes = path, []
        if encoding.name in WIDE:
            source = self._in_utf8(path, encoding)
            notes.append(f"the file is in {encoding.name}")
        elif encoding.mark:
            notes.append("the file begins with a byte order mark")
        elif encoding.name != UTF8:
            notes.append(f"the file is no UTF-8; it is shown as {encoding.name}")
        own = Encoding(UTF8) if source is not path else encoding
        dialect = dialect_of(source, own)
        size = source.stat().st_size
        with open(source, "rb") as file:
            header = next(records(file.fileno(), dialect, own.mark, size), None)
        if header is None:
            return Table(
                path, source, dialect, encoding.name, (), size, size, (*notes, "the file is empty")
            )
        read = cells(header.content, dialect)
        if read.broken:
            notes.append(f"line 1, column {read.broken[0] + 1}: a quote is not closed")
        names = names_once(read.texts, notes)
        columns = [name.replace(NUL, SHOWN_NUL)[:MOST_SHOWN] for name in names]
        if dialect.delimiter not in (b",", b"\t"):
            notes.append(f"columns are separated by '{dialect.delimiter.decode()}'")
        return Table(path, source, dialect, encoding.name, columns, header.end, size, notes)

    def index(self, table: Table, *, waits: bool) -> TableIndex | None:
        """The marks of a table.

        Args:
            waits: until it is counted; else that happens meanwhile, and None is what is known.
        """
        cached = self.cache.path(table.path, "rows", ".index")
        if (found := load_index(cached, table.size)) is not None:
            return found
        if waits or table.size <= SMALL:
            with self._lock:
                thread = self._counting.get(cached)
            if thread is not None:
                thread.join()
                if (found := load_index(cached, table.size)) is not None:
                    return found
            return make_index(table.source, table.dialect, table.begin, cached)
        with self._lock:
            if cached not in self._counting:
                thread = Thread(target=self._count, args=(table, cached), daemon=True)
                self._counting[cached] = thread
                thread.start()
        return None

    def rows(self, table: Table, start: Mark, count: int) -> TableRows:
        """Rows from a mark on, as they are shown."""
        with open(table.source, "rb") as file:
            found = list(
                islice(records(file.fileno(), table.dialect, start.at, table.size), count + 1)
            )
        return shown(table, [(start.row + at, each) for at, each in enumerate(found)], count)

    def find(self, table: Table, row: int) -> Mark:
        """Where a row is; the table's end, if there are fewer."""
        index = self.index(table, waits=True)
        with open(table.source, "rb") as file:
            return Mark(row, self._start(file.fileno(), table, index, row))

    def some(self, table: Table, numbers: Iterable[int]) -> Iterator[Record]:
        """Rows anywhere in a table, in this order."""
        index = self.index(table, waits=True)
        with open(table.source, "rb") as file:
            for row in numbers:
                at = self._start(file.fileno(), table, index, row)
                yield from islice(records(file.fileno(), table.dialect, at, table.size), 1)

    def _start(self, descriptor: int, table: Table, index: TableIndex | None, row: int) -> int:
        piece = index.piece(row) if index else Piece(0, table.begin, table.size)
        return row_start(descriptor, table.dialect, piece, row)

    def every(self, table: Table) -> Iterator[list[str]]:
        """All rows, whole."""
        with open(table.source, "rb") as file:
            for each in records(file.fileno(), table.dialect, table.begin, table.size):
                yield cells(each.content, table.dialect).texts

    def _count(self, table: Table, cached: Path) -> None:
        try:
            with suppress(OSError):
                make_index(table.source, table.dialect, table.begin, cached)
        finally:
            with self._lock:
                self._counting.pop(cached, None)

    def _in_utf8(self, path: Path, encoding: Encoding) -> Path:
        """A copy in UTF-8: in UTF-16 no byte alone says where a line ends."""
        target = self.cache.path(path, "utf-8", ".csv")
        if target.exists():
            return target
        new = self.cache.new(target)
        with open(path, encoding=encoding.name, errors="replace", newline="") as file:
            file.seek(encoding.mark)
            with open(new, "w", encoding=UTF8, errors="replace", newline="") as copy:
                while piece := file.read(SAMPLE):
                    copy.write(piece)
        os.replace(new, target)
        self.cache.sweep()
        return target


def shown(table: Table, found: Sequence[tuple[int, Record]], count: int) -> TableRows:
    """Records as they are shown: long cells cut, and what is odd noted.

    Args:
        found: each with its row's number, from 0; more than ``count`` where others follow.
    """
    rows, notes = [], _Notes(table.columns)
    for number, record in found[:count]:
        read = cells(record.content, table.dialect)
        row = read.texts
        for column in read.broken:
            notes.add(number, column, "a quote is not closed; it is shown as it is")
        if read.is_odd:
            notes.add(number, None, f"bytes that are not {table.dialect.encoding.name}")
        if len(record.content) >= MOST_RECORD:
            notes.add(number, None, "the line is too long; it is shown as several rows")
        if NUL.encode() in record.content or max(map(len, row)) > MOST_SHOWN:
            for column, text in enumerate(row):
                if NUL in text:
                    notes.add(number, column, f"NUL characters, shown as {SHOWN_NUL}")
                    text = text.replace(NUL, SHOWN_NUL)
                if len(text) > MOST_SHOWN:
                    notes.add(number, column, f"{len(text):,} characters, cut after {MOST_SHOWN:,}")
                    text = text[:MOST_SHOWN] + "…"
                row[column] = text
        if len(row) > len(table.columns):
            notes.add(number, None, f"{len(row)} cells, where there are {len(table.columns)} names")
        elif len(row) < len(table.columns):
            if row != [""]:
                missing = f"{len(row)} cells, where there are {len(table.columns)} names"
                notes.add(number, None, missing)
            row += [""] * (len(table.columns) - len(row))
        rows.append(row)
    following = Mark(found[count][0], found[count][1].at) if len(found) > count else None
    return TableRows(rows, following, notes.texts)


class _Notes:
    """What is odd, and where; not more than somebody would read."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.texts: list[str] = []
        self._columns = columns

    def add(self, row: int, column: int | None, what: str) -> None:
        """One more."""
        where = f"row {row + 1:,}"
        if column is not None:
            name = self._columns[column] if column < len(self._columns) else str(column + 1)
            where += f", column '{name[:60]}'"
        if len(self.texts) < MOST_NOTES:
            self.texts.append(f"{where}: {what}")
        elif len(self.texts) == MOST_NOTES:
            self.texts.append("there is more of this kind on this page")
