"""A few workers behind one queue in memory: requests in, results out, in the order they came."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import NamedTuple, Protocol

from alo.events.log_lines import info, warning
from alo.events.types import Listener
from alo.workers.driver import Driver
from alo.workers.handle import BOOT_S, Worker
from alo.workers.protocol import ASSET_RUN, Failure, Request, Saw
from alo.workers.ticket import Result, Ticket, TicketAnswer, do_nothing, notify

RESTART_PAUSE_S = 1.0  # before a worker that could not be replaced is tried again
LONGEST_PAUSE_S = 10.0  # between such tries
LOOK_S = 1.0  # how often a free worker is looked at
MOST_OUTPUT = 1_000_000_000
ENDING = "the service is ending"


class QueueFullError(Exception):
    """As many requests wait as may."""


class NotReadyError(Exception):
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
        saw: told of each request that was run.
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
        saw: Saw = do_nothing,
    ) -> None:
        self._most_output, self._saw = most_output, saw
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
            QueueFullError: there is no room in the queue.
            NotReadyError: no worker could take it, now or soon.
        """
        if not always:
            if self._ended.is_set():
                raise NotReadyError(ENDING)
            if len(self._troubles) == len(self._workers):
                raise NotReadyError(next(iter(self._troubles.values())).reason)
            if self.waiting >= self._most:
                raise QueueFullError
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
                is_well = self._is_warm(worker)
                while is_well and (ticket := self._next_ticket()):
                    with self._answering(ticket, worker) as answer:
                        Driver(worker, answer, self._limit_s).run(ticket.request)
                    is_well = answer.result.failure is None  # else someone has to look why
            except Exception as error:  # the last net: this thread serves all later requests too
                self._listener(warning(f"a worker continues after a fault: {error!r}"))
                self._ended.wait(RESTART_PAUSE_S)

    def _next_ticket(self) -> Ticket | None:
        """The next request; None if there is none for a moment, or the service ends."""
        try:
            return self._tickets.get(timeout=LOOK_S)
        except queue.Empty:
            return None

    @contextmanager
    def _answering(self, ticket: Ticket, worker: Worker) -> Iterator[TicketAnswer]:
        """A request that is run meanwhile: its front end learns that it begins, and its answer."""
        notify("a request", ticket.started, self._listener)
        answer = TicketAnswer(ticket, self._most_output, self._listener)
        try:
            yield answer
        except Exception as error:  # of a worker that cannot even be started again
            self._listener(warning(f"a request could not be served: {error}"))
            time.sleep(RESTART_PAUSE_S)
            answer.fail(Failure(*ASSET_RUN, str(error), kind="died"))
        result = answer.result
        notify("a result", partial(ticket.done, result), self._listener)
        self._saw(worker.model_id, result.summary, result.failure)
        if result.summary is not None:
            keep = partial(self._models.went_well, takes_data=True)
            notify("a sample", partial(keep, ticket.request, result.summary), self._listener)
        notify("a request's folder", ticket.released, self._listener)

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
        """Answer the requests that wait; those that are stored are for a later service."""
        stored: list[Ticket] = []
        with suppress(queue.Empty):
            while True:
                ticket = self._tickets.get_nowait()
                if ticket is not None and ticket.is_stored:
                    stored.append(ticket)
                elif ticket is not None:
                    failure = Failure(*ASSET_RUN, reason, kind="away")
                    result = Result(ticket.request.id, None, (), failure, 0.0)
                    notify("a result", partial(ticket.done, result), self._listener)
                    notify("a request's folder", ticket.released, self._listener)
        for ticket in stored if not self._ended.is_set() else ():
            self._tickets.put(ticket)


class Trouble(NamedTuple):
    """A worker that cannot be booted."""

    reason: str
    since: float  # monotonic
    tries: int

    def lasts(self, seconds: float) -> bool:
        """Whether it has lasted for so long."""
        return time.monotonic() > self.since + seconds


def at_once(calls: Sequence[Callable[[], object]]) -> None:
    """Call each in a thread of its own, and wait for all."""
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
