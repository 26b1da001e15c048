"""Run one step of a run, here or in a process of its own, and hand on what it saves."""

import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, NamedTuple

from alo.engine.isolation.event_loop import no_running_loop
from alo.engine.isolation.turns import turn_of
from alo.engine.spec import Job
from alo.engine.steps.code import RunCode
from alo.engine.steps.task import META, FailedStep, Inputs, StepResult, make_task
from alo.errors import StepError, StoreError
from alo.events.log_lines import warning
from alo.events.types import Listener
from alo.files import remove_tree
from alo.plan.model import StepPlan
from alo.sources.code.loader import AssetCode
from alo.sources.code.shared import SharedModules
from alolib.advice import SERVICE

if TYPE_CHECKING:  # only file mode, the cache and processes pay for the store
    from alo.engine.steps.effects import Snapshot
    from alo.engine.steps.process_main import Assignment, Done
    from alo.engine.steps.reuse import StepMemory
    from alo.store import StepStore, StoredStep

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0  # before a step is tried again


class Carry(NamedTuple):
    """What goes from one step to the next."""

    data: dict[str, object]
    config: dict[str, object]
    stored: "StoredStep | None" = None
    is_live: bool = True  # the values are here; otherwise they are in the store


class Executed(NamedTuple):
    """How a step went."""

    error: StepError | None
    added: tuple[str, ...]  # data keys that it was the first to save
    summary: Mapping[str, object] | None
    cpu_seconds: float
    peak_bytes: int
    sampled: str
    packages: Mapping[str, str] = {}  # that a process of its own has imported


def runs_apart(job: Job, step: StepPlan) -> bool:
    """Whether a step has a process of its own.

    A thread cannot be ended, and what a failed try did to values in memory not be undone: a time
    limit and further tries need one too.
    """
    wants = step.isolation or step.timeout_s is not None or step.retries
    return bool(wants) or step.name in job.pythons


class StepRunner:
    """Runs the steps of one run."""

    def __init__(
        self,
        job: Job,
        run_id: str,
        started: float,
        code: RunCode,
        shared: SharedModules,
        memory: "StepMemory | None",
        emit: Listener,
    ) -> None:
        self._workspace, self._kind = job.workspace, job.pipeline.kind
        self._code, self._shared = code, shared
        self._run_id, self._started, self._memory, self._emit = run_id, started, memory, emit
        self.carry: Carry | None = None  # what the next step is given; None at the first
        self._folder = job.workspace.scratch()  # of what processes hand over; made when needed
        self._own_store: StepStore | None = None  # in it, where the run has no memory

    def run(self, job: Job, inputs: Inputs, code: AssetCode) -> Executed:
        """Run a step on ``carry``, which then is what the step hands on; None if it fails.

        Raises:
            StoreError: what the step saved cannot be stored, or what it is given not be read.
            KeyboardInterrupt: the user, or SIGTERM, ended it.
        """
        before = self._memory.look() if self._memory else None
        if runs_apart(job, inputs.step):
            return self._run_apart(job, inputs, before)
        with self._turn(inputs.step.name):
            return self._run_here(job, inputs, code, before)

    def values(self, carry: Carry) -> tuple[dict[str, object], dict[str, object]]:
        """Data and config that a step handed on, wherever they are."""
        if carry.stored is None or carry.is_live:
            return carry.data, carry.config
        from alo.engine.isolation.process_state import (
            values_loadable,  # a step that runs has it anyway
        )

        store = self._memory or self._store()
        with self._turn("what a step saved"), values_loadable(self._shared, carry.stored.paths):
            return store.load(carry.stored)

    def close(self) -> None:
        """Remove what processes have handed over."""
        with suppress(OSError):  # the next run sweeps it
            remove_tree(self._folder)

    def _run_here(
        self, job: Job, inputs: Inputs, code: AssetCode, before: "Snapshot | None"
    ) -> Executed:
        from alo.engine.steps.step import run_step  # a cached one does without all that it needs

        step = inputs.step
        # The step alone holds what it is given: a value that it replaces is free at once.
        data, config = self._give_away()
        given = frozenset(data)
        task = make_task(job, self._started, step, inputs.number, data, config)
        del data, config
        with no_running_loop():
            result = run_step(task, code, self._emit, has_user=task.caller != SERVICE)
        used = code.used()
        self._code.absorb()
        del task
        usage = result.cpu_seconds, result.peak_bytes, result.sampled
        if isinstance(result, FailedStep):
            return Executed(result.error, (), None, *usage)
        added = tuple(str(key) for key in result.data if key not in given)
        self.carry = self._hand_on(inputs, result, before, used, added)
        return Executed(None, added, result.summary, *usage)

    def _turn(self, what: str) -> AbstractContextManager[None]:
        """Modules are imported while a step runs, and while its values are saved or loaded."""
        return turn_of(what, self._emit)

    def _give_away(self) -> tuple[dict[str, object], dict[str, object]]:
        carry, self.carry = self.carry, None
        return self.values(carry) if carry else ({}, {})

    def _hand_on(
        self,
        inputs: Inputs,
        result: StepResult,
        before: "Snapshot | None",
        used: Iterable[str],
        added: tuple[str, ...],
    ) -> Carry:
        if self._memory is None or before is None:
            return Carry(result.data, result.config)
        with self._shared.present():
            paths = self._shared.paths()
            stored = self._memory.save(inputs, result.data, result.config, paths)
        modules = self._code.of_step(inputs.step.name, used)
        self._memory.keep(inputs, before, modules, result.summary, added)
        if self._memory.hands_on_files:
            return Carry({}, {}, stored, is_live=False)
        return Carry(result.data, result.config, stored)

    def _run_apart(self, job: Job, inputs: Inputs, before: "Snapshot | None") -> Executed:
        given = self._stored(job, inputs)
        self.carry = None  # the step's process has the values now
        done = self._try(job, inputs, self._assignment(job, inputs, given))
        usage = done.cpu_seconds, done.peak_bytes, done.sampled
        if isinstance(done, FailedStep):
            return Executed(done.error, (), None, *usage)
        known = {value.key for value in given.data} if given else set()
        added = tuple(value.key for value in done.stored.data if value.key not in known)
        self._code.add(done.read)
        if self._memory is not None and before is not None:
            modules = {**self._code.of_step(inputs.step.name, done.used), **done.outside}
            self._memory.keep(inputs, before, modules, done.summary, added, done.packages)
        self.carry = self._as_carry(done.stored)
        return Executed(None, added, done.summary, *usage, done.packages)

    def _as_carry(self, stored: "StoredStep") -> Carry:
        """In memory mode with the values, which are only mapped and outlive their files."""
        if self._memory is None:
            # Not those of a class that only its own environment has.
            with suppress(StoreError):
                return Carry(*self.values(Carry({}, {}, stored, is_live=False)), stored)
        return Carry({}, {}, stored, is_live=False)

    def _try(self, job: Job, inputs: Inputs, assignment: "Assignment") -> "Done | FailedStep":
        """Run the step's process until it succeeds, or has had its tries."""
        from alo.engine.steps.process import run_apart

        step = inputs.step
        python = job.pythons.get(step.name, sys.executable)
        done = run_apart(assignment, python, step.timeout_s, self._emit)
        for number in range(step.retries):
            if not isinstance(done, FailedStep):
                break
            pause = min(FIRST_PAUSE_S * 2**number, LONGEST_PAUSE_S)
            what = f"try {number + 2} of {step.retries + 1} in {pause:g} s"
            self._emit(warning(f"{done.error.what}; {what}"))
            time.sleep(pause)
            done = run_apart(assignment, python, step.timeout_s, self._emit)
        return done

    def _assignment(self, job: Job, inputs: Inputs, given: "StoredStep | None") -> "Assignment":
        from alo.engine.steps.process_main import Assignment

        step = inputs.step
        store = self._workspace.interface if self._memory else self._store().root
        self._folder.mkdir(parents=True, exist_ok=True)
        return Assignment(
            make_task(job, self._started, step, inputs.number, {}, {}),
            job.assets,
            self._code.view,
            store,
            self._memory is None,
            self._run_id,
            self._kind,
            given,
            self._folder / f"{step.name}.stacks",
            () if step.name in job.pythons else tuple(sys.path),
        )

    def _stored(self, job: Job, inputs: Inputs) -> "StoredStep | None":
        """What the step before handed on, in the store."""
        carry = self.carry
        if carry is None:
            return None
        stored = carry.stored
        if stored is not None and (self._memory or stored.run_id == self._run_id):
            return stored
        before = job.pipeline.steps[inputs.number - 1].name
        config = {key: value for key, value in carry.config.items() if key != META}
        with self._turn(before), self._shared.present():
            store, paths = self._store(), self._shared.paths()
            return store.save(self._run_id, self._kind, before, carry.data, config, paths=paths)

    def _store(self) -> "StepStore":
        from alo.store import StepStore

        if self._own_store is None:
            self._own_store = StepStore(self._folder / "values", is_private=True)
        return self._own_store
