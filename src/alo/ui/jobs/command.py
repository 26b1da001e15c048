"""The command of a job: a child of the supervisor that started it, or one that a later one found.

A supervisor that was killed leaves its command running. The command has the claim ``command`` of
the job's folder, which it inherited; what has become of it is in what it printed, and in history.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Protocol

from alo.claims import take
from alo.errors import AloError
from alo.layout import KINDS, Workspace, find_plan
from alo.ui.jobs.folder import JobEvents, JobFolder, python_running

LOOK_S = 0.2
ALL = "all"  # pipelines of the plan, as of --mode


class Command(Protocol):
    """A command, whoever has started it."""

    def has_ended(self, limit_s: float) -> bool:
        """Whether it has, or does so within this time."""

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; SIGKILL goes to all that it has started, too."""

    @property
    def exit_status(self) -> int | None:
        """Once it has ended; 128 and the number of a signal that ended it; None: not known."""


class StartedCommand:
    """A child of this process."""

    def __init__(self, folder: JobFolder, words: Sequence[str]) -> None:
        self._claim = take(folder.command, "the command of a job")
        inherited = self._claim.descriptors if self._claim else ()
        with open(folder.events, "ab") as events, open(folder.output, "ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                [*python_running("alo.cli.main"), *words],
                stdin=subprocess.DEVNULL,
                stdout=events,
                stderr=output,
                start_new_session=True,
                pass_fds=inherited,
            )
        folder.note_process(self._process.pid)

    def has_ended(self, limit_s: float) -> bool:
        """See ``Command``."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(limit_s)
            return True
        return False

    def send(self, number: signal.Signals) -> None:
        """See ``Command``."""
        _send(self._process.pid, number)

    @property
    def exit_status(self) -> int | None:
        """See ``Command``."""
        status = self._process.returncode
        return 128 - status if status is not None and status < 0 else status


class FoundCommand:
    """One whose supervisor was killed."""

    def __init__(self, folder: JobFolder, words: Sequence[str], home: Path) -> None:
        self._folder, self._words = folder, words
        self._events = JobEvents(folder)
        self._workspace = Workspace(home)

    def has_ended(self, limit_s: float) -> bool:
        """See ``Command``; what it has left running may still hold its claim."""
        end = time.monotonic() + limit_s
        while self._folder.has_command and not self._has_told_its_end():
            if time.monotonic() > end:
                return False
            time.sleep(LOOK_S)
        return True

    def send(self, number: signal.Signals) -> None:
        """See ``Command``; one in another container cannot be reached."""
        if process := self._folder.process:
            _send(process, number)

    @property
    def exit_status(self) -> int | None:
        """See ``Command``: as it has said itself, or 0 if all its runs are known to be good."""
        told = self._events.told()
        if told.exit_status is not None:
            return told.exit_status
        ended = [status or self._status_of(run_id) for run_id, status in told.runs.items()]
        return 0 if len(ended) >= self._wanted_runs and set(ended) == {"success"} else None

    def _has_told_its_end(self) -> bool:
        told = self._events.told()
        has_run_all = len(told.runs) >= self._wanted_runs and all(told.runs.values())
        return told.exit_status is not None or has_run_all

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


def _send(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        if number == signal.SIGKILL:
            os.killpg(process, number)
        else:
            os.kill(process, number)
