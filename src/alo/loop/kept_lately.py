"""Keeps what was made or asked for last, up to a weight, for whichever thread asks again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class KeptLately(Generic[K, V]):
    """Values by what they were made of; what was not asked for longest goes first.

    Args:
        most: that all of them may weigh. One that alone weighs more is not kept.
    """

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, Lock()
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value that is kept; None: none is."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def keep(self, key: K, value: V, weight: int = 1) -> V:
        """Have a value, which is given back, for whoever asks next."""
        with self._lock:
            self._kept[key] = (value, weight)
            while sum(each for _, each in self._kept.values()) > self._most:
                self._kept.popitem(last=False)
        return value
