"""The process of one job: runs its command, and records how that has ended.

It belongs to no studio: whoever started it may end or be killed. What it needs to know is in its
arguments, what it has to say in the job's folder. If it is killed itself, the next one follows the
command that runs on.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from alo.claims import take
from alo.ui.jobs.command import LOOK_S, Command, FoundCommand, StartedCommand
from alo.ui.jobs.folder import JobFolder
from alolib.disk import is_full

ROOM_S = 1.0  # from one look at a full disk to the next
PATIENCE_S = 10.0  # after each signal of a cancellation
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


def main() -> int:
    """Run the job of the arguments: the studio's folder, the id, the words of the command."""
    studio_folder, job_id, *words = sys.argv[1:]
    home = Path(studio_folder).parent
    os.chdir(home)  # as of a command in a shell
    folder = JobFolder(Path(studio_folder), job_id)
    folder.make()
    claim = take(folder.lock, f"job {job_id}")
    if claim is None or folder.ending is not None:
        return 0
    status: int | None = 128 + signal.SIGINT
    if folder.has_begun:
        status = _follow(folder, FoundCommand(folder, words, home))
    elif not folder.is_to_be_cancelled:
        status = _follow(folder, StartedCommand(folder, words))
    _end(folder, status)
    claim.release()
    return 0


def _follow(folder: JobFolder, command: Command) -> int | None:
    """Wait until the command has ended, or end it if that is asked for; returns how it ended."""
    while not command.has_ended(LOOK_S):
        if folder.is_to_be_cancelled:
            _cancel(command)
            break
    return command.exit_status


def _cancel(command: Command) -> None:
    for number in SIGNALS:
        command.send(number)
        if command.has_ended(PATIENCE_S):
            return
    while not command.has_ended(PATIENCE_S):
        pass  # what cannot be killed just now ends some time


def _end(folder: JobFolder, status: int | None) -> None:
    """Record how the job has ended; where the disk is full, as soon as it has room again."""
    while True:
        try:
            folder.end(status)
        except OSError as error:
            if not is_full(error):
                raise
            time.sleep(ROOM_S)
        else:
            return
