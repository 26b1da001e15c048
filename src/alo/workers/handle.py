"""The handle of a worker: started, given a request, replaced when its process dies."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alo.engine.spec import Job
from alo.errors import ServeError
from alo.events.log_lines import warning
from alo.events.types import Listener
from alo.files import remove_tree
from alo.layout import Workspace
from alo.processes.child import Child
from alo.processes.crash_report import Ending, boot_error, boot_hang_error, crash_error, hang_error
from alo.workers.pace import Pace, Pause
from alo.workers.process import Boot, BootFailed
from alo.workers.progress import noted_step
from alo.workers.protocol import (
    Booted,
    Failure,
    Finished,
    Message,
    Released,
    Request,
    Summary,
)

POLL_S = 1.0
WORKSPACE, PROGRESS = "workspace", "progress"  # in its home
STOP_S = 3.0  # for a worker that is free
BOOT_S = 60.0  # for a pipeline to be warm
SENDS = 3  # of a request to processes that have died before they had it
RESTART_PAUSES_S = (0.1, 0.5, 1.0, 3.0)  # a crowded machine may need a moment


class WorkerDiedError(Exception):
    """The process is gone in the middle of a request; a new one is there."""


class RequestTimeoutError(Exception):
    """The request took too long; its worker was ended, and a new one is there."""


class Worker:
    """One process that has the pipeline warm.

    Args:
        job: of the inference pipeline; its workspace is the project's.
        home: a folder for what is the worker's own.
        models: the folder of the models to use.
        model_id: the run that made them.
        boot_s: seconds until it has to be warm.
    """

    def __init__(
        self,
        job: Job,
        home: Path,
        models: Path,
        model_id: str,
        listener: Listener,
        boot_s: float = BOOT_S,
    ) -> None:
        self._job, self.home, self._models, self._listener = job, home, models, listener
        self._child: Child | None = None
        self._is_booted = False
        self.model_id, self._boot_s = model_id, boot_s
        self._needed = _needed_in(home)
        self._lock = threading.Lock()  # held while a request runs

    @property
    def is_warm(self) -> bool:
        """Whether its process lives and has its folder; for any thread."""
        child = self._child
        is_alive = self._is_booted and child is not None and child.is_alive
        return is_alive and all(map(os.path.isdir, self._needed))

    def use(self, models: Path, model_id: str) -> None:
        """Boot with these models the next time."""
        self._models, self.model_id = models, model_id

    def revive(self) -> None:
        """Boot it anew where it is not warm; no request runs meanwhile.

        Raises:
            ServeError: the pipeline cannot be warmed up.
        """
        with self._lock:
            if not self.is_warm:
                self._discard()
                self.start()

    def start(self) -> None:
        """Boot it.

        Raises:
            ServeError: the pipeline cannot be warmed up.
        """
        try:
            self._start()
        except OSError as error:  # no room, or no more processes
            self._discard()
            raise ServeError(
                f"a worker cannot be started: {error}", where=str(self.home)
            ) from error

    def _start(self) -> None:
        deadline = time.monotonic() + self._boot_s
        self.home.mkdir(parents=True, exist_ok=True)
        stacks = self.home / "stacks"
        self._child = child = Child("alo.workers.process", sys.executable, stacks, self._listener)
        child.send(
            Boot(
                self._job,
                self.home / WORKSPACE,
                self._models,
                self.model_id,
                stacks,
                self.home / PROGRESS,
                tuple(sys.path),
            )
        )
        while True:
            messages, ending = self._poll(child, deadline)
            for message in messages:
                if isinstance(message, Booted):
                    self._is_booted = True
                    return
                if isinstance(message, BootFailed):
                    self.stop()
                    raise ServeError(message.what, user_traceback=message.traceback)
            if ending is not None:
                raise boot_error(self._job.code.assets.parent, ending)
            if time.monotonic() > deadline:
                child.show_stacks()
                child.end()
                _, ending = self._reap()
                raise boot_hang_error(self._job.code.assets.parent, ending, self._boot_s)

    @property
    def watched(self) -> int:
        """A descriptor that can be read when ``run`` can continue; -1: there is none."""
        return -1 if self._child is None else self._child.watched

    def run(
        self, request: Request, limit_s: float | None, meanwhile: Callable[[], object]
    ) -> Iterator[Message]:
        """Have a request run; its last message is ``Finished`` or a ``Failure``.

        Args:
            limit_s: seconds after which it is ended; None: none.
            meanwhile: called after messages that came together, and every second.
        Raises:
            WorkerDiedError: with what is known of how.
            RequestTimeoutError: with where it was.
        """
        for message in self.steps(request, limit_s, meanwhile, Pace()):
            if not isinstance(message, Pause):  # there is none at this pace
                yield message

    def steps(
        self,
        request: Request,
        limit_s: float | None,
        meanwhile: Callable[[], object],
        pace: Pace,
    ) -> Iterator[Message | Pause]:
        """As ``run``, and with a ``Pause`` wherever it would wait and may not.

        Another thread may take the next step after each.
        """
        if not self._lock.acquire(blocking=pace.may_wait):
            yield Pause.LONG
            self._lock.acquire()
        try:
            with self._discarded_on_fault():
                most_s = math.inf if limit_s is None else limit_s
                child: Child | None = None
                sends, is_awaited = 0, False
                while True:
                    if child is None:
                        if not pace.may_wait and (self.watched < 0 or not self.is_warm):
                            yield Pause.LONG
                        child = self._warm_child() if pace.may_wait else self._child
                        assert child is not None  # noqa: S101 - it is warm
                        deadline = time.monotonic() + most_s
                        child.send(request)
                        sends += 1
                        if not pace.may_wait:
                            yield Pause.WORKER
                    if pace.may_wait:
                        messages, ending = self._poll(child, deadline)
                    else:
                        found, ending = child.read_now(), None
                        if not found:
                            is_late = time.monotonic() >= deadline
                            yield Pause.LONG if found is None or is_late else Pause.WORKER
                            continue
                        messages = found
                    for message in messages:
                        if isinstance(message, Message):
                            yield message
                        if isinstance(message, Summary):
                            is_awaited = request.takes_outputs and message.contents is None
                        if isinstance(message, Finished | Failure):
                            if ending is None and is_awaited:  # the output files have been taken
                                child.send(Released())
                            return
                    if ending is not None:
                        self._replace_dead(ending, is_last=sends == SENDS)
                        child = None  # it was gone before it had the request
                    elif time.monotonic() >= deadline and pace.may_wait:
                        raise self._timed_out(child, most_s)
                    else:
                        meanwhile()
        finally:
            self._lock.release()

    def check(self, sample: Request, limit_s: float | None, *, may_be_gone: bool) -> None:
        """See that a request can be answered.

        Args:
            may_be_gone: its data need not be there any more; then nothing can be said.
        Raises:
            ServeError: it cannot.
        """
        try:
            for message in self.run(sample, limit_s, lambda: None):
                if isinstance(message, Failure) and not (may_be_gone and message.kind == "data"):
                    raise ServeError(f"the check failed: {message.comment}")
        except (WorkerDiedError, RequestTimeoutError) as error:
            raise ServeError(f"the check failed: {error}") from error

    def replace_with(self, other: Worker) -> None:
        """Take another worker's process and model as soon as no request runs; ours ends."""
        with self._lock:
            ours = self._in(self.home, self._models, self.model_id)
            ours._child, self._child = self._child, other._child
            self._is_booted = other._is_booted
            self.home, self._models, self.model_id = other.home, other._models, other.model_id
            self._needed = other._needed
        ours.stop()

    def sibling(self, models: Path, model_id: str) -> Worker:
        """A new worker of the same pipeline, with other models; not started yet."""
        home = self.home.with_name(f"{self.home.name.partition('.')[0]}.{os.urandom(3).hex()}")
        return self._in(home, models, model_id)

    def _in(self, home: Path, models: Path, model_id: str) -> Worker:
        return Worker(self._job, home, models, model_id, self._listener, self._boot_s)

    @contextmanager
    def _discarded_on_fault(self) -> Iterator[None]:
        try:
            yield
        except (WorkerDiedError, RequestTimeoutError):
            raise
        except BaseException:
            # Whoever asked has gone: what is still to come must not answer the next request.
            self._discard()
            raise

    def _warm_child(self) -> Child:
        if not self.is_warm:  # it has died while it was free, which is not the request's fault
            self._discard()
            self._start_again()
        assert self._child is not None  # noqa: S101 - start() has made it
        return self._child

    def _poll(self, child: Child, deadline: float) -> tuple[list[object], Ending | None]:
        """What it has sent, and how it ended, if it has."""
        messages, ended = child.poll(max(0.0, min(POLL_S, deadline - time.monotonic())))
        if not ended:
            return messages, None
        last, ending = self._reap()
        return messages + last, ending

    def _replace_dead(self, ending: Ending, *, is_last: bool) -> None:
        """Start it again where its process has died.

        Args:
            is_last: whether a request that it did not have yet is not sent again either.
        Raises:
            WorkerDiedError: it had the request in hand.
        """
        step = noted_step(self.home / PROGRESS)
        self._start_again()
        if step is not None or is_last:
            raise WorkerDiedError(
                str(crash_error(step or "", self._job.code.assets.parent, ending))
            )

    def _timed_out(self, child: Child, limit_s: float) -> RequestTimeoutError:
        child.show_stacks()
        child.end()
        _, ending = self._reap()
        self._start_again()
        return RequestTimeoutError(
            str(hang_error("", self._job.code.assets.parent, ending, limit_s))
        )

    def _discard(self) -> None:
        if self._child is not None:
            self._child.end()
            self._reap()

    def _start_again(self) -> None:
        for pause in RESTART_PAUSES_S:
            try:
                return self.start()
            except ServeError as error:
                self._listener(warning(f"{error.what}; starting it again in {pause:g} s"))
                time.sleep(pause)
        return self.start()

    def stop(self) -> None:
        """End it; its folder goes too."""
        if self._child is not None:
            self._child.hang_up()
            end = time.monotonic() + STOP_S
            while not self._child.poll(0.05)[1] and time.monotonic() < end:
                continue
            self._child.end()
            self._reap()
        remove_tree(self.home)

    def _reap(self) -> tuple[list[object], Ending]:
        child, self._child, self._is_booted = self._child, None, False
        assert child is not None  # noqa: S101 - callers have looked
        try:
            return child.wait()
        finally:
            child.close()


def _needed_in(home: Path) -> tuple[str, str]:
    """The folders that no request makes anew; each request is begun with a look at them."""
    workspace = Workspace(home / WORKSPACE)
    return str(workspace.models), str(workspace.assets)
