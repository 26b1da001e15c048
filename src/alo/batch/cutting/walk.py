"""Where rows of a CSV end, as Python's csv and pandas read it, whatever its quotes are like.

A quote counts where a cell begins. In a quoted cell two are one; what follows the closing one, up
to the delimiter, is taken as it is, quotes too. Each end of a line outside of quotes ends a row:
``\\n``, ``\\r\\n`` or ``\\r``; a line with nothing on it is no row.
"""

from __future__ import annotations

import re
from functools import cache

# What comes before a byte.
RECORD, FIELD, PLAIN, QUOTED, CLOSING = range(5)
QUOTE, LF, CR = b'"'[0], b"\n"[0], b"\r"[0]
_LINE_END = re.compile(rb"\r\n|\n|\r")


def walked_ends(chunk: bytes, state: int, delimiter: bytes) -> tuple[list[int], int]:
    """The last byte of each row that ends in a chunk, and what comes before the next chunk.

    Args:
        chunk: no ``\\r`` is its last byte, unless the file ends there.
        state: what comes before the chunk.
    """
    stops, ends = _stops(delimiter), list[int]()
    at, size = 0, len(chunk)
    while at < size:
        if state == RECORD:
            line = _LINE_END.search(chunk, at)
            stop = line.start() if line else size
            if chunk.find(b'"', at, stop) >= 0:
                state = FIELD
            elif line is None:
                state, at = (FIELD if chunk.endswith(delimiter) else PLAIN), size
            else:
                if stop > at:
                    ends.append(line.end() - 1)
                at = line.end()
        elif state == QUOTED:
            found = chunk.find(b'"', at)
            state, at = (CLOSING, found + 1) if found >= 0 else (QUOTED, size)
        elif chunk[at] == QUOTE and state in (FIELD, CLOSING):
            state, at = QUOTED, at + 1
        elif (cell := stops.search(chunk, at)) is None:
            state, at = PLAIN, size
        elif cell[0] == delimiter:
            state, at = FIELD, cell.end()
        else:
            ends.append(cell.end() - 1)
            state, at = RECORD, cell.end()
    return ends, state


@cache
def _stops(delimiter: bytes) -> re.Pattern[bytes]:
    return re.compile(re.escape(delimiter) + rb"|\r\n|\n|\r")
