"""Keys of a wrong kind in Redis: those that are ours are replaced, others are waited for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.serve.redis_queue.queue import ARTIFACTS, PROCESSING, REQUESTS, SUMMARIES, TRIES, Queue
from alo.serve.redis_queue.remote_protocol import ANSWERS, NOTES
from alo.serve.redis_queue.url import connect

from ...conftest import Edge, RedisServer, RunningLoop


@pytest.fixture
def queue(redis_server: RedisServer) -> Queue:
    reported: list[str] = []
    return Queue(connect(redis_server.url), "w", lambda name: False, reported.append, lambda: True)


@pytest.mark.parametrize("kind", ["list", "string", "hash"])
def test_a_count_of_tries_that_is_none_is_replaced(
    redis_server: RedisServer, queue: Queue, kind: str
) -> None:
    client, tries = redis_server.client, f"{TRIES}w"
    client.rpush(f"{PROCESSING}w", b"request")
    {
        "list": lambda: client.rpush(tries, "x"),
        "string": lambda: client.set(tries, "x"),
        "hash": lambda: client.hset(tries, "x", "y"),
    }[kind]()

    taken = queue.take()
    queue.begin()
    queue.flush()

    assert taken is not None
    assert (taken.payload, taken.tries) == (b"request", 0)
    assert client.get(tries) == b"1"


def test_what_a_request_names_is_answered_once_whatever_is_there(
    redis_server: RedisServer, queue: Queue
) -> None:
    client = redis_server.client
    client.set(f"{NOTES}d", "x")
    client.set(f"{ANSWERS}d", "x")
    client.rpush(REQUESTS, b"request")

    taken = queue.take()
    assert taken is not None
    also = [("HDEL", f"{NOTES}d", "id"), ("EXPIRE", f"{ANSWERS}d", "60")]
    queue.finish(taken.payload, [(f"{ANSWERS}d", {"id": "id"})], aside="", also=also)

    assert client.lrange(f"{ANSWERS}d", 0, -1) == [b'{"id": "id"}']
    assert client.keys(f"{PROCESSING}*") == []


def test_a_loop_serves_others_whatever_a_request_names(
    make_solution: Callable[..., Path],
    loop: Callable[..., RunningLoop],
    redis_server: RedisServer,
    edge: Edge,
) -> None:
    body = 'self.asset.save_summary(result="fine", score=0.5)\n'
    body += 'Path(self.asset.get_output_path(), "out.csv").write_text("a\\n1\\n")\n'
    home = make_solution(inference={"inference": body}, control={"backup_artifacts": False})
    loop(home)
    redis_server.client.set(f"{NOTES}d", "x")

    edge.send({"alo_request": {"id": "one", "door": "d", "args": {}, "files": []}})
    summary, _ = edge.ask()

    assert summary["status"] == "success"
    answers = redis_server.client.lrange(f"{ANSWERS}d", 0, -1)
    assert [json.loads(each)["id"] for each in answers] == ["one"]


@pytest.mark.parametrize("name", [SUMMARIES, ARTIFACTS])
def test_an_answer_waits_for_a_list_of_the_edge_application(
    redis_server: RedisServer, name: str
) -> None:
    client, reported = redis_server.client, []

    def listen(text: str) -> None:
        reported.append(text)
        if "WRONGTYPE" in text:
            client.delete(name)

    queue = Queue(connect(redis_server.url), "w", lambda name: False, listen, lambda: False)
    client.rpush(REQUESTS, b"request")
    taken = queue.take()
    client.set(name, "x")
    assert taken is not None
    queue.finish(taken.payload, [(SUMMARIES, {"n": 1}), (ARTIFACTS, {"n": 2})], aside="")

    assert "WRONGTYPE" in reported[0]
    assert [client.llen(each) for each in (SUMMARIES, ARTIFACTS)] == [1, 1]
