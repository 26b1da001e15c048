"""The records of a CSV or TSV: where each ends, and its cells, whatever is wrong with it.

A cell is quoted if it begins with a quote and its end is a quote before a delimiter or a line's
end, as RFC 4180 has it. What begins with a quote and does not end so is taken as it is, up to the
next delimiter: one quote too many costs its own record, not the rest of the table.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from alo.tables.encodings import Encoding

STEP = 1 << 17  # bytes that are read at once
MOST_RECORD = 1 << 25  # bytes; a longer one is shown as several
DELIMITERS = (b",", b";", b"\t", b"|")


class Dialect(NamedTuple):
    """How a table is written."""

    delimiter: bytes
    line_end: bytes  # of the last byte: \\n, also after a \\r, or \\r alone
    encoding: Encoding


class Record(NamedTuple):
    """One record: where it begins, and its bytes without the line's end."""

    at: int
    content: bytes
    end: int  # where the next one begins


class Cells(NamedTuple):
    """The cells of a record, and which of them have a quote that is not closed."""

    texts: list[str]
    broken: list[int]
    is_odd: bool  # whether it has bytes that its encoding does not


class _Patterns(NamedTuple):
    """What finds the ends of records and cells."""

    record: re.Pattern[bytes]
    quoted: re.Pattern[bytes]
    unclosed: re.Pattern[bytes]  # a cell of which more bytes would say whether it is quoted


def dialect_of(path: Path, encoding: Encoding) -> Dialect:
    """How a table is written, by its first lines."""
    with open(path, "rb") as file:
        return dialect_in(file.read(STEP), path.suffix, encoding)


def dialect_in(sample: bytes, suffix: str, encoding: Encoding) -> Dialect:
    """How a table is written that begins with these bytes, in a file whose name ends so."""
    bare = re.sub(rb'"[^"]*"', b"", sample[encoding.mark :])
    line_end = b"\r" if b"\r" in bare and b"\n" not in bare else b"\n"
    delimiter = b"\t" if suffix.lower() == ".tsv" else b","
    first = bare.lstrip(b"\r\n").partition(line_end)[0]
    if delimiter not in first:
        counts = {each: first.count(each) for each in DELIMITERS}
        best = max(counts, key=lambda each: counts[each])
        delimiter = best if counts[best] else delimiter
    return Dialect(delimiter, line_end, encoding)


def records(descriptor: int, dialect: Dialect, at: int, end: int) -> Iterator[Record]:
    """The records from a byte on, at which one begins, up to where the file ends."""
    length = STEP
    while at < end:
        buffer = os.pread(descriptor, min(length, end - at), at)
        if not buffer:
            return
        is_whole = at + len(buffer) >= end
        is_full = len(buffer) >= MOST_RECORD
        position = 0
        while position < len(buffer):
            is_last = is_whole or (is_full and not position)
            stop = record_end(buffer, position, dialect, is_last=is_last)
            if stop is None:
                break
            content = _without_end(buffer[position:stop], dialect.line_end)
            yield Record(at + position, content, at + stop)
            position = stop
        # A record longer than what was read: twice as much, not one step after the other.
        length = STEP if position else min(2 * length, MOST_RECORD)
        at += position


def record_end(
    buffer: bytes | bytearray, at: int, dialect: Dialect, *, is_last: bool
) -> int | None:
    """Where the record ends that begins at a byte; None: that cannot be told without more bytes."""
    line = buffer.find(dialect.line_end, at)
    stop = line + 1 if line >= 0 else len(buffer)
    if buffer.find(b'"', at, stop) < 0:
        return stop if line >= 0 or is_last else None
    patterns = _patterns(dialect.delimiter, dialect.line_end)
    found = patterns.record.match(buffer, at)
    if found is None:  # the pattern takes anything
        return len(buffer)
    if is_last:
        return found.end()
    if not found[0].endswith(dialect.line_end):
        return None
    for position in _literal_quotes(found[0], dialect, patterns):
        if patterns.unclosed.match(buffer, at + position):
            return None
    return found.end()


def cells(record: bytes, dialect: Dialect) -> Cells:
    """The cells of a record."""
    if b'"' not in record:
        with suppress(UnicodeDecodeError):  # the usual row, all of its cells at once
            text = record.decode(dialect.encoding.name)
            return Cells(text.split(dialect.delimiter.decode()), [], False)
    parts, broken = _parts(record, dialect)
    texts, is_odd = [], False
    for part in parts:
        text, odd = _decoded(part, dialect.encoding.name)
        texts.append(text)
        is_odd = is_odd or odd
    return Cells(texts, broken, is_odd)


def raw_cells(record: bytes, dialect: Dialect) -> list[bytes]:
    """The cells of a record as they are written, quotes included."""
    if b'"' not in record:
        return record.split(dialect.delimiter)
    quoted = _patterns(dialect.delimiter, dialect.line_end).quoted
    parts: list[bytes] = []
    at = 0
    while True:
        found = quoted.match(record, at)
        stop = found.end() if found else record.find(dialect.delimiter, at)
        stop = len(record) if stop < 0 else stop
        parts.append(record[at:stop])
        at = stop
        if at >= len(record):
            return parts
        at += 1


def _parts(record: bytes, dialect: Dialect) -> tuple[list[bytes], list[int]]:
    if b'"' not in record:
        return record.split(dialect.delimiter), []
    quoted = _patterns(dialect.delimiter, dialect.line_end).quoted
    parts: list[bytes] = []
    broken: list[int] = []
    at = 0
    while True:
        if found := quoted.match(record, at):
            parts.append(found[0][1:-1].replace(b'""', b'"'))
            at = found.end()
        else:
            stop = record.find(dialect.delimiter, at)
            part = record[at:] if stop < 0 else record[at:stop]
            if part.startswith(b'"'):
                broken.append(len(parts))
            parts.append(part)
            at += len(part)
        if at >= len(record):
            return parts, broken
        at += 1


def _literal_quotes(record: bytes, dialect: Dialect, patterns: _Patterns) -> Iterator[int]:
    """Where cells begin with a quote and are not quoted."""
    at = 0
    while at < len(record):
        if found := patterns.quoted.match(record, at):
            at = found.end() + 1
            continue
        if record[at : at + 1] == b'"':
            yield at
        stop = record.find(dialect.delimiter, at)
        at = len(record) if stop < 0 else stop + 1


def _decoded(part: bytes, encoding: str) -> tuple[str, bool]:
    try:
        return part.decode(encoding), False
    except UnicodeDecodeError:
        pass
    try:
        return part.decode("cp949"), True
    except UnicodeDecodeError:
        return part.decode(encoding, "replace"), True


def _without_end(record: bytes, line_end: bytes) -> bytes:
    if not record.endswith(line_end):
        return record
    record = record[:-1]
    return record[:-1] if line_end == b"\n" and record.endswith(b"\r") else record


@cache
def _patterns(delimiter: bytes, line_end: bytes) -> _Patterns:
    between = re.escape(delimiter)
    ending = rb"\r?\n" if line_end == b"\n" else rb"\r"
    start = rb'"[^"]*(?:""[^"]*)*'
    quoted = start + rb'"(?=' + between + rb"|" + ending + rb"|\Z)"
    plain = rb"[^" + between + re.escape(line_end) + rb"]*"
    cell = rb"(?:" + quoted + rb"|" + plain + rb")"
    record = cell + rb"(?:" + between + cell + rb")*(?:" + ending + rb"|\Z)"
    return _Patterns(re.compile(record), re.compile(quoted), re.compile(start + rb'"?\r?\Z'))
