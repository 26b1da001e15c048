"""The process of one job: runs its command, and records how that has ended.

It belongs to no studio: whoever started it may end or be killed. What it needs to know is in its
arguments, what it has to say in the job's folder.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from alo.claims import take
from alo.ui.jobs.folder import JobFolder, python_running
from alolib.disk import is_full

LOOK_S = 0.2
ROOM_S = 1.0  # from one look at a full disk to the next
PATIENCE_S = 10.0  # after each signal of a cancellation
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


def main() -> int:
    """Run the job of the arguments: the studio's folder, the id, the words of the command."""
    studio_folder, job_id, *command = sys.argv[1:]
    os.chdir(Path(studio_folder).parent)  # the project's folder, as of a command in a shell
    folder = JobFolder(Path(studio_folder), job_id)
    folder.make()
    claim = take(folder.lock, f"job {job_id}")
    if claim is None or not folder.begin():
        return 0
    status = 128 + signal.SIGINT
    if not folder.is_to_be_cancelled:
        status = _run(folder, command)
    _end(folder, status)
    claim.release()
    return 0


def _run(folder: JobFolder, command: Sequence[str]) -> int:
    """Returns the exit status of the command; 128 and the number of a signal that ended it."""
    with open(folder.events, "ab") as events, open(folder.output, "ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            [*python_running("alo.cli.main"), *command],
            stdin=subprocess.DEVNULL,
            stdout=events,
            stderr=output,
            start_new_session=True,
        )
        status = _wait(folder, process)
    return status if status >= 0 else 128 - status


def _end(folder: JobFolder, status: int) -> None:
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


def _wait(folder: JobFolder, process: subprocess.Popen[bytes]) -> int:
    while not folder.is_to_be_cancelled:
        try:
            return process.wait(LOOK_S)
        except subprocess.TimeoutExpired:
            continue
    for number in SIGNALS:
        if number == signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        try:
            return process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            continue
    return process.wait()
