"""The thread that tells what waits to be told: it ends whenever it is asked to."""

from __future__ import annotations

import threading

from alo.engine.isolation.prints import _Flusher

from ...support.waiting import PATIENCE_S


class _SetJustAfterTheLook(threading.Event):
    """Whoever looks at it sees that it is not set, and then it is, with another one."""

    def __init__(self, other: threading.Event) -> None:
        super().__init__()
        self._other = other

    def wait(self, timeout: float | None = None) -> bool:
        seen = super().wait(0)
        self.set()
        self._other.set()
        return seen


def test_the_thread_ends_though_it_is_asked_to_just_after_it_has_looked() -> None:
    flusher = _Flusher(lambda: None)
    flusher._stopped = _SetJustAfterTheLook(flusher.wake)

    flusher.wake.set()

    flusher._thread.join(PATIENCE_S)
    assert not flusher._thread.is_alive()
