"""One run of one pipeline, from taking the workspace's folders until it gives them back.

``begin`` → ``load`` → ``run_step`` for each step → ``save``; or, at any point, ``fail``. The
command line goes through them in one go (``run.py``), a notebook one by one.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alo.data.staging import Staged
from alo.engine.environment import GitState, imported_packages
from alo.engine.faults import disk_told, tried
from alo.engine.loading import load_data, load_models
from alo.engine.outputs import export, export_failed
from alo.engine.records import args_of, first_record, outcome_of, summary_of, with_summary
from alo.engine.request import RunOutcome
from alo.engine.results import check_results
from alo.engine.spec import Job, stores_steps
from alo.engine.steps.code import RunCode
from alo.engine.steps.executor import Carry, StepRunner
from alo.engine.steps.failures import name_and_text
from alo.engine.steps.task import Inputs
from alo.engine.workspace import unfinished
from alo.engine.workspace.models import mend_models
from alo.engine.workspace.pruning import prune
from alo.engine.workspace.recovery import seal_history
from alo.errors import AloError, Interrupted, StepError
from alo.events.log_files import RunLogs
from alo.events.log_lines import error as error_line
from alo.events.log_lines import info, warning
from alo.events.types import (
    Event,
    Listener,
    Progress,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from alo.history.entry import kept_code, save_entry
from alo.history.ids import utc_text
from alo.history.models_origin import write_origin
from alo.history.record import RunRecord, StepRecord
from alo.layout import ASSETS
from alo.masking import masked
from alo.plan.model import StepPlan
from alo.plan.render import render_plan
from alo.processes.signals import SignalGuard, Signalled
from alo.sources.code.loader import AssetCode
from alo.sources.code.shared import SharedModules
from alo.version import __version__

if TYPE_CHECKING:  # only file mode and the cache pay for the store
    from alo.engine.steps.reuse import Reused, StepMemory


class GivenUp(KeyboardInterrupt):
    """A notebook closes a run that it does not want to save."""


class PipelineRun:
    """A run in progress. Use ``begin`` to make one."""

    def __init__(
        self, job: Job, guard: SignalGuard, listener: Listener, *, stays: bool = False
    ) -> None:
        self.job, self.guard = job, guard
        self.workspace, self.kind = job.workspace, job.pipeline.kind
        self._started, self._clock = time.time(), time.monotonic()
        self._git = GitState(self.workspace.home)
        self.record = first_record(job, self._started)
        self.outcome: RunOutcome | None = None  # once it is in history as a success
        self.is_undone = False  # whether it has failed, and what it replaced is back
        self._unfinished = unfinished.begin(self.workspace, _journal(self.record))
        self._code = RunCode(
            job.assets,
            self.workspace.unfinished / "code",
            workspace=self.workspace.home,
            shown=job.code_shown,
            earlier=cache(partial(kept_code, self.workspace)),
        )
        self._shared = SharedModules(self._code.view, stays=stays)
        self._code.take([step.name for step in job.pipeline.steps])
        self._note_code()
        self._logs = RunLogs(self.artifacts / "log")
        self._listeners = (self._logs, listener)
        self._tell = listener  # of what comes when the logs are closed
        self._memory = _memory_of(job, self.record.id)
        self._runner = StepRunner(
            job,
            self.record.id,
            self._started,
            self._code,
            self._shared,
            self._memory,
            self.emit,
        )
        self._packages: dict[str, str] = {}  # that steps in processes of their own have imported
        self._codes = {
            step.name: AssetCode(job.assets / step.name, step.name, self._shared)
            for step in job.pipeline.steps
        }

    @property
    def artifacts(self) -> Path:
        return self.workspace.artifacts(self.kind)

    @property
    def replaced_artifacts(self) -> Path:
        """The artifacts folder that was there before the run."""
        return self._unfinished.replaced_artifacts

    @property
    def carry(self) -> Carry | None:
        """What the next step is given; None at the first."""
        return self._runner.carry

    @carry.setter
    def carry(self, carry: Carry | None) -> None:
        self._runner.carry = carry

    def take(self, job: Job, step: str) -> None:
        """Use a step's args and code as they are now the next time it runs; for a notebook."""
        self.job = job
        self.record = self.record.with_args(args_of(job))._replace(
            overrides=tuple(map(masked, job.changes))
        )
        changed = self._code.take([step])
        for code in self._codes.values() if changed else [self._codes[step]]:
            code.forget()
        self._shared.forget_changed()
        if changed and self.record.steps:
            before = ", ".join(each.name for each in self.record.steps)
            self.emit(warning(_changed_code(changed, before)))
        self._note_code()

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
        self._note_code()

    def _note_code(self) -> None:
        """Have the code that is known now in the record, and found should the run be killed."""
        self.record = self.record._replace(
            code_id=self._code.id, code_id_description=self._code.description
        )
        self._code_noted = len(self._code.checksums)
        self._unfinished.note(**_for_recovery(self.record, self._code.copies, self.job))

    def emit(self, event: Event) -> None:
        """Tell the log files and whoever else listens."""
        for listener in self._listeners:
            listener(event)

    @disk_told("what the run needs cannot be brought in")
    def load(self) -> None:
        """Stage the input data, and for inference bring the models in.

        Raises:
            StagingError: data or model cannot be read, or the data is not what a rerun needs.
        """
        self.emit(info(f"run {self.record.id}, ALO {__version__}"))
        for change in self.job.changes:
            self.emit(info(f"changed for this run: {change}"))
        staged = load_data(self.job, self._report_staging)
        if self.job.sources is not None:
            self.emit(info(f"input data: {_amount(staged)}"))
        self.record = self.record._replace(
            data_id=staged.data_id,
            data_id_description={
                "files": staged.files,
                "sources": list(map(masked, self.job.plan.external.load_data(self.kind))),
            },
        )
        if self.kind == "inference":
            train_id = load_models(self.job, self._unfinished, self.guard)
            self.record = self.record._replace(train_id=train_id)

    def _report_staging(self, done: int, total: int) -> None:
        self.emit(Progress("staging", done, total, "B"))

    @disk_told("the run cannot go on")
    def run_step(self, step: StepPlan, number: int, *, may_reuse: bool = True) -> None:
        """Run one step on ``carry``, which is then what the step saved.

        Args:
            number: of the step in the pipeline, from 0.
            may_reuse: whether what an earlier run stored may stand for the step.
        Raises:
            StepError: the asset failed, or did not keep the contract.
            StoreError: what the step saved cannot be stored, or what it is given not be read.
        """
        inputs = self._inputs(step, number)
        reused, note = None, ""
        if self._memory is not None and not may_reuse:
            self._memory.notice_changes()
        elif self._memory is not None:
            reused, note = self._memory.reuse(inputs)
            if reused is None:
                self._go_on_at(step, note)
        self.emit(StepStarted(step.name, number + 1, len(self.job.pipeline.steps)))
        if reused is not None:
            self._skip(inputs, reused)
        else:
            self._execute(inputs, note)

    def values(self, carry: Carry) -> tuple[dict[str, object], dict[str, object]]:
        """Data and config that a step handed on, wherever they are."""
        return self._runner.values(carry)

    def adopt(self, carry: Carry) -> Carry:
        """What a step of another run handed on, as this run's own."""
        if self._memory is None or carry.stored is None:
            return carry
        return carry._replace(stored=self._memory.adopt(carry.stored))

    def _inputs(self, step: StepPlan, number: int) -> Inputs:
        code = self._code.of_step(step.name)
        stored = self.carry.stored if self.carry else None
        return Inputs(step, number, code, self.record.data_id, stored)

    def _go_on_at(self, step: StepPlan, reason: str) -> None:
        """Tell where a run that follows an earlier one leaves it."""
        if self._memory is not None and self._memory.follows:
            self._memory.stop_following()
            if reason:
                self.emit(warning(f"the steps from '{step.name}' on run again: {reason}"))
            else:
                self.emit(info(f"going on at step '{step.name}'"))

    def _skip(self, inputs: Inputs, reused: "Reused") -> None:
        kept = reused.kept
        if kept.summary is not None:
            self.record = with_summary(self.record, kept.summary)
        self.carry = Carry({}, {}, reused.stored, is_live=False)
        self._code.add_used(kept.key.code)
        self.emit(info(f"step {kept.step}: as in run {kept.run_id}"))
        self._step_ended(
            inputs, StepRecord(kept.step, "cached", 0.0, 0.0, 0, kept.data_keys), "cached"
        )

    def _execute(self, inputs: Inputs, note: str) -> None:
        step, began = inputs.step, time.monotonic()
        done = self._runner.run(self.job, inputs, self._codes[step.name])
        self.guard.raise_if_received()
        self._packages.update(done.packages)
        if done.sampled:
            self.emit(info(f"step {step.name}: {done.sampled}")._replace(show=True))
        seconds = round(time.monotonic() - began, 6)
        status = "error" if done.error else "success"
        usage = done.cpu_seconds, done.peak_bytes
        self._step_ended(inputs, StepRecord(step.name, status, seconds, *usage, done.added), note)
        if done.error:
            raise done.error
        self._logs.check()
        if done.summary is not None:
            self.record = with_summary(self.record, done.summary)

    def _step_ended(self, inputs: Inputs, record: StepRecord, note: str) -> None:
        if len(self._code.checksums) != self._code_noted:
            self._note_code()
        others = (kept for kept in self.record.steps if kept.name != record.name)
        self.record = self.record._replace(steps=(*others, record))
        self.emit(
            StepFinished(
                record.name,
                inputs.number + 1,
                len(self.job.pipeline.steps),
                record.status,
                record.seconds,
                record.cpu_seconds,
                record.peak_bytes,
                record.data_keys,
                note,
            )
        )

    def save(self) -> RunOutcome:
        """End a run that has succeeded: check, export, keep in history, drop what it replaced.

        Raises:
            ResultError: an inference run left no valid summary or output.
            ExportError: the artifacts could not be written to the external path.
        """
        if self.kind == "inference":
            for odd in check_results(self.artifacts):
                self.emit(warning(odd))
        self._finish_record("success")
        if self.kind == "train":
            with disk_told("the model's origin cannot be noted", self.artifacts):
                write_origin(self.workspace, self.record.id)
        exported = self._export()
        self.emit(info("the run has succeeded"))
        self._logs.check()
        clean_up = partial(prune, self.job, self.record.id, self.guard)
        return self._succeed(exported, self._unfinished.discard, clean_up)

    def save_part(self) -> RunOutcome:
        """End a run of some steps only: it is kept in history, and what it replaced comes back."""
        self._finish_record("success")
        self.emit(info(f"a run of a part has succeeded: {self.record.part}"))
        return self._succeed([], self._unfinished.put_back)

    def _succeed(self, exported: list[str], *tidy: Callable[[], object]) -> RunOutcome:
        """Keep the run in history. Once it is there it has succeeded, whatever happens then."""
        with self.guard.held():
            with disk_told("the run cannot be kept in history", self.workspace.history):
                history = self._keep(self.artifacts)
            self.outcome = outcome_of(self.record, self.artifacts, history, tuple(exported))
            for work in (self._close, *tidy):
                tried(self._tell, "the run has succeeded; the next one has to clean up", work)
            self._tell_end("success", history, tuple(exported))
        return self.outcome

    def fail(self, error: BaseException) -> None:
        """End a run that has not succeeded: keep it in history, and put back what it replaced.

        One that failed, and was not ended by its user, is saved outside as far as it came. Nothing
        that goes wrong here hides ``error``.
        """
        if self.outcome is not None:
            return
        interrupted = isinstance(error, KeyboardInterrupt | Interrupted)
        status = "interrupted" if interrupted else "error"
        what = error.what if isinstance(error, AloError) else name_and_text(error)
        step = error.step if isinstance(error, StepError) else ""
        traceback = error.user_traceback if isinstance(error, StepError) else ""
        kept: list[Path] = []
        with self.guard.held():
            self._finish_record(status, reason=what, failed_step=step)
            message = str(error) if isinstance(error, AloError | GivenUp | Signalled) else what
            told = "\n".join(filter(None, [message, traceback]))
            self.emit(info(told) if isinstance(error, GivenUp) else error_line(told))
            tried(self._tell, "the log may not be whole", self._close)
            exported = [] if interrupted else self._export_failed(error)
            # On a full disk, say: the artifacts go back all the same.
            keep = lambda: kept.append(self._keep(self.artifacts))  # noqa: E731
            tried(self._tell, "the failed run is not in history", keep)
            self.is_undone = tried(
                self._tell,
                "the previous artifacts are not back yet, the next run puts them back",
                lambda: self._unfinished.put_back(self._mend_models),
            )
            self._tell_end(status, kept[0] if kept else None, tuple(exported))

    def _mend_models(self) -> None:
        if self.kind == "inference" and not self.job.train_id:  # lent models were another run's
            mend_models(self.workspace, self.record.train_id, self._tell)

    def _finish_record(self, status: str, *, reason: str = "", failed_step: str = "") -> None:
        self.record = self.record._replace(
            status=status,
            end_time=utc_text(time.time()),
            seconds=round(time.monotonic() - self._clock, 6),
            reason=reason,
            failed_step=failed_step,
            packages={**imported_packages(), **self._packages},
            git=self._git.read(),
        )

    def _export(self) -> list[str]:
        exported = export(self.job, self.artifacts)
        if exported:
            self.emit(info(f"saved to {self.job.export_target}: {len(exported)} files"))
        return exported

    def _export_failed(self, error: BaseException) -> list[str]:
        exported, problem = export_failed(self.job, self.artifacts, error, self.guard)
        if problem:
            self._tell(warning(problem))
        return exported

    def _keep(self, artifacts: Path) -> Path:
        control = self.job.plan.control
        return save_entry(
            self.workspace,
            self.record,
            plan=render_plan(self.job.plan, self.job.changes),
            artifacts=artifacts,
            code=self._code.copies,
            backup_artifacts=control.backup_artifacts,
            backup_log=control.backup_log,
        )

    def _close(self) -> None:
        self._logs.close()
        self._runner.close()

    def _tell_end(self, status: str, history: Path | None, exported: tuple[str, ...] = ()) -> None:
        shown = history if self.record.part else self.artifacts
        self._tell(
            RunFinished(
                self.record.id,
                self.kind,
                status,
                self.record.seconds,
                summary_of(self.record),
                str(shown),
                str(history or ""),
                exported,
            )
        )


def begin(job: Job, guard: SignalGuard, listener: Listener, *, stays: bool = False) -> PipelineRun:
    """Take the workspace's artifacts folder over for a new run; the lock is the caller's.

    Args:
        stays: modules that steps share stay imported, for a notebook.
    Raises:
        RunError: it cannot be; nothing has changed then.
    """
    with guard.released():
        seal_history(job.workspace, listener)
    with guard.held(), disk_told("the run cannot begin", job.workspace.home):
        try:
            run = PipelineRun(job, guard, listener, stays=stays)
        except BaseException:
            with suppress(Exception):  # else the next run does it
                if left := unfinished.find(job.workspace):
                    left.put_back()
            raise
        steps = tuple(step.name for step in job.pipeline.steps)
        run.emit(RunStarted(run.record.id, run.kind, steps, job.plan.name))
    return run


def _changed_code(names: Sequence[str], steps: str) -> str:
    """What is told of code that is not what earlier steps ran with."""
    shown = ", ".join([*names[:3], "..."] if len(names) > 3 else names)
    return (
        f"{shown} changed after it was used by {steps}: "
        "objects of its classes that came from there are not those of the new code; run them again"
    )


def _amount(staged: Staged) -> str:
    amount = f"{len(staged.files)} file(s), {staged.size / 1e6:,.1f} MB"
    return f"{amount}, {staged.copied} of them new; data_id {staged.data_id}"


def _memory_of(job: Job, run_id: str) -> "StepMemory | None":
    if not stores_steps(job):
        return None
    from alo.engine.steps.reuse import StepMemory

    return StepMemory(job, run_id)


def _for_recovery(record: RunRecord, code: Mapping[str, Path], job: Job) -> dict[str, object]:
    """What the history entry needs of this run if it is killed."""
    return {
        "record": record.to_json(),
        "code": {name: copy.name for name, copy in code.items()},
        "plan": render_plan(job.plan, job.changes).decode("utf-8", "surrogateescape"),
    }


def _journal(record: RunRecord) -> dict[str, object]:
    return {"id": record.id, "pipeline": record.pipeline, "record": record.to_json()}
