"""The driver's side of the process in which Ray lives: calls of actors, and their answers."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout  # another one before Python 3.11
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import cast

from alo.errors import AloError, ExecutorError, UsageError
from alo.events.types import Event, Output
from alo.executors.ray.address import Address
from alo.executors.ray.cluster import cluster_folder
from alo.executors.ray.messages import (
    Answered,
    Call,
    Close,
    Connect,
    Connected,
    Failed,
    Gone,
    Open,
    Refused,
)
from alo.plan.model import Resources
from alo.processes.child import Child
from alolib.disk import fix_of

CONNECT_S = 180.0  # for Ray to start a cluster, or to connect; where no one answers, less
LOOK_S = 0.25
SILENT_S = 90.0  # without an answer, after which a node is lost: Ray misses it after 61 s
CLOSE_S = 5.0  # for a cluster to be left in order
PIECE = 8_000_000


class LostError(ConnectionError):
    """No answer comes any more: the actor, or its node, is gone."""


class SilentError(LostError, TimeoutError):
    """It may be there, and does not answer: for want of room, or since it was paused."""


class RayLink:
    """Ray, in a process of its own.

    Args:
        address: of the cluster; an own one is started and lives as long as this does.
        cpus: of an own cluster; 0: those of this machine.
        stacks: the file for where the process is when it crashes.
    Raises:
        UsageError: there is no such cluster, it does not let us in, or its versions are others.
        ExecutorError: it cannot be used.
    """

    def __init__(self, address: Address, cpus: int, stacks: Path) -> None:
        self.address = address
        self.problem: AloError | None = None  # why nothing can be asked of it any more
        self._tail = ""
        self._numbers, self._slots = itertools.count(), itertools.count()
        self._lock, self._sending = threading.Lock(), threading.Lock()
        self._waiting: dict[int, Future[object]] = {}
        self._is_closing = False
        with ExitStack() as ending:
            try:
                # It is removed here: the process, and all of an own cluster, may be killed.
                folder = ending.enter_context(cluster_folder()) if address.is_own else ""
                self._child = Child(
                    "alo.executors.ray.link_process", sys.executable, stacks, self._on_output
                )
            except OSError as error:
                raise ExecutorError(
                    f"the process for Ray cannot be started: {error}",
                    where=str(error.filename or stacks.parent),
                    fix=fix_of(error, other="see that more processes may be started"),
                ) from error
            try:
                self._child.send(Connect(address, tuple(sys.path), cpus, str(folder)))
                connected = self._connected()
            except BaseException:
                self._end()
                raise
            ending.callback(self._child.end)
            self._ending = ending.pop_all()
        self.rooms, self.has_token = connected.rooms, connected.has_token
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def open(self, resources: Resources) -> RaySlot:
        """A new slot, once it has room."""
        slot = next(self._slots)
        self._send(Open(slot, resources))
        return RaySlot(self, slot)

    def call(self, slot: int, method: str, *args: object, wait_s: float = SILENT_S) -> object:
        """Call a method of a slot's actor, and wait for what it returns.

        Raises:
            LostError: no answer comes.
        """
        answer = self.begin(slot, method, *args)
        try:
            return answer.result(wait_s)
        except FutureTimeout:
            raise SilentError(f"it has not answered for {wait_s:g} s") from None

    def begin(self, slot: int, method: str, *args: object) -> Future[object]:
        """Call a method of a slot's actor; gives what its answer will be in."""
        number, answer = next(self._numbers), Future[object]()
        with self._lock:
            if self.problem is not None:
                raise LostError(self.problem.what)
            self._waiting[number] = answer
        self._send(Call(number, slot, method, args))
        return answer

    def end_slot(self, slot: int) -> None:
        """End a slot's actor."""
        self._send(Close(slot))

    def close(self) -> None:
        """End the process, and a cluster of our own."""
        self._is_closing = True
        with self._ending:  # whose rest is done, too, where somebody is in a hurry: Ctrl-C again
            self._child.hang_up()
            self._reader.join(CLOSE_S)
        self._reader.join()
        self._fail_all("it was closed")

    def _send(self, message: object) -> None:
        with self._sending:
            self._child.send(message)

    def _connected(self) -> Connected:
        end = time.monotonic() + CONNECT_S
        while True:
            messages, has_ended = self._child.poll(LOOK_S)
            for message in messages:
                if isinstance(message, Connected):
                    return message
                if isinstance(message, Refused):
                    kind = UsageError if message.is_usage else ExecutorError
                    raise kind(message.what, where=message.where, fix=message.fix)
            if has_ended or time.monotonic() > end:
                raise self._no_process(
                    "has ended" if has_ended else f"did not connect within {CONNECT_S:g} s"
                )

    def _no_process(self, what: str) -> ExecutorError:
        said = self._tail.strip().splitlines()[-3:]
        return ExecutorError(
            f"the process for Ray {what}{': ' if said else ''}{' '.join(said)}",
            where=self.address.named_by,
            fix="see that the cluster runs (ray status), and try again",
        )

    def _read(self) -> None:
        """In a thread: take what comes, until the process has ended."""
        has_ended = False
        while not has_ended:
            messages, has_ended = self._child.poll(None)
            for message in messages:
                if isinstance(message, Answered):
                    self._answer_of(message.number).set_result(message.value)
                elif isinstance(message, Failed):
                    lost = message.error or LostError(message.reason)
                    self._answer_of(message.number).set_exception(lost)
                elif isinstance(message, Gone):
                    self._gone(
                        ExecutorError(
                            f"the Ray cluster is gone: {message.reason}",
                            where=self.address.named_by,
                            fix="what has ended is in history; begin again when there is a cluster",
                        )
                    )
        if not self._is_closing:
            self._gone(self._no_process("has ended"))
        self._child.wait()
        with self._sending:
            self._child.close()

    def _answer_of(self, number: int) -> Future[object]:
        with self._lock:
            return self._waiting.pop(number, None) or Future()

    def _gone(self, problem: AloError) -> None:
        with self._lock:
            self.problem = self.problem or problem
        self._fail_all(problem.what)

    def _fail_all(self, reason: str) -> None:
        with self._lock:
            left, self._waiting = self._waiting, {}
        for answer in left.values():
            answer.set_exception(LostError(reason))

    def _end(self) -> None:
        self._child.hang_up()
        self._child.end()
        self._child.wait()
        self._child.close()

    def _on_output(self, event: Event) -> None:
        """What Ray prints is reported where it is the last that it does."""
        if isinstance(event, Output):
            self._tail = (self._tail + event.text)[-1000:]


class RaySlot:
    """A ``NodeLink`` to the actor of a slot."""

    def __init__(self, link: RayLink, slot: int) -> None:
        self._link, self._slot = link, slot

    def hello(self) -> dict[str, str]:
        """See ``NodeLink``; waits until the actor has room."""
        return cast("dict[str, str]", self._link.call(self._slot, "hello"))

    def missing(self, digests: Sequence[str]) -> list[str]:
        """See ``NodeLink``."""
        return cast("list[str]", self._link.call(self._slot, "missing", list(digests)))

    def put(self, digest: str, offset: int, piece: bytes, size: int) -> None:
        """See ``NodeLink``."""
        self._link.call(self._slot, "put", digest, offset, piece, size)

    def start(self, task: bytes) -> None:
        """See ``NodeLink``."""
        self._link.call(self._slot, "start", task)

    def poll(self, max_bytes: int = PIECE, wait_s: float = 0.0) -> list[bytes]:
        """See ``NodeLink``."""
        return cast("list[bytes]", self._link.call(self._slot, "poll", max_bytes, wait_s))

    def cancel(self, grace_s: float) -> None:
        """See ``NodeLink``."""
        self._link.call(self._slot, "cancel", grace_s)

    def close(self) -> None:
        """See ``NodeLink``: the actor is ended in any case."""
        with suppress(LostError):
            self._link.call(self._slot, "close", wait_s=CLOSE_S)
        self._link.end_slot(self._slot)
