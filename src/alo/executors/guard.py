"""An executor as who uses it wants it, whatever somebody's class does.

What it raises is an ``ExecutorError`` that names it; an ending that comes twice counts once. One
that is not ours is used by a thread of its own, so that a call which does not return is noticed.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import cast

from alo.errors import AloError, ExecutorError
from alo.executors.task import INTERRUPTED, Done, Executor, Lost, Result, Task, TaskEvent

LIMIT_S = 60.0  # that a call of somebody's executor may take
HANGS = "see where it hangs, and run again; or run here: --computing local"
LOOK_S = 0.5  # between two looks at what takes long


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
            raise self._failure(f"it has nothing more to report, and {left} tasks have not ended")

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
        return ExecutorError(
            f"the executor {name_of(self._executor)} failed: {what}", fix=self._fix
        )


class PatientExecutor:
    """An executor of somebody's, which may take too long.

    Args:
        limit_s: that a call may take; and a task, past its own timeout or the grace of its end.
    Raises:
        ExecutorError: from each call, when something takes longer.
    """

    def __init__(self, executor: Executor, limit_s: float = LIMIT_S) -> None:
        self.executor, self._limit_s = executor, limit_s
        self._calls: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[object, Exception | None]] = queue.SimpleQueue()
        self._timeouts: dict[str, float] = {}  # of tasks that have not begun to report anything
        self._deadlines: dict[str, float] = {}  # of those that have, or were cancelled
        threading.Thread(target=self._serve, name="alo-executor", daemon=True).start()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user should know of it."""
        return warnings_of(self.executor)

    def capacity(self) -> int:
        """See ``Executor``."""
        return int(str(self._call("capacity", self.executor.capacity)))

    def submit(self, task: Task) -> str:
        """See ``Executor``."""
        handle = str(self._call("submit", lambda: self.executor.submit(task)))
        if task.timeout_s:
            self._timeouts[handle] = task.timeout_s
        return handle

    def events(self) -> Iterator[tuple[str, TaskEvent]]:
        """See ``Executor``."""
        events = iter(self.executor.events())
        while True:
            self._calls.put(lambda: next(events, None))
            found = self._answer(self._look_at_tasks)
            if found is None:
                return
            handle, event = cast("tuple[str, TaskEvent]", found)
            if isinstance(event, Done | Lost):
                self._timeouts.pop(handle, None)
                self._deadlines.pop(handle, None)
            elif timeout_s := self._timeouts.pop(handle, 0.0):
                self._deadlines[handle] = time.monotonic() + timeout_s + self._limit_s
            yield handle, event

    def cancel(self, handle: str, grace_s: float) -> None:
        """See ``Executor``. It is called beside a call that waits for events."""
        self._deadlines[handle] = time.monotonic() + grace_s + self._limit_s
        asking = threading.Thread(
            target=self.executor.cancel, args=(handle, grace_s), name="alo-cancel", daemon=True
        )
        asking.start()
        asking.join(min(grace_s, self._limit_s))  # if it takes longer, the task's end shows it

    def close(self) -> None:
        """See ``Executor``."""
        self._call("close", self.executor.close)
        self._calls.put(None)

    def _call(self, name: str, call: Callable[[], object]) -> object:
        end = time.monotonic() + self._limit_s

        def look() -> None:
            if time.monotonic() > end:
                raise ExecutorError(
                    f"{name}() of the executor {name_of(self)} has not returned "
                    f"for {self._limit_s:g} s",
                    fix=HANGS,
                )

        self._calls.put(call)
        return self._answer(look)

    def _answer(self, look: Callable[[], None]) -> object:
        while True:
            with suppress(queue.Empty):
                found, error = self._answers.get(timeout=LOOK_S)
                if error is not None:
                    raise error
                return found
            look()

    def _look_at_tasks(self) -> None:
        late = [each for each, end in self._deadlines.items() if time.monotonic() > end]
        if late:
            raise ExecutorError(
                f"the executor {name_of(self)} has not reported the end of the task {late[0]}, "
                f"{self._limit_s:g} s after it had to end",
                fix=HANGS,
            )

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                self._answers.put((call(), None))
            except Exception as error:  # of somebody's class: raised where it was called
                self._answers.put((None, error))


def warnings_of(executor: Executor) -> tuple[str, ...]:
    """What a user should know of an executor; most have nothing to say, and no such attribute."""
    return tuple(getattr(executor, "warnings", ()))


def name_of(executor: Executor) -> str:
    """As a user knows it."""
    inner = executor.executor if isinstance(executor, PatientExecutor) else executor
    return type(inner).__name__
