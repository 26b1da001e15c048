"""A few workers behind one queue in memory: requests in, results out, in the order they came."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from alo.events.log_lines import info, warning
from alo.events.types import Listener
from alo.workers.direct import DirectRun
from alo.workers.driver import Driver
from alo.workers.handle import BOOT_S, Worker
from alo.workers.pace import Pace
from alo.workers.protocol import ASSET_RUN, Failure, Request, Saw
from alo.workers.ticket import Result, Ticket, TicketAnswer, do_nothing, notify

if TYPE_CHECKING:
    import asyncio

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

    @property
    def wants_sample(self) -> bool:
        """Whether the next request that goes well is to be kept, which takes a moment."""

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
        saw: called for each request that was run.
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
        self._waiting: deque[Ticket] = deque()
        self._free: list[Worker] = []  # they are warm, and have no request
        self._direct: dict[Worker, DirectRun] = {}  # their requests are run in an event loop
        self._left: dict[Worker, Callable[[], bool]] = {}  # what a loop has left to their threads
        self._changed = threading.Condition()  # any of these
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
        return len(self._waiting)

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
        worker: Worker | None = None
        with self._changed:
            if ticket.loop is not None and self._free and not self._waiting:
                worker = self._free.pop()
                run = self._direct[worker] = self._direct_run(worker, ticket, ticket.loop)
            else:
                self._waiting.append(ticket)
                if self._free:
                    self._changed.notify_all()
        if worker is not None:
            run.advance()
        elif self._ended.is_set():
            self._dismiss(ENDING)

    def end_soon(self) -> None:
        """Take no more requests, and answer those that wait: only those in hand are finished."""
        self._ended.set()
        self._dismiss(ENDING)
        with self._changed:
            self._changed.notify_all()

    def stop(self) -> None:
        """Finish the requests in hand, and end the workers."""
        self.end_soon()
        for run in list(self._direct.values()):  # no loop is there any more to continue them
            run.leave()
        for thread in self._threads:
            thread.join()
        self._models.stop()
        at_once([worker.stop for worker in self._workers])

    def _serve(self, worker: Worker) -> None:
        """One worker, for as long as the service runs; whatever goes wrong costs one request."""
        while not self._ended.is_set():
            try:
                is_well = self._is_warm(worker)
                while is_well and (work := self._next_work(worker)):
                    is_well = work()
            except Exception as error:  # the last net: this thread serves all later requests too
                self._listener(warning(f"a worker continues after a fault: {error!r}"))
                self._ended.wait(RESTART_PAUSE_S)

    def _next_work(self, worker: Worker) -> Callable[[], bool] | None:
        """What a worker's thread is to do; it returns whether the worker is well.

        None if there is nothing for a moment, if someone has to look at the worker, or if the
        service ends.
        """
        end = time.monotonic() + LOOK_S
        with self._changed:
            self._free.append(worker)
            while True:
                if worker in self._left:
                    return self._left.pop(worker)
                is_free = worker in self._free
                if is_free and self._waiting and not self._ended.is_set():
                    self._free.remove(worker)
                    return partial(self._answer, worker, self._waiting.popleft())
                if is_free and (self._ended.is_set() or time.monotonic() >= end):
                    self._free.remove(worker)
                    return None
                if not is_free and worker not in self._direct:  # its last request has failed
                    return None
                self._changed.wait(max(0.01, end - time.monotonic()) if is_free else LOOK_S)

    def _answer(self, worker: Worker, ticket: Ticket) -> bool:
        """Have a request run in this thread; whether it was answered with a result."""
        notify("a request", ticket.started, self._listener)
        answer = self._answer_to(ticket)
        self._take_steps(answer, partial(Driver(worker, answer, self._limit_s).run, ticket.request))
        self._report(worker, ticket, answer.result)
        self._release(ticket, answer.result)
        return answer.result.failure is None  # else someone has to look why

    def _answer_to(self, ticket: Ticket) -> TicketAnswer:
        return TicketAnswer(ticket, self._most_output, self._listener)

    def _take_steps(self, answer: TicketAnswer, run: Callable[[], object]) -> None:
        try:
            run()
        except Exception as error:  # of a worker that cannot even be started again
            self._listener(warning(f"a request could not be served: {error}"))
            time.sleep(RESTART_PAUSE_S)
            answer.fail(Failure(*ASSET_RUN, str(error), kind="died"))

    def _report(self, worker: Worker, ticket: Ticket, result: Result) -> None:
        notify("a result", partial(ticket.done, result), self._listener)
        saw = partial(self._saw, worker.model_id, result.summary, result.failure)
        notify("what alarms watch", saw, self._listener)

    def _release(self, ticket: Ticket, result: Result) -> None:
        """The data of a request is not needed any more, unless it is to be asked again some day."""
        if result.summary is not None:
            keep = partial(self._models.went_well, takes_data=True)
            notify("a sample", partial(keep, ticket.request, result.summary), self._listener)
        notify("a request's folder", ticket.released, self._listener)

    def _direct_run(
        self, worker: Worker, ticket: Ticket, loop: asyncio.AbstractEventLoop
    ) -> DirectRun:
        notify("a request", ticket.started, self._listener)
        answer, pace = self._answer_to(ticket), Pace(may_wait=False)
        steps = Driver(worker, answer, self._limit_s).steps(ticket.request, 0, pace)
        return DirectRun(
            worker,
            loop,
            steps,
            pace,
            self._limit_s,
            partial(self._direct_ended, worker, ticket, answer),
            partial(self._leave, worker, partial(self._finish, worker, ticket, answer)),
        )

    def _direct_ended(self, worker: Worker, ticket: Ticket, answer: TicketAnswer) -> None:
        """A loop has run a request to its end: its worker is free for the next."""
        self._report(worker, ticket, answer.result)
        if self._models.wants_sample:
            self._leave(worker, partial(self._finish, worker, ticket, answer, is_reported=True))
            return
        notify("a request's folder", ticket.released, self._listener)
        run: DirectRun | None = None
        with self._changed:
            del self._direct[worker]
            waits = self._waiting[0] if self._waiting and not self._ended.is_set() else None
            if answer.result.failure is None and waits is not None and waits.loop is not None:
                run = self._direct[worker] = self._direct_run(worker, waits, waits.loop)
                self._waiting.popleft()
            else:
                if answer.result.failure is None:
                    self._free.append(worker)
                if waits is not None or answer.result.failure or self._ended.is_set():
                    self._changed.notify_all()
        if run is not None:
            run.advance()

    def _leave(self, worker: Worker, work: Callable[[], bool]) -> None:
        """Leave something to a worker's thread that would hold up a loop."""
        with self._changed:
            self._left[worker] = work
            self._changed.notify_all()

    def _finish(
        self, worker: Worker, ticket: Ticket, answer: TicketAnswer, *, is_reported: bool = False
    ) -> bool:
        """Finish in a worker's thread what a loop has begun."""
        try:
            if not is_reported:
                self._take_steps(answer, self._direct[worker].finish)
                self._report(worker, ticket, answer.result)
            self._release(ticket, answer.result)
        finally:
            with self._changed:
                del self._direct[worker]
        return answer.result.failure is None

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
        with self._changed:
            gone = [ticket for ticket in self._waiting if not ticket.is_stored]
            stored = [ticket for ticket in self._waiting if ticket.is_stored]
            self._waiting.clear()
            self._waiting.extend([] if self._ended.is_set() else stored)
        for ticket in gone:
            failure = Failure(*ASSET_RUN, reason, kind="away")
            result = Result(ticket.request.id, None, (), failure, 0.0)
            notify("a result", partial(ticket.done, result), self._listener)
            notify("a request's folder", ticket.released, self._listener)


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
