"""The process of a node's slot, with the project, the jobs and the Python that a task asks for."""

from __future__ import annotations

import hashlib
import pickle
import selectors
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from alo.executors.node.order import Order
from alo.executors.node.packages import pythons_of
from alo.executors.node.rebase import rebased, with_pythons
from alo.executors.node.store import NodeStore
from alo.executors.slot import Slot
from alo.executors.slot_process import Given
from alo.executors.task import TRIAL, TaskEvent
from alo.files import discard
from alo.layout import Workspace, slug

KEPT, SLOT, OUTPUT = "kept", "slot", "output"  # in the slot's folder
PACKAGES = "packages"  # in the store's folder


class Work:
    """A warm process, for as long as tasks ask for the same.

    Args:
        folder: of the slot.
        node: the name of the machine.
        note: takes a line for what takes long; raises to end it.
    Raises:
        InstallError: a package cannot be installed.
        ExecutorError: the process cannot be started.
    """

    def __init__(
        self, order: Order, store: NodeStore, folder: Path, node: str, note: Callable[[str], object]
    ) -> None:
        self._key, self._store, self._folder = _key_of(order), store, folder
        for name in (KEPT, SLOT):
            discard(folder / name)
        self.kept = Workspace(folder / KEPT)  # whose history has the runs, until they are sent
        self.kept.internal.mkdir(parents=True)
        project = self._here(order.project)
        jobs = {
            kind: rebased(
                job, self.kept, self._found(order.sources, kind), self._found(order.models, kind)
            )
            for kind, job in order.jobs.items()
        }
        code = Workspace(project)
        python, own = pythons_of(
            {
                kind: job._replace(workspace=code, code=job.code._replace(assets=code.assets))
                for kind, job in jobs.items()
            },
            order.lock,
            store.root / PACKAGES,
            node,
            note,
        )
        jobs = with_pythons(jobs, own)
        self._slot = Slot(
            jobs,
            folder / SLOT,
            copied=project,
            steps=store.steps(order.project),
            python=python,
            executor=order.executor,
            node=node,
        )

    def does(self, order: Order) -> bool:
        """Whether its process can do this task."""
        return self._key == _key_of(order)

    def give(self, order: Order) -> None:
        """Have the process do a task.

        Raises:
            ExecutorError: it cannot be started.
        """
        task = order.task
        output = None
        if task.kind != TRIAL:
            output = self._folder / OUTPUT
            discard(output)
        given = Given(
            task,
            order.attempts,
            inputs={kind: self._here(each) for kind, each in task.inputs.items()},
            models=self._here(task.model) if task.model else None,
            output=output,
        )
        self._slot.give(slug(task.id), given)

    def poll(self, wait_s: float) -> Iterator[TaskEvent]:
        """What the process has sent, after waiting for it so long at most."""
        if self._slot.watched < 0:
            time.sleep(min(wait_s, 0.02))
        else:
            with selectors.DefaultSelector() as selector:
                selector.register(self._slot.watched, selectors.EVENT_READ)
                selector.select(wait_s)
        yield from self._slot.poll()

    def interrupt(self, grace_s: float) -> None:
        """End the task."""
        self._slot.interrupt(grace_s)

    @property
    def is_idle(self) -> bool:
        """Whether it has no task."""
        return not self._slot.handle

    def close(self) -> None:
        """End the process."""
        self._slot.end()

    def _found(self, digests: Mapping[str, str], kind: str) -> Path | None:
        return self._here(digests[kind]) if kind in digests else None

    def _here(self, digest: str) -> Path:
        folder = self._store.folder(digest)
        assert folder is not None  # noqa: S101 - the node has seen to it
        return folder


def _key_of(order: Order) -> str:
    """The same for tasks that one process can do."""
    same_sources = order.sources, order.models
    asked = order.jobs, order.project, *same_sources, order.lock, order.executor
    return hashlib.sha256(pickle.dumps(asked, pickle.HIGHEST_PROTOCOL)).hexdigest()
