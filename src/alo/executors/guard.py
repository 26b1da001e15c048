"""An executor as who uses it wants it, whatever somebody's class does.

What it raises is an ``ExecutorError`` that names it; an ending that comes twice counts once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alo.errors import AloError, ExecutorError
from alo.executors.task import INTERRUPTED, Done, Executor, Lost, Result, Task, TaskEvent


class GuardedExecutor:
    """Another executor, guarded.

    Args:
        fix: what a user may do when it fails.
    """

    def __init__(self, executor: Executor, fix: str) -> None:
        self._executor, self._fix = executor, fix
        self._open: set[str] = set()  # handles that have not ended
        self._cancelled: set[str] = set()

    def capacity(self) -> int:
        """See ``Executor``."""
        with self._blamed():
            return self._executor.capacity()

    def submit(self, task: Task) -> str:
        """See ``Executor``."""
        with self._blamed():
            handle = self._executor.submit(task)
        self._open.add(handle)
        return handle

    def events(self) -> Iterator[tuple[str, TaskEvent]]:
        """See ``Executor``.

        Raises:
            ExecutorError: it fails, or has no more events though tasks have not ended.
        """
        with self._blamed():
            events = iter(self._executor.events())
        while True:
            with self._blamed():
                found = next(events, None)
            if found is None:
                break
            handle, event = found
            if handle not in self._open:  # it has ended already
                continue
            if isinstance(event, Done | Lost):
                self._open.discard(handle)
            yield handle, event
        for handle in sorted(self._open & self._cancelled):
            self._open.discard(handle)
            yield handle, Done(Result(status=INTERRUPTED))
        if left := len(self._open):
            raise self._failure(f"it has nothing more to tell, and {left} tasks have not ended")

    def cancel(self, handle: str, grace_s: float) -> None:
        """See ``Executor``."""
        self._cancelled.add(handle)
        with self._blamed():
            self._executor.cancel(handle, grace_s)

    def close(self) -> None:
        """See ``Executor``."""
        with self._blamed():
            self._executor.close()

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        try:
            yield
        except AloError:
            raise
        except Exception as error:  # of somebody's class
            raise self._failure(f"{type(error).__name__}: {error}") from error

    def _failure(self, what: str) -> ExecutorError:
        name = type(self._executor).__name__
        return ExecutorError(f"the executor {name} failed: {what}", fix=self._fix)
