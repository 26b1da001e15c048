"""``/audit``: every change that somebody made in the studio."""

from __future__ import annotations

from collections.abc import Iterator

from alo.database.audit import Change
from alo.datasets.catalog import is_reference
from alo.history.ids import start_in_name
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
    changes = [(each, list(dict.fromkeys(_traced(each)))) for each in found[:limit]]
    return Page("audit", "Audit", content, {"changes": changes}, whole)


def _traced(change: Change) -> Iterator[str]:
    """The runs and versions of data sets that a line speaks of."""
    for value in (change.target, *change.before.values(), *change.after.values()):
        for each in value if isinstance(value, list) else [value]:  # the words of a command
            if isinstance(each, str) and (start_in_name(each) or is_reference(each)):
                yield each
