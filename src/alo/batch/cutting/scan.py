"""Where rows of a CSV end, a chunk at a time: with numpy where it is installed, else by a walk.

What is a row is in ``walk``. With numpy a chunk is looked at as a whole: a byte is in quotes if an
odd number of them comes before it. That holds as long as each quote that opens is where a cell
begins; a chunk in which one does not is walked through.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from alo.batch.cutting.walk import CLOSING, CR, FIELD, LF, PLAIN, QUOTE, QUOTED, RECORD, walked_ends

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Marks = NDArray[np.bool_]  # one for each byte

WORD = 64  # bits


def count_rows(chunk: bytes, state: int, delimiter: bytes) -> tuple[int, int]:
    """How many rows end in a chunk, and what comes before the next one."""
    if (marked := _marked(chunk, state, delimiter)) is None:
        ends, state = walked_ends(chunk, state, delimiter)
        return len(ends), state
    import numpy as np  # which is there, then

    return int(np.count_nonzero(marked[0])), marked[1]


def row_ends(chunk: bytes, state: int, delimiter: bytes) -> tuple[Sequence[int], int]:
    """The last byte of each row that ends in a chunk, and what comes before the next one."""
    if (marked := _marked(chunk, state, delimiter)) is None:
        return walked_ends(chunk, state, delimiter)
    return marked[0].nonzero()[0].tolist(), marked[1]


def _marked(chunk: bytes, state: int, delimiter: bytes) -> tuple[Marks, int] | None:
    """Whether a row ends at each byte; None: it takes a walk to find out."""
    try:
        import numpy as np
    except ModuleNotFoundError:
        return None
    content = np.frombuffer(chunk, np.uint8)
    ends = content == LF
    returns = None
    if b"\r" in chunk:
        returns = content == CR
        ends[:-1] |= returns[:-1] & ~ends[1:]
        ends[-1] |= returns[-1]
    state_after = _state_after(chunk, delimiter)
    if state == QUOTED or b'"' in chunk:
        quotes = content == QUOTE
        inside = _inside(quotes, state == QUOTED)
        may_open = ends | quotes | (content == delimiter[0])
        if returns is not None:
            may_open |= returns
        opening = quotes & inside
        if (opening[1:] & ~may_open[:-1]).any() or (opening[0] and state == PLAIN):
            return None
        ends &= ~inside
        state_after = QUOTED if inside[-1] else state_after
    _drop_blank(ends, returns, state)
    return ends, state_after


def _state_after(chunk: bytes, delimiter: bytes) -> int:
    if chunk.endswith((b"\n", b"\r")):
        return RECORD
    if chunk.endswith(delimiter):
        return FIELD
    return CLOSING if chunk.endswith(b'"') else PLAIN


def _inside(quotes: Marks, is_inside: bool) -> Marks:
    """Whether an odd number of quotes is up to each byte: the exclusive or of all bits so far."""
    import numpy as np

    packed = np.packbits(quotes, bitorder="little")
    words: NDArray[np.uint64] = np.zeros(-(-len(quotes) // WORD), "<u8")
    words.view(np.uint8)[: len(packed)] = packed
    shift = 1
    while shift < WORD:
        words ^= words << np.uint64(shift)
        shift *= 2
    odd = np.bitwise_xor.accumulate(words >> np.uint64(WORD - 1))  # up to the end of each word
    words[1:] ^= np.uint64(0) - odd[:-1]
    if is_inside:
        words = ~words
    bits: Any = np.unpackbits(words.view(np.uint8), count=len(quotes), bitorder="little")
    marks: Marks = bits.view(np.bool_)
    return marks


def _drop_blank(ends: Marks, returns: Marks | None, state: int) -> None:
    """Leave out the ends of lines with nothing on them."""
    blank = ends[1:] & ends[:-1]
    if returns is not None:  # \r\n, of which only the second one is an end
        pairs = ends[1:] & returns[:-1]
        pairs[1:] &= ends[:-2]
        pairs[:1] &= state == RECORD
        blank |= pairs
    is_first = bool(ends[0]) and state == RECORD
    if blank.any():
        ends[1:] &= ~blank
    if is_first:
        ends[0] = False
