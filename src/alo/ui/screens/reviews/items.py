"""``/reviews/{name}/items.json``: all records of a review, for scripts."""

from __future__ import annotations

from alo.review.finding import Finder
from alo.review.reviews import MOST_ITEMS
from alo.ui.ask import Ask
from alo.ui.rendering.page import Data
from alo.ui.screens.lists import ROWS
from alo.ui.screens.reviews.named import named


def show(ask: Ask) -> Data:
    """A page of the records as who asks sees them: the queue first, in its order."""
    ask.query.allow("limit", "page")
    review = named(ask)
    limit = ask.query.number("limit", ROWS, 1, MOST_ITEMS)
    after = ask.query.number("page", -1, 0, 10**12) if ask.query.one("page") else -1
    finder = Finder(ask.studio.database, review, ask.who.name)
    found = finder.items(after=after, limit=limit + 1)
    items, last = found[:limit], found[:limit][-1].record.place if found else after
    following = ask.query.link(page=str(last), limit=ask.query.one("limit"))
    return Data(
        {
            "items": [each.to_json() for each in items],
            "next": following if len(found) > limit else None,
            "total": finder.count(),
        }
    )
