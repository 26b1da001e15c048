"""``/audit``: every change that somebody made in the studio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alo.database.audit import COMMAND, Change
from alo.datasets.catalog import is_reference
from alo.history.ids import start_in_name
from alo.json_text import every_value
from alo.loop.traces.known import known_ids
from alo.ui.ask import Ask
from alo.ui.rendering.page import Page
from alo.ui.screens.lists import below_of, every, limit_of, numbered, table_of


def show(ask: Ask) -> Page:
    """The newest changes."""
    ask.query.allow("page", "limit")
    audit, limit = ask.studio.audit, limit_of(ask.query)
    found = audit.changes(below_of(ask.query), limit + 1)
    items = [each._asdict() for each in found]
    content = numbered(ask, items, [each.number for each in found], audit.count, limit)
    whole = table_of(Change._fields, (each._asdict() for each in every(audit.changes)))
    shown = {"changes": list(_with_traced(ask, found[:limit]))}
    return Page("audit", "Audit", content, shown, whole)


def _with_traced(ask: Ask, changes: Sequence[Change]) -> Iterator[tuple[Change, list[str]]]:
    """Each line with the runs and versions of data sets of it that have a trace."""
    typed = {each for change in changes for each in _ids(_typed(change))}
    known = known_ids(ask.studio.workspace, ask.studio.database, sorted(typed)) if typed else set()
    for change in changes:
        words = [each for each in _ids(_typed(change)) if each in known]
        values = (change.target, dict(change.before), dict(change.after))
        yield change, list(dict.fromkeys([*_ids(values), *words]))


def _typed(change: Change) -> list[object]:
    """The words of a command, which may name what never was."""
    words = change.after.get(COMMAND)
    return list(words) if isinstance(words, list) else []


def _ids(values: Sequence[object]) -> Iterator[str]:
    """The runs and versions of data sets among some values."""
    for value in values:
        for each in every_value(value, (COMMAND,)):
            if isinstance(each, str) and (start_in_name(each) or is_reference(each)):
                yield each
