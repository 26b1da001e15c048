"""Signals as programs expect them, whatever the process that has started this one did to its own.

Daemons and launchers hand on what they ignore and block. That interrupts are ignored is meant, as
with ``nohup`` and in the background of a shell, and stays.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from alo.errors import RunError

# What a child of ours starts with: where SIGCHLD is ignored, no one learns how a program ended.
UNTOUCHED = (signal.SIGCHLD,)


def reset_signals() -> None:
    """At the start of a program of ours, before it has threads."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if _is_ignored():
        with suppress(ValueError):  # not in the main thread, so not at the start
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)


@contextmanager
def default_sigchld() -> Iterator[None]:
    """SIGCHLD as it is by default: how a program ended is known, also in a host that ignores it.

    Raises:
        RunError: that cannot be had in this thread.
    """
    if not _is_ignored():
        yield
        return
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    except ValueError:
        raise RunError(
            "this process ignores SIGCHLD: a program that fails would seem to have succeeded",
            where=f"process {os.getpid()}",
            fix="call signal.signal(signal.SIGCHLD, signal.SIG_DFL) in its main thread before",
        ) from None
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def _is_ignored() -> bool:
    return signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN
