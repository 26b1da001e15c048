"""A loop, Redis or the server in front of them is away or ends: what then becomes of requests."""

from __future__ import annotations

import json
import queue
import signal
from pathlib import Path
from typing import Any

import pytest

from alo.events.types import Event
from alo.serve.redis_queue import remote_pool
from alo.serve.redis_queue.heartbeat import ALIVE, READY
from alo.serve.redis_queue.queue import PROCESSING, REQUESTS
from alo.serve.redis_queue.remote_pool import RemotePool
from alo.workers.protocol import Request
from alo.workers.ticket import Result, Ticket

from ....support.waiting import PATIENCE_S, wait_until
from ...conftest import RedisServer
from ..conftest import payload_of, said, ticket


def test_a_request_that_redis_has_lost_is_sent_again(
    pool: RemotePool, redis_server: RedisServer, tmp_path: Path
) -> None:
    results: queue.Queue[Result] = queue.Queue()
    pool.submit(ticket("a", tmp_path, results.put))
    wait_until(lambda: redis_server.client.llen("request_inference"))

    redis_server.client.flushall()

    wait_until(lambda: redis_server.client.llen("request_inference"))
    assert json.loads(payload_of(redis_server))["alo_request"]["id"] == "a"
    answer = {"id": "a", "summary": {"result": "x"}, "outputs": [], "failure": None}
    redis_server.client.rpush(f"alo_answers:{pool._name}", json.dumps(answer))
    assert results.get(timeout=PATIENCE_S).status == "success"


def test_a_request_is_given_up_when_no_loop_has_been_alive_for_long(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alo.serve.redis_queue.remote_pool.SILENCE_S", 0.1)
    results: queue.Queue[Result] = queue.Queue()
    pool = RemotePool(redis_server.url, None, 10, lambda event: None)
    pool.start()
    try:
        pool.submit(ticket("a", tmp_path, results.put))
        result = results.get(timeout=PATIENCE_S)
    finally:
        pool.stop()

    assert result.failure
    assert result.failure.kind == "timeout"
    assert pool.waiting == 0


def test_a_server_that_ends_takes_back_what_no_loop_has_begun_with(
    pool: RemotePool, redis_server: RedisServer, tmp_path: Path
) -> None:
    client, results = redis_server.client, queue.Queue[Result]()
    for name in ("begun", "waits", "kept"):
        ticket = Ticket(Request(name), tmp_path / name, lambda: None, results.put)
        pool.submit(ticket._replace(is_stored=name == "kept"))
    wait_until(lambda: client.llen(REQUESTS) == 3)
    client.lmove(REQUESTS, f"{PROCESSING}w", "LEFT", "RIGHT")
    client.set(f"{ALIVE}w", READY, ex=30)

    pool.end_soon()
    refused = results.get(timeout=PATIENCE_S)
    left = client.lrange(REQUESTS, 0, -1)
    was_drained = pool.is_drained
    answer = {"id": "begun", "summary": {"result": "fine"}, "outputs": [], "failure": None}
    client.rpush(f"alo_answers:{pool._name}", json.dumps(answer))
    answered = results.get(timeout=PATIENCE_S)

    assert (refused.id, refused.failure and refused.failure.kind) == ("waits", "away")
    assert [json.loads(each)["alo_request"]["id"] for each in left] == ["kept"]
    assert not was_drained
    assert (answered.id, answered.status) == ("begun", "success")
    assert pool.is_drained


@pytest.mark.parametrize("is_hung", [False, True])
def test_a_server_that_ends_waits_for_no_loop_that_is_not_alive(
    pool: RemotePool,
    redis_server: RedisServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_hung: bool,
) -> None:
    monkeypatch.setattr(remote_pool, "END_S", 0.5)
    results: queue.Queue[Result] = queue.Queue()
    pool.submit(Ticket(Request("begun"), tmp_path / "begun", lambda: None, results.put))
    wait_until(lambda: redis_server.client.llen(REQUESTS) == 1)
    redis_server.client.lmove(REQUESTS, f"{PROCESSING}w", "LEFT", "RIGHT")
    if is_hung:
        redis_server.process.send_signal(signal.SIGSTOP)

    pool.end_soon()
    result = results.get(timeout=PATIENCE_S)

    assert result.failure is not None
    assert (result.failure.kind, pool.is_drained) == ("away", True)
    assert "no loop is alive" in result.failure.comment


def test_a_redis_that_is_away_is_waited_for_and_the_request_is_sent_then(
    pool: RemotePool, redis_server: RedisServer, events: list[Event], tmp_path: Path
) -> None:
    redis_server.kill()
    pool.submit(ticket("a", tmp_path, lambda result: None))
    wait_until(lambda: "Redis is away" in said(events))

    redis_server.start()

    wait_until(lambda: redis_server.client.llen(REQUESTS) == 1)
    wait_until(lambda: "Redis is back" in said(events))


def test_a_server_that_ends_while_redis_is_away_does_not_wait_for_it(
    pool: RemotePool, redis_server: RedisServer, events: list[Event]
) -> None:
    redis_server.kill()
    wait_until(lambda: "Redis is away" in said(events))

    pool.stop()

    assert not any(thread.is_alive() for thread in pool._threads)


def test_a_fault_of_ours_with_one_request_stops_no_thread(
    pool: RemotePool,
    redis_server: RedisServer,
    events: list[Event],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    to_payload, faults = remote_pool.to_payload, [ZeroDivisionError()]

    def faulty(*given: Any) -> bytes:
        if faults:
            raise faults.pop()
        return to_payload(*given)

    monkeypatch.setattr(remote_pool, "to_payload", faulty)
    for name in ("a", "b"):
        pool.submit(ticket(name, tmp_path, lambda result: None))

    wait_until(lambda: redis_server.client.llen(REQUESTS))
    assert json.loads(payload_of(redis_server))["alo_request"]["id"] == "b"
    assert "requests continue after a fault: ZeroDivisionError" in said(events)
