"""Finds an executor by name: ``local``, ``ray``, an entry point, or ``module:Class``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from inspect import signature
from pathlib import Path

from alo.data.location import Access, RemoteLocation, locate
from alo.engine.records import with_original
from alo.engine.request import ENVIRONMENTS, NODES, RunRequest, Setup, moves_nothing
from alo.engine.spec import Job
from alo.errors import AloError, ExecutorError, UsageError
from alo.executors.depot import Depot
from alo.executors.guard import PatientExecutor
from alo.executors.local import LOCAL, LocalExecutor
from alo.executors.ray.address import RAY, address_of, is_ray
from alo.executors.room import tasks_at_once
from alo.executors.task import Executor
from alo.layout import find_plan
from alo.masking import masked
from alo.plan.load import load_plan
from alo.plan.model import most_of
from alo.plan.suggest import did_you_mean

GROUP = "alo.executors"

Maker = Callable[..., Executor]  # of the jobs, the number of tasks, and what else it takes


def make_executor(
    name: str,
    jobs: Mapping[str, Job],
    tasks: int | None,
    depot: Depot | None = None,
    transfer: RemoteLocation | None = None,
) -> Executor:
    """The executor of this name.

    Args:
        jobs: by pipeline.
        tasks: how many run at once; None: as many as there is room for.
        depot: where the folders are that tasks name by digests.
        transfer: as ``transfer_for`` has found it.
    Raises:
        UsageError: there is none of that name.
        ExecutorError: it cannot be made.
    """
    jobs = {kind: with_original(job) for kind, job in jobs.items()}
    depot = depot or Depot()
    if is_ray(name):
        from alo.executors.ray.executor import RayExecutor

        return RayExecutor(jobs, tasks, depot, name, transfer)
    tasks = tasks or tasks_at_once(most_of(job.pipeline.resources for job in jobs.values()))
    if name == LOCAL:
        return LocalExecutor(jobs, tasks, depot)
    make = _maker(name, next(iter(jobs.values())).workspace.home)
    offered = {"depot": depot, "transfer": transfer}
    more = {key: each for key, each in offered.items() if _takes(make, key)}
    try:
        made = make(jobs, tasks, **more)
    except AloError:
        raise
    except Exception as error:  # of somebody's class
        raise ExecutorError(
            f"the executor {name} cannot be made: {type(error).__name__}: {error}",
            fix="it is called with the jobs, the number of tasks at once and, where it has "
            "parameters `depot` and `transfer`, with those",
        ) from error
    return PatientExecutor(made)


def check_executor(name: str, home: Path) -> None:
    """See that there is an executor of this name, without making it; empty: nobody names one.

    Raises:
        UsageError: there is none, or what it needs is not installed.
    """
    if is_ray(name):
        from alo.executors.ray.executor import check_installed

        check_installed(name)
        address_of(name, os.environ)
    elif name not in ("", LOCAL):
        _maker(name, home)


def setup_for(computing: str, setup: Setup) -> Setup:
    """How packages are brought into place: on other machines by these, and not here."""
    if is_ray(computing) and setup.environment == ENVIRONMENTS[0]:
        return setup._replace(environment=NODES)
    return setup


def with_executor(
    request: RunRequest, computing: str | None, transfer: str | None
) -> tuple[RunRequest, RemoteLocation | None]:
    """A request with its executor named, and the place through which that moves folders.

    Args:
        computing: as typed; None: as the plan says.
        transfer: as typed.
    Raises:
        PlanError: the plan cannot be read.
        UsageError, LocationError: as of ``transfer_for``.
    """
    plan = load_plan(request.config or find_plan(request.home), home=request.home)
    name = computing or plan.control.computing
    request = request._replace(computing=name, setup=setup_for(name, request.setup))
    access = Access(plan.aws_key_profile)
    return request, transfer_for(name, request.home, transfer or "", access)


def transfer_for(computing: str, home: Path, text: str, access: Access) -> RemoteLocation | None:
    """The place in an object store through which an executor moves folders; it can be used.

    Args:
        text: of ``--transfer``; empty: there is none.
    Raises:
        UsageError: the executor moves nothing, or it is no such place.
        LocationError: what is put there cannot be read again.
    """
    if not text:
        return None
    is_local = computing == LOCAL
    if is_local or not (is_ray(computing) or _takes(_maker(computing, home), "transfer")):
        raise moves_nothing(computing)
    place = locate(home, text, access)
    if not isinstance(place, RemoteLocation) or place.is_http:
        raise UsageError(
            f"--transfer {masked(text)}: it is no place in an object store",
            fix="write s3://BUCKET/PREFIX",
        )
    from alo.data.remote.blobs import Blobs

    Blobs(place).check()
    return place


def _takes(make: Maker, name: str) -> bool:
    try:
        return name in signature(make).parameters
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
