"""The args of a step as a notebook sets them: what a plan can hold, and nothing else.

Arrays, series, tuples and paths become the lists and texts that a plan has for them; what has no
such form is refused where it is set.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import deepcopy
from datetime import date, datetime
from enum import Enum
from typing import Any

from alo.errors import UsageError
from alo.json_text import MOST_LEVELS
from alo.plan.values import same

PLAIN = (type(None), bool, int, float, str, bytes, date, datetime)


class Args(dict[str, object]):
    """A dict of args that checks what is put into it.

    Args:
        step: whose args they are.
    """

    def __init__(self, step: str, values: Mapping[str, object]) -> None:
        super().__init__(deepcopy(dict(values)))
        self._step, self._planned = step, values

    def __setitem__(self, key: str, value: object) -> None:
        super().__setitem__(_name(key, self._step), plan_value(value, self._place(key)))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """As of a dict."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *others: Any, **more: object) -> None:
        """As of a dict: all of it, or nothing where one value cannot be an arg."""
        new = dict(*others, **more)
        fresh = {_name(key, self._step): plan_value(new[key], self._place(key)) for key in new}
        super().update(fresh)

    def __ior__(self, other: Any) -> Args:  # type: ignore[override,misc]
        self.update(other)
        return self

    def checked(self) -> dict[str, object]:
        """As a plan would have them: lists and mappings in them may have been changed in place."""
        return {key: self._checked(key, value) for key, value in self.items()}

    def _checked(self, key: str, value: object) -> object:
        if key in self._planned and same(value, self._planned[key]):
            return self._planned[key]
        return plan_value(value, self._place(key))

    def _place(self, key: str) -> str:
        return f"arg '{key}' of step '{self._step}'"


def plan_value(value: object, place: str, depth: int = 0) -> object:
    """The value as a plan can hold it.

    Args:
        place: for the message: whose value it is.
    Raises:
        UsageError: a plan cannot hold it.
    """
    if type(value) in PLAIN:
        return value
    if depth > MOST_LEVELS:
        raise UsageError(f"{place} is nested too deep, or holds itself")
    match value:
        case Enum():
            return plan_value(value.value, place, depth + 1)
        case Mapping():
            return {
                _key(key, place): plan_value(each, place, depth + 1) for key, each in value.items()
            }
        case list():
            return [plan_value(each, place, depth + 1) for each in value]
        case tuple() | range():
            return [plan_value(each, place, depth + 1) for each in value]
        case set() | frozenset():
            return {_key(plan_value(each, place, depth + 1), place) for each in value}
        case os.PathLike():
            return plan_value(os.fspath(value), place, depth + 1)
    return _from_library(value, place, depth)


def _from_library(value: Any, place: str, depth: int) -> object:
    """Arrays and numbers of NumPy, pandas, torch; and classes of numbers, texts and dates."""
    to_list = getattr(value, "tolist", None)
    if callable(to_list) and not isinstance(value, type):
        values = to_list()
        if type(values) is not type(value):
            return plan_value(values, place, depth + 1)
    try:
        if isinstance(value, datetime):  # of pandas; its NaT is one too, and no moment
            return datetime.fromisoformat(value.isoformat())
        for plain in (int, float, str):
            if isinstance(value, plain):
                return plain(value)
    except (ValueError, TypeError):
        pass
    raise UsageError(
        f"{place} cannot be of the type {type(value).__name__}",
        fix="an arg is what a plan can hold: a number, a text, a date, a list or a mapping of "
        "those; hand larger things on as data, or give the path of a file",
    )


def _key(key: Any, place: str) -> Any:
    plain = key.item() if hasattr(key, "item") else key
    if type(plain) is tuple:
        return tuple(_key(each, place) for each in plain)
    if type(plain) in PLAIN:
        return plain
    raise UsageError(f"{place} has a key of the type {type(key).__name__}")


def _name(key: object, step: str) -> str:
    if isinstance(key, str) and key:
        return key
    raise UsageError(f"an arg of step '{step}' has the name {key!r}, which is no text")
