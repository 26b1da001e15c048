"""Where the rows of a large table are: one mark for each piece of the file, and their number.

The file is gone through once, a piece at a time, with numpy; where a piece has a quote that is not
closed, that piece is gone through record by record, so that both always agree.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from alo.files import write_whole
from alo.tables.records import MOST_RECORD, STEP, Dialect, record_end

if TYPE_CHECKING:
    from numpy import intp, uint8
    from numpy.typing import NDArray

SMALL = 1 << 20  # bytes of a table that is counted at once, without numpy


class Mark(NamedTuple):
    """A row, and the byte at which it begins."""

    row: int
    at: int


class Piece(NamedTuple):
    """Some rows of a table: the first, where it begins, and where the last one ends."""

    row: int
    at: int
    end: int


class TableIndex:
    """The marks of a table.

    Args:
        numbers: how many rows there are, then row and byte of each mark in turn.
        size: of the table.
    """

    def __init__(self, numbers: array[int], size: int) -> None:
        self.total = numbers[0]
        self._rows, self._bytes = numbers[1::2], numbers[2::2]
        self._size = size

    def piece(self, row: int) -> Piece:
        """The piece that has a row; for one behind the last, the last."""
        at = max(0, bisect_right(self._rows, row) - 1)
        is_last = at + 1 >= len(self._bytes)
        end = self._size if is_last else self._bytes[at + 1]
        return Piece(self._rows[at], self._bytes[at], end)


def load_index(cached: Path, size: int) -> TableIndex | None:
    """The index that was stored; None: there is none."""
    with suppress(OSError, ValueError):
        numbers = array("Q", cached.read_bytes())
        if len(numbers) >= 3:
            return TableIndex(numbers, size)
    return None


def make_index(path: Path, dialect: Dialect, begin: int, cached: Path) -> TableIndex:
    """Go through a table, and store where its rows are.

    Args:
        begin: where its first row begins, behind the names of its columns.
    """
    numbers = array("Q", [0, 0, begin])
    total = 0
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        for rows, end in _pieces(file.fileno(), dialect, begin, size):
            total += rows
            if end < size:
                numbers.extend((total, end))
    numbers[0] = total
    # A cache that cannot be stored is made again: a disk that is full loses nobody anything.
    with suppress(OSError):
        cached.parent.mkdir(parents=True, exist_ok=True)
        write_whole(cached, numbers.tobytes(), durable=False)
    return TableIndex(numbers, size)


def _pieces(descriptor: int, dialect: Dialect, at: int, size: int) -> Iterator[tuple[int, int]]:
    """Pieces of whole records: how many each has, and where it ends."""
    length = STEP
    buffer = bytearray(STEP)
    while at < size:
        if len(buffer) < length:
            buffer = bytearray(length)
        count = os.preadv(descriptor, [memoryview(buffer)[: min(length, size - at)]], at)
        if not count:
            return
        is_last = at + count >= size
        quick = None if size <= SMALL else _split(buffer, count, dialect, is_last=is_last)
        rows, used = quick or _split_slowly(bytes(buffer[:count]), dialect, is_last=is_last)
        if used:
            at += used
            yield rows, at
        length = STEP if used else min(2 * length, MOST_RECORD)


def row_start(descriptor: int, dialect: Dialect, piece: Piece, row: int) -> int:
    """The byte at which a row of a piece begins; the piece's end, if it has fewer."""
    wanted = row - piece.row
    if not wanted:
        return piece.at
    content = bytearray(os.pread(descriptor, piece.end - piece.at, piece.at))
    ends = _ends(content, len(content), dialect)
    if ends is not None and wanted <= len(ends):
        return piece.at + int(ends[wanted - 1]) + 1
    at = 0
    for _ in range(wanted):
        if (stop := record_end(content, at, dialect, is_last=True)) is None:
            break
        at = stop
    return piece.at + at


def _split(
    buffer: bytearray, count: int, dialect: Dialect, *, is_last: bool
) -> tuple[int, int] | None:
    """How many whole records a piece has, and their bytes; None: it has odd quotes."""
    import numpy as np

    if buffer.find(b'"', 0, count) < 0:
        used = buffer.rfind(dialect.line_end, 0, count) + 1
        content = np.frombuffer(buffer, dtype=np.uint8, count=used)
        rows = int(np.count_nonzero(content == dialect.line_end[0]))
    else:
        ends = _ends(buffer, count, dialect)
        if ends is None or not len(ends):
            return None
        rows, used = len(ends), int(ends[-1]) + 1
    if is_last and used < count:
        if b'"' in buffer[used:count]:
            return None
        return rows + 1, count
    return (rows, used) if used else None


def _ends(buffer: bytearray, count: int, dialect: Dialect) -> NDArray[intp] | None:
    """Where the lines end that no cell has in it; None: a quote before the last is odd."""
    import numpy as np

    content = np.frombuffer(buffer, dtype=np.uint8, count=count)
    ends: NDArray[intp] = np.flatnonzero(content == dialect.line_end[0])
    if buffer.find(b'"', 0, count) < 0:
        return ends
    quotes = np.flatnonzero(content == 34)
    ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    if not len(ends):
        return ends
    inside = quotes[: np.searchsorted(quotes, ends[-1])]
    return ends if _are_well(content, inside, dialect, count) else None


def _are_well(content: NDArray[uint8], quotes: NDArray[intp], dialect: Dialect, count: int) -> bool:
    """Whether each quote that opens a cell is at its beginning, and each that closes at its end."""
    import numpy as np

    opening, closing = quotes[::2], quotes[1::2]
    before = content[np.maximum(opening - 1, 0)]
    follows = np.zeros(len(opening), dtype=bool)
    follows[1:] = opening[1:] == closing[:-1] + 1  # two in a row are one of the text
    delimiter, line_end = dialect.delimiter[0], dialect.line_end[0]
    if not np.all((before == delimiter) | (before == line_end) | follows | (opening == 0)):
        return False
    after = content[np.minimum(closing + 1, count - 1)]
    leads = np.zeros(len(closing), dtype=bool)
    leads[:-1] = follows[1:]
    is_end = (after == delimiter) | (after == line_end) | (closing == count - 1)
    if dialect.line_end == b"\n":
        behind = content[np.minimum(closing + 2, count - 1)]
        is_end |= (after == 13) & (behind == line_end)
    return bool(np.all(is_end | leads))


def _split_slowly(buffer: bytes, dialect: Dialect, *, is_last: bool) -> tuple[int, int]:
    """The same, record by record."""
    rows = position = 0
    is_full = len(buffer) >= MOST_RECORD
    while position < len(buffer):
        may_end = is_last or (is_full and not position)
        stop = record_end(buffer, position, dialect, is_last=may_end)
        if stop is None:
            break
        rows += 1
        position = stop
    return rows, position
