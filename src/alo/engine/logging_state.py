"""Python's ``logging`` while a step runs: shown as the step's own lines, and afterwards as before.

No one pays for the module until the asset, or the host of the engine, has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from time import time
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from alo.events import LogLine

if TYPE_CHECKING:
    import logging

LogListener: TypeAlias = Callable[[LogLine], object]
WARNING, ERROR = 30, 40  # as in logging


@contextmanager
def logging_apart(listener: LogListener) -> Iterator[None]:
    """While inside, ``logging`` is as in a fresh process, but for its last resort: the listener."""
    before = _state()
    _set_root(FRESH)  # handlers of a host, a notebook's say, are not the asset's
    show_logging(listener)
    finder = _LoggingFinder(listener)
    if "logging" not in sys.modules:
        sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)
        _restore(before)


def show_logging(listener: LogListener) -> None:
    """Let Python's ``logging`` speak at INFO where the asset has not set it up by itself.

    A handler of last resort rather than one on the root logger, so that an asset's own
    ``basicConfig`` works as in a script.
    """
    if "logging" not in sys.modules:
        return
    import logging

    class LastResort(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            try:
                line = _line_of(record)
            except Exception:  # wrong arguments, which logging never lets end a program
                self.handleError(record)
            else:
                listener(line)

    logging.lastResort = LastResort()
    if not logging.root.handlers:
        logging.root.setLevel(logging.INFO)


class _LoggingFinder:
    """Sets ``logging`` up when the asset imports it."""

    def __init__(self, listener: LogListener) -> None:
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


def _line_of(record: logging.LogRecord) -> LogLine:
    number = record.levelno
    level = "INFO" if number < WARNING else "WARNING" if number < ERROR else "ERROR"
    text = record.getMessage()
    if record.exc_info:
        import logging

        text += "\n" + logging.Formatter().formatException(record.exc_info)
    name, function = record.filename, record.funcName or ""
    return LogLine(record.created or time(), "USER", level, name, record.lineno, function, text)


class _Root(NamedTuple):
    """What of ``logging`` is the process' own."""

    disable: int
    level: int
    handlers: tuple[logging.Handler, ...]
    last_resort: logging.Handler | None
    shown_warnings: Any  # what captureWarnings() has put away


class _Logger(NamedTuple):
    level: int
    handlers: tuple[logging.Handler, ...]
    propagate: bool
    disabled: bool


FRESH = _Root(0, WARNING, (), None, None)


def _state() -> tuple[_Root, dict[str, _Logger]]:
    if "logging" not in sys.modules:
        return FRESH, {}
    import logging

    root: Any = logging.root
    shown: Any = logging.__dict__["_warnings_showwarning"]
    handlers = tuple(root.handlers)
    state = _Root(root.manager.disable, root.level, handlers, logging.lastResort, shown)
    return state, {logger.name: _settings(logger) for logger in _loggers()}


def _loggers() -> list[logging.Logger]:
    import logging

    known = list(logging.root.manager.loggerDict.values())
    return [each for each in known if isinstance(each, logging.Logger)]


def _settings(logger: logging.Logger) -> _Logger:
    return _Logger(logger.level, tuple(logger.handlers), logger.propagate, logger.disabled)


def _set_root(state: _Root) -> None:
    if "logging" not in sys.modules:
        return
    import logging

    logging.disable(state.disable)
    logging.root.setLevel(state.level)
    logging.root.handlers[:] = state.handlers
    logging.lastResort = state.last_resort or logging.__dict__["_defaultLastResort"]
    logging.__dict__["_warnings_showwarning"] = state.shown_warnings


def _restore(before: tuple[_Root, dict[str, _Logger]]) -> None:
    """Also of the loggers: handlers that a step has added would tell everything twice."""
    if "logging" not in sys.modules:
        return
    import logging

    root, loggers = before
    _set_root(root)
    for logger in _loggers():
        settings = loggers.get(logger.name)
        if settings is None:  # new: a library's may keep quiet, and keeps its level
            logger.handlers[:] = [
                each for each in logger.handlers if isinstance(each, logging.NullHandler)
            ]
        elif settings != _settings(logger):
            logger.setLevel(settings.level)
            logger.handlers[:] = settings.handlers
            logger.propagate, logger.disabled = settings.propagate, settings.disabled
