"""The only driver of the states of a request: has a worker run it, and a front end answer it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from alo.workers.handle import RequestTimeoutError, Worker, WorkerDiedError
from alo.workers.pace import Pace, Pause
from alo.workers.protocol import Failure, Finished, Message, Request, Stage, Summary
from alo.workers.state_machine import (
    Action,
    Report,
    RequestState,
    SendArtifacts,
    SendFailure,
    SendSummary,
    Start,
)


class FrontEnd(Protocol):
    """Who has a request in hand, as its driver sees it: where its answers go.

    Either ``send_artifacts`` or ``send_failure`` is called last; the request is done with it.
    """

    def report(self, stage: str) -> None:
        """Publish the stage that the request has reached."""

    def send_summary(self, summary: Summary) -> None:
        """Send the first answer."""

    def send_artifacts(self, summary: Summary) -> None:
        """Send the last answer."""

    def send_failure(self, action: SendFailure) -> None:
        """Send a failure in place of the answers that were not sent."""

    def count_try(self) -> None:
        """Count that the request is tried once more, as its worker has died."""

    def flush(self) -> None:
        """Send what was held back; called after messages that came together, and every second."""


class Driver:
    """One request on one worker.

    Args:
        limit_s: seconds that the request may take; None: any.
    """

    def __init__(self, worker: Worker, front_end: FrontEnd, limit_s: float | None) -> None:
        self._worker, self._front_end, self._limit_s = worker, front_end, limit_s
        self._state = RequestState()

    def run(self, request: Request, tries: int = 0) -> None:
        """Have the request run until it is answered.

        Args:
            tries: how often it has been begun before, also by others.
        Raises:
            ServeError: its worker has died, and cannot be started again.
        """
        for _ in self.steps(request, tries, Pace()):
            continue  # at this pace there is no pause

    def steps(self, request: Request, tries: int, pace: Pace) -> Iterator[Pause]:
        """As ``run``, with a ``Pause`` wherever it would wait and may not.

        Another thread may take the next step after each.
        """
        action: Action | None = self._state.on_request(request, tries)
        while isinstance(action, Start):
            try:
                flush = self._front_end.flush
                for message in self._worker.steps(request, self._limit_s, flush, pace):
                    if isinstance(message, Pause):
                        yield message
                        continue
                    if not (pace.may_wait or _is_quick(message)):
                        yield Pause.LONG
                    action = self._state.on_message(message)
                    self._perform(action)
                return
            except WorkerDiedError as died:
                action = self._state.on_worker_died(str(died))
                if isinstance(action, Start):
                    self._front_end.count_try()
            except RequestTimeoutError as timeout:
                action = self._state.on_timeout(str(timeout))
        self._perform(action)

    def fail(self, failure: Failure) -> None:
        """Answer it with a failure that is not of its worker."""
        self._perform(self._state.on_failure(failure))

    def _perform(self, action: Action | None) -> None:
        match action:
            case Report():
                self._front_end.report(action.stage)
            case SendSummary():
                self._front_end.send_summary(action.summary)
            case SendArtifacts():
                self._front_end.send_artifacts(action.summary)
            case SendFailure():
                self._front_end.send_failure(action)


def _is_quick(message: Message) -> bool:
    """Whether a front end writes and copies nothing for it."""
    if isinstance(message, Summary):
        return message.contents is not None
    return isinstance(message, Stage | Finished)
