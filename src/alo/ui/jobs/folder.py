"""The folder of a job, ``studio/jobs/<id>/``: what its own process writes, and the studio reads.

- ``lock``: claimed by the job's supervisor as long as it lives;
- ``command``: claimed by the command as long as it lives; ``process.json``: its number;
- ``events.jsonl``: what the command prints with ``--json``; ``output.txt``: its standard error;
- ``cancel``: there once somebody has asked for that;
- ``ended.json``: the exit status, when it has ended.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from alo.claims import holder_of
from alo.files import write_whole
from alo.json_text import json_bytes, json_file
from alo.layout import PRIVATE

# What is first on the path, the working folder, may hold modules of any name.
_BOOT = "import sys; sys.path[:1] = []; from {module} import main; sys.exit(main())"


def python_running(module: str) -> list[str]:
    """The command that runs the ``main`` of a module of ours."""
    return [sys.executable, "-c", _BOOT.format(module=module)]


class Ending(NamedTuple):
    """How a job has ended."""

    exit_status: int | None  # None: its command was killed, and nobody saw how it ended


class JobFolder:
    """Of one job."""

    def __init__(self, studio_folder: Path, job_id: str) -> None:
        self._studio = studio_folder
        self.path = studio_folder / "jobs" / job_id
        self.lock = self.path / "lock"
        self.events = self.path / "events.jsonl"
        self.output = self.path / "output.txt"
        self.command = self.path / "command"
        self._process = self.path / "process.json"
        self._ended = self.path / "ended.json"
        self._cancel = self.path / "cancel"

    def make(self) -> None:
        """Make it, before its process is started."""
        self._studio.mkdir(PRIVATE, exist_ok=True)
        self.path.mkdir(parents=True, exist_ok=True)

    @property
    def has_supervisor(self) -> bool:
        """Whether somebody follows the job, in whichever container."""
        return holder_of(self.lock) is not None

    @property
    def has_command(self) -> bool:
        """Whether its command runs, in whichever container."""
        return holder_of(self.command) is not None

    @property
    def has_begun(self) -> bool:
        """Whether its command was started: it runs, or has left a trace.

        One that was killed before it could leave any has begun no run.
        """
        if self.has_command or self._process.exists():
            return True
        with suppress(OSError):
            return self.events.stat().st_size > 0
        return False

    def note_process(self, process: int) -> None:
        """Note the number of the command's process, for who has to signal it later."""
        with suppress(OSError):  # a full disk: only who comes later cannot end it
            write_whole(self._process, json_bytes({"process": process}), durable=False)

    @property
    def process(self) -> int:
        """The process of the command; 0: it is not one of those that can be seen from here.

        A number alone would be any process' by now: it counts where that one has the claim open.
        """
        with suppress(OSError, ValueError, TypeError, KeyError):
            number = int(json_file(self._process)["process"])
            claim = os.stat(self.command)
            with os.scandir(f"/proc/{number}/fd") as opened:
                for each in opened:
                    with suppress(OSError):
                        if os.path.samestat(each.stat(), claim):
                            return number
        return 0

    def end(self, exit_status: int | None) -> None:
        """Record how the job has ended."""
        write_whole(self._ended, json_bytes({"exit_status": exit_status}))

    @property
    def ending(self) -> Ending | None:
        """How it has ended; None: it has not, or nobody has recorded it."""
        try:
            status = json_file(self._ended)["exit_status"]
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return Ending(status if isinstance(status, int) else None)

    def ask_to_cancel(self) -> None:
        """Ask the job's process to end the run, or not to begin it."""
        self.make()
        self._cancel.touch()

    @property
    def is_to_be_cancelled(self) -> bool:
        """Whether somebody has asked for that."""
        return self._cancel.exists()
