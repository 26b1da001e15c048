"""An executor over nodes: a thread for each slot sends it tasks and follows them.

How nodes are reached is up to who makes it (``NodeLink``): nothing here knows of a cluster, and
nothing is assumed to be on a disk that both have.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

from alo.claims import locked_folder
from alo.data.location import RemoteLocation
from alo.engine.spec import Job
from alo.engine.workspace.unfinished import sweep_copies
from alo.errors import AloError, ExecutorError, passed_on
from alo.executors.depot import Depot
from alo.executors.node.feeding import Bucket, check_node, follow
from alo.executors.node.link import NodeLink
from alo.executors.node.order import Order, SetUp, Unfit
from alo.executors.node.parcel import Parcel
from alo.executors.node.rebase import local_sources
from alo.executors.node.receive import Returns
from alo.executors.node.snapshot import take_snapshot
from alo.executors.task import (
    ERROR,
    INTERRUPTED,
    Chunk,
    Done,
    Lost,
    Result,
    Task,
    TaskEvent,
    handle_of,
    lost_attempt,
)
from alo.files import discard
from alo.history.record import Attempt
from alo.layout import slug
from alo.sources.packages.lockfile import Lock

Connect = Callable[[int], NodeLink]  # of the slot's number; raises where there is none any more
LOOK_S = 0.5
ANSWER_S = 5.0  # that a node has to report the end of a task, past the grace for it
CLOSE_S = 10.0  # for tasks to be ended, and links to be closed in order
MOST_FAILURES = 3  # of the last slot, to find a node that is fit
CONNECTING = "connecting"  # what a slot does, beside the handle of its task
PROJECT, RETURNS = "project", "returns"


class NodesExecutor:
    """See ``Executor``.

    Args:
        jobs: by pipeline, as the project's check has found them.
        slots: how many nodes there are, each of which does one task at a time.
        connect: reaches one; again when it was lost.
        depot: where the folders are that tasks name.
        name: of the executor, in the records of runs.
        lock: the packages of the plan's environments; None: the nodes' Python is used as it is.
        transfer: a place in an object store through which folders go; None: through the links.
    Raises:
        ExecutorError: the project cannot be read, or is too large to be sent.
    """

    def __init__(
        self,
        jobs: Mapping[str, Job],
        slots: int,
        connect: Connect,
        depot: Depot,
        *,
        name: str,
        lock: Lock | None = None,
        transfer: RemoteLocation | None = None,
    ) -> None:
        self._jobs, self._slots, self._connect, self._depot = jobs, slots, connect, depot
        self._name, self._lock = name, lock
        self._transfer, self._bucket = transfer, Bucket(transfer) if transfer else None
        self._project = next(iter(jobs.values())).workspace
        self._tasks: deque[tuple[str, Task]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._events: queue.SimpleQueue[tuple[str, TaskEvent]] = queue.SimpleQueue()
        self._open: set[str] = set()
        self._cancelled: dict[str, tuple[float, float]] = {}  # grace, and when it is given up
        self._attempts: dict[str, tuple[Attempt, ...]] = {}
        self._parcels: dict[str, Parcel] = {}
        self._threads: list[threading.Thread] = []
        self._doing: dict[int, str] = {}  # by the number of a slot
        self._gone: list[Exception] = []  # why slots are gone
        self.warnings: tuple[str, ...] = ()
        self._project.internal.mkdir(exist_ok=True)
        sweep_copies(self._project)
        self._folder, self._claim = locked_folder(self._project.past_code)
        try:
            self._pack()
        except BaseException:
            self.close()
            raise

    def _pack(self) -> None:
        """One state of the project and its local data for all nodes, whatever happens to it."""
        try:
            home = self._folder / PROJECT
            self.warnings = take_snapshot(self._jobs, home)
            self._snapshot = self._add(Parcel.of_folder(home))
            self._data, self._models, self._inputs = {}, {}, {}
            for kind, job in self._jobs.items():
                if found := local_sources(job):
                    self._data[kind] = self._add(Parcel.of_files(found))
                own = self._project.input(kind)
                if job.inputs.sources is None and own.is_dir():
                    self._inputs[kind] = self._add(Parcel.of_folder(own))
                if isinstance(job.inputs.model_source, Path):
                    self._models[kind] = self._add(Parcel.of_folder(job.inputs.model_source))
        except OSError as error:
            raise ExecutorError(
                f"the project cannot be read: {error.strerror or error}",
                where=str(error.filename or self._project.home),
                fix="see that it may be read, and that nothing writes to it",
            ) from error

    def capacity(self) -> int:
        """See ``Executor``."""
        return self._slots

    def submit(self, task: Task) -> str:
        """See ``Executor``."""
        handle = handle_of(task)
        self._open.add(handle)
        with self._changed:
            self._tasks.append((handle, task))
            self._changed.notify_all()
        if len(self._threads) < min(self._slots, len(self._open)):
            self._begin_slot()
        return handle

    def events(self) -> Iterator[tuple[str, TaskEvent]]:
        """See ``Executor``.

        Raises:
            ExecutorError: there is no node any more.
        """
        while self._open:
            for handle in self._not_awaited():
                self._open.discard(handle)
                yield handle, Done(Result(status=INTERRUPTED))
            try:
                handle, event = self._events.get(timeout=LOOK_S)
            except queue.Empty:
                self._refuse_nobody()
                continue
            if handle not in self._open:  # it was given up
                continue
            if isinstance(event, Done | Lost):
                self._open.discard(handle)
            yield handle, event

    def cancel(self, handle: str, grace_s: float) -> None:
        """See ``Executor``. It is given up where its node does not answer in time."""
        self._cancelled[handle] = grace_s, time.monotonic() + grace_s + ANSWER_S

    def close(self) -> None:
        """See ``Executor``. Nodes that may never answer are not waited for."""
        self._is_closed = True
        with self._changed:
            self._changed.notify_all()
        end = time.monotonic() + CLOSE_S
        for number, thread in enumerate(self._threads):
            doing = self._doing.get(number, "")
            is_mute = doing == CONNECTING or (doing in self._cancelled and doing not in self._open)
            thread.join(0.0 if is_mute else max(0.0, end - time.monotonic()))
        discard(self._folder)
        with suppress(OSError):
            os.close(self._claim)

    def _not_awaited(self) -> list[str]:
        """Cancelled tasks that nobody has begun, or whose node does not answer."""
        if not self._cancelled:
            return []
        now = time.monotonic()
        with self._changed:
            waiting = {handle for handle, _ in self._tasks}
            found = [
                handle
                for handle, (_, end) in list(self._cancelled.items())
                if handle in self._open and (handle in waiting or now > end)
            ]
            self._tasks = deque(each for each in self._tasks if each[0] not in found)
        return found

    def _begin_slot(self) -> None:
        number = len(self._threads)
        thread = threading.Thread(
            target=self._serve, args=(number,), name=f"alo-node-{number}", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def _refuse_nobody(self) -> None:
        """See that somebody does what waits."""
        if len(self._gone) < len(self._threads):
            return
        if len(self._threads) < self._slots:
            self._begin_slot()
            return
        why = str(self._gone[-1]) or type(self._gone[-1]).__name__
        fix = "" if "\n  fix: " in why else "see to the cluster, and run it again"
        raise passed_on(ExecutorError, "no node is left: ", why, fix=fix)

    def _serve(self, number: int) -> None:
        """The thread of a slot: has a node do tasks, and another where that is lost or unfit."""
        failures = 0
        while self._has_task():
            try:
                link, node = self._reached(number)
                try:
                    while (found := self._next_task()) is not None:
                        if not self._done_by(number, link, node, *found):
                            break
                        failures = 0
                finally:
                    _closed(link)
            except Exception as error:  # whatever a link raises
                failures += 1
                is_last = len(self._threads) - len(self._gone) == 1
                if isinstance(error, TimeoutError) or not is_last or failures == MOST_FAILURES:
                    self._gone.append(error)
                    return

    def _reached(self, number: int) -> tuple[NodeLink, str]:
        """A node, and its name. No task is held meanwhile: it may be long until there is room."""
        self._doing[number] = CONNECTING
        try:
            link = self._connect(number)
            try:
                return link, check_node(link)
            except BaseException:
                _closed(link)
                raise
        finally:
            del self._doing[number]

    def _done_by(self, number: int, link: NodeLink, node: str, handle: str, task: Task) -> bool:
        """Have a node do a task; whether the node is still there then.

        Raises:
            AloError: this node cannot; the task waits for another.
        """
        began, unfit = time.time(), None
        returns = Returns(task, self._folder / RETURNS / slug(handle), self._project)
        self._doing[number] = handle
        try:
            for event in follow(
                cast("NodeLink", _Asked(link)), self._order(task), self._parcel, returns,
                lambda: self._grace_of(handle), self._bucket,
            ):  # fmt: skip
                if isinstance(event, Unfit):
                    unfit = event.error
                elif isinstance(event, SetUp):
                    self._events.put((handle, Chunk("stderr", f"{node}: {event.text}\n")))
                else:
                    if isinstance(event, Lost):
                        self._note_lost(task, node, began)
                    self._events.put((handle, event))
        except _GivenUp:
            return False
        except _LinkError as error:
            self._note_lost(task, node, began)
            self._events.put((handle, Lost(f"node {node} is gone: {error}")))
            return False
        except (AloError, OSError) as error:
            text = str(error) if isinstance(error, AloError) else f"of this machine: {error}"
            self._events.put((handle, Done(Result(status=ERROR, error=text))))
            return False  # whatever it still does is not followed
        finally:
            del self._doing[number]
        if unfit is not None:
            self._put_back(handle, task)
            raise unfit
        return True

    def _grace_of(self, handle: str) -> float | None:
        """How much time a task has to end; None: as much as it needs.

        Raises:
            _GivenUp: nobody waits for it any more.
        """
        if self._is_closed:
            return 0.0
        if handle not in self._open:
            raise _GivenUp
        return self._cancelled[handle][0] if handle in self._cancelled else None

    def _order(self, task: Task) -> Order:
        inputs = {k: each for k, each in self._inputs.items() if k in task.pipelines}
        return Order(
            task=replace(task, inputs={**inputs, **task.inputs}),
            jobs=self._jobs,
            project=task.project or self._snapshot,
            sources={k: each for k, each in self._data.items() if k not in task.inputs},
            models=self._models,
            attempts=self._attempts.get(task.id, ()),
            executor=self._name,
            lock=self._lock,
            transfer=self._transfer,
        )

    def _add(self, parcel: Parcel) -> str:
        self._parcels[parcel.digest] = parcel
        return parcel.digest

    def _parcel(self, digest: str) -> Parcel:
        return self._parcels.get(digest) or Parcel.of_folder(self._depot.folder(digest))

    def _has_task(self) -> bool:
        """Wait until there is one; False: none will be."""
        with self._changed:
            self._changed.wait_for(lambda: self._tasks or self._is_closed)
            return not self._is_closed

    def _next_task(self) -> tuple[str, Task] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._tasks or self._is_closed)
            return None if self._is_closed else self._tasks.popleft()

    def _put_back(self, handle: str, task: Task) -> None:
        with self._changed:
            self._tasks.appendleft((handle, task))
            self._changed.notify_all()

    def _note_lost(self, task: Task, node: str, began: float) -> None:
        lost = lost_attempt(node, began)
        self._attempts[task.id] = (*self._attempts.get(task.id, ()), lost)


def _closed(link: NodeLink) -> None:
    with suppress(Exception):  # of a node that is gone
        link.close()


class _GivenUp(Exception):  # noqa: N818 - control flow
    """Nobody waits for the end of a task any more."""


class _LinkError(Exception):
    """Whatever a link raises, separated from what goes wrong on this machine."""


class _Asked:
    """A link whose failures are separated from ours."""

    def __init__(self, link: NodeLink) -> None:
        self._link = link

    def __getattr__(self, name: str) -> Callable[..., object]:
        asked = getattr(self._link, name)

        def ask(*given: object) -> object:
            try:
                return asked(*given)
            except Exception as error:
                raise _LinkError(str(error) or type(error).__name__) from error

        return ask
