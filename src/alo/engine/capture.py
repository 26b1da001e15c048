"""What an asset prints becomes events; what it does to the process is undone when its step ends."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from time import time
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

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
    """While inside, prints go to the listener; afterwards the process is as it was before.

    That is: working folder, warning filters, Python's logging, and the streams.
    """
    streams = sys.stdout, sys.stderr
    folder = os.getcwd()
    logging_before = _logging_state()
    sys.stdout = CapturedStream("stdout", streams[0], listener)
    sys.stderr = CapturedStream("stderr", streams[1], listener)
    _set_logging(FRESH_LOGGING)  # handlers of a host, a notebook's say, are not the asset's
    finder = _LoggingFinder(listener)
    sys.meta_path.insert(0, finder)
    try:
        with warnings.catch_warnings():
            yield
    finally:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)
        sys.stdout, sys.stderr = streams
        os.chdir(folder)
        _set_logging(logging_before)


class _LoggingFinder:
    """Sets ``logging`` up when the asset imports it: until then no one pays for it."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != "logging":
            return None
        spec = PathFinder.find_spec(name, path, target)
        loader: Any = spec.loader if spec else None
        if loader is None:
            return None
        run_module = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run_module(module)
            show_logging(self._listener)

        loader.exec_module = exec_module
        return spec


def show_logging(listener: Listener) -> None:
    """Let Python's ``logging`` speak at INFO where the asset has not set it up by itself.

    A handler of last resort rather than one on the root logger, so that an asset's own
    ``basicConfig`` works as in a script.
    """
    if "logging" not in sys.modules:  # the asset has not imported it
        return
    import logging

    class LastResort(logging.Handler):
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


class LoggingState(NamedTuple):
    """What of ``logging`` is the process' own."""

    disable: int
    level: int
    handlers: tuple[logging.Handler, ...]
    last_resort: logging.Handler | None


FRESH_LOGGING = LoggingState(0, 30, (), None)  # 30: WARNING, as the root logger begins


def _logging_state() -> LoggingState:
    if "logging" not in sys.modules:
        return FRESH_LOGGING
    import logging

    root = logging.root
    handlers = tuple(root.handlers)
    return LoggingState(root.manager.disable, root.level, handlers, logging.lastResort)


def _set_logging(state: LoggingState) -> None:
    if "logging" not in sys.modules:
        return
    import logging

    logging.disable(state.disable)
    logging.root.setLevel(state.level)
    logging.root.handlers[:] = state.handlers
    logging.lastResort = state.last_resort or logging._defaultLastResort  # type: ignore[attr-defined]
