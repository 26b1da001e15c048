"""The log files of a run: ``process.log`` is the engine's, ``pipeline.log`` the assets'."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from alo.errors import RunError
from alo.events import Event, LogLine, Output
from alolib.disk import fix_of

PROCESS_LOG = "process.log"
PIPELINE_LOG = "pipeline.log"
LONGEST_LINE = 1 << 16  # characters of a print without a newline that are held back


class RunLogs:
    """A listener that writes what it hears, line by line, so that a kill loses none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = _open(folder / PROCESS_LOG)
        self._pipeline = _open(folder / PIPELINE_LOG)
        self._lock = threading.RLock()
        self._unfinished = ""  # what an asset printed since the last newline
        self._failure: OSError | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, LogLine | Output):
            with self._lock:  # threads of an asset print too
                self._tell(event)

    def _tell(self, event: LogLine | Output) -> None:
        if isinstance(event, LogLine):
            self._flush()
            log = self._pipeline if event.source == "USER" else self._process
            self._write(log, event.format())
            return
        *lines, self._unfinished = (self._unfinished + event.text).split("\n")
        if lines:
            self._write(self._pipeline, "\n".join(map(_last_drawn, lines)))
        if self._unfinished.count("\r") > 1:  # a return at its end still waits for what it draws
            is_drawn = self._unfinished.endswith("\r")
            self._unfinished = _last_drawn(self._unfinished) + "\r" * is_drawn
        if len(self._unfinished) > LONGEST_LINE:
            self._flush()

    def check(self) -> None:
        """Raise if a line could not be written.

        Raises:
            RunError: the disk is full, or the file cannot be written for another reason.
        """
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise RunError(
                f"the log cannot be written: {failure.strerror}",
                where=str(self._folder),
                fix=fix_of(failure),
            ) from failure

    def close(self) -> None:
        self._flush()
        for descriptor in (self._process, self._pipeline):
            if descriptor >= 0:
                os.close(descriptor)
        self._process = self._pipeline = -1

    def _flush(self) -> None:
        if self._unfinished:
            self._write(self._pipeline, _last_drawn(self._unfinished))
            self._unfinished = ""

    def _write(self, log: int, text: str) -> None:
        if log < 0:  # a thread of an asset that outlives the run
            return
        try:
            content = memoryview(f"{text}\n".encode("utf-8", "backslashreplace"))
            while content:
                content = content[os.write(log, content) :]
        except OSError as error:  # never inside the asset's own print
            self._failure = error


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)


def _last_drawn(line: str) -> str:
    """A progress bar draws its line again and again after a carriage return; the last one stays."""
    return line.rstrip("\r").rpartition("\r")[2] if "\r" in line else line
