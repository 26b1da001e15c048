"""A whole table at once, however it is written: its columns, its rows, and what is odd about it."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from typing import overload

from alo.tables.encodings import UTF8, WIDE, Encoding, encoding_of
from alo.tables.records import Dialect, cells, dialect_of, records

TABLES = (".csv", ".tsv")  # endings of files that are read as tables
MOST_NOTES = 20


@dataclass(frozen=True, slots=True)
class WholeTable:
    """A table that was read."""

    columns: Sequence[str]  # each name once
    rows: Sequence[Sequence[str]]  # each as long as it is in the file
    encoding: str
    notes: Sequence[str]  # what is odd, for people

    def column(self, name: str) -> list[str]:
        """The cells of one column; of a row that ends before it, an empty one."""
        at = list(self.columns).index(name)
        rows = self.rows.up_to(at) if isinstance(self.rows, PlainRows) else self.rows
        return [row[at] if at < len(row) else "" for row in rows]


def is_table(path: Path) -> bool:
    """Whether a file is one by its name."""
    return path.suffix.lower() in TABLES


class PlainRows(Sequence[list[str]]):
    """The rows of a table without quotes: lines, each divided when it is asked for.

    A table so takes hardly more memory than its file, and rows that are gone through once are not
    all there at once.
    """

    def __init__(self, lines: Sequence[str], delimiter: str) -> None:
        self._lines, self._delimiter = lines, delimiter

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[list[str]]:
        return map(str.split, self._lines, repeat(self._delimiter))

    def up_to(self, at: int) -> Iterator[list[str]]:
        """The rows, of which the cells up to this one are divided."""
        return map(str.split, self._lines, repeat(self._delimiter), repeat(at + 1))

    @overload
    def __getitem__(self, at: int) -> list[str]: ...
    @overload
    def __getitem__(self, at: slice) -> PlainRows: ...
    def __getitem__(self, at: int | slice) -> list[str] | PlainRows:
        if isinstance(at, slice):
            return PlainRows(self._lines[at], self._delimiter)
        return self._lines[at].split(self._delimiter)


def read_table(path: Path) -> WholeTable:
    """Read a CSV or TSV.

    Raises:
        OSError: it cannot be read.
    """
    encoding = encoding_of(path)
    dialect = dialect_of(path, encoding)
    notes: list[str] = []
    if encoding.name != UTF8:
        notes.append(f"the file is no UTF-8; it is read as {encoding.name}")
    rows: Sequence[Sequence[str]] | None = _plain(path, encoding, dialect)
    if rows is None:
        rows = _as_usual(path, encoding, dialect)
    if rows is None:
        rows = _as_it_is(path, encoding, dialect, notes)
    if not rows:
        return WholeTable((), (), encoding.name, [*notes, "the file is empty"])
    return WholeTable(names_once(rows[0], notes), rows[1:], encoding.name, notes)


def columns_of(path: Path) -> Sequence[str]:
    """The names of a table's columns, each once; of an empty one, none.

    Raises:
        OSError: it cannot be read.
    """
    encoding = encoding_of(path)
    if encoding.name in WIDE:  # no byte alone says where a line ends
        return read_table(path).columns
    dialect = dialect_of(path, encoding)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        first = next(records(file.fileno(), dialect, encoding.mark, size), None)
    return names_once(cells(first.content, dialect).texts, []) if first else ()


def first_cells(path: Path, name: str, most: int) -> list[str]:
    """The cells of one column in the first rows of a table that has it, so many at most.

    Raises:
        OSError: it cannot be read.
    """
    encoding = encoding_of(path)
    if encoding.name in WIDE:  # no byte alone says where a line ends
        return read_table(path).column(name)[:most]
    dialect = dialect_of(path, encoding)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        found = records(file.fileno(), dialect, encoding.mark, size)
        head = next(found)
        at = names_once(cells(head.content, dialect).texts, []).index(name)
        rows = (cells(each.content, dialect).texts for each in found)
        first = islice((row for row in rows if row != [""]), most)
        return [row[at] if at < len(row) else "" for row in first]


def names_once(names: Sequence[str], notes: list[str]) -> list[str]:
    """The names of columns, each once: what is there twice has its number behind it.

    Args:
        notes: what is odd about them is added here.
    """
    counts = Counter(names)
    if twice := [name for name, count in counts.items() if count > 1 and name]:
        notes.append(f"columns with the same name, here numbered: {', '.join(twice[:10])}")
    made: list[str] = []
    used: set[str] = set()
    given = set(names)
    for at, name in enumerate(names):
        own = first = name or f"column {at + 1}"
        number = 1
        while own in used or (own != name and own in given):
            number += 1
            own = f"{first} ({number})"
        used.add(own)
        made.append(own)
    return made


def _plain(path: Path, encoding: Encoding, dialect: Dialect) -> PlainRows | None:
    """The rows of a file without a quote, where each line is one; None: it has some."""
    content = path.read_bytes()
    returns = content.count(b"\r")
    if b'"' in content or returns != content.count(b"\r\n"):
        return None
    try:
        text = content[encoding.mark :].decode(encoding.name)
    except UnicodeDecodeError:
        return None
    if returns and returns != text.count("\n"):  # of some lines only
        text, returns = text.replace("\r\n", "\n"), 0
    lines = text.split("\r\n" if returns else "\n")
    return PlainRows([line for line in lines if line], dialect.delimiter.decode())


def _as_usual(path: Path, encoding: Encoding, dialect: Dialect) -> list[list[str]] | None:
    """The rows of a file that is written as RFC 4180 asks; None: it is not."""
    if dialect.line_end == b"\r":
        return None
    try:
        with open(path, "rb") as file:
            file.seek(encoding.mark)
            text = io.TextIOWrapper(file, encoding.name, newline="")
            reader = csv.reader(text, delimiter=dialect.delimiter.decode(), strict=True)
            return [row for row in reader if row]
    except (csv.Error, UnicodeDecodeError):
        return None


def _as_it_is(
    path: Path, encoding: Encoding, dialect: Dialect, notes: list[str]
) -> list[list[str]]:
    """The rows of a file of which something is broken: that costs its own row, not the rest."""
    if encoding.name in WIDE:  # no byte alone says where a line ends
        text = path.read_bytes()[encoding.mark :].decode(encoding.name, "replace")
        notes.append("quotes are not closed, or bytes are broken")
        return [line.split(dialect.delimiter.decode()) for line in text.splitlines() if line]
    found: list[list[str]] = []
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        for number, record in enumerate(records(file.fileno(), dialect, encoding.mark, size), 1):
            read = cells(record.content, dialect)
            if read.texts != [""]:
                found.append(read.texts)
            if len(notes) >= MOST_NOTES:
                continue
            if read.broken:
                notes.append(f"row {number}, column {read.broken[0] + 1}: a quote is not closed")
            if read.is_odd:
                notes.append(f"row {number}: bytes that are no {encoding.name}")
    return found
