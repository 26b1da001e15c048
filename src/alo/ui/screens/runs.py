"""``/runs``: all runs, filtered, sorted, page by page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import NamedTuple
from urllib.parse import parse_qsl

from alo.errors import UsageError
from alo.history.browse import line_of
from alo.history.filters import STATUSES, Filters, parse_param, parse_since
from alo.history.in_use import unfinished_record
from alo.history.index.pages import (
    COLUMNS,
    MOST,
    RunPage,
    Scored,
    Wanted,
    newest_scores,
    page_in,
    scores_in,
)
from alo.history.index.table import Index, Line
from alo.history.record import RunRecord
from alo.layout import KINDS, Workspace
from alo.ui.ask import Ask
from alo.ui.drawing.scores import score_chart
from alo.ui.problems import refused_value
from alo.ui.query import Query, active
from alo.ui.rendering.page import Page, Redirect, Table
from alo.ui.screens.compare import MOST as MOST_COMPARED
from alo.ui.screens.lists import every_by_key, limit_of

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
Args = Mapping[str, Mapping[str, object]]  # of a run: step → key → value
_OF_LINE = {"pipeline": "kind", "model": "train_id"}  # columns that a line calls otherwise


class _Found(NamedTuple):
    """What the index has for a page."""

    page: RunPage
    args: Mapping[str, Args]  # by the ids of runs; of some runs only, where no column shows them
    scores: tuple[Scored, ...] = ()


class _Selection(NamedTuple):
    """The runs that are to be compared, on whichever pages of the list they are."""

    ids: Sequence[str]
    elsewhere: Sequence[str]  # those that this page does not show
    none: str  # the URL of this page without any
    alone: str  # that of the list without filters


class _Row(NamedTuple):
    """A run as the template shows it."""

    id: str
    status: str
    cells: Sequence[tuple[str, object]]  # column and value


def show(ask: Ask) -> Page | Redirect:
    """The page of runs that the URL asks for."""
    query, workspace = ask.query, ask.studio.workspace
    query.allow(*FILTERS, "run", "sort", "columns", "page", "limit", "keep")
    if query.one("keep"):
        return Redirect(_with_selection(query))
    wanted, limit, columns = _wanted(ask), limit_of(query), _columns(ask)
    key = query.one("page")
    first = None if key else _in_progress(workspace, wanted)
    found = ask.studio.index.ask(lambda runs: _find(runs, wanted, key, limit, columns))
    lines = [each for each in found.page.lines if first is None or each.id != first.id]
    following = found.page.next
    content: Mapping[str, object] = {
        "items": _items(ask, first, lines),
        "next": query.link(page=following, limit=query.one("limit")) if following else None,
        "total": found.page.total,
    }
    args = {**found.args, first.id: first.args} if first else found.args
    shown_lines = [line_of(first), *lines] if first else lines
    values = [(name, value_of(name)) for name in columns]
    rows = [
        _Row(
            line.id,
            line.status,
            [(name, value(line, args.get(line.id, {}))) for name, value in values],
        )
        for line in shown_lines
    ]
    offering = [args[line.id] for line in shown_lines[:OFFERING] if line.id in args]
    shown = {
        "rows": rows,
        "columns": [_heading(ask, each, wanted.sort) for each in columns],
        "choices": _choices(offering, columns),
        "selection": _selection(query, [row.id for row in rows]),
        "most_compared": MOST_COMPARED,
        "sort": wanted.sort,
        "filters": active(query, FILTERS),
        "statuses": STATUSES,
        "kinds": KINDS,
        "chart": score_chart(found.scores),
        "is_first": not key,
        "command": _command(query.one("pipeline"), query.one("status")),
    }
    return Page("runs", "Runs", content, shown, _table(ask, wanted, columns), folder="runs/")


def _selection(query: Query, shown: Collection[str]) -> _Selection:
    ids = list(dict.fromkeys(query.many("run")))
    elsewhere = [each for each in ids if each not in shown]
    none = query.link(run=None, page=query.one("page"))
    return _Selection(ids, elsewhere, none, Query(query.path, []).link(run=ids))


def _with_selection(query: Query) -> str:
    """The page that a form without scripts has been sent from, with what is selected now."""
    state = parse_qsl(query.one("keep"))
    page = dict(state).get("page")
    return Query(query.path, state).link(run=query.many("run"), page=page)


def value_of(column: str) -> Callable[[Line, Args], object]:
    """What gives the value that a run has in a column, by its line and its args; None: none."""
    if _is_arg(column):
        step, _, key = column.removeprefix("args.").partition(".")
        return lambda line, args: args.get(step, {}).get(key)
    value = attrgetter(_OF_LINE.get(column, column))
    return lambda line, args: value(line)


def _find(runs: Index, wanted: Wanted, key: str, limit: int, columns: Sequence[str]) -> _Found:
    """All that the page shows of the index, which is opened once for it."""
    page = page_in(runs, wanted, key=key, limit=limit)
    needed = page.lines if any(map(_is_arg, columns)) else page.lines[:OFFERING]
    return _Found(page, runs.args(needed), () if key else _scores(runs, wanted, page))


def _scores(runs: Index, wanted: Wanted, page: RunPage) -> tuple[Scored, ...]:
    """Those of the chart; where few runs were found, they are all on the first page."""
    if not page.next:
        return tuple(scores_in(page.lines, CHART_POINTS))
    return tuple(newest_scores(runs, wanted, CHART_POINTS))


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
    return ask.studio.index.ask(lambda runs: runs.records(lines))


def _in_progress(workspace: Workspace, wanted: Wanted) -> RunRecord | None:
    from alo.history.filters import matches

    if wanted.sort != Wanted().sort or wanted.text or wanted.model:
        return None
    record = unfinished_record(workspace) if workspace.journal.exists() else None
    return record if record is not None and matches(record, wanted.filters) else None


def _heading(ask: Ask, column: str, sort: str) -> dict[str, object]:
    is_down = sort == f"-{column}"
    is_sorted = is_down or sort == column
    return {
        "name": column,
        "order": ("descending" if is_down else "ascending") if is_sorted else "none",
        "link": ask.query.link(sort=column if is_down else f"-{column}"),
    }


def _choices(args: Collection[Args], columns: Sequence[str]) -> dict[str, bool]:
    """The columns that these runs could have, args included, and whether each is shown."""
    names = {f"args.{step}.{key}" for each in args for step in each for key in each[step]}
    known = dict.fromkeys([*COLUMNS[1:], *columns, *sorted(names)])
    return {name: name in columns for name in known}


def _table(ask: Ask, wanted: Wanted, columns: Sequence[str]) -> Table:
    has_args = any(map(_is_arg, columns))
    values = [value_of(name) for name in columns]

    def some(key: str) -> tuple[Sequence[Sequence[object]], str]:
        found = ask.studio.index.ask(partial(of_page, key))
        return list(map(partial(row, found.args), found.page.lines)), found.page.next

    def row(args: Mapping[str, Args], line: Line) -> Sequence[object]:
        return [line.id, *(value(line, args.get(line.id, {})) for value in values)]

    def of_page(key: str, runs: Index) -> _Found:
        page = page_in(runs, wanted, key=key, limit=MOST)
        return _Found(page, runs.args(page.lines) if has_args else {})

    return Table(["id", *columns], every_by_key(some))


def _command(pipeline: str, status: str) -> str:
    words = ["alo history"]
    words += [f"--mode {pipeline}"] if pipeline else []
    words += [f"--status {status}"] if status else []
    return " ".join(words)
