"""Finds an executor by name: ``local``, ``ray``, an entry point, or ``module:Class``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from inspect import signature
from pathlib import Path

from alo.engine.request import ENVIRONMENTS, NODES, Setup
from alo.engine.spec import Job
from alo.errors import AloError, ExecutorError, UsageError
from alo.executors.depot import Depot
from alo.executors.guard import PatientExecutor
from alo.executors.local import LOCAL, LocalExecutor
from alo.executors.ray.address import RAY, is_ray
from alo.executors.room import tasks_at_once
from alo.executors.task import Executor
from alo.plan.model import most_of
from alo.plan.suggest import did_you_mean

GROUP = "alo.executors"

Maker = Callable[..., Executor]  # of the jobs, the number of tasks, and a depot if it takes one


def make_executor(
    name: str, jobs: Mapping[str, Job], tasks: int | None, depot: Depot | None = None
) -> Executor:
    """The executor of this name.

    Args:
        jobs: by pipeline.
        tasks: how many run at once; None: as many as there is room for.
        depot: where the folders are that tasks name by digests.
    Raises:
        UsageError: there is none of that name.
        ExecutorError: it cannot be made.
    """
    depot = depot or Depot()
    if is_ray(name):
        from alo.executors.ray.executor import RayExecutor

        return RayExecutor(jobs, tasks, depot, name)
    tasks = tasks or tasks_at_once(most_of(job.pipeline.resources for job in jobs.values()))
    if name == LOCAL:
        return LocalExecutor(jobs, tasks, depot)
    make = _maker(name, next(iter(jobs.values())).workspace.home)
    try:
        made = make(jobs, tasks, depot=depot) if _takes_depot(make) else make(jobs, tasks)
    except AloError:
        raise
    except Exception as error:  # of somebody's class
        raise ExecutorError(
            f"the executor {name} cannot be made: {type(error).__name__}: {error}",
            fix="it is called with the jobs, the number of tasks at once and, where it has a "
            "third parameter `depot`, with that",
        ) from error
    return PatientExecutor(made)


def setup_for(computing: str, setup: Setup) -> Setup:
    """How packages are brought into place: on other machines by these, and not here."""
    if is_ray(computing) and setup.environment == ENVIRONMENTS[0]:
        return setup._replace(environment=NODES)
    return setup


def _takes_depot(make: Maker) -> bool:
    try:
        return "depot" in signature(make).parameters
    except (TypeError, ValueError):  # of something in C
        return False


def _maker(name: str, home: Path) -> Maker:
    module, colon, attribute = name.partition(":")
    if colon and module and "/" not in name:
        try:
            with _on_path(home):
                found: Maker = getattr(import_module(module), attribute)
            return found
        except Exception as error:  # whatever is in that module
            kind = "" if isinstance(error, ImportError | AttributeError) else _kind_of(error)
            raise UsageError(
                f"--computing {name}: {kind}{error}", fix="write MODULE:CLASS"
            ) from error
    from importlib.metadata import entry_points

    known = {each.name: each for each in entry_points(group=GROUP)}
    if name not in known:
        raise UsageError(
            f"--computing {name}: there is no such executor; "
            f"{did_you_mean(name, [LOCAL, RAY, *known])}",
            fix="local runs on this machine, ray and ray://HOST:PORT on a Ray cluster; "
            "MODULE:CLASS is one of yours",
        )
    found = known[name].load()
    return found


def _kind_of(error: Exception) -> str:
    return f"{type(error).__name__}: "


@contextmanager
def _on_path(home: Path) -> Iterator[None]:
    """The project's own modules are found, behind all others."""
    sys.path.append(str(home))
    try:
        yield
    finally:
        sys.path.remove(str(home))
