"""What to do about a request: events in, actions out; no sockets, no processes.

A request is tried twice: a worker that dies once may have been the victim of something else. The
last answer to a request comes with ``Done``, which a door carries out together with it.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from alo.workers.protocol import (
    ASSET_RUN,
    Failure,
    Finished,
    News,
    Request,
    Stage,
    Summary,
)

MOST_TRIES = 2


class Start(NamedTuple):
    """Have a worker run the request."""

    request: Request


class Tell(NamedTuple):
    """Say how far it is."""

    status: str


class SendSummary(NamedTuple):
    summary: Summary


class SendArtifacts(NamedTuple):
    summary: Summary
    exported: tuple[str, ...]


class SendFailure(NamedTuple):
    """To whichever of the two answers was not sent yet."""

    failure: Failure
    summary_was_sent: bool


class PutAside(NamedTuple):
    """Keep the request where someone can look at it; it is not tried again."""

    reason: str


class Done(NamedTuple):
    """The request is answered; with the answer itself, never before it."""


Action: TypeAlias = Start | Tell | SendSummary | SendArtifacts | SendFailure | PutAside | Done


class Desk:
    """One request at a time."""

    def __init__(self) -> None:
        self._request: Request | None = None
        self._tries = 0
        self._summary: Summary | None = None

    def take(self, request: Request, tries: int = 0) -> Sequence[Action]:
        """A request has come.

        Args:
            tries: how often it has been begun before, also by others.
        """
        self._request, self._tries, self._summary = request, tries, None
        if tries >= MOST_TRIES:
            return self._give_up("its worker died each time it was tried")
        self._tries += 1
        return [Start(request)]

    def refuse(self, failure: Failure) -> Sequence[Action]:
        """What has come is no request."""
        self._request, self._summary = None, None
        return self._fail(failure)

    def fail(self, failure: Failure) -> Sequence[Action]:
        """It cannot be carried on with, by a fault of who runs it."""
        return self._fail(failure)

    def hear(self, news: News) -> Sequence[Action]:
        """The worker tells how the request goes."""
        match news:
            case Stage():
                return [Tell(news.name)]
            case Summary():
                self._summary = news
                return [SendSummary(news)]
            case Finished() if self._summary is not None:
                return [SendArtifacts(self._summary, news.exported), Done()]
            case Failure():
                return self._fail(news)
        return []

    def worker_died(self, comment: str) -> Sequence[Action]:
        """The process that had the request in hand is gone."""
        if self._request is not None and self._tries < MOST_TRIES:
            self._tries += 1
            self._summary = None
            return [Start(self._request)]
        return self._give_up(comment)

    def time_is_over(self, comment: str) -> Sequence[Action]:
        """It took longer than a request may; trying again would take as long."""
        return self._fail(Failure(*ASSET_RUN, comment, kind="timeout"))

    def _give_up(self, comment: str) -> Sequence[Action]:
        failure = Failure(*ASSET_RUN, comment, kind="died")
        return [PutAside(comment), *self._fail(failure)]

    def _fail(self, failure: Failure) -> Sequence[Action]:
        return [SendFailure(failure, self._summary is not None), Done()]
