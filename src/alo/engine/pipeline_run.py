"""A run of one pipeline in a project, from taking the workspace's folders until it gives them back.

``begin`` → ``load`` → the steps of its session → ``save``; or, at any point, ``fail``. The command
line goes through them in one go (``run.py``), a notebook one by one.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from alo.data.staging import Staged
from alo.engine.environment import GitState, imported_packages
from alo.engine.faults import disk_errors, tried
from alo.engine.loading import load_data, load_models
from alo.engine.outputs import export, export_failed
from alo.engine.records import first_record, outcome_of, summary_of
from alo.engine.request import RunOutcome
from alo.engine.session import Policy, Session
from alo.engine.spec import Job, stores_steps
from alo.engine.steps.code import RunCode
from alo.engine.workspace import unfinished
from alo.engine.workspace.pruning import prune
from alo.engine.workspace.recovery import seal_history
from alo.errors import AloError, Interrupted, StepError
from alo.events.journal import EVENTS_LOG, EventJournal
from alo.events.log_files import RunLogs
from alo.events.log_lines import error as error_line
from alo.events.log_lines import info, warning
from alo.events.types import Event, Listener, Progress, RunFinished, RunStarted
from alo.history.entries.names import entry_name
from alo.history.entries.save import kept_code, kept_input, save_entry
from alo.history.entries.tree import Found
from alo.history.models_origin import write_origin
from alo.history.record import RunRecord
from alo.layout import Workspace
from alo.named_tuples import NamedTuple
from alo.plan.model import StepPlan
from alo.plan.render import render_plan
from alo.processes.signals import SignalGuard, Signalled
from alo.sources.code.loader import AssetCode
from alo.sources.code.shared import SharedModules
from alo.version import __version__

if TYPE_CHECKING:  # only file mode and the cache pay for the store
    from alo.engine.steps.reuse import StepReuse


class GivenUp(KeyboardInterrupt):
    """A notebook closes a run that it does not want to save."""


class Begun(NamedTuple):
    """What a run has, once it has taken the artifacts folder over."""

    record: RunRecord  # its first
    started: float  # seconds since 1970
    git: Callable[[], Mapping[str, object]]  # of the work tree that the project is in
    replaced: unfinished.UnfinishedRun  # what was there before
    code: RunCode
    shared: SharedModules


class PipelineRun:
    """A run in progress. Use ``begin`` to make one.

    Attributes:
        session: its steps; what it keeps, exports and puts back is done here.
    """

    def __init__(self, job: Job, guard: SignalGuard, listener: Listener, begun: "Begun") -> None:
        self.guard, self.workspace, self.kind = guard, job.workspace, job.pipeline.kind
        self.outcome: RunOutcome | None = None  # once it is in history as a success
        self.is_undone = False  # whether it has failed, and what it replaced is back
        self._git, self._unfinished, self._code = begun.git, begun.replaced, begun.code
        record, names = begun.record, [step.name for step in job.pipeline.steps]
        once = not begun.shared.stays
        codes = {
            name: AssetCode(job.code.assets / name, name, begun.shared, runs_once=once)
            for name in names
        }
        reuse = _reuse_of(job, record.id, begun.code)
        self._logs = RunLogs(self.artifacts / "log")
        self._events = EventJournal(
            self.artifacts / "log", record.id, self.kind, len(names), listener
        )
        self._listener = listener  # of what is not in the run's own files
        policy = Policy(self._note_code, guard.raise_if_received, self._check_logs)
        self.session = Session(
            job, record, begun.started, begun.code, begun.shared, codes, reuse, self.emit, policy
        )

    @property
    def job(self) -> Job:
        """What is run."""
        return self.session.job

    @property
    def record(self) -> RunRecord:
        """The record of the run, as far as it has come."""
        return self.session.record

    @property
    def artifacts(self) -> Path:
        """The folder that the run's outputs are in."""
        return self.workspace.artifacts(self.kind)

    @property
    def replaced_artifacts(self) -> Path:
        """The artifacts folder that was there before the run."""
        return self._unfinished.replaced_artifacts

    def _note_code(self) -> None:
        """Have the code found should the run be killed."""
        self._unfinished.note(**_for_recovery(self.record, self._code.copies, self.job))

    def emit(self, event: Event) -> None:
        """Send it to the log files and the journal, which sends it to whoever else listens."""
        self._logs(event)
        self._events(event)

    @disk_errors("what the run needs cannot be brought in")
    def load(self) -> None:
        """Stage the input data, and for inference bring the models in.

        Raises:
            StagingError: data or model cannot be read, or the data is not what a rerun needs.
        """
        job = self.job
        self.emit(info(f"run {self.record.id}, ALO {__version__}"))
        for change in job.changes:
            self.emit(info(f"changed for this run: {change}"))
        staged = load_data(job, self._report_staging)
        if job.inputs.sources is not None:
            self.emit(info(f"input data: {_amount(staged)}"))
        sources = job.plan.external.load_data(self.kind)
        self.session.loaded(staged, sources)
        if self.kind == "inference":
            train_id = load_models(job, self._unfinished, self.guard)
            self.session.loaded(staged, sources, train_id)

    def _report_staging(self, done: int, total: int) -> None:
        self.emit(Progress("staging", done, total, "B"))

    @property
    def steps(self) -> Sequence[StepPlan]:
        """Those that are to run: all, or those up to the last one of a part."""
        steps = self.job.pipeline.steps
        names = [step.name for step in steps]
        last = self.job.part.last
        return steps[: names.index(last) + 1] if last in names else steps

    def save(self, *, is_checked: bool = False) -> RunOutcome:
        """End a run that has succeeded: check, export, keep in history, drop what it replaced.

        Args:
            is_checked: its results are those of runs that have been checked.
        Raises:
            ResultError: an inference run left no valid summary or output.
            ExportError: the artifacts could not be written to the external path.
        """
        if self.job.part.last in [step.name for step in self.steps[-1:]]:
            return self._save_part()
        if self.kind == "inference" and not is_checked:
            from alo.engine.checks.results import check_results

            for odd in check_results(self.artifacts).odd:
                self.emit(warning(odd))
        self._finish_record("success")
        if self.kind == "train":
            with disk_errors("the model's origin cannot be noted", self.artifacts):
                write_origin(self.workspace, self.record.id)
        exported = self._export()
        self.emit(info("the run has succeeded"))
        self._check_logs()
        tidy: list[Callable[[], object]] = [self._unfinished.discard]
        if self.job.outputs.prunes:
            tidy.append(partial(prune, self.job, self.record.id, self.guard))
        return self._succeed(exported, *tidy)

    def _save_part(self) -> RunOutcome:
        """End a run of some steps only: it is kept in history, and what it replaced comes back."""
        self._finish_record("success")
        self.emit(info(f"a run of a part has succeeded: {self.record.part}"))
        return self._succeed([], self._unfinished.put_back)

    def _succeed(self, exported: list[str], *tidy: Callable[[], object]) -> RunOutcome:
        """Keep the run in history. Once it is there it has succeeded, whatever happens then."""
        with self.guard.held():
            with disk_errors("the run cannot be kept in history", self._keeper.history):
                history = self._keep(exported)
            self.outcome = outcome_of(self.record, self.artifacts, history, tuple(exported))
            for work in (self._close, self._events.close, *tidy):
                tried(self._listener, "the run has succeeded; the next one has to clean up", work)
            self._events.report_end()
        return self.outcome

    def fail(self, error: BaseException) -> None:
        """End a run that has not succeeded: keep it in history, and put back what it replaced.

        One that failed, and was not ended by its user, is saved outside as far as it came. Nothing
        that goes wrong here hides ``error``.
        """
        if self.outcome is not None:
            return
        from alo.engine.steps.failures import name_and_text  # few runs fail

        interrupted = isinstance(error, KeyboardInterrupt | Interrupted)
        status = "interrupted" if interrupted else "error"
        what = error.what if isinstance(error, AloError) else name_and_text(error)
        step = error.step if isinstance(error, StepError) else ""
        traceback = error.user_traceback if isinstance(error, StepError) else ""
        with self.guard.held():
            self._finish_record(status, reason=what, failed_step=step)
            message = str(error) if isinstance(error, AloError | GivenUp | Signalled) else what
            text = "\n".join(filter(None, [message, traceback]))
            self.emit(info(text) if isinstance(error, GivenUp) else error_line(text))
            tried(self._listener, "the log may not be whole", self._close)
            exported = [] if interrupted else self._export_failed(error)
            # On a full disk, say: the artifacts go back all the same.
            keep = lambda: self._keep(exported)  # noqa: E731
            if not tried(self._listener, "the failed run is not in history", keep):
                self._events.ending(self._finished(None, exported))
            self._events.close()
            self.is_undone = tried(
                self._listener,
                "the previous artifacts are not back yet, the next run puts them back",
                lambda: self._unfinished.put_back(self._mend_models),
            )
            self._events.report_end()

    def _mend_models(self) -> None:
        is_lent = bool(self.job.inputs.train_id)  # its models were another run's
        if self.kind == "inference" and not is_lent:
            from alo.engine.workspace.models import mend_models

            mend_models(self.workspace, self.record.train_id, self._listener)

    def _finish_record(self, status: str, *, reason: str = "", failed_step: str = "") -> None:
        self.session.ended(status, reason=reason, failed_step=failed_step)
        metrics = self.artifacts / "score" / f"{self.kind}_metrics.jsonl"
        if metrics.exists():  # few assets save any
            from alolib.metrics import last_metrics

            self.session.note_metrics(last_metrics(str(metrics)))
        if (origin := self.job.execution.origin) is not None:
            self.session.note_attempt(origin)
        self.session.note_environment(imported_packages(), self._git())

    def _export(self) -> list[str]:
        exported = export(self.job, self.artifacts)
        if exported:
            self.emit(info(f"saved to {self.job.outputs.export_target}: {len(exported)} files"))
        return exported

    def _export_failed(self, error: BaseException) -> list[str]:
        exported, problem = export_failed(self.job, self.artifacts, error, self.guard)
        if problem:
            self._listener(warning(problem))
        return exported

    def _keep(self, exported: Sequence[str]) -> Path:
        """Make the history entry; how the run has ended is in its copy of the events alone."""
        control = self.job.plan.control
        keeper = self._keeper
        entry = keeper.history / self.kind / entry_name(self.record.id, self.record.status)
        end = self._events.ending(self._finished(entry, exported))
        keeps_input = self.kind == "inference" and control.backup_artifacts
        given: Sequence[Found] = ()
        if keeps_input and self.record.status == "success":
            given, _ = kept_input(self.workspace.input(self.kind), control.backup_size)
        return save_entry(
            keeper,
            self.record,
            plan=render_plan(self.job.plan, self.job.changes),
            artifacts=self.artifacts,
            code=self._code.copies,
            ends={f"log/{EVENTS_LOG}": end},
            backup_artifacts=control.backup_artifacts,
            backup_log=control.backup_log,
            given=given,
        )

    @property
    def _keeper(self) -> Workspace:
        """Whose history has the run."""
        return self.job.outputs.keeps_in or self.workspace

    def _check_logs(self) -> None:
        self._logs.check()
        self._events.check()

    def _close(self) -> None:
        self._logs.close()
        self.session.close()

    def _finished(self, entry: Path | None, exported: Sequence[str]) -> RunFinished:
        artifacts, entry = self._places(entry)
        return RunFinished(
            self.record.id,
            self.kind,
            self.record.status,
            self.record.seconds,
            summary_of(self.record),
            str(artifacts),
            str(entry or ""),
            tuple(exported),
        )

    def _places(self, entry: Path | None) -> tuple[Path, Path | None]:
        """Where what it has made is found, and its entry: in the project, not in a copy of it."""
        job, artifacts = self.job, self.artifacts
        if (original := job.execution.original) is not None:
            project = original.project
            artifacts = project.artifacts(self.kind)
            entry = entry and project.history / self.kind / entry.name
        # The artifacts may be those of another run.
        is_alone = self.record.part or job.outputs.keeps_in
        return (entry if is_alone and entry else artifacts), entry


def begin(job: Job, guard: SignalGuard, listener: Listener, *, stays: bool = False) -> PipelineRun:
    """Take the workspace's artifacts folder over for a new run; the lock is the caller's.

    Args:
        stays: modules that steps share stay imported, for a notebook.
    Raises:
        RunError: it cannot be; nothing has changed then.
    """
    with guard.released():
        seal_history(job.workspace, listener)
    with guard.held(), disk_errors("the run cannot begin", job.workspace.home):
        try:
            run = PipelineRun(job, guard, listener, _take_over(job, stays=stays))
            run.session.note_code()
        except BaseException:
            with suppress(Exception):  # else the next run does it
                if left := unfinished.find(job.workspace):
                    left.put_back()
            raise
        steps = tuple(step.name for step in job.pipeline.steps)
        run.emit(RunStarted(run.record.id, run.kind, steps, job.plan.name))
    return run


def _take_over(job: Job, *, stays: bool) -> Begun:
    """Move aside what the run replaces, and copy the code that it runs."""
    started = time.time()
    known = job.execution.original
    git = GitState(job.workspace.home).read if known is None else partial(dict, known.git)
    record = first_record(job, started)
    replaced = unfinished.begin(job.workspace, _journal(record, job))
    code = RunCode(
        job.code.assets,
        job.workspace.unfinished / "code",
        workspace=job.workspace.home,
        shown=job.code.shown,
        earlier=cache(partial(kept_code, job.outputs.keeps_in or job.workspace)),
    )
    shared = SharedModules(code.view, stays=stays)
    code.take([step.name for step in job.pipeline.steps])
    return Begun(record, started, git, replaced, code, shared)


def _amount(staged: Staged) -> str:
    amount = f"{len(staged.files)} file(s), {staged.size / 1e6:,.1f} MB"
    return f"{amount}, {staged.copied} of them new; data_id {staged.data_id}"


def _reuse_of(job: Job, run_id: str, code: RunCode) -> "StepReuse | None":
    if not stores_steps(job):
        return None
    from alo.engine.steps.reuse import StepReuse

    return StepReuse(job, run_id, code.of_step)


def _for_recovery(record: RunRecord, code: Mapping[str, Path], job: Job) -> dict[str, object]:
    """What the history entry needs of this run if it is killed."""
    return {
        "record": record.to_json(),
        "code": {name: copy.name for name, copy in code.items()},
        "plan": render_plan(job.plan, job.changes).decode("utf-8", "surrogateescape"),
    }


def _journal(record: RunRecord, job: Job) -> dict[str, object]:
    original = job.execution.original
    project = str(original.project.home) if original else None
    return {
        "id": record.id,
        "pipeline": record.pipeline,
        "record": record.to_json(),
        "project": project,
    }
