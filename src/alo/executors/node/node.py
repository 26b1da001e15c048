"""A node's slot: takes folders and one task at a time, and reports what becomes of it when asked.

The task runs in a process of its own (``executors/slot``), in the environment of the solution. A
thread waits for that process; what it sends is kept until the driver pulls it, and the process is
not listened to while much is waiting. Whoever is not asked anything for ``SILENT_S`` has no driver
any more, and ends its task.
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
from pathlib import Path

from alo.claims import locked_folder
from alo.data.location import LocationError
from alo.data.remote.blobs import Blobs
from alo.errors import AloError, ExecutorError
from alo.executors.node.feeding import folder_blob
from alo.executors.node.link import PIECE, SILENT_S
from alo.executors.node.order import Missing, Order, SetUp
from alo.executors.node.returning import returned
from alo.executors.node.store import NodeStore, node_folder
from alo.executors.node.work import Work
from alo.executors.slot import node_name
from alo.executors.task import ERROR, INTERRUPTED, Done, Result
from alo.files import discard
from alo.masking import masked
from alo.version import __version__

SCRATCH = "scratch"  # in the store's folder: what lasts no longer than a slot
MOST_WAITING = 16_000_000  # bytes that wait for the driver, before the task is not listened to
STEP_S = 0.2
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
        self._root, self._name = root or node_folder(), name or node_name()
        self._store = NodeStore(self._root)
        scratch = self._root / SCRATCH
        scratch.mkdir(exist_ok=True)
        self._folder, self._lock_of_folder = locked_folder(lambda: scratch / os.urandom(6).hex())
        self._silent_s, self._asked = silent_s, time.monotonic()
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._problem = ""  # with a folder that was sent
        self._work: Work | None = None
        self._thread: threading.Thread | None = None
        self._end_reason, self._grace_s = "", GRACE_S

    def hello(self) -> dict[str, str]:
        """Who it is."""
        self._note_asked()
        return {
            "node": self._name,
            "alo": __version__,
            "python": platform.python_version(),
            "system": f"{sys.platform}-{platform.machine()}",
        }

    def missing(self, digests: Sequence[str]) -> list[str]:
        """Which of these folders are to be sent to it."""
        self._note_asked()
        try:
            return [each for each in digests if self._store.missing(each)]
        except AloError as error:
            self._problem = str(error)
            return []

    def put(self, digest: str, offset: int, piece: bytes, size: int) -> None:
        """Take a piece of a folder; once one was refused, the rest is not looked at."""
        self._note_asked()
        if self._problem:
            return
        try:
            self._store.put(digest, offset, piece, size)
        except AloError as error:
            self._problem = str(error)

    def start(self, task: bytes) -> None:
        """Begin a task."""
        self._note_asked()
        self._join()
        self._waiting.clear()
        self._waiting_bytes, self._end_reason = 0, ""
        problem, self._problem = self._problem, ""
        order = pickle.loads(task)  # noqa: S301 - of our driver
        self._thread = threading.Thread(
            target=self._do, args=(order, problem), name="alo-node", daemon=True
        )
        self._thread.start()

    def poll(self, max_bytes: int = PIECE, wait_s: float = 0.0) -> list[bytes]:
        """What the task has sent since."""
        self._note_asked()
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
        self._note_asked()
        return found

    def cancel(self, grace_s: float) -> None:
        """End the task."""
        self._note_asked()
        with self._changed:
            self._grace_s, self._end_reason = grace_s, INTERRUPTED

    def close(self) -> None:
        """End whatever still runs, and remove what was made for it."""
        with self._changed:
            self._grace_s, self._end_reason = 0.0, CLOSED
            self._changed.notify_all()
        self._join()
        if self._work is not None:
            self._work.close()
            self._work = None
        self._store.keep_only(())
        discard(self._folder)
        with suppress(OSError):
            os.close(self._lock_of_folder)

    def _note_asked(self) -> None:
        self._asked = time.monotonic()

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _do(self, order: Order, problem: str) -> None:
        """The thread: one task, from its folders to its last message."""
        try:
            if problem:
                self._tell(Done(Result(status=ERROR, error=problem)))
                return
            self._store.keep_only(order.digests)
            blobs = self._blobs(order)
            if blobs is not None:
                self._fetch(blobs, order.digests)
            absent = [
                each
                for each in order.digests
                if self._store.folder(each, self._refuse_ended) is None
            ]
            if absent:
                self._tell(Missing(tuple(absent)))
                return
            self._run(order, blobs)
        except _Ended:
            self._tell(Done(Result(status=INTERRUPTED)))
        except Exception as error:  # the last net: the driver receives it, whatever it is
            text = str(error) if isinstance(error, AloError) else f"{type(error).__name__}: {error}"
            self._tell(Done(Result(status=ERROR, error=masked(text))))
        finally:
            if self._is_gone and self._work is not None:  # no one will give it another task
                self._work.close()
                self._work = None

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

    def _run(self, order: Order, blobs: Blobs | None) -> None:
        if self._work is not None and not self._work.does(order):
            self._work.close()
            self._work = None
        if self._work is None:
            self._work = Work(order, self._store, self._folder, self._name, self._note)
        work, is_ending = self._work, False
        work.give(order)
        while True:
            if self._is_to_end and not is_ending:
                work.interrupt(self._grace_s)
                is_ending = True
            for event in work.poll(STEP_S):
                if isinstance(event, Done):
                    for message in returned(
                        order,
                        event.result,
                        work.kept,
                        blobs,
                        lambda pieces: _until(self._refuse_gone, pieces),
                    ):
                        if self._is_gone:
                            return
                        self._tell(message)
                    return
                self._tell(event)
            if work.is_idle:
                return

    @property
    def _is_gone(self) -> bool:
        """Whether there is no driver any more."""
        return self._end_reason == CLOSED or time.monotonic() - self._asked > self._silent_s

    @property
    def _is_to_end(self) -> bool:
        return bool(self._end_reason) or self._is_gone

    def _refuse_ended(self) -> None:
        if self._is_to_end:
            raise _Ended

    def _refuse_gone(self) -> None:
        if self._is_gone:
            raise _Ended

    def _note(self, text: str) -> None:
        self._refuse_ended()
        self._tell(SetUp(masked(text)))

    def _tell(self, message: object) -> None:
        """Have it pulled; waits while much is to be pulled, unless nobody pulls any more."""
        content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        with self._changed:
            while self._waiting_bytes > MOST_WAITING and not self._is_gone:
                self._changed.wait(STEP_S)
            self._waiting.append(content)
            self._waiting_bytes += len(content)
            self._changed.notify_all()


def _until(refuse: Callable[[], object], pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        refuse()
        yield piece


class _Ended(Exception):  # noqa: N818 - control flow
    """The task was ended before its process had begun."""
