"""A CSV whose rows are cut: what it is like, and at which bytes its rows begin and end."""

from __future__ import annotations

import csv
import io
import os
from array import array
from bisect import bisect_right
from codecs import BOM_UTF32_BE, BOM_UTF32_LE
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from math import isfinite

from alo.batch.cutting.scan import count_rows, row_ends
from alo.batch.cutting.shard import CsvRows, CsvTable
from alo.batch.cutting.unchanged import changed, opened, opened_first
from alo.batch.cutting.walk import QUOTED, RECORD
from alo.data.location import SourceFile
from alo.errors import CutError
from alo.tables.encodings import SAMPLE, WIDE, encoding_in
from alo.tables.records import STEP, dialect_in

# Bytes that are looked at together. What is made of more is fresh memory each time, from glibc, and
# its pages cost more than the look.
CHUNK = 1 << 17
MOST_HEAD = 1 << 26  # bytes of a first row
PACKED = {  # what a file begins with that is no text
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}
ZERO, OTHER = 0, 0xFF
_MASK = bytes(OTHER if byte else ZERO for byte in range(256))


def look_at(file: SourceFile) -> CsvTable:
    """What a CSV is like, by its first bytes.

    Raises:
        CutError: its rows cannot be separated from each other.
        StagingError: it cannot be read, or is not what was listed.
    """
    with opened_first(file) as (descriptor, inode):
        sample = os.pread(descriptor, SAMPLE, 0)
        _refuse_unreadable(file, sample)
        encoding = encoding_in(sample)
        delimiter = dialect_in(sample[:STEP], os.path.splitext(file.name)[1], encoding).delimiter
        table = CsvTable(file, inode, encoding.mark, (), 0, encoding, delimiter)
        first = _first_row(descriptor, table)
    if first is None:
        return table
    cells, end = first
    if _are_values(cells):
        return replace(table, width=len(cells))
    return replace(table, head=end, columns=cells, width=len(cells))


@dataclass(frozen=True, slots=True)
class RowIndex:
    """How many rows come before each chunk of a span, so that any row is found by one chunk."""

    table: CsvTable
    first_row: int  # of the span
    start: int
    end: int
    rows: int
    chunks: array[int]  # the byte at which each begins
    before: array[int]  # rows of the span that have ended there
    states: bytes  # what comes before it

    def pieces(self, borders: Sequence[int]) -> Iterator[CsvRows]:
        """The rows between each two borders, which rise from 0 to the number of rows."""
        places = [self.start, *self._ends(borders[1:-1]), self.end]
        for (first, last), (start, end) in zip(pairwise(borders), pairwise(places), strict=True):
            yield CsvRows(self.table, self.first_row + first, last - first, start, end)

    def _ends(self, wanted: Sequence[int]) -> Iterator[int]:
        """The bytes behind the rows before these, each of which is above 0."""
        if not wanted:
            return
        with opened(self.table) as descriptor:
            at, ends, before = -1, list[int](), 0
            for row in wanted:
                chunk = bisect_right(self.before, row - 1) - 1
                if chunk != at:
                    at, before = chunk, self.before[chunk]
                    ends = self._ends_in(descriptor, chunk)
                yield ends[row - 1 - before]

    def _ends_in(self, descriptor: int, chunk: int) -> list[int]:
        start = self.chunks[chunk]
        _, content = next(chunks_of(descriptor, self.table, start, self.end))
        found, _ = row_ends(content, self.states[chunk], self.table.delimiter)
        return [start + (last + 1) * self.table.unit for last in found]


def index_of(table: CsvTable) -> RowIndex:
    """Where the rows of a table are.

    Raises:
        CutError: a quote is not closed.
        StagingError: it cannot be read, or has changed.
    """
    return _index(table, 0, table.head, max(table.head, table.file.size))


def index_of_piece(piece: CsvRows) -> RowIndex:
    """Where the rows of a piece are."""
    return _index(piece.table, piece.first_row, piece.start, piece.end)


def _index(table: CsvTable, first_row: int, start: int, end: int) -> RowIndex:
    chunks, before, states = array("q"), array("q"), bytearray()
    state, rows = RECORD, 0
    with opened(table) as descriptor:
        for at, content in chunks_of(descriptor, table, start, end):
            chunks.append(at)
            before.append(rows)
            states.append(state)
            found, state = count_rows(content, state, table.delimiter)
            rows += found
    index = RowIndex(table, first_row, start, end, rows, chunks, before, bytes(states))
    if state == QUOTED:
        raise _unclosed(index)
    return index if state == RECORD else replace(index, rows=rows + 1)


def chunks_of(
    descriptor: int, table: CsvTable, start: int, end: int
) -> Iterator[tuple[int, bytes]]:
    """The bytes of a span, one for each unit of its encoding, and at which byte each chunk begins.

    No ``\\r`` is the last one of a chunk, unless the file ends there.
    """
    at = start
    while at < end:
        raw = os.pread(descriptor, min(CHUNK, end - at), at)
        if not raw:
            raise changed(table.file)
        content = _narrow(raw, table)
        if content.endswith(b"\r") and at + len(raw) < end:
            content = content[:-1]
        if not content:  # half a unit, of a file that is cut off
            return
        yield at, content
        at += len(content) * table.unit


def _narrow(raw: bytes, table: CsvTable) -> bytes:
    """One byte for each unit: that of an ASCII character, or one that no such character has."""
    if table.unit == 1:
        return raw
    is_little = table.encoding.name == WIDE[0]
    raw = raw[: len(raw) // 2 * 2]
    low, high = (raw[::2], raw[1::2]) if is_little else (raw[1::2], raw[::2])
    if not any(high):
        return low
    masked = int.from_bytes(low, "little") | int.from_bytes(high.translate(_MASK), "little")
    return masked.to_bytes(len(low), "little")


def _first_row(descriptor: int, table: CsvTable) -> tuple[tuple[str, ...], int] | None:
    """The cells of the first row, and the byte behind it; None: there is no row."""
    start = table.encoding.mark
    state, size = RECORD, os.fstat(descriptor).st_size
    for at, content in chunks_of(descriptor, table, start, min(size, start + MOST_HEAD)):
        ends, state = row_ends(content, state, table.delimiter)
        if ends:
            end = at + (ends[0] + 1) * table.unit
            break
    else:
        if size - start > MOST_HEAD or state == QUOTED:
            raise CutError(
                f"{table.file.name}: its first row does not end",
                fix="see that its quotes are closed and its lines end; or cut by --files-per-shard",
            )
        if state == RECORD:
            return None
        end = size
    text = os.pread(descriptor, end - start, start).decode(table.encoding.name, "replace")
    return next(filter(None, _read(text, table)), ("",)), end


def read_rows(piece: CsvRows) -> Iterator[tuple[str, ...]]:
    """The cells of each row of a piece."""
    with opened(piece.table) as descriptor:
        content = os.pread(descriptor, piece.end - piece.start, piece.start)
    text = content.decode(piece.table.encoding.name, "replace")
    yield from islice(filter(None, _read(text, piece.table)), piece.rows)


def _read(text: str, table: CsvTable) -> Iterator[tuple[str, ...]]:
    limit = csv.field_size_limit(max(len(text), csv.field_size_limit()))
    try:
        # Python 3.10 refuses NUL; without it a row of nothing else would be none.
        lines = io.StringIO(text.replace("\0", "\ufffd"), newline="")
        for row in csv.reader(lines, delimiter=table.delimiter.decode()):
            yield tuple(row)
    finally:
        csv.field_size_limit(limit)


def _are_values(cells: Sequence[str]) -> bool:
    """Whether a first row is one of numbers that hardly name columns: the table has no header."""
    numbers: list[float] = []
    with suppress(ValueError):
        numbers = [float(cell) for cell in cells]
    if not numbers or not all(map(isfinite, numbers)):
        return False
    return len(set(numbers)) < len(numbers) or not all(map(float.is_integer, numbers))


def _refuse_unreadable(file: SourceFile, sample: bytes) -> None:
    for mark, name in PACKED.items():
        if sample.startswith(mark):
            raise packed(file, name)
    if sample.startswith((BOM_UTF32_LE, BOM_UTF32_BE)):
        raise CutError(
            f"{file.name} is in UTF-32, whose rows are not cut",
            fix="save it as UTF-8; or cut by --files-per-shard",
        )


def packed(file: SourceFile, name: str) -> CutError:
    """What is wrong with rows of a compressed file."""
    return CutError(
        f"{file.name} is compressed ({name}): no row of it can be read without all before it",
        fix="unpack it first; or cut by --files-per-shard",
    )


def _unclosed(index: RowIndex) -> CutError:
    start = next(iter(index._ends([index.rows])), index.start) if index.rows else index.start
    row = index.first_row + index.rows + 1
    return CutError(
        f"{index.table.file.name}: a quote in row {row:,}, which begins at byte {start:,}, "
        "is not closed up to the end of the file",
        fix="close it, or write a quote inside of a quoted cell twice",
    )
