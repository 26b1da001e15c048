"""``/runs/{id}/files/{path}`` of a CSV or TSV: its rows by pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from alo.tables.records import cells
from alo.ui.ask import Ask
from alo.ui.problems import UiError, refused_value
from alo.ui.query import Query, active
from alo.ui.readers.orders import NoDuckDBError, Order, OrderJob
from alo.ui.readers.table_index import Mark
from alo.ui.readers.tables import Table, TableRows
from alo.ui.readers.tables import shown as shown_rows
from alo.ui.rendering import page
from alo.ui.rendering.page import Page
from alo.ui.screens.lists import limit_of

LAST = "last"
MOST_COLUMNS = 100  # that a page shows at once; as data they are all there
NUMBER = re.compile(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?")
PLACE = re.compile(r"r(\d{1,15})(?:-(\d{1,15}))?")


class Found(NamedTuple):
    """The rows of a page, their numbers in the file, and where it begins in the list."""

    rows: TableRows
    numbers: Sequence[int]
    start: Mark
    total: int | None


class Column(NamedTuple):
    """A column as a page shows it."""

    name: str
    order: str  # as aria-sort has it
    sort: str  # a URL
    values: str  # a URL
    is_number: bool


def show(ask: Ask, name: str, path: Path, frame: Mapping[str, object]) -> Page:
    """A page of a table.

    Args:
        frame: what its template shows around it.
    """
    ask.query.allow("page", "limit", "columns", "column", "sort", "filter", "values")
    table = ask.studio.tables.open(path)
    job = _job(table, ask.query)
    is_ordered = job.sort is not None or job.filters
    found = _ordered(ask, table, job) if is_ordered else _as_it_is(ask, table)
    rows, start, total = found.rows, found.start, found.total
    places = _places(table.columns, ask.query)
    counted = _values(ask, table, job)
    following = rows.following
    link = ask.query.link
    content: dict[str, object] = {
        "columns": [table.columns[at] for at in places],
        "items": _cut(rows.rows, places, len(table.columns)),
        "next": link(page=_place(following)) if following else None,
        "total": total,
        "encoding": table.encoding,
        "notes": [*table.notes, *rows.notes],
    }
    if counted is not None:
        content["values"] = [{"value": value, "count": count} for value, count in counted]
    first_column = ask.query.number("column", 0, 0, 10**6)
    window = places[first_column : first_column + MOST_COLUMNS]
    shown = {
        **frame,
        "first": start.row,
        "numbers": found.numbers,
        "columns_shown": [_column(table, rows.rows, job, at, ask.query) for at in window],
        "filters": active(ask.query, {"filter": "filter"}),
        "values_of": ask.query.one("values"),
        "values": content.get("values"),
        "filter_links": [
            link(filter=[*ask.query.many("filter"), f"{ask.query.one('values')}={value}"])
            for value, _ in counted or ()
        ],
        "rows_shown": _cut(rows.rows, window, len(table.columns)),
        "is_counted": total is not None,
        "earlier": link(page=f"r{max(0, start.row - limit_of(ask.query))}") if start.row else None,
        "last": link(page=LAST) if following else None,
        "home": link(),
        "column_count": len(places),
        "earlier_columns": _column_link(ask.query, first_column - MOST_COLUMNS, len(places)),
        "later_columns": _column_link(ask.query, first_column + MOST_COLUMNS, len(places)),
    }
    return Page("table", name, content, shown, whole(ask, path), folder="files/")


def whole(ask: Ask, path: Path) -> page.Table:
    """All of a table that meets the filters, in its order, for a download."""
    tables = ask.studio.tables
    table = tables.open(path)
    job = _job(table, ask.query)._replace(values=None)
    if not job.needed():
        return page.Table(table.columns, tables.every(table))
    order = _order(ask, table, job)
    numbers = (
        number for first in range(0, order.total, 1000) for number in order.rows(first, 1000)
    )
    found = (cells(each.content, table.dialect).texts for each in tables.some(table, numbers))
    return page.Table(table.columns, found)


def _as_it_is(ask: Ask, table: Table) -> Found:
    """The page in the order of the file."""
    tables, limit = ask.studio.tables, limit_of(ask.query)
    index = tables.index(table, waits=ask.query.one("page") == LAST)
    total = index.total if index else None
    start = _start(ask, table, limit, total)
    rows = tables.rows(table, start, limit)
    numbers = [start.row + at for at in range(len(rows.rows))]
    return Found(rows, numbers, start, total)


def _ordered(ask: Ask, table: Table, job: OrderJob) -> Found:
    """The page of a table that is sorted or filtered: its places are those in that order."""
    limit = limit_of(ask.query)
    order = _order(ask, table, job._replace(values=None))
    text = ask.query.one("page")
    end = max(0, (order.total - 1) // limit * limit)
    first = end if text == LAST else _first(text)
    numbers = order.rows(first, limit)
    records = list(zip(numbers, ask.studio.tables.some(table, numbers), strict=False))
    rows = shown_rows(table, records, limit)
    if first + limit < order.total:
        rows = rows._replace(following=Mark(first + limit, 0))
    return Found(rows, numbers, Mark(first, 0), order.total)


def _values(ask: Ask, table: Table, job: OrderJob) -> list[tuple[str, int]] | None:
    if job.values is None:
        return None
    with _explained():
        return ask.studio.orders.values(table, job._replace(sort=None, descending=False))


def _order(ask: Ask, table: Table, job: OrderJob) -> Order:
    with _explained():
        return ask.studio.orders.order(table, job)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except NoDuckDBError as error:
        raise UiError(501, error.what, fix=error.fix) from error


def _job(table: Table, query: Query) -> OrderJob:
    """What the URL asks for, by the numbers of columns."""
    places = {name: at for at, name in enumerate(table.columns)}
    text = query.one("sort")
    descending = text.startswith("-") and text not in places
    values = query.one("values")
    filters = tuple(_filter(places, each) for each in query.many("filter"))
    return OrderJob(
        _column_named(places, "sort", text[1:] if descending else text) if text else None,
        descending,
        filters,
        _column_named(places, "values", values) if values else None,
    )


def _filter(places: Mapping[str, int], text: str) -> tuple[int, str]:
    """The column and text of a filter; names may have an equals sign in them."""
    fitting = [name for name in places if text.startswith(f"{name}=")]
    if not fitting:
        raise refused_value("filter", "it has to be COLUMN=text, with a column of the table")
    name = max(fitting, key=len)
    return places[name], text[len(name) + 1 :]


def _column_named(places: Mapping[str, int], field: str, name: str) -> int:
    if name not in places:
        raise refused_value(field, f"the table has no column '{name}'")
    return places[name]


def _column(
    table: Table, rows: Sequence[list[str]], job: OrderJob, at: int, query: Query
) -> Column:
    name = table.columns[at]
    is_sorted = job.sort == at
    order = ("descending" if job.descending else "ascending") if is_sorted else "none"
    wanted = f"-{name}" if order == "ascending" else name
    return Column(
        name, order, query.link(sort=wanted), query.link(values=name), _is_number(rows, at)
    )


def _start(ask: Ask, table: Table, limit: int, total: int | None) -> Mark:
    """Where the page begins that the URL asks for."""
    text = ask.query.one("page")
    if not text:
        return Mark(0, table.begin)
    if text == LAST:
        row = max(0, ((total or 0) - 1) // limit * limit)
        return ask.studio.tables.find(table, row)
    first = _first(text)
    at = text.partition("-")[2]
    if not at:
        return ask.studio.tables.find(table, first)
    return Mark(first, min(max(int(at), table.begin), table.size))


def _first(text: str) -> int:
    """The row with which the page begins."""
    if text and not PLACE.fullmatch(text):
        raise refused_value("page", "this is no page of the table")
    return int(text[1:].partition("-")[0]) if text else 0


def _place(mark: Mark) -> str:
    return f"r{mark.row}-{mark.at}" if mark.at else f"r{mark.row}"


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
