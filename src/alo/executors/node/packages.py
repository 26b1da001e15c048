"""Which Python a node does tasks with: its own, or one with what the plan requires.

The driver has found the versions, by the lock file or once for all nodes; a node installs them once
for each lock, and whoever comes meanwhile waits for that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from alo.engine.checks.requirements import environments_of
from alo.engine.setup import locked_environments
from alo.engine.spec import Job
from alo.errors import InstallError
from alo.layout import Workspace
from alo.masking import masked
from alo.sources.packages.environments import (
    environment_id,
    find_environment,
    make_environment,
    resolve,
)
from alo.sources.packages.lockfile import (
    PROJECT,
    Lock,
    LockedEnvironment,
    asked,
    here,
    lock_path,
    read_lock,
)
from alo.sources.packages.requirements import Wanted

Report = Callable[[str], object]


def locked_packages(jobs: Sequence[Job], report: Report) -> Lock | None:
    """The packages of all environments of these jobs, as the lock file has them or as found now.

    Args:
        report: takes a line for what takes long.
    Returns:
        None: the jobs require nothing, or use the Python of the nodes as it is.
    Raises:
        CheckError: requirements are wrong or contradict.
        InstallError: no versions can be found, or the lock file cannot be read.
    """
    wanted = {name: each for name, each in locked_environments(jobs).items() if each}
    if not wanted or jobs[0].execution.uses_node_python:
        return None
    path = lock_path(jobs[0].plan.path)
    if path.is_file():
        known = read_lock(path)
        if all(_is_of(known, name, each) for name, each in wanted.items()):
            return known
    found = {}
    for name, each in wanted.items():
        report(f"finding versions for the environment {name}")
        packages = resolve(jobs[0].workspace, each, report, offline=jobs[0].execution.offline)
        found[name] = LockedEnvironment(asked(each), tuple(map(masked, packages)))
    return Lock(*here(), found, {})


def pythons_of(
    jobs: Mapping[str, Job], lock: Lock | None, root: Path, node: str, report: Report
) -> tuple[str, Mapping[str, str]]:
    """The interpreter for these jobs, and those of steps with environments of their own.

    Args:
        root: of the node's environments.
        node: its name.
    Raises:
        InstallError: something cannot be installed.
    """
    if lock is None:
        return sys.executable, {}
    offline = next(iter(jobs.values())).execution.offline
    root.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(root)
    workspace.internal.mkdir(exist_ok=True)

    def python_for(name: str, wanted: Wanted) -> str:
        exact = lock.exact(name, wanted)
        identity = environment_id(exact)
        try:
            return find_environment(workspace, identity, report) or make_environment(
                workspace, exact, report, offline=offline
            )
        except InstallError as error:
            raise InstallError(
                f"node {node} cannot install the lock of the environment '{name}' "
                f"(packages: {len(exact.requirements)}, id {identity}): {error.what}",
                where="; ".join(filter(None, (node, error.where))),
                fix=f"{error.fix}; or use the Python of the nodes as it is: --env node",
            ) from error

    wanted = environments_of(list(jobs.values()))
    own = {step: python_for(f"isolated:{step}", each) for step, each in wanted.isolated.items()}
    return python_for(PROJECT, wanted.project) if wanted.project else sys.executable, own


def _is_of(lock: Lock, name: str, wanted: Wanted) -> bool:
    """Whether the lock file is of what the plan asks for now, and of machines like this one."""
    known = lock.environments.get(name)
    return (
        known is not None
        and known.requirements == asked(wanted)
        and ((lock.python, lock.system) == here())
    )
