"""What an asset prints becomes events; what it does to the process is undone when its step ends."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from alo.engine.logging_state import logging_apart, show_logging
from alo.engine.prints import Prints
from alo.engine.streams import PrintStream
from alo.events import Listener, LogLine

__all__ = ["captured", "show_logging"]


@contextmanager
def captured(listener: Listener) -> Iterator[Callable[[LogLine], None]]:
    """While inside, prints go to the listener; afterwards the process is as it was before.

    That is: working folder, warning filters, Python's logging, and the streams. A process that the
    asset has forked ends here. Gives what log lines are told to, in order with the prints.
    """
    prints = Prints(listener)
    process, folder = os.getpid(), _working_folder()
    outer = _replace_streams(prints)
    try:
        with (
            logging_apart(prints.tell),
            warnings.catch_warnings(),
            _descriptors_kept(),
            _exit_raises(process),
        ):
            yield prints.tell
    except BaseException as error:
        _end_if_forked(process, error)
        raise
    finally:
        _end_if_forked(process, None)
        for shown in (sys.stdout, sys.stderr):  # an asset may have put a buffer around ours
            with suppress(Exception):
                shown.flush()
        for name, stream in outer.items():
            setattr(sys, name, stream)
        prints.end()
        with suppress(OSError):  # it may be gone
            os.chdir(folder)


def _replace_streams(prints: Prints) -> dict[str, Any]:
    """Returns those from before, by their names in ``sys``."""
    outer: dict[str, Any] = {}
    for name in ("stdout", "stderr"):
        stream = PrintStream(name, getattr(sys, name), prints)
        for each in (name, f"__{name}__"):
            outer[each] = getattr(sys, each)
            setattr(sys, each, stream)
    return outer


@contextmanager
def _exit_raises(process: int) -> Iterator[None]:
    """``os._exit`` would end the run with the asset's status and nothing in order: it is a failure.

    Forked children end with it, as ``multiprocessing`` has them do.
    """
    really_exit = os._exit

    def exit_or_raise(status: int) -> NoReturn:
        if os.getpid() != process:
            really_exit(status)
        raise SystemExit(status)

    os._exit = exit_or_raise
    try:
        yield
    finally:
        os._exit = really_exit


@contextmanager
def _descriptors_kept() -> Iterator[None]:
    """Standard output and error are the process' own afterwards, even if the asset closed them."""
    kept = {number: _duplicate(number) for number in (1, 2)}
    try:
        yield
    finally:
        for number, copy in kept.items():
            if copy is not None:
                if not _is_same_file(number, copy):
                    os.dup2(copy, number)
                os.close(copy)


def _duplicate(descriptor: int) -> int | None:
    try:
        return os.dup(descriptor)
    except OSError:  # closed from the start
        return None


def _is_same_file(one: int, other: int) -> bool:
    try:
        return os.path.samestat(os.fstat(one), os.fstat(other))
    except OSError:
        return False


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return ""


def _end_if_forked(process: int, error: BaseException | None) -> None:
    """End a forked process, which would go on as a second engine beside the first."""
    if os.getpid() == process:
        return
    status = 0
    if isinstance(error, SystemExit):
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        sys.excepthook(type(error), error, error.__traceback__)
        status = 1
    os._exit(status & 0xFF)
