"""The state of a page, which is its URL: read here, and changed to make links.

A key that a page does not know is refused, as one with a typo would show everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from alo.json_text import bad_character
from alo.ui.problems import refused_value

EVERYWHERE = ("lang", "token", "format", "for")  # keys that any page takes
LONGEST = 2000  # characters of a value


class Query:
    """The keys and values behind the ``?`` of a URL.

    Args:
        path: the page's own, without what is behind the ``?``; links begin with it.
        pairs: in the order of the URL.
    Raises:
        UiError: a value is no text that any page could take.
    """

    def __init__(self, path: str, pairs: Iterable[tuple[str, str]]) -> None:
        self.path = path
        self._pairs = [(key, value) for key, value in pairs if value]
        for key, value in self._pairs:
            if len(value) > LONGEST:
                raise refused_value(key, f"it has more than {LONGEST} characters")
            if wrong := bad_character(value) or bad_character(key):
                raise refused_value(key.encode(errors="replace").decode(), wrong)

    def allow(self, *keys: str) -> None:
        """Refuse all others."""
        known = {*keys, *EVERYWHERE}
        for key, _ in self._pairs:
            if key not in known:
                raise refused_value(key, f"no such key; there are {', '.join(keys) or 'none'}")

    def one(self, key: str, default: str = "", among: Collection[str] = ()) -> str:
        """The value of a key that is there once at most.

        Args:
            among: the values that it may have; none given: any.
        """
        found = self.many(key)
        if len(found) > 1:
            raise refused_value(key, "it is given more than once")
        value = found[0] if found else default
        if among and found and value not in among:
            raise refused_value(key, f"'{value}' is none of {', '.join(among)}")
        return value

    def many(self, key: str) -> Sequence[str]:
        """All values of a key that may be repeated."""
        return [value for name, value in self._pairs if name == key]

    def number(self, key: str, default: int, least: int, most: int) -> int:
        """A whole number within bounds."""
        text = self.one(key)
        if not text:
            return default
        is_number = text.isascii() and text.isdigit() and len(text) < 16
        if not is_number or not least <= int(text) <= most:
            raise refused_value(key, f"a number from {least} to {most}, not '{text}'")
        return int(text)

    def link(self, **changes: str | Sequence[str] | None) -> str:
        """The URL of this page with some keys changed.

        What leads to another page of the list is left out, unless it is one of them.
        """
        kept = [(k, v) for k, v in self._pairs if k not in {*changes, "page", "lang", "token"}]
        for key, value in changes.items():
            values = [value] if isinstance(value, str) else value or ()
            kept += [(key, each) for each in values if each]
        return f"{self.path}?{urlencode(kept)}" if kept else self.path

    def as_csv(self, *, for_spreadsheet: bool = False) -> str:
        """The URL of the whole list as CSV; for a spreadsheet: without formulas."""
        form = "spreadsheet" if for_spreadsheet else None
        return Query(f"{self.path}.csv", self._pairs).link(limit=None, run=None, **{"for": form})

    def without(self, key: str, value: str) -> str:
        """The URL of this page without one filter."""
        left = list(self.many(key))
        left.remove(value)
        return self.link(**{key: left})


class Filter(NamedTuple):
    """An active filter, as the page shows it."""

    name: str
    value: str
    remove: str  # the URL without it


def active(query: Query, names: Mapping[str, str]) -> list[Filter]:
    """The filters that a URL has.

    Args:
        names: key → what people call it.
    """
    return [
        Filter(name, value, query.without(key, value))
        for key, name in names.items()
        for value in query.many(key)
    ]
