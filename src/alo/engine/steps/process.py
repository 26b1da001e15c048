"""Steps that run in a process of their own, so that a crash or a hang of them is not the engine's.

The engine starts the process (``process_main.py``), hands it its assignment, passes on what it
reports and prints, and finds out how it ended.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from alo.engine.spec import Job
from alo.engine.steps.context import StepContext
from alo.engine.steps.executor import Executed, StepValues
from alo.engine.steps.process_main import Assignment, Done
from alo.engine.steps.task import META, FailedStep, Inputs
from alo.errors import InstallError, StoreError
from alo.events.log_lines import warning
from alo.events.types import Listener
from alo.processes.child import POLL_S, Child
from alo.processes.crash_report import crash_error, hang_error, memory_error
from alo.processes.resources import tree_bytes

if TYPE_CHECKING:
    from alo.store import StoredStep

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0  # before a step is tried again
MEMORY_POLL_S = 0.1  # between two looks at the memory of a step that has a limit
EXIT_S = 5.0  # for threads and exit handlers of the asset, once its result is here


class ProcessExecutor:
    """A ``StepExecutor`` with a process for each step."""

    def __init__(self, context: StepContext) -> None:
        self._context = context

    def run(self, job: Job, inputs: Inputs) -> Executed:
        """Run a step in a new process, which reads its values from the step store."""
        context, reuse = self._context, self._context.reuse
        before = reuse.look() if reuse else None
        given, own = self._stored(job, inputs)
        context.values = None  # the step's process has the values now
        spare = frozenset[str]() if inputs.step.retries else own
        assignment = self._assignment(job, inputs, given, spare)
        done = self._run_with_retries(job, inputs, assignment)
        usage = done.cpu_seconds, done.peak_bytes, done.sampled
        if isinstance(done, FailedStep):
            return Executed(done.error, (), None, *usage)
        known = {value.key for value in given.data} if given else set()
        added = tuple(value.key for value in done.stored.data if value.key not in known)
        context.code.add(done.read)
        if reuse is not None and before is not None:
            modules = {**context.code.of_step(inputs.step.name, done.used), **done.outside}
            reuse.cache(inputs, before, modules, done.summary, added, done.packages)
        context.values = self._values_of(done.stored)
        return Executed(None, added, done.summary, *usage, done.packages)

    def _values_of(self, stored: StoredStep) -> StepValues:
        """In memory mode with the values, which are only mapped and outlive their files."""
        values = StepValues({}, {}, stored, is_live=False)
        if self._context.reuse is None:
            # Not those of a class that only its own environment has.
            with suppress(StoreError):
                return StepValues(*self._context.load(values), stored)
        return values

    def _run_with_retries(
        self, job: Job, inputs: Inputs, assignment: Assignment
    ) -> Done | FailedStep:
        """Run the step's process until it succeeds, or has had its tries."""
        step, emit = inputs.step, self._context.emit
        python = job.code.pythons.get(step.name, sys.executable)
        limits = Limits(step.timeout_s, step.resources.memory)
        done = run_in_process(assignment, python, limits, emit)
        for number in range(step.retries):
            if not isinstance(done, FailedStep):
                break
            pause = min(FIRST_PAUSE_S * 2**number, LONGEST_PAUSE_S)
            what = f"try {number + 2} of {step.retries + 1} in {pause:g} s"
            emit(warning(f"{done.error.what}; {what}"))
            time.sleep(pause)
            done = run_in_process(assignment, python, limits, emit)
        return done

    def _assignment(
        self, job: Job, inputs: Inputs, given: StoredStep | None, spare: frozenset[str]
    ) -> Assignment:
        context, step = self._context, inputs.step
        is_stored = context.reuse is not None
        context.folder.mkdir(parents=True, exist_ok=True)
        return Assignment(
            context.task(job, inputs, {}, {}),
            job.code.assets,
            context.code.view,
            context.workspace.interface if is_stored else context.own_store().root,
            not is_stored,
            context.run_id,
            context.kind,
            given,
            spare,
            context.folder / f"{step.name}.stacks",
            () if step.name in job.code.pythons else tuple(sys.path),
        )

    def _stored(self, job: Job, inputs: Inputs) -> tuple[StoredStep | None, frozenset[str]]:
        """What the step before handed on, in the store; and the blobs made for this alone."""
        context, values = self._context, self._context.values
        if values is None:
            return None, frozenset()
        stored = values.stored
        if stored is not None and (context.reuse or stored.run_id == context.run_id):
            return stored, frozenset()
        before = job.pipeline.steps[inputs.number - 1].name
        config = {key: value for key, value in values.config.items() if key != META}
        with context.turn(before), context.shared.present():
            store, paths = context.own_store(), context.shared.paths()
            there = store.blobs(context.run_id, context.kind)
            stored = store.save(
                context.run_id, context.kind, before, values.data, config, paths=paths
            )
            return stored, store.blobs(context.run_id, context.kind) - there


class Limits(NamedTuple):
    """What ends the process of a step."""

    timeout_s: float | None = None  # None: no limit
    memory: int = 0  # bytes of it and all that it has started; 0: no limit


def run_in_process(
    assignment: Assignment, python: str, limits: Limits, listener: Listener
) -> Done | FailedStep:
    """Run one step in a process of its own, and wait for its end.

    Args:
        python: the interpreter; the one that runs now, or one of another environment.
    Raises:
        StoreError: what the step is given cannot be read, or what it saves not be stored.
        KeyboardInterrupt: the user ended it; all that it had started has ended too.
    """
    task = assignment.task
    with _child(assignment, python, listener) as child:
        child.send(assignment)
        watch = _Watch(child, limits)
        result = watch.until_over()
        if watch.is_late or watch.used:
            child.show_stacks()
            child.end()
        last, ending = child.wait()
        result = next(iter([*([result] if result else []), *last]), None)
    if isinstance(result, StoreError):
        raise result
    if isinstance(result, Done | FailedStep):
        return result._replace(peak_bytes=ending.peak_bytes)
    home, error = _code_home(assignment), None
    if watch.used:
        error = memory_error(task.name, home, ending, watch.used, limits.memory)
    elif watch.is_late and limits.timeout_s is not None:
        error = hang_error(task.name, home, ending, limits.timeout_s)
    else:
        _refuse_broken(python, task.name)
        error = crash_error(task.name, home, ending)
    return FailedStep(error, ending.cpu_seconds, ending.peak_bytes, "")


def _code_home(assignment: Assignment) -> Path:
    """The folder whose frames are the user's: a served request has another one to work in."""
    home, assets = assignment.task.home, assignment.assets
    return home if assets.is_relative_to(home) else assets.parent


def _refuse_broken(python: str, step: str) -> None:
    """An environment that does not work, which shows only when it is used, is made anew next time.

    Raises:
        InstallError: it is the environment that is at fault.
    """
    if python == sys.executable:
        return
    from alo.sources.packages.trial import forget, try_out

    folder = Path(python).parents[1]
    if fault := try_out(folder):
        forget(folder)
        raise InstallError(
            f"step '{step}': the environment of its own does not work: {fault}",
            where=str(folder),
            fix="run again: the environment is then made anew",
        )


@contextmanager
def _child(assignment: Assignment, python: str, listener: Listener) -> Iterator[Child]:
    child = Child("alo.engine.steps.process_main", python, assignment.stacks, listener)
    try:
        yield child
    except BaseException:
        child.end()
        child.wait()
        raise
    finally:
        child.close()


class _Watch:
    """Waits for the end of a step's process, or for its limits."""

    def __init__(self, child: Child, limits: Limits) -> None:
        self._child, self._limits = child, limits
        timeout_s = limits.timeout_s
        self._deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self.is_late = False
        self.used = 0  # bytes, once they are more than it may use

    def until_over(self) -> object:
        """The step's result, once its process has ended; None where a limit came before that."""
        result: object = None
        exit_by = 0.0
        while True:
            messages, ended = self._child.poll(self._pause_s if result is None else POLL_S)
            if messages and result is None:
                result, exit_by = messages[0], time.monotonic() + EXIT_S
            if ended:
                return result
            if result is None and self._is_over_limit():
                return None
            if result is not None and time.monotonic() > exit_by:
                self._child.end()

    @property
    def _pause_s(self) -> float | None:
        left = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        if not self._limits.memory:
            return left
        return MEMORY_POLL_S if left is None else min(MEMORY_POLL_S, left)

    def _is_over_limit(self) -> bool:
        self.is_late = self._deadline is not None and time.monotonic() >= self._deadline
        if granted := self._limits.memory:
            used = tree_bytes(self._child.pid, granted)
            self.used = used if used > granted else 0
        return self.is_late or bool(self.used)
