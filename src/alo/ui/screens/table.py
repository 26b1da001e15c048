"""``/runs/{id}/files/{path}`` of a CSV or TSV: its rows by pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from alo.ui import page
from alo.ui.ask import Ask
from alo.ui.page import Page
from alo.ui.problems import refused_value
from alo.ui.query import Query
from alo.ui.readers.table_index import Mark
from alo.ui.readers.tables import Table
from alo.ui.screens.lists import limit_of

LAST = "last"
MOST_COLUMNS = 100  # that a page shows at once; as data they are all there
NUMBER = re.compile(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?")
PLACE = re.compile(r"r(\d{1,15})(?:-(\d{1,15}))?")


def show(ask: Ask, name: str, path: Path, frame: Mapping[str, object]) -> Page:
    """A page of a table.

    Args:
        frame: what its template shows around it.
    """
    ask.query.allow("page", "limit", "columns", "column")
    tables = ask.studio.tables
    table = tables.open(path)
    limit = limit_of(ask.query)
    is_last = ask.query.one("page") == LAST
    index = tables.index(table, waits=is_last)
    total = index.total if index else None
    start = _start(ask, table, limit, total)
    rows = tables.rows(table, start, limit)
    places = _places(table.columns, ask.query)
    following = rows.following
    link = ask.query.link
    content: dict[str, object] = {
        "columns": [table.columns[at] for at in places],
        "items": _cut(rows.rows, places, len(table.columns)),
        "next": link(page=f"r{following.row}-{following.at}") if following else None,
        "total": total,
        "encoding": table.encoding,
        "notes": [*table.notes, *rows.notes],
    }
    first_column = ask.query.number("column", 0, 0, 10**6)
    window = places[first_column : first_column + MOST_COLUMNS]
    shown = {
        **frame,
        "first": start.row,
        "columns_shown": [(table.columns[at], _is_number(rows.rows, at)) for at in window],
        "rows_shown": _cut(rows.rows, window, len(table.columns)),
        "is_counted": total is not None,
        "earlier": link(page=f"r{max(0, start.row - limit)}") if start.row else None,
        "last": link(page=LAST) if following else None,
        "home": link(),
        "column_count": len(places),
        "earlier_columns": _column_link(ask.query, first_column - MOST_COLUMNS, len(places)),
        "later_columns": _column_link(ask.query, first_column + MOST_COLUMNS, len(places)),
    }
    return Page("table", name, content, shown, whole(ask, path))


def whole(ask: Ask, path: Path) -> page.Table:
    """All of a table, for a download."""
    table = ask.studio.tables.open(path)
    return page.Table(table.columns, ask.studio.tables.every(table))


def _start(ask: Ask, table: Table, limit: int, total: int | None) -> Mark:
    """Where the page begins that the URL asks for."""
    text = ask.query.one("page")
    if not text:
        return Mark(0, table.begin)
    if text == LAST:
        row = max(0, ((total or 0) - 1) // limit * limit)
        return ask.studio.tables.find(table, row)
    found = PLACE.fullmatch(text)
    if found is None:
        raise refused_value("page", "this is no page of the table")
    row = int(found[1])
    if found[2] is None:
        return ask.studio.tables.find(table, row)
    return Mark(row, min(max(int(found[2]), table.begin), table.size))


def _places(columns: Sequence[str], query: Query) -> list[int]:
    """Which columns are shown: those that have one of the wanted texts in their names."""
    wanted = [text.strip().lower() for text in query.one("columns").split(",") if text.strip()]
    if not wanted:
        return list(range(len(columns)))
    return [at for at, name in enumerate(columns) if any(text in name.lower() for text in wanted)]


def _cut(rows: Sequence[list[str]], places: Sequence[int], count: int) -> list[list[str]]:
    """The cells of some columns, and, where all are shown, what rows have beyond them."""
    if len(places) == count:
        return list(rows)
    return [[row[at] for at in places] for row in rows]


def _column_link(query: Query, at: int, count: int) -> str | None:
    here = query.one("page") or None
    if at <= -MOST_COLUMNS or at >= count:
        return None
    return query.link(column=str(at) if at > 0 else None, page=here)


def _is_number(rows: Sequence[list[str]], at: int) -> bool:
    """Whether a column of the page is set as numbers are."""
    found = [row[at] for row in rows if row[at]]
    return bool(found) and all(map(NUMBER.fullmatch, found))
