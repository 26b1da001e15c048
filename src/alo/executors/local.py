"""The executor of this machine: warm processes, each with a workspace of its own."""

from __future__ import annotations

import os
import selectors
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from alo.claims import locked_folder
from alo.engine.spec import Job
from alo.engine.workspace.unfinished import sweep_copies
from alo.errors import AloError, ExecutorError
from alo.events.types import Event, LogLine, Output, StepStarted
from alo.executors.project_copy import copy_project
from alo.executors.slot_process import Boot, Given, Ready, recovered
from alo.executors.task import (
    ERROR,
    INTERRUPTED,
    TIMEOUT,
    Chunk,
    Done,
    Lost,
    Result,
    RunEvent,
    Task,
    TaskEvent,
)
from alo.files import discard
from alo.history.ids import utc_text
from alo.history.record import Attempt
from alo.layout import Workspace
from alo.processes.child import Child
from alo.processes.crash_report import Ending, crash_error
from alolib.disk import fix_of

LOCAL = "local"
POLL_S = 0.5  # at most between two looks at timeouts
BOOT_S = 60.0
PROJECT, STEPS = "project", "steps"  # in the folder of the executor
LOST = signal.SIGKILL  # what ends a process from outside; a crash is the asset's own


class LocalExecutor:
    """An ``Executor`` with so many processes.

    Args:
        jobs: by pipeline, as the project's check has found them.
        processes: that run tasks at once.
    """

    def __init__(self, jobs: Mapping[str, Job], processes: int) -> None:
        self._jobs, self._processes = jobs, processes
        self._project = next(iter(jobs.values())).workspace
        self._waiting: deque[tuple[str, Task]] = deque()
        self._slots: list[_Slot] = []
        self._attempts: dict[str, list[Attempt]] = {}  # of tasks that were lost, by their id
        self._events: deque[tuple[str, TaskEvent]] = deque()
        self._project.internal.mkdir(exist_ok=True)
        sweep_copies(self._project)
        self._folder, self._lock = locked_folder(self._project.past_code)
        try:
            self._copy_once()
        except OSError as error:
            self.close()
            raise ExecutorError(
                f"the project cannot be copied: {error}", where=str(self._folder), fix=fix_of(error)
            ) from error

    def _copy_once(self) -> None:
        """One state of the code for all processes, whatever an editor does meanwhile."""
        home = self._folder / PROJECT
        home.mkdir()
        copy_project(self._project, home)
        (self._folder / STEPS).mkdir()  # what steps store, for all processes

    @property
    def capacity(self) -> int:
        """See ``Executor``."""
        return self._processes

    def submit(self, task: Task) -> str:
        """See ``Executor``."""
        handle = f"{task.id}.{task.attempt}"
        self._waiting.append((handle, task))
        self._start_waiting()
        return handle

    def events(self) -> Iterator[tuple[str, TaskEvent]]:
        """See ``Executor``."""
        while True:
            while self._events:
                yield self._events.popleft()
            self._start_waiting()
            busy = [slot for slot in self._slots if slot.handle]
            if not (busy or self._waiting or self._events):
                return
            self._wait(busy)

    def cancel(self, handle: str, grace_s: float) -> None:
        """See ``Executor``."""
        for each in [each for each in self._waiting if each[0] == handle]:
            self._waiting.remove(each)
            self._events.append((handle, Done(Result(status=INTERRUPTED))))
        for slot in self._slots:
            if slot.handle == handle:
                slot.interrupt(grace_s)

    def close(self) -> None:
        """See ``Executor``."""
        for slot in self._slots:
            slot.end()
        self._slots = []
        discard(self._folder)
        with suppress(OSError):
            os.close(self._lock)
        sweep_copies(self._project)  # of one that was killed a moment before we began

    def _start_waiting(self) -> None:
        while self._waiting:
            slot = next((each for each in self._slots if not each.handle), None)
            if slot is None and len(self._slots) < self._processes:
                slot = _Slot(self._jobs, self._folder, len(self._slots))
                self._slots.append(slot)
            if slot is None:
                return
            handle, task = self._waiting.popleft()
            slot.give(handle, task, self._attempts.get(task.id, ()))

    def _wait(self, busy: Sequence[_Slot]) -> None:
        """Until one of them has told something, or it is time to look at timeouts."""
        with selectors.DefaultSelector() as selector:
            for slot in busy:
                if slot.watched >= 0:
                    selector.register(slot.watched, selectors.EVENT_READ)
            is_waitable = len(selector.get_map()) == len(busy)
            selector.select(POLL_S if is_waitable else 0.02)
        for slot in busy:
            self._events.extend(self._news(slot))

    def _news(self, slot: _Slot) -> Iterator[tuple[str, TaskEvent]]:
        handle, task = slot.handle, slot.task
        for event in slot.poll():
            if isinstance(event, Lost) and task is not None:
                here = Attempt(_node(), utc_text(slot.began), utc_text(time.time()), "lost")
                self._attempts.setdefault(task.id, []).append(here)
            yield handle, event


class _Slot:
    """One process, its workspace, and the task that it has in hand."""

    def __init__(self, jobs: Mapping[str, Job], folder: Path, number: int) -> None:
        self._jobs = jobs
        self._project = next(iter(jobs.values())).workspace
        self._root = folder / f"slot-{number}"
        self._home = self._root / PROJECT
        self._child: Child | None = None
        self._is_ready = False
        self._deadline = 0.0  # of the task, on the monotonic clock; 0: none
        self._limit_s = 0.0  # of the task, once its process has it
        self._end_reason = ""  # why we end it
        self._boot_deadline = 0.0
        self._given: Given | None = None
        self._step = ""  # of its task that has begun last
        self._chunks: list[TaskEvent] = []
        self.handle = ""
        self.began = 0.0

    @property
    def task(self) -> Task | None:
        """What it has in hand."""
        return self._given.task if self._given else None

    @property
    def watched(self) -> int:
        """A descriptor that can be read when there is something to hear; -1: there is none."""
        return -1 if self._child is None else self._child.watched

    def give(self, handle: str, task: Task, attempts: Sequence[Attempt]) -> None:
        """Have it do a task.

        Raises:
            ExecutorError: its process cannot be started.
        """
        self.handle, self._given, self.began = handle, Given(task, tuple(attempts)), time.time()
        self._end_reason = ""
        if self._child is None:
            self._start()
        elif self._is_ready:
            self._send_task()

    def interrupt(self, grace_s: float) -> None:
        """End its task."""
        self._end_reason = self._end_reason or INTERRUPTED
        self._deadline = time.monotonic() + grace_s
        if self._child is not None and self._is_ready:
            with suppress(ProcessLookupError):
                os.kill(self._child.pid, signal.SIGINT)

    def end(self) -> None:
        """End its process, with whatever it does."""
        if self._child is not None:
            child, self._child = self._child, None
            child.hang_up()
            child.end()
            child.wait()
            child.close()

    def poll(self) -> Iterator[TaskEvent]:
        """What it has told by now."""
        child = self._child
        if child is None:
            return
        messages, has_ended = child.poll(0)
        ending: Ending | None = None
        if has_ended or self._is_late():
            if not has_ended:
                child.end()
            last, ending = child.wait()
            messages += last
            child.close()
            self._child, self._is_ready = None, False
        yield from self._drained()
        for message in messages:
            if isinstance(message, Ready):
                self._is_ready = True
                if self._given is not None and self._end_reason:  # before it could begin
                    self._forget_task()
                    yield Done(Result(status=self._end_reason))
                else:
                    self._send_task()
            elif isinstance(message, RunEvent):
                if isinstance(message.envelope.event, StepStarted):
                    self._step = message.envelope.event.step
                yield message
            elif isinstance(message, Done):
                result = self._as_ended(message.result)
                self._forget_task()
                yield Done(result)
        if ending is not None and self._given is not None:
            yield self._died(ending)
            self._forget_task()

    def _start(self) -> None:
        try:
            if not self._home.is_dir():
                self._home.mkdir(parents=True)
                copy_project(Workspace(self._root.parent / PROJECT), self._home)
                workspace = Workspace(self._home)
                workspace.interface.symlink_to(self._root.parent / STEPS)
                self._link_inputs(workspace)
            stacks = self._root / "stacks"
            self._child = Child("alo.executors.slot_process", sys.executable, stacks, self._take_in)
        except OSError as error:
            raise ExecutorError(
                f"a process for runs cannot be started: {error}", where=str(self._root)
            ) from error
        self._boot_deadline = time.monotonic() + BOOT_S
        boot = Boot(
            jobs=self._jobs,
            home=self._home,
            stacks=stacks,
            path=tuple(sys.path),
            executor=LOCAL,
            node=_node(),
        )
        self._child.send(boot)

    def _link_inputs(self, workspace: Workspace) -> None:
        """Data that no source brings is in the project's folder, where it stays."""
        for kind, job in self._jobs.items():
            if job.sources is None and self._project.input(kind).is_dir():
                workspace.input(kind).parent.mkdir(exist_ok=True)
                workspace.input(kind).symlink_to(self._project.input(kind))

    def _send_task(self) -> None:
        given, child = self._given, self._child
        if given is not None and child is not None:
            self._limit_s = given.task.timeout_s or 0.0
            self._deadline = time.monotonic() + self._limit_s if self._limit_s else 0.0
            child.send(given)

    def _is_late(self) -> bool:
        now = time.monotonic()
        if not self._is_ready:
            if now > self._boot_deadline:
                self._end_reason = self._end_reason or TIMEOUT
            return now > self._boot_deadline
        if not self._deadline or now < self._deadline or self._given is None:
            return False
        self._end_reason = self._end_reason or TIMEOUT
        return True

    def _as_ended(self, result: Result) -> Result:
        """A task that we end has not failed by itself, whatever its asset made of the signal."""
        if not self._end_reason or result.status not in (ERROR, INTERRUPTED):
            return result
        error = self._too_long if self._end_reason == TIMEOUT else result.error
        return Result(status=self._end_reason, runs=result.runs, error=error)

    @property
    def _too_long(self) -> str:
        return f"it took longer than {self._limit_s or BOOT_S:g} s"

    def _died(self, ending: Ending) -> TaskEvent:
        if ending.status == -LOST and not self._end_reason:
            return Lost("its process was killed, as the system does when memory runs out")
        status, error = self._end_reason or ERROR, ""
        if status == TIMEOUT:
            error = self._too_long
        elif status == ERROR:
            error = str(crash_error(self._step, self._home, ending))
        try:
            runs = recovered(Workspace(self._home), self._project, _ignore)
        except (OSError, AloError) as problem:
            runs, error = [], f"{error}; its run is not in history: {problem}"
        return Done(Result(status=status, runs=tuple(runs), error=error))

    def _forget_task(self) -> None:
        self.handle, self._given, self._deadline, self._step = "", None, 0.0, ""

    def _take_in(self, event: object) -> None:
        """What the process prints past Python; the end of it is in the report of a crash."""
        if isinstance(event, Output):
            self._chunks.append(Chunk(event.stream, event.text))
        elif isinstance(event, LogLine):
            self._chunks.append(Chunk("stderr", f"{event.format()}\n"))

    def _drained(self) -> list[TaskEvent]:
        chunks, self._chunks = self._chunks, []
        return chunks


def _ignore(event: Event) -> None:
    """A task's result says it."""


def _node() -> str:
    return os.uname().nodename
