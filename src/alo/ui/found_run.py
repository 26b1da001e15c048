"""A run that a URL names, and where its files are: its history entry, or the workspace for one in
progress."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from alo.events.stored import StoredEvent, StoredEvents
from alo.history.follow import Run, events_file
from alo.history.record import RunRecord
from alo.json_text import ordinary_bytes
from alo.layout import PLAN_NAME, Workspace, find_plan
from alo.ui.ask import Ask
from alo.ui.problems import UiError, not_found

MOST_FILES = 10_000  # that are listed


class FileOfRun(NamedTuple):
    """A file in a run's folder."""

    path: str  # relative to that
    size: int


class FoundRun(NamedTuple):
    """A run."""

    record: RunRecord
    folder: Path
    is_in_history: bool
    workspace: Workspace

    def file(self, name: str) -> Path:
        """The file of this name.

        Raises:
            UiError: 404: there is none, or the name leads out of the run's folder.
        """
        path = self.folder / name
        with suppress(OSError, ValueError):
            real = path.resolve(strict=True)
            if real.is_relative_to(self.folder.resolve()) and real.is_file():
                return real
        raise not_found(f"run {self.record.id} has no file '{name}'")

    def files(self) -> list[FileOfRun]:
        """All files, by path; links are not followed, and pipes are none."""
        found: list[FileOfRun] = []
        for folder, folders, names in os.walk(self.folder):
            folders.sort()
            for name in sorted(names):
                path = Path(folder) / name
                with suppress(OSError):
                    status = path.lstat()
                    if stat.S_ISREG(status.st_mode):
                        shown = path.relative_to(self.folder).as_posix()
                        found.append(FileOfRun(shown, status.st_size))
                if len(found) >= MOST_FILES:
                    return found
        return found

    def plan(self) -> bytes:
        """The plan as it ran; of a run in progress, the project's own."""
        with suppress(OSError, UiError):
            if self.is_in_history:
                return self.file(PLAN_NAME).read_bytes()
            return ordinary_bytes(find_plan(self.workspace.home))
        raise not_found("the plan of this run was not kept")

    def events(self) -> Iterator[StoredEvent]:
        """Its events until now; none where they were not kept."""
        path = events_file(self.workspace, Run(self.record.id, self.record.pipeline))
        if path is None:
            return
        with suppress(OSError), StoredEvents(path) as stored:
            yield from (each for each in stored.new() if isinstance(each, StoredEvent))


def find_run(ask: Ask) -> FoundRun:
    """The run that the path names.

    Raises:
        UiError: 404.
    """
    try:
        return run_of(ask, ask.names["id"])
    except UiError as problem:
        problem.about = ask.names["id"]
        raise


def run_of(ask: Ask, run_id: str) -> FoundRun:
    """The run of an id, or of the beginning of one.

    Raises:
        UiError: 404.
    """
    from alo.errors import HistoryError

    workspace = ask.studio.workspace
    try:
        record = ask.studio.history.look_up(run_id)
    except HistoryError as error:
        raise UiError(404, error.what, where=error.where, fix="/runs lists them") from error
    entry = ask.studio.history.folder(record)
    folder = entry or workspace.artifacts(record.pipeline)
    return FoundRun(record, folder, entry is not None, workspace)
