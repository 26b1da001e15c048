"""SIGINT and SIGTERM end a run in order, and never in the middle of putting things back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Signalled(KeyboardInterrupt):
    """Raised where the process was when the signal came."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class SignalGuard:
    """Turns the signals into :class:`Signalled`; only the main thread gets any."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._held = False

    @contextmanager
    def installed(self) -> Iterator[SignalGuard]:
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        previous = {number: signal.signal(number, self._take) for number in SIGNALS}
        try:
            yield self
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside, a signal is only noted."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def raise_if_received(self) -> None:
        """For the places that an asset's broad ``except`` may have led to."""
        if self.received is not None:
            raise Signalled(self.received)

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        if not self._held:
            raise Signalled(number)
