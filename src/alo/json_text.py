"""JSON as we write it: UTF-8 whatever the locale, and so that every reader takes it."""

from __future__ import annotations

import json
from typing import Any


def json_bytes(content: object, *, indent: int | None = None, default: Any = None) -> bytes:
    """JSON as UTF-8; a lone surrogate, of a name that is not, is the escape JSON has for it.

    Args:
        default: what makes a value of one that JSON has no type for.
    """
    text = json.dumps(content, ensure_ascii=False, indent=indent, default=default)
    return text.encode("utf-8", "backslashreplace")


def json_text(content: object, *, indent: int | None = None) -> str:
    """The same as text that can be encoded."""
    return json_bytes(content, indent=indent).decode()


def is_deeper(content: object, most: int) -> bool:
    """Whether there are more than ``most`` objects and lists in each other.

    What is nested deeply can be read, and then fails wherever it is written, copied or sent.
    """
    level = [content]
    for _ in range(most + 1):
        if not level:
            return False
        level = [
            each
            for outer in level
            if isinstance(outer, dict | list)
            for each in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)
