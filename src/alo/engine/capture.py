"""What an asset prints becomes events; what it does to the process is undone when its step ends."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from time import time
from typing import TYPE_CHECKING, Any, TextIO

from alo.events import Listener, LogLine, Output

if TYPE_CHECKING:
    import logging


class CapturedStream(io.TextIOBase):
    """Stands for ``sys.stdout`` or ``sys.stderr`` while a step runs."""

    errors = "replace"

    def __init__(self, name: str, original: TextIO, listener: Listener) -> None:
        self.name, self._original, self._listener = name, original, listener
        self.buffer = _Bytes(self)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            self._listener(Output(self.name, text))
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """An asset may close what it got; the next step still prints."""

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._original.isatty()

    def fileno(self) -> int:
        return self._original.fileno()


class _Bytes(io.RawIOBase):
    """``sys.stdout.buffer`` of a captured stream."""

    def __init__(self, stream: CapturedStream) -> None:
        self._stream = stream

    def write(self, content: Any) -> int:
        self._stream.write(bytes(content).decode("utf-8", "replace"))
        return len(content)

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """As for the stream."""


@contextmanager
def captured(listener: Listener) -> Iterator[None]:
    """Prints go to the listener; working folder, warning filters, logging and streams are as before after."""
    streams = sys.stdout, sys.stderr
    folder = os.getcwd()
    logging_before = _logging_state()
    sys.stdout = CapturedStream("stdout", streams[0], listener)
    sys.stderr = CapturedStream("stderr", streams[1], listener)
    try:
        with warnings.catch_warnings():
            yield
    finally:
        sys.stdout, sys.stderr = streams
        os.chdir(folder)
        _restore_logging(logging_before)


def show_logging(listener: Listener) -> None:
    """Let Python's ``logging`` speak at INFO where the asset has not set it up by itself.

    A handler of last resort rather than one on the root logger, so that an asset's own ``basicConfig``
    works as in a script.
    """
    logging = sys.modules.get("logging")
    if logging is None:  # the asset has not imported it
        return

    class LastResort(logging.Handler):  # type: ignore[name-defined, misc]
        def emit(self, record: logging.LogRecord) -> None:
            listener(_line_of(record))

    logging.lastResort = LastResort()
    if not logging.root.handlers:
        logging.root.setLevel(logging.INFO)


def _line_of(record: logging.LogRecord) -> LogLine:
    level = "INFO" if record.levelno < 30 else "WARNING" if record.levelno < 40 else "ERROR"
    text = record.getMessage()
    if record.exc_info:
        import logging

        text += "\n" + logging.Formatter().formatException(record.exc_info)
    name, function = record.filename, record.funcName or ""
    return LogLine(record.created or time(), "USER", level, name, record.lineno, function, text)


def _logging_state() -> tuple[Any, ...] | None:
    logging: Any = sys.modules.get("logging")
    if logging is None:
        return None
    root = logging.root
    return root.manager.disable, root.level, list(root.handlers), logging.lastResort


def _restore_logging(state: tuple[Any, ...] | None) -> None:
    logging: Any = sys.modules.get("logging")
    if logging is None:
        return
    fresh = (0, logging.WARNING, [], logging._defaultLastResort)
    disable, level, handlers, last_resort = state or fresh
    logging.disable(disable)
    logging.root.setLevel(level)
    logging.root.handlers[:] = handlers
    logging.lastResort = last_resort
