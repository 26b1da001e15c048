"""Steps that run inside this process take turns, whichever threads and projects they are of.

Standard streams, imported modules and the working folder are one for all threads of a process.
"""

from __future__ import annotations

import os
import threading

from alo.events.log_lines import warning
from alo.events.types import Listener


class _Turn:
    def __init__(self) -> None:
        self.lock = threading.RLock()  # an asset may run another project in its own step
        self.step = ""


_turn = _Turn()


class turn_of:
    """Have no other thread run a step inside; one that has to wait says for which."""

    def __init__(self, step: str, listener: Listener) -> None:
        self._step, self._listener, self._turn = step, listener, _turn

    def __enter__(self) -> None:
        turn = self._turn
        if not turn.lock.acquire(blocking=False):
            what = f"waiting for step '{turn.step}', which runs in another thread of this process"
            self._listener(warning(what))
            turn.lock.acquire()
        self._outer, turn.step = turn.step, self._step

    def __exit__(self, *exc: object) -> None:
        self._turn.step = self._outer
        self._turn.lock.release()


def _renew() -> None:
    """A fork has none of the threads that could give a turn back."""
    global _turn
    _turn = _Turn()


os.register_at_fork(after_in_child=_renew)
