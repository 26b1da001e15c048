"""The handle of a process that does whole runs: what it is given, what it sends, how it ends."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from alo.engine.spec import Job
from alo.engine.workspace.recovery import recover
from alo.errors import AloError, ExecutorError
from alo.events.types import Event, LogLine, Output, StepStarted
from alo.executors.placing import take_out
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
from alo.layout import Workspace
from alo.processes.child import Child
from alo.processes.crash_report import Ending, crash_error
from alolib.disk import fix_of

BOOT_S = 60.0
GRACE_S = 2.0  # that a task has to end by itself once its time is over
LOST = signal.SIGKILL  # what ends a process from outside; a crash is the asset's own


class Slot:
    """One process, its workspace, and the task that it has in hand.

    Args:
        jobs: by pipeline; runs go into the history of their workspace.
        root: a folder of its own, which is made; its workspace is below it.
        copied: the state of the project that its workspace is a copy of.
        steps: what steps store, for all processes.
        python: its interpreter.
        executor: as the record of a run names it, as it does the node.
    """

    def __init__(
        self,
        jobs: Mapping[str, Job],
        root: Path,
        *,
        copied: Path,
        steps: Path,
        python: str = sys.executable,
        executor: str,
        node: str,
    ) -> None:
        self._jobs, self._root, self._home = jobs, root, root / "project"
        self._project = next(iter(jobs.values())).workspace
        self._copied, self._steps = copied, steps
        self._python, self._executor, self._node = python, executor, node
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
        """A descriptor that can be read when there is something to receive; -1: there is none."""
        return -1 if self._child is None else self._child.watched

    def give(self, handle: str, given: Given) -> None:
        """Have it do a task.

        Raises:
            ExecutorError: its process cannot be started.
        """
        self.handle, self._given, self.began = handle, given, time.time()
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
        """What it has sent by now."""
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
            elif isinstance(message, Chunk):
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
                copy_project(Workspace(self._copied), self._home)
                Workspace(self._home).interface.symlink_to(self._steps)
            stacks = self._root / "stacks"
            self._child = Child("alo.executors.slot_process", self._python, stacks, self._take_in)
        except OSError as error:
            raise ExecutorError(
                f"a process for runs cannot be started: {error}",
                where=str(self._root),
                fix=fix_of(error, other="see that more processes may be started"),
            ) from error
        self._boot_deadline = time.monotonic() + BOOT_S
        boot = Boot(
            jobs=self._jobs,
            home=self._home,
            stacks=stacks,
            path=tuple(sys.path) if self._python == sys.executable else (),
            executor=self._executor,
            node=self._node,
        )
        self._child.send(boot)

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
        if not self._end_reason:  # in time it ends by itself, as after Ctrl-C, and nobody waits
            self._end_reason = TIMEOUT
            self.interrupt(GRACE_S)
            return False
        return True

    def _as_ended(self, result: Result) -> Result:
        """A task that we end has not failed by itself, whatever its asset made of the signal."""
        if not self._end_reason or result.status not in (ERROR, INTERRUPTED):
            return result
        error = self._too_long if self._end_reason == TIMEOUT else result.error
        return replace(result, status=self._end_reason, error=error)

    @property
    def _too_long(self) -> str:
        return f"it took longer than {self._limit_s or BOOT_S:g} s"

    def _died(self, ending: Ending) -> TaskEvent:
        if ending.status == -LOST and not self._end_reason:
            self._forget_run()
            return Lost("its process was killed, as the system does when memory runs out")
        status, error = self._end_reason or ERROR, ""
        if status == TIMEOUT:
            error = self._too_long
        elif status == ERROR:
            error = str(crash_error(self._step, self._home, ending))
        here, output = Workspace(self._home), self._given.output if self._given else None
        try:
            runs = recovered(here, here if output else self._project, _ignore)
            if output and self.task is not None:
                output = take_out(here, self.task, runs, output)
        except (OSError, AloError) as problem:
            runs, output, error = [], None, f"{error}; its run is not in history: {problem}"
        return Done(Result(status=status, runs=tuple(runs), error=error, output=output))

    def _forget_run(self) -> None:
        """A run that was lost is in history once another try has ended, and only then."""
        workspace = Workspace(self._home)
        with suppress(OSError, AloError):
            recover(workspace, _ignore)
            discard(workspace.history)

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


def node_name() -> str:
    """Of this machine."""
    return os.uname().nodename
