"""``alo sweep``: begun or gone on with, driven to its end, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from alo.batch.stopping import stopping
from alo.batch.sweep.context import TrialContext
from alo.batch.sweep.definition import Definition, changed_ids, differences
from alo.batch.sweep.drive import Reports, SweepDrive
from alo.batch.sweep.finished import adopt
from alo.batch.sweep.keep import Keeper
from alo.batch.sweep.limits import Limits
from alo.batch.sweep.prefix import prefix_of, with_cached_prefix
from alo.batch.sweep.proposals.own import OwnProposals, Proposals
from alo.batch.sweep.proposals.samplers import GRID, make_sampler, told_again
from alo.batch.sweep.results import known_results
from alo.batch.sweep.space import size_of
from alo.batch.sweep.trials import (
    COMPLETE,
    SweepFolder,
    Trial,
    TrialLog,
    best_of,
    counts_of,
)
from alo.claims import holder_of, take
from alo.data.location import RemoteLocation
from alo.engine.spec import Job
from alo.errors import HistoryError, SweepError, UsageError
from alo.executors.finding import make_executor
from alo.executors.guard import warnings_of
from alo.executors.task import Executor
from alo.files import discard
from alo.history.browse import History
from alo.history.record import RunRecord
from alo.layout import Workspace
from alo.plan.model import most_of

IDS = ("data_id", "code_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOptions:
    """How a sweep is run."""

    limits: Limits
    computing: str = "local"
    transfer: RemoteLocation | None = None  # through which an executor moves folders
    keep: str = "best:5"
    anyway: bool = False  # continue though data or code has changed
    storage: str = ""  # URL of the database of a shared one, with its password; else as on record


@dataclass(slots=True)
class Outcome:
    """What a sweep has come to, for now."""

    definition: Definition
    trials: Mapping[int, Trial]
    signal_number: int = 0  # that has ended it; 0: none
    problem: SweepError | None = None

    @property
    def best(self) -> list[Trial]:
        """The best trials."""
        return best_of(self.trials.values(), self.definition.metrics)

    @property
    def counts(self) -> dict[str, int]:
        """How many trials are in each state."""
        return counts_of(self.trials.values())

    @property
    def is_whole(self) -> bool:
        """Whether all trials that were asked for have ended."""
        asked = self.definition.trials
        if self.definition.sampler == GRID:  # which has no more than its points
            size = size_of(self.definition.params) or 0
            asked = size if asked is None else min(asked, size)
        return len(self.trials) >= (asked or 0) and all(
            each.has_ended for each in self.trials.values()
        )

    @property
    def exit_status(self) -> int:
        """0: some trial is complete, and not too many failed."""
        if self.signal_number:
            return 128 + self.signal_number
        return 0 if self.problem is None and self.counts.get(COMPLETE) else 1


def check_free(folder: SweepFolder, definition: Definition) -> None:
    """See that a sweep of this name would be the same, if there is one.

    Raises:
        UsageError: there is another one, and what differs; or it is of this machine alone.
    """
    if not folder.exists:
        return
    differs = list(differences(folder.definition(), definition))
    if differs:
        raise UsageError(
            f"there is a sweep '{folder.name}' of another kind: {'; '.join(differs)}",
            fix=f"take another name, or resume it: alo sweep resume {folder.name}",
        )
    if definition.storage:
        refuse_sharing(folder)


def refuse_sharing(folder: SweepFolder) -> None:
    """See that a sweep that is on record has a database through which machines share it.

    Raises:
        UsageError: this machine began it alone.
    """
    if not folder.definition().storage:
        raise UsageError(
            f"sweep '{folder.name}' was begun by this machine alone",
            fix="leave out --storage, or begin another sweep: alo sweep NAME --storage URL",
        )


def run_sweep(
    workspace: Workspace,
    definition: Definition,
    jobs: Mapping[str, Job],
    options: SweepOptions,
    reports: Reports,
    watch: Callable[[SweepDrive], object] = lambda drive: None,
) -> Outcome:
    """Begin a sweep, or resume it, until all is done or something ends it.

    Args:
        definition: of a new sweep; one that is on record is taken from there.
        jobs: by pipeline, ready to run.
        watch: is given the drive before it begins.
    Raises:
        UsageError: another process runs it, data or code has changed, or no metric is so called.
        SweepError: it cannot be recorded.
    """
    folder = SweepFolder(workspace, definition.name)
    with _claimed(folder):
        known = folder.definition() if folder.exists else None
        trials = folder.trials() if known else {}
        if known is not None:
            definition = replace(known, trials=definition.trials)
        if definition.ids and not options.anyway:
            _refuse_changed(definition, jobs)
        trials = adopt(workspace, definition, trials)
        folder.clear_stop()
        prefix = prefix_of(definition, jobs["train"])
        jobs = {**jobs, "train": with_cached_prefix(jobs["train"], prefix)}
        context = TrialContext(
            definition=definition,
            folder=folder,
            prefix=prefix,
            resources=most_of(job.pipeline.resources for job in jobs.values()),
        )
        keeper = Keeper(workspace, definition, options.keep, trials.values())
        with (
            closing(TrialLog(folder)) as log,
            closing(_proposals(definition, jobs, options, trials, log)) as proposals,
            closing(_executor(options, jobs)) as executor,
        ):
            if definition != known:  # nobody refuses it any more; or there are to be more trials
                folder.create(definition)
            for text in warnings_of(executor):
                reports.warned(text)
            drive = SweepDrive(
                context, trials, log, executor, proposals, options.limits,
                _with_ids(workspace, folder, definition, keeper, reports),
            )  # fmt: skip
            watch(drive)
            return _driven(drive, definition)


def _executor(options: SweepOptions, jobs: Mapping[str, Job]) -> Executor:
    return make_executor(options.computing, jobs, options.limits.jobs, transfer=options.transfer)


def _proposals(
    definition: Definition,
    jobs: Mapping[str, Job],
    options: SweepOptions,
    trials: dict[int, Trial],
    log: TrialLog,
) -> Proposals:
    """Where trials come from; notes what has become of this machine's trials where others look."""
    if definition.storage:
        from alo.batch.sweep.proposals.shared import SharedProposals, shared_ids

        mine = replace(definition, ids=shared_ids(definition, jobs))
        shared = SharedProposals(
            options.storage or definition.storage, mine, trials, anyway=options.anyway
        )
        for trial in shared.changed:
            log.write(trial, lasts=True)
            trials[trial.number] = trial
        return shared
    directions = [metric.direction for metric in definition.metrics]
    sampler = make_sampler(definition.sampler, definition.params, definition.seed, directions)
    told_again(sampler, known_results(trials, definition.metrics))
    first = max(trials, default=-1) + 1
    return OwnProposals(sampler, definition.metrics, first, definition.trials)


def _driven(drive: SweepDrive, definition: Definition) -> Outcome:
    outcome = Outcome(definition, drive.trials)
    with stopping(drive) as received:
        try:
            drive.run()
        except SweepError as error:
            outcome.problem = error
    outcome.trials = drive.trials
    outcome.signal_number = received[0] if received else 0
    return outcome


@contextmanager
def _claimed(folder: SweepFolder) -> Iterator[None]:
    """It is this process' sweep until the end of the block; one that was refused leaves nothing."""
    folder.make()
    path = folder.path / "lock"
    claim = take(path, f"alo sweep {folder.name}")
    if claim is None:
        raise UsageError(
            f"the sweep '{folder.name}' runs already: {holder_of(path)}",
            fix=f"alo sweep show {folder.name} shows it; alo sweep stop {folder.name} ends it",
        )
    try:
        yield
    finally:
        if not folder.exists:
            discard(folder.path)
        claim.release()


def is_running(folder: SweepFolder) -> bool:
    """Whether a process runs it now."""
    path = folder.path / "lock"
    return path.exists() and holder_of(path) is not None


def _with_ids(
    workspace: Workspace,
    folder: SweepFolder,
    definition: Definition,
    keeper: Keeper,
    reports: Reports,
) -> Reports:
    """As reports, and the first run that ends says which data and code the sweep is about."""
    known = dict(definition.ids)

    def ended(trial: Trial) -> None:
        if not known and trial.run_id and (record := _record(workspace, trial.run_id)):
            known.update({name: str(getattr(record, name)) for name in IDS})
            folder.create(replace(definition, ids=known))
        keeper.ended(trial)
        reports.ended(trial)

    return replace(reports, ended=ended)


def _record(workspace: Workspace, run_id: str) -> RunRecord | None:
    try:
        return History(workspace).find(run_id).record
    except HistoryError:
        return None


def _refuse_changed(definition: Definition, jobs: Mapping[str, Job]) -> None:
    from alo.executors.identity import ids_of

    names = changed_ids(definition, ids_of(jobs["train"]))
    if names:
        what = " and ".join("data" if name == "data_id" else "code" for name in names)
        raise UsageError(
            f"the {what} of sweep '{definition.name}' changed since it began",
            where=", ".join(f"{name} was {definition.ids[name]}" for name in names),
            fix=f"begin another one; or continue all the same: alo sweep resume {definition.name} "
            "--anyway",
        )
