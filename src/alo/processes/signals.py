"""SIGINT, SIGTERM and SIGHUP end a run in order, and never in the middle of putting things back."""

from __future__ import annotations

# What signal is made of, without a member of an Enum for each number and handler.
import _signal  # type: ignore[import-not-found]
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeAlias

Handler: TypeAlias = Callable[[int, FrameType | None], Any] | int | None

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the last: its terminal was closed


def ending_signals() -> list[signal.Signals]:
    """Those of ``SIGNALS`` that may end this process.

    What was to be ignored when it started, as in the background of a shell or by nohup, still is.
    """
    return [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]


@contextmanager
def handled_by(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    """Inside, the signals that may end this process go to a handler; for the main thread."""
    previous = {number: signal.signal(number, handler) for number in ending_signals()}
    try:
        yield
    finally:
        for number, before in previous.items():
            _set(number, before)


def end_with(status: int) -> None:
    """From here on a signal ends this process, whose work is done, with this exit status."""

    def end(number: int, frame: FrameType | None) -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # closed, or no one reads it
                stream.flush()
        os._exit(status)

    for number in ending_signals():
        signal.signal(number, end)


class Signalled(KeyboardInterrupt):
    """Raised where the process was when the signal came."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class SignalGuard:
    """Turns the signals into :class:`Signalled`; only the main thread gets any."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._held = 0
        self._previous: dict[int, Handler] = {}

    @contextmanager
    def installed(self) -> Iterator[SignalGuard]:
        """Take the signals while inside; what has been received before is over."""
        self.received = None
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        self._previous = {number: signal.getsignal(number) for number in ending_signals()}
        self._take_over()
        _installed.append(self)
        try:
            yield self
        finally:
            if self in _installed:  # a fork has left it already
                _installed.remove(self)
            self._put_back()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside, a signal is only noted."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1

    @contextmanager
    def released(self) -> Iterator[None]:
        """Inside of ``held``: a signal is raised all the same, for what may take long."""
        held = self._held
        try:
            self._held = 0
            if self.received is not None:
                raise Signalled(self.received)
            yield
        finally:
            self._held = held

    def raise_if_received(self) -> None:
        """For the places that an asset's broad ``except`` may have led to.

        An asset, or a library of its, may also have put a handler of its own in our place.
        """
        self._take_over()
        if self.received is not None:
            raise Signalled(self.received)

    def _take_over(self) -> None:
        for number in self._previous:  # after each step: not through the Enums of signal
            _signal.signal(int(number), self._take)

    def _put_back(self) -> None:
        for number, handler in self._previous.items():
            _set(number, handler)
        self._previous = {}

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        if not self._held:
            raise Signalled(number)


def _set(number: int, handler: Handler) -> None:
    """As ``signal.signal``, which does not take the None that it gives for a handler in C."""
    signal.signal(number, signal.SIG_DFL if handler is None else handler)


_installed: list[SignalGuard] = []


def _leave_in_child() -> None:
    """A fork, say of a process pool, gets signals as if we were not here.

    At once: a handler in Python is run between two of its instructions only, and a process that is
    in the middle of computing in C would outlive the SIGTERM that its pool ends it with.
    """
    while _installed:
        _installed.pop()._put_back()  # the innermost first


os.register_at_fork(after_in_child=_leave_in_child)
