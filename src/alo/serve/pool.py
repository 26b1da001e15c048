"""A few workers behind one queue in memory: requests in, results out, in the order they came."""

from __future__ import annotations

import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from alo.engine.messages import warning
from alo.errors import AloError
from alo.events import Listener
from alo.serve.boot import Service
from alo.serve.changes import Changes
from alo.serve.core import Action, Desk, Done, SendArtifacts, SendFailure, SendSummary, Start
from alo.serve.crew import TimeIsOver, Worker, WorkerDied
from alo.serve.messages import ASSET_RUN, Failure, Request, Summary, write_failure

RESTART_PAUSE_S = 1.0  # before a worker that could not be replaced is tried again


class Result(NamedTuple):
    """What came of a request."""

    id: str
    summary: Mapping[str, object] | None  # None if it failed
    outputs: tuple[str, ...]  # file names in the request's folder of outputs
    failure: Failure | None
    seconds: float  # from taking it out of the queue

    @property
    def status(self) -> str:
        return "fail" if self.failure else "success"


def _nothing() -> None:
    """Who has no folders has none to give back."""


class Ticket(NamedTuple):
    """A request in the queue."""

    request: Request
    outputs: Path  # a folder that does not exist yet, for its output files
    started: Callable[[], object]
    done: Callable[[Result], object]
    released: Callable[[], object] = _nothing  # its data is not needed any more


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


class Pool:
    """Workers that have the pipeline warm.

    Args:
        size: how many.
        limit_s: seconds that a request may take; None: any.
        most: requests that may wait.
    """

    def __init__(
        self, service: Service, size: int, limit_s: float | None, most: int, listener: Listener
    ) -> None:
        self._limit_s, self._most, self._listener = limit_s, most, listener
        self._workers = [
            Worker(service.job, service.worker_home(n), service.models, service.model_id, listener)
            for n in range(size)
        ]
        self._changes = Changes(service, self._workers, limit_s, listener)
        self._tickets: queue.Queue[Ticket | None] = queue.Queue()
        self._threads: list[threading.Thread] = []
        self._ready = 0

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
        """Whether any worker is warm."""
        return self._ready > 0

    def start(self) -> None:
        """Boot the workers, all at once.

        Raises:
            ServeError: the pipeline cannot be warmed up.
        """
        errors: list[AloError] = []

        def boot(worker: Worker) -> None:
            try:
                worker.start()
                self._changes.booted(worker)
            except AloError as error:
                errors.append(error)

        boots = [threading.Thread(target=boot, args=(worker,)) for worker in self._workers]
        for thread in boots:
            thread.start()
        for thread in boots:
            thread.join()
        if errors:
            self.stop()
            raise errors[0]
        self._changes.start()
        self._ready = len(self._workers)
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
        """
        if not always and self.waiting >= self._most:
            raise Full
        self._tickets.put(ticket)

    def stop(self) -> None:
        """Finish the requests in hand, and end the workers."""
        for _ in self._threads:
            self._tickets.put(None)
        for thread in self._threads:
            thread.join()
        self._changes.stop()
        for worker in self._workers:
            worker.stop()

    def _serve(self, worker: Worker) -> None:
        while (ticket := self._tickets.get()) is not None:
            tell("a request", ticket.started, self._listener)
            result = _Run(worker, ticket, self._limit_s, self._listener).result()
            tell("a result", partial(ticket.done, result), self._listener)
            if result.summary is not None:
                keep = partial(self._changes.went_well, takes_data=True)
                tell("a sample", partial(keep, ticket.request, result.summary), self._listener)
            tell("a request's folder", ticket.released, self._listener)


class _Run:
    """One request on one worker."""

    def __init__(
        self, worker: Worker, ticket: Ticket, limit_s: float | None, listener: Listener
    ) -> None:
        self._worker, self._ticket = worker, ticket
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
            names = self._take_outputs(summary.outputs)
        except OSError as error:
            self._fail(write_failure("the output files", error))
        else:
            self._result = self._made(summary.content, names, None)

    def _take_outputs(self, paths: Sequence[str]) -> tuple[str, ...]:
        """Copy the files: the next request of this worker removes them."""
        folder = self._ticket.outputs
        folder.mkdir(parents=True, exist_ok=True)
        for path in paths:
            shutil.copyfile(path, folder / os.path.basename(path))
        return tuple(os.path.basename(path) for path in paths)

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
