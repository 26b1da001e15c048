"""A worker's process as its front end sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alo.engine.request import RunRequest
from alo.serve.service import Service, prepare
from alo.workers.handle import Worker
from alo.workers.protocol import Finished, Message, Request, Summary

from ..serve.conftest import OUTPUT

MakeSolution = Callable[..., Path]
ECHO = f"self.data['result'] = str(self.args.get('word', 'none'))\n{OUTPUT}"


@pytest.fixture
def service(make_solution: MakeSolution) -> Service:
    home = make_solution(inference={"inference": ECHO}, control={"backup_artifacts": False})
    return prepare(RunRequest(home), "serve", lambda event: None)


@pytest.fixture
def worker(service: Service) -> Iterator[Worker]:
    home = service.folder.path / "worker-0"
    worker = Worker(service.job, home, service.models, service.model_id, lambda event: None)
    worker.start()
    yield worker
    worker.stop()


def asking(word: str) -> Request:
    return Request(word, args={"inference": {"word": word}})


def result_of(messages: list[Message]) -> object:
    (summary,) = [each for each in messages if isinstance(each, Summary)]
    assert isinstance(messages[-1], Finished)
    return summary.content["result"]


def nothing() -> None:
    """There is nothing to do meanwhile."""


def test_what_is_still_to_come_of_an_abandoned_request_never_answers_the_next(
    worker: Worker,
) -> None:
    first = worker.run(asking("first"), None, nothing)
    next(first)
    first.close()

    results = [result_of(list(worker.run(asking(word), None, nothing))) for word in ("a", "b")]

    assert results == ["a", "b"]
