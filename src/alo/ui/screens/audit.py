"""``/audit``: every change that somebody made in the studio."""

from __future__ import annotations

from alo.database.audit import Change
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
    return Page("audit", "Audit", content, {"changes": found[:limit]}, whole)
