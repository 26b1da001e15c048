"""The check before a run: plan, metadata, assets, data sources, export targets, disk space.

Everything that can be known to be wrong is reported at once; nothing is imported, run or changed.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alo.data.location import Access, LocationError, is_remote, is_within, locate
from alo.data.locations import list_sources
from alo.engine.checks.sources import is_fetched_later, source_findings, with_source_problems
from alo.engine.request import MODES, RunRequest
from alo.engine.spec import Job, JobCode, JobInputs
from alo.engine.workspace.places import place_problems, place_warnings, volumes
from alo.errors import CheckError, Problem, UsageError
from alo.layout import KINDS, Workspace, find_plan, in_entry
from alo.named_tuples import NamedTuple
from alo.plan.changes import is_unplanned
from alo.plan.load import BrokenPlanError, load_plan
from alo.plan.model import ExternalPaths, Plan, StepPlan

if TYPE_CHECKING:
    from alo.engine.checks.inspected import Inspected

ONLINE, UNASKED, OFFLINE = "online", "unasked", "offline"


class Checked(NamedTuple):
    """A solution that has passed its check."""

    plan: Plan
    jobs: tuple[Job, ...]
    warnings: tuple[Problem, ...]
    inspected: "Inspected | None" = None  # for the next run to know


def check_solution(
    request: RunRequest, *, online: bool = True, skips_known: bool = False
) -> Checked:
    """Check all that a run of this request needs.

    Args:
        online: False: remote places are not looked at.
        skips_known: assets that the last run found well are not parsed again, if nothing that says
            so has changed.
    Raises:
        CheckError: with every problem that was found.
        UsageError: the request itself is wrong.
    """
    workspace = find_workspace(request.home)
    plan, changes, metadata_version = read_plan(request, workspace)
    network = OFFLINE if request.setup.offline else ONLINE if online else UNASKED
    inspected = _inspected(workspace) if skips_known else None
    return check_plan(
        plan,
        workspace,
        request.mode,
        changes,
        metadata_version,
        network=network,
        inspected=inspected,
    )


def _inspected(workspace: Workspace) -> "Inspected":
    from alo.engine.checks.inspected import Inspected  # of runs alone

    return Inspected(workspace.inspected)


def find_workspace(home: Path) -> Workspace:
    """The workspace of a project folder.

    Raises:
        UsageError: the folder is not there.
    """
    if not home.is_dir():
        what = "is not a folder" if home.exists() else "does not exist"
        raise UsageError(
            f"the project folder {what}: {home}",
            fix="name another, or make a project: alo init NAME",
        )
    return Workspace(home)


def read_plan(request: RunRequest, workspace: Workspace) -> tuple[Plan, tuple[str, ...], str]:
    """The plan as this request wants it, what that changes in it, and the metadata's version."""
    try:
        plan = load_plan(_plan_path(request, workspace), home=workspace.home)
    except BrokenPlanError as error:
        offline = request.setup.offline
        raise with_source_problems(error, workspace, request.mode, offline=offline) from error
    changes: tuple[str, ...] = ()
    version = ""
    if request.system:
        from alo.plan.metadata import apply_metadata, read_metadata

        metadata = read_metadata(request.system)
        # A platform lists both pipelines, whichever the plan has.
        kinds = [
            kind for kind in _kinds(request.mode) if request.mode == kind or plan.pipeline(kind)
        ]
        plan, changes = apply_metadata(plan, metadata, kinds)
        version = metadata.version
    if request.overrides:
        from alo.plan.overrides import apply_overrides, parse_override

        plan, set_here = apply_overrides(plan, [parse_override(text) for text in request.overrides])
        changes += set_here
    return plan, changes, version


def _plan_path(request: RunRequest, workspace: Workspace) -> Path:
    if request.config is None:
        return find_plan(workspace.home)
    # As the shell that typed it means it, then as the project does.
    given = Path(os.path.abspath(request.config))
    inside = workspace.home / request.config
    return inside if inside.is_file() and not given.is_file() else given


def _kinds(mode: str) -> tuple[str, ...]:
    return KINDS if mode == "all" else (mode,)


def check_plan(
    plan: Plan,
    workspace: Workspace,
    mode: str,
    changes: tuple[str, ...] = (),
    metadata_version: str = "",
    assets: Path | None = None,
    code_shown: str = "",
    network: str = ONLINE,
    *,
    train_id: str = "",
    serves: bool = False,
    inspected: "Inspected | None" = None,
) -> Checked:
    """Check what a plan needs of the project around it.

    Args:
        mode: train, inference or all.
        assets: another folder of assets than the project's own.
        code_shown: the history entry that it is a copy of.
        network: online; unasked: remote places are not looked at; offline: they are problems.
        train_id: the past run whose model an inference is to use; empty: what is in place.
        serves: the jobs run in workspaces of their own, and replace nothing in this one.
        inspected: the assets that need not be parsed again.
    Raises:
        CheckError: with every problem that was found.
        UsageError: there is no such mode.
    """
    if mode not in MODES:
        raise UsageError(f"no mode '{mode}'", fix=f"it can be {', '.join(MODES)}")
    problems: list[Problem] = []
    jobs: list[Job] = []
    seen: set[str] = set()
    for kind in _kinds(mode):
        pipeline = plan.pipeline(kind)
        if pipeline is None:
            if mode == kind:
                what = f"the plan has no {kind}_pipeline to run"
                problems.append(plan.problem("user_parameters", what))
            continue
        job = Job(
            workspace,
            plan,
            pipeline,
            JobCode(assets or workspace.assets, code_shown),
            changes=changes,
            metadata_version=metadata_version,
            inputs=JobInputs(train_id=train_id),
        )
        steps = [step for step in pipeline.steps if step.name not in seen]
        seen.update(step.name for step in steps)
        problems += _asset_problems(job, steps, inspected)
        jobs.append(_check_outside(job, problems, network, before=jobs))
    pipelines = [job.pipeline for job in jobs]
    sources = source_findings(
        plan, workspace, pipelines, assets or workspace.assets, offline=network == OFFLINE
    )
    problems += sources.problems
    problems += place_problems(workspace, jobs, serves=serves)
    if problems:
        raise CheckError(problems)
    unplanned = [Problem(change) for change in changes if is_unplanned(change)]
    places = () if serves else place_warnings(jobs)
    warnings = (*plan.warnings, *unplanned, *sources.warnings, *_warnings(jobs, network), *places)
    return Checked(plan, tuple(jobs), warnings, inspected)


def _asset_problems(
    job: Job, steps: Sequence[StepPlan], inspected: "Inspected | None"
) -> Iterator[Problem]:
    if inspected is None:
        from alo.sources.code.inspection import inspect_asset as inspect  # with what parses Python
    else:
        inspect = inspected.problems
    home = job.code.assets.parent
    for step in steps:
        folder = job.code.assets / step.name
        if job.is_of_project and is_fetched_later(job.workspace, job.plan, step):
            what = f"the code of step '{step.name}' is to be checked out in its place"
            yield from volumes(folder, what, "mount it elsewhere, or use it with 'code: local'")
            continue
        if not folder.is_dir():
            yield _missing_asset(job, step)
            continue
        installs = bool(step.source.requirements or step.environment)
        for problem in inspect(folder, step.name, home=home, installs=installs):
            yield _shown(job, problem)


def _shown(job: Job, problem: Problem) -> Problem:
    """The problem at the file that its reader has."""
    if not job.code.shown or not problem.file:
        return problem
    file = os.path.join(job.code.shown, in_entry(problem.file))
    return problem._replace(file=os.path.relpath(file, job.workspace.home))


def _missing_asset(job: Job, step: StepPlan) -> Problem:
    from alo.plan.suggest import did_you_mean

    try:
        names = sorted(entry.name for entry in os.scandir(job.code.assets) if entry.is_dir())
    except FileNotFoundError:
        names = []
    what = f"there is no folder assets/{step.name}/; {did_you_mean(step.name, names)}"
    fix = f"correct the step's name, or make the folder with asset_{step.name}.py in it"
    return Problem(f"{what}: {fix}", job.plan.file, step.line, key=f"step {step.name}")


def _check_outside(
    job: Job, problems: list[Problem], network: str, *, before: Sequence[Job]
) -> Job:
    """The job with its data, model and export locations, or further problems."""
    kind, home, external = job.pipeline.kind, job.workspace.home, job.plan.external
    if network == OFFLINE:
        problems += _network_problems(job)
    if network != ONLINE:
        external = _without_remote(external)
    paths, target = external.load_data(kind), external.save_artifacts(kind)
    access = Access(job.plan.aws_key_profile)
    made = [place for each in before for place in each.fills]
    inputs, outputs = job.inputs, job.outputs
    try:
        if any(is_within(locate(home, path, access), made) for path in paths):
            inputs = inputs._replace(sources=(), lists_late=True)
        elif paths:
            sources = list_sources(home, paths, job.workspace.input(kind), access)
            inputs = inputs._replace(sources=tuple(sources))
    except LocationError as error:
        problems.append(_location_problem(job, f"load_{kind}_data_path", error))
    try:
        if target:
            from alo.data.export import check_export_target  # with the compressors

            outputs = outputs._replace(export_target=check_export_target(home, target, access))
    except LocationError as error:
        problems.append(_location_problem(job, f"save_{kind}_artifacts_path", error))
    try:
        if kind == "inference" and external.load_model_path:
            from alo.data.models import check_model_source

            source = check_model_source(home, external.load_model_path, access, made=made)
            inputs = inputs._replace(model_source=source)
    except LocationError as error:
        problems.append(_location_problem(job, "load_model_path", error))
    return job._replace(inputs=inputs, outputs=outputs)


def _network_problems(job: Job) -> Iterator[Problem]:
    kind, external = job.pipeline.kind, job.plan.external
    model = external.load_model_path if kind == "inference" else ""
    named = {
        f"load_{kind}_data_path": external.load_data(kind),
        f"save_{kind}_artifacts_path": (external.save_artifacts(kind),),
        "load_model_path": (model,),
    }
    for key, paths in named.items():
        for path in filter(is_remote, paths):
            what = f"{path} needs the network, and --offline forbids it"
            yield job.plan.problem(f"external_path.{key}", what)


def _without_remote(external: ExternalPaths) -> ExternalPaths:
    """Places on this machine only; where others are named too, they would be reported missing."""

    def local(paths: tuple[str, ...]) -> tuple[str, ...]:
        return () if any(map(is_remote, paths)) else paths

    return ExternalPaths(
        local(external.load_train_data_path),
        local(external.load_inference_data_path),
        "".join(local((external.save_train_artifacts_path,))),
        "".join(local((external.save_inference_artifacts_path,))),
        "".join(local((external.load_model_path,))),
    )


def _location_problem(job: Job, key: str, error: LocationError) -> Problem:
    what = f"{error.what}; {error.fix}" if error.fix else error.what
    return job.plan.problem(f"external_path.{key}", what)


def _warnings(jobs: Sequence[Job], network: str) -> Iterator[Problem]:
    for job in jobs:
        kind, external = job.pipeline.kind, job.plan.external
        key = f"external_path.load_{kind}_data_path"
        if network == UNASKED and any(map(is_remote, external.load_data(kind))):
            yield job.plan.problem(key, "not looked at, because it is remote: --online does")
        elif job.inputs.sources is None:
            what = f"empty: what is in input/{kind}/ is used as it is"
            yield job.plan.problem(key, what)
