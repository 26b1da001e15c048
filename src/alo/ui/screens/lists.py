"""What all lists share: how many rows, where the next page is."""

from __future__ import annotations

from collections.abc import Sequence

from alo.ui.ask import Ask
from alo.ui.problems import refused_value
from alo.ui.query import Query

ROWS, MOST_ROWS = 50, 500


def limit_of(query: Query) -> int:
    """How many rows the page has."""
    return query.number("limit", ROWS, 1, MOST_ROWS)


def below_of(query: Query) -> int:
    """Of a list of numbered rows, newest first: the number that all have to be below; 0: any."""
    text = query.one("page")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 16):
        raise refused_value("page", "this is no page of the list")
    return int(text)


def numbered(
    ask: Ask, items: Sequence[object], numbers: Sequence[int], total: int, limit: int
) -> dict[str, object]:
    """A page of a numbered list, as JSON has it.

    Args:
        items: one more than the page has, where more follow.
    """
    more = len(items) > limit
    following = ask.query.link(page=str(numbers[limit - 1])) if more else None
    return {"items": list(items[:limit]), "next": following, "total": total}
