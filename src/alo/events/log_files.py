"""The log files of a run: ``process.log`` is the engine's, ``pipeline.log`` the assets'."""

from __future__ import annotations

import threading
from pathlib import Path

from alo.events.appended import AppendedFile
from alo.events.types import Event, LogLine, Output

PROCESS_LOG = "process.log"
PIPELINE_LOG = "pipeline.log"
LONGEST_LINE = 1 << 16  # characters without a newline that are held back


class RunLogs:
    """A listener that writes what it receives, line by line, so that a kill loses none."""

    def __init__(self, folder: Path) -> None:
        self._process = AppendedFile(folder / PROCESS_LOG)
        self._pipeline = AppendedFile(folder / PIPELINE_LOG)
        self._lock = threading.RLock()
        self._line = _Line()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Output):
            with self._lock:  # threads of an asset print too
                self._pass_on(event.text)
        elif isinstance(event, LogLine):
            with self._lock:
                self._end_line()
                log = self._pipeline if event.source == "USER" else self._process
                self._write(log, f"{event.format()}\n")

    def _pass_on(self, text: str) -> None:
        if text.endswith("\n") and not self._line.may_differ(text):
            self._write(self._pipeline, text)
            return
        lines, ends, rest = text.rpartition("\n")
        if ends:
            if self._line.may_differ(lines):
                lines = "\n".join([self._line.end(text) for text in lines.split("\n")])
            self._write(self._pipeline, f"{lines}\n")
        self._line.add(rest)
        if self._line.size > LONGEST_LINE:
            self._write(self._pipeline, self._line.begin())

    def check(self) -> None:
        """Raise if a line could not be written.

        Raises:
            RunError: the disk is full, or the file cannot be written for another reason.
        """
        for log in (self._process, self._pipeline):
            log.check()

    def close(self) -> None:
        """End a line that is still open, and close both files."""
        self._end_line()
        self._process.close()
        self._pipeline.close()

    def _end_line(self) -> None:
        if not self._line.is_empty:
            self._write(self._pipeline, f"{self._line.end()}\n")

    def _write(self, log: AppendedFile, text: str) -> None:
        log.write(text.encode("utf-8", "backslashreplace"))


class _Line:
    """A line that has no end yet, in the pieces in which it is printed.

    A progress bar draws its line again and again after a carriage return; the last one stays.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self.size = 0  # characters that are held
        self._returned = self._begun = False  # what comes draws it again; a part is written

    @property
    def is_empty(self) -> bool:
        return not (self._pieces or self._begun)

    def may_differ(self, lines: str) -> bool:
        """Whether the next lines may be to be written otherwise than as they are."""
        return bool(self._pieces) or self._returned or self._begun or "\r" in lines

    def add(self, text: str) -> None:
        if not text:
            return
        if "\r" in text or self._returned:
            drawn = text.rstrip("\r")
            if "\r" in drawn or (drawn and self._returned):
                self._pieces, self.size = [], 0
            self._returned = len(drawn) < len(text)
            text = drawn.rpartition("\r")[2]
        if text:
            self._pieces.append(text)
            self.size += len(text)

    def begin(self) -> str:
        """What is held, to be written without an end."""
        text, self._pieces, self.size, self._begun = "".join(self._pieces), [], 0, True
        return text

    def end(self, text: str = "") -> str:
        """What is held, and the rest of the line."""
        self.add(text)
        whole = self.begin()
        self._returned = self._begun = False
        return whole
