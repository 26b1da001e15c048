"""The lines of a version's ``rows.jsonl``: found, filtered and read without all of them being kept.

A version may have a hundred thousand. What stays in memory of each is where it begins and what
filters ask for; a file that is another one by its time or size is read anew.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from alo.datasets.rows import is_row
from alo.json_text import json_text, json_value, ordinary_bytes

Line = Mapping[str, Any]
KEPT = 16  # files
_PART = 500  # lines that are parsed at once: half as long as one by one
_KEYS = (
    "record", "content", "run", "model", "predicted", "certainty", "old", "new", "source",
    "weight", "split", "by", "at", "null",
)  # fmt: skip
_STRUCTURE = frozenset('":,{}[] \\')  # what may stand between the values of a line


class Facets(NamedTuple):
    """What rows are filtered by."""

    split: str
    new: str  # the label
    source: str


@dataclass(frozen=True, slots=True)
class RowLines:
    """Where the rows of a file are."""

    path: Path
    lines: Sequence[int]  # the line that each row is, from 0
    starts: Sequence[int]  # the byte at which it begins
    facets: Sequence[Facets]  # of each row
    notes: Sequence[str]  # the lines that are no rows

    def find(self, wanted: Mapping[str, str], text: str = "") -> Sequence[int]:
        """The numbers of the rows that meet all filters.

        Args:
            wanted: facet → its value.
            text: that is in one of the values, whatever the case of letters.
        Raises:
            OSError: the file cannot be read.
        """
        kinds = {
            each
            for each in set(self.facets)
            if all(getattr(each, name) == value for name, value in wanted.items())
        }
        found = [at for at, each in enumerate(self.facets) if each in kinds]
        return self._with_text(found, text.lower()) if text else found

    def read(self, numbers: Iterable[int]) -> Iterator[Line]:
        """These rows; one that is none any more is left out.

        Raises:
            OSError: the file cannot be read.
        """
        wanted = list(numbers)
        if not wanted:  # of a file that cannot be read, it is not opened either
            return
        with open(self.path, "rb") as file:
            for number in wanted:
                file.seek(self.starts[number])
                if (row := _row_of(file.readline())) is not None:
                    yield row

    def _with_text(self, numbers: Sequence[int], text: str) -> list[int]:
        if not numbers:
            return []
        content = ordinary_bytes(self.path)
        lowered = content.decode("utf-8", "replace").lower().split("\n")
        needle = json_text(text)[1:-1]
        found = [at for at in numbers if needle in lowered[self.lines[at]]]
        if not _may_be_beside_values(text):
            return found
        lines = content.split(b"\n")
        rows = _rows_of([lines[self.lines[at]] for at in found])
        return [at for at, row in zip(found, rows, strict=True) if row and text in _values(row)]


def row_lines(path: Path) -> RowLines:
    """Where the rows of a file are.

    Raises:
        OSError: it cannot be read.
    """
    status = os.stat(path)
    return _indexed(path, status.st_ino, status.st_size, status.st_mtime_ns)


def rows_with(path: Path, key: str, value: str) -> Iterator[Line]:
    """The rows whose key has this value; no other line is parsed.

    Raises:
        OSError: the file cannot be read.
    """
    needle = json_text(value).encode()
    for line in ordinary_bytes(path).split(b"\n"):
        if needle in line and (row := _row_of(line)) is not None and row.get(key) == value:
            yield row


@lru_cache(KEPT)
def _indexed(path: Path, _inode: int, _size: int, _mtime_ns: int) -> RowLines:
    lines = ordinary_bytes(path).split(b"\n")
    if not lines[-1]:
        lines.pop()
    rows, starts, facets, notes = array("Q"), array("Q"), [], []
    known: dict[tuple[str, str, str], Facets] = {}  # there are few different ones
    start = 0
    for at, (line, row) in enumerate(zip(lines, _rows_of(lines), strict=True)):
        if row is None:
            notes.append(f"{path.name}: line {at + 1} is no reviewed row")
        else:
            values = (row["split"], row["new"], str(row.get("source", "")))
            rows.append(at)
            starts.append(start)
            facets.append(known.get(values) or known.setdefault(values, Facets(*values)))
        start += len(line) + 1
    return RowLines(path, rows, starts, facets, notes)


def _rows_of(lines: Sequence[bytes]) -> Iterator[Line | None]:
    """The row of each line; None: it has none."""
    for first in range(0, len(lines), _PART):
        part = lines[first : first + _PART]
        try:
            rows = json_value(b"[" + b",".join(part) + b"]")
        except ValueError:
            rows = []
        if len(rows) == len(part):
            yield from (row if is_row(row) else None for row in rows)
        else:
            yield from map(_row_of, part)


def _row_of(line: bytes) -> Line | None:
    try:
        row: Line = json_value(line)
    except ValueError:
        return None
    return row if is_row(row) else None


def _values(row: Line) -> str:
    return "\n".join(str(each) for each in row.values() if each is not None).lower()


def _may_be_beside_values(text: str) -> bool:
    """Whether a line may have a text elsewhere than in a value: in a key, or between two."""
    return bool(_STRUCTURE & set(text)) or any(text in each for each in _KEYS)
