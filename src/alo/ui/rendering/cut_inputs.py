"""What a model was given for a record, as much of it as a page has room for.

A row may have thousands of columns and a cell megabytes: a page that shows it whole is too large to
be opened. What is left out is at ``/reviews/{name}/input``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from alo.review.results.inputs import RecordInput

MOST_COLUMNS = 100  # or files of a request; of one record
OF_TABLE = 50  # columns of a list of records
ROOM = 16_000  # characters of the values of one record
ROOM_OF_ROW = 3_000  # of a list
LEAST, MOST_OF_CELL = 40, 300  # characters of one value: at least, and at most of a list
MOST_OF_NAME = 200


class CutInput(NamedTuple):
    """A part of an input."""

    values: Sequence[tuple[str, str]]  # column, value
    files: Sequence[str]
    left_out: int  # columns or files
    is_cut: bool  # whether anything is left out


def cut_input(given: RecordInput, room: int = ROOM) -> CutInput:
    """The first columns of a record, each with the beginning of its value.

    Args:
        room: characters of all values; the fewer columns there are, the more each has.
    """
    columns, files = given.columns[:MOST_COLUMNS], list(given.files)[:MOST_COLUMNS]
    most = max(LEAST, room // max(1, len(columns)))
    pairs = zip(columns, given.values, strict=False)
    left_out = len(given.columns) - len(columns) + len(given.files) - len(files)
    return CutInput(
        [(cut(name, MOST_OF_NAME), cut(value, most)) for name, value in pairs],
        [cut(name, MOST_OF_NAME) for name in files],
        left_out,
        is_cut=left_out > 0 or any(len(value) > most for value in given.values[: len(columns)]),
    )


def cut_row(given: RecordInput, columns: Sequence[str]) -> list[str]:
    """The values of these columns for a list of records; empty where the record has no such one."""
    most = min(MOST_OF_CELL, max(LEAST, ROOM_OF_ROW // max(1, len(columns))))
    if list(given.columns[: len(columns)]) == list(columns):  # as of most records
        values = list(given.values[: len(columns)])
    else:
        by_name = dict(zip(given.columns, given.values, strict=False))
        values = [by_name.get(name, "") for name in columns]
    return [cut(value, most) for value in values]


def cut(text: str, most: int) -> str:
    """The beginning of a text, with a mark where something follows."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
