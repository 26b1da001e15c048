"""What has to be there before a run: the code of assets that come from git, and what they require.

Called with the workspace's lock held. Where the environment that runs ALO does not have what is
required, an environment of the project's is made, and the run has to go on in it.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from alo.engine.preflight import Job, is_of_project
from alo.engine.request import Setup
from alo.errors import CheckError, InstallError, Problem
from alo.events import Listener, SettingUp
from alo.files import checksum_of, write_whole
from alo.layout import Workspace
from alo.plan.model import Plan
from alo.sources.checked_out import Checkout
from alo.sources.checkout import (
    Policy,
    bring_sources,
    check_remote,
    current_checkouts,
    needs_checkout,
)
from alo.sources.inspection import inspect_asset
from alo.sources.repositories import changing_steps, git_steps, repositories, wanted_checkouts

if TYPE_CHECKING:  # only plans that require something pay for these
    from alo.sources.lockfile import Lock
    from alo.sources.requirements import Requirement, Wanted

ENVIRONMENT = "ALO_ENVIRONMENT"  # set for a run that goes on in an environment of the project's


class ContinueIn(Exception):
    """The run has to go on in another environment."""

    def __init__(self, python: str, environment: str) -> None:
        super().__init__(f"the run goes on in the environment {environment} of the project")
        self.python, self.environment = python, environment


class Environments(NamedTuple):
    """What the steps of some jobs require."""

    project: "Wanted"
    isolated: "Mapping[str, Wanted]"  # by step
    by_pipeline: "Mapping[str, Sequence[Requirement]]"  # all of them, by name of the pipeline


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
        jobs = [job._replace(commits=commits) for job in jobs]
    wanted, jobs = code_and_environments(jobs, options, listener)
    if lock is not None:
        _refuse_differences(jobs, lock)
    if not (wanted.project or wanted.isolated):
        return list(jobs)
    from alo.sources.package_list import write_package_lists

    write_package_lists(jobs[0].workspace.home, wanted.by_pipeline)
    pythons = {
        step: _python_for(jobs[0].workspace, f"isolated:{step}", each, options, listener, lock)
        for step, each in wanted.isolated.items()
    }
    _go_where_it_is(jobs[0].workspace, wanted.project, options, listener, lock)
    return [job._replace(pythons=pythons) for job in jobs]


def outlook(jobs: Sequence[Job], *, online: bool) -> tuple[Sequence[Problem], Sequence[Problem]]:
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
    wanted = environments_of(jobs)
    return problems, [*later, *_to_install(workspace, plan.file, wanted)]


def _to_install(workspace: Workspace, file: str, wanted: Environments) -> Iterator[Problem]:
    from alo.sources.environments import environment_id, find_environment
    from alo.sources.installed import missing

    for each in (wanted.project, *wanted.isolated.values()):
        if not each or find_environment(workspace, environment_id(each)):
            continue
        if each is wanted.project:
            told = [str(lacking) for lacking in missing(each.requirements, sys.path)]
        else:
            told = [f"{one.text}, for {one.origin}" for one in each.requirements]
        for text in told:
            yield Problem(f"installed by the next run: {text}", file)


def code_and_environments(
    jobs: Sequence[Job], options: Setup, listener: Listener
) -> tuple[Environments, list[Job]]:
    """Have the code of these jobs in its folders, and read what it requires.

    Where the pipelines have other code for one folder, the first one's is there in the end, and
    each job knows the commits that it has to have there when it begins.

    Raises:
        SourceError: code cannot be fetched.
        CheckError: what was fetched is no asset, or requirements are wrong or contradict.
    """
    if not changing_steps([job.pipeline for job in jobs]):
        fetch_code(jobs, options, listener)
        return environments_of(jobs), list(jobs)
    known, parts = [], []
    for job in reversed(jobs):
        fetch_code([job], options, listener)
        found = current_checkouts(job.workspace, job.pipeline.steps)
        known.append(job._replace(commits={each.step: each.commit for each in found}))
        parts.append(environments_of([job]))
    return _together(parts[::-1], jobs[0].plan.file), known[::-1]


def fetch_code(jobs: Sequence[Job], options: Setup, listener: Listener) -> None:
    """Have the code of assets that come from git in their folders."""
    steps = git_steps([step for job in jobs if is_of_project(job) for step in job.pipeline.steps])
    if not steps:
        return
    workspace, plan = jobs[0].workspace, jobs[0].plan
    commits = {step: commit for job in jobs for step, commit in job.commits.items()}
    every = plan.control.get_asset_source == "every" and not options.locked
    policy = Policy(every, options.force, options.offline)
    bring_sources(workspace, steps, policy, lambda text: listener(SettingUp(text)), commits)
    problems = [
        problem
        for step in steps
        for problem in inspect_asset(
            workspace.asset(step.name), step.name, home=workspace.home, installs=True
        )
    ]
    if problems:
        raise CheckError(problems)


def environments_of(jobs: Sequence[Job]) -> Environments:
    """What the steps of these jobs require: together, and those that have their own.

    Raises:
        CheckError: requirements are wrong or contradict each other.
    """
    from alo.sources.requirements import BadRequirements

    parts: list[Environments] = []
    problems: list[Problem] = []
    for job in jobs:
        try:
            parts.append(_read(job))
        except BadRequirements as error:
            problems += error.problems
    if problems:
        raise CheckError(tuple(dict.fromkeys(problems)))
    return _together(parts, jobs[0].plan.file)


def _read(job: Job) -> Environments:
    """What the steps of one pipeline require."""
    from alo.sources.requirements import NOTHING, read_requirements

    steps = job.pipeline.steps
    if not any(step.source.requirements or step.environment for step in steps):
        return Environments(NOTHING, {}, {})
    shared = [step for step in steps if not step.environment]
    project = read_requirements(shared, job.assets, job.plan.file)
    isolated = {
        step.name: read_requirements([step], job.assets, job.plan.file)
        for step in steps
        if step.environment
    }
    order = [step.name for step in steps]
    every = [each for one in (project, *isolated.values()) for each in one.requirements]
    every.sort(key=lambda each: order.index(each.step))
    return Environments(project, isolated, {job.pipeline.name: every})


def _together(parts: Sequence[Environments], plan_file: str) -> Environments:
    """One set of environments for several pipelines."""
    from alo.sources.requirements import all_of

    project = all_of([part.project for part in parts])
    names = dict.fromkeys(step for part in parts for step in part.isolated)
    isolated = {
        step: all_of([part.isolated[step] for part in parts if step in part.isolated])
        for step in names
    }
    _refuse_conflicts([project, *isolated.values()], plan_file)
    lists = {name: each for part in parts for name, each in part.by_pipeline.items()}
    return Environments(project, isolated, lists)


def _refuse_conflicts(environments: "Sequence[Wanted]", plan_file: str) -> None:
    from alo.sources.installed import conflicts

    problems = [
        Problem(
            f"no version of {one.name} satisfies both '{one.text}' of {one.origin} and "
            f"'{other.text}' of {other.origin}: change one, or give one of the steps packages of "
            "its own (environment: isolated, beside the step in user_parameters)",
            plan_file,
        )
        for wanted in environments
        for one, other in conflicts(wanted.requirements)
    ]
    if problems:
        raise CheckError(problems)


def _go_where_it_is(
    workspace: Workspace,
    wanted: "Wanted",
    options: Setup,
    listener: Listener,
    lock: "Lock | None",
) -> None:
    """Go on here where all is here, or has just been installed; else in another environment."""
    from alo.sources.environments import environment_id
    from alo.sources.lockfile import PROJECT

    if not wanted:
        return
    exact = lock.environments[PROJECT].wanted if lock else wanted
    here = os.environ.get(ENVIRONMENT, "")
    if here and here == environment_id(exact):
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
    from alo.sources.installed import missing

    lacking = "\n".join(f"  {each}" for each in missing(wanted.requirements, sys.path))
    return InstallError(
        f"what the plan requires is not installed in this environment:\n{lacking}",
        where=sys.prefix,
        fix="project.install() installs it here; `alo run` uses an environment of the project",
    )


def install_in_current(
    workspace: Workspace, wanted: "Wanted", options: Setup, listener: Listener
) -> None:
    """Install what is missing into the environment that runs ALO."""
    from importlib import invalidate_caches

    from alo.sources.environments import install_here
    from alo.sources.installed import missing

    if lacking := missing(wanted.requirements, sys.path):
        install_here(
            workspace,
            wanted,
            lacking,
            lambda text: listener(SettingUp(text)),
            offline=options.offline,
        )
        invalidate_caches()


def is_satisfied(workspace: Workspace, wanted: "Wanted") -> bool:
    """Whether the environment that runs ALO has all of it; an unchanged one is not looked at."""
    if not wanted:
        return True
    key = _environment_key(wanted)
    note = workspace.internal / "satisfied"
    try:
        if note.read_text() == key:
            return True
    except (OSError, UnicodeDecodeError):
        pass
    from alo.sources.installed import missing

    if missing(wanted.requirements, sys.path):
        return False
    workspace.internal.mkdir(exist_ok=True)
    write_whole(note, key.encode(), durable=False)
    return True


def _environment_key(wanted: "Wanted") -> str:
    """Changes whenever a package is installed or removed, or something else is required."""
    folders = [
        f"{folder} {os.stat(folder).st_mtime_ns}" for folder in sys.path if os.path.isdir(folder)
    ]
    return checksum_of("\n".join([*wanted.lines, *folders]).encode("utf-8", "surrogateescape"))


def _python_for(
    workspace: Workspace,
    name: str,
    wanted: "Wanted",
    options: Setup,
    listener: Listener,
    lock: "Lock | None",
) -> str:
    from alo.sources.environments import environment_id, find_environment, make_environment

    exact = lock.environments[name].wanted if lock else wanted
    return find_environment(workspace, environment_id(exact)) or make_environment(
        workspace, exact, lambda text: listener(SettingUp(text)), offline=options.offline
    )


def _read_lock(jobs: Sequence[Job], options: Setup) -> "Lock | None":
    if not options.locked:
        return None
    from alo.sources.lockfile import lock_path, read_lock

    refuse_changing(jobs[0].plan)
    return read_lock(lock_path(jobs[0].plan.path))


def _refuse_differences(jobs: Sequence[Job], lock: "Lock") -> None:
    """The lock file is of the whole plan, whichever of its pipelines runs now."""
    from alo.sources.lockfile import lock_differences, lock_path

    plan = jobs[0].plan
    whole = [jobs[0]._replace(pipeline=pipeline) for pipeline in plan.pipelines]
    if told := lock_differences(lock, locked_environments(whole), sources_of(whole)):
        raise InstallError(
            "the plan is not the one that was locked:\n" + "\n".join(f"  {each}" for each in told),
            where=str(lock_path(plan.path)),
            fix="alo lock makes the file anew; without --locked the plan runs as it is",
        )


def locked_environments(jobs: Sequence[Job]) -> "dict[str, Wanted]":
    """The environments of a plan by the names that the lock file has for them."""
    from alo.sources.lockfile import PROJECT

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
