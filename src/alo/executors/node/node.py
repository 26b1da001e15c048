"""A node's slot: takes folders and one task at a time, and reports what becomes of it when asked.

The task runs in a process of its own (``executors/slot``), in the environment of the solution. A
thread waits for that process; what it sends is kept until the driver pulls it, and the process is
not listened to while much is waiting. Whoever is not asked anything for ``SILENT_S`` has no driver
any more, and ends its task: nobody has asked for that end, so that it counts as lost.
"""

from __future__ import annotations

import os
import pickle
import platform
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from alo.data.location import LocationError
from alo.data.remote.blobs import Blobs
from alo.errors import AloError, ExecutorError
from alo.executors.node.link import PIECE, SILENT_S
from alo.executors.node.order import Missing, Order, SetUp, Unfit, folder_blob
from alo.executors.node.returning import returned
from alo.executors.node.store import NodeStore, node_folder
from alo.executors.node.work import Work
from alo.executors.slot import node_name
from alo.executors.task import ERROR, INTERRUPTED, Done, Lost, Result
from alo.files import discard
from alo.masking import masked
from alo.version import __version__
from alolib.disk import reports_full

MOST_WAITING = 16_000_000  # bytes that wait for the driver, before the task is not listened to
STEP_S = 0.2
STRIDE_S = 1.0  # that counts as silence between two looks, at most
CLOSED = "closed"
GRACE_S = 1.0  # that a task has to end when the driver is gone


class Node:
    """What a driver asks; see ``link:NodeLink``. Any thread may call it.

    Args:
        root: of the store; by default ``$ALO_NODE_DIR``.
        name: of the machine, as history has it.
        silent_s: without being asked anything, after which the task is ended.
    """

    def __init__(
        self, root: Path | None = None, name: str = "", silent_s: float = SILENT_S
    ) -> None:
        self._name = name or node_name()
        self._unfit: ExecutorError | None = None  # why it can do no task at all
        try:
            self._store = NodeStore(root or node_folder())
            self._folder, self._lock_of_folder = self._store.scratch()
        except ExecutorError as error:  # raised where it is asked: what made this only ends then
            self._unfit = error
        self._silence, self._silent_s = Silence(), silent_s
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._problem: AloError | None = None  # with a folder that was sent
        self._work: Work | None = None
        self._thread: threading.Thread | None = None
        self._end_reason, self._grace_s = "", GRACE_S

    def hello(self) -> dict[str, str]:
        """Who it is.

        Raises:
            ExecutorError: it has no place for what it is sent.
        """
        self._silence.end()
        if self._unfit is not None:
            raise self._unfit
        return {
            "node": self._name,
            "alo": __version__,
            "python": platform.python_version(),
            "system": f"{sys.platform}-{platform.machine()}",
        }

    def missing(self, digests: Sequence[str]) -> list[str]:
        """Which of these folders are to be sent to it."""
        self._silence.end()
        try:
            return [each for each in digests if self._store.missing(each)]
        except AloError as error:
            self._problem = error
            return []

    def put(self, digest: str, offset: int, piece: bytes, size: int) -> None:
        """Take a piece of a folder; once one was refused, the rest is not looked at."""
        self._silence.end()
        if self._problem is not None:
            return
        try:
            self._store.put(digest, offset, piece, size)
        except AloError as error:
            self._problem = error

    def start(self, task: bytes) -> None:
        """Begin a task."""
        self._silence.end()
        self._join()
        self._waiting.clear()
        self._waiting_bytes, self._end_reason = 0, ""
        problem, self._problem = self._problem, None
        order = pickle.loads(task)  # noqa: S301 - of our driver
        self._thread = threading.Thread(
            target=self._do, args=(order, problem), name="alo-node", daemon=True
        )
        self._thread.start()

    def poll(self, max_bytes: int = PIECE, wait_s: float = 0.0) -> list[bytes]:
        """What the task has sent since."""
        self._silence.end()
        found: list[bytes] = []
        size = 0
        with self._changed:
            if not self._waiting:
                self._changed.wait_for(lambda: self._waiting, wait_s)
            while self._waiting and (not found or size < max_bytes):
                found.append(self._waiting.popleft())
                size += len(found[-1])
            self._waiting_bytes -= size
            self._changed.notify_all()
        self._silence.end()
        return found

    def cancel(self, grace_s: float) -> None:
        """End the task; called again, with less time."""
        self._silence.end()
        with self._changed:
            self._grace_s, self._end_reason = grace_s, INTERRUPTED

    def close(self) -> None:
        """End whatever still runs, and remove what was made for it."""
        if self._unfit is not None:
            return
        with self._changed:
            self._grace_s, self._end_reason = 0.0, CLOSED
            self._changed.notify_all()
        self._join()
        self._end_work()
        self._store.keep_only(())
        discard(self._folder)
        with suppress(OSError):
            os.close(self._lock_of_folder)

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _end_work(self) -> None:
        if self._work is not None:
            self._work.close()
            self._work = None

    def _do(self, order: Order, problem: AloError | None) -> None:
        """The thread: one task, from its folders to its last message."""
        try:
            if problem is not None:
                self._report(Unfit(problem))
            else:
                self._run(order)
        except _Ended:
            self._report(Done(Result(status=INTERRUPTED)))
        except _Abandoned:
            self._end_work()  # what it has of the task is of no use to another try
            self._report(Lost(f"its driver has not asked for the task for {self._silent_s:g} s"))
        except Exception as error:  # the last net: the driver receives it, whatever it is
            self._report(Done(Result(status=ERROR, error=masked(str(_as_ours(error, self._name))))))
        finally:
            if self._is_gone:  # no one will give it another task
                self._end_work()

    def _run(self, order: Order) -> None:
        """Have a process do a task.

        Whatever goes wrong until it has it is this node's, and no fault of the task.
        """
        try:
            blobs = self._blobs(order)
            work = self._prepared(order, blobs)
        except (_Ended, _Abandoned):
            raise
        except Exception as error:  # whatever a node may have
            self._report(Unfit(_as_ours(error, self._name)))
            return
        if work is not None:
            self._follow(work, order, blobs)

    def _prepared(self, order: Order, blobs: Blobs | None) -> Work | None:
        """The process, with the task; None: folders are missing, and the driver receives which."""
        self._store.keep_only(order.digests)
        if blobs is not None:
            self._fetch(blobs, order.digests)
        absent = [
            each for each in order.digests if self._store.folder(each, self._refuse_ended) is None
        ]
        if absent:
            self._report(Missing(tuple(absent)))
            return None
        if self._work is not None and not self._work.does(order):
            self._end_work()
        if self._work is None:
            self._work = Work(order, self._store, self._folder, self._name, self._note)
        self._work.give(order)
        return self._work

    def _blobs(self, order: Order) -> Blobs | None:
        """The bucket through which folders go."""
        if order.transfer is None:
            return None
        try:
            return Blobs(order.transfer)
        except LocationError as error:
            raise ExecutorError(f"node {self._name}: {error.what}", fix=error.fix) from error

    def _fetch(self, blobs: Blobs, digests: Sequence[str]) -> None:
        """Take what is missing from the bucket; what is not there either stays missing."""
        for digest in digests:
            name = folder_blob(digest)
            try:
                if self._store.missing(digest) and (found := blobs.find(name)) is not None:
                    pieces = _until(self._refuse_ended, blobs.pieces(name, found))
                    self._store.fill(digest, pieces, found.size)
            except AloError as error:
                raise ExecutorError(
                    f"node {self._name} cannot take a folder from the bucket: {error.what}",
                    where=f"{blobs.place_of(name)}; {error.where}".removesuffix("; "),
                    fix=f"{error.fix}; if it is damaged there, remove it: it is put there again",
                ) from error

    def _follow(self, work: Work, order: Order, blobs: Blobs | None) -> None:
        """Report what becomes of the task.

        Raises:
            _Abandoned: nobody asks for it any more.
        """
        grace_s: float | None = None  # that it was given last
        is_abandoned = False
        while True:
            is_abandoned = is_abandoned or self._is_silent
            wanted_s = self._grace_s if self._end_reason else GRACE_S if is_abandoned else None
            if wanted_s is not None and (grace_s is None or wanted_s < grace_s):
                work.interrupt(wanted_s)
                grace_s = wanted_s
            for event in work.poll(STEP_S):
                if isinstance(event, Done):
                    result = self._with_node(event.result)
                    if is_abandoned:
                        raise _Abandoned
                    for message in returned(
                        order,
                        result,
                        work.kept,
                        blobs,
                        lambda pieces: _until(self._refuse_gone, pieces),
                    ):
                        self._refuse_gone()
                        self._report(message)
                    return
                self._report(event)
            if work.is_idle:
                return

    def _with_node(self, result: Result) -> Result:
        """Whose disk is full, where it is that."""
        if not reports_full(result.error):
            return result
        return replace(result, error=f"{result.error}\n  node: {self._name}")

    @property
    def _is_silent(self) -> bool:
        return self._silence.look() > self._silent_s

    @property
    def _is_gone(self) -> bool:
        """Whether there is no driver any more."""
        return self._end_reason == CLOSED or self._is_silent

    def _refuse_ended(self) -> None:
        if self._end_reason:
            raise _Ended
        if self._is_silent:
            raise _Abandoned

    def _refuse_gone(self) -> None:
        if self._is_gone:
            raise _Abandoned

    def _note(self, text: str) -> None:
        self._refuse_ended()
        self._report(SetUp(masked(text)))

    def _report(self, message: object) -> None:
        """Have it pulled; waits while much is to be pulled, unless nobody pulls any more."""
        content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        with self._changed:
            while self._waiting_bytes > MOST_WAITING and not self._is_gone:
                self._changed.wait(STEP_S)
            self._waiting.append(content)
            self._waiting_bytes += len(content)
            self._changed.notify_all()


class Silence:
    """For how long nothing was asked, as seen by looks of one thread.

    Its clock advances by looking, and by a stride at most: a process that was paused itself, or was
    busy with other things, does not know whether anybody asked.
    """

    def __init__(self) -> None:
        self._clock = self._asked = 0.0
        self._looked = time.monotonic()

    def end(self) -> None:
        """Something was asked. Any thread may call it."""
        self._asked = self._clock

    def look(self) -> float:
        """Seconds since then."""
        now = time.monotonic()
        self._clock += min(now - self._looked, STRIDE_S)
        self._looked = now
        return self._clock - self._asked


def _until(refuse: Callable[[], object], pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        refuse()
        yield piece


def _as_ours(error: Exception, node: str) -> AloError:
    if isinstance(error, AloError):
        return error
    return ExecutorError(f"the task cannot begin: {type(error).__name__}: {error}", where=node)


class _Ended(Exception):  # noqa: N818 - control flow
    """The task was ended before its process had begun."""


class _Abandoned(Exception):  # noqa: N818 - control flow
    """There is no driver any more, or none that would know what the task has come to."""
