"""A few workers behind one queue in memory: requests in, results out, in the order they came."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from alo.copies import copy_content
from alo.events.log_lines import info, warning
from alo.events.types import Listener
from alo.workers.handle import BOOT_S, TimeIsOver, Worker, WorkerDied
from alo.workers.protocol import ASSET_RUN, NO_ARTIFACTS, Failure, Request, Summary, write_failure
from alo.workers.state_machine import (
    Action,
    Desk,
    Done,
    SendArtifacts,
    SendFailure,
    SendSummary,
    Start,
)

RESTART_PAUSE_S = 1.0  # before a worker that could not be replaced is tried again
LONGEST_PAUSE_S = 10.0  # between such tries
LOOK_S = 1.0  # how often a free worker is looked at
MOST_OUTPUT = 1_000_000_000
ENDING = "the service is ending"


class Result(NamedTuple):
    """What came of a request."""

    id: str
    summary: Mapping[str, object] | None  # None if it failed
    outputs: tuple[str, ...]  # file names in the request's folder of outputs
    failure: Failure | None
    seconds: float  # from taking it out of the queue
    size: int = 0  # bytes of the output files

    @property
    def status(self) -> str:
        return "fail" if self.failure else "success"


def do_nothing() -> None:
    """For who has no one to tell that a request has begun, or no folders to give back."""


class Ticket(NamedTuple):
    """A request in the queue."""

    request: Request
    outputs: Path  # a folder that does not exist yet, for its output files
    started: Callable[[], object]
    done: Callable[[Result], object]
    released: Callable[[], object] = do_nothing  # its data is not needed any more
    is_kept: bool = False  # beyond this service: no client waits for it


def tell(what: str, call: Callable[[], object], listener: Listener) -> None:
    """Tell a door; it may fail to take it, as on a full disk, and requests are served all the same.

    Args:
        what: is told, for the warning.
    """
    try:
        call()
    except Exception as error:
        listener(warning(f"{what} could not be kept: {error}"))


class Full(Exception):
    """As many requests wait as may."""


class NotReady(Exception):
    """No worker is warm, and none can be made so for now; with the reason."""


class Models(Protocol):
    """Which model the workers use, while they serve."""

    def booted(self, worker: Worker) -> None:
        """See that the model of a worker that has started can answer."""

    def start(self) -> None:
        """From now on follow what is chosen; all workers are started."""

    def stop(self) -> None:
        """Follow it no more."""

    def restore(self, worker: Worker) -> None:
        """Make anew what a worker boots from, if it is gone."""

    def went_well(
        self, request: Request, content: Mapping[str, object], *, takes_data: bool
    ) -> None:
        """A request was answered with a summary of this content."""


class Pool:
    """Workers that have the pipeline warm.

    Args:
        workers: not started yet.
        models: which they use.
        limit_s: seconds that a request may take; None: any.
        most: requests that may wait.
        boot_s: seconds until a worker has to be warm.
        most_output: bytes of output that one request may leave.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        models: Models,
        limit_s: float | None,
        most: int,
        listener: Listener,
        boot_s: float = BOOT_S,
        most_output: int = MOST_OUTPUT,
    ) -> None:
        self._most_output = most_output
        self._limit_s, self._most, self._listener = limit_s, most, listener
        self._boot_s = boot_s
        self._workers, self._models = workers, models
        self._tickets: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._ended = threading.Event()
        self._troubles: dict[Worker, Trouble] = {}  # of workers that cannot be booted for now

    @property
    def model_id(self) -> str:
        """The run whose model is in use."""
        return self._workers[0].model_id

    @property
    def waiting(self) -> int:
        """Requests that no worker has taken yet."""
        return self._tickets.qsize()

    @property
    def is_ready(self) -> bool:
        """Whether any worker is warm, and takes requests."""
        return not self._ended.is_set() and any(worker.is_warm for worker in self._workers)

    @property
    def is_drained(self) -> bool:
        """Whether the requests that were in hand when it was to end are answered."""
        return self._ended.is_set() and not any(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        """Boot the workers, all at once.

        Raises:
            ServeError: the pipeline cannot be warmed up.
        """
        errors: list[Exception] = []

        def boot(worker: Worker) -> None:
            try:
                worker.start()
                self._models.booted(worker)
            except Exception as error:
                errors.append(error)

        at_once([partial(boot, worker) for worker in self._workers])
        if errors:
            self.stop()
            raise errors[0]
        self._models.start()
        for worker in self._workers:
            thread = threading.Thread(target=self._serve, args=(worker,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def submit(self, ticket: Ticket, *, always: bool = False) -> None:
        """Queue a request.

        Args:
            always: also where the queue is full: it has been accepted before.
        Raises:
            Full: there is no room in the queue.
            NotReady: no worker could take it, now or soon.
        """
        if not always:
            if self._ended.is_set():
                raise NotReady(ENDING)
            if len(self._troubles) == len(self._workers):
                raise NotReady(next(iter(self._troubles.values())).reason)
            if self.waiting >= self._most:
                raise Full
        self._tickets.put(ticket)
        if self._ended.is_set():
            self._dismiss(ENDING)

    def end_soon(self) -> None:
        """Take no more requests, and answer those that wait: only those in hand are finished."""
        self._ended.set()
        self._dismiss(ENDING)
        for _ in self._threads:
            self._tickets.put(None)

    def stop(self) -> None:
        """Finish the requests in hand, and end the workers."""
        self.end_soon()
        for thread in self._threads:
            thread.join()
        self._models.stop()
        at_once([worker.stop for worker in self._workers])

    def _serve(self, worker: Worker) -> None:
        """One worker, for as long as the service runs; whatever goes wrong costs one request."""
        while not self._ended.is_set():
            try:
                if self._is_warm(worker):
                    while self._answers_next(worker):
                        continue
            except Exception as error:  # the last net: this thread serves all later requests too
                self._listener(warning(f"a worker goes on after a fault: {error!r}"))
                self._ended.wait(RESTART_PAUSE_S)

    def _answers_next(self, worker: Worker) -> bool:
        """Answer a request, if one comes; whether that went well, and no one need look why not."""
        try:
            ticket = self._tickets.get(timeout=LOOK_S)
        except queue.Empty:
            return False
        return ticket is not None and self._answers(worker, ticket)

    def _answers(self, worker: Worker, ticket: Ticket) -> bool:
        tell("a request", ticket.started, self._listener)
        result = _Run(worker, ticket, self._limit_s, self._most_output, self._listener).result()
        tell("a result", partial(ticket.done, result), self._listener)
        if result.summary is not None:
            keep = partial(self._models.went_well, takes_data=True)
            tell("a sample", partial(keep, ticket.request, result.summary), self._listener)
        tell("a request's folder", ticket.released, self._listener)
        return result.failure is None

    def _is_warm(self, worker: Worker) -> bool:
        """See that a worker that is free can take a request; it may have died since the last."""
        if worker.is_warm:
            return True
        try:
            self._models.restore(worker)
            worker.revive()
        except Exception as error:
            self._note_trouble(worker, str(error))
            return False
        if self._troubles.pop(worker, None):
            self._listener(info("a worker is warm again"))
        return True

    def _note_trouble(self, worker: Worker, reason: str) -> None:
        trouble = self._troubles.get(worker) or Trouble(reason, time.monotonic(), 0)
        self._troubles[worker] = trouble._replace(reason=reason, tries=trouble.tries + 1)
        if trouble.tries == 0 or trouble.reason != reason:
            self._listener(warning(f"a worker cannot be started, it is tried again: {reason}"))
        if len(self._troubles) == len(self._workers) and trouble.lasts(self._boot_s):
            self._dismiss(reason)
        self._ended.wait(min(RESTART_PAUSE_S * 2**trouble.tries, LONGEST_PAUSE_S))

    def _dismiss(self, reason: str) -> None:
        """Answer the requests that wait; those that are kept are for a later service."""
        kept: list[Ticket] = []
        with suppress(queue.Empty):
            while True:
                ticket = self._tickets.get_nowait()
                if ticket is not None and ticket.is_kept:
                    kept.append(ticket)
                elif ticket is not None:
                    failure = Failure(*ASSET_RUN, reason, kind="away")
                    result = Result(ticket.request.id, None, (), failure, 0.0)
                    tell("a result", partial(ticket.done, result), self._listener)
                    tell("a request's folder", ticket.released, self._listener)
        for ticket in kept if not self._ended.is_set() else ():
            self._tickets.put(ticket)


class Trouble(NamedTuple):
    """A worker that cannot be booted."""

    reason: str
    since: float  # monotonic
    tries: int

    def lasts(self, seconds: float) -> bool:
        return time.monotonic() > self.since + seconds


def at_once(calls: Sequence[Callable[[], object]]) -> None:
    """Call each in a thread of its own, and wait for all."""
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class _Run:
    """One request on one worker."""

    def __init__(
        self,
        worker: Worker,
        ticket: Ticket,
        limit_s: float | None,
        most_output: int,
        listener: Listener,
    ) -> None:
        self._worker, self._ticket, self._most_output = worker, ticket, most_output
        self._limit_s, self._listener = limit_s, listener
        self._desk = Desk()
        self._result: Result | None = None
        self._began = time.monotonic()

    def result(self) -> Result:
        """What came of it; there always is something."""
        try:
            waiting: Sequence[Action] = self._desk.take(self._ticket.request)
            while waiting:
                waiting = self._carry_out(waiting)
        except Exception as error:  # of a worker that cannot even be started again
            self._listener(warning(f"a request could not be served: {error}"))
            time.sleep(RESTART_PAUSE_S)
            self._fail(Failure(*ASSET_RUN, str(error), kind="died"))
        return self._result or self._made(None, (), Failure(*ASSET_RUN, "no result", kind="died"))

    def _carry_out(self, actions: Sequence[Action]) -> Sequence[Action]:
        for action in actions:
            match action:
                case Start():
                    return self._run(action.request)
                case SendSummary():
                    self._take_result(action.summary)
                case SendArtifacts():
                    self._result = self._result and self._result._replace(
                        seconds=time.monotonic() - self._began
                    )
                case SendFailure():
                    self._fail(action.failure)
                case Done():
                    return ()
        return ()

    def _run(self, request: Request) -> Sequence[Action]:
        try:
            for news in self._worker.run(request, self._limit_s, lambda: None):
                self._carry_out(self._desk.hear(news))
        except WorkerDied as died:
            return self._desk.worker_died(str(died))
        except TimeIsOver as over:
            return self._desk.time_is_over(str(over))
        return ()

    def _take_result(self, summary: Summary) -> None:
        try:
            size = sum(map(os.path.getsize, summary.outputs))
            if size > self._most_output:
                what = f"the output has {size / 1e6:,.1f} MB, more than --max-output allows"
                self._fail(Failure(*NO_ARTIFACTS, what, kind="output"))
                return
            names = self._take_outputs(summary.outputs)
        except OSError as error:
            self._fail(write_failure("the output files", error))
        else:
            self._result = self._made(summary.content, names, None)._replace(size=size)

    def _take_outputs(self, paths: Sequence[str]) -> tuple[str, ...]:
        """Copy the files: the next request of this worker removes them."""
        folder = self._ticket.outputs
        os.makedirs(folder, exist_ok=True)
        names = tuple(map(os.path.basename, paths))
        for path, name in zip(paths, names, strict=True):
            copy_content(path, f"{folder}/{name}")
        return names

    def _fail(self, failure: Failure) -> None:
        if failure.kind not in ("refused", "data"):
            self._listener(warning(f"[{self._ticket.request.id}] {failure.comment}"))
        self._result = self._made(None, (), failure)

    def _made(
        self,
        summary: Mapping[str, object] | None,
        outputs: tuple[str, ...],
        failure: Failure | None,
    ) -> Result:
        seconds = time.monotonic() - self._began
        return Result(self._ticket.request.id, summary, outputs, failure, seconds)
