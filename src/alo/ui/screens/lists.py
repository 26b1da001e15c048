"""What all lists share: how many rows, where the next page is, all of it as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from alo.json_text import json_text
from alo.ui.ask import Ask
from alo.ui.problems import refused_value
from alo.ui.query import Query
from alo.ui.rendering.page import Table

ROWS, MOST_ROWS = 50, 500


class Numbered(Protocol):
    """A row of a list whose rows have numbers, the newest the highest."""

    @property
    def number(self) -> int:
        """Its place in the list."""


N = TypeVar("N", bound=Numbered)
T = TypeVar("T")


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


def every(read: Callable[[int, int], Sequence[N]]) -> Iterator[N]:
    """All rows of a numbered list, read some at a time.

    Args:
        read: gives the rows below a number (0: the first ones), so many at most.
    """
    below = 0
    while found := read(below, MOST_ROWS):
        yield from found
        below = found[-1].number


def every_by_key(read: Callable[[str], tuple[Sequence[T], str]]) -> Iterator[T]:
    """All rows of a list whose pages have keys, read some at a time.

    Args:
        read: gives the rows behind a key (empty: the first ones), and the key of what follows.
    """
    rows, key = read("")
    yield from rows
    while key:
        rows, key = read(key)
        yield from rows


def table_of(columns: Sequence[str], items: Iterable[Mapping[str, object]]) -> Table:
    """Rows of a list as a table, by their names in its JSON; what is no plain value is JSON."""
    return Table(columns, ([_cell(each[name]) for name in columns] for each in items))


def _cell(value: object) -> object:
    return value if isinstance(value, str | int | float | None) else json_text(value)
