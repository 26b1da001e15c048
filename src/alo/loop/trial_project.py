"""A copy of a project in which runs leave the project's own models and artifacts alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from alo.claims import locked_folder
from alo.copies import copy_folder
from alo.executors.project_copy import copy_project
from alo.files import discard, remove_tree
from alo.history.browse import Entry
from alo.history.entries.move import move_entry
from alo.history.entries.names import entry_names, read_record
from alo.history.entries.seal import seal
from alo.layout import Workspace
from alo.processes.tree import Watchdog

STOP_S = 10.0  # that an interrupted run has to stop by itself


@dataclass(frozen=True, slots=True)
class TrialProject:
    """The copy."""

    workspace: Workspace
    project: Workspace
    lock: int  # the descriptor that keeps the copy from being swept

    def run(
        self,
        kind: str,
        data: Sequence[Path],
        overrides: Sequence[str] = (),
        *,
        prints_to: int | None = subprocess.DEVNULL,
    ) -> int:
        """Run one pipeline with this data, exporting nothing; returns the exit status.

        It is a process of its own, which may continue in an environment of the project.

        Args:
            prints_to: a descriptor; None: our own standard output.
        """
        command = [sys.executable, "-m", "alo.cli.main", "run", "--mode", kind]
        command += ["--project", str(self.workspace.home), "--system", _metadata(kind, data)]
        command += [word for text in overrides for word in ("--set", text)]
        command += ["--quiet"] if prints_to == subprocess.DEVNULL else []
        process = subprocess.Popen(  # noqa: S603 - ours
            command,
            stdout=prints_to,
            start_new_session=True,
            pass_fds=(self.lock,),  # while it still writes, no one sweeps the copy
        )
        watchdog = Watchdog(process.pid)  # should we be killed, no one waits for what it makes
        try:
            return process.wait()
        except BaseException:
            _end(process)
            raise
        finally:
            watchdog.dismiss()

    def last_entry(self, kind: str) -> Entry | None:
        """The entry that the last run has made in the copy; None: it made none."""
        folder = self.workspace.history / kind
        names = sorted(entry_names(folder))
        if not names:
            return None
        with suppress(FileNotFoundError):
            seal(folder / names[-1])  # large files of it are the trial's own until then
        return Entry(read_record(folder / names[-1]), folder / names[-1])

    def hand_over(self, entry: Entry) -> None:
        """Move an entry, as it is by now, into the project's history."""
        move_entry(entry.folder, self.project.history / entry.record.pipeline)

    def use_models(self, models: Path) -> None:
        """Have these models in the place of those that the last train run made."""
        if self.workspace.models.exists():
            remove_tree(self.workspace.models)
        self.workspace.models.parent.mkdir(parents=True, exist_ok=True)
        copy_folder(models, self.workspace.models)

    @property
    def output(self) -> Path:
        """Where the last inference has left its results."""
        return self.workspace.artifacts("inference") / "output"


@contextmanager
def trial_project(project: Workspace) -> Iterator[TrialProject]:
    """A copy of a project while it is used; what a kill leaves of it, the next run sweeps."""
    project.internal.mkdir(exist_ok=True)
    home, descriptor = locked_folder(project.past_code)
    try:
        copy_project(project, home)
        yield TrialProject(Workspace(home), project, descriptor)
    finally:
        discard(home)
        os.close(descriptor)


def _metadata(kind: str, data: Sequence[Path]) -> str:
    """Solution metadata that has one pipeline read this data, and export nothing."""
    pipeline = {"type": kind, "dataset_uri": [str(path) for path in data], "artifact_uri": ""}
    if kind == "inference":
        pipeline["model_uri"] = ""  # the models of the copy
    return json.dumps({"pipeline": [pipeline]})


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let it stop by itself, as at a terminal; then end it with all that it has started."""
    with suppress(subprocess.TimeoutExpired, ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
        process.wait(STOP_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
