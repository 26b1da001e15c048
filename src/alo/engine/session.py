"""One pipeline in one workspace, step by step: the only thing in ALO that runs a pipeline.

``loaded`` → ``run_step`` for each step → ``ended``. A run of a project and a notebook
(``pipeline_run``) and a served request (``workers/request_run``) are policies on it: where the data
comes from, whether what steps have stored may replace them, where events go, and what stays.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alo.data.staging import Staged
from alo.engine.records import args_of, with_summary
from alo.engine.spec import Job, Origin
from alo.engine.steps.code import RunCode
from alo.engine.steps.context import StepContext
from alo.engine.steps.executor import Executed, StepExecutor, StepValues, has_own_process
from alo.engine.steps.task import Inputs
from alo.events.log_lines import info, warning
from alo.events.types import Listener, StepFinished, StepStarted
from alo.history.ids import dataset_of, utc_text
from alo.history.record import Attempt, RunRecord, StepRecord
from alo.layout import ASSETS
from alo.masking import masked
from alo.named_tuples import NamedTuple
from alo.plan.model import StepPlan
from alo.sources.code.loader import AssetCode
from alo.sources.code.shared import SharedModules

if TYPE_CHECKING:  # only file mode and the cache pay for the store
    from alo.engine.steps.reuse import Reused, StepReuse


def do_nothing() -> None:
    """For a policy that has nothing to do there."""


class Policy(NamedTuple):
    """What a run, a notebook and a served request do differently while steps run."""

    note_code: Callable[[], object] = do_nothing  # more is known of the code that runs
    raise_if_received: Callable[[], object] = do_nothing  # a signal that ends the run
    check_logs: Callable[[], object] = do_nothing  # raise where what steps print cannot be kept


class Session:
    """A pipeline in progress.

    Args:
        record: of the run, as it begins.
        started: when that was, in seconds since 1970.
        codes: the code of each step.
        reuse: of what steps store; None where they store nothing.
    """

    def __init__(
        self,
        job: Job,
        record: RunRecord,
        started: float,
        code: RunCode,
        shared: SharedModules,
        codes: Mapping[str, AssetCode],
        reuse: "StepReuse | None",
        emit: Listener,
        policy: Policy = Policy(),  # noqa: B008 - immutable
    ) -> None:
        self.job, self.emit = job, emit
        self._record, self._are_steps_noted = record, True
        self._steps = {step.name: step for step in record.steps}
        self._packages: dict[str, str] = {}  # that steps in processes of their own have imported
        self._clock = time.monotonic()
        self._code, self._shared, self._codes = code, shared, codes
        self._reuse, self._policy = reuse, policy
        self._context = StepContext(job, record.id, started, code, shared, reuse, emit)
        self._inline: StepExecutor | None = None  # made when a step needs it, as is the other
        self._processes: StepExecutor | None = None
        self._code_known = len(code.checksums)

    @property
    def record(self) -> RunRecord:
        """Of the run, as far as it has come."""
        if not self._are_steps_noted:  # here, lest each step write down all that came before it
            self._record = self._record._replace(steps=tuple(self._steps.values()))
            self._are_steps_noted = True
        return self._record

    @record.setter
    def record(self, record: RunRecord) -> None:
        self._record, self._are_steps_noted = record, True
        self._steps = {step.name: step for step in record.steps}

    @property
    def values(self) -> StepValues | None:
        """What the next step is given; None at the first."""
        return self._context.values

    @values.setter
    def values(self, values: StepValues | None) -> None:
        self._context.values = values

    def loaded(self, staged: Staged, sources: Sequence[str], train_id: str = "") -> None:
        """Note which data and model the steps are to have.

        Args:
            sources: where the data came from.
            train_id: the run that made the model; empty for a train run.
        """
        self._record = self._record._replace(
            train_id=train_id or self._record.train_id,
            data_id=staged.data_id,
            data_id_description={"files": staged.files, "sources": list(map(masked, sources))},
            dataset=dataset_of(sources) if self._record.pipeline == "train" else "",
        )

    def run_step(self, step: StepPlan, number: int, *, may_reuse: bool = True) -> None:
        """Run one step on ``values``, which are then what the step saved.

        Args:
            number: of the step in the pipeline, from 0.
            may_reuse: whether what an earlier run stored may replace the step.
        Raises:
            StepError: the asset failed, or did not keep the contract.
            StoreError: what the step saved cannot be stored, or what it is given not be read.
            OSError: what the step needs of the disk is not to be had.
        """
        inputs = self._inputs(step, number)
        reused, note = self._find_reusable(inputs, may_reuse=may_reuse)
        self.emit(StepStarted(step.name, number + 1, len(self.job.pipeline.steps)))
        if reused is not None:
            return self._skip(inputs, reused)
        if self._reuse is not None:
            self._reuse.begins(step.name)
        began = time.monotonic()
        done = self._executor(step).run(self.job, inputs)
        self._policy.raise_if_received()
        self._note_step(inputs, done, time.monotonic() - began, note)

    def ended(self, status: str, *, reason: str = "", failed_step: str = "") -> None:
        """Note how it ended."""
        self._record = self._record._replace(
            status=status,
            end_time=utc_text(time.time()),
            seconds=round(time.monotonic() - self._clock, 6),
            reason=reason,
            failed_step=failed_step,
        )

    def note_attempt(self, origin: Origin) -> None:
        """Note the try of an executor that this run is."""
        record = self._record
        here = Attempt(origin.node, record.start_time, record.end_time, record.status)
        self._record = record._replace(attempts=(*origin.attempts, here))

    def note_metrics(self, metrics: Mapping[str, float]) -> None:
        """Note what steps have saved by ``save_metric``."""
        self._record = self._record._replace(metrics={**self._record.metrics, **metrics})

    def note_environment(self, packages: Mapping[str, str], git: Mapping[str, object]) -> None:
        """Note what the run was made with, here and in the processes of steps."""
        packages = {**packages, **self._packages}
        self._record = self._record._replace(packages=packages, git=git)

    def note_steps_of_others(
        self,
        steps: Sequence[StepRecord],
        packages: Mapping[str, str],
        summary: Mapping[str, object],
    ) -> None:
        """Note steps that other processes have run, what with, and what they have come to."""
        self._packages.update(packages)
        for number, step in enumerate(steps):
            self.emit(StepStarted(step.name, number + 1, len(steps)))
            self.emit(_finished(step, number, len(steps)))
        self.record = with_summary(self.record._replace(steps=tuple(steps)), summary)

    def close(self) -> None:
        """Remove what steps in processes of their own have handed over."""
        self._context.close()

    def load_values(self, values: StepValues) -> tuple[dict[str, object], dict[str, object]]:
        """Data and config that a step handed on, wherever they are."""
        return self._context.load(values)

    def adopt(self, values: StepValues) -> StepValues:
        """What a step of another run handed on, as this run's own."""
        if self._reuse is None or values.stored is None:
            return values
        return values._replace(stored=self._reuse.adopt(values.stored))

    def take(self, job: Job, step: str) -> None:
        """Use a step's args and code as they are now the next time it runs; for a notebook."""
        self.job = job
        self._record = self._record.with_args(args_of(job))._replace(
            overrides=tuple(map(masked, job.changes))
        )
        changed = self._code.take([step])
        for code in self._codes.values() if changed else [self._codes[step]]:
            code.forget()
        self._shared.forget_changed()
        if changed and self._steps:
            before = ", ".join(self._steps)
            self.emit(warning(_changed_code(changed, before)))
        self.note_code()

    def take_code_of(self, entry: Path, record: RunRecord, steps: Sequence[str]) -> None:
        """Have the code of steps of a past run, which this one takes as they were.

        Args:
            entry: of that run in history.
        """
        files: Any = record.code_id_description.get("files") or {}
        self._code.take(steps, entry / ASSETS)
        own = tuple(f"{ASSETS}/{step}/" for step in steps)
        shared = {name: known for name, known in files.items() if not name.startswith(own)}
        if changed := self._code.take_shared(entry, shared):
            self.emit(warning(_changed_code(changed, ", ".join(steps))))
        self.note_code()

    def note_code(self) -> None:
        """Have the code that is known now in the record."""
        self._record = self._record._replace(
            code_id=self._code.id, code_id_description=self._code.description
        )
        self._code_known = len(self._code.checksums)
        self._policy.note_code()

    def _inputs(self, step: StepPlan, number: int) -> Inputs:
        code = self._code.of_step(step.name) if self._reuse is not None else {}
        stored = self.values.stored if self.values else None
        return Inputs(step, number, code, self._record.data_id, stored)

    def _executor(self, step: StepPlan) -> StepExecutor:
        if not has_own_process(self.job, step):
            if self._inline is None:
                from alo.engine.steps.inline import InlineExecutor

                self._inline = InlineExecutor(self._context, self._codes)
            return self._inline
        if self._processes is None:
            from alo.engine.steps.process import ProcessExecutor

            self._processes = ProcessExecutor(self._context)
        return self._processes

    def _find_reusable(self, inputs: Inputs, *, may_reuse: bool) -> "tuple[Reused | None, str]":
        """What may replace the step; else why nothing may, where that is worth a word."""
        if self._reuse is None:
            return None, ""
        if not may_reuse:
            self._reuse.notice_changes()
            return None, ""
        reused, note = self._reuse.find(inputs)
        if reused is None and self._reuse.follows:
            self._reuse.stop_following()
            step = inputs.step.name
            if note:
                self.emit(warning(f"the steps from '{step}' on run again: {note}"))
            else:
                self.emit(info(f"continuing at step '{step}'"))
        return reused, note

    def _skip(self, inputs: Inputs, reused: "Reused") -> None:
        cached = reused.cached
        if cached.summary is not None:
            self._record = with_summary(self._record, cached.summary)
        self.values = StepValues({}, {}, reused.stored, is_live=False)
        self._code.add_used(cached.key.code)
        self.emit(info(f"step {cached.step}: as in run {cached.run_id}"))
        self._step_ended(
            inputs, StepRecord(cached.step, "cached", 0.0, 0.0, 0, cached.data_keys), "cached"
        )

    def _note_step(self, inputs: Inputs, done: Executed, seconds: float, note: str) -> None:
        step = inputs.step.name
        self._packages.update(done.packages)
        if done.sampled:
            self.emit(info(f"step {step}: {done.sampled}")._replace(show=True))
        status = "error" if done.error else "success"
        usage = done.cpu_seconds, done.peak_bytes
        self._step_ended(
            inputs, StepRecord(step, status, round(seconds, 6), *usage, done.added), note
        )
        if done.error:
            raise done.error
        self._policy.check_logs()
        if done.summary is not None:
            self._record = with_summary(self._record, done.summary)

    def _step_ended(self, inputs: Inputs, record: StepRecord, note: str) -> None:
        if len(self._code.checksums) != self._code_known:
            self.note_code()
        self._steps.pop(record.name, None)  # a notebook may run a step again: it is the last then
        self._steps[record.name] = record
        self._are_steps_noted = False
        self.emit(_finished(record, inputs.number, len(self.job.pipeline.steps), note))


def _finished(record: StepRecord, number: int, total: int, note: str = "") -> StepFinished:
    return StepFinished(
        record.name,
        number + 1,
        total,
        record.status,
        record.seconds,
        record.cpu_seconds,
        record.peak_bytes,
        record.data_keys,
        note,
    )


def _changed_code(names: Sequence[str], steps: str) -> str:
    """The warning about code that is not what earlier steps ran with."""
    shown = ", ".join([*names[:3], "..."] if len(names) > 3 else names)
    return (
        f"{shown} changed after it was used by {steps}: "
        "objects of its classes that came from there are not those of the new code; run them again"
    )
