"""A whole table at once, however it is written: its columns, its rows, and what is odd about it."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alo.tables.encodings import UTF8, WIDE, Encoding, encoding_of
from alo.tables.records import Dialect, cells, dialect_of, records

MOST_NOTES = 20


@dataclass(frozen=True, slots=True)
class WholeTable:
    """A table that was read."""

    columns: Sequence[str]  # each name once
    rows: Sequence[Sequence[str]]  # each as long as it is in the file
    encoding: str
    notes: Sequence[str]  # what is odd, for people


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
    rows = _as_usual(path, encoding, dialect)
    if rows is None:
        rows = _as_it_is(path, encoding, dialect, notes)
    if not rows:
        return WholeTable((), (), encoding.name, [*notes, "the file is empty"])
    return WholeTable(
        names_once(rows[0], notes), [row for row in rows[1:] if row], encoding.name, notes
    )


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


def _as_usual(path: Path, encoding: Encoding, dialect: Dialect) -> list[list[str]] | None:
    """The rows of a file that is written as RFC 4180 asks; None: it is not."""
    if dialect.line_end == b"\r":
        return None
    try:
        with open(path, "rb") as file:
            file.seek(encoding.mark)
            text = io.TextIOWrapper(file, encoding.name, newline="")
            return list(csv.reader(text, delimiter=dialect.delimiter.decode(), strict=True))
    except (csv.Error, UnicodeDecodeError):
        return None


def _as_it_is(
    path: Path, encoding: Encoding, dialect: Dialect, notes: list[str]
) -> list[list[str]]:
    """The rows of a file of which something is broken: that costs its own row, not the rest."""
    if encoding.name in WIDE:  # no byte alone says where a line ends
        text = path.read_bytes()[encoding.mark :].decode(encoding.name, "replace")
        notes.append("quotes are not closed, or bytes are broken")
        return [line.split(dialect.delimiter.decode()) for line in text.splitlines()]
    found: list[list[str]] = []
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        for number, record in enumerate(records(file.fileno(), dialect, encoding.mark, size), 1):
            read = cells(record.content, dialect)
            found.append(read.texts if read.texts != [""] else [])
            if len(notes) >= MOST_NOTES:
                continue
            if read.broken:
                notes.append(f"row {number}, column {read.broken[0] + 1}: a quote is not closed")
            if read.is_odd:
                notes.append(f"row {number}: bytes that are no {encoding.name}")
    return found
