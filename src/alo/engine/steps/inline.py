"""Steps that run in this process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from alo.engine.isolation.event_loop import no_running_loop
from alo.engine.spec import Job
from alo.engine.steps.context import StepContext
from alo.engine.steps.executor import Executed, StepValues
from alo.engine.steps.task import FailedStep, Inputs, StepResult, StepTask
from alo.sources.code.loader import AssetCode
from alolib.advice import SERVICE

if TYPE_CHECKING:
    from alo.engine.steps.effects import Snapshot


class InlineExecutor:
    """A ``StepExecutor`` without a process of its own.

    Args:
        codes: of each step.
    """

    def __init__(self, context: StepContext, codes: Mapping[str, AssetCode]) -> None:
        self._context, self._codes = context, codes

    def run(self, job: Job, inputs: Inputs) -> Executed:
        """Run a step here, on the values in reuse."""
        from alo.engine.steps.step import run_step  # a cached one does without all that it needs

        context, step = self._context, inputs.step
        before = context.reuse.look() if context.reuse else None
        with context.turn(step.name):
            # The step alone holds what it is given: a value that it replaces is free at once.
            data, config = context.give_away()
            given = frozenset(data)
            task = context.task(job, inputs, data, config)
            del data, config
            code = self._codes[step.name]
            with no_running_loop():
                result = run_step(task, code, context.emit, has_user=_has_user(job, task))
            used = code.used()
            context.code.absorb()
            del task
            usage = result.cpu_seconds, result.peak_bytes, result.sampled
            if isinstance(result, FailedStep):
                return Executed(result.error, (), None, *usage)
            added = tuple(str(key) for key in result.data if key not in given)
            context.values = self._hand_on(inputs, result, before, used, added)
            return Executed(None, added, result.summary, *usage)

    def _hand_on(
        self,
        inputs: Inputs,
        result: StepResult,
        before: Snapshot | None,
        used: Iterable[str],
        added: tuple[str, ...],
    ) -> StepValues:
        reuse, shared = self._context.reuse, self._context.shared
        if reuse is None or before is None:
            return StepValues(result.data, result.config)
        with shared.present():
            stored = reuse.save(inputs, result.data, result.config, shared.paths())
        modules = self._context.code.of_step(inputs.step.name, used)
        reuse.cache(inputs, before, modules, result.summary, added)
        if reuse.hands_on_files:
            return StepValues({}, {}, stored, is_live=False)
        return StepValues(result.data, result.config, stored)


def _has_user(job: Job, task: StepTask) -> bool:
    """Whether somebody may interrupt this process itself, and not whoever had it run the job."""
    return task.caller != SERVICE and job.execution.origin is None
