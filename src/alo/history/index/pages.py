"""Runs page by page, in any order: what a screen shows of a history of any size.

A page begins behind the last run of the page before it (its *key*), so that the two-hundredth is
found as fast as the first, and a run that ends meanwhile moves none to another page.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from alo.errors import UsageError
from alo.history.filters import Filters, condition_of
from alo.history.index import table
from alo.history.index.table import Index, Line
from alo.json_text import bad_character, json_value
from alo.layout import Workspace

MOST = 500  # runs of a page
COLUMNS = ("id", "pipeline", "status", "start_time", "seconds", "score", "result", "note", "model")
_SQL = {"pipeline": "kind", "model": "train_id"}  # names of columns that the index calls otherwise
_TEXTS = ("id", "result", "note", "kind", "status", "train_id")


class Wanted(NamedTuple):
    """Which runs, and in which order.

    ``sort`` is one of ``COLUMNS`` or ``args.STEP.KEY``; a ``-`` before it turns the order around.
    """

    filters: Filters = Filters()
    text: str = ""  # in the id, the result or the note
    model: str = ""  # the beginning of the train run's id whose model was used
    sort: str = "-start_time"


class RunPage(NamedTuple):
    """Some runs, and the key of what follows."""

    lines: Sequence[Line]
    next: str  # empty: nothing follows
    total: int  # of all pages


class Scored(NamedTuple):
    """A run with a score."""

    run: str  # its id
    time: str
    score: float
    pipeline: str


class _Order(NamedTuple):
    """An expression in SQL that no value of is NULL, its values, and its direction."""

    expression: str
    values: tuple[str, ...]
    is_down: bool


def page_of_runs(
    workspace: Workspace, wanted: Wanted, *, key: str = "", limit: int = 50
) -> RunPage:
    """The runs of a project that come after a key; as of ``page_in``."""
    return table.ask(workspace, lambda runs: page_in(runs, wanted, key=key, limit=limit))


def page_in(runs: Index, wanted: Wanted, *, key: str = "", limit: int = 50) -> RunPage:
    """The runs that come after a key, for who has more to ask of the same index.

    Args:
        key: ``next`` of the page before; empty: the first page.
        limit: runs of the page, at most ``MOST``.
    Raises:
        UsageError: the key, the order or the limit is none.
    """
    order = _order(wanted.sort)
    if not 1 <= limit <= MOST:
        raise UsageError(f"a page has 1 to {MOST} runs, not {limit}")
    behind = _decoded(key) if key else None
    condition, values = _condition(wanted)
    if any(map(bad_character, values)):
        return RunPage((), "", 0)  # no run has such a value; SQLite would not take it
    return _page(runs, condition, values, order, behind, limit)


def newest_scores(runs: Index, wanted: Wanted, limit: int) -> list[Scored]:
    """The scores of the newest of these runs that have one, the oldest first.

    Args:
        limit: so many runs are looked at, with a score or without.
    """
    condition, values = _condition(wanted)
    if any(map(bad_character, values)):
        return []
    query = (
        f"SELECT id, start_time, score, kind FROM runs WHERE {condition}"  # noqa: S608
        f" {table.NEWEST_FIRST} LIMIT ?"
    )
    found = [Scored(*row) for row in runs.select(query, (*values, limit)) if row[2] is not None]
    return found[::-1]


def scores_in(lines: Iterable[Line], limit: int) -> list[Scored]:
    """The same of all runs that were found, without a look at the index."""
    newest = sorted(lines, key=lambda line: (line.start_time, line.name), reverse=True)[:limit]
    return [
        Scored(line.id, line.start_time, line.score, line.kind)
        for line in reversed(newest)
        if line.score is not None
    ]


def _page(
    runs: Index,
    condition: str,
    values: Sequence[str],
    order: _Order,
    behind: Sequence[object] | None,
    limit: int,
) -> RunPage:
    total = runs.count(condition, values)
    below, more = "", tuple[object, ...]()
    if behind is not None:
        sign = "<" if order.is_down else ">"
        below = f" AND ({order.expression}, start_time, name) {sign} (?, ?, ?)"
        more = (*order.values, *behind)
    way = "DESC" if order.is_down else "ASC"
    ordered = f"{order.expression} {way}, start_time {way}, name {way}"
    query = (
        f"SELECT {table.COLUMNS}, {order.expression} FROM runs"  # noqa: S608
        f" WHERE {condition}{below} ORDER BY {ordered} LIMIT ?"
    )
    given = (*order.values, *values, *more, *order.values, limit + 1)
    rows = runs.select(query, given)
    lines = [Line(*row[:-1]) for row in rows]
    if runs.renew(lines):
        rows = runs.select(query, given)
        lines = [Line(*row[:-1]) for row in rows]
    if len(rows) <= limit:
        return RunPage(lines, "", total)
    last = rows[limit - 1]
    line = lines[limit - 1]
    return RunPage(lines[:limit], _encoded([last[-1], line.start_time, line.name]), total)


def _condition(wanted: Wanted) -> tuple[str, list[str]]:
    condition, values = condition_of(wanted.filters)
    parts = [condition]
    if wanted.text:
        parts.append("(id LIKE ? ESCAPE '!' OR result LIKE ? ESCAPE '!' OR note LIKE ? ESCAPE '!')")
        values += [f"%{_literal(wanted.text)}%"] * 3
    if wanted.model:
        parts.append("train_id LIKE ? ESCAPE '!'")
        values.append(f"{_literal(wanted.model)}%")
    return " AND ".join(parts), values


def _literal(text: str) -> str:
    """A text in which LIKE finds no wildcard."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _order(sort: str) -> _Order:
    is_down, name = sort.startswith("-"), sort.removeprefix("-")
    if name.startswith("args."):
        step, dot, key = name.removeprefix("args.").partition(".")
        if not (dot and step and key) or bad_character(name):
            raise UsageError(f"runs cannot be sorted by '{name}'", fix="write args.STEP.KEY")
        value = (
            "(SELECT CASE json_type(value) WHEN 'integer' THEN json_extract(value, '$')"
            " WHEN 'real' THEN json_extract(value, '$') ELSE value END FROM params"
            " INDEXED BY params_by_run WHERE params.run = runs.run AND step = ? AND key = ?)"
        )
        return _Order(_filled(value, is_down), (step, key), is_down)
    if name not in COLUMNS:
        raise UsageError(
            f"runs cannot be sorted by '{name}'",
            fix=f"by {', '.join(COLUMNS)} or args.STEP.KEY; a - before it turns the order around",
        )
    column = _SQL.get(name, name)
    if column == "start_time":
        return _Order(column, (), is_down)
    if column in _TEXTS:
        given = f"IFNULL({column}, '')"
        return _Order(given if is_down else _filled(f"NULLIF({given}, '')", is_down), (), is_down)
    return _Order(f"IFNULL({column}, {'-' * is_down}1e308)", (), is_down)


def _filled(value: str, is_down: bool) -> str:
    """An expression in which no value comes last; numbers come before texts in SQLite."""
    return f"IFNULL({value}, {'-1e308' if is_down else chr(39) + table.LAST_CHARACTER + chr(39)})"


def moment_of(key: str) -> str:
    """When the run began that a page comes after.

    Raises:
        UsageError: the key is none.
    """
    return str(_decoded(key)[1])


def _encoded(key: Sequence[object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _decoded(text: str) -> Sequence[object]:
    try:
        key = json_value(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        kinds = [type(each) for each in key]
        if len(kinds) != 3 or kinds[1:] != [str, str] or kinds[0] not in (str, int, float):
            raise ValueError("it holds something else")
    except (ValueError, TypeError) as error:
        raise UsageError("this is no page of the list", fix="begin at the first page") from error
    found: Sequence[object] = key
    return found
