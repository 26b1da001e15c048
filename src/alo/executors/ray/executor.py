"""Runs on a Ray cluster, with an actor for each slot, or on a cluster of our own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from math import ceil, inf

from alo.data.location import RemoteLocation
from alo.engine.spec import Job
from alo.errors import ExecutorError, UsageError
from alo.executors.depot import Depot
from alo.executors.node.executor import NodesExecutor
from alo.executors.node.link import NodeLink
from alo.executors.node.packages import locked_packages
from alo.executors.ray.address import RAY, address_of
from alo.executors.ray.link import RayLink
from alo.executors.ray.messages import Room
from alo.executors.scratch import scratch_folder
from alo.executors.task import Lost, Task, TaskEvent
from alo.plan.model import Resources, most_of

OPEN_TO_ALL = (
    "the Ray cluster at {} asks for no token: whoever reaches it runs code there, and sees your "
    "data; start its head with RAY_AUTH_MODE=token"
)


class RayExecutor:
    """See ``Executor``.

    Args:
        jobs: by pipeline, as the project's check has found them.
        tasks: how many run at once; None: as many as the cluster has room for.
        depot: where the folders are that tasks name.
        computing: ``ray`` or ``ray://HOST:PORT``.
        transfer: a place in an object store through which folders go.
    Raises:
        UsageError: Ray is not installed, or there is no such cluster.
        ExecutorError: the cluster cannot be used, or has no room.
    """

    def __init__(
        self,
        jobs: Mapping[str, Job],
        tasks: int | None,
        depot: Depot,
        computing: str = RAY,
        transfer: RemoteLocation | None = None,
    ) -> None:
        check_installed(computing)
        address = address_of(computing, os.environ)
        self._asked = most_of(job.pipeline.resources for job in jobs.values())
        project = next(iter(jobs.values())).workspace
        with ExitStack() as ending:
            folder = ending.enter_context(scratch_folder(project))
            cpus = ceil(tasks * (self._asked.cpu or 1)) if tasks else 0
            self._link = RayLink(address, cpus, folder / "stacks")
            ending.callback(self._link.close)
            slots = slots_in(self._link.rooms, self._asked)
            if not slots:
                raise _no_room(self._link.rooms, self._asked)
            slots = min(slots, tasks or slots)
            lock = locked_packages(list(jobs.values()), _unheard)
            self._nodes = NodesExecutor(
                jobs, slots, self._connect, depot, name=RAY, lock=lock, transfer=transfer
            )
            ending.callback(self._nodes.close)
            self._ending = ending.pop_all()
        notes = () if self._link.has_token else (OPEN_TO_ALL.format(address.target),)
        self.warnings = (*notes, *self._nodes.warnings)  # for the user

    def capacity(self) -> int:
        """See ``Executor``."""
        return self._nodes.capacity()

    def submit(self, task: Task) -> str:
        """See ``Executor``."""
        return self._nodes.submit(task)

    def events(self) -> Iterator[tuple[str, TaskEvent]]:
        """See ``Executor``.

        Raises:
            ExecutorError: the cluster is gone.
        """
        for handle, event in self._nodes.events():
            if isinstance(event, Lost) and self._link.problem is not None:
                raise self._link.problem  # there is nowhere to try it again
            yield handle, event

    def cancel(self, handle: str, grace_s: float) -> None:
        """See ``Executor``."""
        self._nodes.cancel(handle, grace_s)

    def close(self) -> None:
        """See ``Executor``."""
        self._ending.close()

    def _connect(self, number: int) -> NodeLink:
        return self._link.open(self._asked)


def check_installed(computing: str) -> None:
    """See that Ray is there, and what ``ray://`` needs.

    Raises:
        UsageError: it is not.
    """
    missing = [name for name in ("ray", "grpc") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"--computing {computing}: {' and '.join(missing)} cannot be imported here",
            fix="pip install 'open-alo[ray]'",
        )


def slots_in(rooms: tuple[Room, ...], asked: Resources) -> int:
    """How many tasks a cluster has room for at once.

    Args:
        asked: by each task.
    """
    return sum(
        int(
            min(
                room.cpu / (asked.cpu or 1),
                room.gpu / asked.gpu if asked.gpu else inf,
                room.memory / asked.memory if asked.memory else inf,
            )
        )
        for room in rooms
    )


def _no_room(rooms: tuple[Room, ...], asked: Resources) -> ExecutorError:
    has = "; ".join(
        f"{room.name} has {room.cpu:g} CPUs, {room.gpu:g} GPUs, {room.memory / 1e9:.1f} GB"
        for room in rooms
    )
    return ExecutorError(
        f"no node of the Ray cluster has room for a task, which asks for {asked.cpu or 1:g} CPUs, "
        f"{asked.gpu:g} GPUs and {asked.memory / 1e9:.1f} GB",
        where=has or "it has no nodes",
        fix="let the steps ask for less (resources:), or start nodes: ray start --address=...",
    )


def _unheard(line: str) -> None:
    """What takes long here is reported where it is done."""
