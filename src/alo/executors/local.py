"""The executor of this machine: warm processes, each with a workspace of its own."""

from __future__ import annotations

import os
import selectors
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from alo.claims import locked_folder
from alo.engine.spec import Job
from alo.engine.workspace.unfinished import sweep_copies
from alo.errors import ExecutorError
from alo.executors.depot import Depot
from alo.executors.project_copy import copy_project
from alo.executors.slot import Slot, node_name
from alo.executors.slot_process import Given
from alo.executors.task import (
    INTERRUPTED,
    TRIAL,
    Done,
    Lost,
    Result,
    Task,
    TaskEvent,
    handle_of,
    lost_attempt,
)
from alo.files import discard
from alo.history.record import Attempt
from alo.layout import slug
from alolib.disk import fix_of

LOCAL = "local"
POLL_S = 0.5  # at most between two looks at timeouts
PROJECT, STEPS, OUTPUTS = "project", "steps", "outputs"  # in the folder of the executor


class LocalExecutor:
    """An ``Executor`` with so many processes.

    Args:
        jobs: by pipeline, as the project's check has found them.
        processes: that run tasks at once.
        depot: where the folders are that tasks name.
    """

    def __init__(self, jobs: Mapping[str, Job], processes: int, depot: Depot | None = None) -> None:
        self._jobs, self._processes, self._depot = jobs, processes, depot or Depot()
        self._project = next(iter(jobs.values())).workspace
        self._waiting: deque[str] = deque()
        self._given: dict[str, Given] = {}
        self._slots: list[Slot] = []
        self._attempts: dict[str, tuple[Attempt, ...]] = {}  # of tasks that were lost, by their id
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
        (self._folder / OUTPUTS).mkdir()  # of shards, until the caller has them

    def capacity(self) -> int:
        """See ``Executor``."""
        return self._processes

    def submit(self, task: Task) -> str:
        """See ``Executor``."""
        handle = handle_of(task)
        self._given[handle] = self._with_folders(handle, task)
        self._waiting.append(handle)
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
        if handle in self._waiting:
            self._waiting.remove(handle)
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
                slot = self._new_slot()
                self._slots.append(slot)
            if slot is None:
                return
            handle = self._waiting.popleft()
            given = self._given.pop(handle)
            slot.give(handle, replace(given, attempts=self._attempts.get(given.task.id, ())))

    def _new_slot(self) -> Slot:
        return Slot(
            self._jobs,
            self._folder / f"slot-{len(self._slots)}",
            copied=self._folder / PROJECT,
            steps=self._folder / STEPS,
            executor=LOCAL,
            node=node_name(),
        )

    def _with_folders(self, handle: str, task: Task) -> Given:
        """The task with the folders that it names by their digests."""
        inputs = {kind: self._depot.folder(each) for kind, each in task.inputs.items()}
        models = self._depot.folder(task.model) if task.model else None
        output = self._folder / OUTPUTS / slug(handle) if task.kind != TRIAL else None
        return Given(task, inputs=inputs, models=models, output=output)

    def _wait(self, busy: Sequence[Slot]) -> None:
        """Until one of them has sent something, or it is time to look at timeouts."""
        with selectors.DefaultSelector() as selector:
            for slot in busy:
                if slot.watched >= 0:
                    selector.register(slot.watched, selectors.EVENT_READ)
            is_waitable = len(selector.get_map()) == len(busy)
            selector.select(POLL_S if is_waitable else 0.02)
        for slot in busy:
            self._events.extend(self._news(slot))

    def _news(self, slot: Slot) -> Iterator[tuple[str, TaskEvent]]:
        handle, task = slot.handle, slot.task
        for event in slot.poll():
            if isinstance(event, Lost) and task is not None:
                lost = lost_attempt(node_name(), slot.began)
                self._attempts[task.id] = (*self._attempts.get(task.id, ()), lost)
            yield handle, event
