"""``/runs``: all runs, filtered, sorted, page by page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from alo.errors import UsageError
from alo.history.browse import line_of
from alo.history.filters import STATUSES, Filters, parse_param, parse_since
from alo.history.in_use import unfinished_record
from alo.history.index import Line
from alo.history.pages import COLUMNS, MOST, Wanted, page_of_runs
from alo.history.record import RunRecord
from alo.layout import KINDS, Workspace
from alo.ui.ask import Ask
from alo.ui.drawing.scores import Point, score_chart
from alo.ui.page import Page, Table
from alo.ui.problems import refused_value
from alo.ui.query import active
from alo.ui.screens.lists import limit_of

DEFAULT_COLUMNS = ("pipeline", "status", "start_time", "seconds", "score", "result", "note")
FILTERS = {
    "q": "text",
    "pipeline": "pipeline",
    "status": "status",
    "since": "since",
    "param": "arg",
    "model": "model",
}
CHART_POINTS = 100
OFFERING = 5  # runs whose args are offered as columns
_OF_LINE = {"pipeline": "kind", "model": "train_id"}  # columns that a line calls otherwise


def show(ask: Ask) -> Page:
    """The page of runs that the URL asks for."""
    query, workspace = ask.query, ask.studio.workspace
    query.allow(*FILTERS, "sort", "columns", "page", "limit")
    wanted, limit, columns = _wanted(ask), limit_of(query), _columns(ask)
    key = query.one("page")
    page = page_of_runs(workspace, wanted, key=key, limit=limit)
    first = None if key else _in_progress(workspace, wanted)
    lines = [each for each in page.lines if first is None or each.id != first.id]
    content: Mapping[str, object] = {
        "items": _items(ask, first, lines),
        "next": query.link(page=page.next, limit=query.one("limit")) if page.next else None,
        "total": page.total,
    }
    # Records take longer to read than all else of the page, and the usual columns need none.
    needed = lines if any(map(_is_arg, columns)) else lines[:OFFERING]
    records = {each.id: each for each in (*([first] if first else ()), *_records(ask, needed))}
    shown_lines = [line_of(first), *lines] if first else lines
    rows = [_row(each, records.get(each.id), columns) for each in shown_lines]
    shown = {
        "rows": rows,
        "columns": [_heading(ask, each, wanted.sort) for each in columns],
        "choices": _choices(records.values(), columns),
        "sort": wanted.sort,
        "filters": active(query, FILTERS),
        "statuses": STATUSES,
        "kinds": KINDS,
        "chart": score_chart(_points(workspace, wanted)) if not key else None,
        "is_first": not key,
        "command": _command(query.one("pipeline"), query.one("status")),
    }
    return Page("runs", "Runs", content, shown, _table(ask, wanted, columns))


def value_of(line: Line, record: RunRecord | None, column: str) -> object:
    """The value that a run has in a column; None: it has none.

    Args:
        record: of the same run, for its args.
    """
    if _is_arg(column):
        step, _, key = column.removeprefix("args.").partition(".")
        return record.args.get(step, {}).get(key) if record else None
    return getattr(line, _OF_LINE.get(column, column))


def _items(ask: Ask, first: RunRecord | None, lines: Sequence[Line]) -> Iterator[object]:
    """The runs as JSON has them, read once they are asked for."""
    if first is not None:
        yield first.to_list_json()
    yield from (each.to_list_json() for each in _records(ask, lines))


def _is_arg(column: str) -> bool:
    return column.startswith("args.")


def _wanted(ask: Ask) -> Wanted:
    query = ask.query
    since = query.one("since")
    try:
        filters = Filters(
            query.one("pipeline", among=KINDS),
            query.one("status", among=STATUSES),
            parse_since(since) if since else "",
            tuple(map(parse_param, query.many("param"))),
        )
    except UsageError as error:
        raise refused_value("since" if "--since" in error.what else "param", error.what) from error
    return Wanted(filters, query.one("q"), query.one("model"), query.one("sort") or Wanted().sort)


def _columns(ask: Ask) -> Sequence[str]:
    names = [name for text in ask.query.many("columns") for name in text.split(",") if name]
    for name in names:
        parts = name.split(".")
        is_arg = parts[0] == "args" and len(parts) > 2 and all(parts)
        if name not in COLUMNS and not is_arg:
            raise refused_value(
                "columns", f"'{name}' is none of {', '.join(COLUMNS)}, args.STEP.KEY"
            )
    return [name for name in names if name != "id"] or DEFAULT_COLUMNS


def _records(ask: Ask, lines: Sequence[Line]) -> list[RunRecord]:
    from alo.history import index

    return index.ask(ask.studio.workspace, lambda runs: runs.records(lines))


def _in_progress(workspace: Workspace, wanted: Wanted) -> RunRecord | None:
    from alo.history.filters import matches

    if wanted.sort != Wanted().sort or wanted.text or wanted.model:
        return None
    record = unfinished_record(workspace) if workspace.journal.exists() else None
    return record if record is not None and matches(record, wanted.filters) else None


def _row(line: Line, record: RunRecord | None, columns: Sequence[str]) -> dict[str, object]:
    return {
        "id": line.id,
        "status": line.status,
        "cells": [(name, value_of(line, record, name)) for name in columns],
    }


def _heading(ask: Ask, column: str, sort: str) -> dict[str, object]:
    is_down = sort == f"-{column}"
    is_sorted = is_down or sort == column
    return {
        "name": column,
        "order": ("descending" if is_down else "ascending") if is_sorted else "none",
        "link": ask.query.link(sort=column if is_down else f"-{column}"),
    }


def _choices(records: Collection[RunRecord], columns: Sequence[str]) -> dict[str, bool]:
    """The columns that these runs could have, args included, and whether each is shown."""
    args = {
        f"args.{step}.{key}" for each in records for step in each.args for key in each.args[step]
    }
    known = dict.fromkeys([*COLUMNS[1:], *columns, *sorted(args)])
    return {name: name in columns for name in known}


def _points(workspace: Workspace, wanted: Wanted) -> list[Point]:
    lines = page_of_runs(workspace, wanted._replace(sort="-start_time"), limit=CHART_POINTS).lines
    return [
        Point(line.id, line.start_time, line.score, line.kind)
        for line in reversed(lines)
        if line.score is not None
    ]


def _table(ask: Ask, wanted: Wanted, columns: Sequence[str]) -> Table:
    has_args = any(map(_is_arg, columns))

    def rows() -> Iterator[Sequence[object]]:
        key = ""
        while True:
            page = page_of_runs(ask.studio.workspace, wanted, key=key, limit=MOST)
            records = {each.id: each for each in _records(ask, page.lines)} if has_args else {}
            for line in page.lines:
                record = records.get(line.id)
                yield [line.id, *(value_of(line, record, name) for name in columns)]
            if not (key := page.next):
                return

    return Table(["id", *columns], rows())


def _command(pipeline: str, status: str) -> str:
    words = ["alo history"]
    words += [f"--mode {pipeline}"] if pipeline else []
    words += [f"--status {status}"] if status else []
    return " ".join(words)
