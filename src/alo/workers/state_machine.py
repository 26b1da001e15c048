"""What to do about a request: events in, one action out; no sockets, no processes.

A request is tried twice: a worker that dies once may have been the victim of something else.
Each request ends with exactly one ``SendArtifacts`` or ``SendFailure``, and nothing comes after it.
"""

from dataclasses import dataclass
from typing import TypeAlias

from alo.workers.protocol import ASSET_RUN, Failure, Finished, Message, Request, Stage, Summary

MOST_TRIES = 2


@dataclass(frozen=True, slots=True)
class Start:
    """Have a worker run the request."""

    request: Request


@dataclass(frozen=True, slots=True)
class Report:
    """Publish the stage that the request has reached."""

    stage: str


@dataclass(frozen=True, slots=True)
class SendSummary:
    """Send the first answer."""

    summary: Summary


@dataclass(frozen=True, slots=True)
class SendArtifacts:
    """Send the last answer."""

    summary: Summary
    exported: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SendFailure:
    """Send the failure in place of each answer that was not sent yet."""

    failure: Failure
    summary_was_sent: bool
    put_aside: bool = False  # store it where someone can look at it; it is not tried again


Action: TypeAlias = Start | Report | SendSummary | SendArtifacts | SendFailure


class RequestState:
    """How far one request is, and how often it was tried."""

    def __init__(self) -> None:
        self._request: Request | None = None
        self._tries = 0
        self._summary: Summary | None = None

    def on_request(self, request: Request, tries: int = 0) -> Action:
        """A request has come.

        Args:
            tries: how often it has been begun before, also by others.
        """
        self._request, self._tries, self._summary = request, tries, None
        if tries >= MOST_TRIES:
            return self._give_up("its worker died each time it was tried")
        self._tries += 1
        return Start(request)

    def on_message(self, message: Message) -> Action | None:
        """The worker has sent a message about the request."""
        match message:
            case Stage():
                return Report(message.name)
            case Summary():
                self._summary = message
                return SendSummary(message)
            case Finished() if self._summary is not None:
                return SendArtifacts(self._summary, message.exported)
            case Failure():
                return self.on_failure(message)
        return None

    def on_failure(self, failure: Failure) -> SendFailure:
        """The request cannot be answered with a result."""
        return SendFailure(failure, self._summary is not None)

    def on_worker_died(self, comment: str) -> Action:
        """The process that had the request in hand is gone."""
        if self._request is not None and self._tries < MOST_TRIES:
            self._tries += 1
            self._summary = None
            return Start(self._request)
        return self._give_up(comment)

    def on_timeout(self, comment: str) -> Action:
        """It took longer than a request may; trying again would take as long."""
        return self.on_failure(Failure(*ASSET_RUN, comment, kind="timeout"))

    def _give_up(self, comment: str) -> SendFailure:
        failure = Failure(*ASSET_RUN, comment, kind="died")
        return SendFailure(failure, self._summary is not None, put_aside=True)
