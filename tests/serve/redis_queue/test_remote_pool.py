"""What an HTTP server makes of the answers of loops, whatever they are."""

from __future__ import annotations

import json
import queue
from pathlib import Path
from typing import Any

import pytest

from alo.events.types import Event, LogLine
from alo.serve.redis_queue import remote_pool
from alo.serve.redis_queue.heartbeat import ALIVE, READY
from alo.serve.redis_queue.queue import REQUESTS
from alo.serve.redis_queue.remote_pool import RemotePool
from alo.serve.redis_queue.remote_protocol import RemoteRequest, TooLargeError
from alo.workers.pool import NotReadyError, QueueFullError
from alo.workers.protocol import Request
from alo.workers.ticket import Result, Ticket

from ...support.waiting import PATIENCE_S, wait_until
from ..conftest import RedisServer
from .conftest import said, ticket


def test_answers_that_make_no_sense_cost_only_their_own_request(
    pool: RemotePool, redis_server: RedisServer, events: list[Event], tmp_path: Path
) -> None:
    results: queue.Queue[Result] = queue.Queue()
    for name in ("a", "b", "c", "d"):
        done = results.put if name != "c" else lambda result: 1 / 0
        pool.submit(Ticket(Request(name), tmp_path / name, lambda: None, done))
    good = {"summary": {"result": "fine"}, "outputs": [], "failure": None}
    outside = {"name": "../x", "content": ""}
    answers = [
        "no json",
        json.dumps(["a"]),
        json.dumps({"id": "a"}),
        json.dumps({**good, "id": "b", "outputs": [outside]}),
        json.dumps({**good, "id": "c"}),
        json.dumps({**good, "id": "d"}),
    ]

    redis_server.client.rpush(f"alo_answers:{pool._name}", *answers)
    taken = [results.get(timeout=PATIENCE_S) for _ in range(3)]

    assert [(result.id, result.status) for result in taken] == [
        ("a", "fail"),
        ("b", "fail"),
        ("d", "success"),
    ]
    assert not (tmp_path / "x").exists()
    assert pool.waiting == 0
    texts = " ".join(event.text for event in events if isinstance(event, LogLine))
    assert texts.count("no answer of a loop") == 2
    assert "a result could not be kept" in texts


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"id": "../x", "door": "d", "args": {}, "files": []},
        {"id": "x", "door": "d", "args": [], "files": []},
        {"id": "x", "door": "d", "args": {"step": 1}, "files": []},
        {"id": "x", "door": "d", "args": {}, "files": [{"name": "a", "content": 5}]},
        {"id": "x", "door": "d", "args": {}, "files": [{"name": "a", "content": "é"}]},
        {"id": "x", "door": "d", "args": {}, "files": [{"name": "../a", "content": ""}]},
        {"id": "x", "door": "d", "args": {}, "files": [{"name": 7, "content": ""}]},
    ],
)
def test_a_request_of_another_form_is_refused_and_writes_nothing(
    tmp_path: Path, content: object
) -> None:
    with pytest.raises(ValueError, match="not of the form"):
        RemoteRequest(content).request(tmp_path / "spool")

    assert not (tmp_path / "spool").exists()


def test_an_answer_stays_where_it_expires_until_it_is_taken(
    pool: RemotePool, redis_server: RedisServer, tmp_path: Path
) -> None:
    """Whoever is killed while it takes one leaves nothing that stays in Redis."""
    results: queue.Queue[Result] = queue.Queue()
    answers, lifetimes = f"alo_answers:{pool._name}", []

    def done(result: Result) -> None:
        lifetimes.append(redis_server.client.ttl(answers))
        results.put(result)

    pool.submit(ticket("a", tmp_path, done))
    answer = {"id": "a", "summary": {"result": "x"}, "outputs": [], "failure": None}
    pipe = redis_server.client.pipeline()
    pipe.rpush(answers, json.dumps(answer)).expire(answers, 3600).execute()

    assert results.get(timeout=PATIENCE_S).status == "success"
    assert lifetimes[0] > 0
    wait_until(lambda: not redis_server.client.exists(answers))


def test_the_notes_of_requests_stay_for_as_long_as_their_server_looks_at_them(
    pool: RemotePool, redis_server: RedisServer, tmp_path: Path
) -> None:
    """Or a request that waits for hours would be taken for lost, and run twice."""
    notes = f"alo_requests:{pool._name}"
    pool.submit(ticket("a", tmp_path, lambda result: None))
    wait_until(lambda: redis_server.client.exists(notes))

    redis_server.client.expire(notes, 60)

    wait_until(lambda: redis_server.client.ttl(notes) > 3600)


def test_files_that_are_more_than_a_message_may_hold_are_refused(
    pool: RemotePool, tmp_path: Path
) -> None:
    large = ticket("a", tmp_path, lambda result: None)
    with open(tmp_path / "a/in/more", "wb") as file:
        file.truncate(33_000_000)

    with pytest.raises(TooLargeError, match="32 MB"):
        pool.submit(large)

    assert pool.waiting == 0


def good(name: str, **more: object) -> str:
    """The answer of a loop to a request."""
    content = {"summary": {"result": "fine"}, "outputs": [], "failure": None}
    return json.dumps({**content, "id": name, **more})


def test_no_more_requests_are_taken_than_may_be_under_way_and_none_at_the_end(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    pool = RemotePool(redis_server.url, None, 1, lambda event: None)
    pool.submit(ticket("a", tmp_path, lambda result: None))

    with pytest.raises(QueueFullError):
        pool.submit(ticket("b", tmp_path, lambda result: None))
    pool.submit(ticket("c", tmp_path, lambda result: None), always=True)
    pool.end_soon()
    with pytest.raises(NotReadyError):
        pool.submit(ticket("d", tmp_path, lambda result: None))

    assert pool.waiting == 2
    assert not pool.is_ready


def test_a_request_whose_data_is_gone_fails_alone(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    results: queue.Queue[Result] = queue.Queue()
    pool = RemotePool(redis_server.url, None, 10, lambda event: None)
    pool.submit(ticket("a", tmp_path, results.put))
    (tmp_path / "a/in/data.csv").unlink()
    (tmp_path / "a/in").rmdir()  # before it could be sent
    pool.start()
    try:
        result = results.get(timeout=PATIENCE_S)
        pool.submit(ticket("b", tmp_path, results.put))
        wait_until(lambda: redis_server.client.llen(REQUESTS))
    finally:
        pool.stop()

    assert result.failure
    assert "the request's data cannot be sent" in result.failure.comment


def test_output_files_that_cannot_be_written_are_said_to_be(
    pool: RemotePool, redis_server: RedisServer, tmp_path: Path
) -> None:
    results: queue.Queue[Result] = queue.Queue()
    pool.submit(ticket("a", tmp_path, results.put))
    (tmp_path / "a/out").touch()

    file = {"name": "x.csv", "content": "YQ=="}
    redis_server.client.rpush(f"alo_answers:{pool._name}", good("a", outputs=[file]))

    result = results.get(timeout=PATIENCE_S)
    assert result.failure
    assert "the output files cannot be written" in result.failure.comment


def test_the_second_answer_to_a_request_is_passed_over(
    pool: RemotePool, redis_server: RedisServer, tmp_path: Path, events: list[Event]
) -> None:
    results: queue.Queue[Result] = queue.Queue()
    for name in ("a", "b"):
        pool.submit(ticket(name, tmp_path, results.put))
    answers = f"alo_answers:{pool._name}"

    redis_server.client.rpush(answers, good("a"), good("a"), good("b"))

    assert [results.get(timeout=PATIENCE_S).id for _ in range(2)] == ["a", "b"]
    wait_until(lambda: not redis_server.client.exists(answers))
    assert said(events) == ""


def test_an_answer_that_does_not_come_within_the_limit_is_given_up(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_pool, "SLACK_S", 0)
    results: queue.Queue[Result] = queue.Queue()
    pool = RemotePool(redis_server.url, 0.1, 10, lambda event: None)
    pool.start()
    try:
        pool.submit(ticket("a", tmp_path, results.put))
        result = results.get(timeout=PATIENCE_S)
    finally:
        pool.stop()

    assert result.failure
    assert (result.failure.kind, pool.waiting) == ("timeout", 0)
    assert "within 0.1 s" in result.failure.comment


def test_a_note_that_an_older_loop_has_left_is_taken_away(
    pool: RemotePool, redis_server: RedisServer
) -> None:
    redis_server.client.hset(f"alo_requests:{pool._name}", "answered", "")

    wait_until(lambda: not redis_server.client.exists(f"alo_requests:{pool._name}"))


def test_a_server_is_ready_while_a_loop_says_that_it_takes_requests(
    pool: RemotePool, redis_server: RedisServer
) -> None:
    assert not pool.is_ready

    redis_server.client.set(f"{ALIVE}w", READY, ex=30)

    wait_until(lambda: pool.is_ready)


def test_only_what_no_loop_has_answered_is_seen_here(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_pool, "SLACK_S", 0.0)
    results: queue.Queue[Result] = queue.Queue()
    seen: list[Any] = []
    pool = RemotePool(redis_server.url, 0.01, 10, lambda event: None, lambda *of: seen.append(of))
    pool.start()
    try:
        pool.submit(Ticket(Request("late"), tmp_path, lambda: None, results.put))
        late = results.get(timeout=PATIENCE_S)
        wait_until(lambda: seen)
        assert seen == [("", None, late.failure)]

        monkeypatch.setattr(remote_pool, "SLACK_S", PATIENCE_S)
        pool.submit(Ticket(Request("answered"), tmp_path, lambda: None, results.put))
        answer = {"id": "answered", "summary": {"result": "fine"}, "outputs": [], "failure": None}
        redis_server.client.rpush(f"alo_answers:{pool._name}", json.dumps(answer))
        assert results.get(timeout=PATIENCE_S).status == "success"
        pool.submit(Ticket(Request("left"), tmp_path, lambda: None, results.put))
        pool.end_soon()  # what waits is answered with that
        assert results.get(timeout=PATIENCE_S).status == "fail"
        assert len(seen) == 1
    finally:
        pool.stop()
