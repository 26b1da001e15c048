"""``/runs``: all runs, filtered, sorted, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from alo.errors import UsageError
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
JSON_KEYS = (  # those of ``alo history --json``
    "id",
    "pipeline",
    "status",
    "start_time",
    "end_time",
    "score",
    "result",
    "note",
    "probability",
    "version",
    "data_id",
    "code_id",
    "param_id",
    "train_id",
    "args",
)
FILTERS = {
    "q": "text",
    "pipeline": "pipeline",
    "status": "status",
    "since": "since",
    "param": "arg",
    "model": "model",
}
CHART_POINTS = 200


def show(ask: Ask) -> Page:
    """The page of runs that the URL asks for."""
    query, workspace = ask.query, ask.studio.workspace
    query.allow(*FILTERS, "sort", "columns", "page", "limit")
    wanted, limit, columns = _wanted(ask), limit_of(query), _columns(ask)
    key = query.one("page")
    page = page_of_runs(workspace, wanted, key=key, limit=limit)
    records = _records(ask, page.lines)
    if not key and (first := _in_progress(workspace, wanted)) is not None:
        records = [first, *(each for each in records if each.id != first.id)]
    content: Mapping[str, object] = {
        "items": [row(each) for each in records],
        "next": query.link(page=page.next, limit=query.one("limit")) if page.next else None,
        "total": page.total,
    }
    rows = [_row(each, columns) for each in records]
    shown = {
        "rows": rows,
        "columns": [_heading(ask, each, wanted.sort) for each in columns],
        "choices": _choices(records, columns),
        "sort": wanted.sort,
        "filters": active(query, FILTERS),
        "statuses": STATUSES,
        "kinds": KINDS,
        "chart": score_chart(_points(workspace, wanted)) if not key else None,
        "is_first": not key,
        "command": _command(query.one("pipeline"), query.one("status")),
    }
    return Page("runs", "Runs", content, shown, _table(ask, wanted, columns))


def row(record: RunRecord) -> dict[str, object]:
    """A run as lists give it to scripts."""
    known = record.to_json()
    return {key: known[key] for key in JSON_KEYS}


def value_of(record: RunRecord, column: str) -> object:
    """The value that a run has in a column; None: it has none."""
    if column.startswith("args."):
        step, _, key = column.removeprefix("args.").partition(".")
        return record.args.get(step, {}).get(key)
    return record.train_id if column == "model" else getattr(record, column)


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


def _row(record: RunRecord, columns: Sequence[str]) -> dict[str, object]:
    return {
        "id": record.id,
        "status": record.status,
        "cells": [(name, value_of(record, name)) for name in columns],
    }


def _heading(ask: Ask, column: str, sort: str) -> dict[str, object]:
    is_down = sort == f"-{column}"
    is_sorted = is_down or sort == column
    return {
        "name": column,
        "order": ("descending" if is_down else "ascending") if is_sorted else "none",
        "link": ask.query.link(sort=column if is_down else f"-{column}"),
    }


def _choices(records: Sequence[RunRecord], columns: Sequence[str]) -> dict[str, bool]:
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
    def rows() -> Iterator[Sequence[object]]:
        key = ""
        while True:
            page = page_of_runs(ask.studio.workspace, wanted, key=key, limit=MOST)
            for record in _records(ask, page.lines):
                yield [record.id, *(value_of(record, name) for name in columns)]
            if not (key := page.next):
                return

    return Table(["id", *columns], rows())


def _command(pipeline: str, status: str) -> str:
    words = ["alo history"]
    words += [f"--mode {pipeline}"] if pipeline else []
    words += [f"--status {status}"] if status else []
    return " ".join(words)
