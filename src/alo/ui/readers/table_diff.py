"""The same table of several runs, row beside row: joined by a column, or by their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from alo.ui.readers.tables import MOST_SHOWN, Table, Tables

MOST_JOINED = 20_000  # rows of each table
MOST_CELLS = 200  # that differ and are shown


class ChangedCell(NamedTuple):
    """A cell that is not the same in all tables."""

    key: str
    column: str
    values: list[str | None]  # of each table; None: it has no such row or column


class JoinedTables(NamedTuple):
    """What differs between some tables."""

    keys: list[str]  # columns by which they could be joined: those that all have
    cells: list[ChangedCell]
    rows: int  # of all tables together
    changed: int  # rows in which something differs
    is_whole: bool  # whether all rows were looked at
    following: int | None  # of the cells that differ: which is the first that comes after these


Key = tuple[str, int]  # the text, and which of the rows it is that have it


def join(tables: Tables, opened: Sequence[Table], key: str, *, first: int = 0) -> JoinedTables:
    """Rows that belong together, and the cells in which they differ.

    Args:
        key: a column that all have; else rows are joined by their numbers.
        first: which of the cells that differ is the first that is given.
    """
    common = [name for name in opened[0].columns if all(name in each.columns for each in opened)]
    columns = list(dict.fromkeys(name for each in opened for name in each.columns))
    found = [_rows(tables, each, key if key in common else "") for each in opened]
    cells: list[ChangedCell] = []
    changed = 0
    every = dict.fromkeys(each for rows in found for each in rows)
    for each in every:
        beside = [rows.get(each) for rows in found]
        different = [
            ChangedCell(each[0], name, values)
            for name in columns
            if len(set(values := [row.get(name) if row else None for row in beside])) > 1
        ]
        changed += bool(different)
        if len(cells) <= first + MOST_CELLS:  # one more says that there are more
            cells += different
    is_whole = all(len(rows) < MOST_JOINED for rows in found)
    end = first + MOST_CELLS
    following = end if len(cells) > end else None
    return JoinedTables(common, cells[first:end], len(every), changed, is_whole, following)


def _rows(tables: Tables, table: Table, key: str) -> Mapping[Key, Mapping[str, str]]:
    found: dict[Key, Mapping[str, str]] = {}
    seen: Counter[str] = Counter()
    for number, cells in enumerate(islice(tables.every(table), MOST_JOINED), 1):
        row = {name: cell[:MOST_SHOWN] for name, cell in zip(table.columns, cells, strict=False)}
        text = row.get(key, "") if key else str(number)
        seen[text] += 1
        found[text, seen[text]] = row
    return found
