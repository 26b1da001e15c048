"""What has to be there before a run: the code of assets that come from git, and what they require.

Called with the workspace's lock held. Where the environment that runs ALO does not have what is
required, an environment of the project's is made, and the run has to continue in it.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from alo.engine.request import NODE, NODES, Setup
from alo.engine.spec import Job
from alo.errors import CheckError, InstallError, Problem
from alo.events.types import Listener, SettingUp
from alo.files import checksum_of, write_whole
from alo.json_text import ordinary_bytes
from alo.layout import Workspace
from alo.masking import masked
from alo.plan.model import Plan
from alo.sources.code.inspection import inspect_asset
from alo.sources.git.checked_out import Checkout
from alo.sources.git.checkout import (
    Policy,
    bring_sources,
    check_remote,
    current_checkouts,
    look_at_sources,
    needs_checkout,
)
from alo.sources.git.repositories import changing_steps, git_steps, repositories, wanted_checkouts

if TYPE_CHECKING:  # only plans that require something pay for these
    from alo.engine.checks.requirements import Environments
    from alo.sources.packages.lockfile import Lock
    from alo.sources.packages.requirements import Wanted


class ContinueIn(Exception):  # noqa: N818
    """The run has to continue in another environment."""

    def __init__(self, python: str, environment: str) -> None:
        super().__init__(f"the run continues in the environment {environment} of the project")
        self.python, self.environment = python, environment


def set_up(jobs: Sequence[Job], options: Setup, listener: Listener) -> list[Job]:
    """The jobs, with all that they need in place.

    Raises:
        SourceError: code cannot be fetched.
        CheckError: what was fetched is no asset, or requirements are wrong or contradict.
        InstallError: something cannot be installed, or the lock file is not the plan's.
        ContinueIn: everything is in place, in another environment.
    """
    lock = _read_lock(jobs, options)
    if lock is not None:
        commits = {step: each.commit for step, each in lock.sources.items()}
        jobs = [job._replace(code=job.code._replace(commits=commits)) for job in jobs]
    wanted, jobs = code_and_environments(jobs, options, listener)
    if lock is not None:
        _refuse_differences(jobs, lock)
    if not (wanted.project or wanted.isolated):
        return list(jobs)
    if options.environment in (NODE, NODES):
        as_it_is, offline = options.environment == NODE, options.offline
        return [
            job._replace(
                execution=job.execution._replace(uses_node_python=as_it_is, offline=offline)
            )
            for job in jobs
        ]
    from alo.sources.packages.package_list import write_package_lists
    from alo.sources.packages.trial import keep_in_use

    try:
        write_package_lists(jobs[0].workspace.home, wanted.by_pipeline)
    except OSError as error:  # a project that may not be written to can still be served
        _reporter(listener)(f".package_list/ cannot be written: {error.strerror}")
    pythons = {
        step: _python_for(jobs[0].workspace, f"isolated:{step}", each, options, listener, lock)
        for step, each in wanted.isolated.items()
    }
    for python in pythons.values():
        keep_in_use(Path(python).parents[1])
    _go_where_it_is(jobs[0].workspace, wanted.project, options, listener, lock)
    return [job._replace(code=job.code._replace(pythons=pythons)) for job in jobs]


def pending_setup(
    jobs: Sequence[Job], *, online: bool
) -> tuple[Sequence[Problem], Sequence[Problem]]:
    """What is wrong with what a plan names, and what a run will fetch or install first.

    Args:
        online: ask the repositories.
    """
    workspace, plan = jobs[0].workspace, jobs[0].plan
    steps = repositories([job.pipeline for job in jobs])
    problems = check_remote(workspace, plan) if online and steps else []
    policy = Policy()
    reasons = [(step, needs_checkout(workspace, step, policy)) for step in steps]
    waiting = [step for step, reason in reasons if reason]
    later = [
        plan.source_problem(step, f"the code is fetched by the next run ({reason})")
        for step, reason in reasons
        if reason
    ]
    if waiting:  # their requirements.txt may not be there yet
        names = {step.name for step in waiting}
        jobs = [
            job._replace(
                pipeline=job.pipeline._replace(
                    steps=tuple(step for step in job.pipeline.steps if step.name not in names)
                )
            )
            for job in jobs
        ]
    from alo.engine.checks.requirements import environments_of

    wanted = environments_of(jobs)
    return problems, [*later, *_to_install(workspace, plan.file, wanted)]


def _to_install(workspace: Workspace, file: str, wanted: "Environments") -> Iterator[Problem]:
    from alo.sources.packages.environments import environment_id, find_environment
    from alo.sources.packages.installed import missing

    for each in wanted.every:
        if not each or find_environment(workspace, environment_id(each)):
            continue
        if each is wanted.project:
            listed = [str(one) for one in missing(each.requirements, sys.path, each.limits)]
        else:
            listed = [f"{one.shown}, for {one.origin}" for one in each.requirements]
        for text in [*listed, *(masked(line) for line in each.remote if line.startswith("-r "))]:
            yield Problem(f"installed by the next run: {text}", file)


def code_and_environments(
    jobs: Sequence[Job], options: Setup, listener: Listener
) -> "tuple[Environments, list[Job]]":
    """Have the code of these jobs in its folders, and read what it requires.

    Where the pipelines have other code for one folder, the first one's is there in the end, and
    each job knows the commits that it has to have there when it begins.

    Raises:
        SourceError: code cannot be fetched.
        CheckError: what was fetched is no asset, or requirements are wrong or contradict; nothing
            has changed then.
    """
    from alo.engine.checks.requirements import environments_of, together

    if not changing_steps([job.pipeline for job in jobs]):
        fetch_code(jobs, options, listener)
        return environments_of(jobs), list(jobs)
    for job in jobs:
        fetch_code([job], options, listener, is_trial=True)
    known, parts = [], []
    for job in reversed(jobs):
        fetch_code([job], options, listener)
        found = current_checkouts(job.workspace, job.pipeline.steps)
        commits = {each.step: each.commit for each in found}
        known.append(job._replace(code=job.code._replace(commits=commits)))
        parts.append(environments_of([job]))
    return together(jobs[0].plan, parts[::-1]), known[::-1]


def fetch_code(
    jobs: Sequence[Job], options: Setup, listener: Listener, *, is_trial: bool = False
) -> None:
    """Have the code of assets that come from git in their folders.

    Args:
        is_trial: only see whether it could be.
    Raises:
        SourceError: code cannot be fetched.
        CheckError: what was fetched is no asset, or its requirements are wrong or contradict.
    """
    steps = git_steps([step for job in jobs if job.is_of_project for step in job.pipeline.steps])
    if not steps:
        return
    workspace, plan = jobs[0].workspace, jobs[0].plan
    commits = {step: commit for job in jobs for step, commit in job.code.commits.items()}
    every = plan.control.get_asset_source == "every" and not options.locked
    policy = Policy(every, options.force, options.offline)
    inspect = partial(_refuse_bad_code, jobs)
    if is_trial:
        look_at_sources(workspace, plan, steps, policy, commits, inspect)
        return
    report = _reporter(listener)
    bring_sources(workspace, plan, steps, policy, report, commits, inspect)


def _refuse_bad_code(jobs: Sequence[Job], folders: Mapping[str, Path]) -> None:
    """See that what was fetched are assets, and what these require, before it is in its place."""
    from alo.engine.checks.requirements import requirement_findings

    home, plan = jobs[0].workspace.home, jobs[0].plan
    pipelines = [job.pipeline for job in jobs]
    problems = [
        problem
        for step, folder in folders.items()
        for problem in inspect_asset(folder, step, home=home, installs=True)
    ]
    problems += requirement_findings(plan, pipelines, jobs[0].code.assets, folders=folders)[0]
    names = {folder.name: step for step, folder in folders.items()}
    if problems:
        raise CheckError([_as_in_its_place(problem, names) for problem in problems])


def _as_in_its_place(problem: Problem, names: Mapping[str, str]) -> Problem:
    for draft, step in names.items():
        file, what = (text.replace(draft, step) for text in (problem.file, problem.what))
        problem = problem._replace(file=file, what=what)
    return problem


def _reporter(listener: Listener) -> Callable[[str], object]:
    return lambda text: listener(SettingUp(masked(text)))


def _go_where_it_is(
    workspace: Workspace,
    wanted: "Wanted",
    options: Setup,
    listener: Listener,
    lock: "Lock | None",
) -> None:
    """Continue here where all is here, or has just been installed; else in another environment."""
    from alo.sources.packages.environments import environment_id, is_running_in
    from alo.sources.packages.lockfile import PROJECT

    if not wanted:
        return
    exact = lock.exact(PROJECT, wanted) if lock else wanted
    if is_running_in(workspace, environment_id(exact)):
        return
    if lock is None and is_satisfied(workspace, wanted):
        return
    if options.environment == "here":
        raise _not_here(wanted)
    if options.environment == "current":
        install_in_current(workspace, exact, options, listener)
        return
    python = _python_for(workspace, PROJECT, wanted, options, listener, lock)
    raise ContinueIn(python, environment_id(exact))


def _not_here(wanted: "Wanted") -> InstallError:
    from alo.sources.packages.installed import missing

    lacking = [str(each) for each in missing(wanted.requirements, sys.path, wanted.limits)]
    lacking += [line for line in wanted.remote if line.startswith("-r ")]
    listed = "\n".join(f"  {each}" for each in lacking)
    return InstallError(
        f"what the plan requires is not installed in this environment:\n{listed}",
        where=sys.prefix,
        fix="project.install() installs it here; `alo run` uses an environment of the project",
    )


def install_in_current(
    workspace: Workspace, wanted: "Wanted", options: Setup, listener: Listener
) -> None:
    """Install what is missing into the environment that runs ALO."""
    from importlib import invalidate_caches

    from alo.sources.packages.environments import install_here
    from alo.sources.packages.installed import missing

    lacking = missing(wanted.requirements, sys.path, wanted.limits)
    if lacking or wanted.has_unread:
        report = _reporter(listener)
        install_here(workspace, wanted, lacking, report, offline=options.offline)
        invalidate_caches()
        if wanted.has_unread:  # or no one would know that it is there
            _note_satisfied(workspace, wanted)


def is_satisfied(workspace: Workspace, wanted: "Wanted") -> bool:
    """Whether the environment that runs ALO has all of it; an unchanged one is not looked at.

    What is behind a URL counts as there only where it has been installed here.
    """
    try:
        if ordinary_bytes(_note_of_satisfied(workspace)).decode() == _environment_key(wanted):
            return True
    except (OSError, UnicodeDecodeError):
        pass
    from alo.sources.packages.installed import missing

    if wanted.has_unread or missing(wanted.requirements, sys.path, wanted.limits):
        return False
    _note_satisfied(workspace, wanted)
    return True


def _note_of_satisfied(workspace: Workspace) -> Path:
    return workspace.internal / "satisfied"


def _note_satisfied(workspace: Workspace, wanted: "Wanted") -> None:
    key = _environment_key(wanted).encode()
    with suppress(OSError):  # it is looked up again then
        workspace.internal.mkdir(exist_ok=True)
        write_whole(_note_of_satisfied(workspace), key, durable=False)


def _environment_key(wanted: "Wanted") -> str:
    """Changes whenever a package is installed or removed, or something else is required.

    The time of a folder alone is not enough: all folders of some images have the same.
    """
    from alo.sources.packages.identity import identity
    from alo.sources.packages.installed import fingerprint

    here = [sys.version, *fingerprint(sys.path)]
    return checksum_of("\n".join([*identity(wanted), *here]).encode("utf-8", "surrogateescape"))


def _python_for(
    workspace: Workspace,
    name: str,
    wanted: "Wanted",
    options: Setup,
    listener: Listener,
    lock: "Lock | None",
) -> str:
    from alo.sources.packages.environments import environment_id, find_environment, make_environment

    exact, report = lock.exact(name, wanted) if lock else wanted, _reporter(listener)
    return find_environment(workspace, environment_id(exact), report) or make_environment(
        workspace, exact, report, offline=options.offline
    )


def _read_lock(jobs: Sequence[Job], options: Setup) -> "Lock | None":
    if not options.locked:
        return None
    from alo.sources.packages.lockfile import lock_path, read_lock

    refuse_changing(jobs[0].plan)
    return read_lock(lock_path(jobs[0].plan.path))


def _refuse_differences(jobs: Sequence[Job], lock: "Lock") -> None:
    """The lock file is of the whole plan, whichever of its pipelines runs now."""
    from alo.sources.packages.lockfile import lock_differences, lock_path

    plan = jobs[0].plan
    whole = [jobs[0]._replace(pipeline=pipeline) for pipeline in plan.pipelines]
    if listed := lock_differences(lock, locked_environments(whole), sources_of(whole)):
        raise InstallError(
            "the plan is not the one that was locked:\n"
            + "\n".join(f"  {each}" for each in listed),
            where=str(lock_path(plan.path)),
            fix="alo lock makes the file anew; without --locked the plan runs as it is",
        )


def locked_environments(jobs: Sequence[Job]) -> "dict[str, Wanted]":
    """The environments of a plan by the names that the lock file has for them."""
    from alo.engine.checks.requirements import environments_of
    from alo.sources.packages.lockfile import PROJECT

    wanted = environments_of(jobs)
    own = {f"isolated:{step}": each for step, each in wanted.isolated.items()}
    return {PROJECT: wanted.project, **own}


def sources_of(jobs: Sequence[Job]) -> list[Checkout]:
    """Where the code of a plan is to come from."""
    return wanted_checkouts(
        jobs[0].workspace, [step for job in jobs for step in job.pipeline.steps]
    )


def refuse_changing(plan: Plan) -> None:
    """A lock file has one commit for each step.

    Raises:
        InstallError: the pipelines of the plan have other code for one step.
    """
    for name in changing_steps(plan.pipelines):
        raise InstallError(
            f"step '{name}' has other code in each pipeline, and a lock file one commit for it",
            where=plan.file,
            fix="give the step the same code, branch and path in both, or another name in one",
        )
