"""Texts from outside: what no file and no answer could hold, and what is no number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from alo.errors import UsageError
from alo.json_text import bad_character, every_value

MOST_DIGITS = 18  # of a number that fits into eight bytes

JOINERS = "\u200c\u200d"  # which change how their neighbours look
PLAIN_NAME = r"[\w.-]{1,100}"  # of what is a folder, and a part of URLs
MOST_NAME_BYTES = 200  # of one: file systems take 255, and we put something before and behind it


def is_odd(text: str) -> bool:
    """Whether a text has a NUL or a lone surrogate in it."""
    return bool(bad_character(text))


def looks(text: str) -> str:
    """What texts have in common that look the same: composed, and without what is not seen.

    Names of files on a Mac, and labels that were made of them, are decomposed: a Korean syllable is
    two or three characters, where a keyboard types one.
    """
    composed = unicodedata.normalize("NFC", text)
    return "".join(
        each for each in composed if each in JOINERS or unicodedata.category(each) != "Cf"
    )


def is_whole_number(text: str) -> bool:
    """Whether a text is a whole number of digits alone that a database can hold, too."""
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS


def odd_text(content: object, but: Collection[str] = ()) -> str | None:
    """The first odd text in some content, however deep, as it can be shown; None: there is none.

    Args:
        but: keys whose values are looked at by others.
    """
    found = (
        value for value in every_value(content, but) if isinstance(value, str) and is_odd(value)
    )
    text = next(found, None)
    return None if text is None else ascii(text)[:50]


def is_plain_name(name: str) -> bool:
    """Whether a name can be a folder's and a part of a URL, hidden by no system, and no option."""
    if not re.fullmatch(PLAIN_NAME, name) or name.startswith((".", "-")):
        return False
    return len(name.encode()) <= MOST_NAME_BYTES


def check_plain_name(name: str, what: str) -> None:
    """See that something can be called so.

    Args:
        what: is to be called so, as messages name it.
    Raises:
        UsageError: it cannot.
    """
    if not is_plain_name(name):
        raise UsageError(
            f"no {what} can be called '{name}'",
            fix="take letters, digits, '-', '_' and '.', at most 100 (200 bytes), no '.' or '-'"
            " at first",
        )


def counted(count: int, one: str, more: str = "") -> str:
    """A number with the word for what it counts: 1 row, 2 rows.

    Args:
        more: the word for any other number than one, where that is not `one` with an s.
    """
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"
