"""Transactions within transactions: one that is begun in another is a part of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from alo.database.connection import Connection


class Joining(threading.local):
    """The transaction that a thread is in."""

    def __init__(self) -> None:
        self.rows: Connection | None = None

    @contextmanager
    def join(self, begin: Callable[[], AbstractContextManager[Connection]]) -> Iterator[Connection]:
        """That one; or a new one, which those that are begun within it join."""
        if self.rows is not None:
            yield self.rows
            return
        with begin() as rows:
            self.rows = rows
            try:
                yield rows
            finally:
                self.rows = None
