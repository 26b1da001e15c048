"""The folder of a job, ``studio/jobs/<id>/``: what its own process writes, and the studio reads.

- ``lock``: claimed by the job's process as long as it lives;
- ``begun``: made once, by the process that runs the job; whoever comes second leaves;
- ``events.jsonl``: what ``alo run --json`` prints; ``output.txt``: its standard error;
- ``ended.json``: the exit status, when it has ended.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from alo.claims import holder_of
from alo.events.envelope import NAMES
from alo.events.stored import StoredEvent, StoredEvents
from alo.events.types import RunStarted
from alo.files import write_whole
from alo.json_text import json_bytes, json_value

# What stands first on the path, the working folder, may hold modules of any name.
_BOOT = "import sys; sys.path[:1] = []; from {module} import main; sys.exit(main())"


def python_running(module: str) -> list[str]:
    """The command that runs the ``main`` of a module of ours."""
    return [sys.executable, "-c", _BOOT.format(module=module)]


class JobFolder:
    """Of one job."""

    def __init__(self, studio_folder: Path, job_id: str) -> None:
        self.path = studio_folder / "jobs" / job_id
        self.lock = self.path / "lock"
        self.events = self.path / "events.jsonl"
        self.output = self.path / "output.txt"
        self._begun = self.path / "begun"
        self._ended = self.path / "ended.json"
        self._cancel = self.path / "cancel"

    def make(self) -> None:
        """Make it, before its process is started."""
        self.path.mkdir(parents=True, exist_ok=True)

    def begin(self) -> bool:
        """Whether the caller is the one to run the job: nobody has begun it."""
        try:
            os.close(os.open(self._begun, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            return False
        return True

    @property
    def has_begun(self) -> bool:
        """Whether a process has begun to run the job."""
        return self._begun.exists()

    @property
    def is_alive(self) -> bool:
        """Whether the job's process lives, in whichever container."""
        return holder_of(self.lock) is not None

    def end(self, exit_status: int) -> None:
        """Record how the job has ended."""
        write_whole(self._ended, json_bytes({"exit_status": exit_status}))

    @property
    def exit_status(self) -> int | None:
        """How it has ended; None: it has not, or its process was killed."""
        try:
            status = json_value(self._ended.read_bytes())["exit_status"]
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return status if isinstance(status, int) else None

    def ask_to_cancel(self) -> None:
        """Ask the job's process to end the run, or not to begin it."""
        self.make()
        self._cancel.touch()

    @property
    def is_to_be_cancelled(self) -> bool:
        """Whether somebody has asked for that."""
        return self._cancel.exists()

    def runs(self) -> list[str]:
        """The ids of the runs that it has begun."""
        name = NAMES[RunStarted]
        try:
            with StoredEvents(self.events) as stored:
                return [
                    each.run_id
                    for each in stored.new()
                    if isinstance(each, StoredEvent) and each.name == name
                ]
        except OSError:
            return []
