"""Which request a worker has in hand, and in which step it is: read once its process has died.

A note in a file outlives the process and wakes no one, as a message does.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

SIZE = 4096  # of the file from its beginning: a note needs no more room on a full disk
IDLE, IN_HAND = b"-", b"+"


class ProgressNote:
    """The worker's side of the note; its file is made anew."""

    def __init__(self, path: Path) -> None:
        self._noted = IDLE
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        os.write(self._file, IDLE.ljust(SIZE, b"\n"))

    def begin(self, step: str = "") -> None:
        """A request is in hand, and in this step, or in none."""
        name = step.encode("utf-8", "surrogateescape")[: SIZE - 2]
        self._note(IN_HAND + name)

    def end(self) -> None:
        """No request is in hand."""
        self._note(IDLE)

    def _note(self, text: bytes) -> None:
        if text == self._noted:
            return
        with suppress(OSError):  # it is for a message
            os.pwrite(self._file, text + b"\n", 0)
            self._noted = text


def noted_step(path: Path) -> str | None:
    """The step that a request was in, empty between steps; None where none was in hand."""
    try:
        with open(path, "rb") as file:
            line = file.readline(SIZE)
    except OSError:  # it is gone, with all of the worker's folder: a request may have done that
        return ""
    if line[:1] != IN_HAND:
        return None
    return line[1:].rstrip(b"\n").decode("utf-8", "surrogateescape")
