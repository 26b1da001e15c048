"""Python's ``logging`` while a step runs: shown as the step's own lines, and afterwards as before.

No one pays for the module until the asset, or the host of the engine, has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from time import time
from typing import TYPE_CHECKING, Any, TypeAlias

from alo.events.types import LogLine
from alo.named_tuples import NamedTuple

if TYPE_CHECKING:
    import logging

LogListener: TypeAlias = Callable[[LogLine], object]
INFO, WARNING, ERROR = 20, 30, 40  # as in logging


def start_afresh(listener: LogListener) -> Callable[[], None]:
    """Have ``logging`` as in a fresh process: a host's handlers are not the asset's.

    Returns:
        what puts back the handler of last resort, if the asset has left ours there.
    """
    logging: Any = sys.modules.get("logging")
    if logging is None:
        return _do_nothing
    now = read_root()
    for name, value in FRESH.items():
        if now[name] != value:  # a new level has each logger forget what it knows
            write_root(name, value)
    before = logging.lastResort
    ours = show_logging(listener)

    def put_back() -> None:
        if logging.lastResort is ours:
            logging.lastResort = before

    return put_back


def _do_nothing() -> None:
    """There is nothing to put back."""


def show_logging(listener: LogListener) -> object:
    """Let Python's ``logging`` speak at INFO where the asset has not set it up by itself.

    A handler of last resort rather than one on the root logger, so that an asset's own
    ``basicConfig`` works as in a script.

    Returns:
        that handler; None without ``logging``.
    """
    if "logging" not in sys.modules:
        return None
    import logging

    last_resort = _last_resort_class()()
    last_resort.listener = listener
    logging.lastResort = last_resort
    if not logging.root.handlers:
        level_as_steps_begin()
    return last_resort


def level_as_steps_begin() -> None:
    """Have the root logger at INFO, as ``show_logging`` does."""
    import logging

    if logging.root.level != INFO:
        logging.root.setLevel(INFO)


@lru_cache(maxsize=1)
def _last_resort_class() -> Any:
    """Made once, and not before ``logging`` is imported."""
    import logging

    class LastResort(logging.Handler):
        listener: LogListener

        def emit(self, record: logging.LogRecord) -> None:
            try:
                line = _line_of(record)
            except Exception:  # wrong arguments, which logging never lets end a program
                self.handleError(record)
            else:
                self.listener(line)

    return LastResort


def _line_of(record: logging.LogRecord) -> LogLine:
    number = record.levelno
    level = "INFO" if number < WARNING else "WARNING" if number < ERROR else "ERROR"
    text = record.getMessage()
    if record.exc_info:
        import logging

        text += "\n" + logging.Formatter().formatException(record.exc_info)
    name, function = record.filename, record.funcName or ""
    return LogLine(record.created or time(), "USER", level, name, record.lineno, function, text)


class LoggerState(NamedTuple):
    """How a logger is set up."""

    level: int = 0
    handlers: Sequence[logging.Handler] = []
    filters: Sequence[object] = []
    propagate: bool = True
    disabled: bool = False


FRESH: Mapping[str, Any] = {
    "disable": 0,
    "level": INFO,  # as show_logging has it where there are no handlers
    "handlers": [],
    "filters": [],
    "put away": None,  # by captureWarnings
}


def read_root() -> dict[str, Any]:
    """What of ``logging`` is for all loggers."""
    import logging

    root: Any = logging.root
    return {
        "disable": root.manager.disable,
        "level": root.level,
        "handlers": list(root.handlers),
        "filters": list(root.filters),
        "last resort": logging.lastResort,
        "put away": logging.__dict__["_warnings_showwarning"],
        "factory": logging.getLogRecordFactory(),
        "class": logging.getLoggerClass(),
        "raises": logging.raiseExceptions,
    }


def write_root(name: str, value: Any) -> None:
    """Put one thing back that ``read_root`` gave, under its name there."""
    import logging

    match name:
        case "disable":
            logging.disable(value)
        case "level":
            logging.root.setLevel(value)
        case "handlers" | "filters":
            getattr(logging.root, name)[:] = value
        case "last resort":
            logging.lastResort = value or logging.__dict__["_defaultLastResort"]
        case "put away":
            logging.__dict__["_warnings_showwarning"] = value
        case "factory":
            logging.setLogRecordFactory(value)
        case "class":
            logging.setLoggerClass(value)
        case "raises":
            logging.raiseExceptions = value


def read_loggers() -> dict[str, LoggerState]:
    """The set-up of every logger that there is by now, by name."""
    import logging

    known = logging.root.manager.loggerDict.copy()
    return {name: _set_up(log) for name, log in known.items() if isinstance(log, logging.Logger)}


def write_logger(name: str, value: Any) -> None:
    """Set a logger up; one that was not there before keeps but what is to make it silent."""
    import logging

    log = logging.getLogger(name)
    silent = [each for each in log.handlers if isinstance(each, logging.NullHandler)]
    how = value if isinstance(value, LoggerState) else LoggerState(handlers=silent)
    log.setLevel(how.level)
    log.handlers[:], log.filters[:] = how.handlers, how.filters  # type: ignore[assignment]
    log.propagate, log.disabled = how.propagate, how.disabled


def _set_up(log: logging.Logger) -> LoggerState:
    handlers, filters = log.handlers.copy(), log.filters.copy()
    return LoggerState(log.level, handlers, filters, log.propagate, log.disabled)
