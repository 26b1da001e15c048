"""A process of the local executor: keeps Python warm, and does one task after the other.

Each run has the process' own workspace, and goes into the project's history. What an asset leaves
in the process ends with its step, as in any run (``engine/isolation``).
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from alo.engine.run import run_job
from alo.engine.spec import Job, JobOutputs, Origin, stores_steps
from alo.engine.steps.process_main import MessageSender, process_of_ours, show_stacks_in
from alo.engine.workspace.recovery import recover
from alo.errors import AloError, MemoryGrantError, PrunedError
from alo.events.envelope import Envelope
from alo.events.types import Event, Listener, LogLine, Output
from alo.executors.placing import place_input, place_models, take_out
from alo.executors.task import (
    ERROR,
    INTERRUPTED,
    OOM,
    PRUNED,
    RUN,
    SHARD,
    SUCCESS,
    Chunk,
    Done,
    Result,
    RunDone,
    RunEvent,
    Task,
)
from alo.history.entries.move import move_entry
from alo.history.entries.names import FAILED, entry_names, read_record
from alo.history.record import Attempt
from alo.layout import KINDS, Workspace
from alo.masking import masked
from alo.plan.overrides import Override, apply_overrides
from alo.processes.inherited import default_sigchld
from alo.processes.signals import SignalGuard
from alo.processes.wire import received

PIECE = 1 << 16  # characters of what is printed
LIVE_S = 0.2  # between two pieces of what is printed


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """What the process is started with."""

    jobs: Mapping[str, Job]  # by pipeline, as the project's check has found them
    home: Path  # of its own workspace
    stacks: Path
    path: tuple[str, ...]  # where modules are found
    executor: str
    node: str


@dataclass(frozen=True, slots=True)
class Given:
    """A task, what became of the tries before, and where its folders are on this machine."""

    task: Task
    attempts: tuple[Attempt, ...] = ()
    inputs: Mapping[str, Path] = field(default_factory=dict)  # by pipeline; else the job's own
    models: Path | None = None
    output: Path | None = None  # where what runs and shards have made goes; of trials: history


@dataclass(frozen=True, slots=True)
class Ready:
    """It takes tasks from now on."""


def main() -> None:
    """Do tasks until the other side hangs up."""
    with process_of_ours() as connection:
        send, messages = MessageSender(connection), received(connection)
        boot = next(messages, None)
        if not isinstance(boot, Boot):
            return
        sys.path[:] = boot.path or sys.path
        show_stacks_in(boot.stacks)
        runner = TaskRunner(boot, send)
        send(Ready())
        for message in messages:
            if isinstance(message, Given):
                send(Done(runner.do(message)))


class TaskRunner:
    """Does tasks in this process, in a workspace of its own.

    Args:
        send: takes events and prints.
    """

    def __init__(self, boot: Boot, send: MessageSender) -> None:
        self._boot, self._send = boot, send
        self._workspace = Workspace(boot.home)
        self._project = next(iter(boot.jobs.values())).workspace

    def do(self, given: Given) -> Result:
        """Do one task; whatever goes wrong is its result."""
        task = given.task
        done: list[RunDone] = []
        guard = SignalGuard()
        with default_sigchld(), guard.installed():
            for kind in task.pipelines:
                listener = _Listener(self._send, shows_output=task.kind == RUN)
                began = time.time()
                try:
                    job = self._job(kind, given)
                    self._place(job, given)
                    run_job(job, guard, listener, [])
                except (Exception, KeyboardInterrupt) as error:  # the last net of a task
                    done += self._ended(listener, kind, began, given)
                    failed = Result(status=_status_of(error), error=_text_of(error))
                    return self._with_output(failed, done, given)
                done += self._ended(listener, kind, began, given)
        return self._with_output(Result(status=SUCCESS), done, given)

    def _place(self, job: Job, given: Given) -> None:
        """The data of a run, and the model of an inference, where the run looks for them."""
        kind = job.pipeline.kind
        own = self._project.input(kind)
        links_own = job.inputs.sources is None and kind not in given.inputs and own.is_dir()
        place_input(self._workspace, kind, own if links_own else given.inputs.get(kind))
        if kind == "inference" and kind == given.task.pipelines[0]:
            place_models(self._workspace, given.models, given.task.train_id)

    def _with_output(self, result: Result, runs: Sequence[RunDone], given: Given) -> Result:
        result = replace(result, runs=tuple(runs))
        if given.output is None or not runs:
            return result
        output = take_out(self._workspace, given.task, runs, given.output)
        return replace(result, output=output)

    def _job(self, kind: str, given: Given) -> Job:
        task, job = given.task, self._boot.jobs[kind]
        overrides = [
            Override(kind, step, key, value)
            for step, values in task.args.get(kind, {}).items()
            for key, value in values.items()
        ]
        plan, changes = apply_overrides(job.plan, overrides)
        pipeline = plan.pipeline(kind)
        assert pipeline is not None  # noqa: S101 - the job has it
        if task.kind == SHARD:  # what it has made goes into its entry, and needs no copy
            plan = plan._replace(control=plan.control._replace(backup_artifacts=False))
        if task.attempt > 1 and stores_steps(job):  # what a try before has stored is taken
            steps = tuple(step._replace(cache=True) for step in pipeline.steps)
            pipeline = pipeline._replace(steps=steps)
            plan = plan._replace(control=plan.control._replace(cache=True))
        boot = self._boot
        origin = Origin(boot.executor, boot.node, task.sweep, given.attempts, task.pruner)
        if kind in given.inputs:
            job = job._replace(inputs=job.inputs._replace(sources=None, lists_late=False))
        return job._replace(
            plan=plan,
            pipeline=pipeline,
            changes=(*job.changes, *changes),
            workspace=self._workspace,
            code=job.code._replace(assets=self._workspace.assets),
            outputs=JobOutputs(
                keeps_in=None if given.output is not None else self._project, prunes=False
            ),
            execution=job.execution._replace(origin=origin),
        )

    def _ended(
        self, listener: _Listener, kind: str, began: float, given: Given
    ) -> Sequence[RunDone]:
        """What has become of a run, from history; nothing where it had no id yet."""
        listener.flush()
        if not listener.run_id:
            return []
        folder = (self._workspace if given.output else self._project).history / kind
        for name in (listener.run_id, f"{listener.run_id}{FAILED}"):
            if (folder / name).is_dir() and (record := read_record(folder / name)):
                return [RunDone.of(record)]
        seconds = round(time.time() - began, 6)
        return [
            RunDone(run_id=listener.run_id, pipeline=kind, status=ERROR, seconds=seconds)
        ]  # it is not in history: no room, say


def recovered(workspace: Workspace, keeper: Workspace, listener: Listener) -> list[RunDone]:
    """Put in order what a process that died has left of a run, and have the run in history.

    Args:
        workspace: of that process.
        keeper: whose history; it may be that of the process' own workspace.
    Raises:
        OSError, RunError: that cannot be.
    """
    recover(workspace, listener)
    found = []
    for kind in KINDS:
        folder, target = workspace.history / kind, keeper.history / kind
        for name in entry_names(folder):
            is_there = folder == target
            entry = folder / name if is_there else move_entry(folder / name, target)
            found.append(RunDone.of(read_record(entry)))
    return found


class _Listener:
    """Sends a run's events.

    Args:
        shows_output: also what assets print and log, which is in the run's log files anyway.
    """

    def __init__(self, send: MessageSender, *, shows_output: bool = False) -> None:
        self._send, self._shows_output = send, shows_output
        self._prints = _Prints(send)
        self.run_id = ""

    def __call__(self, event: Event) -> None:
        """What is in no event of the run: they hold so much of what assets print, and no more."""
        if not self._shows_output or not self.run_id:
            return
        if isinstance(event, Output):
            self._prints.add(event.stream, event.text)
        elif isinstance(event, LogLine):
            self._prints.add("stderr", f"{event.format()}\n")

    def flush(self) -> None:
        """Send what is left of it."""
        self._prints.flush()

    def of_run(self, envelope: Envelope) -> None:
        """An event of a run."""
        self.run_id = envelope.run_id
        self._prints.flush()
        if self._shows_output or not isinstance(envelope.event, LogLine | Output):
            self._send(RunEvent(envelope))


class _Prints:
    """Sends what is printed, many pieces at once: there may be a million."""

    def __init__(self, send: MessageSender) -> None:
        self._send, self._process, self._lock = send, os.getpid(), threading.Lock()
        self._stream, self._texts, self._size, self._sent_at = "", list[str](), 0, 0.0

    def add(self, stream: str, text: str) -> None:
        """A piece, which is sent soon."""
        if os.getpid() != self._process:  # an asset has forked it
            self._send(Output(stream, text))
            return
        with self._lock:
            if stream != self._stream:
                self._flush()
                self._stream = stream
            self._texts.append(text)
            self._size += len(text)
            if self._size >= PIECE or time.monotonic() - self._sent_at > LIVE_S:
                self._flush()

    def flush(self) -> None:
        """Send what there is."""
        if self._texts and os.getpid() == self._process:
            with self._lock:
                self._flush()

    def _flush(self) -> None:
        if self._texts:
            self._send(Chunk(self._stream, "".join(self._texts)))
        self._texts, self._size, self._sent_at = [], 0, time.monotonic()


def _status_of(error: BaseException) -> str:
    if isinstance(error, MemoryGrantError):
        return OOM
    if isinstance(error, PrunedError):
        return PRUNED
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else ERROR


def _text_of(error: BaseException) -> str:
    if isinstance(error, AloError):
        return masked(str(error))
    return masked(f"{type(error).__name__}: {error}")
