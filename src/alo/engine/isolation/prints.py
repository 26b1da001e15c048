"""What an asset prints, on its way to the listener, in order and at a cost that is always the same.

Text that ends a line is reported at once; other text waits for more, but not longer than a blink.
The streams that an asset finds in ``sys`` are in ``streams.py``.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from alo.events.types import Listener, LogLine, Output

HOLD_S = 0.02
MOST_HELD = 1 << 16  # characters
LONGEST = 1 << 20  # characters of one event


class Prints:
    """Takes what a step prints and logs, from whichever thread."""

    def __init__(self, listener: Listener) -> None:
        self._listener, self.has_ended = listener, False
        self._stream, self._held, self._size = "", list[str](), 0  # what is held, and for where
        self._lock, self._is_due = threading.RLock(), False
        self._flusher: _Flusher | None = None
        _register_hooks()
        _running.append(self)

    def add(self, stream: str, text: str) -> None:
        """Take text for stdout or stderr; after the step's end, for what is there then."""
        if self.has_ended:
            _pass_on(stream, text)
            return
        with self._lock:
            if stream != self._stream:
                self._report_held()
                self._stream = stream
            self._held.append(text)
            self._size += len(text)
            if "\n" in text or self._size > MOST_HELD:
                self._report_held()
            elif not self._is_due:
                self._make_due()

    def log(self, line: LogLine) -> None:
        """A line of a log, behind what was printed before it."""
        with self._lock:
            self.flush()
            self._listener(line)

    def flush(self) -> None:
        """Report what is held."""
        with self._lock:
            self._report_held()

    def end(self) -> None:
        """The step has ended; threads of it may continue printing."""
        self._stop_flusher()
        self.flush()
        self.has_ended = True
        _running.remove(self)

    def before_fork(self) -> None:
        """Leave nothing that a child would print again, or would wait for."""
        self._stop_flusher()
        self.flush()
        self._lock.acquire()

    def after_fork(self, *, in_child: bool) -> None:
        """Continue after a fork: the child with a lock of its own, the parent with its old one."""
        if in_child:
            self._lock, self._is_due = threading.RLock(), False
        else:
            self._lock.release()

    def _report_held(self) -> None:
        if not self._held:
            return
        text, self._size = "".join(self._held), 0
        self._held.clear()
        if len(text) <= LONGEST:
            self._listener(Output(self._stream, text))
            return
        for start in range(0, len(text), LONGEST):
            self._listener(Output(self._stream, text[start : start + LONGEST]))

    def _make_due(self) -> None:
        try:
            self._flusher = self._flusher or _Flusher(self._flush_when_due)
        except RuntimeError:  # no more threads can be had
            self.flush()
        else:
            self._is_due = True
            self._flusher.wake.set()

    def _flush_when_due(self) -> None:
        with self._lock:
            self._is_due = False
            self.flush()

    def _stop_flusher(self) -> None:
        with self._lock:
            flusher, self._flusher, self._is_due = self._flusher, None, False
        if flusher is not None:
            flusher.stop()


class _Flusher:
    """A thread for text that waits while nothing more is printed."""

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self.wake, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="alo-prints", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self.wake.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self.wake.wait()
            self.wake.clear()  # before the look at what may have been set together with it
            if self._stopped.wait(HOLD_S):
                return
            with suppress(OSError):  # the engine of a step's process is gone
                self._flush()


def _pass_on(stream: str, text: str) -> None:
    """To what is in ``sys`` now, if that is not of an ended step itself."""
    now = getattr(sys, stream)
    if now is not None and not getattr(now, "has_ended", False):
        now.write(text)


_running: list[Prints] = []  # of the steps that run in this process
_has_hooks = False


def _register_hooks() -> None:
    global _has_hooks
    if not _has_hooks:
        os.register_at_fork(
            before=_before_fork,
            after_in_parent=partial(_after_fork, in_child=False),
            after_in_child=partial(_after_fork, in_child=True),
        )
        _has_hooks = True


def _before_fork() -> None:
    for each in _running:
        each.before_fork()


def _after_fork(*, in_child: bool) -> None:
    for each in _running:
        each.after_fork(in_child=in_child)
