"""Signals while a sweep or a batch runs: the first Ctrl-C begins nothing new, another ends it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from alo.processes.signals import handled_by


class Stoppable(Protocol):
    """What drives many tasks."""

    def stop(self) -> None:
        """Begin no more tasks; those that run end by themselves."""

    def end(self) -> None:
        """End now, with what runs."""


@contextmanager
def stopping(drive: Stoppable) -> Iterator[list[int]]:
    """The first Ctrl-C stops it, any other signal ends it; gives those that were received."""
    received: list[int] = []

    def take_signal(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if len(received) == 1 and number == signal.SIGINT:
            drive.stop()
        else:
            drive.end()

    with handled_by(take_signal):
        yield received
