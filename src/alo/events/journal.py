"""``log/events.jsonl``: the events of a run, written during the run, for whoever watches it.

An event takes its place in the run here: the next number, and the time. It is written as one line
of JSON and passed on with that place, so that whoever prints it prints what is in the file.
Reading is in ``stored.py``.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator, MutableSequence, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time
from typing import Any

from alo.events.appended import AppendedFile
from alo.events.envelope import Envelope, envelope_listener
from alo.events.types import Event, LeftOut, Listener, LogLine, Output, Progress, RunFinished

EVENTS_LOG = "events.jsonl"
MOST_BYTES = 4_000_000  # of a run
END_BYTES = 256_000  # of them for how it ended
STEP_BYTES = 700  # for each step's begin and end

# What processes that an asset forks have to know of each other: numbers, so that they can share it
SEQUENCE, SIZE, EVENTS_OUT, CHARACTERS_OUT, IS_FULL, HAS_ENDED = range(6)


class EventJournal:
    """Takes a run's events, from whichever thread, and passes them on.

    Args:
        folder: ``log/`` of the run's artifacts.
        steps: how many the run has: what an asset prints leaves room for theirs.
        listener: receives each event once it is written.
    """

    def __init__(
        self, folder: Path, run_id: str, pipeline: str, steps: int, listener: Listener
    ) -> None:
        self._file = AppendedFile(folder / EVENTS_LOG)
        self._run_id, self._pipeline = run_id, pipeline
        self._room = MOST_BYTES - END_BYTES
        self._room_for_prints = max(MOST_BYTES // 4, self._room - STEP_BYTES * steps)
        self._send, self._send_unnumbered = envelope_listener(listener), listener
        self._lock = threading.RLock()
        self._state: MutableSequence[int] = [0] * 6
        self._is_shared = self._is_fork = False
        self._end: list[Envelope] = []
        _open.append(self)
        _register_hooks()

    def __call__(self, event: Event) -> None:
        with self._lock:
            if self._is_shared:
                with self._locked_file():
                    self._on_event(event)
            else:
                self._on_event(event)

    def check(self) -> None:
        """Raise if an event could not be written.

        Raises:
            RunError: as of the log files.
        """
        self._file.check()

    def ending(self, event: RunFinished) -> bytes:
        """What is to be appended when the run has ended so; nothing is written or passed on yet.

        It may be asked again where the run has ended otherwise after all.
        """
        with self._lock, self._locked_file():
            self._state[HAS_ENDED] = 1
            events = [*self._left_out(), event]
            lines = self._place_end(events)
            if len(lines) > END_BYTES:  # a summary of ten thousand classes
                events[-1] = event._replace(summary=None)
                lines = self._place_end(events)
            return lines

    def close(self) -> None:
        """Write how the run has ended, if that is known, and no more."""
        if self._end:
            self._file.write(b"".join(each.to_json() for each in self._end), whole=True)
        self._file.close()
        if self in _open:
            _open.remove(self)

    def report_end(self) -> None:
        """Pass on how the run has ended."""
        for envelope in self._end:
            self._send(envelope)

    def _on_event(self, event: Event) -> None:
        # A process that the asset has forked may live longer than the run.
        if self._file.descriptor < 0 or (self._is_fork and self._state[HAS_ENDED]):
            self._send_unnumbered(event)
        elif not _is_of_asset(event):
            if self._state[EVENTS_OUT]:
                self._report_left_out()
            if not self._take(event, self._room):
                self._leave_out(event)
        elif self._state[IS_FULL] or not self._take(event, self._room_for_prints):
            self._leave_out(event)
            if not self._state[IS_FULL]:
                self._state[IS_FULL] = 1
                self._report_left_out()

    def _take(self, event: Event, room: int) -> bool:
        """Write an event and pass it on, if it can be written and there is room."""
        state = self._state
        envelope = Envelope(self._run_id, self._pipeline, state[SEQUENCE], time(), event)
        line = envelope.to_json()
        if state[SIZE] + len(line) > room or not self._file.write(line, whole=True):
            return False
        state[SEQUENCE] += 1
        state[SIZE] += len(line)
        self._send(envelope)
        return True

    def _leave_out(self, event: Event) -> None:
        self._state[EVENTS_OUT] += 1
        self._state[CHARACTERS_OUT] += len(getattr(event, "text", ""))
        self._send_unnumbered(event)

    def _left_out(self) -> list[Event]:
        events, characters = self._state[EVENTS_OUT], self._state[CHARACTERS_OUT]
        return [LeftOut(events, characters)] if events else []

    def _report_left_out(self) -> None:
        for event in self._left_out():
            if self._take(event, self._room):
                self._state[EVENTS_OUT] = self._state[CHARACTERS_OUT] = 0

    def _place_end(self, events: Sequence[Event]) -> bytes:
        place, now = self._state[SEQUENCE], time()
        self._end = [
            Envelope(self._run_id, self._pipeline, place + at, now, event)
            for at, event in enumerate(events)
        ]
        return b"".join(each.to_json() for each in self._end)

    @contextmanager
    def _locked_file(self) -> Iterator[None]:
        """No process that the asset has forked takes a number now."""
        with suppress(OSError, ValueError):  # no locks here, or closed
            fcntl.lockf(self._file.descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            with suppress(OSError, ValueError):
                fcntl.lockf(self._file.descriptor, fcntl.LOCK_UN)

    def share(self) -> None:
        """From now on count together with a process that is about to be forked."""
        with self._lock:
            if not self._is_shared:
                import mmap

                shared: Any = memoryview(mmap.mmap(-1, 8 * len(self._state))).cast("q")
                for at, value in enumerate(self._state):
                    shared[at] = value
                self._state, self._is_shared = shared, True

    def begin_as_fork(self) -> None:
        """In the forked process: another thread may have held the lock, and is not here."""
        self._lock, self._is_fork = threading.RLock(), True


def _is_of_asset(event: Event) -> bool:
    """Whether there may be any number of events like this."""
    kind = type(event)
    if kind is Output or kind is Progress:  # first, as there may be a million
        return True
    return isinstance(event, LogLine) and event.source == "USER"


_open: list[EventJournal] = []
_has_hooks = False


def _register_hooks() -> None:
    global _has_hooks
    if not _has_hooks:
        os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)
        _has_hooks = True


def _before_fork() -> None:
    for journal in _open:
        journal.share()


def _after_fork_in_child() -> None:
    for journal in _open:
        journal.begin_as_fork()
