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
from pathlib import Path
from typing import Protocol

from alo.claims import take
from alo.ui.jobs.folder import JobFolder, python_running
from alo.ui.jobs.progress import reader_of

LOOK_S = 0.2


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
        self._folder = folder
        self._reader = reader_of(folder, words, home)

    def has_ended(self, limit_s: float) -> bool:
        """See ``Command``; what it has left running may still hold its claim."""
        end = time.monotonic() + limit_s
        while self._folder.has_command and not self._reader.progress().is_over:
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
        """See ``Command``: as what it has printed says."""
        return self._reader.progress().exit_status


def _send(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        if number == signal.SIGKILL:
            os.killpg(process, number)
        else:
            os.kill(process, number)
