"""Texts from outside that no file and no answer could hold: with a NUL, or half a character."""

from __future__ import annotations

from collections.abc import Collection, Iterator


def is_odd(text: str) -> bool:
    """Whether a text has a NUL or a lone surrogate in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return "\0" in text


def odd_text(content: object, but: Collection[str] = ()) -> str | None:
    """The first odd text in some content, however deep, as it can be shown; None: there is none.

    Args:
        but: keys whose values are looked at by others.
    """
    found = (value for value in values_in(content, but) if isinstance(value, str) and is_odd(value))
    text = next(found, None)
    return None if text is None else ascii(text)[:50]


def values_in(content: object, but: Collection[str] = ()) -> Iterator[object]:
    """All values and keys of what JSON may say."""
    waiting = [content]
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, dict):
            waiting += [part for key in value if key not in but for part in (value[key], key)]
        elif isinstance(value, list):
            waiting += value
