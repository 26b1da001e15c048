"""How many runs meet a condition, for who asks the same connection again and again: of a hundred
thousand runs a count takes longer than a page of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

MOST = 1000  # conditions that are remembered


class Counts:
    """What one connection has counted, for as long as the index stays as it is."""

    def __init__(self) -> None:
        self._state: tuple[int, int] = (-1, -1)
        self._known: dict[tuple[object, ...], int] = {}

    def count(self, database: sqlite3.Connection, condition: str, values: Sequence[object]) -> int:
        """How many rows of ``runs`` meet a condition."""
        # The first changes with what other connections write, the second with what this one does.
        (seen,) = database.execute("PRAGMA data_version").fetchone()
        state = (seen, database.total_changes)
        if self._state != state or len(self._known) >= MOST:
            self._state, self._known = state, {}
        key = (condition, *values)
        if key not in self._known:
            query = f"SELECT count(*) FROM runs WHERE {condition}"  # noqa: S608
            (self._known[key],) = database.execute(query, values).fetchone()
        return self._known[key]
