"""The tables of shards: what a shard's table is like, and one table of all of them, streamed.

The rows stay as they are, byte for byte; a nameless first column that counts 0, 1, 2, …, as pandas
writes its index, counts on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO

from alo.errors import BatchError
from alo.tables.encodings import WIDE, encoding_of

QUOTE = b'"'
QUOTED = re.compile(rb'"[^"]*"')
# A first line that begins with no name, and what is between it and the next.
NAMELESS = re.compile(rb'(?:\xef\xbb\xbf)?(?:"")?([,;\t|])')


@dataclass(frozen=True, slots=True, kw_only=True)
class TableForm:
    """What a shard's table is like."""

    header: bytes  # with its line end
    rows: int
    counts: bool  # its first column has no name, and counts 0, 1, 2, …


def form_of(path: Path) -> TableForm:
    """Look through a table.

    Raises:
        OSError: it cannot be read.
        BatchError: its encoding or its ends of lines are none with which tables can be joined.
    """
    if (encoding := encoding_of(path).name) in WIDE:
        raise BatchError(
            f"a table in {encoding.upper()} cannot be joined with others",
            where=f"{path.parent.name}/{path.name}",  # of the run: its folder is gone by then
            fix="have the asset write UTF-8",
        )
    with open(path, "rb") as file:
        records = _records(file)
        header = next(records, b"")
        nameless = NAMELESS.match(header)
        delimiter = nameless[1] if nameless else b""
        rows, counts = 0, nameless is not None
        for record in records:
            counts = counts and _has_number(record, rows, delimiter)
            rows += 1
    if b"\r" in QUOTED.sub(b"", header).rstrip(b"\r\n"):
        raise BatchError(
            "a table whose lines end in \\r alone cannot be joined with others",
            where=f"{path.parent.name}/{path.name}",  # of the run: its folder is gone by then
            fix="have the asset end its lines with \\n or \\r\\n",
        )
    return TableForm(header=header, rows=rows, counts=counts)


def join(tables: Iterable[tuple[Path, TableForm]], target: BinaryIO, *, counts_on: bool) -> int:
    """Write all rows, in the order of the tables, below the header of the first.

    Args:
        counts_on: the first column of each counts, and continues to count.
    Returns:
        how many rows.
    Raises:
        OSError: a table cannot be read, or there is no room.
    """
    rows, is_first, ends_open = 0, True, False
    for path, form in tables:
        with open(path, "rb") as file:
            header = next(_records(file), b"")
            if is_first:
                target.write(header)
                ends_open = bool(header) and not header.endswith(b"\n")
            if ends_open and form.rows:
                target.write(_line_end(header))
            if counts_on and rows:
                last = _write_counted(file, target, rows)
            else:
                last = _write_as_it_is(file, target)
        is_first, rows = False, rows + form.rows
        ends_open = not last.endswith(b"\n") if last else ends_open and not form.rows
    return rows


def first_difference(one: Path, other: Path) -> tuple[int, bytes, bytes] | None:
    """The first row, from 1, that two tables do not have in common; None: there is none.

    Row 0 is the header; a row that is not there is empty.
    """
    with open(one, "rb") as left, open(other, "rb") as right:
        pairs = zip_longest(_records(left), _records(right), fillvalue=b"")
        for number, (mine, theirs) in enumerate(pairs):
            if mine != theirs:
                return number, mine, theirs
    return None


def _records(file: BinaryIO) -> Iterator[bytes]:
    """The records of a table: lines, but for line ends in quotes."""
    held: list[bytes] = []
    quotes = 0
    for line in file:
        if not held and QUOTE not in line:  # as most are
            yield line
            continue
        held.append(line)
        quotes += line.count(QUOTE)
        if quotes % 2 == 0:
            yield b"".join(held)
            held, quotes = [], 0
    if held:
        yield b"".join(held)


def _has_number(record: bytes, number: int, delimiter: bytes) -> bool:
    first = record.partition(delimiter)[0].strip(b'"\r\n')
    return first == b"%d" % number


def _write_counted(file: BinaryIO, target: BinaryIO, start: int) -> bytes:
    last = b""
    for number, record in enumerate(_records(file), start):
        old = b"%d" % (number - start)
        target.write(record.replace(old, b"%d" % number, 1))
        last = record
    return last


def _write_as_it_is(file: BinaryIO, target: BinaryIO) -> bytes:
    last = b""
    while piece := file.read(1 << 20):
        target.write(piece)
        last = piece
    return last


def _line_end(header: bytes) -> bytes:
    return b"\r\n" if header.endswith(b"\r\n") else b"\n"
