"""``--resume``, ``--from``, ``--until``, ``--only``: which pipelines and steps of them run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from alo.engine.request import RunRequest
from alo.engine.spec import Job, Part, stores_steps
from alo.errors import HistoryError, UsageError
from alo.history.browse import History
from alo.history.filters import Filters
from alo.history.recent_runs import recent_runs
from alo.history.record import RunRecord
from alo.layout import Workspace
from alo.store.results import ResultDir

HOW_TO_STORE = "set 'cache: True' or 'interface_mode: file' in the plan's control, and run it once"


def choose_jobs(request: RunRequest, jobs: Sequence[Job]) -> list[Job]:
    """The jobs that a request for a part asks for; none where there is nothing to resume.

    Args:
        request: has ``resume``, ``first`` or ``last``.

    Raises:
        UsageError: no such step, or nothing is stored to run a part on.
    """
    if request.resume:
        if request.first or request.last:
            raise UsageError(
                "--resume continues where the last run failed", fix="leave the step out"
            )
        return _resumed(jobs)
    job = _job_with(request, jobs)
    part = Part(first=request.first, last=request.last)
    names = [step.name for step in job.pipeline.steps]
    if part.first and part.last and names.index(part.first) > names.index(part.last):
        raise UsageError(
            f"'{part.first}' comes after '{part.last}'", fix=f"the order is {', '.join(names)}"
        )
    if part.first:
        _require_stored(job, names[: names.index(part.first)])
    return [job._replace(part=part)]


def last_run(workspace: Workspace, kinds: Sequence[str]) -> RunRecord | None:
    """The whole run of these pipelines that ended last; those of a part do not count."""
    history = History(workspace)
    for kind, run_id in recent_runs(workspace):
        if kind in kinds:
            with suppress(HistoryError):  # it has been removed
                return history.look_up(run_id)
    newest = [
        next((record for record in history.list(Filters(kind)) if not record.part), None)
        for kind in kinds
    ]
    return max(filter(None, newest), key=lambda record: record.start_time, default=None)


def _resumed(jobs: Sequence[Job]) -> list[Job]:
    workspace = jobs[0].workspace
    record = last_run(workspace, [job.pipeline.kind for job in jobs])
    if record is None:
        named = " or ".join(job.pipeline.name for job in jobs)
        raise UsageError(
            f"there is nothing to resume: no run of {named} is in history",
            fix="alo run begins one",
        )
    if record.status == "success":
        return []
    kinds = [job.pipeline.kind for job in jobs]
    first, *later = jobs[kinds.index(record.pipeline) :]
    if not stores_steps(first):
        raise UsageError(
            f"nothing is stored of the steps of {record.id}, so it cannot be resumed",
            fix=f"{HOW_TO_STORE}; alo run begins anew",
        )
    return [first._replace(part=Part(resumes=record.id)), *later]


def _job_with(request: RunRequest, jobs: Sequence[Job]) -> Job:
    """The one job that has the steps that are named."""
    wanted = [name for name in (request.first, request.last) if name]
    having = [job for job in jobs if all(job.pipeline.step(name) is not None for name in wanted)]
    if len(having) > 1:
        raise UsageError(
            f"both pipelines have the step '{wanted[0]}'",
            fix="say which: --mode train or --mode inference",
        )
    if not having:
        known = {step.name for job in jobs for step in job.pipeline.steps}
        unknown = [name for name in wanted if name not in known] or wanted
        raise UsageError(
            f"no pipeline that runs has the step '{unknown[0]}'",
            fix=f"it can be {', '.join(sorted(known))}",
        )
    return having[0]


def _require_stored(job: Job, steps: Sequence[str]) -> None:
    results = ResultDir(job.workspace.interface)
    for name in steps:
        if not any(results.recent(job.pipeline.kind, name)):
            raise UsageError(
                f"nothing is stored of step '{name}', so no run can begin after it",
                fix=HOW_TO_STORE,
            )
