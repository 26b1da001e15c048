"""The index of a project for a process that asks it all the time: its connections stay open.

SQLite reads the head of a file for each connection, and writes its log back and removes it as the
last one closes, which together takes longer than most questions.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from alo.history.index import table
from alo.history.index.counts import Counts
from alo.history.index.table import Index
from alo.layout import Workspace

T = TypeVar("T")
MOST_IDLE = 4  # connections; each keeps up to 2 MB of the index in memory


class _Kept(NamedTuple):
    """An open connection, and which file it is to: the index may be deleted at any time."""

    database: sqlite3.Connection
    file: tuple[int, int]  # its device and inode
    counts: Counts


class KeptIndex:
    """Answers as ``table.ask`` does, from any number of threads."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._idle: list[_Kept] = []
        self._changing = threading.Lock()

    def ask(self, question: Callable[[Index], T]) -> T:
        """Put a question to the index, which is up to date then."""
        file = self._file()
        if file is None:
            return table.ask(self._workspace, question)  # which makes it
        try:
            return self._answer(question, file)
        except (sqlite3.Error, OSError):
            self.close()
            return table.ask(self._workspace, question)  # which makes a damaged one again

    def _answer(self, question: Callable[[Index], T], file: tuple[int, int]) -> T:
        kept = self._take(file)
        try:
            answer = table.answer(Index(self._workspace, kept.database, kept.counts), question)
        except BaseException:
            kept.database.close()
            raise
        self._give_back(kept)
        return answer

    def close(self) -> None:
        """Close what is open; a later question opens it again."""
        with self._changing:
            closing, self._idle = self._idle, []
        for each in closing:
            each.database.close()

    def _take(self, file: tuple[int, int]) -> _Kept:
        with self._changing:
            kept = self._idle.pop() if self._idle else None
        if kept is not None and kept.file == file:
            return kept
        if kept is not None:
            kept.database.close()
            self.close()
        return _Kept(table.connect(self._workspace.index), file, Counts())

    def _give_back(self, kept: _Kept) -> None:
        with self._changing:
            if is_kept := len(self._idle) < MOST_IDLE:
                self._idle.append(kept)
        if not is_kept:
            kept.database.close()

    def _file(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._workspace.index)
        except OSError:
            return None
        return status.st_dev, status.st_ino
