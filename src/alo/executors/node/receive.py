"""What comes back of a task: written to the disk as it comes, in its place by rename."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from alo.copies import settle
from alo.errors import ExecutorError
from alo.executors.node.order import OUTPUT, Arriving
from alo.executors.node.parcel import Unpacking
from alo.executors.placing import ARTIFACTS, ENTRY
from alo.executors.task import TRIAL, Result, Task
from alo.files import discard
from alo.history.entries.move import move_entry
from alo.layout import KINDS, Workspace

ODD = "run it again; if it is so again, see that nothing changes what nodes send"


class Returns:
    """The folders of one try of a task. They are a few pieces in memory, whatever their size.

    Args:
        folder: new, for all that comes; it is the caller's once the task is done.
        project: whose history the runs of a trial go into.
    """

    def __init__(self, task: Task, folder: Path, project: Workspace) -> None:
        self._task, self._folder, self._project = task, folder, project
        self._arriving: Unpacking | None = None
        self._entries: list[tuple[str, Path]] = []
        self._what = ""
        self._in_entry: Mapping[str, Path] = {}
        self._is_done = False

    def begin(self, arriving: Arriving) -> None:
        """A folder follows.

        Raises:
            ExecutorError: the one before was not whole, or this one is none of ours.
        """
        self._end_folder()
        plain = arriving.kind in KINDS and arriving.name.strip(".") and "/" not in arriving.name
        if not plain or arriving.what not in (ENTRY, ARTIFACTS, OUTPUT):
            raise ExecutorError(f"a node sends back something odd: {arriving}", fix=ODD)
        self._what = arriving.what
        if arriving.what == OUTPUT:
            self._arriving = Unpacking(self._folder, arriving.digest)
        elif arriving.what == ENTRY:
            place = self._folder / arriving.kind / ENTRY / arriving.name
            self._entries.append((arriving.kind, place))
            self._arriving = Unpacking(place, arriving.digest)
        else:
            place = self._folder / arriving.kind / ARTIFACTS
            self._arriving = Unpacking(place, arriving.digest, self._in_entry)

    def take(self, piece: bytes) -> None:
        """A piece of it.

        Raises:
            ExecutorError: it is damaged.
            OSError: there is no room for it here.
        """
        if self._arriving is None:
            raise ExecutorError("a node sends back a piece of nothing", fix=ODD)
        self._arriving.take(piece)

    def finish(self, result: Result) -> Result:
        """All has come: the runs of a trial are in history, and what else came is the output.

        Raises:
            ExecutorError: something is missing.
            OSError: an entry cannot be moved.
        """
        self._end_folder()
        if self._task.kind == TRIAL:
            for kind, place in self._entries:
                settle(place)
                move_entry(place, self._project.history / kind)
            return result
        if not self._folder.is_dir():
            return result
        self._is_done = True
        return replace(result, output=self._folder)

    def close(self) -> None:
        """Remove what was not for the caller."""
        if self._arriving is not None:
            self._arriving.discard()
        if not self._is_done:
            discard(self._folder)

    def _end_folder(self) -> None:
        arriving, self._arriving = self._arriving, None
        if arriving is None:
            return
        arriving.finish()
        if self._what == ENTRY:
            _, entry = self._entries[-1]
            self._in_entry = arriving.listing.files_by_content(entry)
