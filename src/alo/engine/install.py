"""Prepare a project for its runs: install what its plan names, and write its lock file."""

from __future__ import annotations

from pathlib import Path

from alo.engine.checks.preflight import check_solution
from alo.engine.request import RunRequest
from alo.engine.setup import (
    ContinueIn,
    fetch_code,
    locked_environments,
    refuse_changing,
    set_up,
)
from alo.engine.spec import Job
from alo.engine.workspace.lock import hold_workspace
from alo.events.types import Listener, SettingUp
from alo.layout import Workspace
from alo.masking import masked
from alo.sources.git.checkout import current_checkouts
from alo.sources.packages.environments import resolve
from alo.sources.packages.lockfile import (
    Lock,
    LockedEnvironment,
    asked,
    here,
    lock_path,
    write_lock,
)


def install(request: RunRequest, listener: Listener) -> str:
    """Bring into place what a run of this request needs; returns where, as the end of a sentence.

    Raises:
        AloError: as ``set_up`` does.
    """
    jobs = _jobs(request)
    with hold_workspace(
        Workspace(request.home), wait=request.wait, listener=listener, what="an installation"
    ):
        try:
            set_up(jobs, request.setup, listener)
        except ContinueIn as found:
            return f", in the environment {found.environment} of the project"
    return ""


def lock(request: RunRequest, listener: Listener) -> tuple[Path, list[str]]:
    """Write the lock file of a plan.

    Returns:
        its path, and a line for each environment and commit in it.
    Raises:
        SourceError: code cannot be fetched.
        CheckError: requirements are wrong or contradict.
        InstallError: no versions can be found.
    """
    jobs = _jobs(request)
    workspace, plan = jobs[0].workspace, jobs[0].plan
    refuse_changing(plan)
    with hold_workspace(workspace, wait=request.wait, listener=listener, what="alo lock"):
        fetch_code(jobs, request.setup, listener)
        environments = {}
        for name, wanted in locked_environments(jobs).items():
            listener(SettingUp(f"finding versions for the environment {name}"))
            packages = resolve(
                workspace,
                wanted,
                lambda text: listener(SettingUp(masked(text))),
                offline=request.setup.offline,
            )
            environments[name] = LockedEnvironment(asked(wanted), tuple(map(masked, packages)))
        steps = [step for job in jobs for step in job.pipeline.steps]
        sources = {each.step: each for each in current_checkouts(workspace, steps)}
        path = lock_path(plan.path)
        write_lock(path, Lock(*here(), environments, sources))
    lines = [f"{name}: {len(each.packages)} packages" for name, each in environments.items()]
    return path, [*lines, *(f"step {step}: {each.commit}" for step, each in sources.items())]


def _jobs(request: RunRequest) -> tuple[Job, ...]:
    """What runs; that its data is not there yet does not matter here."""
    return check_solution(request._replace(setup=request.setup), online=False).jobs
