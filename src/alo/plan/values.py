"""When two values of args are the same: where an asset could distinguish them, they are not.

Python's ``==`` will not do, for 1, 1.0 and True are equal there; nor will JSON, where a date is its
text and every key is one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

# What YAML gives: the text that Python has for them distinguishes them.
PLAIN = frozenset(
    {"NoneType", "bool", "int", "float", "complex", "str", "bytes", "date", "datetime"}
)


def same(one: object, other: object) -> bool:
    """Whether an asset could not distinguish two values; by the order of keys, it could."""
    return form(one) == form(other)


def form(value: object) -> str:
    """A text that two values have in common only if they are the same."""
    if type(value) is str:  # most are
        return _text(value)
    match value:
        case Mapping():
            pairs = (f"{form(key)}: {form(each)}" for key, each in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list():
            return f"[{', '.join(map(form, value))}]"
        case tuple():
            return f"({''.join(f'{form(each)}, ' for each in value)})"
        case set() | frozenset():
            return f"set({', '.join(sorted(map(form, value)))})"
        case _ if type(value).__name__ in PLAIN:
            return _text(value)
        case _:  # a notebook's, say an array: what Python has for it may leave something out
            return f"{type(value).__name__} {os.urandom(8).hex()}"


def plan_form(value: object) -> str:
    """As ``form``, for values that a plan would have in common.

    A plan says a tuple as a list; and the order of its keys does not make it another one.
    """
    match value:
        case Mapping():
            pairs = (f"{plan_form(key)}:{plan_form(each)}" for key, each in value.items())
            return f"{{{','.join(sorted(pairs))}}}"
        case list() | tuple():
            return f"[{','.join(map(plan_form, value))}]"
        case set() | frozenset():
            return f"({','.join(sorted(map(plan_form, value)))})"
        case _:
            return _text(value)


def _text(value: object) -> str:
    try:
        return ascii(value)
    except ValueError:  # thousands of digits
        return hex(value) if isinstance(value, int) else "?"
