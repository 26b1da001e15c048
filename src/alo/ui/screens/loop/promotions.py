"""``/models/log``: every deployment, the newest first, and which model answered at a time."""

from __future__ import annotations

from alo.ui.ask import Ask
from alo.ui.rendering.page import Page
from alo.ui.screens.lists import below_of, limit_of, table_of
from alo.ui.screens.models import answering, promotions_of

COLUMNS = ("when", "run", "from", "who", "why")


def show(ask: Ask) -> Page:
    """The newest deployments; ``at``: which one was in force then."""
    ask.query.allow("at", "page", "limit")
    changes, problem = promotions_of(ask.studio.workspace)
    at, limit = ask.query.one("at"), limit_of(ask.query)
    end = min(below_of(ask.query) or len(changes), len(changes))
    here = changes[max(0, end - limit) : end][::-1]
    left = end - len(here)
    content = {
        "problem": problem,
        "at": answering(changes, at) if at else None,
        "items": [each.to_json() for each in here],
        "next": ask.query.link(page=str(left), limit=ask.query.one("limit")) if left else None,
        "total": len(changes),
    }
    shown = {
        "promoted": here,
        "is_first": not ask.query.one("page"),
        "command": f"alo models at {at}" if at else "alo models log",
    }
    whole = table_of(COLUMNS, (each.to_json() for each in reversed(changes)))
    return Page("promotions", "Deployments", content, shown, whole, folder="loop/")
