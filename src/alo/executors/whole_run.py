"""``alo run --computing``: the pipelines of a request, run by an executor, each as one task."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from alo.data.location import Access
from alo.data.models import fetch_models
from alo.engine.checks.preflight import check_solution
from alo.engine.request import RunOutcome, RunRequest
from alo.engine.run import OneAtATime, prepared
from alo.engine.spec import Job
from alo.engine.workspace.lock import hold_workspace
from alo.engine.workspace.recovery import recover
from alo.errors import ExecutorError, Interrupted, RunError, UsageError, passed_on
from alo.events.envelope import Envelope
from alo.events.log_lines import warning
from alo.events.types import Listener, Output
from alo.executors.depot import Depot
from alo.executors.finding import make_executor, setup_for, transfer_for
from alo.executors.guard import GuardedExecutor, warnings_of
from alo.executors.live_run import LiveRun, begin
from alo.executors.scratch import scratch_folder
from alo.executors.task import (
    INTERRUPTED,
    RUN,
    SUCCESS,
    Chunk,
    Done,
    Lost,
    Result,
    RunEvent,
    Task,
)
from alo.history.models_origin import EXTERNAL_MODEL, NO_TRAIN_RUN, current_train_id
from alo.layout import Workspace
from alo.processes.inherited import default_sigchld
from alo.processes.signals import SignalGuard, handled_by
from alo.sources.git.repositories import changing_steps

GRACE_S = 10.0  # that a run has to end by itself


def run_by_executor(
    request: RunRequest, computing: str, retries: int, listener: Listener
) -> tuple[RunOutcome, ...]:
    """Run the pipelines that were asked for where an executor leads to.

    Args:
        retries: how often a run that was lost is tried again.
    Raises:
        AloError: as ``run_solution`` does; ExecutorError: the executor cannot be used.
    """
    if request.resume or request.first or request.last:
        raise UsageError(
            f"--computing {computing} runs whole pipelines",
            fix="leave out --resume, --only, --from and --until, or run here: --computing local",
        )
    workspace, listener = Workspace(request.home), OneAtATime(listener)
    setup = setup_for(computing, request.setup)
    checked = check_solution(request)
    access = Access(checked.plan.aws_key_profile)
    transfer = transfer_for(computing, workspace.home, request.transfer, access)
    for problem in checked.warnings:
        listener(warning(str(problem)))
    what = " and ".join(job.pipeline.name for job in checked.jobs)
    with (
        default_sigchld(),
        hold_workspace(workspace, wait=request.wait, listener=listener, what=what) as late,
    ):
        if late:
            checked = check_solution(request)
        recover(workspace, listener)
        jobs = {job.pipeline.kind: job for job in prepared(checked.jobs, setup, listener)}
        _refuse_dependent(list(jobs.values()))
        depot = Depot()
        # Each task says which model it is for: what the plan names is known once it is its turn.
        made_of = {
            kind: job._replace(inputs=job.inputs._replace(model_source=None))
            for kind, job in jobs.items()
        }
        executor = make_executor(computing, made_of, 1, depot, transfer)
        with closing(executor), scratch_folder(workspace) as scratch:
            for text in warnings_of(executor):
                listener(warning(text))
            guarded = GuardedExecutor(executor, "see to it, and run again")
            driver = _Driver(computing, guarded, depot, retries, listener, scratch)
            return tuple(driver.run(job) for job in jobs.values())


def _refuse_dependent(jobs: Sequence[Job]) -> None:
    """What an executor is given is known before the first run begins."""
    fix = "run them one after the other: --mode train, then --mode inference"
    if changing_steps([job.pipeline for job in jobs]):
        raise UsageError("the pipelines have other code for one step", fix=fix)
    if any(job.inputs.lists_late for job in jobs):
        raise UsageError("the inference reads what the train run exports", fix=fix)


class _Driver:
    """Has one run after the other done, and enters it here.

    Args:
        name: of the executor.
        retries: of a run that is lost.
        scratch: a folder for models from outside.
    """

    def __init__(
        self,
        name: str,
        executor: GuardedExecutor,
        depot: Depot,
        retries: int,
        listener: OneAtATime,
        scratch: Path,
    ) -> None:
        self._name, self._executor, self._depot = name, executor, depot
        self._retries, self._listener = retries, listener
        self._fetched = scratch / "models"
        self._guard = SignalGuard()

    def run(self, job: Job) -> RunOutcome:
        """Have one pipeline run.

        Raises:
            RunError: it has failed.
            ExecutorError: it was lost too often, or the executor fails.
            Interrupted: by a signal.
        """
        task = self._task(job)
        with self._cancelling() as signals:
            while True:
                live, ended = self._try(job, task, signals)
                if isinstance(ended, Result):
                    return self._entered(job, live, ended, signals)
                if live is not None:
                    live.fail(None)
                if signals:
                    raise _interrupted(signals)
                if task.attempt > self._retries:
                    raise ExecutorError(
                        f"the run was lost, at {task.attempt} tries: {ended.reason}",
                        fix="see to where it ran, or allow for more: --retries N",
                    )
                self._listener(warning(f"the run is lost, and tried again: {ended.reason}"))
                task = replace(task, attempt=task.attempt + 1)

    def _try(
        self, job: Job, task: Task, signals: list[int]
    ) -> tuple[LiveRun | None, Result | Lost]:
        live: LiveRun | None = None
        self._handle = self._executor.submit(task)
        if signals:
            self._executor.cancel(self._handle, GRACE_S)
        try:
            for _, event in self._executor.events():
                match event:
                    case RunEvent(envelope):
                        live = live or self._live_run(job, envelope, task)
                        if live.take(envelope):
                            self._listener.of_run(envelope)
                    case Chunk(stream, text):
                        printed = Output(stream, text)
                        if live is not None:
                            live.log(printed)
                        self._listener(printed)
                    case Done(result):
                        return live, result
                    case Lost():
                        return live, event
        except BaseException:
            if live is not None:
                live.fail(None)
            raise
        raise AssertionError("a guarded executor reports the end of its tasks")

    def _entered(
        self, job: Job, live: LiveRun | None, result: Result, signals: list[int]
    ) -> RunOutcome:
        """What has come of a run, in the project."""
        folder = result.output / job.pipeline.kind if result.output else None
        outcome, error = None, _error_of(result, signals)
        try:
            if live is not None and result.status == SUCCESS and folder is not None:
                outcome = live.succeed(folder)
            elif live is not None:
                live.fail(folder, None if isinstance(error, Interrupted) else error)
        finally:
            if live is not None and (last := live.ending()) is not None:
                self._listener.of_run(last)
        if outcome is None:
            raise error
        return outcome

    def _live_run(self, job: Job, first: Envelope, task: Task) -> LiveRun:
        models = self._fetched if job.inputs.model_source is not None else None
        return begin(job, first, self._name, self._guard, self._listener, models, task.train_id)

    def _task(self, job: Job) -> Task:
        """The task that a run is; an inference has the models that a run here would have.

        Raises:
            StagingError: those from outside cannot be read.
        """
        kind = job.pipeline.kind
        task = Task(id=kind, kind=RUN, pipelines=(kind,), resources=job.pipeline.resources)
        if kind == "train":
            return task
        models, train_id = job.workspace.models, current_train_id(job.workspace)
        if job.inputs.model_source is not None:
            fetch_models(job.inputs.model_source, self._fetched)
            models, train_id = self._fetched, EXTERNAL_MODEL
        if not models.is_dir():
            return task
        known = "" if train_id == NO_TRAIN_RUN else train_id
        return replace(task, model=self._depot.add_folder(models), train_id=known)

    @contextmanager
    def _cancelling(self) -> Iterator[list[int]]:
        """The first signal has the run end in order, the second at once; gives them."""
        received: list[int] = []
        self._handle = ""

        def take_signal(number: int, frame: FrameType | None) -> None:
            received.append(number)
            if self._handle:
                self._executor.cancel(self._handle, GRACE_S if len(received) == 1 else 0.0)

        with handled_by(take_signal):
            yield received


def _error_of(result: Result, signals: Sequence[int]) -> RunError:
    """Why a run has not succeeded."""
    if result.status == INTERRUPTED:
        return _interrupted(signals)
    why = result.error or f"the run has ended as {result.status}, and sent nothing"
    return passed_on(RunError, "", why)


def _interrupted(signals: Sequence[int]) -> Interrupted:
    number = signals[0] if signals else signal.SIGINT
    name = signal.Signals(number).name
    return Interrupted(
        f"the run was interrupted by {name}; the previous artifacts are back",
        signal_number=number,
    )
