"""``alo infer``: a batch begun, gone on with, or begun anew, until it is one inference run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from alo.batch.cutting.cut import cut
from alo.batch.cutting.shard import ROWS, Cut, Shard
from alo.batch.shards.context import ShardContext
from alo.batch.shards.definition import FILES as BY_FILES
from alo.batch.shards.definition import ROWS as BY_ROWS
from alo.batch.shards.definition import SHARDS, STOP, Definition, changed
from alo.batch.shards.drive import Reports, ShardDrive
from alo.batch.shards.finish import finish
from alo.batch.shards.prepare import KIND, Prepared, check_batch, prepare
from alo.batch.shards.record import (
    DONE,
    RUNNING,
    BatchFolder,
    BatchLog,
    Outcome,
    RunState,
    ShardState,
)
from alo.batch.shards.row_check import RowCheck
from alo.batch.shards.staging import Staging
from alo.batch.shards.tables import TableForm
from alo.batch.stopping import stopping
from alo.data.location import RemoteLocation
from alo.engine.faults import disk_errors
from alo.engine.pipeline_run import PipelineRun
from alo.engine.request import RunRequest
from alo.engine.run import ready, run_job
from alo.engine.workspace.lock import hold_workspace
from alo.engine.workspace.recovery import recover
from alo.errors import BatchError, Interrupted, UsageError, in_one_line, passed_on
from alo.events.log_lines import info, warning
from alo.events.types import Listener, Progress, SettingUp
from alo.executors.depot import Depot
from alo.executors.finding import make_executor
from alo.executors.guard import GuardedExecutor, warnings_of
from alo.executors.scratch import scratch_folder
from alo.executors.task import Executor
from alo.layout import Workspace
from alo.processes.inherited import default_sigchld
from alo.processes.signals import SignalGuard, Signalled

MakeReports = Callable[[ShardDrive, int], Reports]  # of the drive, and the number of shards


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How a batch is run."""

    jobs: int | None = None  # None: as many as there is room for
    computing: str = "local"
    transfer: RemoteLocation | None = None  # through which an executor moves folders
    resumes: bool = False  # with what is there; what is not so any more is an error
    anew: bool = False  # what is there is dropped


def run_batch(
    workspace: Workspace,
    definition: Definition,
    request: RunRequest,
    options: BatchOptions,
    listener: Listener,
    reports: MakeReports,
) -> Outcome:
    """Run a batch until it is one run in history, or something ends it.

    Args:
        definition: of a new batch, or as it is on record.
        listener: of the run, and of what comes before.
        reports: who is notified of the shards, once the drive and the number of shards are known.
    Raises:
        UsageError: input, model, code or args are not those that the batch began with.
        BatchError: more has failed than is allowed, or the pipeline is not row-wise.
        AloError: as of any run.
        Interrupted: a signal ended it; ``--resume`` continues it.
    """
    guard = SignalGuard()
    again = f"resume with what is done: alo infer --resume {definition.name}"
    try:
        with ExitStack() as ending:
            ending.enter_context(default_sigchld())
            ending.enter_context(guard.installed())
            what = f"alo infer {definition.name}"
            ending.enter_context(
                hold_workspace(workspace, wait=request.wait, listener=listener, what=what)
            )
            recover(workspace, listener)
            batch = _Batch(workspace, definition, request, options, listener, ending)
            return batch.run(guard, reports)
    except Signalled as error:
        raise Interrupted(
            f"interrupted by {error}", fix=again, signal_number=error.number
        ) from None
    except Interrupted as error:  # of the run
        error.fix = again
        raise


class _Batch:
    """A batch of which this process has the workspace.

    Args:
        ending: what is to be undone at the end.
    """

    def __init__(
        self,
        workspace: Workspace,
        definition: Definition,
        request: RunRequest,
        options: BatchOptions,
        listener: Listener,
        ending: ExitStack,
    ) -> None:
        self._workspace, self._options, self._listener = workspace, options, listener
        self._definition, self._request, self._ending = definition, request, ending
        self._folder = BatchFolder(workspace, definition.name)
        self._depot = Depot()

    def run(self, guard: SignalGuard, reports: MakeReports) -> Outcome:
        if (known := self._known_end()) is not None:
            return known
        check = partial(check_batch, self._definition, self._request)
        (job,) = ready(self._request, self._listener, check)
        scratch = self._scratch()
        prepared = prepare(job, scratch, self._depot, self._report_staging)
        found = _cut(prepared, self._definition)
        self._refuse_another(prepared)
        executor = self._executor(prepared)
        context = ShardContext(
            ids={name: each for name, each in prepared.ids.items() if name != "data_id"},
            code=prepared.code,
            model=prepared.model,
            train_id=prepared.train_id,
            resources=job.pipeline.resources,
        )
        (scratch / "inputs").mkdir()
        staging = Staging(scratch / "inputs", self._depot)
        notes, form = self._check_rows(found, executor, staging, context)
        self._note(prepared, len(found.shards))
        log = self._ending.enter_context(closing(BatchLog(self._folder)))
        tasks = self._options.jobs or executor.capacity()
        drive = ShardDrive(
            found.shards, self._folder, log, executor, staging, context,
            self._definition.tolerance, tasks, form,
        )  # fmt: skip
        drive.reports = reports(drive, len(found.shards))
        work = partial(self._work, log=log, drive=drive, found=found, notes=[*found.notes, *notes])
        run_job(prepared.job, guard, self._listener, [], work)
        outcome = self._folder.outcome()
        log.write(RunState(run=outcome.run_id, state=DONE), lasts=True)
        self._tidy(outcome)
        return outcome

    def _known_end(self) -> Outcome | None:
        """What an earlier process has brought to its end, whether it could note that or not."""
        if not self._options.resumes:
            return None
        run = self._folder.known().run
        if run is None or not (self._workspace.history / KIND / run.run).is_dir():
            return None
        outcome = self._folder.outcome()
        if outcome.run_id != run.run or not outcome.is_complete:
            return None
        self._tidy(outcome)
        return replace(outcome, reused=outcome.total)

    def _tidy(self, outcome: Outcome) -> None:
        if outcome.is_complete:  # it is in history, and no one resumes it
            self._folder.drop_results()

    def _scratch(self) -> Path:
        """A folder that goes with this process."""
        return self._ending.enter_context(scratch_folder(self._workspace))

    def _refuse_another(self, prepared: Prepared) -> None:
        """See that it is the batch that it was, or that there is none of its name.

        Raises:
            UsageError: it is another one by now; says in what.
        """
        if self._options.resumes:
            known = self._folder.definition()
            if words := list(changed(known, prepared.ids)):
                raise UsageError(
                    f"the {' and the '.join(words)} of batch '{known.name}' changed since it began",
                    where=str(self._folder.path),
                    fix=f"put it back; or begin anew: alo infer --restart {known.name}",
                )
        elif self._folder.exists and not self._options.anew:  # begun since this one was asked for
            raise name_taken(self._folder.name)

    def _note(self, prepared: Prepared, shards: int) -> None:
        """Have on record what the batch is, before its first shard."""
        if self._options.anew:
            self._folder.begin_anew()
        self._folder.create(replace(self._definition, ids=prepared.ids, shards=shards))

    def _executor(self, prepared: Prepared) -> Executor:
        # A task says what its input and its model are.
        inputs = prepared.job.inputs._replace(expected_data=None, train_id="", model_source=None)
        job = prepared.job._replace(inputs=inputs)
        options = self._options
        made = make_executor(
            options.computing, {KIND: job}, options.jobs, self._depot, options.transfer
        )
        self._ending.callback(made.close)
        for text in warnings_of(made):
            self._listener(warning(text))
        fix = f"mend it, then resume: alo infer --resume {self._definition.name}"
        return GuardedExecutor(made, fix)

    def _check_rows(
        self, found: Cut, executor: Executor, staging: Staging, context: ShardContext
    ) -> tuple[Sequence[str], TableForm | None]:
        """See that the pipeline is row-wise, once.

        Returns:
            What a user should know, and the form of the tables that it makes, where it is known.
        """
        tolerance = self._definition.tolerance
        has_results = self._options.resumes and any(self._folder.results.glob("*"))
        if found.how != ROWS or len(found.shards) < 2 or has_results:
            return (), None
        if not tolerance.row_check:
            return ["the rows were not checked to be answered each by itself"], None
        self._listener(SettingUp("answering some rows in one piece and in two"))
        check = RowCheck(
            executor=executor,
            staging=staging,
            context=context,
            scratch=self._scratch(),
            takes_bad_rows=tolerance.on_error != STOP,
        )
        rows, problem, form = check.run(found, tolerance.row_check)
        if not problem:
            return (), form
        if tolerance.on_error == STOP:
            raise passed_on(
                BatchError,
                "the rows that the pipeline is to be checked with have no output: ",
                problem,
                fix="mend it; or leave such rows out: --on-error bisect",
            )
        seen = f"with {rows:,} rows alone" if rows else "not checked"
        first = in_one_line(problem)
        return [f"that rows are answered each by itself: {seen}, as others fail: {first}"], form

    def _work(
        self, run: PipelineRun, log: BatchLog, drive: ShardDrive, found: Cut, notes: Sequence[str]
    ) -> None:
        """Make the artifacts of a run."""
        log.write(RunState(run=run.record.id, state=RUNNING), lasts=True)
        for note in notes:
            run.emit(warning(note))
        run.load()
        drive.reports = _with_log(drive, run, len(found.shards))
        with stopping(drive) as received:
            drive.run()
        if received:
            raise Signalled(received[-1])
        with disk_errors("the output cannot be put together", run.artifacts):
            finish(run, drive, found, self._folder, self._definition)

    def _report_staging(self, done: int, total: int) -> None:
        self._listener(Progress("staging", done, total, "B"))


def name_taken(name: str) -> UsageError:
    """The error for a new batch with the name of another."""
    return UsageError(
        f"there is a batch '{name}' already",
        fix=f"take another name; or resume it: --resume {name}; or --restart {name}",
    )


def _cut(prepared: Prepared, definition: Definition) -> Cut:
    unit, size = definition.cut
    return cut(
        prepared.files,
        shards=size if unit == SHARDS else None,
        rows_per_shard=size if unit == BY_ROWS else None,
        files_per_shard=size if unit == BY_FILES else None,
    )


def _with_log(drive: ShardDrive, run: PipelineRun, total: int) -> Reports:
    """Its reports, which are in the run's log, too."""
    reports = drive.reports

    def ended(shard: Shard, state: ShardState) -> None:
        error = f": {state.error}" if state.error else ""
        run.emit(info(f"shard {shard.name} {state.state} after {state.seconds:.2f} s{error}"))
        run.emit(Progress("shards", drive.ended, total, "shards"))
        reports.ended(shard, state)

    return replace(reports, ended=ended)
