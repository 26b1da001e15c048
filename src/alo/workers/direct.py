"""A request that an event loop runs by itself on a free worker, with no thread in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from alo.workers.handle import Worker
from alo.workers.pace import Pace, Pause

if TYPE_CHECKING:
    import asyncio


class DirectRun:
    """Its steps are taken in the loop, up to where the next would hold up the loop.

    Args:
        steps: as ``Driver.steps`` gives them.
        pace: of the steps.
        ended: called once all steps are taken.
        hand_over: called where they are to be continued in a thread.
    """

    def __init__(
        self,
        worker: Worker,
        loop: asyncio.AbstractEventLoop,
        steps: Iterator[Pause],
        pace: Pace,
        limit_s: float | None,
        ended: Callable[[], object],
        hand_over: Callable[[], object],
    ) -> None:
        self._worker, self._loop, self._steps, self._pace = worker, loop, steps, pace
        self._limit_s, self._ended, self._hand_over = limit_s, ended, hand_over
        self._watched, self._is_over = -1, False
        self._timer: asyncio.TimerHandle | None = None

    def advance(self) -> None:
        """Take the steps that can be taken now; called whenever there is something to read."""
        try:
            pause = next(self._steps, None)
        except Exception as error:
            self._steps = _raising(error)
            pause = Pause.LONG
        if pause is Pause.WORKER:
            if self._watched < 0:
                self._watch()
            return
        self._unwatch()
        self._is_over = True
        if pause is None:
            self._ended()
        else:
            self._hand_over()

    def leave(self) -> None:
        """Have it continued in a thread, if it is not yet: its loop has ended."""
        if self._is_over:
            return
        self._is_over = True
        with suppress(RuntimeError):  # the loop is closed
            self._unwatch()
        self._hand_over()

    def finish(self) -> None:
        """Take all steps that are left, in a thread that may wait."""
        self._pace.may_wait = True
        for _ in self._steps:
            continue

    def _watch(self) -> None:
        self._watched = self._worker.watched
        self._loop.add_reader(self._watched, self.advance)
        if self._limit_s is not None:
            self._timer = self._loop.call_later(self._limit_s, self.advance)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._watched >= 0:
            self._loop.remove_reader(self._watched)
        self._watched, self._timer = -1, None


def _raising(error: Exception) -> Iterator[Pause]:
    """Whoever takes the next step has the error."""
    raise error
    yield
