"""What an asset prints becomes events; what it does to the process is undone when its step ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import NoReturn

from alo.engine.isolation.logging_state import show_logging, start_afresh
from alo.engine.isolation.prints import Prints
from alo.engine.isolation.process_state import process_restored
from alo.engine.isolation.streams import PrintStream
from alo.events.types import Listener, LogLine

__all__ = ["captured", "show_logging"]

STREAMS = ("stdout", "stderr", "__stdout__", "__stderr__")  # of sys


@contextmanager
def captured(listener: Listener, once: str = "") -> Iterator[Callable[[LogLine], None]]:
    """While inside, prints go to the listener; afterwards the process is as it was before.

    A process that the asset has forked ends here. Gives what takes log lines, in order with
    the prints.

    Args:
        once: as for ``process_restored``.
    """
    prints, process = Prints(listener), os.getpid()
    try:
        with process_restored(partial(show_logging, prints.log), once):
            really_exit = os._exit
            os._exit = partial(_exit_or_raise, process, really_exit)
            stop_showing = start_afresh(prints.log)
            put_streams_back = _replace_streams(prints)
            try:
                yield prints.log
            except BaseException as error:
                _end_if_forked(process, error)
                raise
            finally:
                _end_if_forked(process, None)
                for shown in (sys.stdout, sys.stderr):  # an asset may have put a buffer around ours
                    with suppress(Exception):
                        shown.flush()
                # What we have done ourselves, so that a look at the process finds no change.
                put_streams_back()
                stop_showing()
                os._exit = really_exit
    finally:
        prints.end()


def _replace_streams(prints: Prints) -> Callable[[], None]:
    """Have streams of ours in ``sys``; returns what puts those back that were there."""
    system = vars(sys)
    before = {name: system[name] for name in STREAMS}
    ours = {name: PrintStream(name, before[name], prints) for name in ("stdout", "stderr")}
    system.update(ours, __stdout__=ours["stdout"], __stderr__=ours["stderr"])

    def put_back() -> None:
        if all(system.get(name) is ours[name.strip("_")] for name in STREAMS):
            system.update(before)

    return put_back


def _exit_or_raise(process: int, really_exit: Callable[[int], NoReturn], status: int) -> NoReturn:
    """``os._exit`` would end the run with the asset's status and nothing in order: it is a failure.

    Forked children end with it, as ``multiprocessing`` has them do.
    """
    if os.getpid() != process:
        really_exit(status)
    raise SystemExit(status)


def _end_if_forked(process: int, error: BaseException | None) -> None:
    """End a forked process, which would continue as a second engine next to the first."""
    if os.getpid() == process:
        return
    status = 0
    if isinstance(error, SystemExit):
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        sys.excepthook(type(error), error, error.__traceback__)
        status = 1
    os._exit(status & 0xFF)
