"""A run that an executor does, in the project on this machine: its logs as they come, then its end.

As for a run that is done here, what it replaces is aside until the entry in history is there, and
comes back if it has failed, or this process is killed.
"""

from __future__ import annotations

import errno
import os
from functools import partial
from pathlib import Path

from alo.copies import copy_folder
from alo.engine.faults import disk_errors, tried
from alo.engine.outputs import export, export_failed
from alo.engine.records import first_record, outcome_of
from alo.engine.request import RunOutcome
from alo.engine.spec import Job
from alo.engine.workspace import unfinished
from alo.engine.workspace.models import mend_models
from alo.engine.workspace.pruning import prune
from alo.engine.workspace.recovery import seal_history
from alo.errors import AloError, ExportError
from alo.events.appended import AppendedFile
from alo.events.envelope import Envelope
from alo.events.journal import EVENTS_LOG
from alo.events.log_files import RunLogs
from alo.events.log_lines import info, warning
from alo.events.types import Listener, Output, RunFinished
from alo.executors.placing import ARTIFACTS, ENTRY, entry_in
from alo.executors.task import ERROR
from alo.files import discard, write_whole
from alo.history.entries.checksums import amend
from alo.history.entries.move import move_entry
from alo.history.entries.names import RECORD, entry_name, read_record
from alo.history.entries.save import link_artifacts
from alo.history.ids import utc_text
from alo.history.models_origin import EXTERNAL_MODEL, write_origin
from alo.history.recent_runs import record_recent_run
from alo.json_text import json_bytes_by_line
from alo.plan.render import render_plan
from alo.processes.signals import SignalGuard


def begin(
    job: Job,
    first: Envelope,
    executor: str,
    guard: SignalGuard,
    listener: Listener,
    models: Path | None = None,
    train_id: str = "",
) -> LiveRun:
    """Move aside what a run replaces that has begun; the lock of the workspace is the caller's.

    Args:
        first: its first event.
        executor: as the record names it.
        models: as of ``LiveRun``, as are the guard and train_id.
    Raises:
        RunError: what it replaces cannot be moved aside; nothing has changed then.
    """
    seal_history(job.workspace, listener)
    record = first_record(job, first.moment)._replace(
        id=first.run_id, start_time=utc_text(first.moment), executor=executor
    )
    with disk_errors("the run cannot begin", job.workspace.home):
        replaced = unfinished.begin(
            job.workspace,
            {
                "id": record.id,
                "pipeline": record.pipeline,
                "record": record.to_json(),
                "train_id": train_id,  # for whoever finds the models spoilt
                "plan": render_plan(job.plan, job.changes).decode("utf-8", "surrogateescape"),
            },
        )
    return LiveRun(job, replaced, guard, listener, models, train_id)


class LiveRun:
    """A run that has begun; its constructor moves nothing.

    Args:
        replaced: what it has moved aside.
        guard: installed.
        models: those that it was given from outside, which stay here as in a run that is done here.
        train_id: the run that has made its models; empty: none is known.
    """

    def __init__(
        self,
        job: Job,
        replaced: unfinished.UnfinishedRun,
        guard: SignalGuard,
        listener: Listener,
        models: Path | None,
        train_id: str,
    ) -> None:
        self._job, self._guard, self._listener, self._models = job, guard, listener, models
        self._workspace, self._unfinished = job.workspace, replaced
        self.run_id, self._kind = replaced.run_id, replaced.kind
        self._train_id, self._exported = train_id, tuple[str, ...]()
        self._last: Envelope | None = None  # how it has ended, passed on once that is true here
        self._entry: Path | None = None  # once it is in history
        log = self._live / "log"
        self._logs, self._events = RunLogs(log), AppendedFile(log / EVENTS_LOG)

    @property
    def _live(self) -> Path:
        return self._workspace.artifacts(self._kind)

    def take(self, envelope: Envelope) -> bool:
        """Write an event to the logs; whether it is to be passed on now."""
        self._logs(envelope.event)
        self._events.write(envelope.to_json(), whole=True)
        if isinstance(envelope.event, RunFinished):
            self._last = envelope
            return False
        return True

    def log(self, printed: Output) -> None:
        """Write to the logs what is in no event."""
        self._logs(printed)

    def succeed(self, folder: Path) -> RunOutcome:
        """Have what it has made in its place, and its entry in history.

        Args:
            folder: with the entry and the artifacts.
        Raises:
            RunError, ExportError: that cannot be; what it replaced is back then.
        """
        with self._guard.held():
            self._close()
            try:
                with disk_errors("what the run has made cannot be put in its place", self._live):
                    _replace(folder / ARTIFACTS, self._live)
                    if self._kind == "train":
                        write_origin(self._workspace, self.run_id)
                    if self._models is not None:
                        self._unfinished.replace_models(borrowed=False)
                        _replace(self._models, self._workspace.models)
                        write_origin(self._workspace, EXTERNAL_MODEL)
                with self._guard.released():
                    self._exported = tuple(export(self._job, self._live))
                self._report_exported()
                entry = self._enter(folder)
            except BaseException as error:
                if isinstance(error, ExportError):
                    enter = partial(self._enter, folder, error)
                    tried(self._listener, "the failed run is not in history", enter)
                self._undo()
                raise
            record = read_record(entry)
            record_recent_run(self._workspace, self._kind, record.id)
            tried(self._listener, "the next run has to clean up", self._unfinished.discard)
            if self._job.outputs.prunes:
                tidy = partial(prune, self._job, record.id, self._guard)
                tried(self._listener, "history is not pruned", tidy)
        return outcome_of(record, self._live, entry, self._exported)

    def fail(self, folder: Path | None, error: AloError | None = None) -> None:
        """Have its entry in history, what it has come to saved outside, and what it replaced back.

        Args:
            folder: with the entry; None: there is none.
            error: why it failed; None: it was lost, or ended by its user.
        """
        with self._guard.held():
            self._close()
            if folder is not None and (folder / ENTRY).is_dir():
                if error is not None:
                    self._export_failed(folder, error)
                enter = partial(self._enter, folder)
                tried(self._listener, "the failed run is not in history", enter)
            self._undo()

    def ending(self) -> Envelope | None:
        """Its last event, as it is true here."""
        if self._last is None or not isinstance(event := self._last.event, RunFinished):
            return None
        return self._last if self._entry else self._last._replace(event=event._replace(history=""))

    def _export_failed(self, folder: Path, error: AloError) -> None:
        if self._job.outputs.export_target is None:
            return
        entry = entry_in(folder)
        artifacts = folder / self._live.name
        link = partial(link_artifacts, entry, artifacts)
        if tried(self._listener, "the failed run is not saved outside", link):
            exported, problem = export_failed(self._job, artifacts, error, self._guard)
            self._exported = tuple(exported)
            self._report_exported()
            if problem:
                self._listener(warning(problem))

    def _report_exported(self) -> None:
        if self._exported:
            count = len(self._exported)
            self._listener(info(f"saved to {self._job.outputs.export_target}: {count} files"))

    def _enter(self, folder: Path, error: AloError | None = None) -> Path:
        """Have its entry in history; one that failed here says so.

        Args:
            error: why it failed after it had succeeded where it ran.
        """
        entry = entry_in(folder)
        place = self._workspace.history / self._kind
        with disk_errors("the run cannot be kept in history", self._workspace.history):
            name = entry.name
            if error is not None:
                record = read_record(entry)._replace(status=ERROR, reason=error.what)
                amend(entry, RECORD, json_bytes_by_line(record.to_json()))
                name = entry_name(record.id, ERROR)
            self._note_end(entry, place / name, ERROR if error else "")
            self._entry = move_entry(entry, place, name)
        return self._entry

    def _note_end(self, entry: Path, place: Path, status: str) -> None:
        """Have the last event say what has become of the run here."""
        if self._last is None or not isinstance(reported := self._last.event, RunFinished):
            return
        event = reported._replace(
            status=status or reported.status,
            artifacts=str(self._live),
            history=str(place),
            exported=self._exported,
        )
        self._last = self._last._replace(event=event)
        if event == reported:
            return
        name, line = f"log/{EVENTS_LOG}", self._last.to_json()
        if (entry / name).is_file():
            amend(entry, name, _with_end((entry / name).read_bytes(), line))
        if (self._live / name).is_file():
            write_whole(self._live / name, _with_end((self._live / name).read_bytes(), line))

    def _undo(self) -> None:
        what = "the previous artifacts are not back yet, the next run puts them back"
        tried(self._listener, what, lambda: self._unfinished.put_back(self._mend_models))

    def _mend_models(self) -> None:
        """Those of this project, where the run was done on them."""
        if self._kind == "inference":
            mend_models(self._workspace, self._train_id, self._listener)

    def _close(self) -> None:
        self._logs.close()
        self._events.close()


def _with_end(lines: bytes, end: bytes) -> bytes:
    """With another last line."""
    return lines[: lines.rstrip(b"\n").rfind(b"\n") + 1] + end


def _replace(source: Path, live: Path) -> None:
    """Have a folder in the place of the one that had the logs until now."""
    discard(live)
    try:
        os.rename(source, live)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy_folder(source, live)  # .alo/ is on another disk
