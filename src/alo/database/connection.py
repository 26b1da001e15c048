"""The thin layer over both databases: one SQL, short transactions, errors of one kind.

Statements are written with ``?`` for values, and with types that both databases have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = Sequence[Any]


def marks(values: Sized) -> str:
    """The places of so many values in a statement, as a list of them has it."""
    return ", ".join("?" * len(values))


class Connection(Protocol):
    """What a transaction works with."""

    def execute(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Run one statement; returns the rows that it gives."""

    def execute_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each row of values."""


class Database(Protocol):
    """A database of the studio; used from many threads."""

    @property
    def place(self) -> str:
        """Where it is, without a password: the same database has the same."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """Read and write; nobody else writes meanwhile. An error undoes all of it.

        One that the same thread begins within another is a part of it, and so is what it reads.

        Raises:
            DatabaseError: it cannot be reached, or written to.
        """

    def read(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """The rows of one query.

        Raises:
            DatabaseError: it cannot be reached.
        """

    def close(self) -> None:
        """Close all connections."""
