"""An edge application gets both answers, though making one of them fails half-way."""

from __future__ import annotations

import json

import pytest

from alo.serve.redis_queue.answers import EdgeAnswers
from alo.serve.redis_queue.queue import ARTIFACTS, REQUESTS, SUMMARIES, Queue
from alo.serve.redis_queue.url import connect
from alo.workers.protocol import ASSET_RUN, Failure, Summary
from alo.workers.state_machine import SendFailure

from ..conftest import RedisServer

FAULT = SendFailure(Failure(*ASSET_RUN, "a fault"), summary_was_sent=True)
GOOD = Summary({"result": "fine"}, ())
NOT_JSON = Summary({("a", "b"): 1}, ())  # type: ignore[dict-item] - as an asset's YAML may have it


@pytest.fixture
def answers(redis_server: RedisServer) -> EdgeAnswers:
    queue = Queue(connect(redis_server.url), "w", lambda name: False, print, lambda: False)
    redis_server.client.rpush(REQUESTS, b"request")
    queue.take()
    return EdgeAnswers(queue, b"request", print)


def statuses(redis_server: RedisServer, name: str) -> list[str]:
    return [json.loads(each)["status"] for each in redis_server.client.lrange(name, 0, -1)]


def test_a_summary_that_is_no_json_is_answered_with_the_failure_twice(
    answers: EdgeAnswers, redis_server: RedisServer
) -> None:
    with pytest.raises(TypeError):
        answers.send_summary(NOT_JSON)

    answers.discard_held()
    answers.send_failure(FAULT)

    assert statuses(redis_server, SUMMARIES) == ["fail"]
    assert statuses(redis_server, ARTIFACTS) == ["fail"]


@pytest.mark.parametrize(("has_left", "first"), [(True, ["success"]), (False, ["fail"])])
def test_a_fault_after_the_summary_is_one_answer_to_each_list(
    answers: EdgeAnswers, redis_server: RedisServer, has_left: bool, first: list[str]
) -> None:
    answers.send_summary(GOOD)
    if has_left:
        answers.flush()

    answers.discard_held()
    answers.send_failure(FAULT)

    assert statuses(redis_server, SUMMARIES) == first
    assert statuses(redis_server, ARTIFACTS) == ["fail"]
