"""What the command of a job has printed of itself: how far it is, what it has made, how it ended.

``alo run --json`` prints events as they happen; any other command one object, at its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol

from alo.errors import AloError
from alo.events.stored import StoredEvent, StoredEvents
from alo.events.types import CommandFailed, Event, RunFinished, RunStarted
from alo.gate.verdict import PASS
from alo.json_text import json_value
from alo.layout import KINDS, Workspace, find_plan
from alo.ui.jobs.folder import JobFolder
from alo.ui.jobs.job import HELD_STATUS, RETRAIN, REVIEW, RUN

ALL = "all"  # pipelines of the plan, as of --mode


class Progress(NamedTuple):
    """What is known by now."""

    run: str = ""  # the first run that it has begun; or the candidate
    made: str = ""  # the data set, NAME@V
    is_over: bool = False
    exit_status: int | None = None  # None: it is not known


class ProgressReader(Protocol):
    """Reads what a command prints, as it comes."""

    def progress(self) -> Progress:
        """All until now."""


def reader_of(folder: JobFolder, words: Sequence[str], home: Path) -> ProgressReader:
    """What reads the prints of a job's command."""
    if words[0] == RUN:
        return RunReader(folder, words, home)
    return ResultReader(folder, words)


class RunReader:
    """Of ``alo run``: the events of its runs."""

    def __init__(self, folder: JobFolder, words: Sequence[str], home: Path) -> None:
        self._path, self._words = folder.events, words
        self._workspace = Workspace(home)
        self._read = 0  # bytes of it
        self._runs: dict[str, str] = {}  # the ids of its runs -> how each ended; empty: it has not
        self._exit_status: int | None = None  # as it says itself when it fails

    def progress(self) -> Progress:
        """See ``ProgressReader``; without a word of its own, 0 if all runs are known to be good."""
        self._read_on()
        run = next(iter(self._runs), "")
        if self._exit_status is not None:
            return Progress(run, is_over=True, exit_status=self._exit_status)
        has_run_all = len(self._runs) >= self._wanted_runs
        ended = [status or self._status_of(run_id) for run_id, status in self._runs.items()]
        return Progress(
            run,
            is_over=has_run_all and all(self._runs.values()),
            exit_status=0 if has_run_all and set(ended) == {"success"} else None,
        )

    @property
    def runs(self) -> Sequence[str]:
        """The runs that it has begun."""
        self._read_on()
        return list(self._runs)

    def _read_on(self) -> None:
        with suppress(OSError), StoredEvents(self._path) as stored:  # else there is none yet
            stored.size = self._read
            for each in stored.new():
                if isinstance(each, StoredEvent):
                    self._take(each.event())
            self._read = stored.size

    def _take(self, event: Event | None) -> None:
        match event:
            case RunStarted():
                self._runs[event.run_id] = ""
            case RunFinished():
                self._runs[event.run_id] = event.status
            case CommandFailed():
                self._exit_status = event.exit_status

    def _status_of(self, run_id: str) -> str:
        """How a run has ended that could not print it, as on a full disk."""
        from alo.history.browse import History

        with suppress(AloError):  # it was removed since
            return History(self._workspace).look_up(run_id).status
        return ""

    @cached_property
    def _wanted_runs(self) -> int:
        from alo.plan.load import load_plan

        mode = self._words[self._words.index("--mode") + 1] if "--mode" in self._words else ""
        if mode != ALL:
            return 1
        home = self._workspace.home
        with suppress(AloError):  # it has become another since
            return len(load_plan(find_plan(home), home=home).pipelines)
        return len(KINDS)


class ResultReader:
    """Of a command that prints one object when it is done: a data set, a candidate, a review."""

    def __init__(self, folder: JobFolder, words: Sequence[str]) -> None:
        self._path, self._words = folder.events, words

    def progress(self) -> Progress:
        """See ``ProgressReader``."""
        found = self._result()
        if found is None:
            return Progress()
        if self._words[0] == RETRAIN:
            status = 0 if found.get("verdict") == PASS else HELD_STATUS
            return Progress(run=str(found.get("run", "")), is_over=True, exit_status=status)
        made = str(found.get("name", "")) if self._words[0] == REVIEW else ""
        made = f"{found.get('name')}@{found.get('version')}" if "version" in found else made
        return Progress(made=made, is_over=True, exit_status=0)

    def _result(self) -> Mapping[str, object] | None:
        with suppress(OSError, ValueError):  # there is nothing yet, or half of it
            content = self._path.read_bytes()
            found = json_value(content) if content.endswith(b"\n") else None
            return found if isinstance(found, dict) else None
        return None
