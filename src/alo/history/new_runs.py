"""The rows of the runs that ended last, as they noted them: a list just after a run need not look
through all of history for the one that has come.

A row counts only in a chain: it says when the folder of its kind had changed before and after the
run was put there, and what lies between the index and the folder as it is has to be noted without
a gap. Whatever else comes or goes changes that time, so that the folders remain the truth.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from alo.json_text import ordinary_bytes
from alo.layout import Workspace

if TYPE_CHECKING:
    from alo.history.record import RunRecord

MOST_BYTES = 60_000  # then the notes begin anew
NUMBER = (int, float)
TYPES: tuple[type | tuple[type, ...], ...] = (
    *(int, int),  # when the folder had changed, before and after
    *(str, str, int, int),  # kind, name, the record's time and size
    *(str, str, str, NUMBER, (*NUMBER, type(None)), str, str, str),
)


def columns_of(kind: str, name: str, stamp: tuple[int, int], record: RunRecord) -> tuple[Any, ...]:
    """What a list of runs shows of one, in the order of ``index.Line``.

    Args:
        stamp: time and size of the record's file.
    """
    return (
        kind,
        name,
        *stamp,
        record.id,
        record.status,
        record.start_time,
        record.seconds,
        record.score,
        record.result,
        record.note,
        record.train_id,
    )


def note_run(workspace: Workspace, before_ns: int, columns: Sequence[object]) -> None:
    """Note a run that has been put into history just now; without room for it, lists take longer.

    Args:
        before_ns: when the folder of its kind had changed before that.
    """
    line = json.dumps([before_ns, changed_ns(workspace, str(columns[0])), *columns])
    with suppress(OSError):
        workspace.internal.mkdir(exist_ok=True)
        with open(workspace.new_runs, "ab", opener=_without_waiting) as file:
            if file.tell() > MOST_BYTES:
                file.truncate(0)
            file.write(f"\n{line}".encode())  # on a line of its own, whatever is left of others


def rows_since(workspace: Workspace, kind: str, since_ns: int) -> list[list[Any]] | None:
    """The columns of what has come since the folder of a kind had changed at a time, the oldest
    first; None: not all of it is noted."""
    now_ns = changed_ns(workspace, kind)
    rows = []
    if since_ns != now_ns:
        for before_ns, after_ns, *columns in _noted(workspace):
            if columns[0] == kind and before_ns == since_ns:
                rows.append(columns)
                since_ns = after_ns
    return rows if since_ns == now_ns else None


def changed_ns(workspace: Workspace, kind: str) -> int:
    """When an entry of a kind came or went last; 0: there is no folder for them."""
    try:
        return os.stat(workspace.history / kind).st_mtime_ns
    except OSError:
        return 0


def _without_waiting(path: str, flags: int) -> int:
    """Open a file, but not a pipe that no one reads: that would be waited for."""
    return os.open(path, flags | os.O_NONBLOCK, 0o666)


def _noted(workspace: Workspace) -> Iterator[list[Any]]:
    try:
        lines = ordinary_bytes(workspace.new_runs).splitlines()
    except OSError:
        return
    for line in lines:
        with suppress(ValueError, RecursionError):
            row = json.loads(line)
            is_list = isinstance(row, list) and len(row) == len(TYPES)
            if is_list and all(isinstance(value, of) for value, of in zip(row, TYPES, strict=True)):
                yield row
