"""A window of a text file of any size: its end at once, or from a byte on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

BYTES = 64_000  # of a window
PIECE = 1 << 20


class TextLine(NamedTuple):
    """A line, and the byte at which it begins."""

    at: int
    text: str


class TextWindow(NamedTuple):
    """Some lines of a file; ``before`` and ``after`` are where other windows begin, if any."""

    lines: Sequence[TextLine]
    start: int
    end: int
    size: int
    before: int | None
    after: int | None
    found: bool = True  # whether a search has found its text

    @classmethod
    def nothing(cls) -> TextWindow:
        """Of a file that is not there."""
        return cls((), 0, 0, 0, None, None)

    def to_json(self) -> Mapping[str, object]:
        """As pages give it to scripts."""
        return {
            "lines": [line.text for line in self.lines],
            "from": self.start,
            "to": self.end,
            "size": self.size,
            "before": self.before,
            "after": self.after,
        }


def text_window(path: Path, start: int = -1, search: str = "") -> TextWindow:
    """The lines from a byte on.

    Args:
        start: where it begins, which becomes the next beginning of a line; -1: so that it ends
            where the file does.
        search: a text: the window begins at the first line that has it, from ``start`` on.
    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        found = True
        if search:
            at = _search(file.fileno(), search.encode("utf-8", "surrogateescape"), max(start, 0))
            found = at >= 0
            start = at if found else start
        is_end = start < 0
        begin = max(0, size - BYTES) if is_end else min(start, size)
        file.seek(max(0, begin - 1))
        content = file.read(BYTES + 1)
    if begin > 0:  # the line in which the window begins belongs to the one before
        cut = content.find(b"\n") + 1 if content[:1] != b"\n" else 1
        begin += cut - 1
        content = content[cut:]
    else:
        content = content[:BYTES]
    if begin + len(content) < size and b"\n" in content:
        content = content[: content.rfind(b"\n") + 1]
    end = begin + len(content)
    before = max(0, begin - BYTES) if begin > 0 else None
    return TextWindow(
        _lines(content, begin), begin, end, size, before, end if end < size else None, found
    )


def _lines(content: bytes, begin: int) -> list[TextLine]:
    lines, at = [], begin
    for line in content.splitlines(keepends=True):
        lines.append(TextLine(at, line.decode("utf-8", "replace").rstrip("\r\n")))
        at += len(line)
    return lines


def _search(descriptor: int, wanted: bytes, start: int) -> int:
    """The byte at which the first line begins that has the text; -1: none has."""
    tail, at = b"", start
    while piece := os.pread(descriptor, PIECE, at):
        content = tail + piece
        where = content.find(wanted)
        if where >= 0:
            found = at - len(tail) + where
            before = os.pread(descriptor, min(found, BYTES), max(0, found - BYTES))
            return found - len(before) + before.rfind(b"\n") + 1
        tail = content[-len(wanted) :]
        at += len(piece)
    return -1
